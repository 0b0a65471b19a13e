"""From the settings to TFMA's EvalConfig: what is measured, on which slices, with which bounds."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from google.protobuf.wrappers_pb2 import BoolValue, DoubleValue
from tensorflow_model_analysis.constants import TF_GENERIC
from tensorflow_model_analysis.proto import config_pb2 as pb

from components.evaluation.scores import CONFUSION_THRESHOLD, TOLERANCE
from components.evaluation.slices import ALL, SLICE, check_bounds, slice_names
from components.evaluation.values import MISTAKES, RELIABILITY
from components.settings import Bound, EvaluateSettings
from schema import features

METRICS = "components.evaluation.metrics"

Thresholds = list[pb.PerSliceMetricThreshold]


def eval_config(settings: EvaluateSettings, labels: Sequence[str]) -> pb.EvalConfig:
    """Builds the configuration of TFMA's evaluation.

    It names one model. TFX's Evaluator makes it candidate and baseline when there is a blessed
    model, and drops the bounds against the blessed model when there is none.

    Args:
      settings: what a model must reach to be blessed.
      labels: the classes, in the model's order.

    Raises:
      UsageError: see `check_bounds`.
    """
    check_bounds(settings, labels)
    bounds = _bounds(settings)
    specs = [
        pb.MetricsSpec(
            metrics=[
                _metric("example_count", "ExampleCount", []),
                _metric(
                    "confusion_matrix",
                    "MultiClassConfusionMatrixAtThresholds",
                    [],
                    thresholds=[CONFUSION_THRESHOLD],
                ),
                _metric("accuracy", f"{METRICS}.Accuracy", bounds["accuracy"]),
                _metric("macro_f1", f"{METRICS}.MacroF1", bounds["macro_f1"]),
                _metric("loss", f"{METRICS}.Loss", []),
                _metric("calibration_error", f"{METRICS}.CalibrationError", []),
                _metric(RELIABILITY, f"{METRICS}.Reliability", []),
                _metric(MISTAKES, "components.evaluation.mistakes.Mistakes", []),
                _metric(
                    "accuracy_over_majority",
                    f"{METRICS}.AccuracyOverMajority",
                    bounds["accuracy_over_majority"],
                ),
            ]
        )
    ]
    if len(labels) == 2:
        specs.append(
            pb.MetricsSpec(
                metrics=[_metric("auc", "AUC", bounds["auc"])],
                binarize=pb.BinarizationOptions(class_ids={"values": [1]}),
            )
        )
    names = [ALL, *slice_names(labels, settings.length_buckets)]
    return pb.EvalConfig(
        model_specs=[
            # Without its type, TFMA first tries to load the model as a Keras one.
            pb.ModelSpec(model_type=TF_GENERIC, signature_name=features.EXAMPLES_SIGNATURE)
        ],
        slicing_specs=[_slicing_spec(name) for name in names],
        metrics_specs=specs,
        options=pb.Options(include_default_metrics=BoolValue(value=False)),
    )


def _metric(name: str, metric: str, bounds: Thresholds, **arguments: Any) -> pb.MetricConfig:
    """One metric, our own by its path or TFMA's by its name."""
    module, _, class_name = metric.rpartition(".")
    return pb.MetricConfig(
        class_name=class_name,
        module=module,
        config=json.dumps({"name": name, **arguments}),
        per_slice_thresholds=bounds,
    )


def _bounds(settings: EvaluateSettings) -> dict[str, Thresholds]:
    """The thresholds by metric, none for a metric that is not bounded."""
    bounds = list(settings.bounds)
    if settings.max_accuracy_drop is not None:
        bounds.append(Bound(metric="accuracy", max_drop=settings.max_accuracy_drop))
    if settings.min_accuracy is not None:
        bounds.append(Bound(metric="accuracy", min=settings.min_accuracy))
    thresholds: dict[str, Thresholds] = defaultdict(list)
    for bound in bounds:
        thresholds[bound.metric].append(_threshold(bound))
    if settings.min_accuracy is None:
        # More than 0: a lead is at least one row of all rows, which is more than TOLERANCE.
        lead = pb.MetricThreshold(value_threshold=_at_least(TOLERANCE))
        thresholds["accuracy_over_majority"].append(_on_slice(ALL, lead))
    return thresholds


def _threshold(bound: Bound) -> pb.PerSliceMetricThreshold:
    threshold = pb.MetricThreshold()
    if bound.min is not None:
        threshold.value_threshold.CopyFrom(_at_least(bound.min - TOLERANCE))
    if bound.max_drop is not None:
        threshold.change_threshold.absolute.value = -bound.max_drop - TOLERANCE
        threshold.change_threshold.direction = pb.HIGHER_IS_BETTER
    return _on_slice(bound.slice, threshold)


def _at_least(value: float) -> pb.GenericValueThreshold:
    return pb.GenericValueThreshold(lower_bound=DoubleValue(value=value))


def _on_slice(name: str, threshold: pb.MetricThreshold) -> pb.PerSliceMetricThreshold:
    return pb.PerSliceMetricThreshold(slicing_specs=[_slicing_spec(name)], threshold=threshold)


def _slicing_spec(name: str) -> pb.SlicingSpec:
    return pb.SlicingSpec(feature_values={} if name == ALL else {SLICE: name})
