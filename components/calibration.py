"""Temperature scaling: one number by which the logits are divided, so that probabilities are meant.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from components.evaluation.scores import expected_calibration_error

BINS = 10  # of the confidence
# Where all answers are right the best temperature is 0, which would turn every answer into a
# certainty; where they are no better than chance it is infinite.
COOLEST, HOTTEST = 0.5, 10.0


@dataclass(frozen=True)
class Calibration:
    """What was fitted, and the expected calibration error without and with it."""

    temperature: float
    error_before: float
    error_after: float
    rows: int  # on which it was fitted and measured


def logits_of(
    model: keras.Model, batches: Iterable[tuple[tf.Tensor, tf.Tensor]]
) -> tuple[np.ndarray, np.ndarray]:
    """Asks the model.

    Args:
      model: from ids int64 [rows, length] to logits float32 [rows, classes].
      batches: pairs of ids and label ids int64 [rows]; at least one.

    Returns:
      The logits, float32 [all rows, classes], and the label ids, int64 [all rows].
    """

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int64)], autograph=False)
    def answer(ids):
        return model(ids, training=False)

    pairs = [(answer(ids).numpy(), label_ids.numpy()) for ids, label_ids in batches]
    logits, label_ids = zip(*pairs, strict=True)
    return np.concatenate(logits), np.concatenate(label_ids)


def calibrate(logits: np.ndarray, label_ids: np.ndarray) -> Calibration:
    """Fits the temperature and measures what it does, on the same rows.

    Args:
      logits: float [rows, classes]; at least one row.
      label_ids: int [rows].
    """
    temperature = fit_temperature(logits, label_ids)
    return Calibration(
        temperature=temperature,
        error_before=calibration_error(logits, label_ids),
        error_after=calibration_error(logits / temperature, label_ids),
        rows=len(label_ids),
    )


def fit_temperature(logits: np.ndarray, label_ids: np.ndarray) -> float:
    """The temperature from COOLEST to HOTTEST with the least cross-entropy.

    Args:
      logits: float [rows, classes].
      label_ids: int [rows].

    Returns:
      1.0 if none is better than that, as for logits that are all equal.
    """
    logits = logits.astype(np.float64)

    # The cross-entropy is convex in the inverse of the temperature, so it has one minimum.
    def cross_entropy(inverse: float) -> float:
        log_probabilities = log_softmax(inverse * logits, axis=1)
        return -log_probabilities[np.arange(len(label_ids)), label_ids].mean()

    bounds = (1 / HOTTEST, 1 / COOLEST)
    found = minimize_scalar(cross_entropy, bounds=bounds, method="bounded")
    best = min((1.0, found.x, *bounds), key=cross_entropy)  # the search stops short of the bounds
    return float(1 / best)


def calibration_error(logits: np.ndarray, label_ids: np.ndarray) -> float:
    """The Evaluator's expected calibration error, in one process.

    Args:
      logits: float [rows, classes].
      label_ids: int [rows].
    """
    confidence = np.exp(log_softmax(logits.astype(np.float64), axis=1)).max(axis=1)
    right = logits.argmax(axis=1) == label_ids
    in_bin = np.minimum((confidence * BINS).astype(int), BINS - 1)
    totals = [
        np.bincount(in_bin, weights=values, minlength=BINS)
        for values in (np.ones(len(right)), confidence, right)
    ]
    return float(expected_calibration_error(np.stack(totals, axis=1).tolist()))
