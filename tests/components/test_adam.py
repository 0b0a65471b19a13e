"""Adam of the rows in a batch: Keras's numbers where all are in it, constant ones elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.adam import RowAdam

WORDS, DIMENSION, STEPS = 7, 3, 5
SIZES = [(WORDS, DIMENSION), (DIMENSION,)]
OPTIONS = {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9}


def _slices(rows, values):
    return tf.IndexedSlices(
        tf.constant(values, tf.float32), tf.constant(rows, tf.int64), (WORDS, DIMENSION)
    )


def _variables():
    random = np.random.default_rng(2)
    return [keras.Variable(random.normal(size=size), dtype="float32") for size in SIZES]


def _row_adam(variables, **options):
    optimizer = RowAdam(variables[0], **OPTIONS, **options)
    optimizer.build(variables)
    return optimizer


@pytest.mark.parametrize("as_slices", [False, True])
def test_with_all_words_in_the_batch_steps_are_kerass(as_slices):
    random = np.random.default_rng(3)
    gradients = [
        [random.normal(size=size).astype("float32") for size in SIZES] for _ in range(STEPS)
    ]
    ours, keras_own = _variables(), _variables()
    optimizer = _row_adam(ours, weight_decay=0.01)
    reference = keras.optimizers.Adam(**OPTIONS, weight_decay=0.01)
    reference.exclude_from_weight_decay([keras_own[0]])
    reference.build(keras_own)
    for table, bias in gradients:
        reference.apply([table, bias])
        optimizer.apply([_slices(range(WORDS), table) if as_slices else tf.constant(table), bias])
    for mine, theirs in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)
    # Step, rate, and of each variable two moments and the average; and when rows were looked at.
    assert len(optimizer.variables) == len(reference.variables) + 1 == 2 + 2 * 3 + 1
    optimizer.use_averages(ours)
    reference.finalize_variable_values(keras_own)
    for mine, theirs in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


def test_words_that_are_not_in_the_batch_stay_as_they_are():
    variables = _variables()
    table = variables[0]
    optimizer = _row_adam(variables)
    batches = [[0, 1], [1, 2], [], [1], [0]]
    # Each step's weights and averages by the definition: every average moves in every step.
    before = table.numpy()
    average = None
    for words in batches:
        optimizer.apply(
            [_slices(words, np.ones((len(words), DIMENSION))), np.zeros(DIMENSION, np.float32)]
        )
        after = table.numpy()
        changed = (after != before).any(axis=1)
        assert changed.nonzero()[0].tolist() == words
        average = after if average is None else 0.9 * average + 0.1 * after
        before = after
    optimizer.use_averages(variables)
    np.testing.assert_allclose(table.numpy(), average, rtol=1e-5, atol=1e-7)
    assert not np.allclose(average, after)
    optimizer.use_averages(variables)  # nothing more has happened
    np.testing.assert_allclose(table.numpy(), average, rtol=1e-5, atol=1e-7)


def test_a_word_that_comes_twice_has_the_sum_of_its_gradients():
    once, twice = _variables(), _variables()
    optimizers = [_row_adam(variables) for variables in (once, twice)]
    for _ in range(2):
        optimizers[0].apply(
            [_slices([4, 1], [[3, 1, 0], [1, 1, 1]]), np.zeros(DIMENSION, np.float32)]
        )
        optimizers[1].apply(
            [
                _slices([4, 1, 4], [[1, 1, 1], [1, 1, 1], [2, 0, -1]]),
                np.zeros(DIMENSION, np.float32),
            ]
        )
    np.testing.assert_array_equal(once[0], twice[0])


def test_clipping_counts_a_word_that_comes_twice_once():
    variables = _variables()
    start = variables[0].numpy()
    optimizer = _row_adam(variables, global_clipnorm=1.0)
    optimizer.apply([_slices([4, 4], [[3, 0, 0], [-3, 4, 0]]), np.zeros(DIMENSION, np.float32)])
    moment = optimizer._momentums[0].numpy()  # a tenth of the gradient [0, 4, 0], clipped to 1
    np.testing.assert_allclose(moment[4], [0, 0.1, 0], rtol=1e-5)
    assert (variables[0].numpy() != start).any(axis=1).nonzero()[0].tolist() == [4]
