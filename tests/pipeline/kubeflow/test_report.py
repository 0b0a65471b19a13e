"""The record of a cluster run, collected from a real SQLite store with hand-made executions."""

import json
import time

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
def store(connection):
    """A store and a function that adds a node's execution in a run."""
    return RunStore(connection, "films"), adder(ml_metadata.MetadataStore(connection))


def adder(raw):
    node_type = raw.put_context_type(pb.ContextType(name="node"))
    run_type = raw.put_context_type(pb.ContextType(name="pipeline_run"))
    step_type = raw.put_execution_type(pb.ExecutionType(name="Step"))
    file_type = raw.put_artifact_type(pb.ArtifactType(name="File"))

    def add(node, state, run="r1", output=None, uri="", properties=None, used=(), given=()):
        pairs = []
        for artifact_id in used:
            event = pb.Event(type=pb.Event.INPUT)
            event.path.steps.add().key = "model"
            event.path.steps.add().index = 0
            pairs += [(artifact, event) for artifact in raw.get_artifacts_by_id([artifact_id])]
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
        for key, value in dict(given).items():
            execution.custom_properties[key].string_value = value
        return raw.put_execution(execution, pairs, contexts, reuse_context_if_already_exist=True)[0]

    return add


def serve_check_result(folder, failures):
    folder.mkdir()
    result = {"failures": failures, "p50_ms": 3.0, "p99_ms": 9.0}
    (folder / "serve_check.json").write_text(json.dumps(result))
    return str(folder)


EPOCH = {
    "steps": 9, "loss": 0.6, "accuracy": 0.7, "eval_loss": 0.5, "eval_accuracy": 0.75,
    "sentences_per_second": 50.0,
}  # fmt: skip


def transform_graph(folder):
    assets = folder / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    (assets / "vocabulary").write_text("good\nbad\n")
    return {"output": "transform_graph", "uri": str(folder)}


def model_run(folder):
    folder.mkdir()
    (folder / "calibration.json").write_text(json.dumps({"temperature": 1.5}))
    (folder / "history.json").write_text(json.dumps([EPOCH]))
    return {"output": "model_run", "uri": str(folder)}


def states(record):
    return [(step.id, step.state, step.why) for step in record.steps]


def test_a_run_that_pushed(store, tmp_path):
    run_store, add = store
    graph = transform_graph(tmp_path / "graph")
    run_store.note(add("Transform", CACHED, **graph), why="nothing changed")
    trainer = add("Trainer", COMPLETE, **model_run(tmp_path / "run"))
    run_store.note(trainer, why="train.seed: 2, was 1")
    time.sleep(0.05)
    add("ServeCheck", COMPLETE, output="blessing", uri=serve_check_result(tmp_path / "ok", []),
        used=[2])  # fmt: skip
    add("Pusher", COMPLETE, output="pushed_model", properties={"pushed_version": "7"})
    add("Trainer", FAILED, run="another run")
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.error, record.run_id) == ("succeeded", None, "r1")
    assert record.calibration == {"temperature": 1.5}
    assert record.history == [EPOCH] and record.kept_epoch == 1
    assert record.data["vocabulary"] == 2 and record.previous is None
    graph, trained, checked, _ = record.steps
    assert graph.started == 0 and checked.started >= 0.05
    assert (graph.outputs, trained.outputs) == ({"transform_graph": [1]}, {"model_run": [2]})
    assert (checked.inputs, checked.outputs) == ({"model": [2]}, {"blessing": [3]})
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


def test_of_two_failures_the_first_counts(store):
    run_store, add = store
    run_store.note(add("Transform", FAILED), error="no rows of class good", exit_code=3)
    run_store.note(add("Trainer", FAILED), error="out of memory", exit_code=1)
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.error) == ("refused", "Transform: no rows of class good")


def summary_of_rejects(folder):
    folder.mkdir()
    reject = {"file": "a.csv", "record": 3, "reason": "empty_text", "detail": "none", "raw": ","}
    summary = {
        "read": 9, "accepted": 2, "rejected": {"empty_text": 7}, "duplicates": 0,
        "splits": {"train": {"bad": 2, "good": 0}},
        "lengths": {"train": {"edges": [1, 2], "rows": [2]}},
        "repeats": {"sentences": 2, "rows": 2, "contradictory": 0},
        "reject_examples": [reject],
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return str(folder)


def test_what_is_known_of_data_that_ingest_refused(store, tmp_path):
    run_store, add = store
    given = {"rejects_dir": summary_of_rejects(tmp_path / "rejects")}
    nodes = ("SentenceExampleGen", *NODES)
    execution = add("SentenceExampleGen", FAILED, given=given)
    run_store.note(execution, error="7 of 9 rows rejected", exit_code=3)
    record = collect_record(load_config(), "r1", nodes, run_store)
    assert record.status == "refused" and record.rows["rejected"] == {"empty_text": 7}
    assert record.data["splits"]["train"]["rows"] == 2
    assert record.data["rejects"][0]["record"] == 3

    given["refusal"] = "nothing is there"  # then these rejects are another run's
    execution = add("SentenceExampleGen", FAILED, run="r2", given=given)
    run_store.note(execution, error="nothing is there", exit_code=3)
    record = collect_record(load_config(), "r2", nodes, run_store)
    assert record.status == "refused" and record.rows is None and record.data is None


def test_a_killed_node_had_no_time_to_say_why(store, tmp_path):
    run_store, add = store
    add("Transform", COMPLETE, **transform_graph(tmp_path / "graph"))
    add("Trainer", RUNNING)
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert record.status == "failed"
    assert record.error == "Trainer: left RUNNING; its task was killed"


def test_a_model_that_failed_its_serving_check(store, tmp_path):
    run_store, add = store
    add("Transform", COMPLETE, **transform_graph(tmp_path / "graph"))
    add("Trainer", COMPLETE, **model_run(tmp_path / "run"))
    add("ServeCheck", COMPLETE, output="blessing",
        uri=serve_check_result(tmp_path / "slow", ["p99 of 120 ms is over 100 ms"]))  # fmt: skip
    record = collect_record(load_config(), "r1", NODES, run_store)
    assert (record.status, record.blessed, record.pushed_version) == ("not_blessed", False, None)
    assert record.error == "model failed its serving check: p99 of 120 ms is over 100 ms"


def test_all_that_speaks_against_a_model_is_told(store, tmp_path):
    run_store, add = store
    add("ServeCheck", COMPLETE, output="blessing",
        uri=serve_check_result(tmp_path / "slow", ["p99 of 120 ms is over 100 ms"]))  # fmt: skip
    outcome = {
        "metrics": {"accuracy": 0.7},
        "mistakes": [],
        "blessed_before": None,
        "linear_baseline": {"accuracy": 0.8},
        "missed_bounds": ["accuracy 0.7 is too low"],
    }
    (tmp_path / "outcome.json").write_text(json.dumps(outcome))
    add("Evaluator", COMPLETE, output="evaluation", uri=str(tmp_path))
    record = collect_record(load_config(), "r1", ("ServeCheck", "Evaluator"), run_store)
    assert (record.status, record.blessed) == ("not_blessed", False)
    assert record.metrics == {"accuracy": 0.7} and record.serve_check["p99_ms"] == 9.0
    assert record.error == (
        "model failed its serving check: p99 of 120 ms is over 100 ms; "
        "model not blessed: accuracy 0.7 is too low"
    )


def test_nothing_was_run(store):
    record = collect_record(load_config(), "r1", NODES, store[0])
    assert (record.status, record.error) == ("failed", "Transform was not run")
