"""The profile of a text sample: what is compared, and small enough to lie beside a model.

The profile of the eval split is the reference. Not train's: the network has learnt train by heart,
so it is surer there than of any new sentence, and knows every word of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

CONFIDENCE_BINS = 20  # of equal width, from 0 to 1
MOST_WORDS = 10_000  # that are kept, the most frequent ones


@dataclass(frozen=True)
class AnsweredSentence:
    """A sentence as the model reads it, and its answer."""

    tokens: Sequence[str]  # at most as many as the model reads
    unknown: int  # how many of them its vocabulary lacks
    label: str
    confidence: float  # probability of the label


@dataclass(frozen=True)
class TextProfile:
    """Counts over the sentences of a sample."""

    rows: int
    lengths: list[int]  # rows with as many tokens as the index says
    tokens: int
    unknown: int  # tokens that the vocabulary lacks
    labels: dict[str, int]  # rows by the label that the model gave
    confidences: list[int]  # rows by bin
    words: dict[str, int]  # tokens by word, known or not; the most frequent first

    def to_json(self) -> str:
        """As one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "TextProfile":
        """The inverse of `to_json`.

        Raises:
          ValueError: this is no profile.
        """
        values = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or values.keys() != names:
            raise ValueError(f"expected an object of {', '.join(sorted(names))}")
        return cls(**values)


def profile(sentences: Iterable[AnsweredSentence]) -> TextProfile:
    """Counts a sample in one pass."""
    lengths: Counter[int] = Counter()
    labels: Counter[str] = Counter()
    confidences: Counter[int] = Counter()
    words: Counter[str] = Counter()
    unknown = 0
    for sentence in sentences:
        lengths[len(sentence.tokens)] += 1
        labels[sentence.label] += 1
        confidences[_bin(sentence.confidence)] += 1
        words.update(sentence.tokens)
        unknown += sentence.unknown
    return TextProfile(
        rows=lengths.total(),
        lengths=[lengths[n] for n in range(max(lengths, default=0) + 1)],
        tokens=words.total(),
        unknown=unknown,
        labels=dict(labels),
        confidences=[confidences[n] for n in range(CONFIDENCE_BINS)],
        words=dict(words.most_common(MOST_WORDS)),
    )


def _bin(confidence: float) -> int:
    return min(int(confidence * CONFIDENCE_BINS), CONFIDENCE_BINS - 1)
