"""TFMA's values, ours and its own, against their definitions computed with numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import features

LABELS = ["first", "second", "third"]


@pytest.fixture(scope="module")
def tfma_values():
    """Runs the combiners of an eval config over rows, without Beam: {metric name: value}."""
    from tensorflow_model_analysis.metrics import metric_specs, metric_types

    from components.evaluation.config import eval_config
    from components.settings import EvaluateSettings

    def values(ids, probabilities):
        labels = LABELS[: probabilities.shape[1]]
        config = eval_config(EvaluateSettings(), labels)
        found = {}
        computations = metric_specs.to_computations(config.metrics_specs, eval_config=config)
        for computation in computations:
            if isinstance(computation, metric_types.MetricComputation):
                combine(computation.combiner, ids, probabilities, found)
        for computation in computations:
            if isinstance(computation, metric_types.DerivedMetricComputation):
                found.update(computation.result(found))
        return {key.name: value for key, value in found.items()}

    def combine(combiner, ids, probabilities, found):
        accumulators = [combiner.create_accumulator() for _ in range(3)]
        for row, (label, row_probabilities) in enumerate(zip(ids, probabilities, strict=True)):
            inputs = metric_types.StandardMetricInputs(
                label=np.array([label]),
                prediction=row_probabilities,
                example_weight=None,
                features={features.TEXT: np.array([f"row {row}".encode()], object)},
            )
            accumulators[row % 3] = combiner.add_input(accumulators[row % 3], inputs)
        found.update(combiner.extract_output(combiner.merge_accumulators(accumulators)))

    return values


def test_two_classes_literally(tfma_values):
    ids = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5], [0.0, 1.0]], np.float32)
    found = tfma_values(ids, probabilities)
    assert found["example_count"] == 4
    assert found["accuracy"] == 0.5  # the tie goes to the first class
    assert found["accuracy_over_majority"] == 0.0
    assert found["macro_f1"] == pytest.approx(0.5)  # 2*1/(2+2) for both
    assert found["auc"] == pytest.approx(0.75)  # 0.5 beats one of two, 1.0 both
    assert found["loss"] == pytest.approx((np.log(4 / 3) + np.log(4) + np.log(2)) / 4)
    # Bins 7: |0.75 + 0.75 - 1|; 5: |0.5 - 0|; 9: |1 - 1|.
    assert found["calibration_error"] == pytest.approx(1 / 4)


def test_three_classes_literally(tfma_values):
    ids = np.array([0, 1, 2, 2])
    probabilities = np.array(
        [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], np.float32
    )
    found = tfma_values(ids, probabilities)
    assert found["accuracy"] == 0.75
    assert found["accuracy_over_majority"] == 0.25
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    assert found["loss"] == pytest.approx(-np.log([0.6, 0.7, 0.1, 0.8]).mean(), abs=1e-6)
    # Bins 6: |0.6 - 1|; 7 (float32's 0.7 is just below: 6): 0.3 more; 8: |0.8 + 0.8 - 1|.
    assert found["calibration_error"] == pytest.approx((0.4 + 0.3 + 0.6) / 4, abs=1e-6)
    assert "auc" not in found


def test_a_sure_mistake_has_a_finite_loss(tfma_values):
    found = tfma_values(np.array([0]), np.array([[0.0, 1.0]], np.float32))
    assert found["loss"] == pytest.approx(-np.log(1e-7))


def test_predictions_are_left_as_they_are(tfma_values):
    probabilities = np.array([[0.5, 0.25], [0.125, 0.5]], np.float32)  # sums are not 1
    tfma_values(np.array([0, 1]), probabilities)
    assert probabilities.tolist() == [[0.5, 0.25], [0.125, 0.5]]


@st.composite
def scored_rows(draw):
    """Rows with probabilities in hundredths: TFMA's AUC tells scores apart by 1/10000."""
    classes = draw(st.integers(2, 3))
    weights = st.lists(st.integers(0, 50), min_size=classes, max_size=classes).filter(any)
    rows = draw(st.lists(st.tuples(st.integers(0, classes - 1), weights), min_size=1, max_size=40))
    parts = np.array([row for _, row in rows], np.float64)
    hundredths = np.round(parts / parts.sum(axis=1, keepdims=True), 2)
    hundredths[:, 0] = 1 - hundredths[:, 1:].sum(axis=1)
    return np.array([label for label, _ in rows]), np.clip(hundredths, 0, 1).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(rows=scored_rows())
def test_values_equal_their_definitions(tfma_values, by_hand, rows):
    ids, probabilities = rows
    found = tfma_values(ids, probabilities)
    expected = by_hand(ids, probabilities)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    counts = found["confusion_matrix"][0.0]
    for (actual, predicted), count in counts.items():
        assert count == np.sum((ids == actual) & (probabilities.argmax(axis=1) == predicted))
    assert sum(counts.values()) == len(ids)


def test_auc_of_arbitrary_scores_is_within_a_thousandth(tfma_values, by_hand):
    random = np.random.default_rng(7)
    second = random.random(2000).astype(np.float32)
    ids = (random.random(2000) < second).astype(np.int64)
    probabilities = np.stack([1 - second, second], axis=1)
    expected = by_hand(ids, probabilities)["auc"]
    assert tfma_values(ids, probabilities)["auc"] == pytest.approx(expected, abs=1e-3)
