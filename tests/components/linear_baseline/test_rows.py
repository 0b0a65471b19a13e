"""Reading the rows of a split, and the sample of them."""

import numpy as np
import pytest

from components.linear_baseline.rows import Rows, read_rows, sample, to_tokens
from tests.components.linear_baseline.raw_examples import write_split


def rows(keys) -> Rows:
    texts = np.array([f"text {key}".encode() for key in keys], object)
    return Rows(texts, texts, np.array(keys, np.int64))


def test_a_sample_holds_the_least_hashes_in_their_order():
    drawn, total = sample([rows([9, 2]), rows([7]), rows([1, 8, 5])], max_rows=3)
    assert (drawn.keys.tolist(), total) == ([1, 2, 5], 6)
    assert drawn.texts.tolist() == [b"text 1", b"text 2", b"text 5"]


def test_all_rows_when_they_fit():
    drawn, total = sample([rows([3]), rows([1, 2])], max_rows=3)
    assert (drawn.keys.tolist(), total) == ([1, 2, 3], 3)


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
def test_the_sample_does_not_depend_on_order_or_batches(batch_rows):
    random = np.random.default_rng(4)
    keys = random.permutation(1000)
    batches = [rows(keys[i : i + batch_rows]) for i in range(0, 1000, batch_rows)]
    drawn, total = sample(batches, max_rows=20)
    assert (drawn.keys.tolist(), total) == (list(range(20)), 1000)


def test_all_files_of_a_split_are_read(tmp_path):
    data = [("crème brûlée", "good"), ("soup", "bad"), ("soup", "good")]
    write_split(tmp_path, data[:2], "data_tfrecord-00000-of-00002.gz")
    write_split(tmp_path, data[2:], "data_tfrecord-00001-of-00002.gz")
    (found,) = read_rows(str(tmp_path))
    pairs = [(t.decode(), v.decode()) for t, v in zip(found.texts, found.labels, strict=True)]
    assert sorted(pairs) == sorted(data)
    assert len(set(found.keys.tolist())) == 3, "the label is in the hash, too"


def test_a_sample_is_even(tmp_path):
    write_split(tmp_path, [(f"sentence {n}", "ab"[n % 2]) for n in range(9000)])
    drawn, total = sample(read_rows(str(tmp_path)), max_rows=1000)
    assert total == 9000
    numbers = [int(text.split()[1]) for text in drawn.texts]
    # Of 1,000 fair draws of 9,000 rows: three standard deviations are 45 of 500 and 78 of 4,500.
    assert sum(number % 2 for number in numbers) == pytest.approx(500, abs=45)
    assert np.mean(numbers) == pytest.approx(4500, abs=3 * 9000 / np.sqrt(12 * 1000))


def test_tokens_are_the_networks():
    texts = np.array(["It isn't well-made…".encode()], object)
    assert to_tokens(texts, lowercase=True, split_hyphens=True) == ["it is n't well - made ..."]
    assert to_tokens(texts, lowercase=False, split_hyphens=False) == ["It is n't well-made ..."]
