"""How sure the scores are: 95 % intervals for the rows that eval might as well have held.

Light: numpy is imported where it is needed.
"""

import math
from collections.abc import Sequence

from components.evaluation.scores import ConfusionCounts

Interval = tuple[float, float]

Z = 1.959963984540054  # of the normal distribution, 95 % lie between -Z and Z
TAILS = (2.5, 97.5)  # percentiles
DRAWS = 10_000
SEED = 1


def accuracy_interval(counts: ConfusionCounts) -> Interval:
    """The 95 % score interval of a proportion (Wilson, Probable Inference, 1927).

    It holds where the normal approximation does not: for few rows and accuracies near 0 or 1.
    """
    rows = sum(counts.values())
    right = sum(count for (actual, predicted), count in counts.items() if actual == predicted)
    share, spread = right / rows, Z * Z / rows
    centre = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = ((centre + side * half) / (1 + spread) for side in (-1, 1))
    return min(max(low, 0.0), share), max(min(high, 1.0), share)  # in spite of rounding


def macro_f1_interval(counts: ConfusionCounts, classes: Sequence[int]) -> Interval:
    """The central 95 % of macro F1 given a confusion matrix, by sampling from a fixed seed.

    The cells' shares are drawn from their posterior, a Dirichlet distribution (Caelen, A Bayesian
    Interpretation of the Confusion Matrix, 2017). All prior counts together are one row, as in
    Jeffreys' interval of a proportion, which this is for one class of two. A bootstrap over the
    rows would find a model without a mistake infallible.

    Args:
      counts: rows by class and prediction.
      classes: all that can be predicted.

    Returns:
      Bounds with the measured value between them.
    """
    import numpy as np

    actual = sorted({label for label, _ in counts})
    predicted = sorted({*classes, *(prediction for _, prediction in counts)})
    matrix = np.array([[counts.get((a, p), 0) for p in predicted] for a in actual], np.float64)
    own_column = [predicted.index(label) for label in actual]
    own_row = range(len(actual))

    def macro_f1(cells: np.ndarray) -> float:
        """Of counts or shares, float64 [classes among the labels, predictions]."""
        totals = cells.sum(axis=1) + cells.sum(axis=0)[own_column]
        return float((2 * cells[own_row, own_column] / totals).mean())

    random = np.random.default_rng(SEED)
    posterior = matrix + 1 / matrix.size
    # Gamma variates in the ratio of a Dirichlet's: F1 does not depend on their sum.
    low, high = np.percentile([macro_f1(random.gamma(posterior)) for _ in range(DRAWS)], TAILS)
    measured = macro_f1(matrix)
    return min(float(low), measured), max(float(high), measured)
