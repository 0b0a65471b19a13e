"""The page of a run, as text; tests/e2e sees it written."""

import re

import pytest

from components.errors import DataRefused, NotBlessed, SentiflowError
from pipeline.config import load_config
from pipeline.page import headline, run_page
from pipeline.record import RunRecord, Step

METRICS = {
    "accuracy": 0.841,
    "macro_f1": 0.84,
    "auc": 0.9,
    "loss": 0.4,
    "calibration_error": 0.05,
    "example_count": 1234,
    "confusion_matrix": [[500, 117], [79, 538]],
    "slices": {"length=1-10": {"accuracy": 0.9, "macro_f1": None, "example_count": 100}},
}


@pytest.fixture
def record():
    record = RunRecord.start(load_config())
    record.rows = {"read": 12345, "accepted": 12000, "rejected": {"empty": 45}, "duplicates": 300}
    record.metrics = METRICS
    record.baseline = {"latest_blessed": {**METRICS, "accuracy": 0.829}}
    record.serve_check = {"p50_ms": 3.14, "p99_ms": 9.0}
    record.pushed_version = 3
    record.steps = [Step("Trainer", "run", 20.5, "train.seed: 2, was 1")]
    return record


def test_a_pushed_model(record):
    record.finish(None)
    expected = "Pushed version 3: accuracy 84.1%, 1.2 points above the blessed model."
    assert headline(record) == expected
    page = run_page(record)
    for text in (expected, "12,345", "rejected: empty", "0.8410", "0.8290", "538", "length=1-10",
                 "3.1 ms", "train.seed: 2, was 1", "predicted positive"):  # fmt: skip
        assert text in page, text
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched


@pytest.mark.parametrize(
    "error, status, sentence",
    [
        (DataRefused("no rows"), "refused", "The data was refused: no rows"),
        (NotBlessed("accuracy is 0.6"), "not_blessed", "Nothing was pushed: accuracy is 0.6"),
        (SentiflowError("disk full"), "failed", "The run failed: disk full"),
        (KeyboardInterrupt(), "interrupted", "The run was interrupted; the next one goes on"),
    ],
)
def test_a_run_that_did_not_end_well_has_a_page_too(error, status, sentence):
    record = RunRecord.start(load_config())
    record.finish(error)
    assert record.status == status
    assert headline(record).startswith(sentence)
    assert headline(record)[:40] in run_page(record)


def test_what_users_wrote_is_text_and_no_markup(record):
    record.finish(DataRefused("label <script>alert(1)</script> in row 3"))
    record.steps = [Step("SentenceExampleGen", "failed", 1.0, "<img src=x onerror=alert(1)>")]
    page = run_page(record)
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


LINEAR = {
    "accuracy": 0.835,
    "macro_f1": 0.7912,
    "example_count": 1234,
    "train_rows": 900,
    "trained_on": 20,
    "ngrams": 5000,
}


def page_of(record):
    """The page without blanks between tags."""
    return re.sub(r">\s+<", "><", run_page(record))


def test_the_linear_model_stands_beside_the_model(record):
    record.baseline["linear"] = LINEAR
    page = page_of(record)
    assert "<th>this model</th><th>blessed model before</th><th>linear model</th></tr>" in page
    cells = "".join(f'<td class="number">{v}</td>' for v in ("0.8410", "0.8290", "0.8350"))
    assert f"<td>accuracy</td>{cells}</tr>" in page
    assert (
        "<p>Accuracy 0.835 by a linear model on n-grams, trained on 20 of 900 rows; "
        "the LSTM is 0.6 points above it.</p>"
    ) in page


def test_the_linear_model_has_no_loss(record):
    record.baseline = {"latest_blessed": None, "linear": LINEAR}
    page = page_of(record)
    assert "<tr><th></th><th>this model</th><th>linear model</th></tr>" in page
    assert '<td>loss</td><td class="number">0.4000</td><td class="number"></td></tr>' in page


def test_what_the_temperature_did(record):
    assert "Temperature" not in page_of(record)
    record.calibration = {"temperature": 1.4, "error_before": 0.06, "error_after": 0.02, "rows": 90}
    assert (
        "<p>Temperature 1.40: without it the calibration error was 0.0600, with it 0.0200.</p>"
    ) in page_of(record)
