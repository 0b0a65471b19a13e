"""What an Evaluation artifact says, as one JSON file: metrics, mistakes, missed bounds in words.

TFMA and TFX are imported inside, because the command line imports this module.
"""

import json
import os
from dataclasses import asdict
from typing import Any

from components.evaluation import values
from components.evaluation.missed import missed_bounds, missed_lead
from components.evaluation.slices import ALL, parse_slice_names
from components.linear_baseline.result import LinearBaselineResult

FILE = "outcome.json"


def write(
    evaluation_dir: str,
    model_dir: str,
    linear_baseline: LinearBaselineResult,
    beat_baseline_by: float | None,
) -> list[str]:
    """Writes the outcome beside TFMA's files, for readers without TensorFlow.

    Args:
      evaluation_dir: what TFX's Evaluator wrote.
      model_dir: the exported candidate.
      linear_baseline: its scores on the same rows.
      beat_baseline_by: least lead in accuracy over it; None: any.

    Returns:
      All missed bounds, a sentence each; empty if the model is blessed.
    """
    from tfx.dsl.io import fileio

    from components.evaluation import mistakes

    raw = values.load(evaluation_dir)
    names = values.slice_names(evaluation_dir)
    by_model = {model: values.plain(slices, names) for model, slices in raw.items()}
    found = by_model[values.CANDIDATE]
    missed = missed_bounds(evaluation_dir, by_model)
    if beat_baseline_by is not None:
        missed += missed_lead(found["accuracy"], linear_baseline.accuracy, beat_baseline_by)
    own_mistakes = mistakes.parse(raw[values.CANDIDATE][ALL][values.MISTAKES].bytes_value)
    outcome = {
        "metrics": found,
        "mistakes": mistakes.describe(own_mistakes, parse_slice_names(names)[0], model_dir),
        "blessed_before": by_model.get(values.BASELINE),
        "linear_baseline": asdict(linear_baseline),
        "missed_bounds": missed,
    }
    with fileio.open(os.path.join(evaluation_dir, FILE), "w") as file:
        file.write(json.dumps(outcome, indent=2) + "\n")
    return missed


def read(evaluation_dir: str) -> dict[str, Any]:
    """Reads what `write` wrote.

    Returns:
      `metrics` of the candidate and `blessed_before` (None if there was no such model): see
      `values.plain`; `mistakes`: see `mistakes.describe`; `linear_baseline`: LinearBaselineResult
      as a dict; `missed_bounds`: sentences.
    """
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(evaluation_dir, FILE)) as file:
        return json.loads(file.read())
