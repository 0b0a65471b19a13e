"""The pipeline with the Tuner: its best values are what is trained, and everything is cached."""

import json

import pytest

from pipeline.local_runner import run_pipeline
from tests.e2e.made_up import LABELS, run_json, small_config, write_splits

pytestmark = pytest.mark.e2e

# As configured it hardly learns in three epochs; the second trial has 12 units and a rate of 0.022.
TUNE = (
    "tune.enabled=true",
    "tune.max_trials=2",
    "tune.max_epochs=3",
    "tune.units=[12]",
    "tune.learning_rate=[0.02, 0.05]",
    "tune.embedding_dropout=null",
    "tune.output_dropout=null",
    "tune.batch_size=null",
    "tune.seed=5",
    "train.learning_rate=0.001",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_splits(tmp_path_factory.mktemp("data") / "films", LABELS)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def config():
    return small_config(None, LABELS, *TUNE)


@pytest.fixture(scope="module")
def fresh(data, workdir, config):
    return run_pipeline(config, str(data), workdir)


def test_the_best_values_are_those_of_the_served_model(fresh, workdir):
    order = [step.id for step in fresh.steps]
    assert order.index("Transform") < order.index("Tuner") < order.index("Trainer")
    assert {step.state for step in fresh.steps} == {"run"}
    tuning = run_json(workdir)["tuning"]
    configured, tuned = tuning["trials"]
    assert configured["values"] == {"units": 8, "learning_rate": 0.001}
    assert tuned["values"] == {"units": 12, "learning_rate": pytest.approx(0.02228, abs=1e-5)}
    assert tuned["accuracy"] > configured["accuracy"]
    assert tuning["best"] == tuned
    info = workdir / "serving/sentiment/1/assets.extra/sentiflow.json"
    exported = json.loads(info.read_text("utf-8"))["config"]
    assert exported["model"]["units"] == 12
    assert exported["train"]["learning_rate"] == tuned["values"]["learning_rate"]
    assert exported["train"]["max_epochs"] == 8  # those of a trial are the Tuner's affair
    [log] = (workdir / "logs").glob("*.log")
    text = log.read_text("utf-8")
    assert "trial 1/2  units 8  learning rate 0.001  eval " in text
    assert "trial 2/2  units 12  learning rate 0.0223  eval " in text
    assert "from the Tuner: units 12  learning rate 0.0223" in text
    assert list((workdir / "checkpoints").iterdir()) == []


def test_second_run_takes_everything_from_the_cache(fresh, data, workdir, config):
    record = run_pipeline(config, str(data), workdir)
    assert [step.id for step in record.steps if step.state == "run"] == ["Resolver"]
    assert record.tuning == fresh.tuning
