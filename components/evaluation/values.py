"""TFMA's values of an evaluation as plain ones.

TFMA is imported inside, because the command line imports what uses this module.
"""

import json
import math
from typing import Any

from components.evaluation import confidence
from components.evaluation.slices import ALL, SLICE, parse_slice_names

CANDIDATE, BASELINE = "candidate", "baseline"  # as TFMA calls them, when there are two models
MAJORITY = "accuracy_over_majority"
MISTAKES = "mistakes"
RELIABILITY = "reliability"
SCALARS = ("accuracy", "macro_f1", "auc", "loss", "calibration_error", "example_count")

RawSlices = dict[str, dict[str, Any]]  # TFMA's MetricValue by slice and metric


def load(evaluation_dir: str) -> dict[str, RawSlices]:
    """What TFX's Evaluator wrote, by model: the candidate, and the blessed one if there was one."""
    import tensorflow_model_analysis as tfma

    by_model: dict[str, RawSlices] = {}
    for record in tfma.load_metrics(evaluation_dir):
        for item in record.metric_keys_and_values:
            if not item.key.is_diff:
                slices = by_model.setdefault(item.key.model_name or CANDIDATE, {})
                values = slices.setdefault(name_of_key(record.slice_key), {})
                values[item.key.name] = item.value
    return by_model


def plain(slices: RawSlices, names: list[str]) -> dict[str, Any]:
    """A model's metrics on the eval split, ready for JSON.

    Args:
      slices: of `load`.
      names: of all slices, see `slice_names`.

    Returns:
      `accuracy`, `macro_f1`, `auc` (with two classes), `loss` (nats), `calibration_error`,
      `example_count`, `accuracy_over_majority`, `confusion_matrix` (rows: labels, columns:
      predictions, in the order of the classes), `intervals` of 95 % (`accuracy` and `macro_f1`:
      [low, high]), `reliability` (see `_reliability`) and `slices`: {slice: {metric: value}} with
      the first six and `intervals` (`accuracy`). A value that is not defined, as the AUC of one
      class, is None.
    """
    classes = range(len(parse_slice_names(names)[0]))
    entries = {name: _entries(values["confusion_matrix"]) for name, values in slices.items()}
    described: dict[str, dict[str, Any]] = {
        name: {
            metric: _scalar(metric, slices[name][metric], entries[name])
            for metric in SCALARS
            if metric in slices[name]
        }
        | {"intervals": {"accuracy": list(confidence.accuracy_interval(entries[name]))}}
        for name in names
        if name in slices
    }
    overall = described.pop(ALL)
    overall["intervals"]["macro_f1"] = list(confidence.macro_f1_interval(entries[ALL], classes))
    return {
        **overall,
        # Only of all rows: the largest class of a slice is no yardstick.
        MAJORITY: slices[ALL][MAJORITY].double_value.value,
        "confusion_matrix": [[entries[ALL].get((i, j), 0) for j in classes] for i in classes],
        RELIABILITY: _reliability(slices[ALL][RELIABILITY]),
        "slices": described,
    }


def values_of(metrics_of_model: dict[str, Any], name: str) -> dict[str, Any]:
    """The metrics of a slice, out of what `plain` returns."""
    return metrics_of_model if name == ALL else metrics_of_model["slices"][name]


def slice_names(evaluation_dir: str) -> list[str]:
    """All slices that were asked for, whether eval has such rows or not."""
    return [name_of_spec(spec) for spec in _eval_config(evaluation_dir).slicing_specs]


def bounded(evaluation_dir: str) -> list[tuple[str, str]]:
    """All (slice, metric) that have a bound."""
    return [
        (name_of_spec(threshold.slicing_specs[0]), json.loads(metric.config)["name"])
        for spec in _eval_config(evaluation_dir).metrics_specs
        for metric in spec.metrics
        for threshold in metric.per_slice_thresholds
        if threshold.threshold.ByteSize()
    ]


def name_of_spec(spec: Any) -> str:
    """The slice that a TFMA SlicingSpec means."""
    return spec.feature_values[SLICE] if spec.feature_values else ALL


def name_of_key(key: Any) -> str:
    """The slice that a TFMA SliceKey means."""
    parts = key.single_slice_keys
    return parts[0].bytes_value.decode() if parts else ALL


def _entries(value: Any) -> dict[tuple[int, int], int]:
    """Rows by (class of the label, class of the prediction), the latter -1 for none."""
    [matrix] = value.multi_class_confusion_matrix_at_thresholds.matrices
    return {
        (entry.actual_class_id, entry.predicted_class_id): int(entry.num_weighted_examples)
        for entry in matrix.entries
    }


def _scalar(metric: str, value: Any, entries: dict[tuple[int, int], int]) -> float | int | None:
    number = value.double_value.value
    one_class = len({actual for actual, _ in entries}) == 1
    if math.isnan(number) or (metric == "auc" and one_class):  # TFMA calls the latter 0
        return None
    return int(number) if metric == "example_count" else number


def _reliability(value: Any) -> list[dict[str, float | int | None]]:
    """The bins of a reliability diagram, by the probability of the predicted class.

    Returns:
      For each bin its bounds `low` and `high`, its `rows`, and their mean probability
      (`confidence`) and `accuracy`: None in an empty bin.
    """
    array = value.array_value
    bins, columns = array.shape
    described: list[dict[str, float | int | None]] = []
    for number in range(bins):
        rows, confidence_sum, right = array.float64_values[number * columns :][:columns]
        described.append(
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "rows": int(rows),
                "confidence": confidence_sum / rows if rows else None,
                "accuracy": right / rows if rows else None,
            }
        )
    return described


def _eval_config(evaluation_dir: str) -> Any:
    from tensorflow_model_analysis.writers import eval_config_writer

    return eval_config_writer.load_eval_run(evaluation_dir)[0]
