"""The record of a cluster run, collected from a real SQLite store with hand-made executions."""

import json

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.config import load_config
from pipeline.kubeflow.report import NOT_REACHED, collect_record
from pipeline.store import RunStore

COMPLETE, CACHED, FAILED, RUNNING = (
    pb.Execution.COMPLETE, pb.Execution.CACHED, pb.Execution.FAILED, pb.Execution.RUNNING
)  # fmt: skip
NODES = ("Transform", "Trainer", "ServeCheck", "Pusher")


@pytest.fixture
def store(tmp_path):
    """A store and a function that adds a node's execution in a run."""
    connection = pb.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.db")
    connection.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return RunStore(connection, "films"), adder(ml_metadata.MetadataStore(connection))


def adder(raw):
    node_type = raw.put_context_type(pb.ContextType(name="node"))
    run_type = raw.put_context_type(pb.ContextType(name="pipeline_run"))
    step_type = raw.put_execution_type(pb.ExecutionType(name="Step"))
    file_type = raw.put_artifact_type(pb.ArtifactType(name="File"))

    def add(node, state, run="r1", output=None, uri="", properties=None):
        pairs = []
        if output:
            artifact = pb.Artifact(type_id=file_type, uri=uri)
            for key, value in (properties or {}).items():
                artifact.custom_properties[key].string_value = value
            event = pb.Event(type=pb.Event.OUTPUT)
            event.path.steps.add().key = output
            event.path.steps.add().index = 0
            pairs.append((artifact, event))
        contexts = [
            pb.Context(type_id=node_type, name=f"films.{node}"),
            pb.Context(type_id=run_type, name=run),
        ]
        execution = pb.Execution(type_id=step_type, last_known_state=state)
        return raw.put_execution(execution, pairs, contexts, reuse_context_if_already_exist=True)[0]

    return add


def serve_check_result(folder, failures):
    folder.mkdir()
    result = {"failures": failures, "p50_ms": 3.0, "p99_ms": 9.0}
    (folder / "serve_check.json").write_text(json.dumps(result))
    return str(folder)


def model_run(folder):
    folder.mkdir()
    (folder / "calibration.json").write_text(json.dumps({"temperature": 1.5}))
    return {"output": "model_run", "uri": str(folder)}


def states(record):
    return [(step.id, step.state, step.why) for step in record.steps]


def test_a_run_that_pushed(store, tmp_path):
    run_store, add = store
    run_store.note(add("Transform", CACHED), why="nothing changed")
    trainer = add("Trainer", COMPLETE, **model_run(tmp_path / "run"))
    run_store.note(trainer, why="train.seed: 2, was 1")
    add("ServeCheck", COMPLETE, output="blessing", uri=serve_check_result(tmp_path / "ok", []))
    add("Pusher", COMPLETE, output="pushed_model", properties={"pushed_version": "7"})
    add("Trainer", FAILED, run="another run")
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.error, record.run_id) == ("succeeded", None, "r1")
    assert record.calibration == {"temperature": 1.5}
    assert record.pushed_version == 7 and record.serve_check["p99_ms"] == 9.0
    assert states(record)[:2] == [
        ("Transform", "cached", "nothing changed"),
        ("Trainer", "run", "train.seed: 2, was 1"),
    ]


def test_a_node_that_refused_the_data(store):
    run_store, add = store
    run_store.note(add("Transform", FAILED), error="no rows of class good", exit_code=3)
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.error) == ("refused", "Transform: no rows of class good")
    assert states(record) == [
        ("Transform", "failed", "no rows of class good"),
        *((node, "skipped", NOT_REACHED) for node in NODES[1:]),
    ]


def test_a_killed_node_had_no_time_to_say_why(store):
    run_store, add = store
    add("Transform", COMPLETE)
    add("Trainer", RUNNING)
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert record.status == "failed"
    assert record.error == "Trainer: left RUNNING; its task was killed"


def test_a_model_that_failed_its_serving_check(store, tmp_path):
    run_store, add = store
    add("Transform", COMPLETE)
    add("Trainer", COMPLETE, **model_run(tmp_path / "run"))
    add("ServeCheck", COMPLETE, output="blessing",
        uri=serve_check_result(tmp_path / "slow", ["p99 of 120 ms is over 100 ms"]))  # fmt: skip
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.blessed, record.pushed_version) == ("not_blessed", False, None)
    assert "p99 of 120 ms" in record.error


def test_nothing_was_run(store):
    record = collect_record(load_config(), "r1", NODES, store[0])
    assert (record.status, record.error) == ("failed", "Transform was not run")
