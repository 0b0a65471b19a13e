"""Words that rose and fell."""

import numpy as np
import pytest

from components.drift.profile import TextProfile
from components.drift.words import COMPARED_WORDS, most_changed, word_changes, word_counts


def sample(words, **others):
    """A profile of which only the words matter."""
    tokens = sum(words.values())
    return TextProfile(10, [], others.get("tokens", tokens), 0, {}, [], words)


def test_log_odds_by_hand():
    """Prior: 500 tokens at the shares of both, that is 250 each for a and b."""
    changes = {
        c.word: c for c in word_changes(sample({"a": 50, "b": 50}), sample({"a": 20, "b": 80}))
    }
    prior = {"a": 500 * 70 / 200, "b": 500 * 130 / 200}
    new, old = 20 + prior["a"], 50 + prior["a"]
    expected = (np.log(new / (600 - new)) - np.log(old / (600 - old))) / np.sqrt(1 / new + 1 / old)
    assert changes["a"].z == pytest.approx(expected)
    assert changes["a"].z < 0 < changes["b"].z
    assert (changes["b"].per_1000, changes["b"].reference_per_1000) == (800, 500)


def test_a_rare_word_stands_below_a_frequent_one():
    old = {"the": 9000, "film": 1000, "dull": 100}
    new = {"the": 9000, "camera": 1000, "dull": 100, "lens": 2}
    rose, fell = most_changed(word_changes(sample(old), sample(new)), 20)
    assert [change.word for change in rose] == ["camera"]
    assert [change.word for change in fell] == ["film"]


def test_at_most_so_many_are_listed():
    old = {f"old{n}": 100 for n in range(9)}
    new = {f"new{n}": 100 + n for n in range(9)}
    rose, fell = most_changed(word_changes(sample(old), sample(new)), 3)
    assert [change.word for change in rose] == ["new8", "new7", "new6"]
    assert len(fell) == 3


def test_rare_words_count_as_one_category():
    old = {f"w{n:04}": 2 for n in range(COMPARED_WORDS)}
    new = {**old, "rare": 1}
    first, second = word_counts(sample(old, tokens=2 * COMPARED_WORDS + 7), sample(new))
    assert len(first) == len(second) == COMPARED_WORDS + 1
    assert (first[-1], second[-1]) == (7, 1)  # the 7 are not among the words that were kept
