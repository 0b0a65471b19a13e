"""Distances between two samples of counts, and how large chance alone makes them."""

from collections.abc import Callable

import numpy as np

# Counts of two samples over the same categories, [..., categories], to a distance [...].
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]

DRAWS = 500
QUANTILE = 0.99


def kolmogorov_smirnov(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Largest difference of the cumulative shares; for categories that have an order. 0 to 1."""
    return np.abs(np.cumsum(_shares(first), -1) - np.cumsum(_shares(second), -1)).max(-1)


def l_infinity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Largest difference of a category's share. 0 to 1."""
    return np.abs(_shares(first) - _shares(second)).max(-1)


def jensen_shannon(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits: 0 for equal shares, 1 for none in common.

    Lin, Divergence Measures Based on the Shannon Entropy, 1991.
    """
    p, q = _shares(first), _shares(second)
    return _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2


def by_chance(distance: Distance, first: np.ndarray, second: np.ndarray) -> float:
    """What the distance stays below in 99 of 100 cases if both samples are of one text.

    A parametric bootstrap: pairs of samples of these sizes are drawn from the shares of both
    together. Small samples are far apart by chance, the more so the more categories there are.

    Args:
      distance: of the samples.
      first, second: their counts, int [categories].
    """
    random = np.random.default_rng(seed=1)  # the same samples always get the same verdict
    pooled = _shares(first + second)
    drawn = [random.multinomial(counts.sum(), pooled, size=DRAWS) for counts in (first, second)]
    return float(np.quantile(distance(*drawn), QUANTILE))


def _shares(counts: np.ndarray) -> np.ndarray:
    """Of nothing at all, every category has the share 0."""
    return counts / np.maximum(counts.sum(-1, keepdims=True), 1)


def _entropy(shares: np.ndarray) -> np.ndarray:
    """In bits, [..., categories] to [...]."""
    logarithms = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return -(shares * logarithms).sum(-1)
