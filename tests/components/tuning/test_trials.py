"""A trial on real, tiny data."""

import json

import pytest

from components.checkpoints import Checkpoint
from components.fitting import TrainingData
from components.settings import ModelSettings, TrainSettings
from components.trainer import train
from components.tuning.trials import Trials
from tests.components.examples import write_examples

MODEL = ModelSettings(embedding_dim=8, units=8)
TRAIN = TrainSettings(batch_size=8, max_epochs=3, learning_rate=0.01, ema_momentum=0.5)
ROWS = [([2 + row % 2, 4 + row % 5], row % 2) for row in range(80)]  # 2 or 3 tells the class
TUNED = {"units": 12, "batch_size": 16, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    return TrainingData(
        train_files=[write_examples(folder / "train" / "data.gz", ROWS[:60], 4)],
        eval_files=[write_examples(folder / "eval" / "data.gz", ROWS[60:], 4)],
        max_length=4,
        vocabulary_size=10,
        classes=2,
    )


def test_a_trial_comes_to_what_the_trainer_comes_to(data, tmp_path):
    checkpoint = Checkpoint(str(tmp_path / "trials"), {})
    trials = Trials(data, MODEL, TRAIN, None, checkpoint, max_minutes=None)
    trials.outcome({"units": 8})  # a trial before it must not change it
    outcome = trials.outcome(TUNED)
    assert outcome.seconds > 0
    run = str(tmp_path / "run")
    tuned_model = MODEL.model_copy(update={"units": 12})
    tuned_train = TRAIN.model_copy(update={"batch_size": 16, "learning_rate": 0.02})
    train(data, tuned_model, tuned_train, run, Checkpoint(str(tmp_path / "trainer"), {}))
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert outcome.accuracy == max(epoch["eval_accuracy"] for epoch in history)
    assert outcome.accuracy > 0.6
