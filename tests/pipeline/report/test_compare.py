"""Two runs side by side, and the command that writes the page of one or two."""

import json

import pytest
from click.testing import CliRunner

from components.errors import UsageError
from pipeline.commands.report import report
from pipeline.history import keep
from pipeline.record import RunRecord
from pipeline.report.compare import compare_page
from tests.pipeline.report import records
from tests.pipeline.report.pages import HOSTILE, Page

A, B = "2026-03-01T08:15:30.123456Z", "2026-03-02T08:15:30.123456Z"


@pytest.fixture(scope="module")
def runs() -> tuple[RunRecord, RunRecord]:
    a, b = records.ended("not_blessed"), records.full()
    a.run_id = A
    a.config["train"]["seed"] = 7
    a.code, a.packages = "fedcba9876543210", {**b.packages, "keras": "3.0.0"}
    a.metrics |= {"accuracy": 0.801, "auc": None, "intervals": {"accuracy": [0.76, 0.83]}}
    a.metrics["slices"]["length=41+"]["accuracy"] = 0.8
    a.rows["rejected"] = {"too_long": 5}
    a.history = a.history[:2]
    return a, b


@pytest.fixture(scope="module")
def texts(runs) -> dict[str, str]:
    return Page(compare_page(*runs)).texts


@pytest.mark.parametrize(
    ("section", "wanted"),
    [
        ("", ["A not blessed", A, "macro F1 on sentences over 40 words is 0.61", B,
              "Pushed version 3: accuracy 84.1 %"]),
        ("metrics", ["accuracy 80.1 % 76.0 to 83.0 % 84.1 % 80.3 to 87.4 % +4.0",
                     "AUC – 0.917", "loss 0.391 0.391 0.000", "sentences 410 410",
                     "all, A", "over 40 words, A"]),
        ("slices", ["over 40 words 80.0 % 39.0 to 94.0 % 72.7 % 39.0 to 94.0 % −7.3 11"]),
        ("training", ["Loss on eval by epoch", "Accuracy on eval by epoch"]),
        ("changes", ["code fedcba9876543210 0123456789abcdef", "packages.keras 3.0.0",
                     "train.seed 7 1"]),
        ("rows", ["read 4,200 4,200", "rejected: too_long 5 0", "rejected: unknown_label 0 61"]),
    ],
)  # fmt: skip
def test_side_by_side(texts, section, wanted):
    for text in wanted:
        assert text in texts[section], text


def test_different_eval_splits_are_said(runs, texts):
    warning = "The two were measured on different sentences."
    assert warning not in texts["metrics"]
    other = records.full()
    other.metrics["example_count"] = 977
    assert warning in Page(compare_page(runs[0], other)).texts["metrics"]


def test_a_run_that_measured_nothing():
    texts = Page(compare_page(records.ended("refused"), records.ended("running"))).texts
    assert list(texts) == ["", "changes", "rows"]
    assert "There is no difference." in texts["changes"] and "read 1,000 –" in texts["rows"]


def test_hostile_texts_are_texts():
    a, b = records.ended("refused"), records.empty()
    a.error = b.config["name"] = HOSTILE
    a.rows["rejected"] = {HOSTILE: 1}
    page = Page(compare_page(a, b))
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert all("<script>" in page.texts[section] for section in ("", "changes", "rows"))


@pytest.fixture
def workdir(tmp_path):
    """A workdir with two runs that ended early, whose pages are made fast."""
    for run_id, status in ((A, "running"), (B, "refused")):
        record = records.ended(status)
        record.run_id = run_id
        keep(record, tmp_path)
        record.write(tmp_path)
    return tmp_path


def call(workdir, *arguments):
    return CliRunner().invoke(
        report, ["--workdir", str(workdir), *map(str, arguments)], catch_exceptions=False
    )


def test_page_is_written_anew(workdir):
    assert call(workdir).output == f"{workdir}/report/index.html\n"
    page = Page((workdir / "report/index.html").read_text("utf-8"))
    assert f"run {B}" in page.texts[""] and "What was refused" in page.texts["rows"]


def test_record_as_json(workdir):
    assert json.loads(call(workdir, "--json").output)["run_id"] == B
    assert not (workdir / "report").exists()


def test_runs_by_id_file_and_workdir(workdir, tmp_path):
    assert call(workdir, "--compare", A, B).output == f"{workdir}/report/compare.html\n"
    first = (workdir / "report/compare.html").read_text("utf-8")
    other = tmp_path / "new" / "page.html"
    result = call(workdir, "--compare", A, workdir, "--output", other)
    assert result.output == f"{other}\n"
    assert other.read_text("utf-8") == first
    assert call(workdir, "--compare", A, workdir / "run.json", "--output", other).exit_code == 0
    assert other.read_text("utf-8") == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--compare", "last", B], "no run 'last'.*2026-03-02T081530.123456Z, 2026-03-01"),
        (["--workdir", "nowhere"], "nowhere"),
        (["--json", "--compare", A, B], "--json prints the record of one run"),
        (["--output", "run.json/page.html"], "cannot be written"),
    ],
)
def test_wrong_calls_are_answered_in_a_line(workdir, monkeypatch, arguments, message):
    monkeypatch.chdir(workdir)
    with pytest.raises(UsageError, match=message) as raised:
        call(workdir, *arguments)
    assert "\n" not in str(raised.value)
