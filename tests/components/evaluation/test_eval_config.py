"""From the settings to TFMA's configuration."""

import pytest

from components.errors import UsageError
from components.evaluation.config import eval_config
from components.settings import Bound, EvaluateSettings

TWO, THREE = ["negative", "positive"], ["a", "b", "c"]


def thresholds(settings: EvaluateSettings, labels=TWO) -> list[tuple]:
    """(metric class, slice, least value, least change) of everything that is bounded."""
    found = []
    for spec in eval_config(settings, labels).metrics_specs:
        for metric in spec.metrics:
            for bound in metric.per_slice_thresholds:
                [slicing] = bound.slicing_specs
                name = slicing.feature_values["slice"] if slicing.feature_values else "all"
                threshold = bound.threshold
                value = threshold.value_threshold.lower_bound.value
                change = threshold.change_threshold.absolute.value
                least = value if threshold.HasField("value_threshold") else None
                drop = change if threshold.HasField("change_threshold") else None
                found.append((metric.class_name, name, least, drop))
    return found


def approx(*values):
    return tuple(pytest.approx(v, abs=2e-9) if isinstance(v, float) else v for v in values)


def test_by_default_the_majority_must_be_beaten_and_accuracy_may_drop_by_two_percent():
    found = thresholds(EvaluateSettings())
    assert found == [
        approx("Accuracy", "all", None, -0.02),
        approx("AccuracyOverMajority", "all", 0.0, None),
    ]
    assert found[1][2] > 0  # equal is not enough


def test_a_least_accuracy_takes_the_place_of_the_majority():
    settings = EvaluateSettings(min_accuracy=0.8, max_accuracy_drop=None)
    assert thresholds(settings) == [approx("Accuracy", "all", 0.8, None)]


def test_bounds_of_all_kinds():
    settings = EvaluateSettings(
        min_accuracy=0.8,
        max_accuracy_drop=None,
        bounds=(
            Bound(metric="macro_f1", slice="length=41+", min=0.65),
            Bound(metric="accuracy", slice="label=positive", min=0.7, max_drop=0.05),
            Bound(metric="auc", max_drop=0.01),
        ),
    )
    assert thresholds(settings) == [
        approx("Accuracy", "label=positive", 0.7, -0.05),
        approx("Accuracy", "all", 0.8, None),
        approx("MacroF1", "length=41+", 0.65, None),
        approx("AUC", "all", None, -0.01),
    ]


def test_slices_are_all_labels_in_their_order_and_lengths():
    config = eval_config(EvaluateSettings(length_buckets=(5,)), ["z", "10", "a"])
    names = [dict(spec.feature_values) for spec in config.slicing_specs]
    assert names == [
        {},
        {"slice": "label=z"},
        {"slice": "label=10"},
        {"slice": "label=a"},
        {"slice": "length=1-5"},
        {"slice": "length=6+"},
    ]


def test_auc_is_of_the_second_of_two_classes_only():
    *_, auc = eval_config(EvaluateSettings(), TWO).metrics_specs
    assert [metric.class_name for metric in auc.metrics] == ["AUC"]
    assert list(auc.binarize.class_ids.values) == [1]
    assert len(eval_config(EvaluateSettings(), THREE).metrics_specs) == 1


def test_the_examples_signature_is_evaluated():
    [model] = eval_config(EvaluateSettings(), TWO).model_specs
    assert (model.signature_name, model.model_type) == ("examples", "tf_generic")


def test_bounds_that_cannot_be_checked_are_refused():
    with pytest.raises(UsageError, match="no slice 'label=c'"):
        eval_config(
            EvaluateSettings(bounds=(Bound(metric="accuracy", slice="label=c", min=0.1),)), TWO
        )
