"""Every Python process of the worker pool imports tfx first: it mends tensorflow_data_validation.

The pool starts its workers without the pipeline's options, so without `--beam_plugins=tfx`.
"""

import tfx  # noqa: F401
