"""Profiles: what is counted, and that they come back from JSON as they were."""

import pytest

from components.drift.profile import AnsweredSentence, TextProfile, profile

SENTENCES = [
    AnsweredSentence(["a", "good", "film"], 0, "positive", 0.99),
    AnsweredSentence(["a", "zzz"], 1, "negative", 0.5),
    AnsweredSentence([], 0, "negative", 1.0),
    AnsweredSentence(["a"], 0, "negative", 0.549),
]


def test_what_is_counted():
    found = profile(SENTENCES)
    assert (found.rows, found.tokens, found.unknown) == (4, 6, 1)
    assert found.lengths == [1, 1, 1, 1]
    assert found.labels == {"positive": 1, "negative": 3}
    assert {n: count for n, count in enumerate(found.confidences) if count} == {10: 2, 19: 2}
    assert found.words == {"a": 3, "good": 1, "film": 1, "zzz": 1}


def test_json_brings_it_back():
    found = profile(SENTENCES)
    assert TextProfile.from_json(found.to_json()) == found


@pytest.mark.parametrize("text", ["", "[]", '{"rows": 3}', "{"])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError):
        TextProfile.from_json(text)


def test_no_sentences():
    assert profile([]).rows == 0
