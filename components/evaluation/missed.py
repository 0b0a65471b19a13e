"""The bounds that a model missed, in words.

TFMA is imported inside, because the command line imports what uses this module.
"""

from typing import Any

from components.evaluation.scores import TOLERANCE
from components.evaluation.slices import ALL
from components.evaluation.values import (
    BASELINE,
    CANDIDATE,
    MAJORITY,
    bounded,
    name_of_key,
    name_of_spec,
    slice_names,
    values_of,
)

FEW_ROWS = 10  # of a class in eval


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


def missed_bounds(evaluation_dir: str, by_model: dict[str, dict[str, Any]]) -> list[str]:
    """The bounds that TFX's Evaluator found missed, a sentence each; empty if all hold.

    Args:
      evaluation_dir: what it wrote.
      by_model: the models' metrics, as `values.plain` returns them.
    """
    import tensorflow_model_analysis as tfma

    result = tfma.load_validation_result(evaluation_dir)
    missed = [
        (name_of_key(validation.slice_key), failure)
        for validation in result.metric_validations_per_slice
        for failure in validation.failures
    ]
    words = {(name, _in_words(name, failure, by_model)) for name, failure in missed}
    missing = [name_of_spec(spec) for spec in result.missing_slices]
    words |= {
        (name, f"{metric} on {name} has a bound, but eval has no such row")
        for name, metric in bounded(evaluation_dir)
        if name in missing
    }
    order = slice_names(evaluation_dir)
    return [sentence for _, sentence in sorted(words, key=lambda w: (order.index(w[0]), w[1]))]


def _in_words(name: str, failure: Any, by_model: dict[str, dict[str, Any]]) -> str:
    """One failed validation of TFMA as a sentence."""
    metric = failure.metric_key.name
    candidate = values_of(by_model[CANDIDATE], name)
    if metric == MAJORITY:
        accuracy = candidate["accuracy"]
        value, largest = _apart(accuracy, accuracy - candidate[MAJORITY])
        missed = f"accuracy {value} is not above always answering the largest class ({largest})"
        return f"{missed}{_few_rows(candidate)}"
    where = "" if name == ALL else f" on {name}"
    if candidate[metric] is None:
        return f"{metric}{where} has a bound, but is not defined on these rows, all of one class"
    threshold = failure.metric_threshold
    if threshold.HasField("value_threshold"):
        value, least = _apart(candidate[metric], threshold.value_threshold.lower_bound.value)
        return f"{metric}{where} is {value}, under its bound {least}"
    blessed = values_of(by_model[BASELINE], name)[metric]
    drop, allowed = _apart(blessed - candidate[metric], -threshold.change_threshold.absolute.value)
    value, before = _apart(candidate[metric], blessed)
    return (
        f"{metric} {value}{where} is {drop} below the blessed model's {before} (allowed: {allowed})"
    )


def _few_rows(candidate: dict[str, Any]) -> str:
    """How many rows of its rarest class eval has, where it is so few that chance decides."""
    rows = [sum(of_class) for of_class in candidate["confusion_matrix"]]
    if min(rows) >= FEW_ROWS:
        return ""
    return (
        f"; eval has {sum(rows)} rows, {min(rows)} of its rarest class: give more of these, or try "
        "train.class_weights=balanced"
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
