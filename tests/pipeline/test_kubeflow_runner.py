"""The compiled package, read back: what Kubeflow Pipelines would see."""

import copy
import json
import os
import subprocess
import sys

import pytest

from components.errors import UsageError
from pipeline.config import load_config
from pipeline.kubeflow import node_ir
from pipeline.kubeflow.database import CREDENTIALS
from pipeline.kubeflow_runner import compile_package
from tests.pipeline.kubeflow_rules import problems, read_package

GPU = (
    "kubeflow.gpu.count=2",
    "tune.enabled=true",
    "kubeflow.gpu.node_selector={accelerator: a100}",
    "kubeflow.nodes.Trainer={cpu: '8', memory: 32Gi, timeout_minutes: 600}",
    "kubeflow.nodes.Transform={retries: 0}",
    "kubeflow.pods.node_selector={pool: cpu}",
    "data.path=/sentiflow/data",
)
PASSWORD = "not-in-the-package-91c2"


def compiled(folder, *overrides):
    path = folder / "pipeline.yaml"
    compile_package(load_config(None, overrides), path)
    return path


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A package without and one with GPUs, compiled where the credentials are known."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CREDENTIALS.values():
            patch.setenv(name, PASSWORD)
        plain = compiled(tmp_path_factory.mktemp("plain"))
        gpu = compiled(tmp_path_factory.mktemp("gpu"), *GPU)
    return {"plain": plain, "gpu": gpu}


@pytest.fixture(scope="module")
def plain(packages):
    return read_package(packages["plain"])


@pytest.fixture(scope="module")
def gpu(packages):
    return read_package(packages["gpu"])


@pytest.mark.parametrize("kind", ["plain", "gpu"])
def test_nothing_that_kubeflow_pipelines_rejects_or_ignores(packages, kind):
    assert problems(*read_package(packages[kind])) == []


def break_executor_kind(spec, platforms):
    spec["deploymentSpec"]["executors"]["exec-resolver"] = {"importer": {"artifactUri": {}}}


def break_schema_version(spec, platforms):
    spec["schemaVersion"] = "2.0.0"


def break_task_name(spec, platforms):
    tasks = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    tasks["DataGate"] = tasks.pop("data-gate")


def break_default(spec, platforms):
    del spec["root"]["inputDefinitions"]["parameters"]["data_path"]["defaultValue"]


def break_argument_size(spec, platforms):
    spec["deploymentSpec"]["executors"]["exec-transform"]["container"]["args"].append("x" * 20_000)


def break_gpu(spec, platforms):
    container = spec["deploymentSpec"]["executors"]["exec-transform"]["container"]
    container["resources"]["accelerator"] = {"type": "nvidia.com/gpu", "count": "1"}


def break_cache(spec, platforms):
    tasks = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    tasks["pusher"]["cachingOptions"] = {"enableCache": True}


def break_field(spec, platforms):
    spec["notOfThisVersion"] = {}


def break_platform_field(spec, platforms):
    executors = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    executors["exec-pusher"]["readOnlyRootFilesystem"] = True


@pytest.mark.parametrize(
    "damage, problem",
    [
        (break_executor_kind, "exec-resolver: executor kind importer"),
        (break_schema_version, "schema version 2.0.0"),
        (break_task_name, "DataGate: task name"),
        (break_default, "parameter data_path without default"),
        (break_argument_size, "exec-transform: "),
        (break_gpu, "exec-transform: asks for a GPU"),
        (break_cache, "pusher: KFP's cache is on"),
        (break_field, "not a package: "),
        (break_platform_field, "exec-pusher: platform configuration: "),
    ],
)
def test_the_rules_notice_what_breaks_them(plain, damage, problem):
    spec, platforms = copy.deepcopy(plain)
    damage(spec, platforms)
    [found] = problems(spec, platforms)
    assert found.startswith(problem)


def test_the_order_is_that_of_the_tfx_graph(plain):
    tasks = plain[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    ir = node_ir.compile_for_cluster(load_config())
    nodes = [node.pipeline_node for node in ir.nodes]
    order = {
        task["taskInfo"]["name"]: {
            tasks[name]["taskInfo"]["name"] for name in task.get("dependentTasks", [])
        }
        for task in tasks.values()
    }
    assert order == {node.node_info.id: set(node.upstream_nodes) for node in nodes}
    assert len(order) == len(ir.nodes) >= 12
    assert order["SchemaImporter"] == order["SentenceExampleGen"] == set()


def test_each_task_gets_only_its_own_node(plain):
    executors = plain[0]["deploymentSpec"]["executors"]
    arguments = executors["exec-transform"]["container"]["args"]
    ir = node_ir.unpack(arguments[arguments.index("--ir") + 1])
    assert [node.pipeline_node.node_info.id for node in ir.nodes] == ["Transform"]
    assert b"components.trainer" not in ir.SerializeToString()


def test_the_same_configuration_gives_the_same_bytes(packages, tmp_path):
    """In other processes too, whose sets and dicts of strings may be ordered otherwise."""
    code = (
        "import sys; from pathlib import Path; from pipeline.config import load_config;"
        "from pipeline.kubeflow_runner import compile_package;"
        "compile_package(load_config(None, sys.argv[2:]), Path(sys.argv[1]))"
    )
    path = tmp_path / "again.yaml"
    subprocess.run(
        [sys.executable, "-c", code, path, *GPU],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
    )
    assert path.read_bytes() == packages["gpu"].read_bytes()


@pytest.mark.parametrize("kind", ["plain", "gpu"])
def test_no_value_of_the_secret_is_in_the_package(packages, kind):
    text = packages[kind].read_text("utf-8")
    assert PASSWORD not in text
    assert "secretName: sentiflow-metadata" in text


def test_run_parameters_and_their_defaults(gpu):
    parameters = gpu[0]["root"]["inputDefinitions"]["parameters"]
    assert {name: parameter["defaultValue"] for name, parameter in parameters.items()} == {
        "data_path": "/sentiflow/data",
        "epochs": 0.0,
        "overrides": "",
    }


def test_only_tuner_and_trainer_see_a_gpu(gpu):
    spec, platforms = gpu
    executors = spec["deploymentSpec"]["executors"]
    on_gpu = {"exec-tuner-gpu", "exec-trainer-gpu"}
    for name in on_gpu:
        container = executors[name]["container"]
        accelerator = container["resources"]["accelerator"]
        found = accelerator["resourceType"], accelerator["resourceCount"]
        assert found == ("nvidia.com/gpu", "2")
        assert container["image"] == "sentiflow:gpu"
        assert "env" not in container
    for name in set(executors) - on_gpu:
        container = executors[name]["container"]
        assert container["image"] == "sentiflow:cpu"
        assert {"name": "CUDA_VISIBLE_DEVICES", "value": "-1"} in container["env"]
    configs = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert {name for name, config in configs.items() if "tolerations" in config} == on_gpu
    for name in on_gpu:
        assert configs[name]["nodeSelector"]["labels"] == {"accelerator": "a100"}
    assert configs["exec-transform"]["nodeSelector"]["labels"] == {"pool": "cpu"}


@pytest.mark.parametrize("node", ["tuner", "trainer"])
def test_the_gpu_task_only_starts_when_the_cache_has_no_outputs(gpu, node):
    group = gpu[0]["components"][f"comp-{node}"]["dag"]["tasks"]
    assert set(group) == {f"{node}-cache", "condition-1"}
    condition = group["condition-1"]
    assert condition["dependentTasks"] == [f"{node}-cache"]
    assert condition["triggerPolicy"]["condition"].endswith("-needed'] == 'true'")
    arguments = gpu[0]["deploymentSpec"]["executors"][f"exec-{node}-cache"]["container"]["args"]
    assert "--cache-only" in arguments


def test_pods_are_as_configured(gpu):
    spec, platforms = gpu
    configs = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    resources = spec["deploymentSpec"]["executors"]["exec-trainer-gpu"]["container"]["resources"]
    assert resources["resourceCpuRequest"] == "8"
    assert resources["resourceMemoryLimit"] == resources["resourceMemoryRequest"] == "32Gi"
    assert configs["exec-trainer-gpu"]["activeDeadlineSeconds"] == "36000"
    assert configs["exec-transform"]["activeDeadlineSeconds"] == "3600"
    group = spec["components"]["comp-trainer"]["dag"]["tasks"]
    not_cached = spec["components"][group["condition-1"]["componentRef"]["name"]]
    trainer = not_cached["dag"]["tasks"]["trainer-gpu"]
    assert trainer["retryPolicy"]["maxRetryCount"] == 2
    assert trainer["retryPolicy"]["backoffMaxDuration"] == f"{3 * 36000 + 30 + 60}s"
    tasks = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert tasks["pusher"]["retryPolicy"]["backoffMaxDuration"] == f"{3 * 3600 + 30 + 60}s"
    assert "retryPolicy" not in tasks["transform"]
    mount = configs["exec-transform"]["pvcMount"][0]
    assert (mount["constant"], mount["mountPath"]) == ("sentiflow", "/sentiflow")


def test_a_bucket_needs_no_volume(tmp_path):
    bucket = ("kubeflow.root=gs://bucket/folder", "kubeflow.volume_claim=null")
    spec, platforms = read_package(compiled(tmp_path, *bucket))
    assert problems(spec, platforms) == []
    assert "pvcMount" not in json.dumps(platforms)
    arguments = spec["deploymentSpec"]["executors"]["exec-trainer"]["container"]["args"]
    ir = node_ir.unpack(arguments[arguments.index("--ir") + 1])
    node_ir.fill_in(ir, "r1", "")
    root = ir.runtime_spec.pipeline_root.field_value.string_value
    assert root == "gs://bucket/folder/artifacts"


def test_the_report_runs_last_however_the_run_went(plain):
    tasks = plain[0]["root"]["dag"]["tasks"]
    assert tasks["report"]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    outputs = plain[0]["components"]["comp-report"]["outputDefinitions"]["artifacts"]
    titles = {name: output["artifactType"]["schemaTitle"] for name, output in outputs.items()}
    assert titles == {
        "page": "system.HTML",
        "record": "system.Artifact",
        "metrics": "system.Metrics",
        "confusion_matrix": "system.ClassificationMetrics",
    }


@pytest.mark.parametrize(
    "override, message",
    [
        ("kubeflow.nodes.Trayner={}", "kubeflow.nodes: no such node: Trayner; nodes: "),
    ],
)
def test_configurations_that_are_refused(tmp_path, override, message):
    with pytest.raises(UsageError, match=message):
        compiled(tmp_path, override)


def test_the_package_must_be_yaml(tmp_path):
    with pytest.raises(UsageError, match="expected a name that ends in .yaml"):
        compile_package(load_config(), tmp_path / "pipeline.json")


def test_a_path_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        compile_package(load_config(), tmp_path / "file" / "pipeline.yaml")
