"""The network: shapes, initial values, and that padding never counts."""

import keras
import numpy as np
import pytest

from components.model import WordDropout, build_model, pool
from components.settings import ModelSettings
from pipeline.config import load_config

VARIANTS = [
    ModelSettings(embedding_dim=5, units=3, pooling=pooling, bidirectional=bidirectional)
    for pooling in ("last", "max", "mean")
    for bidirectional in (False, True)
]
pytestmark = pytest.mark.usefixtures("exact_float32")


@pytest.fixture(autouse=True)
def _seed():
    keras.utils.set_random_seed(7)


@pytest.fixture(scope="module")
def book():
    return load_config("book")


def test_the_books_training(book):
    assert book.text.max_length == 4
    train = book.train
    assert (train.batch_size, train.max_steps, train.learning_rate) == (4, 1000, 0.001)
    # All 1,000 iterations, and Adam with nothing added.
    assert (train.max_epochs, train.patience, train.clip_norm) == (None, None, None)
    assert (train.weight_decay, train.ema_momentum, train.class_weights) == (0, 0, "none")


def test_the_books_shapes(book):
    model = build_model(book.model, vocabulary_size=11, classes=len(book.data.labels))
    shapes = {weight.path: tuple(weight.shape) for weight in model.weights}
    assert shapes == {
        "embedding/trained": (11, 64),
        "embedding/fixed": (0, 64),
        "embedding/open": (),
        "lstm/lstm_cell/kernel": (64, 4 * 16),
        "lstm/lstm_cell/recurrent_kernel": (16, 4 * 16),
        "lstm/lstm_cell/bias": (4 * 16,),
        "dense/kernel": (16, 2),
        "dense/bias": (2,),
    }
    assert model(np.ones([4, 4], np.int64)).shape == (4, 2)
    assert model.get_layer("embedding_dropout").rate == 0
    assert model.get_layer("word_dropout").rate == 0
    assert model.get_layer("output_dropout").rate == pytest.approx(1 - 0.8)


def test_the_books_initial_values(book):
    model = build_model(book.model, vocabulary_size=11, classes=2)
    kernel, bias = model.get_layer("dense").get_weights()
    np.testing.assert_array_equal(bias, np.array([0.1, 0.1], np.float32))
    assert np.abs(kernel).max() <= 2.0
    wide = build_model(book.model.model_copy(update={"units": 1000}), 11, classes=20)
    kernel, _ = wide.get_layer("dense").get_weights()
    assert 1.9 < np.abs(kernel).max() <= 2.0  # drawn again beyond two standard deviations
    assert kernel.mean() == pytest.approx(0.0, abs=0.03)
    assert kernel.std() == pytest.approx(0.8796, abs=0.02)  # of a normal cut at 2


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_padding_changes_nothing(settings):
    model = build_model(settings, vocabulary_size=9, classes=4)
    short = model(np.array([[3, 8, 1]]))
    padded = model(np.array([[3, 8, 1, 0, 0, 0, 0]]))
    beside_a_longer_row = model(np.array([[3, 8, 1, 0, 0], [2, 2, 5, 5, 7]]))[:1]
    assert short.shape == (1, 4)
    np.testing.assert_allclose(padded, short, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(beside_a_longer_row, short, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_the_order_of_words_counts(settings):
    model = build_model(settings, vocabulary_size=9, classes=4)
    assert not np.allclose(model(np.array([[3, 8]])), model(np.array([[8, 3]])), atol=1e-5)


def test_pool_takes_real_tokens_only():
    states = np.array([[[0.5, -0.75], [-0.25, -0.5], [0.9, 0.9]]], np.float32)
    real = np.array([[True, True, False]])
    np.testing.assert_array_equal(pool(states, real, "mean"), [[0.125, -0.625]])
    np.testing.assert_array_equal(pool(states, real, "max"), [[0.5, -0.5]])


def test_pool_of_one_token_is_its_state():
    states = np.array([[[-1.0, 0.25], [0.5, 0.5]]], np.float32)
    real = np.array([[True, False]])
    np.testing.assert_array_equal(pool(states, real, "mean"), [[-1.0, 0.25]])
    np.testing.assert_array_equal(pool(states, real, "max"), [[-1.0, 0.25]])


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_mixed_precision_keeps_weights_and_logits_in_float32(settings):
    model = build_model(settings, vocabulary_size=9, classes=4, dtype="mixed_float16")
    assert model.get_layer("embedding").compute_dtype == "float16"
    logits = model(np.array([[3, 8, 0]]))
    assert logits.dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_dropout_works_in_training_only():
    settings = ModelSettings(embedding_dim=5, units=8, embedding_dropout=0.5, output_dropout=0.5)
    model = build_model(settings, vocabulary_size=9, classes=4)
    ids = np.array([[3, 8, 1]])
    np.testing.assert_array_equal(model(ids, training=False), model(ids, training=False))
    assert not np.allclose(model(ids, training=True), model(ids, training=True))


def test_the_weights_fit_the_twin_for_export():
    settings = ModelSettings(embedding_dim=5, units=3, bidirectional=True, pooling="max")
    model = build_model(settings, vocabulary_size=9, classes=4)
    twin = build_model(settings, vocabulary_size=9, classes=4, use_cudnn=False)
    twin.set_weights(model.get_weights())
    ids = np.array([[3, 8, 1, 0]])
    np.testing.assert_allclose(twin(ids), model(ids), rtol=1e-6)
    assert twin.get_layer("bidirectional").forward_layer.use_cudnn is False
    assert twin.get_layer("bidirectional").backward_layer.use_cudnn is False


def test_word_dropout_makes_tokens_unknown_and_leaves_padding():
    ids = np.array([[5] * 500 + [0] * 500], np.int64)
    dropped = np.array(WordDropout(0.2)(ids, training=True))
    assert set(dropped[0, :500]) == {1, 5}
    assert 0.1 < (dropped[0, :500] == 1).mean() < 0.3
    assert (dropped[0, 500:] == 0).all()


def test_word_dropout_does_nothing_outside_training():
    ids = np.array([[5, 6, 0]], np.int64)
    np.testing.assert_array_equal(WordDropout(0.9)(ids, training=False), ids)
