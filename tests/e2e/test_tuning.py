"""The pipeline with the Tuner: its best values are what is trained, and everything is cached."""

import json

import pytest

from pipeline.local_runner import run_pipeline
from tests.e2e.made_up import LABELS, run_json, small_config, write_splits

pytestmark = pytest.mark.e2e

# As configured, it learns next to nothing: the second trial is better for sure.
TUNE = (
    "tune.enabled=true",
    "tune.max_trials=2",
    "tune.max_epochs=3",
    "tune.units=[12]",
    "tune.learning_rate=[0.02, 0.05]",
    "tune.embedding_dropout=null",
    "tune.output_dropout=null",
    "tune.batch_size=null",
    "tune.seed=4",
    "train.learning_rate=0.000001",
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
    steps = {step.id: step.state for step in fresh.steps}
    assert (
        list(steps).index("Transform") < list(steps).index("Tuner") < list(steps).index("Trainer")
    )
    assert set(steps.values()) == {"run"}
    tuning = run_json(workdir)["tuning"]
    configured, tuned = tuning["trials"]
    assert configured["values"] == {"units": 8, "learning_rate": 0.000001}
    assert tuned["accuracy"] > configured["accuracy"]
    assert tuning["best"] == tuned
    info = workdir / "serving/sentiment/1/assets.extra/sentiflow.json"
    exported = json.loads(info.read_text("utf-8"))["config"]
    assert exported["model"]["units"] == tuned["values"]["units"]
    assert exported["train"]["learning_rate"] == tuned["values"]["learning_rate"] > 0.000001
    assert exported["train"]["max_epochs"] == 8  # those of a trial are the Tuner's affair
    [log] = (workdir / "logs").glob("*.log")
    text = log.read_text("utf-8")
    assert (
        f"trial 1/2  units 8  learning rate 1e-06  eval {configured['accuracy']:.1%}"[:-1] in text
    )
    assert f"from the Tuner: units {tuned['values']['units']}  learning rate 0.0" in text
    assert list((workdir / "checkpoints").iterdir()) == []


def test_second_run_takes_everything_from_the_cache(fresh, data, workdir, config):
    record = run_pipeline(config, str(data), workdir)
    assert [step.id for step in record.steps if step.state == "run"] == ["Resolver"]
    assert record.tuning == fresh.tuning
