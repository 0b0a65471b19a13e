"""The records that the runs in a workdir left: one of them by name, what changed between two."""

from pathlib import Path
from typing import Any

import pydantic

from components.errors import UsageError
from pipeline.changes import leaves
from pipeline.record import FILE, RunRecord

RUNS = "runs"  # in the workdir: a record for each run
SCORES = ("accuracy", "macro_f1", "auc", "loss", "calibration_error", "example_count")
MOST_RUNS_NAMED = 5


def keep(record: RunRecord, workdir: Path) -> None:
    """Leaves a copy of the record that the next run does not replace."""
    path = _path(record.run_id, workdir)
    path.parent.mkdir(exist_ok=True)
    record.write_to(path)


def load_record(name: str | Path, workdir: Path) -> RunRecord:
    """Reads the record of a run.

    Args:
      name: a record's file, a workdir (its last run), or the id of a run in `workdir`.
      workdir: where runs are looked for by their id.

    Raises:
      UsageError: there is no such run, or what is there is no record.
    """
    path = _find(str(name), workdir)
    try:
        return pydantic.TypeAdapter(RunRecord).validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        cause = f"{where}: {first['msg']}" if where else first["msg"]
        raise UsageError(f"{path}: expected the record of a run ({FILE}): {cause}") from None


def since_last_run(record: RunRecord, workdir: Path) -> dict[str, Any] | None:
    """What `previous` of a record tells: the last run in this workdir, and what changed since.

    Args:
      record: of a run that has not yet written its own.

    Returns:
      `run_id`, `status`, `metrics` (those of `SCORES` that are known; None if the model was not
      evaluated) and `changes`. None: there was no run, or its record cannot be read.
    """
    try:
        before = load_record(workdir / FILE, workdir)
    except UsageError:
        return None
    metrics = before.metrics
    return {
        "run_id": before.run_id,
        "status": before.status,
        "metrics": metrics and {name: metrics[name] for name in SCORES if name in metrics},
        "changes": changes(before, record),
    }


def changes(before: RunRecord, after: RunRecord) -> list[dict[str, Any]]:
    """What differs in configuration, code and packages.

    Returns:
      `key` (as `train.seed`, `code` or `packages.keras`), `before` and `after`, in the order of the
      keys; None where one of the runs has no such key.
    """
    old, new = (
        leaves({**record.config, "code": record.code, "packages": record.packages})
        for record in (before, after)
    )
    return [
        {"key": key, "before": old.get(key), "after": new.get(key)}
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _path(run_id: str, workdir: Path) -> Path:
    return workdir / RUNS / f"{run_id.replace(':', '')}.json"


def _find(name: str, workdir: Path) -> Path:
    path, by_id = Path(name), _path(name, workdir)
    if path.is_dir():
        if (path / FILE).is_file():
            return path / FILE
        raise UsageError(f"{path}: expected the workdir of a run, there is no {FILE}")
    for candidate in (path, by_id):
        if candidate.is_file():
            return candidate
    runs = sorted((file.stem for file in by_id.parent.glob("*.json")), reverse=True)
    known = f"the last are {', '.join(runs[:MOST_RUNS_NAMED])}" if runs else "there are none"
    raise UsageError(
        f"no run '{name}': expected a {FILE}, a workdir, or the id of a run in {workdir}; {known}"
    )
