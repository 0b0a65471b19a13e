"""Distances by hand, and what chance explains."""

import numpy as np
import pytest

from components.drift.distances import by_chance, jensen_shannon, kolmogorov_smirnov, l_infinity


@pytest.mark.parametrize(
    "distance, first, second, expected",
    [
        (kolmogorov_smirnov, [1, 1, 0], [0, 1, 1], 0.5),
        (kolmogorov_smirnov, [1, 1, 0], [10, 10, 0], 0.0),
        (kolmogorov_smirnov, [4, 0, 0, 0], [0, 0, 0, 9], 1.0),
        (l_infinity, [3, 1], [1, 1], 0.25),
        (jensen_shannon, [5, 0], [0, 2], 1.0),
        (jensen_shannon, [1, 2, 3], [2, 4, 6], 0.0),
        (jensen_shannon, [1, 1], [1, 0], 0.311278),  # H(3/4, 1/4) - H(1/2, 1/2) / 2
    ],
)
def test_by_hand(distance, first, second, expected):
    assert distance(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("distance", [kolmogorov_smirnov, l_infinity, jensen_shannon])
def test_samples_of_one_text_are_nearer_than_chance_in_99_of_100_cases(distance):
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, 41)
    shares /= shares.sum()
    exceeded = 0
    for _ in range(200):
        first, second = random.multinomial(300, shares), random.multinomial(900, shares)
        exceeded += distance(first, second) > by_chance(distance, first, second)
    assert exceeded <= 8  # 2 are expected; more than 8 have a probability of 0.0002


def test_large_samples_leave_little_to_chance():
    shares = np.array([5, 3, 2])
    small, large = (by_chance(l_infinity, shares * size, shares * size) for size in (10, 10_000))
    assert 0.1 < small < 0.3
    assert large < 0.01


def test_the_same_samples_get_the_same_answer():
    counts = np.array([50, 30, 20])
    assert by_chance(l_infinity, counts, counts) == by_chance(l_infinity, counts, counts)
