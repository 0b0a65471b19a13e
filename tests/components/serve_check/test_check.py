"""ServeCheck's verdict: answers compared, bounds in words. The real process is in tests/e2e."""

import numpy as np
import pytest

from components.serve_check import check, result
from components.serving.client import Prediction
from components.serving.process import ServerDidNotStart
from components.settings import ServeCheckSettings


def prediction(text, *probabilities):
    return Prediction(text, "a", dict(zip("ab", probabilities, strict=True)))


def test_equal_answers_pass():
    served = [prediction("x", 0.25, 0.75), prediction("y", 0.5, 0.5)]
    assert check.compare(["x", "y"], served, np.array([[0.25, 0.75], [0.5, 0.5]])) == (0.0, [])


def test_difference_within_the_tolerance_passes():
    difference, failures = check.compare(
        ["x"], [prediction("x", 0.25, 0.75)], np.array([[0.250005, 0.749995]])
    )
    assert difference == pytest.approx(5e-6)
    assert failures == []


def test_worst_sentence_is_named():
    served = [prediction("fine", 0.5, 0.5), prediction("off", 0.4, 0.6)]
    difference, failures = check.compare(
        ["fine", "off"], served, np.array([[0.5, 0.5], [0.6, 0.4]])
    )
    assert difference == pytest.approx(0.2)
    assert failures == [
        "served and evaluated probabilities differ by 0.2 (allowed: 1e-05) for the sentence 'off'"
    ]


def test_server_that_does_not_start_is_a_failure_of_the_model(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/saved_model.pb").write_bytes(b"broken")

    def fail(*arguments):
        raise ServerDidNotStart("the model 'm' was not available after 5 s: no output")

    monkeypatch.setattr(check, "start_server_process", fail)
    result = check.check_serving(
        str(tmp_path / "model"), "m", ["x"], ServeCheckSettings(), str(tmp_path / "scratch")
    )
    assert result.failures == ["the model 'm' was not available after 5 s: no output"]
    assert result.p99_ms is None


def test_result_is_read_back(tmp_path):
    result.ServeCheckResult(3, ["slow"], 1.0, 1e-7, p50_ms=2.0, max_ms=3.0).write(str(tmp_path))
    assert result.read_result(str(tmp_path)) == {
        "sentences": 3,
        "failures": ["slow"],
        "start_seconds": 1.0,
        "largest_difference": 1e-7,
        "p50_ms": 2.0,
        "p90_ms": None,
        "p95_ms": None,
        "p99_ms": None,
        "max_ms": 3.0,
    }


def test_quantiles_of_the_latency():
    latencies = [float(n) for n in range(101, 0, -1)]
    assert check.latency_quantiles(latencies) == {
        "p50_ms": 51.0, "p90_ms": 91.0, "p95_ms": 96.0, "p99_ms": 100.0, "max_ms": 101.0,
    }  # fmt: skip
    assert check.latency_quantiles([1.23456]) == {
        "p50_ms": 1.235, "p90_ms": 1.235, "p95_ms": 1.235, "p99_ms": 1.235, "max_ms": 1.235,
    }  # fmt: skip
