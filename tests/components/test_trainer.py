"""Training: it learns, stops, keeps the best, and goes on where it was killed."""

import json
import logging
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from components.checkpoints import Checkpoint
from components.epochs import finished
from components.errors import DataRefused, SentiflowError, UsageError
from components.fitting import Fitting, TrainingData, _batches_per_epoch, _class_weights
from components.model import build_model
from components.settings import ModelSettings, TrainSettings
from components.trainer import train
from tests.components.examples import write_examples

MAX_LENGTH = 6
SMALL = ModelSettings(embedding_dim=8, units=8, output_dropout=0.2, embedding_dropout=0.1)
QUICK = TrainSettings(
    batch_size=8, max_epochs=5, patience=None, learning_rate=0.01, ema_momentum=0.5
)


def _rows(count: int) -> list[tuple[list[int], int]]:
    """Sentences whose class is told by one word: 2 says class 0, 3 says class 1."""
    random = np.random.default_rng(5)
    rows = []
    for row in range(count):
        ids = random.integers(4, 20, size=random.integers(1, MAX_LENGTH + 1)).tolist()
        ids[random.integers(len(ids))] = 2 + row % 2
        rows.append((ids, row % 2))
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    return TrainingData(
        train_files=[write_examples(folder / "train" / "data.gz", _rows(120), MAX_LENGTH)],
        eval_files=[write_examples(folder / "eval" / "data.gz", _rows(30), MAX_LENGTH)],
        max_length=MAX_LENGTH,
        vocabulary_size=20,
        classes=2,
    )


def _train(data, folder, settings=QUICK, model=SMALL):
    checkpoint = Checkpoint(str(folder / "checkpoints"), {})
    weights = train(data, model, settings, str(folder / "run"), checkpoint)
    return weights, json.loads((folder / "run" / "history.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(data, folder):
    """The weights and the history of an uninterrupted run."""
    return _train(data, folder)


def test_learns(whole):
    _, history = whole
    assert [epoch["steps"] for epoch in history] == [15, 30, 45, 60, 75]
    assert max(epoch["eval_accuracy"] for epoch in history) >= 0.9
    assert history[-1]["loss"] < 0.4 < history[0]["loss"]
    assert all(epoch["sentences_per_second"] > 1 for epoch in history)


def test_gives_the_weights_of_the_best_epoch(whole):
    weights, history = whole
    model = build_model(SMALL, vocabulary_size=20, classes=2)
    model.set_weights(weights)
    right = [np.argmax(model(np.array([ids]))) == label_id for ids, label_id in _rows(30)]
    assert np.mean(right) == pytest.approx(max(epoch["eval_accuracy"] for epoch in history))


def test_a_finished_run_is_not_trained_again(data, folder, whole, caplog):
    caplog.set_level(logging.INFO)
    weights, history = _train(data, folder)
    assert not [record for record in caplog.records if record.getMessage().startswith("epoch ")]
    assert history == whole[1]
    for again, first in zip(weights, whole[0], strict=True):
        np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_max_steps_ends_within_an_epoch_with_every_option_on(data, tmp_path, clip_norm):
    settings = TrainSettings(
        batch_size=8,
        max_epochs=None,
        max_steps=20,
        learning_rate=0.01,
        weight_decay=0.01,
        clip_norm=clip_norm,
        ema_momentum=0.5,
        class_weights="balanced",
        mixed_precision=True,
    )
    model = SMALL.model_copy(update={"pooling": "mean", "bidirectional": True})
    weights, history = _train(data, tmp_path, settings, model)
    assert [epoch["steps"] for epoch in history] == [15, 20]
    assert history[1]["loss"] < history[0]["loss"]
    assert {weight.dtype for weight in weights} == {np.dtype(np.float32)}


@pytest.mark.parametrize("max_steps", [20, 33])
def test_no_step_more_is_taken_than_wanted(data, max_steps):
    settings = QUICK.model_copy(update={"max_epochs": None, "max_steps": max_steps})
    fitting = Fitting(data, SMALL, settings)
    while not finished(fitting.history, settings):
        fitting.run_epoch()
    assert fitting.history[-1].steps == max_steps
    assert int(fitting._model.optimizer.iterations.numpy()) == max_steps


def test_divergence_is_said_in_words(data, tmp_path):
    settings = QUICK.model_copy(update={"learning_rate": 1e38})
    with pytest.raises(
        SentiflowError, match=r"training diverged: in epoch \d.*train.learning_rate"
    ):
        _train(data, tmp_path, settings)


def test_an_empty_split_is_refused(data, tmp_path):
    empty = write_examples(tmp_path / "empty.gz", [], MAX_LENGTH)
    without_eval = TrainingData(data.train_files, [empty], MAX_LENGTH, 20, 2)
    with pytest.raises(DataRefused, match="split 'eval' has no rows"):
        _train(without_eval, tmp_path)


def test_class_weights_make_classes_count_the_same():
    balanced = TrainSettings(class_weights="balanced")
    assert _class_weights([10, 30], balanced) == {0: 2.0, 1: pytest.approx(2 / 3)}
    assert _class_weights([10, 30], TrainSettings()) is None


def test_batches_per_epoch():
    assert _batches_per_epoch(rows=65, batch_size=64, replicas=1) == 2
    assert _batches_per_epoch(rows=10, batch_size=64, replicas=1) == 1
    assert _batches_per_epoch(rows=65, batch_size=64, replicas=2) == 1


@pytest.mark.parametrize("rows", [65, 1000])
def test_a_batch_that_several_gpus_cannot_share_is_refused(rows):
    with pytest.raises(UsageError, match=f"multiple of the 3 GPUs and at most the {rows} rows"):
        _batches_per_epoch(rows=rows, batch_size=66 if rows == 65 else 64, replicas=3)


ON_TWO_DEVICES = """
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from components import fitting
    from components.settings import ModelSettings, TrainSettings

    fitting._strategy = lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    data = fitting.TrainingData([{train!r}], [{eval!r}], 6, 20, 2)
    run = fitting.Fitting(data, ModelSettings(**{model!r}), TrainSettings(**{settings!r}))
    first, second = run.run_epoch(), run.run_epoch()
    assert (first.steps, second.steps) == (7, 14), (first, second)  # 120 rows in full batches
    assert second.loss < first.loss, (first, second)
    optimizer = run._model.optimizer
    averages = optimizer._model_variables_moving_average[optimizer._table_index]
    for table in (run._model.get_layer("embedding").trained, averages, optimizer._updated):
        ours, theirs = table.value.values
        tf.debugging.assert_equal(ours, theirs)
    assert optimizer._updated.numpy().max() == 14
"""


def test_trains_on_two_devices(data, tmp_path):
    """Two logical CPU devices stand in for two GPUs."""
    done = _run_script(ON_TWO_DEVICES, data, tmp_path, {"batch_size": 16, "learning_rate": 0.01})
    assert done.returncode == 0, done.stderr.decode()


def _run_script(script, data, folder, settings):
    filled = textwrap.dedent(script).format(
        train=data.train_files[0],
        eval=data.eval_files[0],
        model=SMALL.model_dump(),
        settings=settings,
        run=str(folder / "run"),
        root=str(folder / "checkpoints"),
    )
    return subprocess.run([sys.executable, "-c", filled], capture_output=True)


KILLED = """
    import os, signal, sys
    from components.checkpoints import Checkpoint
    from components.settings import ModelSettings, TrainSettings
    from components.fitting import TrainingData
    from components.trainer import train

    class KilledAfterTwoEpochs(Checkpoint):
        def save(self, arrays, state):
            super().save(arrays, state)
            if len(state) == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    train(
        TrainingData([{train!r}], [{eval!r}], 6, 20, 2),
        ModelSettings(**{model!r}),
        TrainSettings(**{settings!r}),
        {run!r},
        KilledAfterTwoEpochs({root!r}, {{}}),
    )
"""


def test_a_killed_run_goes_on_and_ends_the_same(data, whole, tmp_path, caplog):
    killed = _run_script(KILLED, data, tmp_path, QUICK.model_dump())
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    caplog.set_level(logging.INFO)
    weights, history = _train(data, tmp_path)
    lines = [record.getMessage() for record in caplog.records]
    assert "resuming after epoch 2" in lines
    assert [line[:9] for line in lines if line.startswith("epoch ")] == [
        "epoch 3/5",
        "epoch 4/5",
        "epoch 5/5",
    ]
    for resumed, uninterrupted in zip(weights, whole[0], strict=True):
        np.testing.assert_allclose(resumed, uninterrupted, atol=1e-4)
    for resumed, uninterrupted in zip(history, whole[1], strict=True):
        del resumed["sentences_per_second"]
        assert resumed == pytest.approx({name: uninterrupted[name] for name in resumed}, abs=1e-4)
