"""The tasks of the batch and drift packages, with the outputs that KFP collects."""

import json
from pathlib import Path

import pytest

from components.errors import UsageError
from pipeline.config import load_config
from pipeline.kubeflow import jobs
from pipeline.kubeflow.task import Task
from tests.components.serving.tiny_model import save
from tests.pipeline.drift_sentences import FILMS, PRODUCTS, sentences, write


@pytest.fixture
def run(pushed, tmp_path):
    """Runs a job with the given run parameters; returns what each output holds."""

    def call(job, outputs, **parameters):
        config = load_config(None, (f"kubeflow.root={pushed.parent}",))
        executor_input = {
            "inputs": {"parameterValues": {"overrides": "", **parameters}},
            "outputs": {
                "artifacts": {"measures": {"artifacts": [{"name": "measures"}]}},
                "outputFile": str(tmp_path / "outputs.json"),
            },
        }
        paths = {name: str(tmp_path / "outputs" / name) for name in outputs}
        job(Task("job", ("job",), "", config.model_dump_json(), "", False, executor_input, paths))
        return {name: Path(path).read_text("utf-8") for name, path in paths.items()
                if Path(path).exists()}  # fmt: skip

    return call


DRIFT_OUTPUTS = ("page", "report", "measures", "drifted", "train")


@pytest.mark.parametrize(
    "nouns, retrain, drifted, train",
    [
        (FILMS, True, "false", "false"),
        (PRODUCTS, False, "true", "false"),
        (PRODUCTS, True, "true", "true"),
    ],
)
def test_drift_is_a_result_and_starts_the_training_if_asked_to(
    run, tmp_path, nouns, retrain, drifted, train
):
    data = write(tmp_path / "new.csv", sentences(nouns, 300, seed=5))
    found = run(jobs.run_drift_job, DRIFT_OUTPUTS, log="", data=data, version=0, retrain=retrain)
    assert (found["drifted"], found["train"]) == (drifted, train)
    assert found["page"].startswith("<!doctype html>")
    assert json.loads(found["report"])["drifted"] is (drifted == "true")
    stated = json.loads((tmp_path / "outputs.json").read_text())["artifacts"]["measures"]
    assert stated["artifacts"][0]["metadata"].keys() == {
        "length", "unknown", "labels", "confidence", "words",
    }  # fmt: skip


def test_too_few_rows_start_nothing(run, tmp_path):
    data = write(tmp_path / "new.csv", sentences(PRODUCTS, 20, seed=5))
    found = run(jobs.run_drift_job, DRIFT_OUTPUTS, log="", data=data, version=0, retrain=True)
    assert (found["drifted"], found["train"]) == ("false", "false")


@pytest.mark.parametrize("given", [{"log": "", "data": ""}, {"log": "a", "data": "b"}])
def test_drift_needs_a_log_or_data(run, given):
    with pytest.raises(UsageError, match="either log or data"):
        run(jobs.run_drift_job, DRIFT_OUTPUTS, version=0, retrain=False, **given)


def test_batch_predicts_with_the_served_version_or_another(run, tmp_path):
    write(tmp_path / "a b.csv", ["good", "awful"])
    given = {"input": f"'{tmp_path}/a b.csv'", "output": str(tmp_path / "out")}
    found = run(jobs.run_batch_job, ("summary",), model="", **given)
    assert json.loads(found["summary"])["predicted"] == 2
    save(tmp_path / "other" / "model", bias=-4.0)
    given["output"] = str(tmp_path / "out2")
    run(jobs.run_batch_job, ("summary",), model=str(tmp_path / "other" / "model"), **given)
    [file] = (tmp_path / "out2").glob("*.jsonl")
    answers = [json.loads(line)["label"] for line in file.read_text("utf-8").splitlines()]
    assert answers == ["negative", "negative"]


def test_batch_needs_input(run, tmp_path):
    with pytest.raises(UsageError, match="input: expected files"):
        run(jobs.run_batch_job, ("summary",), input="", output=str(tmp_path / "out"), model="")


def test_batch_does_not_write_to_a_bucket(run, tmp_path):
    write(tmp_path / "a.csv", ["good"])
    with pytest.raises(UsageError, match="gs://bucket/out: expected a folder of this machine"):
        given = {"input": str(tmp_path / "a.csv"), "output": "gs://bucket/out", "model": ""}
        run(jobs.run_batch_job, ("summary",), **given)
