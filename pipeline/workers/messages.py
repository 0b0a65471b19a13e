"""What the processes of a run say to each other; all of it can be pickled."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Job:
    """An executor to run."""

    step: str
    executor_spec: Any  # protobuf message, of TFX's deployment configuration
    invocation: Any  # ExecutionInfo as a protobuf message
    log: str | None  # file that gets what is printed and logged; None: where the forker's goes


@dataclass(frozen=True)
class Started:
    """The process that runs a job."""

    pid: int


@dataclass(frozen=True)
class Said:
    """What a logger of ours has to tell, on a line."""

    level: int
    message: str


@dataclass(frozen=True)
class Done:
    """What the executor put out: a protobuf message."""

    output: Any


@dataclass(frozen=True)
class Failed:
    """What the executor raised."""

    error: Exception
