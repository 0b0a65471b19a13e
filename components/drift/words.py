"""Which words became more and less frequent, and by how much the words differ in all."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components.drift.profile import TextProfile

COMPARED_WORDS = 1000  # most frequent ones in both samples together; the others count as one
PRIOR_TOKENS = 500  # weight of the prior, as a number of tokens
Z_SIGNIFICANT = 1.96


@dataclass(frozen=True)
class WordChange:
    """A word's frequency in two samples."""

    word: str
    z: float  # log-odds ratio in standard errors; positive: rose
    per_1000: float  # tokens, in the new sample
    reference_per_1000: float


def word_counts(reference: TextProfile, new: TextProfile) -> tuple[np.ndarray, np.ndarray]:
    """The counts to compare two samples by.

    Returns:
      For each sample int64 [categories]: the words most frequent in both together, then all others
      as one category.
    """
    pooled = _pooled(reference.words, new.words)
    words = sorted(pooled, key=lambda word: (-pooled[word], word))[:COMPARED_WORDS]
    first, second = (_counts(sample, words) for sample in (reference, new))
    return first, second


def word_changes(reference: TextProfile, new: TextProfile) -> list[WordChange]:
    """How the words changed, from the one that rose most to the one that fell most.

    Monroe, Colaresi & Quinn, Fightin' Words, 2008: log-odds ratios with an informative Dirichlet
    prior, which keeps a word that occurs twice from standing above one that occurs a thousand
    times. The prior is what both samples have in common: their words taken together.

    Args:
      reference, new: at least one of them has a token.
    """
    pooled = _pooled(reference.words, new.words)
    words = sorted(pooled)
    total = reference.tokens + new.tokens
    prior = PRIOR_TOKENS * np.array([pooled[word] for word in words]) / total  # [words]
    log_odds, variance = [], []
    for sample in (reference, new):
        counts = np.array([sample.words.get(word, 0) for word in words]) + prior
        log_odds.append(np.log(counts / (sample.tokens + PRIOR_TOKENS - counts)))
        variance.append(1 / counts)
    z = (log_odds[1] - log_odds[0]) / np.sqrt(variance[0] + variance[1])
    return [
        WordChange(
            words[index],
            float(z[index]),
            _per_1000(new, words[index]),
            _per_1000(reference, words[index]),
        )
        for index in np.argsort(-z, kind="stable")
    ]


def most_changed(changes: list[WordChange], most: int) -> tuple[list[WordChange], list[WordChange]]:
    """The words that rose and that fell most, at most so many each, those of chance left out."""
    rose = [change for change in changes[:most] if change.z > Z_SIGNIFICANT]
    fell = [change for change in changes[::-1][:most] if change.z < -Z_SIGNIFICANT]
    return rose, fell


def _pooled(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {word: first.get(word, 0) + second.get(word, 0) for word in {*first, *second}}


def _counts(sample: TextProfile, words: list[str]) -> np.ndarray:
    counts = [sample.words.get(word, 0) for word in words]
    return np.array([*counts, sample.tokens - sum(counts)])


def _per_1000(sample: TextProfile, word: str) -> float:
    return 1000 * sample.words.get(word, 0) / max(sample.tokens, 1)
