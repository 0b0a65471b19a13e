"""The compiled package, run task by task through kfp.local: the whole pipeline on real sentences.

The tests share one metadata database and one folder, as the runs of a cluster do, and build on each
other in the order of this file.
"""

import json
import signal

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.config import load_config
from pipeline.kubeflow.database import CREDENTIALS, mysql_connection, open_store
from pipeline.kubeflow_runner import compile_package
from pipeline.lineage import trace
from tests.kubeflow.local_kfp import Interruption

pytestmark = pytest.mark.kubeflow

Execution = metadata_store_pb2.Execution
SETTINGS = (
    "vectors.package=null",
    "model.units=16",
    "model.embedding_dim=32",
    "train.max_epochs=2",
    "train.learning_rate=0.01",
    "train.ema_momentum=0",
    "evaluate.max_accuracy_drop=null",
    "serve_check.requests=20",
    "serve_check.p99_ms=5000",
)
NODES = [
    "SchemaImporter", "SentenceExampleGen", "StatisticsGen", "ExampleValidator", "DataGate",
    "LinearBaseline", "Transform", "Trainer", "Resolver", "Evaluator", "ProfileGen",
    "ServeCheck", "Pusher",
]  # fmt: skip


@pytest.fixture(scope="module")
def package(cluster, tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "pipeline.yaml"
    data = f"data.path={cluster.shared}/data/sentences.tsv"
    root = f"kubeflow.root={cluster.shared}"
    compile_package(load_config(None, (*SETTINGS, data, root)), path)
    return path


@pytest.fixture(scope="module")
def states(secret):
    """Maps the nodes of a run to the states of their executions."""
    store = ml_metadata.MetadataStore(mysql_connection(secret))

    def states_of(run_id):
        context = store.get_context_by_type_and_name("pipeline_run", run_id)
        types = {t.id: t.name.rpartition(".")[2] for t in store.get_execution_types()}
        found = {}
        for execution in store.get_executions_by_context(context.id):
            state = Execution.State.Name(execution.last_known_state)
            found.setdefault(types[execution.type_id], []).append(state)
        return found

    return states_of


def ended(results):
    """Maps each task's node to its exit code; shows the log of a task that failed."""
    for result in results:
        if result.exit_code:
            print(f"--- {result.node}\n{result.log}")
    return {result.node: result.exit_code for result in results}


def output_file(cluster, task, name):
    """The newest output of a task."""
    files = (cluster.shared / "kfp").glob(f"*/{task}/{name}")
    return max(files, key=lambda file: file.stat().st_mtime)


def served_versions(cluster):
    folder = cluster.shared / "serving" / "sentiment"
    return sorted(int(version.name) for version in folder.iterdir() if version.name.isdecimal())


def test_first_run_pushes_a_model(cluster, package, states):
    results = cluster.run(package)
    assert ended(results) == {**dict.fromkeys(NODES, 0), "report": 0}
    assert states(results[0].run_id) == dict.fromkeys(NODES, ["COMPLETE"])
    assert served_versions(cluster) == [1]
    assert (cluster.shared / "serving/sentiment/1/saved_model.pb").is_file()


def test_metrics_and_page_are_outputs_of_the_tasks(cluster):
    output = json.loads(output_file(cluster, "evaluator", "executor_output.json").read_text())
    [metrics] = output["artifacts"]["metrics"]["artifacts"]
    [matrix] = output["artifacts"]["confusion_matrix"]["artifacts"]
    assert metrics["metadata"]["accuracy"] > 0.6
    rows = [row["row"] for row in matrix["metadata"]["confusionMatrix"]["rows"]]
    correct, all_rows = sum(row[i] for i, row in enumerate(rows)), sum(map(sum, rows))
    assert metrics["metadata"]["accuracy"] == pytest.approx(correct / all_rows)
    assert all_rows == metrics["metadata"]["example_count"]

    record = json.loads(output_file(cluster, "report", "record").read_text())
    assert record["status"] == "succeeded" and record["pushed_version"] == 1
    assert [step["state"] for step in record["steps"]] == ["run"] * len(NODES)
    assert "Pushed version 1: accuracy" in output_file(cluster, "report", "page").read_text()
    assert (
        f"{cluster.shared}/artifacts/Trainer/model/"
        in output_file(cluster, "trainer", "artifacts").read_text()
    )


def test_second_run_takes_everything_from_the_cache(cluster, package, states):
    results = cluster.run(package)
    assert set(ended(results).values()) == {0}
    expected = dict.fromkeys(NODES, ["CACHED"]) | {"Resolver": ["COMPLETE"]}
    assert states(results[0].run_id) == expected
    assert served_versions(cluster) == [1]


def test_the_database_tells_what_the_version_was_made_of(cluster, secret):
    found = trace(open_store(mysql_connection(secret), "sentiflow"))
    assert found.version == 1
    (file,) = found.data.files
    assert file.path == f"{cluster.shared}/data/sentences.tsv"
    assert file.rows == found.data.rows["read"] > 0
    assert found.config["train"]["max_epochs"] == 2
    assert found.packages["tfx"]
    assert len(found.same_data.runs) == 1, "the second run, which took everything from the cache"


def test_a_terminated_node_is_marked_failed(cluster, package, states, secret):
    stop = Interruption("Trainer", "epoch 1/2", signal.SIGTERM)
    results = cluster.run(package, stop, overrides="train.seed=2")
    assert results[-1].node == "Trainer" and results[-1].exit_code in (137, 143)
    assert states(results[0].run_id)["Trainer"] == ["FAILED"]
    trainer = open_store(mysql_connection(secret), "sentiflow").in_run("Trainer", results[0].run_id)
    assert trainer.notes["error"] == "Terminated: SIGTERM"


def test_the_repeated_run_ends_although_a_node_is_killed(cluster, package, states, secret):
    kill = Interruption("Evaluator", "Going to run a new execution:", signal.SIGKILL)
    results = cluster.run(package, kill, retries=1, overrides="train.seed=2")
    tries = [result.exit_code for result in results if result.node == "Evaluator"]
    assert tries == [137, 0]
    assert ended(results)["Pusher"] == 0
    run_id = results[0].run_id
    found = states(run_id)
    assert found["Evaluator"] == ["COMPLETE"] and found["Trainer"] == ["COMPLETE"]
    assert found["Transform"] == ["CACHED"]
    assert served_versions(cluster) == [1, 2]
    evaluator = open_store(mysql_connection(secret), "sentiflow").in_run("Evaluator", run_id)
    assert {key: len(artifacts) for key, artifacts in evaluator.outputs.items()} == {
        "evaluation": 1,
        "blessing": 1,
    }


def test_the_gpu_task_finds_what_the_lookup_left(cluster, states, tmp_path):
    """On this machine's CPU: what is shown is that two tasks make one execution."""
    path = tmp_path / "gpu.yaml"
    settings = ("kubeflow.gpu.count=1", "kubeflow.gpu.image=sentiflow:cpu", "train.seed=3")
    data = f"data.path={cluster.shared}/data/sentences.tsv"
    root = f"kubeflow.root={cluster.shared}"
    compile_package(load_config(None, (*SETTINGS, *settings, data, root)), path)
    for needed, state in (("true", "COMPLETE"), ("false", "CACHED")):
        results = cluster.run(path)
        assert set(ended(results).values()) == {0}
        assert [result.node for result in results].count("Trainer") == 2
        assert output_file(cluster, "trainer-cache", "needed").read_text() == needed
        assert states(results[0].run_id)["Trainer"] == [state]
    table = output_file(cluster, "trainer-gpu", "artifacts").read_text()
    assert "CACHED (nothing changed)" in table


def test_a_model_under_its_bound_ends_the_run(cluster, package):
    bound = "evaluate.min_accuracy=0.999"
    results = cluster.run(package, overrides=f"train.seed=2 {bound}")
    assert results[-1].node == "Evaluator" and results[-1].exit_code == 4
    assert results[-1].last_line.startswith("sentiflow: model not blessed: accuracy is 0.")
    assert served_versions(cluster) == [1, 2, 3]


def test_refused_data_ends_the_run(cluster, package):
    bad = cluster.shared / "data" / "bad.tsv"
    bad.write_text("text\tlabel\n" + "no such label\tpurple\n" * 50)
    results = cluster.run(package, data_path=str(bad))
    assert results[-1].node == "SentenceExampleGen" and results[-1].exit_code == 3
    assert "purple" in results[-1].last_line


def test_an_override_that_the_configuration_refuses(cluster, package):
    results = cluster.run(package, overrides="train.sede=2")
    assert results[-1].exit_code == 2
    assert results[-1].last_line == "sentiflow: --set: train.sede: unknown key"


def test_no_log_and_no_file_holds_the_password(cluster, package, secret):
    password = secret[CREDENTIALS["password"]].encode()
    results = cluster.run(package)
    assert all(password not in result.log.encode() for result in results)
    files = [file for file in cluster.shared.rglob("*") if file.is_file()]
    assert len(files) > 100
    assert not [file for file in (*files, package) if password in file.read_bytes()]


@pytest.mark.parametrize(
    "command", [["python", "-m", "pip"], ["gcc"], ["g++"], ["python", "-m", "ensurepip"]]
)
def test_the_image_holds_nothing_to_build_or_install_with(cluster, engine, command):
    if engine is None:
        pytest.skip("no Docker engine with the image")
    try:
        task = cluster.start("sentiflow:cpu", command)
    except Exception as error:
        assert "executable file not found" in str(error)
        return
    log = "".join(task.lines())
    assert task.end() == 1
    assert "No module named" in log


def test_the_image_runs_as_an_unprivileged_user(cluster, engine):
    if engine is None:
        pytest.skip("no Docker engine with the image")
    assert engine.images.get("sentiflow:cpu").attrs["Config"]["User"] == "10001:10001"
    write = "open('/opt/code/here', 'w')"
    task = cluster.start("sentiflow:cpu", ["python", "-c", write])
    log = "".join(task.lines())
    assert task.end() == 1
    assert "Read-only file system" in log
