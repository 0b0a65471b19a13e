"""The metadata store, read back: a real SQLite store with hand-made executions."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from pipeline.store import RunStore

Execution = metadata_store_pb2.Execution
STATES = Execution.State


@pytest.fixture
def add(connection):
    """Adds an execution of a node with one input and one output artifact; returns its id."""
    store = ml_metadata.MetadataStore(connection)

    def type_id(kind, put, name):
        return put(kind(name=name))

    node_type = type_id(metadata_store_pb2.ContextType, store.put_context_type, "node")
    run_type = type_id(metadata_store_pb2.ExecutionType, store.put_execution_type, "Step")
    file_type = type_id(metadata_store_pb2.ArtifactType, store.put_artifact_type, "File")

    def add_execution(node, state, rows, reuse_output=None):
        context = metadata_store_pb2.Context(type_id=node_type, name=f"films.{node}")
        execution = Execution(type_id=run_type, last_known_state=state)
        execution.custom_properties["rows"].int_value = rows
        pairs = []
        for kind, key in ((metadata_store_pb2.Event.INPUT, "examples"),
                          (metadata_store_pb2.Event.OUTPUT, "model")):  # fmt: skip
            artifact = metadata_store_pb2.Artifact(type_id=file_type, uri=f"/{node}/{key}/{rows}")
            artifact.custom_properties["span"].int_value = 7
            event = metadata_store_pb2.Event(type=kind)
            event.path.steps.add().key = key
            event.path.steps.add().index = 0
            if reuse_output and key == "model":
                artifact = store.get_artifacts_by_uri(reuse_output)[0]
            pairs.append((artifact, event))
        execution_id, _, _ = store.put_execution(
            execution, pairs, [context], reuse_context_if_already_exist=True
        )
        return execution_id

    return add_execution


def test_latest_execution_of_a_node_with_its_artifacts(connection, add):
    add("Trainer", STATES.FAILED, rows=1)
    newest = add("Trainer", STATES.COMPLETE, rows=2)
    add("Pusher", STATES.CACHED, rows=3)
    execution = RunStore(connection, "films").latest("Trainer")
    assert execution.id == newest
    assert execution.succeeded and not execution.cached
    assert execution.properties == {"rows": 2}
    assert [a.uri for a in execution.inputs["examples"]] == ["/Trainer/examples/2"]
    assert [a.uri for a in execution.outputs["model"]] == ["/Trainer/model/2"]
    assert execution.outputs["model"][0].properties == {"span": 7}


def test_cached_execution_stands_for_the_run_whose_outputs_it_took(connection, add):
    first = add("Trainer", STATES.COMPLETE, rows=1)
    second = add("Trainer", STATES.COMPLETE, rows=2)
    add("Trainer", STATES.CACHED, rows=3, reuse_output="/Trainer/model/1")
    store = RunStore(connection, "films")
    assert store.latest_run("Trainer").id == first
    add("Trainer", STATES.CACHED, rows=4, reuse_output="/Trainer/model/2")
    assert store.latest_run("Trainer").id == second
    failed = add("Trainer", STATES.FAILED, rows=5)
    assert store.latest_run("Trainer").id == failed
    assert store.latest_run("Pusher") is None


def test_node_that_never_ran(connection, add):
    add("Trainer", STATES.COMPLETE, rows=1)
    assert RunStore(connection, "films").latest("Evaluator") is None


def test_other_pipelines_are_not_seen(connection, add):
    add("Trainer", STATES.COMPLETE, rows=1)
    assert RunStore(connection, "books").latest("Trainer") is None


def test_running_executions_are_abandoned_and_nothing_else(connection, add):
    add("Trainer", STATES.COMPLETE, rows=1)
    add("Trainer", STATES.RUNNING, rows=2)
    store = RunStore(connection, "films")
    assert store.abandon_running() == 1
    assert [e.state for e in store.executions("Trainer")] == ["FAILED", "COMPLETE"]
    assert store.abandon_running() == 0
