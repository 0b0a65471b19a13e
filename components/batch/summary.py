"""What became of a batch, and when that is too little."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from components.errors import DataRefused


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FileSummary(_Record):
    """What became of one input."""

    input: str
    sha256: str
    output: str | None  # below the output folder; None: the file was refused
    rows: int  # records; 0 of a refused file
    rejected: dict[str, int]  # by reason
    state: Literal["done", "resumed", "refused"]  # resumed: by an earlier call
    first_reject: str | None  # "file:record reason, detail"
    refusal: str | None  # why the file as a whole was refused


class ModelSummary(_Record):
    """The model that answered."""

    path: str
    version: int | None  # the folder's name, if that is a number


class BatchSummary(_Record):
    """What became of all inputs: `rows == predicted + sum(rejected.values())`."""

    rows: int
    predicted: int
    rejected: dict[str, int]
    files: list[FileSummary]
    model: ModelSummary
    seconds: float


def summarise(files: Sequence[FileSummary], model_dir: Path, seconds: float) -> BatchSummary:
    """Adds up the files."""
    rejected: Counter[str] = Counter()
    for file in files:
        rejected.update(file.rejected)
    rows = sum(file.rows for file in files)
    name = model_dir.name
    return BatchSummary(
        rows=rows,
        predicted=rows - rejected.total(),
        rejected=dict(rejected.most_common()),
        files=list(files),
        model=ModelSummary(path=str(model_dir), version=int(name) if name.isdecimal() else None),
        seconds=round(seconds, 2),
    )


def refuse_unfit(summary: BatchSummary, output: Path, max_reject_fraction: float) -> None:
    """Checks that the inputs were what they ought to be; the outputs stay in any case.

    Raises:
      DataRefused: a file was refused, or there are too many rejects.
    """
    refused = [file for file in summary.files if file.refusal]
    kept = f"the predictions of the rest are in {output}"
    if refused:
        more = f" ({len(refused) - 1} more files refused)" if len(refused) > 1 else ""
        raise DataRefused(f"{refused[0].refusal}{more}; {kept}")
    rejected = sum(summary.rejected.values())
    if rejected > max_reject_fraction * summary.rows:
        reasons = ", ".join(f"{n} {reason}" for reason, n in list(summary.rejected.items())[:3])
        first = next(file.first_reject for file in summary.files if file.first_reject)
        raise DataRefused(
            f"{rejected} of {summary.rows} rows rejected, data.max_reject_fraction is "
            f"{max_reject_fraction}: {reasons}; first: {first}; {kept}"
        )


def in_words(summary: BatchSummary, output: Path) -> str:
    """The summary in one line."""
    states = Counter(file.state for file in summary.files)
    files = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    rejected = summary.rows - summary.predicted
    return (
        f"{summary.predicted:,} sentences predicted, {rejected:,} records rejected; "
        f"files: {files}; {summary.seconds:.1f} s: {output}"
    )
