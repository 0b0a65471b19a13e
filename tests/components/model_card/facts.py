"""The facts of a made-up run."""

from components.model_card.facts import RunFacts


def values(accuracy: float, rows: int, low: float, high: float) -> dict:
    return {
        "accuracy": accuracy,
        "macro_f1": accuracy - 0.01,
        "auc": None,
        "loss": 0.4,
        "calibration_error": 0.02,
        "example_count": rows,
        "intervals": {"accuracy": [low, high]},
    }


def run_facts(**other) -> RunFacts:
    linear = {"accuracy": 0.78, "macro_f1": 0.77, "example_count": 1000, "train_rows": 9000}
    return RunFacts(
        **{
            "model_name": "sentiment",
            "version": 3,
            "trained": "2026-01-31T10:20:30+00:00",
            "pipeline": "sentiflow",
            "run_id": "2026-01-31T10:00:00.000000Z",
            "labels": ["negative", "positive"],
            "config": {
                "text": {"vocab_size": 20000, "min_count": 1, "max_length": 64},
                "model": {
                    "embedding_dim": 100, "units": 128, "bidirectional": True, "pooling": "max",
                },
                "train": {"batch_size": 64, "learning_rate": 0.001, "clip_norm": None},
            },
            "packages": {"tensorflow": "2.21.0", "keras": "3.15.1"},
            "ingest": {
                "read": 10012, "accepted": 10000, "rejected": {"empty_text": 5, "not_utf8": 2},
                "duplicates": 5,
                "splits": {
                    "train": {"negative": 3000, "positive": 6000},
                    "eval": {"negative": 400, "positive": 600},
                },
                "files": [
                    {"path": "/home/ann/secret/films.csv", "split": None, "read": 10012,
                     "sha256": "ab12"},
                ],
                "ignored_files": [], "span": 0, "version": None,
            },
            "coverage": None,
            "history": [
                {"steps": 141, "loss": 0.6, "accuracy": 0.6, "eval_loss": 0.5,
                 "eval_accuracy": 0.81, "sentences_per_second": 1000.0},
                {"steps": 282, "loss": 0.4, "accuracy": 0.8, "eval_loss": 0.6,
                 "eval_accuracy": 0.80, "sentences_per_second": 1000.0},
            ],
            "kept_epoch": 1,
            "calibration": {
                "temperature": 1.5, "error_before": 0.05, "error_after": 0.02, "rows": 1000,
            },
            "outcome": {
                "metrics": {
                    **values(0.81, 1000, 0.78, 0.83),
                    "accuracy_over_majority": 0.21,
                    "confusion_matrix": [[310, 90], [100, 500]],
                    "slices": {
                        "label=negative": values(0.775, 400, 0.73, 0.81),
                        "length=1-10": values(0.9, 500, 0.87, 0.92),
                        "length=41+": values(0.5, 100, 0.40, 0.60),
                        "length=21-40": values(0.6, 5, 0.23, 0.88),
                    },
                },
                "blessed_before": values(0.80, 1000, 0.77, 0.82),
                "linear_baseline": linear,
                "missed_bounds": [],
            },
            "serve_check": {
                "sentences": 64, "failures": [], "start_seconds": 3.2,
                "largest_difference": 1e-7, "p50_ms": 1.94, "p99_ms": 2.75,
            },
        }
        | other
    )  # fmt: skip
