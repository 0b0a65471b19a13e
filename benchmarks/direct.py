"""Calls a SavedModel in a loop, without a server: what `benchmarks.serving` compares with.

A process for each way of calling: TensorFlow has one pool of threads, which the first one sets up.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from components.serving.lean_tensorflow import import_tensorflow


def call_eagerly(model_dir: Path) -> Callable[[str], Any]:
    """The SavedModel as TensorFlow's documentation loads and calls it."""
    import tensorflow as tf

    function = tf.saved_model.load(str(model_dir)).signatures["serving_default"]
    return lambda sentence: function(text=tf.constant([sentence]))["probabilities"].numpy()


def call_in_session(model_dir: Path) -> Callable[[str], Any]:
    """The SavedModel as the server loads and calls it."""
    from components.serving.model import ServedModel

    model = ServedModel(model_dir)
    return lambda sentence: model.run(
        "serving_default", np.array([sentence.encode()], dtype=object)
    )


def time_calls(call: Callable[[str], Any], sentences: list[str], seconds: float) -> list[float]:
    """The seconds of each call, one sentence after the other."""
    call(sentences[0])
    latencies: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        call(sentences[len(latencies) % len(sentences)])
        latencies.append(time.perf_counter() - started)
    return latencies


def main(kind: str, model_dir: str, sentences: str, seconds: str) -> None:
    """Prints the seconds of each call as JSON."""
    import_tensorflow()
    call = {"eager": call_eagerly, "session": call_in_session}[kind](Path(model_dir))
    lines = Path(sentences).read_text(encoding="utf-8").splitlines()
    json.dump(time_calls(call, lines, float(seconds)), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
