"""Tries a candidate in a real serving process: does it load, answer the same, answer in time?"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from tfx.utils import io_utils

from components.serve_check.result import ServeCheckResult
from components.serving.client import Prediction, RestPredictor
from components.serving.process import ServerDidNotStart, start_server_process
from components.settings import ServeCheckSettings
from schema import features

TOLERANCE = 1e-5  # largest difference of a probability between served and evaluated


def check_serving(
    model_dir: str,
    model_name: str,
    sentences: Sequence[str],
    settings: ServeCheckSettings,
    scratch_dir: str,
) -> ServeCheckResult:
    """Serves a model in a process of its own, asks it, and compares and times the answers.

    Args:
      model_dir: the SavedModel, on any file system that TensorFlow knows.
      model_name: under which it is served.
      sentences: what is asked, at least one.
      settings: how often to ask, and the bounds.
      scratch_dir: an existing folder for the server's model root.
    """
    io_utils.copy_dir(model_dir, os.path.join(scratch_dir, model_name, "1"))
    started = time.monotonic()
    with ThreadPoolExecutor(1) as thread:
        expected = thread.submit(evaluated_probabilities, model_dir, sentences)
        try:
            with start_server_process(scratch_dir, model_name, settings.start_timeout) as server:
                start_seconds = time.monotonic() - started
                evaluated = expected.result()  # before the clock runs
                with RestPredictor(server.rest_url) as ask:
                    served = ask(sentences)
                    latencies = _latencies_ms(ask, sentences, settings.requests)
        except ServerDidNotStart as error:
            return ServeCheckResult(len(sentences), [str(error)])

    difference, failures = compare(sentences, served, evaluated)
    latency = latency_quantiles(latencies)
    p99 = latency["p99_ms"]
    if p99 > settings.p99_ms:
        failures.append(
            f"the slowest answer of 100 takes {p99:.1f} ms, over "
            f"serve_check.p99_ms = {settings.p99_ms:g}"
        )
    return ServeCheckResult(
        sentences=len(sentences),
        failures=failures,
        start_seconds=round(start_seconds, 2),
        largest_difference=difference,
        **latency,
    )


def latency_quantiles(latencies_ms: Sequence[float]) -> dict[str, float]:
    """Quantiles of latencies and their maximum, in milliseconds, as ServeCheckResult names them."""
    shares = {"p50_ms": 50, "p90_ms": 90, "p95_ms": 95, "p99_ms": 99, "max_ms": 100}
    values = np.percentile(latencies_ms, list(shares.values())).tolist()
    return {name: round(value, 3) for name, value in zip(shares, values, strict=True)}


def evaluated_probabilities(model_dir: str, sentences: Sequence[str]) -> np.ndarray:
    """What the signature that the Evaluator uses says to some sentences.

    Returns:
      float32 [sentences, classes].
    """

    def example(text: str) -> bytes:
        value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
        return tf.train.Example(
            features=tf.train.Features(feature={features.TEXT: value})
        ).SerializeToString()

    model = tf.saved_model.load(model_dir)
    signature = model.signatures[features.EXAMPLES_SIGNATURE]
    answers = signature(**{features.EXAMPLES: tf.constant([example(text) for text in sentences])})
    return answers[features.PROBABILITIES].numpy()


def compare(
    sentences: Sequence[str], served: Sequence[Prediction], evaluated: np.ndarray
) -> tuple[float, list[str]]:
    """Compares served with evaluated probabilities.

    Args:
      sentences: what was asked.
      served: the answers of the serving process, in the order of the sentences.
      evaluated: float32 [sentences, classes].

    Returns:
      The largest difference, and a failure in words if it is over `TOLERANCE`.
    """
    probabilities = np.array([list(answer.probabilities.values()) for answer in served])
    differences = np.abs(probabilities - evaluated).max(axis=1)
    worst = int(differences.argmax())
    largest = float(differences[worst])
    if largest <= TOLERANCE:
        return largest, []
    return largest, [
        f"served and evaluated probabilities differ by {largest:.2g} (allowed: {TOLERANCE:g}) "
        f"for the sentence {sentences[worst][:80]!r}"
    ]


def _latencies_ms(ask: RestPredictor, sentences: Sequence[str], requests: int) -> list[float]:
    """Times requests of one sentence each, one after the other, on one connection."""
    latencies = []
    for number in range(requests):
        started = time.perf_counter()
        ask([sentences[number % len(sentences)]])
        latencies.append((time.perf_counter() - started) * 1000)
    return latencies
