"""The training benchmark's table and rows."""

import numpy as np
import tensorflow as tf

from benchmarks.rows import numbered, read_sentences, transformed
from benchmarks.training import EXAMPLE, OURS, PADDED, table
from benchmarks.turns import Best, Turn, best, timed
from components.batches import SplitRows
from components.settings import TextSettings


def test_the_first_turn_does_not_count():
    turns = [Turn(100, 0.1, 0.1), Turn(100, 2.0, 1.0), Turn(300, 3.0, 6.0)]
    assert best(turns) == Best(wall=100.0, cpu=100.0)


def test_table():
    results = {OURS: Best(1200.0, 600.0), PADDED: Best(400.0, 300.0), EXAMPLE: Best(300.0, 100.0)}
    *_, ours, padded, example = table(results)
    assert ours == f"| {OURS} | 1200 | 1.00 |  | 600 | 1.00 |"
    assert padded == f"| {PADDED} | 400 | 3.00 | ≥ 3: met | 300 | 2.00 |"
    assert example == f"| {EXAMPLE} | 300 | 4.00 | ≥ 5: missed | 100 | 6.00 |"


def test_timed():
    turn = timed(lambda: sum(1 for _ in range(100_000)))()
    assert turn.sentences == 100_000
    assert turn.seconds > 0 and turn.cpu_seconds > 0


def test_the_most_frequent_words_get_the_first_ids():
    ids, words = numbered(
        [["b", "a", "b"], ["c", "b", "a", "d"], []], words=2, max_length=3, first=2, unknown=1
    )
    assert ids == [[2, 3, 2], [1, 2, 3], [1]]
    assert words == 2


def test_transformed_rows_are_read_as_those_of_transform(tmp_path):
    file = tmp_path / "train.tsv"
    file.write_text("label\ttext\nyes\tA good film.\nno\tA bad film\n", encoding="utf-8")
    sentences = read_sentences(file)
    assert sentences.label_ids == [1, 0]  # no, yes
    data = transformed(sentences, TextSettings(max_length=6), tmp_path)
    ((ids, label_ids),) = SplitRows(data.train_files, 6).training_batches(4, seed=1)
    assert data.vocabulary_size == 2 + len({"a", "good", "bad", "film", "."})
    assert sorted(label_ids.numpy()) == [0, 1]
    assert sorted(tf.math.count_nonzero(ids, axis=1).numpy()) == [3, 4]
    assert np.max(ids) < data.vocabulary_size
