"""How long the sentences of each split are, in words, a word being what stands between blanks."""

from collections import Counter
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

LengthCounts = dict[int, int]  # words -> rows

BINS = 25  # at most, besides one for what is exceptionally long
USUAL = 0.99  # share of the rows that the other bins must hold
WIDTHS = (1, 2, 5)  # of a bin, times a power of ten


class LengthHistogram(BaseModel):
    """Rows by length: `rows[i]` have from `edges[i]` up to `edges[i + 1] - 1` words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: list[int]
    rows: list[int]


def histograms(counts: Mapping[str, Mapping[int, int]]) -> dict[str, LengthHistogram]:
    """Histograms of all splits over the same bins, so that they can be compared.

    Bins are equally wide, but the last: it holds all that is longer than nearly all of the rows.

    Args:
      counts: rows by number of words, by split.
    """
    total: Counter[int] = Counter()
    for by_length in counts.values():
        total.update(by_length)
    edges = _edges(total)
    return {
        split: LengthHistogram(
            edges=edges,
            rows=[
                sum(rows for words, rows in by_length.items() if start <= words < end)
                for start, end in zip(edges, edges[1:], strict=False)
            ],
        )
        for split, by_length in counts.items()
    }


def _edges(counts: Mapping[int, int]) -> list[int]:
    if not counts:
        return [1]
    longest, usual = max(counts), _quantile(counts, USUAL)
    width = _width(usual)
    edges = [1 + width * number for number in range(-(-usual // width) + 1)]
    if longest < edges[-1]:
        return edges
    if longest < edges[-1] + width:
        return [*edges, edges[-1] + width]
    return [*edges, longest + 1]


def _quantile(counts: Mapping[int, int], share: float) -> int:
    """The least length that at least this share of the rows does not exceed."""
    reached, needed = 0, share * sum(counts.values())
    for words in sorted(counts):
        reached += counts[words]
        if reached >= needed:
            return words
    raise AssertionError("all rows are no longer than the longest")


def _width(usual: int) -> int:
    """The least handy width with which `BINS` bins reach that far."""
    power = 1
    while True:
        for width in WIDTHS:
            if width * power * BINS >= usual:
                return width * power
        power *= 10
