"""The verdict: the same kind of text passes, whatever the sample's size; another kind does not."""

import numpy as np
import pytest

from components.drift import labels
from components.drift.profile import AnsweredSentence, profile
from components.drift.settings import DriftSettings
from components.drift.verdict import judge

SETTINGS = DriftSettings()
WORDS = np.array([f"w{n}" for n in range(500)])
SHARES = 1 / np.arange(1, 501)
SHARES /= SHARES.sum()


def text(rows, seed=0, longest=30, unknown=0.05, positive=0.5, confidence=8.0, shares=SHARES):
    """A profile of made-up sentences; `confidence` is a beta distribution's first parameter."""
    random = np.random.default_rng(seed)
    sentences = []
    for length in random.integers(3, longest, size=rows):
        sentences.append(
            AnsweredSentence(
                random.choice(WORDS, size=length, p=shares).tolist(),
                int(random.binomial(length, unknown)),
                "positive" if random.random() < positive else "negative",
                0.5 + random.beta(confidence, 2) / 2,
            )
        )
    return profile(sentences)


REFERENCE = text(800)


def drifted(new, settings=SETTINGS):
    return {measure.name for measure in judge(REFERENCE, new, settings).drifted}


@pytest.mark.parametrize("rows", [200, 500, 4000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_kind_of_text_passes(rows, seed):
    assert drifted(text(rows, seed)) == set()


@pytest.mark.parametrize(
    "change, name",
    [
        ({"longest": 15}, "length"),
        ({"unknown": 0.25}, "unknown"),
        ({"positive": 0.99}, "labels"),
        ({"confidence": 1.0}, "confidence"),
        ({"shares": SHARES[::-1]}, "words"),
    ],
)
def test_what_differs_is_named(change, name):
    assert drifted(text(1000, 1, **change)) == {name}


def test_thresholds_come_from_the_settings():
    new = text(1000, 1, unknown=0.25)
    assert drifted(new, DriftSettings(unknown=0.5)) == set()
    assert drifted(text(1000, 1, positive=0.65)) == set()
    assert drifted(text(1000, 1, positive=0.65), DriftSettings(labels=0.05)) == {"labels"}


def test_too_small_a_reference_is_not_judged():
    verdict = judge(text(199, 1), text(1000, 1), SETTINGS)
    assert str(verdict) == (
        "not judged: 199 sentences in the reference, the eval split, drift.min_rows is 200"
    )


@pytest.mark.parametrize("rows", [0, 1, 199])
def test_too_few_rows_are_not_judged(rows):
    verdict = judge(REFERENCE, text(rows, 1, longest=5), SETTINGS)
    assert not verdict.judged
    assert str(verdict) == f"not judged: {rows} new sentences, drift.min_rows is 200"
    assert verdict.as_dict()["drifted"] is None


def test_a_small_reference_is_not_judged_by():
    assert not judge(text(50), text(1000, 1), SETTINGS).judged


def test_the_line_says_what_was_measured_and_allowed():
    line = str(judge(REFERENCE, text(1000, 1, unknown=0.25), SETTINGS))
    assert line.startswith("drift: unknown 0.2")
    assert "(allowed: 0.03 over the 0.0" in line
    assert line.endswith(", in 1,000 sentences")
    assert str(judge(REFERENCE, text(1000, 1), SETTINGS)) == "no drift, in 1,000 sentences"


def test_all_measures_are_in_the_json():
    values = judge(REFERENCE, text(1000, 1), SETTINGS).as_dict()
    assert values["drifted"] is False
    assert list(values["measures"]) == ["length", "unknown", "labels", "confidence", "words"]
    assert values["measures"]["length"].keys() == {"value", "chance", "threshold", "drifted"}


def test_sentences_without_a_token_are_text_too():
    empty = profile([AnsweredSentence([], 0, "positive", 0.9)] * 300)
    assert "length" in drifted(empty)


def test_tfdv_measures_the_mix_of_labels():
    assert labels.label_distance({"a": 50, "b": 50}, {"a": 90, "b": 10}) == pytest.approx(0.4)
    assert labels.label_distance({"a": 7}, {"a": 70}) == 0
    assert labels.label_distance({"a": 7}, {"b": 7}) == 1


def test_the_schema_has_the_threshold():
    assert labels.schema_threshold() == pytest.approx(0.3)
