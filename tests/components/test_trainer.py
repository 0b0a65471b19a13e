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
from components.errors import DataRefused, SentiflowError
from components.model import build_model
from components.settings import ModelSettings, TrainSettings
from components.trainer import TrainingData, _class_weights, train
from tests.components.examples import write_examples

MAX_LENGTH = 6
SMALL = ModelSettings(embedding_dim=8, units=8, output_dropout=0.2, embedding_dropout=0.1)
QUICK = TrainSettings(batch_size=8, max_epochs=5, patience=None, learning_rate=0.01)


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


def _train(data, tmp_path, model=SMALL, settings=QUICK):
    checkpoint = Checkpoint(str(tmp_path / "checkpoints"), {})
    weights = train(data, model, settings, str(tmp_path / "run"), checkpoint)
    return weights, json.loads((tmp_path / "run" / "history.json").read_text())


@pytest.mark.parametrize("pooling", ["last", "max"])
def test_learns_and_says_so(data, tmp_path, caplog, pooling):
    caplog.set_level(logging.INFO)
    model = SMALL.model_copy(update={"pooling": pooling})
    _, history = _train(data, tmp_path, model, QUICK.model_copy(update={"max_epochs": 12}))
    assert [epoch["steps"] for epoch in history] == [15 * n for n in range(1, 13)]
    assert max(epoch["eval_accuracy"] for epoch in history) >= 0.95
    assert history[-1]["loss"] < 0.3 < history[0]["loss"]
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if line.startswith("epoch ")]) == 12
    assert any(line.startswith("epoch 1/12  loss 0.") for line in lines)


def test_gives_the_weights_of_the_best_epoch(data, tmp_path):
    weights, history = _train(data, tmp_path)
    model = build_model(SMALL, vocabulary_size=20, classes=2)
    model.set_weights(weights)
    rows = _rows(30)
    right = [int(np.argmax(model(np.array([ids])))) == label_id for ids, label_id in rows]
    assert np.mean(right) == pytest.approx(max(epoch["eval_accuracy"] for epoch in history))


def test_the_same_seed_gives_the_same_weights(data, tmp_path):
    two = QUICK.model_copy(update={"max_epochs": 2})
    first, _ = _train(data, tmp_path / "1", settings=two)
    again, _ = _train(data, tmp_path / "2", settings=two)
    other, _ = _train(data, tmp_path / "3", settings=two.model_copy(update={"seed": 2}))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert any(not np.allclose(a, b, atol=1e-2) for a, b in zip(first, other, strict=True))


def test_max_steps_ends_within_an_epoch(data, tmp_path):
    settings = QUICK.model_copy(update={"max_epochs": None, "max_steps": 20})
    _, history = _train(data, tmp_path, settings=settings)
    assert [epoch["steps"] for epoch in history] == [15, 20]


def test_stops_early(data, tmp_path):
    settings = QUICK.model_copy(update={"patience": 1, "learning_rate": 1e-9})
    _, history = _train(data, tmp_path, settings=settings)
    assert len(history) < 5


def test_mixed_precision_and_weight_decay_and_clipping_train(data, tmp_path):
    settings = QUICK.model_copy(
        update={"mixed_precision": True, "weight_decay": 0.01, "clip_norm": 1.0, "max_epochs": 3}
    )
    weights, history = _train(data, tmp_path, settings=settings)
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(weight.dtype == np.float32 for weight in weights)


def test_divergence_is_said_in_words(data, tmp_path):
    settings = QUICK.model_copy(update={"learning_rate": 1e38})
    with pytest.raises(
        SentiflowError, match=r"training diverged: in epoch \d.*train.learning_rate"
    ):
        _train(data, tmp_path, settings=settings)


def test_an_empty_split_is_refused(data, tmp_path):
    empty = write_examples(tmp_path / "empty.gz", [], MAX_LENGTH)
    without_eval = TrainingData(data.train_files, [empty], MAX_LENGTH, 20, 2)
    with pytest.raises(DataRefused, match="split 'eval' has no rows"):
        _train(without_eval, tmp_path)


def test_class_weights_make_classes_count_the_same():
    balanced = TrainSettings(class_weights="balanced")
    assert _class_weights([10, 30], balanced) == {0: 2.0, 1: pytest.approx(2 / 3)}
    assert _class_weights([10, 30], TrainSettings()) is None


KILLED = """
    import os, signal, sys
    from components.checkpoints import Checkpoint
    from components.settings import ModelSettings, TrainSettings
    from components.trainer import TrainingData, train

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


def test_a_killed_run_goes_on_and_ends_the_same(data, tmp_path, caplog):
    script = KILLED.format(
        train=data.train_files[0],
        eval=data.eval_files[0],
        model=SMALL.model_dump(),
        settings=QUICK.model_dump(),
        run=str(tmp_path / "resumed" / "killed-run"),
        root=str(tmp_path / "resumed" / "checkpoints"),
    )
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    caplog.set_level(logging.INFO)
    resumed, resumed_history = _train(data, tmp_path / "resumed")
    lines = [record.getMessage() for record in caplog.records]
    assert "resuming after epoch 2" in lines
    assert [line[:9] for line in lines if line.startswith("epoch ")] == [
        "epoch 3/5",
        "epoch 4/5",
        "epoch 5/5",
    ]

    whole, whole_history = _train(data, tmp_path / "whole")
    for a, b in zip(resumed, whole, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    for a, b in zip(resumed_history, whole_history, strict=True):
        assert a["steps"] == b["steps"]
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-4)
        assert a["eval_loss"] == pytest.approx(b["eval_loss"], abs=1e-4)


def test_a_finished_run_is_not_trained_again(data, tmp_path, caplog):
    first, _ = _train(data, tmp_path)
    caplog.set_level(logging.INFO)
    again, history = _train(data, tmp_path)
    assert len(history) == 5
    assert not [record for record in caplog.records if record.getMessage().startswith("epoch ")]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
