"""Whether new text differs from the reference: measured, held to thresholds, in words."""

from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from components.drift.distances import (
    Distance,
    by_chance,
    jensen_shannon,
    kolmogorov_smirnov,
    l_infinity,
)
from components.drift.profile import TextProfile
from components.drift.settings import DriftSettings
from components.drift.words import WordChange, most_changed, word_changes, word_counts


@dataclass(frozen=True)
class Measure:
    """A distance between the new sample and the reference."""

    name: str  # that of its threshold in DriftSettings
    value: float
    chance: float  # what it stays below by chance, see `distances.by_chance`
    threshold: float  # for what is over `chance`

    @property
    def drifted(self) -> bool:
        """Whether more than chance and the threshold explain was measured."""
        return self.value > self.chance + self.threshold

    def __str__(self) -> str:
        return (
            f"{self.name} {self.value:.3f} (allowed: {self.threshold:g} over the "
            f"{self.chance:.3f} that chance explains)"
        )


@dataclass(frozen=True)
class Verdict:
    """The outcome of a comparison. Too few rows are not judged: no measures, no words."""

    rows: int
    reference_rows: int
    min_rows: int
    measures: list[Measure] = field(default_factory=list)
    rose: list[WordChange] = field(default_factory=list)
    fell: list[WordChange] = field(default_factory=list)

    @property
    def judged(self) -> bool:
        """Whether there were rows enough."""
        return bool(self.measures)

    @property
    def drifted(self) -> list[Measure]:
        """The measures that are over their thresholds."""
        return [measure for measure in self.measures if measure.drifted]

    def __str__(self) -> str:
        """In one line."""
        if not self.judged:
            few = f"{self.rows:,} new sentences"
            if self.reference_rows < self.min_rows:
                few = f"{self.reference_rows:,} sentences in the reference, the eval split"
            return f"not judged: {few}, drift.min_rows is {self.min_rows:,}"
        found = "; ".join(map(str, self.drifted))
        return f"{f'drift: {found}' if found else 'no drift'}, in {self.rows:,} sentences"

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "drifted": bool(self.drifted) if self.judged else None,
            "rows": self.rows,
            "reference_rows": self.reference_rows,
            "min_rows": self.min_rows,
            "measures": {
                measure.name: {
                    "value": round(measure.value, 6),
                    "chance": round(measure.chance, 6),
                    "threshold": measure.threshold,
                    "drifted": measure.drifted,
                }
                for measure in self.measures
            },
            "rose": [asdict(change) for change in self.rose],
            "fell": [asdict(change) for change in self.fell],
        }


def judge(reference: TextProfile, new: TextProfile, settings: DriftSettings) -> Verdict:
    """Compares a new sample with the reference.

    Args:
      reference: profile of the eval split that the model was evaluated on.
      new: profile of what the model was asked since.
      settings: thresholds, and below how many rows in either sample nothing is judged.
    """
    sizes = (new.rows, reference.rows, settings.min_rows)
    if min(new.rows, reference.rows) < settings.min_rows:
        return Verdict(*sizes)
    rose, fell = most_changed(word_changes(reference, new), settings.listed_words)
    return Verdict(*sizes, _measures(reference, new, settings), rose, fell)


def _measures(reference: TextProfile, new: TextProfile, settings: DriftSettings) -> list[Measure]:
    from components.drift.labels import label_distance, schema_threshold  # TFDV: many seconds

    def measure(
        name: str, distance: Distance, counts: tuple[np.ndarray, np.ndarray], threshold: float
    ) -> Measure:
        value = float(distance(*counts))
        return Measure(name, value, by_chance(distance, *counts), threshold)

    labels = _aligned(
        *([of.labels.get(label, 0) for label in sorted({*reference.labels, *new.labels})]
          for of in (reference, new))
    )  # fmt: skip
    return [
        measure(
            "length",
            kolmogorov_smirnov,
            _aligned(reference.lengths, new.lengths),
            settings.length,
        ),
        measure("unknown", l_infinity, (_known(reference), _known(new)), settings.unknown),
        Measure(
            "labels",
            label_distance(reference.labels, new.labels),
            by_chance(l_infinity, *labels),
            schema_threshold() if settings.labels is None else settings.labels,
        ),
        measure(
            "confidence",
            kolmogorov_smirnov,
            _aligned(reference.confidences, new.confidences),
            settings.confidence,
        ),
        measure("words", jensen_shannon, word_counts(reference, new), settings.words),
    ]


def _known(sample: TextProfile) -> np.ndarray:
    return np.array([sample.tokens - sample.unknown, sample.unknown])


def _aligned(first: list[int], second: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Two histograms of the same bins, the last of which may be lacking where they are empty."""
    one, other = np.array(list(zip_longest(first, second, fillvalue=0))).T
    return one, other
