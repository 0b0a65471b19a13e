"""The most confident mistakes, out of a real TFMA run and out of the combiner alone."""

import numpy as np
import pytest

from components.evaluation import outcome
from components.linear_baseline.result import LinearBaselineResult
from components.settings import EvaluateSettings

LABELS = ["negative", "positive"]
WORDS = {"negative": ["dull", "bad"], "positive": ["good"]}
LINEAR = LinearBaselineResult(0.9, 0.85, 10, 100, 90, 7)


@pytest.mark.parametrize("with_blessed_model", [False, True])
def test_mistakes_of_the_candidate_by_confidence(toy, evaluate, tmp_path, with_blessed_model):
    candidate = toy.save_model(tmp_path / "candidate", WORDS)
    rows = [
        ("good good good, they said: <b>it's</b> dull", "negative"),
        ("dull and bad and what not", "positive"),
        ("bad", "positive"),
        *[("such a good day", "positive")] * 30,
    ]
    blessed = None
    if with_blessed_model:  # it makes other mistakes
        reverse = {"negative": ["good"], "positive": ["bad"]}
        blessed = toy.save_model(tmp_path / "blessed", reverse)
    evaluation = evaluate(EvaluateSettings(), LABELS, candidate, rows, baseline=blessed)
    outcome.write(evaluation, str(candidate), LINEAR, beat_baseline_by=None)
    assert outcome.read(evaluation)["mistakes"] == [
        {
            "text": "dull and bad and what not",
            "label": "positive",
            "predicted": "negative",
            "probability": pytest.approx(0.880797, abs=1e-6),
            "unknown": ["and", "what", "not"],
        },
        {
            # `good,` is not the toy's word; the vocabulary knows the tokens that the text has.
            "text": "good good good, they said: <b>it's</b> dull",
            "label": "negative",
            "predicted": "positive",
            "probability": pytest.approx(0.731059, abs=1e-6),
            "unknown": [",", "they", "said", ":", "<", "b", ">", "it", "'s", "/"],
        },
        {
            "text": "bad",
            "label": "positive",
            "predicted": "negative",
            "probability": pytest.approx(0.731059, abs=1e-6),
            "unknown": [],
        },
    ]


@pytest.fixture
def combine():
    """Runs the combiner over (text, label, probabilities), spread over some accumulators."""
    from tensorflow_model_analysis.metrics import metric_types

    from components.evaluation.config import eval_config
    from components.evaluation.mistakes import KEPT, Mistakes, parse

    config = eval_config(EvaluateSettings(), LABELS)
    [computation] = Mistakes().computations(eval_config=config)

    def combine(rows, accumulators):
        combiner = computation.combiner
        parts = [combiner.create_accumulator() for _ in range(accumulators)]
        for number, (text, label, probabilities) in enumerate(rows):
            inputs = metric_types.StandardMetricInputs(
                label=np.array([label]),
                prediction=np.array(probabilities, np.float32),
                example_weight=None,
                features={"text": np.array([text.encode()], object)},
            )
            part = number % accumulators
            parts[part] = combiner.add_input(parts[part], inputs)
            assert len(parts[part]) <= KEPT
        [value] = combiner.extract_output(combiner.merge_accumulators(parts)).values()
        return parse(value)

    return combine


def test_the_most_confident_are_kept_however_the_rows_are_spread(combine):
    rows = [(f"row {n:03}", n % 2, [0.5 + n / 1000, 0.5 - n / 1000]) for n in range(400)]
    expected = [f"row {n:03}".encode() for n in range(399, 360, -2)]  # those of label 1
    for accumulators in (1, 7):
        found = combine(rows, accumulators)
        assert [text for _, text, _, _ in found] == expected
        assert {(label, predicted) for _, _, label, predicted in found} == {(1, 0)}
        assert found[0][0] == pytest.approx(0.899)
    assert combine(list(reversed(rows)), 3) == combine(rows, 1)


def test_equally_confident_ones_do_not_depend_on_the_order(combine):
    rows = [(f"row {n:02}", 0, [0.25, 0.75]) for n in range(50)]
    assert combine(rows, 4) == combine(list(reversed(rows)), 3)


def test_no_prediction_is_no_mistake(combine):
    assert combine([("a", 1, [0.0, 0.0])], 1) == []
