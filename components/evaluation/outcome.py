"""What an Evaluation artifact says: metrics as plain values, and the missed bounds in words.

TFMA and TFX are imported inside, because the command line imports this module.
"""

import json
import math
import os
from dataclasses import asdict
from typing import Any

from components.evaluation.scores import TOLERANCE
from components.evaluation.slices import ALL, SLICE, parse_slice_names
from components.linear_baseline.result import LinearBaselineResult

_CANDIDATE, _BASELINE = "candidate", "baseline"  # as TFMA calls them, when there are two models
_MAJORITY = "accuracy_over_majority"
_SCALARS = ("accuracy", "macro_f1", "auc", "loss", "calibration_error", "example_count")

FILE = "outcome.json"


def write(
    evaluation_dir: str, linear_baseline: LinearBaselineResult, beat_baseline_by: float | None
) -> list[str]:
    """Writes the outcome beside TFMA's files, for readers without TensorFlow.

    Args:
      evaluation_dir: what TFX's Evaluator wrote.
      linear_baseline: its scores on the same rows.
      beat_baseline_by: least lead in accuracy over it; None: any.

    Returns:
      All missed bounds, a sentence each; empty if the model is blessed.
    """
    from tfx.dsl.io import fileio

    found = metrics(evaluation_dir)
    missed = missed_bounds(evaluation_dir)
    if beat_baseline_by is not None:
        missed += missed_lead(found["accuracy"], linear_baseline.accuracy, beat_baseline_by)
    outcome = {
        "metrics": found,
        "blessed_before": baseline_metrics(evaluation_dir),
        "linear_baseline": asdict(linear_baseline),
        "missed_bounds": missed,
    }
    with fileio.open(os.path.join(evaluation_dir, FILE), "w") as file:
        file.write(json.dumps(outcome, indent=2) + "\n")
    return missed


def read(evaluation_dir: str) -> dict[str, Any]:
    """Reads what `write` wrote.

    Returns:
      `metrics` and `blessed_before` as below, `linear_baseline`: LinearBaselineResult as a dict,
      `missed_bounds`: sentences.
    """
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(evaluation_dir, FILE)) as file:
        return json.loads(file.read())


def metrics(evaluation_dir: str) -> dict[str, Any]:
    """The candidate's metrics on the eval split, ready for JSON.

    Args:
      evaluation_dir: what TFX's Evaluator wrote.

    Returns:
      `accuracy`, `macro_f1`, `auc` (with two classes), `loss` (nats), `calibration_error`,
      `example_count`, `accuracy_over_majority`, `confusion_matrix` (rows: labels, columns:
      predictions, in the order of the classes) and `slices`: {slice: {metric: value}} with the
      first six. A value that is not defined, as the AUC of one class, is None.
    """
    return _metrics_by_model(evaluation_dir)[_CANDIDATE]


def baseline_metrics(evaluation_dir: str) -> dict[str, Any] | None:
    """The same of the latest blessed model; None if there was none."""
    return _metrics_by_model(evaluation_dir).get(_BASELINE)


def missed_lead(accuracy: float, linear: float, bound: float) -> list[str]:
    """A sentence if the accuracy is not at least `bound` above the linear baseline's."""
    lead = accuracy - linear
    if lead >= bound - TOLERANCE:
        return []
    size, wanted = _apart(abs(lead), bound)
    stands = f"accuracy {accuracy:.4g} is that of the linear baseline, too"
    if abs(lead) > TOLERANCE:
        value, other = _apart(accuracy, linear)
        side = "below" if lead < 0 else "above"
        stands = f"accuracy {value} is {size} {side} the linear baseline's {other}"
    return [f"{stands} (evaluate.beat_baseline_by: at least {wanted} above)"]


def missed_bounds(evaluation_dir: str) -> list[str]:
    """The bounds that TFX's Evaluator found missed, a sentence each; empty if all hold."""
    import tensorflow_model_analysis as tfma

    result = tfma.load_validation_result(evaluation_dir)
    by_model = _metrics_by_model(evaluation_dir)
    missed = [
        (_name_of_key(validation.slice_key), failure)
        for validation in result.metric_validations_per_slice
        for failure in validation.failures
    ]
    words = {(name, _in_words(name, failure, by_model)) for name, failure in missed}
    missing = [_name_of_spec(spec) for spec in result.missing_slices]
    words |= {
        (name, f"{metric} on {name} has a bound, but eval has no such row")
        for name, metric in _bounded(evaluation_dir)
        if name in missing
    }
    order = _slice_names(evaluation_dir)
    return [sentence for _, sentence in sorted(words, key=lambda w: (order.index(w[0]), w[1]))]


def _in_words(name: str, failure: Any, by_model: dict[str, dict[str, Any]]) -> str:
    """One failed validation of TFMA as a sentence."""
    metric = failure.metric_key.name
    candidate = _values(by_model[_CANDIDATE], name)
    if metric == _MAJORITY:
        accuracy = candidate["accuracy"]
        value, largest = _apart(accuracy, accuracy - candidate[_MAJORITY])
        return f"accuracy {value} is not above always answering the largest class ({largest})"
    where = "" if name == ALL else f" on {name}"
    if candidate[metric] is None:
        return f"{metric}{where} has a bound, but is not defined on these rows, all of one class"
    threshold = failure.metric_threshold
    if threshold.HasField("value_threshold"):
        value, least = _apart(candidate[metric], threshold.value_threshold.lower_bound.value)
        return f"{metric}{where} is {value}, under its bound {least}"
    blessed = _values(by_model[_BASELINE], name)[metric]
    drop, allowed = _apart(blessed - candidate[metric], -threshold.change_threshold.absolute.value)
    value, before = _apart(candidate[metric], blessed)
    return (
        f"{metric} {value}{where} is {drop} below the blessed model's {before} (allowed: {allowed})"
    )


def _apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with 4 significant digits, or as many more as it takes to tell them apart.

    They are rounded to a millionth, which takes away the tolerance that the config gave a bound.
    """
    a, b = round(a, 6), round(b, 6)
    for digits in range(4, 7):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _metrics_by_model(evaluation_dir: str) -> dict[str, dict[str, Any]]:
    import tensorflow_model_analysis as tfma

    names = _slice_names(evaluation_dir)
    classes = len(parse_slice_names(names)[0])
    by_model: dict[str, dict[str, dict[str, Any]]] = {}
    for record in tfma.load_metrics(evaluation_dir):
        for item in record.metric_keys_and_values:
            if not item.key.is_diff:
                slices = by_model.setdefault(item.key.model_name or _CANDIDATE, {})
                values = slices.setdefault(_name_of_key(record.slice_key), {})
                values[item.key.name] = item.value
    return {model: _plain(slices, names, classes) for model, slices in by_model.items()}


def _plain(slices: dict[str, dict[str, Any]], names: list[str], classes: int) -> dict[str, Any]:
    """TFMA's values of all slices as the plain dict that `metrics` describes."""
    entries = {name: _entries(values["confusion_matrix"]) for name, values in slices.items()}
    scalars = {
        name: {
            metric: _scalar(metric, slices[name][metric], entries[name])
            for metric in (*_SCALARS, _MAJORITY)
            if metric in slices[name]
        }
        for name in names
        if name in slices
    }
    matrix = [[entries[ALL].get((i, j), 0) for j in range(classes)] for i in range(classes)]
    overall = {**scalars.pop(ALL), "confusion_matrix": matrix}
    for values in scalars.values():
        del values[_MAJORITY]  # the largest class of a slice is no yardstick
    return {**overall, "slices": scalars}


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


def _values(metrics_of_model: dict[str, Any], name: str) -> dict[str, Any]:
    return metrics_of_model if name == ALL else metrics_of_model["slices"][name]


def _eval_config(evaluation_dir: str) -> Any:
    from tensorflow_model_analysis.writers import eval_config_writer

    return eval_config_writer.load_eval_run(evaluation_dir)[0]


def _slice_names(evaluation_dir: str) -> list[str]:
    return [_name_of_spec(spec) for spec in _eval_config(evaluation_dir).slicing_specs]


def _bounded(evaluation_dir: str) -> list[tuple[str, str]]:
    """All (slice, metric) that have a bound."""
    return [
        (_name_of_spec(threshold.slicing_specs[0]), json.loads(metric.config)["name"])
        for spec in _eval_config(evaluation_dir).metrics_specs
        for metric in spec.metrics
        for threshold in metric.per_slice_thresholds
        if threshold.threshold.ByteSize()
    ]


def _name_of_spec(spec: Any) -> str:
    return spec.feature_values[SLICE] if spec.feature_values else ALL


def _name_of_key(key: Any) -> str:
    parts = key.single_slice_keys
    return parts[0].bytes_value.decode() if parts else ALL
