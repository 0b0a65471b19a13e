"""The metrics that TFMA lacks or computes otherwise, as TFMA metrics.

TFMA has no macro F1, and no accuracy of several classes outside Keras. Its CategoricalCrossEntropy
is not used: it is wrong for class ids, leaves out rows whose own class has probability 0, can count
rows twice, and changes the predictions that other metrics share.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import (
    calibration_histogram,
    metric_types,
    metric_util,
    multi_class_confusion_matrix_metrics,
)

from components.evaluation import scores

CALIBRATION_BINS = 10
LEAST_PROBABILITY = 1e-7  # as Keras clips it, so that the loss of a sure mistake is finite


class _ConfusionMatrixScore(metric_types.Metric):
    """A score that is a function of TFMA's multi-class confusion matrix."""

    def __init__(self, score: Callable[[scores.ConfusionCounts], float], name: str):
        def computations(
            name, eval_config=None, model_name="", output_name="", example_weighted=False
        ):
            where = dict(
                model_name=model_name, output_name=output_name, example_weighted=example_weighted
            )
            key = metric_types.MetricKey(name=name, **where)
            matrices = multi_class_confusion_matrix_metrics.multi_class_confusion_matrices(
                thresholds=[scores.CONFUSION_THRESHOLD], eval_config=eval_config, **where
            )
            matrices_key = matrices[-1].keys[-1]

            def result(metrics):
                return {key: score(metrics[matrices_key][scores.CONFUSION_THRESHOLD])}

            return [*matrices, metric_types.DerivedMetricComputation(keys=[key], result=result)]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


class Accuracy(_ConfusionMatrixScore):
    """`scores.accuracy`."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(scores.accuracy, name)


class AccuracyOverMajority(_ConfusionMatrixScore):
    """`scores.accuracy_over_majority`."""

    def __init__(self, name: str = "accuracy_over_majority"):
        super().__init__(scores.accuracy_over_majority, name)


class MacroF1(_ConfusionMatrixScore):
    """`scores.macro_f1`."""

    def __init__(self, name: str = "macro_f1"):
        super().__init__(scores.macro_f1, name)


class _CalibrationScore(metric_types.Metric):
    """A value made of TFMA's histogram of the likeliest class's probability.

    Bin b of 10 holds confidences from b/10 up to, but not including, (b+1)/10; the last also 1.
    """

    def __init__(self, value: Callable[[list[list[float]]], Any], name: str):
        def computations(
            name, eval_config=None, model_name="", output_name="", example_weighted=False
        ):
            where = dict(
                model_name=model_name, output_name=output_name, example_weighted=example_weighted
            )
            key = metric_types.MetricKey(name=name, **where)
            histogram = calibration_histogram.calibration_histogram(
                num_buckets=CALIBRATION_BINS,
                eval_config=eval_config,
                sub_key=metric_types.SubKey(k=1),
                fractional_labels=False,
                **where,
            )
            histogram_key = histogram[-1].keys[-1]

            def result(metrics):
                return {key: value(_bins(metrics[histogram_key]))}

            return [*histogram, metric_types.DerivedMetricComputation(keys=[key], result=result)]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


def _bins(histogram: Iterable[Any]) -> list[list[float]]:
    """For each bin the rows, the sum of their confidences and how many are predicted right."""
    bins = [[0.0, 0.0, 0.0] for _ in range(CALIBRATION_BINS)]
    for bucket in histogram:
        # TFMA numbers the bins from 1 and puts confidences of exactly 1 into one more.
        totals = bins[min(bucket.bucket_id, CALIBRATION_BINS) - 1]
        totals[0] += bucket.weighted_examples
        totals[1] += bucket.weighted_predictions
        totals[2] += bucket.weighted_labels
    return bins


class CalibrationError(_CalibrationScore):
    """`scores.expected_calibration_error`."""

    def __init__(self, name: str = "calibration_error"):
        super().__init__(scores.expected_calibration_error, name)


class Reliability(_CalibrationScore):
    """The bins themselves, float64 [bins, 3], as `scores.expected_calibration_error` takes them."""

    def __init__(self, name: str = "reliability"):
        super().__init__(np.array, name)


class Loss(metric_types.Metric):
    """Mean cross-entropy, in nats: -log of the probability of the label."""

    def __init__(self, name: str = "loss"):
        super().__init__(metric_util.merge_per_key_computations(_loss), name=name)


def _loss(name, eval_config=None, model_name="", output_name="", example_weighted=False):
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    combiner = _LossCombiner(key, eval_config)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]


class _LossCombiner(beam.CombineFn):
    """Sums -log(p) and rows."""

    def __init__(self, key: metric_types.MetricKey, eval_config: Any):
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> tuple[float, int]:
        return 0.0, 0

    def add_input(self, accumulator: tuple[float, int], element: Any) -> tuple[float, int]:
        label, probabilities, _ = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                flatten=False,
            )
        )
        probability = max(float(probabilities[int(label[0])]), LEAST_PROBABILITY)
        return accumulator[0] - math.log(probability), accumulator[1] + 1

    def merge_accumulators(self, accumulators: Iterable[tuple[float, int]]) -> tuple[float, int]:
        losses, rows = zip(*accumulators, strict=True)
        return sum(losses), sum(rows)

    def extract_output(self, accumulator: tuple[float, int]) -> dict[metric_types.MetricKey, float]:
        loss, rows = accumulator
        return {self._key: loss / rows if rows else math.nan}
