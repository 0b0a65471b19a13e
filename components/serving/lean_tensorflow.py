"""Imports TensorFlow without Keras, for processes that only run SavedModels."""

import importlib
import os
import sys


def import_tensorflow() -> None:
    """Imports tensorflow in about half of the usual time; call it before anything else does.

    `import tensorflow` eagerly imports Keras, and Keras whatever it finds of scikit-learn, pandas
    and IPython. None of them is needed to run a SavedModel. Keras can be imported later, by its own
    name. Only for a process's entry point: `import tensorflow.keras.…` fails afterwards.
    """
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        return
    # tensorflow_transform sets this for its whole process, whose children inherit it; it makes
    # tensorflow import an older Keras, which imports the newer one.
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # only errors of its C++ side on stderr
    # oneDNN makes these models no faster, and says so on stderr.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    sys.modules["keras"] = None  # type: ignore[assignment]  # makes `import keras` an ImportError
    try:
        tensorflow = importlib.import_module("tensorflow")
    finally:
        del sys.modules["keras"]
    tensorflow.get_logger().setLevel("ERROR")  # it calls its own session interface deprecated
