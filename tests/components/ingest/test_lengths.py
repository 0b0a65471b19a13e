"""Histograms of sentence lengths."""

import pytest

from components.ingest.lengths import histograms


def test_all_splits_have_the_same_bins():
    found = histograms({"train": {1: 3, 2: 4, 30: 3}, "eval": {3: 1, 5: 2}})
    edges = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31]
    assert found["train"].edges == found["eval"].edges == edges
    assert found["train"].rows == [7, *[0] * 13, 3]
    assert found["eval"].rows == [0, 1, 2, *[0] * 12]


def test_a_few_very_long_rows_share_one_bin():
    [found] = histograms({"train": {4: 150, 5: 149, 900: 1}}).values()
    assert found.edges == [1, 2, 3, 4, 5, 6, 901]
    assert found.rows == [0, 0, 0, 150, 149, 1]


@pytest.mark.parametrize(
    ("longest", "width"), [(1, 1), (25, 1), (26, 2), (50, 2), (51, 5), (126, 10), (2_000, 100)]
)
def test_widths_are_handy(longest, width):
    [found] = histograms({"train": {longest: 10}}).values()
    assert found.edges[1] - found.edges[0] == width
    assert found.rows[-1] == 10 and sum(found.rows) == 10
    assert len(found.rows) <= 25


def test_no_rows():
    [found] = histograms({"train": {}}).values()
    assert (found.edges, found.rows) == ([1], [])
