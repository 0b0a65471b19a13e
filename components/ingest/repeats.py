"""Sentences that stand in the data several times, or with several labels: an estimate.

Bottom-k sampling: of the different sentences those with the smallest digests. Digests are even, so
these are an even sample, whose rows are all counted; the samples of several files merge into that
of their union. Up to k different sentences the sample is all of them.
Source: Cohen and Kaplan, "Summarizing Data using Bottom-k Sketches", PODC 2007.
"""

import heapq
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

SAMPLED = 500  # sentences: a share is right within 4 points, 19 times of 20
NOTABLE = 0.05  # share from where on it is told

Sample = dict[str, dict[str, int]]  # rows by digest, in hexadecimal, and label


class SentenceSample:
    """The sample of the sentences that were added."""

    def __init__(self, size: int = SAMPLED):
        self._size = size
        self._rows: dict[bytes, dict[str, int]] = {}
        self._digests: list[_Greatest] = []  # a heap, the greatest digest first

    def add(self, digest: bytes, label: str, rows: int = 1) -> None:
        """Counts rows of a sentence; `digest` is `splitting.text_digest` of it."""
        labels = self._rows.get(digest)
        if labels is None:
            if len(self._digests) < self._size:
                heapq.heappush(self._digests, _Greatest(digest))
            elif digest < self._digests[0].digest:
                out = heapq.heapreplace(self._digests, _Greatest(digest))
                del self._rows[out.digest]
            else:
                return
            labels = self._rows[digest] = {}
        labels[label] = labels.get(label, 0) + rows

    def counts(self) -> Sample:
        """What has been counted, for JSON."""
        return {digest.hex(): labels for digest, labels in self._rows.items()}


class _Greatest:
    """Turns the order of digests round, for a heap."""

    __slots__ = ("digest",)

    def __init__(self, digest: bytes):
        self.digest = digest

    def __lt__(self, other: "_Greatest") -> bool:
        return self.digest > other.digest


class Repeats(BaseModel):
    """What the sample says of the data."""

    model_config = ConfigDict(frozen=True)

    sentences: int  # different ones in the sample
    rows: int  # in which they stand
    contradictory: int  # sentences of them with more than one label

    def in_words(self) -> list[str]:
        """What is notable, a line each."""
        shares = [
            (self.rows - self.sentences, self.rows, "rows repeat the sentence of another row"),
            (self.contradictory, self.sentences, "sentences stand there with several labels"),
        ]
        return [
            f"about {100 * part / whole:.0f} % of the {what}"
            for part, whole, what in shares
            if part and part >= NOTABLE * whole
        ]


def merged(samples: Iterable[Mapping[str, Mapping[str, int]]]) -> Repeats:
    """What the samples of several files say of all of them."""
    union = SentenceSample()
    for sample in samples:
        for digest, labels in sample.items():
            for label, rows in labels.items():
                union.add(bytes.fromhex(digest), label, rows)
    counted = list(union.counts().values())
    return Repeats(
        sentences=len(counted),
        rows=sum(sum(labels.values()) for labels in counted),
        contradictory=sum(len(labels) > 1 for labels in counted),
    )
