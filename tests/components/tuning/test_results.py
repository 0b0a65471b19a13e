"""What the record tells of a search."""

import json

from components.tuning.results import read_results


def test_trials_in_order_and_the_best(tmp_path):
    rows = [  # as TFX writes them: the best first
        {"trial_id": "02", "score": 0.84, "units": 256, "learning_rate": 0.002},
        {"trial_id": "00", "score": 0.82, "units": 128, "learning_rate": 0.001},
    ]
    (tmp_path / "tuner_results.json").write_text(json.dumps(rows))
    first = {"number": 1, "accuracy": 0.82, "values": {"units": 128, "learning_rate": 0.001}}
    best = {"number": 3, "accuracy": 0.84, "values": {"units": 256, "learning_rate": 0.002}}
    assert read_results(str(tmp_path)) == {"trials": [first, best], "best": best}
