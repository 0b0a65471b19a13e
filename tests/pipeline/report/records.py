"""Made-up records of runs, as the runner leaves them."""

from typing import Any

from components.errors import DataRefused, NotBlessed, SentiflowError
from pipeline.config import load_config
from pipeline.record import RunRecord, Step

# (id, seconds, ids of what it read, of what it made)
STEPS: list[tuple[str, float, dict[str, list[int]], dict[str, list[int]]]] = [
    ("SentenceExampleGen", 6.2, {}, {"examples": [11], "rejects": [12]}),
    ("SchemaImporter", 0.4, {}, {"schema": [13]}),
    ("StatisticsGen", 5.1, {"examples": [11], "schema": [13]}, {"statistics": [14]}),
    ("ExampleValidator", 1.9, {"statistics": [14], "schema": [13]}, {"anomalies": [15]}),
    ("DataGate", 0.6, {"anomalies": [15], "statistics": [14], "schema": [13]}, {}),
    ("WordVectors", 4.3, {"examples": [11]}, {"word_vectors": [16]}),
    ("Transform", 14.8, {"examples": [11], "schema": [13], "word_vectors": [16]},
     {"transform_graph": [17], "transformed_examples": [18]}),
    ("Trainer", 96.4, {"examples": [18], "transform_graph": [17], "word_vectors": [16]},
     {"model": [19], "model_run": [20]}),
    ("LinearBaseline", 3.3, {"examples": [11]}, {"scores": [21]}),
    ("Resolver", 0.2, {}, {"model": [7], "candidate": [19]}),
    ("Evaluator", 21.7, {"examples": [11], "model": [19], "baseline_model": [7],
                         "linear_baseline": [21]}, {"evaluation": [22], "blessing": [23]}),
    ("ServeCheck", 9.5, {"model": [19], "examples": [11]}, {"blessing": [24]}),
    ("Pusher", 0.5, {"model": [19], "model_blessing": [23], "infra_blessing": [24]},
     {"pushed_model": [25]}),
]  # fmt: skip

ERRORS: dict[str, BaseException | None] = {
    "succeeded": None,
    "refused": DataRefused("films.csv: 800 of 1000 rows rejected"),
    "not_blessed": NotBlessed(
        "model not blessed: macro_f1 on length=41+ is 0.61, under its bound 0.65"
    ),
    "failed": SentiflowError("Trainer failed: MemoryError: out of memory (log: logs/a.log)"),
    "interrupted": KeyboardInterrupt(),
}  # fmt: skip


def empty() -> RunRecord:
    """A run that has just started."""
    record = RunRecord.start(load_config())
    record.run_id = "2026-03-02T08:15:30.123456Z"
    record.code = "0123456789abcdef"
    return record


def full() -> RunRecord:
    """A run that pushed version 3, with every field set."""
    record = empty()
    record.rows = {
        "read": 4200,
        "accepted": 4074,
        "rejected": {"unknown_label": 61, "empty_text": 24},
        "duplicates": 41,
    }
    record.data = _data()
    trials = [
        {"number": 1, "accuracy": 0.829, "values": {"units": 128, "learning_rate": 0.001}},
        {"number": 2, "accuracy": 0.841, "values": {"units": 64, "learning_rate": 0.002}},
    ]
    record.tuning = {"trials": trials, "best": trials[1]}
    record.vectors = {
        "types": 6421, "types_known": 6130, "tokens": 72011, "tokens_known": 71240,
        "missing": [["snark-tastic", 12], ["filmgoer", 7]], "extra_words": 50000, "read": 400000,
        "duplicates": 0, "not_utf8": 0, "words_with_spaces": 0,
    }  # fmt: skip
    record.history = [
        _epoch(1, 0.652, 0.601, 0.561, 0.731),
        _epoch(2, 0.521, 0.744, 0.462, 0.789),
        _epoch(3, 0.431, 0.806, 0.412, 0.821),
        _epoch(4, 0.362, 0.846, 0.391, 0.841),
        _epoch(5, 0.301, 0.877, 0.402, 0.836),
        _epoch(6, 0.262, 0.896, 0.431, 0.832),
    ]
    record.kept_epoch = 4
    record.calibration = {
        "temperature": 1.37, "error_before": 0.061, "error_after": 0.021, "rows": 410
    }  # fmt: skip
    record.metrics = _metrics()
    record.mistakes = _mistakes()
    record.baseline = {
        "latest_blessed": {**_metrics(), "accuracy": 0.829, "macro_f1": 0.8279,
                           "intervals": {"accuracy": [0.791, 0.864]}},
        "linear": {"accuracy": 0.785, "macro_f1": 0.7842, "example_count": 410,
                   "train_rows": 3664, "trained_on": 3664, "ngrams": 41234},
    }  # fmt: skip
    record.version_before = 2
    record.blessed = True
    record.serve_check = {
        "sentences": 64, "failures": [], "start_seconds": 6.1, "largest_difference": 1e-7,
        "p50_ms": 3.14, "p90_ms": 4.4, "p95_ms": 5.2, "p99_ms": 9.04, "max_ms": 14.8,
    }  # fmt: skip
    record.pushed_version = 3
    record.previous = {
        "run_id": "2026-03-01T08:15:30.000001Z",
        "status": "succeeded",
        "metrics": record.baseline["latest_blessed"],
        "changes": [
            {"key": "train.learning_rate", "before": 0.003, "after": 0.002},
            {"key": "vectors.path", "before": None, "after": "vectors/film.txt.gz"},
        ],
    }
    record.steps = _steps()
    record.finish(None)
    return record


def ended(status: str) -> RunRecord:
    """A run that ended so, with what it had until then."""
    if status == "running":
        return empty()
    record = full()
    if status in ("refused", "failed", "interrupted"):
        last = {"refused": 1, "failed": 8, "interrupted": 3}[status]
        stopped = record.steps[last - 1]
        record.steps = record.steps[: last - 1]
        record.steps.append(Step(stopped.id, "failed", 2.5, "see above", stopped.started))
        record.metrics = record.mistakes = record.baseline = record.blessed = None
        record.history = record.kept_epoch = record.calibration = record.serve_check = None
        record.vectors = None
    if status == "refused":
        record.rows = {"read": 1000, "accepted": 200, "duplicates": 0,
                       "rejected": {"unknown_label": 799, "empty_text": 1}}  # fmt: skip
        record.data = {"splits": {}, "rejects": _rejects(), "vocabulary": None}
    if status != "succeeded":
        record.pushed_version = None
    record.finish(ERRORS[status])
    return record


def _steps() -> list[Step]:
    started, steps = 7.1, []
    for name, seconds, inputs, outputs in STEPS:
        cached = name in ("SentenceExampleGen", "SchemaImporter", "StatisticsGen")
        seconds = 0.8 if cached else seconds
        why = "nothing changed" if cached else "train.learning_rate: 0.003 -> 0.002"
        state = "cached" if cached else "run"
        steps.append(Step(name, state, seconds, why, round(started, 2), inputs, outputs))
        started += seconds + 0.3
    return steps


def _epoch(number: int, loss: float, accuracy: float, eval_loss: float, eval_accuracy: float):
    return {
        "steps": 58 * number, "loss": loss, "accuracy": accuracy, "eval_loss": eval_loss,
        "eval_accuracy": eval_accuracy, "sentences_per_second": 2345.6,
    }  # fmt: skip


def _metrics() -> dict[str, Any]:
    return {
        "accuracy": 0.841,
        "macro_f1": 0.8402,
        "auc": 0.917,
        "loss": 0.391,
        "calibration_error": 0.0213,
        "accuracy_over_majority": 0.3263,
        "example_count": 410,
        "confusion_matrix": [[162, 37], [28, 183]],
        "intervals": {"accuracy": [0.803, 0.874], "macro_f1": [0.801, 0.873]},
        "reliability": [
            *({"low": b / 10, "high": (b + 1) / 10, "rows": 0, "confidence": None,
               "accuracy": None} for b in range(5)),
            {"low": 0.5, "high": 0.6, "rows": 41, "confidence": 0.55, "accuracy": 0.537},
            {"low": 0.6, "high": 0.7, "rows": 52, "confidence": 0.65, "accuracy": 0.692},
            {"low": 0.7, "high": 0.8, "rows": 61, "confidence": 0.75, "accuracy": 0.77},
            {"low": 0.8, "high": 0.9, "rows": 88, "confidence": 0.86, "accuracy": 0.852},
            {"low": 0.9, "high": 1.0, "rows": 168, "confidence": 0.97, "accuracy": 0.976},
        ],
        "slices": {
            "label=negative": _slice(0.814, None, 199, [0.754, 0.865]),
            "label=positive": _slice(0.867, None, 211, [0.814, 0.91]),
            "length=1-10": _slice(0.872, 0.871, 109, [0.795, 0.928]),
            "length=11-20": _slice(0.851, 0.85, 168, [0.789, 0.901]),
            "length=21-40": _slice(0.811, 0.809, 122, [0.73, 0.876]),
            "length=41+": _slice(0.727, 0.71, 11, [0.39, 0.94]),
        },
    }  # fmt: skip


def _slice(accuracy: float, macro_f1: float | None, rows: int, bounds: list[float]):
    return {
        "accuracy": accuracy, "macro_f1": macro_f1, "auc": None, "loss": 0.4,
        "calibration_error": 0.03, "example_count": rows, "intervals": {"accuracy": bounds},
    }  # fmt: skip


def _data() -> dict[str, Any]:
    edges = [1, 6, 11, 16, 21, 26, 31, 36, 41, 58]
    return {
        "splits": {
            "train": {
                "rows": 3664,
                "labels": {"negative": 1781, "positive": 1883},
                "lengths": {"edges": edges, "rows": [310, 702, 861, 720, 511, 301, 151, 72, 36]},
            },
            "eval": {
                "rows": 410,
                "labels": {"negative": 199, "positive": 211},
                "lengths": {"edges": edges, "rows": [31, 78, 102, 81, 55, 36, 16, 8, 3]},
            },
        },
        "rejects": _rejects(),
        "vocabulary": 6421,
    }


def _rejects() -> list[dict[str, Any]]:
    return [
        {"file": "films.csv", "record": 17, "reason": "unknown_label",
         "detail": "label 'neutral' is not one of negative, positive",
         "raw": '{"text": "It runs for two hours.", "label": "neutral"}'},
        {"file": "films.csv", "record": 204, "reason": "empty_text", "detail": "text is empty",
         "raw": '{"text": "  ", "label": "positive"}'},
    ]  # fmt: skip


def _mistakes() -> list[dict[str, Any]]:
    return [
        _mistake("A filmgoer with any patience will be rewarded, though hardly amused.",
                 "negative", "positive", 0.987, ["filmgoer"]),
        _mistake("You could call it snark-tastic, and you would be kind.",
                 "negative", "positive", 0.964, ["snark", "tastic"]),
        _mistake("Not once did I look at my watch.", "positive", "negative", 0.951, []),
        _mistake("The sort of disaster that is worth a ticket.", "positive", "negative", 0.93, []),
    ]  # fmt: skip


def _mistake(text: str, label: str, predicted: str, probability: float, unknown: list[str]):
    return {
        "text": text, "label": label, "predicted": predicted, "probability": probability,
        "unknown": unknown,
    }  # fmt: skip
