"""Intervals against values from the literature."""

import pytest

from components.evaluation.confidence import accuracy_interval, macro_f1_interval


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"),
    [  # Newcombe, Two-sided Confidence Intervals for the Single Proportion, 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_score_interval_of_a_share(right, rows, low, high):
    found = accuracy_interval({(0, 0): right, (0, 1): rows - right})
    assert found == pytest.approx((low, high), abs=5e-5)
    turned = accuracy_interval({(0, 0): rows - right, (0, 1): right})
    assert turned == pytest.approx((1 - high, 1 - low), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "low", "high"),
    [  # Jeffreys' intervals of a share of 10: quantiles of Beta(right + 1/2, wrong + 1/2)
        (5, 0.2235, 0.7765),
        (1, 0.0110, 0.3813),
        (9, 0.6187, 0.9890),
    ],
)
def test_macro_f1_of_one_class_follows_from_its_recall(right, low, high):
    found = macro_f1_interval({(0, 0): right, (0, 1): 10 - right}, range(2))
    expected = [2 * recall / (1 + recall) for recall in (low, high)]
    assert found == pytest.approx(expected, abs=0.012)


def test_no_mistake_in_a_few_rows_does_not_make_a_model_infallible():
    low, high = macro_f1_interval({(0, 0): 10, (1, 1): 10}, range(2))
    assert 0.85 < low < 0.95 and high == 1.0


def test_more_rows_are_surer():
    few = macro_f1_interval({(0, 0): 40, (0, 1): 10, (1, 1): 35, (1, 0): 15}, range(2))
    many = macro_f1_interval({(0, 0): 4000, (0, 1): 1000, (1, 1): 3500, (1, 0): 1500}, range(2))
    assert few[0] < many[0] < 0.7494 < many[1] < few[1]
    assert few[1] - few[0] == pytest.approx(10 * (many[1] - many[0]), rel=0.1)


def test_the_interval_is_the_same_each_time():
    counts = {(0, 0): 7, (0, 2): 1, (1, 1): 3, (2, 2): 4, (2, 0): 2}
    assert macro_f1_interval(counts, range(3)) == macro_f1_interval(counts, range(3))


def test_rows_without_a_prediction_count_as_missed():
    low, high = macro_f1_interval({(0, -1): 20, (1, -1): 20}, range(2))
    assert low == 0.0 and 0 < high < 0.15
