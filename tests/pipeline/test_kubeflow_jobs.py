"""The packages for batch predictions and for drift, read back."""

import json

import pytest

from components.errors import UsageError
from pipeline.config import load_config
from pipeline.kubeflow_runner import compile_package
from tests.pipeline.kubeflow_rules import problems, read_package

SETTINGS = (
    "data.path=/sentiflow/data",
    "serving.request_log.path=/sentiflow/requests/requests.jsonl",
)
SECRET = "sentiflow-metadata"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    config = load_config(None, SETTINGS)
    for package in ("train", "batch", "drift"):
        compile_package(config, folder / f"{package}.yaml", package)
    return {path.stem: read_package(path) for path in folder.iterdir()}


def defaults(spec):
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    return {name: parameter["defaultValue"] for name, parameter in parameters.items()}


@pytest.mark.parametrize("package", ["batch", "drift"])
def test_nothing_that_kubeflow_pipelines_rejects_or_ignores(packages, package):
    assert problems(*packages[package]) == []


def test_a_training_on_gpus_within_drift(tmp_path):
    path = tmp_path / "drift.yaml"
    compile_package(load_config(None, (*SETTINGS, "kubeflow.gpu.count=1")), path, "drift")
    spec, platforms = read_package(path)
    assert problems(spec, platforms) == []
    assert (
        "accelerator"
        in spec["deploymentSpec"]["executors"]["exec-trainer-gpu"]["container"]["resources"]
    )


def test_batch_is_one_task(packages):
    spec, platforms = packages["batch"]
    assert spec["pipelineInfo"]["name"] == "sentiflow-batch"
    assert list(spec["root"]["dag"]["tasks"]) == ["batch"]
    assert defaults(spec) == {
        "input": "", "output": "/sentiflow/predictions", "model": "", "overrides": "",
    }  # fmt: skip
    assert SECRET not in json.dumps(platforms)  # it needs no metadata database
    assert "/sentiflow" in json.dumps(platforms)  # but the volume


def test_parameters_of_drift(packages):
    assert defaults(packages["drift"][0]) == {
        "log": "/sentiflow/requests/requests.jsonl", "data": "", "version": 0.0, "retrain": False,
        "data_path": "/sentiflow/data", "epochs": 0.0, "overrides": "",
    }  # fmt: skip


def test_drift_shows_its_page_and_fails_nothing(packages):
    outputs = packages["drift"][0]["components"]["comp-drift"]["outputDefinitions"]
    kinds = {name: of["artifactType"]["schemaTitle"] for name, of in outputs["artifacts"].items()}
    assert kinds == {
        "page": "system.HTML", "report": "system.Artifact", "measures": "system.Metrics"
    }  # fmt: skip
    assert set(outputs["parameters"]) == {"drifted", "train"}


def test_training_starts_only_when_drift_asks_for_it(packages):
    spec, _ = packages["drift"]
    assert set(spec["root"]["dag"]["tasks"]) == {"drift", "condition-1"}
    condition = spec["root"]["dag"]["tasks"]["condition-1"]
    assert condition["dependentTasks"] == ["drift"]
    assert condition["triggerPolicy"]["condition"].endswith("-train'] == 'true'")
    [training] = spec["components"]["comp-condition-1"]["dag"]["tasks"].values()
    assert training["componentRef"]["name"] == "comp-sentiflow"


def test_the_training_is_the_training_package(packages):
    """The same tasks, in the same order, in the same containers."""
    (alone, alone_platforms), (within, platforms) = packages["train"], packages["drift"]
    nested = within["components"]["comp-sentiflow"]["dag"]["tasks"]
    assert nested.keys() == alone["root"]["dag"]["tasks"].keys() == {"report", "exit-handler-1"}
    assert nested["report"]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}

    def containers(spec):
        executors = spec["deploymentSpec"]["executors"]
        return {name: executor for name, executor in executors.items() if name != "exec-drift"}

    assert containers(within) == containers(alone)

    def order(spec):
        return {
            name: task.get("dependentTasks")
            for name, task in spec["components"]["comp-exit-handler-1"]["dag"]["tasks"].items()
        }

    assert order(within) == order(alone)
    pods = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    drift = pods.pop("exec-drift")
    assert pods == alone_platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert SECRET in json.dumps(pods)
    assert SECRET not in json.dumps(drift)


@pytest.mark.parametrize("package", ["batch", "drift"])
def test_a_bucket_is_refused(tmp_path, package):
    bucket = ("kubeflow.root=gs://bucket/folder", "kubeflow.volume_claim=null")
    with pytest.raises(UsageError, match="mounted volume"):
        compile_package(load_config(None, bucket), tmp_path / "p.yaml", package)
