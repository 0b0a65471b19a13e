import json

from pipeline.kubeflow.outputs import TaskOutputs, artifacts_table, show_metrics
from pipeline.store import NodeExecution, StoredArtifact

METRICS = {
    "accuracy": 0.75,
    "macro_f1": 0.7,
    "auc": None,
    "loss": 0.5,
    "example_count": 8,
    "confusion_matrix": [[3, 1], [1, 3]],
}


def outputs(tmp_path):
    declared = {
        name: {"artifacts": [{"name": name, "uri": f"minio://bucket/{name}"}]}
        for name in ("metrics", "confusion_matrix", "artifacts")
    }
    executor_input = {
        "outputs": {"artifacts": declared, "outputFile": str(tmp_path / "out" / "output.json")}
    }
    return TaskOutputs(executor_input, {"artifacts": str(tmp_path / "deep" / "artifacts")})


def test_metrics_go_into_the_metadata_that_kfp_shows(tmp_path):
    show_metrics(outputs(tmp_path), METRICS, ["bad", "good"])
    written = json.loads((tmp_path / "out" / "output.json").read_text())["artifacts"]
    [metrics] = written["metrics"]["artifacts"]
    assert metrics["uri"] == "minio://bucket/metrics"
    assert metrics["metadata"] == {
        "accuracy": 0.75, "macro_f1": 0.7, "loss": 0.5, "example_count": 8
    }  # fmt: skip
    [matrix] = written["confusion_matrix"]["artifacts"]
    assert matrix["metadata"]["confusionMatrix"] == {
        "annotationSpecs": [{"displayName": "bad"}, {"displayName": "good"}],
        "rows": [{"row": [3, 1]}, {"row": [1, 3]}],
    }


def test_files_are_written_where_kfp_collects_them(tmp_path):
    task_outputs = outputs(tmp_path)
    task_outputs.write("artifacts", "naïve\n")
    assert (tmp_path / "deep" / "artifacts").read_text("utf-8") == "naïve\n"
    assert task_outputs.has("artifacts") and not task_outputs.has("page")


def test_a_node_killed_before_it_noted_why_has_a_table_too():
    execution = NodeExecution(id=7, state="COMPLETE", properties={}, inputs={}, outputs={})
    assert artifacts_table("Trainer", execution).startswith("**Trainer**: execution 7, COMPLETE ()")


def test_the_table_links_to_buckets_and_names_folders():
    execution = NodeExecution(
        id=7,
        state="COMPLETE",
        properties={},
        inputs={"examples": [StoredArtifact(1, "/sentiflow/artifacts/a|b", {})]},
        outputs={"model": [StoredArtifact(2, "gs://bucket/model/7", {})]},
        notes={"why": "train.seed\n2 | 1"},
    )
    assert artifacts_table("Trainer", execution).splitlines() == [
        "**Trainer**: execution 7, COMPLETE (train.seed 2 \\| 1)",
        "",
        "| | key | artifact | where it lies |",
        "| --- | --- | --- | --- |",
        "| output | model | 2 | [gs://bucket/model/7]"
        "(https://console.cloud.google.com/storage/browser/bucket/model/7) |",
        "| input | examples | 1 | `/sentiflow/artifacts/a\\|b` |",
    ]
