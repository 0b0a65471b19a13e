"""How TensorFlow shares a machine's cores."""

import os

_CORES = os.cpu_count() or 1
# A batch is trained in so many parts side by side: the products in a step of an LSTM are too small
# for several cores to share, and the next step waits for them.
LANES = min(_CORES, 4)


def share_cores() -> None:
    """Leaves one operation the threads of its lane; to be called before TensorFlow's first one.

    What is set already stays.
    """
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(_CORES // LANES))
