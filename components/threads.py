"""How TensorFlow shares a machine's cores."""

import math
import os

_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# A batch is trained in so many parts side by side: the products in a step of an LSTM are too small
# for several cores to share, and the next step waits for them.
LANES = min(_CORES, 4)


def share_cores() -> None:
    """Leaves one operation the threads of its lane; to be called before TensorFlow's first one.

    It holds for all that the process and its children compute; what is set already stays.
    """
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(math.ceil(_CORES / LANES)))
