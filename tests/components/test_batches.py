"""Batches: every row once, padding cut, an order that follows from the seed."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.batches import SplitRows
from tests.components.examples import write_examples

MAX_LENGTH = 9


@pytest.fixture(scope="module")
def rows():
    """1,500 rows, each with an id of its own first, of 1 to 9 tokens."""
    return [([2 + i] + [1] * (i * 7 % MAX_LENGTH), i % 3) for i in range(1500)]


@pytest.fixture(scope="module")
def pattern(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    for shard in range(3):
        write_examples(folder / f"data-{shard}.gz", rows[shard::3], MAX_LENGTH)
    return f"{folder}/*"


@pytest.fixture(params=[2000, 300], ids=["kept", "streamed"])
def split(request, pattern):
    return SplitRows([pattern], MAX_LENGTH, memory_rows=request.param)


def _read(dataset):
    return [(ids.numpy(), label_ids.numpy()) for ids, label_ids in dataset]


def _first_ids(dataset):
    return [ids[:, 0].tolist() for ids, _ in _read(dataset)]


@pytest.mark.parametrize("batch_size", [1, 4, 64, 1000])
def test_every_row_comes_once_with_its_label(rows, split, batch_size):
    expected = sorted((ids, label_id) for ids, label_id in rows)
    for dataset in (
        split.training_batches(batch_size, seed=1),
        split.evaluation_batches(batch_size),
    ):
        batches = _read(dataset)
        sizes = sorted(len(ids) for ids, _ in batches)
        assert len(sizes) == -(-1500 // batch_size)
        assert sizes[1:] == [batch_size] * (len(sizes) - 1)
        got = [
            (row[row != 0].tolist(), int(label_id))
            for ids, label_ids in batches
            for row, label_id in zip(ids, label_ids, strict=True)
        ]
        assert sorted(got) == expected


def test_padding_is_cut_to_the_longest_row(split):
    for ids, label_ids in _read(split.training_batches(16, seed=1)):
        assert ids.dtype == np.int64 and label_ids.dtype == np.int64
        assert (ids[:, -1] != 0).any()


def test_rows_of_a_batch_have_about_the_same_length(split):
    batches = _read(split.training_batches(16, seed=1))
    spread = [np.ptp(np.count_nonzero(ids, axis=1)) for ids, _ in batches]
    assert max(spread) <= 2


def test_the_order_follows_from_the_seed(split):
    first = _first_ids(split.training_batches(16, seed=1))
    again = _first_ids(split.training_batches(16, seed=1))
    other = _first_ids(split.training_batches(16, seed=2))
    assert first == again
    assert first != other
    assert {frozenset(ids) for ids in first} != {frozenset(ids) for ids in other}


def test_batches_of_an_epoch_do_not_come_by_length(split):
    longest = [ids.shape[1] for ids, _ in _read(split.training_batches(16, 1))]
    assert longest != sorted(longest)


def test_evaluation_has_one_order(split):
    first = _first_ids(split.evaluation_batches(16))
    assert first == _first_ids(split.evaluation_batches(16))


def test_count_labels(split):
    assert split.count_labels(classes=4) == [500, 500, 500, 0]


def test_an_empty_file_has_no_rows(tmp_path):
    path = write_examples(tmp_path / "data.gz", [], MAX_LENGTH)
    split = SplitRows([path], MAX_LENGTH)
    assert split.count_labels(classes=2) == [0, 0]
    assert _read(split.training_batches(4, seed=1)) == []
    assert _read(split.evaluation_batches(4)) == []


def test_rows_that_are_kept_are_read_once(rows, tmp_path):
    path = write_examples(tmp_path / "data.gz", rows, MAX_LENGTH)
    kept, streamed = (SplitRows([path], MAX_LENGTH, memory) for memory in (1500, 1499))
    Path(path).unlink()
    assert len(_read(kept.training_batches(1500, seed=1))) == 1
    with pytest.raises(tf.errors.NotFoundError):
        _read(streamed.evaluation_batches(1500))
