"""What a search came to, from what TFX's Tuner leaves of it."""

import json
from typing import Any

FILE = "tuner_results.json"  # TFX's name


def read_results(folder: str) -> dict[str, Any]:
    """The trials that could be trained, and the best of them.

    Args:
      folder: of the TunerResults artifact.

    Returns:
      `trials`, in the order in which they ran: `number`, from 1 (the configured values),
      `accuracy` on eval and `values`; and `best`, the one whose values the Trainer got.
    """
    from tfx.dsl.io import fileio

    with fileio.open(f"{folder}/{FILE}") as file:
        best_first = [_trial(**row) for row in json.loads(file.read())]
    return {"trials": sorted(best_first, key=lambda t: t["number"]), "best": best_first[0]}


def _trial(trial_id: str, score: float, **values: Any) -> dict[str, Any]:
    return {"number": int(trial_id) + 1, "accuracy": score, "values": values}
