"""What Kubeflow calls a task with."""

import json

from pipeline.config import load_config
from pipeline.fingerprint import source_fingerprint

CONFIG = load_config(None, ("data.path=/data/films",))


def arguments(tmp_path, code=None, **given):
    code = code or source_fingerprint()
    parameters = {"run_id": "r1", "data_path": "", "epochs": 0, "overrides": "", **given}
    executor_input = {
        "inputs": {"parameterValues": parameters},
        "outputs": {"outputFile": str(tmp_path / "output.json")},
    }
    return [
        *("--node", "Trainer"),
        *("--nodes", "Trainer,Pusher"),
        *("--config", CONFIG.model_dump_json()),
        *("--code", code),
        *("--executor-input", json.dumps(executor_input)),
        *("--output", "artifacts", str(tmp_path / "artifacts")),
    ]
