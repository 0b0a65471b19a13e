"""What LinearBaseline leaves, in words."""

import pytest

from components.linear_baseline.result import LinearBaselineResult


@pytest.mark.parametrize(
    ("accuracy", "trained_on", "line"),
    [
        (0.814, 90, "0.800 by a linear model on n-grams; the LSTM is 1.4 points above it"),
        (0.789, 90, "0.800 by a linear model on n-grams; the LSTM is 1.1 points below it"),
        (0.8002, 90, "0.800 by a linear model on n-grams; the LSTM is level with it"),
        (
            0.9,
            20,
            "0.800 by a linear model on n-grams, trained on 20 of 90 rows; "
            "the LSTM is 10.0 points above it",
        ),
    ],
)
def test_how_the_model_stands_to_the_linear_baseline(accuracy, trained_on, line):
    assert LinearBaselineResult(0.8, 0.79, 10, 90, trained_on, 500).beside(accuracy) == line
