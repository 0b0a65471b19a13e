"""The record of a run: how it ends, and what it takes from the steps."""

import json
from dataclasses import asdict

import pytest

from components.errors import DataRefused, NotBlessed, SentiflowError
from components.linear_baseline.result import LinearBaselineResult
from components.serving.promotion import promote
from pipeline.config import Config
from pipeline.record import RunRecord, Step, artifact_ids
from pipeline.store import NodeExecution, StoredArtifact
from pipeline.summary import summary


@pytest.fixture
def record():
    return RunRecord.start(Config())


def finished(outputs):
    return NodeExecution(1, "COMPLETE", {}, {}, outputs)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (None, "succeeded", None),
        (DataRefused("no rows"), "refused", "no rows"),
        (NotBlessed("too low"), "not_blessed", "too low"),
        (SentiflowError("broke"), "failed", "broke"),
        (KeyboardInterrupt(), "interrupted", "interrupted by the user"),
    ],
)
def test_status_says_how_the_run_ended(record, error, status, text):
    record.finish(error)
    assert (record.status, record.error) == (status, text)


def test_written_record_is_json_with_the_promised_keys(record, tmp_path):
    record.steps.append(Step("Trainer", "run", 1.5, "first run", 20.25, {"examples": [3]}))
    record.write(tmp_path)
    written = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert written["steps"] == [
        {
            "id": "Trainer", "state": "run", "seconds": 1.5, "why": "first run", "started": 20.25,
            "inputs": {"examples": [3]}, "outputs": {},
        }
    ]  # fmt: skip
    assert {
        "status", "rows", "metrics", "baseline", "blessed", "pushed_version",
        "steps", "config", "packages", "code",
    } <= set(written)  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


ROWS = {"read": 10, "accepted": 7, "rejected": {"empty_text": 2}, "duplicates": 1}
LENGTHS = {
    "train": {"edges": [1, 3, 5], "rows": [1, 4]},
    "eval": {"edges": [1, 3, 5], "rows": [0, 2]},
}
REPEATS = {"sentences": 2, "rows": 4, "contradictory": 0}
REJECT = {"file": "a.csv", "record": 3, "reason": "empty_text", "detail": "no 'text'", "raw": ",x"}


def ingested(folder):
    """What ingest left of ROWS."""
    summary = {
        **ROWS,
        "splits": {"train": {"bad": 2, "good": 3}, "eval": {"bad": 2, "good": 0}},
        "lengths": LENGTHS,
        "repeats": REPEATS,
        "reject_examples": [REJECT],
        "files": [],
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return finished({"rejects": [StoredArtifact(1, str(folder), {})]})


def test_what_is_known_of_the_data_comes_from_ingest(record, tmp_path):
    record.take_outcome("SentenceExampleGen", ingested(tmp_path))
    assert record.rows == ROWS
    assert record.data == {
        "splits": {
            "train": {"rows": 5, "labels": {"bad": 2, "good": 3}, "lengths": LENGTHS["train"]},
            "eval": {"rows": 2, "labels": {"bad": 2, "good": 0}, "lengths": LENGTHS["eval"]},
        },
        "repeats": REPEATS,
        "rejects": [REJECT],
        "vocabulary": None,
    }
    assert record.repeats_in_words() == [
        "about 50 % of the rows repeat the sentence of another row"
    ]


def test_vocabulary_is_counted_after_transform(record, tmp_path):
    record.take_outcome("SentenceExampleGen", ingested(tmp_path))
    assets = tmp_path / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    (assets / "vocabulary").write_bytes("good\nbad\n\u2028\nend\n".encode())
    graph = StoredArtifact(1, str(tmp_path), {})
    record.take_outcome("Transform", finished({"transform_graph": [graph]}))
    assert record.data["vocabulary"] == 4
    assert record.data["rejects"] == [REJECT]


def test_no_summary_leaves_rows_unknown(record, tmp_path):
    record.take_rows(tmp_path)
    assert record.rows is None and record.data is None


@pytest.mark.parametrize(("failures", "blessed"), [([], None), (["too slow"], False)])
def test_serving_check_can_only_withhold_the_blessing(record, tmp_path, failures, blessed):
    (tmp_path / "serve_check.json").write_text(json.dumps({"failures": failures, "p99_ms": 3.0}))
    execution = finished({"blessing": [StoredArtifact(1, str(tmp_path), {})]})
    if failures:
        with pytest.raises(NotBlessed, match="serving check: too slow"):
            record.take_outcome("ServeCheck", execution)
    else:
        record.take_outcome("ServeCheck", execution)
    assert record.blessed is blessed
    assert record.serve_check["p99_ms"] == 3.0


def test_calibration_and_epochs_come_from_the_trainer(record, tmp_path):
    epochs = [
        {"steps": 10 * n, "loss": 0.7, "accuracy": 0.5, "eval_loss": loss, "eval_accuracy": right,
         "sentences_per_second": 100.0}
        for n, (loss, right) in enumerate([(0.6, 0.7), (0.5, 0.8), (0.4, 0.8), (0.6, 0.75)], 1)
    ]  # fmt: skip
    (tmp_path / "history.json").write_text(json.dumps(epochs))
    found = {"temperature": 1.4, "error_before": 0.06, "error_after": 0.02, "rows": 90}
    (tmp_path / "calibration.json").write_text(json.dumps(found))
    model_run = StoredArtifact(1, str(tmp_path), {})
    record.take_outcome("Trainer", finished({"model_run": [model_run]}))
    assert record.calibration == found
    assert record.history == epochs
    assert record.kept_epoch == 3  # as good as the second, with less loss


def evaluated(folder, missed):
    """An Evaluator's execution with its outcome."""
    outcome = {
        "metrics": {"accuracy": 0.7},
        "mistakes": [{"text": "so <b>good</b>"}],
        "blessed_before": None,
        "linear_baseline": {"accuracy": 0.8, "macro_f1": 0.75},
        "missed_bounds": missed,
    }
    (folder / "outcome.json").write_text(json.dumps(outcome))
    return finished({"evaluation": [StoredArtifact(1, str(folder), {})]})


@pytest.mark.parametrize("missed", [[], ["accuracy 0.7 is 0.1 below …", "another bound"]])
def test_evaluation_decides(record, tmp_path, missed):
    execution = evaluated(tmp_path, missed)
    if missed:
        with pytest.raises(NotBlessed, match="not blessed: accuracy 0.7 is 0.1 below …; another b"):
            record.take_outcome("Evaluator", execution)
    else:
        record.take_outcome("Evaluator", execution)
    assert record.blessed is (not missed)
    assert record.metrics == {"accuracy": 0.7}
    assert record.mistakes == [{"text": "so <b>good</b>"}]
    assert record.baseline == {
        "latest_blessed": None,
        "linear": {"accuracy": 0.8, "macro_f1": 0.75},
    }


def test_a_good_evaluation_does_not_make_up_for_a_failed_serving_check(record, tmp_path):
    (tmp_path / "serve_check.json").write_text(json.dumps({"failures": ["too slow"]}))
    with pytest.raises(NotBlessed):  # it may end first
        record.take_outcome(
            "ServeCheck", finished({"blessing": [StoredArtifact(1, str(tmp_path), {})]})
        )
    record.take_outcome("Evaluator", evaluated(tmp_path, []))
    assert record.blessed is False


def test_a_step_names_its_artifacts():
    execution = NodeExecution(
        1,
        "COMPLETE",
        {},
        {"examples": [StoredArtifact(3, "/e", {})]},
        {"model": [StoredArtifact(7, "/m", {}), StoredArtifact(8, "/n", {})]},
    )
    assert artifact_ids(execution) == {"inputs": {"examples": [3]}, "outputs": {"model": [7, 8]}}
    assert artifact_ids(None) == {}


def test_pushed_version(record):
    pushed = StoredArtifact(1, "/p", {"pushed": 1, "pushed_version": "12"})
    record.take_outcome("Pusher", finished({"pushed_model": [pushed]}))
    assert record.pushed_version == 12


def test_summary_names_the_numbers(record, tmp_path):
    record.rows = {"read": 1000, "accepted": 990, "rejected": {"a": 4, "b": 5}, "duplicates": 1}
    record.metrics = {
        "accuracy": 0.8125,
        "accuracy_over_majority": 0.3,
        "macro_f1": 0.81,
        "example_count": 100,
    }
    linear = LinearBaselineResult(0.8, 0.79, 100, 900, 900, 5000)
    record.baseline = {"latest_blessed": {"accuracy": 0.79}, "linear": asdict(linear)}
    record.serve_check = {"p50_ms": 2.0, "p99_ms": 4.04}
    record.pushed_version = 3
    record.data = {"repeats": {"sentences": 10, "rows": 10, "contradictory": 1}}
    text = summary(record, tmp_path)
    told = "about 10 % of the sentences stand there with several labels"
    assert f"\nrepeats   {told}\n" in text
    assert "1,000 read, 990 accepted, 9 rejected, 1 dropped as duplicates" in text
    assert "0.812 on 100 sentences of eval (always the largest class: 0.512; " in text
    assert "blessed model before: 0.790" in text
    assert (
        "\nbaseline  0.800 by a linear model on n-grams; the LSTM is 1.2 points above it\n" in text
    )
    assert "p50 2.0 ms, p99 4.0 ms" in text
    assert f"serving   version 3 in {tmp_path}/serving/sentiment/3\n" in text
    for version in ("1", "3"):
        folder = tmp_path / "serving/sentiment" / version
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    promote(tmp_path / "serving", "sentiment", 1)
    assert (
        f"\npushed    version 3 in {tmp_path}/serving/sentiment/3; version 1 stays the served one "
        "until `sentiflow promote 3`\n"
    ) in summary(record, tmp_path)
