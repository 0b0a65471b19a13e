"""What training does to pre-trained word vectors, and what it leaves alone."""

import numpy as np
import pytest

from components.fitting import Fitting, TrainingData
from components.model import WordEmbedding
from components.settings import ModelSettings, TrainSettings
from components.word_vectors.embedding import Pretrained
from tests.components.examples import write_examples

IDS, DIMENSION = 9, 4
TABLE = np.random.default_rng(1).normal(size=(IDS, DIMENSION)).astype(np.float32)
MODEL = ModelSettings(embedding_dim=DIMENSION, units=4)
# Everything that could move a weight is on.
TRAIN = TrainSettings(batch_size=4, learning_rate=0.05, weight_decay=0.1, ema_momentum=0.5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    rows = [([2 + row % 2, 4, 5, 6], row % 2) for row in range(16)]
    train, evaluation = (
        write_examples(folder / split / "data.gz", rows, 4) for split in ("train", "eval")
    )
    return TrainingData([train], [evaluation], 4, IDS, 2)


def embedding_after(fitting, epochs):
    for _ in range(epochs):
        fitting.run_epoch()
    layer = fitting._model.get_layer("embedding")
    return np.concatenate([layer.trained.numpy(), layer.fixed.numpy()])


def test_vectors_that_are_never_trained_stay_as_they_are(data):
    fitting = Fitting(data, MODEL, TRAIN, Pretrained(TABLE, fixed_words=7, closed_epochs=0))
    after = embedding_after(fitting, epochs=2)
    np.testing.assert_array_equal(after[2:], TABLE[2:])
    assert not np.array_equal(after[1], TABLE[1])  # word dropout trains the unknown word
    best = fitting.best_weights()[[w.path for w in fitting._model.weights].index("embedding/fixed")]
    np.testing.assert_array_equal(best, TABLE[2:])


def test_fine_tuning_leaves_the_words_that_train_lacks(data):
    fitting = Fitting(data, MODEL, TRAIN, Pretrained(TABLE, fixed_words=2, closed_epochs=0))
    after = embedding_after(fitting, epochs=1)
    np.testing.assert_array_equal(after[7:], TABLE[7:])
    assert (after[2:7] != TABLE[2:7]).any(axis=1).all()


def test_fine_tuning_begins_after_the_closed_epochs(data):
    fitting = Fitting(data, MODEL, TRAIN, Pretrained(TABLE, fixed_words=0, closed_epochs=2))
    np.testing.assert_array_equal(embedding_after(fitting, epochs=2), TABLE)
    assert not np.array_equal(embedding_after(fitting, epochs=1)[2:4], TABLE[2:4])


def test_ids_are_looked_up_in_the_table_they_belong_to():
    layer = WordEmbedding(IDS, DIMENSION, fixed=3)
    layer.start_from(TABLE)
    ids = np.array([[0, 5, 6], [8, 2, 7]])
    np.testing.assert_array_equal(layer(ids), TABLE[ids])
