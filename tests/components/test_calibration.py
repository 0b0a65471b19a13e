"""Temperature scaling: the known answer is found, no answer changes, hopeless data is survived."""

import numpy as np
import pytest
import tensorflow as tf

from components.calibration import (
    COOLEST,
    HOTTEST,
    calibrate,
    calibration_error,
    fit_temperature,
    logits_of,
)


def draw(rows, classes, seed):
    """Logits, and labels that are drawn from their softmax: calibrated as they are."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (rows, classes))
    gumbel = random.gumbel(size=(rows, classes))
    return logits.astype(np.float32), (logits + gumbel).argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 3, 20])
@pytest.mark.parametrize("factor", [0.7, 1.0, 3.0])
def test_finds_by_what_calibrated_logits_were_multiplied(classes, factor):
    logits, label_ids = draw(20_000, classes, seed=classes)
    assert fit_temperature(factor * logits, label_ids) == pytest.approx(factor, rel=0.05)


def test_two_rows_of_three_by_hand():
    # A logit of log 8 says 8/9, two of three are right: 2/3 is a logit of log 2, a third of log 8.
    logits = np.array([[np.log(8), 0.0]] * 3)
    label_ids = np.array([0, 0, 1])
    assert fit_temperature(logits, label_ids) == pytest.approx(3.0, rel=1e-3)
    found = calibrate(logits, label_ids)
    assert found.error_before == pytest.approx(8 / 9 - 2 / 3)
    assert found.error_after == pytest.approx(0.0, abs=1e-3)
    assert found.rows == 3


def test_overconfident_logits_are_mended():
    logits, label_ids = draw(20_000, 4, seed=9)
    found = calibrate(2.5 * logits, label_ids)
    assert found.error_before > 0.1
    assert found.error_after < 0.02


@pytest.mark.parametrize(
    ("logits", "label_ids", "temperature"),
    [
        ([[3, 0], [0, 3], [9, 1]], [0, 1, 0], COOLEST),  # all right
        ([[3, 0], [0, 3], [9, 1]], [1, 0, 1], HOTTEST),  # all wrong
        ([[1000, 0], [0, 1000]], [1, 0], HOTTEST),
        ([[0, 0], [0, 0]], [0, 1], 1.0),  # nothing to be had
        ([[2, 1]], [0], COOLEST),  # one row
    ],
)
def test_stays_in_its_range(logits, label_ids, temperature):
    found = calibrate(np.array(logits, np.float32), np.array(label_ids))
    assert found.temperature == pytest.approx(temperature)
    assert np.isfinite([found.error_before, found.error_after]).all()


@pytest.mark.parametrize("temperature", [COOLEST, 0.77, 1.3, HOTTEST])
def test_no_answer_changes(temperature):
    logits, _ = draw(20_000, 5, seed=3)
    before = tf.argmax(tf.nn.softmax(logits), axis=1).numpy()
    after = tf.argmax(tf.nn.softmax(logits / temperature), axis=1).numpy()
    assert np.array_equal(before, after)


def test_calibration_error_by_hand():
    # 0.95 twice, one right; 0.65 once, right; certainty belongs to the last bin: one right.
    probabilities = np.array([[0.95, 0.05], [0.05, 0.95], [0.65, 0.35], [1 - 1e-16, 1e-16]])
    label_ids = np.array([0, 0, 0, 0])
    # Last bin: confidences 2.9, right 2; bin of 0.65: 0.35 apart.
    expected = (abs(2.9 - 2) + abs(0.65 - 1)) / 4
    assert calibration_error(np.log(probabilities), label_ids) == pytest.approx(expected)


def test_logits_of_all_batches_in_their_order():
    def model(ids, training):
        assert training is False
        total = tf.cast(tf.reduce_sum(ids, axis=1), tf.float32)
        return tf.stack([total, -total], axis=1)

    batches = [
        (tf.constant([[1, 2], [3, 0]], tf.int64), tf.constant([0, 1], tf.int64)),
        (tf.constant([[4]], tf.int64), tf.constant([1], tf.int64)),
    ]
    logits, label_ids = logits_of(model, batches)
    assert logits.tolist() == [[3, -3], [3, -3], [4, -4]]
    assert label_ids.tolist() == [0, 1, 1]
