"""The search: what is tried, for how long, and how it goes on after a kill."""

import dataclasses
import logging

import pytest
import tensorflow as tf

from components.checkpoints import Checkpoint
from components.epochs import Epoch
from components.errors import DataRefused, SentiflowError
from components.settings import ModelSettings, TrainSettings, TuneSettings
from components.tuning import trials as trials_module
from components.tuning.search import ConfiguredFirst, Search, search_space
from components.tuning.trials import Trials

MODEL = ModelSettings(units=100, output_dropout=0.1, embedding_dropout=0.4)
TRAIN = TrainSettings(max_epochs=3, learning_rate=0.001, batch_size=32)
CONFIGURED = {
    "units": 100,
    "batch_size": 32,
    "embedding_dropout": 0.4,
    "output_dropout": 0.1,
    "learning_rate": 0.001,
}
EPOCH_SECONDS = 20


class World:
    """Stands in for Fitting and the clock: an epoch takes 20 s, more units are better."""

    def __init__(self, fail=None):
        self.seconds = 0.0
        self.started = []  # the values of each Fitting made
        self.epochs = 0
        self.fail = fail or (lambda world: None)

    def clock(self):
        return self.seconds

    def fitting(self, data, model, train, pretrained):
        self.started.append((model, train))
        return StandIn(self, model)


class StandIn:
    def __init__(self, world, model):
        self.world, self.model, self.history = world, model, []

    def run_epoch(self):
        self.world.epochs += 1
        self.world.seconds += EPOCH_SECONDS
        self.world.fail(self.world)
        accuracy = 0.5 + self.model.units / 1000 + 0.01 * len(self.history)
        self.history.append(Epoch(1, 0.5, 0.5, 0.5, accuracy, 100.0))

    def save(self, checkpoint):
        checkpoint.save({}, [dataclasses.asdict(epoch) for epoch in self.history])

    def restore(self, checkpoint):
        if saved := checkpoint.load():
            self.history = [Epoch(**epoch) for epoch in saved[1]]


@pytest.fixture
def search(tmp_path, monkeypatch, caplog):
    """Runs a search in this world; all searches of a test have the same checkpoint."""
    caplog.set_level(logging.INFO, logger="components")

    def run(world, **tune):
        monkeypatch.setattr(trials_module, "Fitting", world.fitting)
        settings = TuneSettings(**{"units": (64, 256), "max_trials": 4, **tune})
        checkpoint = Checkpoint(str(tmp_path / "checkpoints"), {"run": 1})
        trials = Trials(None, MODEL, TRAIN, None, checkpoint, settings.max_minutes, world.clock)
        oracle = ConfiguredFirst(trials, settings, search_space(settings, MODEL, TRAIN))
        tuner = Search(oracle, trials, str(tmp_path / "keras_tuner"))
        tuner.search()
        return tuner

    return run


def tried(tuner):
    return [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]


def test_the_space_is_widened_to_hold_the_configured_values():
    tune = TuneSettings(
        units=(64, 128), embedding_dropout=None, output_dropout=(0.2, 0.6), batch_size=(16, 8)
    )
    space = {p["config"]["name"]: p for p in search_space(tune, MODEL, TRAIN).get_config()["space"]}
    assert sorted(space) == ["batch_size", "learning_rate", "output_dropout", "units"]
    assert space["units"]["config"]["values"] == [64, 100, 128]
    assert space["batch_size"]["config"]["values"] == [8, 16, 32]
    dropout, rate = space["output_dropout"]["config"], space["learning_rate"]["config"]
    assert (dropout["min_value"], dropout["max_value"], dropout["sampling"]) == (0.1, 0.6, "linear")
    assert (rate["min_value"], rate["max_value"], rate["sampling"]) == (0.0005, 0.01, "log")
    assert {name: p["config"]["default"] for name, p in space.items()} == {
        "units": 100,
        "batch_size": 32,
        "output_dropout": 0.1,
        "learning_rate": 0.001,
    }


def test_the_configured_values_come_first_and_the_best_win(search, caplog):
    world = World()
    tuner = search(world)
    values = tried(tuner)
    assert values[0] == CONFIGURED
    assert len({str(v) for v in values}) == 4
    for v in values[1:]:
        assert v["units"] in (64, 100, 256) and v["batch_size"] in (32, 64, 128)
        assert 0.2 <= v["embedding_dropout"] <= 0.7 and 0.1 <= v["output_dropout"] <= 0.7
        assert 0.0005 <= v["learning_rate"] <= 0.01
    assert [(m.units, t.batch_size) for m, t in world.started] == [
        (v["units"], v["batch_size"]) for v in values
    ]
    best = tuner.get_best_hyperparameters()[0].values
    assert best["units"] == max(v["units"] for v in values) == 256
    lines = [line for line in caplog.messages if line.startswith("trial ")]
    assert len(lines) == 4
    assert lines[0] == (
        "trial 1/4  units 100  batch size 32  embedding dropout 0.4  output dropout 0.1  "
        "learning rate 0.001  eval 62.0 %  (best 62.0 %)"
    )
    assert lines[-1].endswith("(best 77.6 %)")


def test_equal_trials_leave_the_configured_values(search):
    tuner = search(World(), units=None)
    assert len(tried(tuner)) == 4
    assert tuner.get_best_hyperparameters()[0].values == {
        name: value for name, value in CONFIGURED.items() if name != "units"
    }


def test_the_seed_decides_what_is_tried(search):
    first, again, other = search(World()), search(World()), search(World(), seed=2)
    assert tried(first) == tried(again) != tried(other)


def test_no_trial_starts_when_the_time_is_over_and_none_goes_on(search):
    world = World()  # a trial takes 60 s: the third is cut after its first epoch
    tuner = search(world, max_minutes=2.3)
    assert len(tried(tuner)) == 3
    assert world.epochs == 3 + 3 + 1
    assert world.seconds == 140


def test_there_is_one_trial_however_short_the_time(search):
    world = World()
    tuner = search(world, max_minutes=0.001)
    assert tried(tuner) == [CONFIGURED]
    assert world.epochs == 1


def kill_in_epoch(number):
    def kill(world):
        if world.epochs == number:
            raise KeyboardInterrupt

    return kill


def test_a_killed_search_repeats_no_epoch_and_ends_the_same(search, tmp_path):
    whole = search(World(), max_minutes=3.5)
    killed = World(kill_in_epoch(3 + 3 + 2))  # in the second epoch of the third trial
    with pytest.raises(KeyboardInterrupt):
        search(killed, max_minutes=3.5)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    world = World()
    resumed = search(world, max_minutes=3.5)
    assert tried(resumed) == tried(whole)
    assert [model.units for model, _ in world.started] == [v["units"] for v in tried(whole)[2:]]
    # Two epochs of the third trial; of the fourth all, as the first of the third is not in the sum.
    assert world.epochs == 2 + 3
    assert resumed.oracle.get_best_trials()[0].score == whole.oracle.get_best_trials()[0].score


def test_nothing_is_left_of_a_finished_search(search, tmp_path):
    search(World())
    assert list((tmp_path / "checkpoints").iterdir()) == []


def diverge(world):
    raise SentiflowError("training diverged: in epoch 1 the loss is nan")


def run_out_of_memory(world):
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\na tensor")


@pytest.mark.parametrize(
    ("fail", "problem"),
    [
        (diverge, "training diverged: in epoch 1 the loss is nan"),
        (run_out_of_memory, "OOM when allocating a tensor"),
    ],
)
def test_a_trial_that_cannot_be_trained_is_passed_over(search, caplog, fail, problem):
    world = World(lambda world: fail(world) if world.epochs == 1 else None)
    tuner = search(world)
    assert len(tried(tuner)) == 4
    assert tuner.get_best_hyperparameters()[0].values != CONFIGURED
    [line] = [line for line in caplog.messages if line.startswith("trial 1/4")]
    assert line.endswith(f"learning rate 0.001  failed: {problem}")


def test_when_no_trial_can_be_trained_the_last_problem_is_told(search):
    with pytest.raises(SentiflowError) as failure:
        search(World(diverge))
    assert str(failure.value) == (
        "none of 4 trials could be trained; last: training diverged: in epoch 1 the loss is nan"
    )


def test_an_error_that_every_trial_would_meet_ends_the_search(search):
    def refuse(world):
        raise DataRefused("split 'eval' has no rows")

    world = World(refuse)
    with pytest.raises(DataRefused, match="split 'eval' has no rows"):
        search(world)
    assert world.epochs == 1
