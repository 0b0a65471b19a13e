"""Batches: every row once, padding cut, an order that follows from the seed."""

import numpy as np
import pytest

from components.batches import count_labels, evaluation_batches, training_batches
from tests.components.examples import write_examples

MAX_LENGTH = 9


@pytest.fixture(scope="module")
def rows():
    """500 rows, each with an id of its own first, of 1 to 9 tokens."""
    return [([2 + i] + [1] * (i * 7 % MAX_LENGTH), i % 3) for i in range(500)]


@pytest.fixture(scope="module")
def pattern(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    for shard in range(3):
        write_examples(folder / f"data-{shard}.gz", rows[shard::3], MAX_LENGTH)
    return f"{folder}/*"


def _read(dataset):
    return [(ids.numpy(), label_ids.numpy()) for ids, label_ids in dataset]


def _first_ids(dataset):
    return [ids[:, 0].tolist() for ids, _ in _read(dataset)]


@pytest.mark.parametrize("batch_size", [1, 4, 64, 1000])
def test_every_row_comes_once_with_its_label(rows, pattern, batch_size):
    expected = sorted((ids, label_id) for ids, label_id in rows)
    for dataset in (
        training_batches([pattern], MAX_LENGTH, batch_size, seed=1),
        evaluation_batches([pattern], MAX_LENGTH, batch_size),
    ):
        batches = _read(dataset)
        sizes = sorted(len(ids) for ids, _ in batches)
        assert len(sizes) == -(-500 // batch_size)
        assert sizes[1:] == [batch_size] * (len(sizes) - 1)
        got = [
            (row[row != 0].tolist(), int(label_id))
            for ids, label_ids in batches
            for row, label_id in zip(ids, label_ids, strict=True)
        ]
        assert sorted(got) == expected


def test_padding_is_cut_to_the_longest_row(pattern):
    for ids, label_ids in _read(training_batches([pattern], MAX_LENGTH, 16, seed=1)):
        assert ids.dtype == np.int64 and label_ids.dtype == np.int64
        assert (ids[:, -1] != 0).any()


def test_rows_of_a_batch_have_about_the_same_length(pattern):
    batches = _read(training_batches([pattern], MAX_LENGTH, 16, seed=1))
    spread = [np.ptp(np.count_nonzero(ids, axis=1)) for ids, _ in batches]
    assert max(spread) <= 2


def test_the_order_follows_from_the_seed(pattern):
    first = _first_ids(training_batches([pattern], MAX_LENGTH, 16, seed=1))
    again = _first_ids(training_batches([pattern], MAX_LENGTH, 16, seed=1))
    other = _first_ids(training_batches([pattern], MAX_LENGTH, 16, seed=2))
    assert first == again
    assert first != other
    assert {frozenset(ids) for ids in first} != {frozenset(ids) for ids in other}


def test_batches_of_an_epoch_do_not_come_by_length(pattern):
    longest = [ids.shape[1] for ids, _ in _read(training_batches([pattern], MAX_LENGTH, 16, 1))]
    assert longest != sorted(longest)


def test_evaluation_has_one_order(pattern):
    first = _first_ids(evaluation_batches([pattern], MAX_LENGTH, 16))
    assert first == _first_ids(evaluation_batches([pattern], MAX_LENGTH, 16))


def test_count_labels(pattern):
    assert count_labels([pattern], MAX_LENGTH, classes=4) == [167, 167, 166, 0]


def test_an_empty_file_has_no_rows(tmp_path):
    path = write_examples(tmp_path / "data.gz", [], MAX_LENGTH)
    assert count_labels([path], MAX_LENGTH, classes=2) == [0, 0]
    assert _read(training_batches([path], MAX_LENGTH, 4, seed=1)) == []
