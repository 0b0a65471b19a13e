"""What an evaluation says, against values that are computed from the SavedModel's own answers."""

import subprocess
import sys

import numpy as np
import pytest

from components.evaluation import missed, outcome
from components.linear_baseline.result import LinearBaselineResult
from components.settings import Bound, EvaluateSettings

SCALARS = ["accuracy", "macro_f1", "auc", "loss", "calibration_error", "example_count"]

LABELS = ["negative", "positive"]
LONG_GOOD = "the old house by the sea where we stayed was a good one"
ROWS = [
    *[("such a dull day", "negative")] * 4,
    ("dull and once more dull", "negative"),
    ("a good friend", "positive"),
    *[(LONG_GOOD, "positive")] * 2,
    *[("happy birthday", "positive")] * 2,  # which only the blessed model knows
]
CANDIDATE = {"negative": ["dull"], "positive": ["good"]}
BLESSED = {"negative": ["dull"], "positive": ["good", "happy"]}


def slices_of(text: str, label: str) -> set[str]:
    return {"all", f"label={label}", "length=1-10" if len(text.split()) <= 10 else "length=11-20"}


LINEAR = LinearBaselineResult(0.9, 0.85, 10, 100, 90, 7)


def judged(evaluation, model):
    """The outcome of an evaluation without a bound on the lead over the linear baseline."""
    outcome.write(evaluation, str(model), LINEAR, beat_baseline_by=None)
    return outcome.read(evaluation)


def check_values(found, rows, probabilities, labels, by_hand):
    """All values of all slices, against the definitions on the rows of the slice."""
    ids = np.array([labels.index(label) for _, label in rows])
    for name in ["all", *found["slices"]]:
        chosen = np.array([name in slices_of(*row) for row in rows])
        values = found if name == "all" else found["slices"][name]
        expected = by_hand(ids[chosen], probabilities[chosen])
        known = {metric: expected[metric] for metric in SCALARS if metric in expected}
        assert {metric: values[metric] for metric in known} == pytest.approx(known, abs=1e-5)


def test_missed_bounds_against_a_blessed_model(toy, evaluate, by_hand, tmp_path):
    candidate = toy.save_model(tmp_path / "candidate", CANDIDATE)
    blessed = toy.save_model(tmp_path / "blessed", BLESSED, sharpness=2.0)
    settings = EvaluateSettings(
        min_accuracy=0.85,
        max_accuracy_drop=0.02,
        bounds=(
            Bound(metric="macro_f1", slice="label=positive", min=0.9),
            Bound(metric="accuracy", slice="label=positive", min=0.5, max_drop=0.3),
            Bound(metric="auc", slice="length=11-20", min=0.5),
            Bound(metric="macro_f1", slice="length=41+", min=0.65),
            Bound(metric="accuracy", slice="length=41+", max_drop=0.1),
            # These hold, the last three with nothing to spare.
            Bound(metric="macro_f1", min=0.79),
            Bound(metric="auc", min=1.0),
            Bound(metric="accuracy", slice="label=negative", min=1.0, max_drop=0.0),
            Bound(metric="accuracy", slice="label=positive", min=0.6, max_drop=0.4),
        ),
    )
    evaluation = evaluate(settings, LABELS, candidate, ROWS, baseline=blessed)

    judgement = judged(evaluation, candidate)
    assert judgement["missed_bounds"] == [
        "accuracy 0.8 is 0.2 below the blessed model's 1 (allowed: 0.02)",
        "accuracy is 0.8, under its bound 0.85",
        "accuracy 0.6 on label=positive is 0.4 below the blessed model's 1 (allowed: 0.3)",
        "macro_f1 on label=positive is 0.75, under its bound 0.9",
        "auc on length=11-20 has a bound, but is not defined on these rows, all of one class",
        "accuracy on length=41+ has a bound, but eval has no such row",
        "macro_f1 on length=41+ has a bound, but eval has no such row",
    ]
    found = judgement["metrics"]
    assert found["confusion_matrix"] == [[5, 0], [2, 3]]
    assert found["accuracy_over_majority"] == pytest.approx(0.3)
    assert found["macro_f1"] == pytest.approx((10 / 12 + 6 / 8) / 2)
    assert list(found["slices"]) == [
        "label=negative",
        "label=positive",
        "length=1-10",
        "length=11-20",
    ]
    assert list(found["slices"]["length=1-10"]) == [*SCALARS, "intervals"]
    assert found["slices"]["length=11-20"]["auc"] is None
    assert found["slices"]["length=11-20"]["example_count"] == 2
    check_values(found, ROWS, toy.predict(candidate, ROWS), LABELS, by_hand)
    before = judgement["blessed_before"]
    assert before["accuracy"] == 1.0
    check_values(before, ROWS, toy.predict(blessed, ROWS), LABELS, by_hand)


def test_three_classes_against_a_blessed_model_of_other_classes(toy, evaluate, by_hand, tmp_path):
    labels = ["anger", "joy", "fear"]
    rows = [
        *[("he was furious again", "anger")] * 2,
        ("slam the door", "anger"),
        ("so glad to see you", "joy"),
        *[("we danced until the morning", "joy")] * 3,
        *[("something moved in the dark " * 3, "fear")] * 3,
    ]
    words = {"anger": ["furious"], "joy": ["glad", "see"], "fear": ["ghost"]}
    candidate = toy.save_model(tmp_path / "candidate", words)
    older = {"joy": ["glad", "danced", "door", "dark"], "anger": ["furious"]}
    blessed = toy.save_model(tmp_path / "blessed", older)
    evaluation = evaluate(EvaluateSettings(), labels, candidate, rows, baseline=blessed)

    # Without a known word the first class is answered: three joys and all fears are missed.
    judgement = judged(evaluation, candidate)
    found = judgement["metrics"]
    assert found["confusion_matrix"] == [[3, 0, 0], [3, 1, 0], [3, 0, 0]]
    assert "auc" not in found
    check_values(found, rows, toy.predict(candidate, rows), labels, by_hand)
    # As often right as the largest class is, and less than the blessed model, 6 times of 10.
    assert judgement["missed_bounds"] == [
        "accuracy 0.4 is 0.2 below the blessed model's 0.6 (allowed: 0.02)",
        "accuracy 0.4 is not above always answering the largest class (0.4); eval has 10 rows, "
        "3 of its rarest class: give more of these, or try train.class_weights=balanced",
    ]
    # The blessed model knows no fear.
    before = judgement["blessed_before"]
    assert before["confusion_matrix"] == [[2, 1, 0], [0, 4, 0], [0, 3, 0]]
    joy_anger = toy.predict(blessed, rows)
    in_todays_order = np.stack([joy_anger[:, 1], joy_anger[:, 0], np.zeros(10)], axis=1)
    check_values(before, rows, in_todays_order, labels, by_hand)


@pytest.mark.parametrize(
    ("value", "bound", "words"),
    [
        (0.6123456, 0.65, ("0.6123", "0.65")),
        (0.649999, 0.65, ("0.649999", "0.65")),
        (1.0, 0.02, ("1", "0.02")),
        (0.5, 0.5, ("0.5", "0.5")),
        (0.3, 1e-9, ("0.3", "0")),
    ],
)
def test_a_value_never_reads_like_the_bound_that_it_misses(value, bound, words):
    assert missed._apart(value, bound) == words


@pytest.mark.parametrize(
    ("accuracy", "bound", "words"),
    [
        (0.8, 0.0, []),
        (0.82, 0.02, []),
        (0.9, 0.1, []),  # 0.9 - 0.8 is a little less than 0.1 in floating point
        (
            0.79,
            0.0,
            "accuracy 0.79 is 0.01 below the linear baseline's 0.8 "
            "(evaluate.beat_baseline_by: at least 0 above)",
        ),
        (
            0.81,
            0.02,
            "accuracy 0.81 is 0.01 above the linear baseline's 0.8 "
            "(evaluate.beat_baseline_by: at least 0.02 above)",
        ),
        (
            0.8,
            0.02,
            "accuracy 0.8 is that of the linear baseline, too "
            "(evaluate.beat_baseline_by: at least 0.02 above)",
        ),
    ],
)
def test_lead_over_the_linear_baseline(accuracy, bound, words):
    assert missed.missed_lead(accuracy, 0.8, bound) == ([words] if words else [])


def test_what_is_written_is_read(toy, evaluate, tmp_path):
    candidate = toy.save_model(tmp_path / "candidate", CANDIDATE)
    evaluation = evaluate(EvaluateSettings(min_accuracy=0.9), LABELS, candidate, ROWS)
    missed_bounds = outcome.write(evaluation, str(candidate), LINEAR, beat_baseline_by=0.05)
    assert missed_bounds == [
        "accuracy is 0.8, under its bound 0.9",
        "accuracy 0.8 is 0.1 below the linear baseline's 0.9 "
        "(evaluate.beat_baseline_by: at least 0.05 above)",
    ]
    assert outcome.read(evaluation)["missed_bounds"] == missed_bounds
    judgement = judged(evaluation, candidate)
    assert judgement["missed_bounds"] == missed_bounds[:1]
    assert judgement["blessed_before"] is None
    assert judgement["linear_baseline"] == {
        "accuracy": 0.9,
        "macro_f1": 0.85,
        "example_count": 10,
        "train_rows": 100,
        "trained_on": 90,
        "ngrams": 7,
    }


def test_how_sure_the_scores_are(toy, evaluate, tmp_path):
    candidate = toy.save_model(tmp_path / "candidate", CANDIDATE)
    found = judged(evaluate(EvaluateSettings(), LABELS, candidate, ROWS), candidate)["metrics"]
    # 8 of 10 right; 5 of 5 negative; 2 of 2 long ones.
    assert found["intervals"]["accuracy"] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    low, high = found["intervals"]["macro_f1"]
    assert 0.4 < low < found["macro_f1"] < high < 1
    intervals = {name: one["intervals"] for name, one in found["slices"].items()}
    assert intervals["label=negative"] == {"accuracy": pytest.approx([0.5655, 1.0], abs=1e-4)}
    assert intervals["length=11-20"] == {"accuracy": pytest.approx([0.3424, 1.0], abs=1e-4)}
    # Two rows without a known word at 0.5, seven with one at e/(1+e), one with two at e²/(1+e²).
    filled = {bin["low"]: bin for bin in found["reliability"] if bin["rows"]}
    assert [(bin["low"], bin["high"]) for bin in found["reliability"]] == [
        pytest.approx((n / 10, (n + 1) / 10)) for n in range(10)
    ]
    assert filled == {
        0.5: {"low": 0.5, "high": 0.6, "rows": 2, "confidence": 0.5, "accuracy": 0.0},
        0.7: {
            "low": 0.7, "high": 0.8, "rows": 7, "accuracy": 1.0,
            "confidence": pytest.approx(0.731059, abs=1e-6),
        },
        0.8: {
            "low": 0.8, "high": 0.9, "rows": 1, "accuracy": 1.0,
            "confidence": pytest.approx(0.880797, abs=1e-6),
        },
    }  # fmt: skip
    empty = found["reliability"][0]
    assert (empty["rows"], empty["confidence"], empty["accuracy"]) == (0, None, None)


def test_the_module_is_light():
    code = (
        "import sys; import components.evaluation.outcome, components.evaluation.slices;"
        "heavy = {'tensorflow', 'apache_beam', 'tfx', 'tensorflow_model_analysis', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
