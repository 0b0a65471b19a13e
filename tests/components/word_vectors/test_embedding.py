"""From selected vectors to the embedding that training starts from."""

import resource

import numpy as np
import pytest

from components.errors import DataRefused
from components.word_vectors import artifact
from components.word_vectors.coverage import Coverage
from components.word_vectors.embedding import initial_table, load_pretrained

NAN = [np.nan, np.nan]
COVERAGE = Coverage(
    types=2,
    types_known=2,
    tokens=5,
    tokens_known=5,
    missing=[],
    extra_words=1,
    read=3,
    duplicates=0,
    not_utf8=0,
    words_with_spaces=0,
)


def test_known_words_keep_their_vectors_but_for_the_scale():
    vectors = np.array([[1, 3], NAN, [-1, 3], [1, -1]], np.float32)
    table = initial_table(vectors, seed=1)
    assert table.dtype == np.float32
    assert table.shape == (6, 2)
    scale = 1 / np.array([1, 3, -1, 3, 1, -1]).std()
    assert table[0].tolist() == [0, 0]  # padding
    np.testing.assert_allclose(table[1], np.array([1 / 3, 5 / 3]) * scale, rtol=1e-6)  # unknown
    np.testing.assert_allclose(table[[2, 4, 5]], vectors[[0, 2, 3]] * scale, rtol=1e-6)


def test_words_without_vectors_are_random_in_the_manner_of_the_others():
    known = np.random.default_rng(0).normal([1, -2], [0.5, 3], (1000, 2)).astype(np.float32)
    vectors = np.concatenate([known, np.full([1000, 2], np.nan, np.float32)])
    table = initial_table(vectors, seed=1)
    random, others = table[1002:], table[2:1002]
    np.testing.assert_allclose(random.mean(axis=0), others.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(random.std(axis=0), others.std(axis=0), rtol=0.1)
    assert np.array_equal(table, initial_table(vectors, seed=1))
    assert not np.array_equal(random, initial_table(vectors, seed=2)[1002:])


def test_vectors_that_know_no_word_are_refused():
    with pytest.raises(DataRefused, match="know no word of the training sentences"):
        initial_table(np.array([NAN], np.float32), seed=1)


def test_a_disk_that_takes_no_more_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact.fileio, "open", open)  # as in a local run, not TensorFlow's
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # bytes, of any file
    try:
        with pytest.raises(OSError, match="File too large"):
            artifact.write(str(tmp_path), ["a"], np.zeros((100_000, 2), np.float32), None, COVERAGE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("fine_tune_after", "fixed", "closed"), [(0, 1, 0), (2, 1, 2), (None, 3, 0)]
)
def test_what_is_trained_when(tmp_path, fine_tune_after, fixed, closed):
    vectors = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    artifact.write(str(tmp_path), ["a", "b", "é"], vectors, None, COVERAGE)
    assert (tmp_path / "vocabulary").read_text("utf-8") == "a\nb\né\n"
    assert artifact.read_coverage(str(tmp_path)) == COVERAGE
    pretrained = load_pretrained(str(tmp_path), fine_tune_after, seed=1)
    assert pretrained.table.shape == (5, 2)
    assert (pretrained.fixed_words, pretrained.closed_epochs) == (fixed, closed)


def test_sub_words_stand_beside_the_vectors_each_scaled_for_itself(tmp_path):
    vectors = np.array([[1, 3], NAN, [-1, 3]], np.float32)
    subwords = np.array([[100], [-100], [0]], np.float32)
    artifact.write(str(tmp_path), ["a", "b", "é"], vectors, subwords, COVERAGE)
    table = load_pretrained(str(tmp_path), fine_tune_after=0, seed=1).table
    assert table.shape == (5, 3)
    np.testing.assert_array_equal(table[:, :2], initial_table(vectors, seed=1))
    deviation = np.sqrt(2 / 3)
    np.testing.assert_allclose(table[:, 2], [0, 0, 1 / deviation, -1 / deviation, 0], atol=1e-6)
