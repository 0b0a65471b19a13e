"""Scores from counts: accuracy, its lead over the largest class, macro F1, calibration error."""

from collections.abc import Mapping, Sequence

# (class of the label, class of the prediction) -> number of rows; a prediction of -1 is none.
ConfusionCounts = Mapping[tuple[int, int], float]
_ACTUAL, _PREDICTED = 0, 1
CONFUSION_THRESHOLD = 0.0  # the likeliest class is the prediction, however unlikely it is

# 0.90 - 0.88 is a little more than 0.02 in floating point: bounds give way by this much.
TOLERANCE = 1e-9


def accuracy(counts: ConfusionCounts) -> float:
    """Share of the rows that are predicted right."""
    right = sum(count for (actual, predicted), count in counts.items() if actual == predicted)
    return right / sum(counts.values())


def accuracy_over_majority(counts: ConfusionCounts) -> float:
    """Accuracy minus the share of the largest class; 0.0 for always answering that class."""
    right = sum(count for (actual, predicted), count in counts.items() if actual == predicted)
    largest = max(_totals(counts, _ACTUAL).values())
    return (right - largest) / sum(counts.values())


def macro_f1(counts: ConfusionCounts) -> float:
    """Mean F1, one class against the rest, over the classes that occur among the labels.

    A class that is only predicted has no F1 of its own; its rows count as misses of their classes.
    So on the rows of one label this is the F1 of that label, `2 r / (1 + r)` for a recall of r.
    """
    predictions = _totals(counts, _PREDICTED)
    f1 = [
        2 * counts.get((label, label), 0) / (rows + predictions.get(label, 0))
        for label, rows in _totals(counts, _ACTUAL).items()
    ]
    return sum(f1) / len(f1)


def expected_calibration_error(bins: Sequence[Sequence[float]]) -> float:
    """Mean distance between confidence and accuracy over bins of the confidence.

    Guo et al., On Calibration of Modern Neural Networks, 2017.

    Args:
      bins: for each bin the number of rows, the sum of their confidences (the probability of the
        predicted class) and the number of them that are predicted right.
    """
    distance = sum(abs(confidence - right) for _, confidence, right in bins)
    return distance / sum(rows for rows, _, _ in bins)


def _totals(counts: ConfusionCounts, side: int) -> dict[int, float]:
    """Rows per class, of the labels or of the predictions."""
    totals: dict[int, float] = {}
    for pair, count in counts.items():
        totals[pair[side]] = totals.get(pair[side], 0) + count
    return totals
