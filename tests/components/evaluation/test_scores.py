"""Scores from confusion counts, against literal values and against their definition row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluation.scores import (
    accuracy,
    accuracy_over_majority,
    expected_calibration_error,
    macro_f1,
)

# 10 rows: of class 0 four, all right; of class 1 six, four right and two taken for class 0.
COUNTS = {(0, 0): 4, (1, 0): 2, (1, 1): 4}


def test_literal_scores():
    assert accuracy(COUNTS) == 0.8
    assert accuracy_over_majority(COUNTS) == 0.2  # six of ten rows are of class 1
    assert macro_f1(COUNTS) == 0.8  # both classes: 2 * 4 / (4 + 6)


def test_always_answering_the_largest_class_has_no_lead():
    assert accuracy_over_majority({(0, 2): 3, (1, 2): 7, (2, 2): 11}) == 0.0
    assert accuracy_over_majority({(0, 1): 3, (1, 1): 2}) == -0.2


def test_macro_f1_is_the_mean_over_the_classes_of_the_labels():
    # Class 0: 2*1/(2+1), class 1: 2*2/(2+2); class 2 is only predicted, and costs class 0 a row.
    assert macro_f1({(0, 0): 1, (0, 2): 1, (1, 1): 2}) == pytest.approx((2 / 3 + 1) / 2)


def test_macro_f1_of_one_label_is_that_labels_f1():
    assert macro_f1({(1, 1): 3, (1, 0): 1}) == pytest.approx(2 * 0.75 / 1.75)
    assert macro_f1({(1, 0): 5}) == 0.0
    assert macro_f1({(1, 1): 5}) == 1.0


def test_no_prediction_is_a_miss():
    assert accuracy({(0, -1): 1, (0, 0): 1}) == 0.5
    assert macro_f1({(0, -1): 1, (0, 0): 1}) == pytest.approx(2 / 3)


def test_literal_calibration_error():
    # Ten rows at 0.8 of which 7 are right, ten at 0.95 of which 10 are: (1 + 0.5) / 20.
    bins = [(0, 0, 0), (10, 8.0, 7), (10, 9.5, 10)]
    assert expected_calibration_error(bins) == pytest.approx(0.075)


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_scores_agree_with_their_definitions(rows):
    counts = {pair: rows.count(pair) for pair in rows}
    actual = [a for a, _ in rows]
    right = sum(a == p for a, p in rows) / len(rows)
    f1 = []
    for label in set(actual):
        hits = sum(a == p == label for a, p in rows)
        recall = hits / actual.count(label)
        precision = hits / max(1, sum(p == label for _, p in rows))
        f1.append(2 * precision * recall / (precision + recall) if hits else 0)
    largest = max(actual.count(label) for label in actual) / len(rows)
    assert accuracy(counts) == pytest.approx(right)
    assert accuracy_over_majority(counts) == pytest.approx(right - largest)
    assert macro_f1(counts) == pytest.approx(sum(f1) / len(f1))
