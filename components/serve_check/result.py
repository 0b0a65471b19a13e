"""What a serving check found; readers need no TensorFlow."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from tfx.dsl.io import fileio

RESULT = "serve_check.json"


@dataclass(frozen=True)
class ServeCheckResult:
    """What was measured, and in `failures`, in words, why the model must not be served."""

    sentences: int
    failures: list[str]
    start_seconds: float | None = None  # from starting the process to the model being available
    largest_difference: float | None = None  # of a probability
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None

    def write(self, folder: str) -> None:
        """Writes `serve_check.json`."""
        with fileio.open(os.path.join(folder, RESULT), "w") as file:
            file.write(json.dumps(asdict(self), indent=2))


def read_result(folder: str) -> dict[str, Any]:
    """What `ServeCheckResult.write` wrote to a folder."""
    with fileio.open(os.path.join(folder, RESULT)) as file:
        return json.loads(file.read())
