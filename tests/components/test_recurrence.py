"""The fast LSTM: Keras's numbers, forward and backward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import recurrence
from components.model import build_model
from components.recurrence import FastLSTM
from components.settings import ModelSettings

pytestmark = pytest.mark.usefixtures("exact_float32")
LENGTHS = [7, 1, 4, 7, 2]
MASK = np.arange(7) < np.array(LENGTHS)[:, None]


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(3).normal(size=(len(LENGTHS), 7, 6)).astype(np.float32)


def _pair(**options):
    """Keras's layer and ours with the same weights, none of them zero."""
    ours, keras_own = FastLSTM(5, **options), keras.layers.LSTM(5, use_cudnn=False, **options)
    random = np.random.default_rng(4)
    for layer in (ours, keras_own):
        layer.build((None, None, 6))
    weights = [random.normal(size=weight.shape) for weight in ours.weights]
    ours.set_weights(weights)
    keras_own.set_weights(weights)
    return ours, keras_own


def _outputs_and_gradients(layer, x, mask, weight_of_output):
    variables = [variable.value for variable in layer.trainable_variables]

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            states = layer(x, mask=mask)
            loss = tf.reduce_sum(states * tf.cast(weight_of_output, tf.float32))
        return [states, *tape.gradient(loss, [x, *variables])]

    return [value.numpy() for value in run(tf.constant(x))]


@pytest.mark.parametrize("go_backwards", [False, True])
def test_states_and_gradients_are_kerass(x, go_backwards):
    real = MASK[:, ::-1] if go_backwards else MASK
    weight = np.random.default_rng(5).normal(size=(len(LENGTHS), 7, 5)) * real[:, :, None]
    results = [
        _outputs_and_gradients(layer, x, MASK, weight)
        for layer in _pair(return_sequences=True, go_backwards=go_backwards)
    ]
    results[0][0], results[1][0] = (states * real[:, :, None] for states, *_ in results)
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("mask", [MASK, None], ids=["padded", "without padding"])
def test_the_last_state_is_kerass(x, go_backwards, mask):
    weight = np.random.default_rng(6).normal(size=(len(LENGTHS), 5))
    results = [
        _outputs_and_gradients(layer, x, mask, weight) for layer in _pair(go_backwards=go_backwards)
    ]
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3, 5])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_parts_of_a_batch_give_what_the_whole_gives(x, go_backwards, rows, monkeypatch):
    monkeypatch.setattr(recurrence, "LANES", 4)  # of one row some are empty
    weight = np.random.default_rng(6).normal(size=(rows, 5))
    results = [
        _outputs_and_gradients(layer, x[:rows], MASK[:rows], weight)
        for layer in _pair(go_backwards=go_backwards)
    ]
    for ours, keras_own in zip(*results, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_logits_are_those_of_the_exported_twin(pooling, bidirectional):
    settings = ModelSettings(embedding_dim=6, units=5, pooling=pooling, bidirectional=bidirectional)
    keras.utils.set_random_seed(8)
    model = build_model(settings, vocabulary_size=9, classes=4)
    twin = build_model(settings, vocabulary_size=9, classes=4, use_cudnn=False)
    twin.set_weights(model.get_weights())
    ids = np.where(MASK, np.random.default_rng(7).integers(2, 9, MASK.shape), 0)
    np.testing.assert_allclose(model(ids), twin(ids), atol=1e-5)


def test_the_twin_for_export_is_kerass():
    settings = ModelSettings(embedding_dim=6, units=5)
    twin = build_model(settings, vocabulary_size=9, classes=2, use_cudnn=False)
    assert type(twin.get_layer("lstm")) is keras.layers.LSTM
