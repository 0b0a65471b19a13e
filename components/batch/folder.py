"""The output folder: what is done, what of it still holds, and finishing a file.

<name>.jsonl | .parquet    the predictions of the input of that name
rejects/<name>.jsonl       its records that are not sentences, if any
summary.json               of the last call; while a batch runs there is none
.batch/done/<name>.json    Done: what the input's output was made of
.batch/blocks/<key>/       the blocks of an input that is not done
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from components.batch import blocks
from components.batch.blocks import Block, Reading
from components.batch.inputs import InputFile
from components.batch.outputs import Format, join
from components.batch.summary import FileSummary
from components.errors import UsageError
from components.ingest.files import is_remote
from components.ingest.source import SourceFile
from components.settings import DataSettings
from schema import features

STATE = ".batch"  # in the output folder
SUMMARY = "summary.json"
REJECTS = "rejects"

_EDITION = 1  # of blocks and outputs; with another one nothing that is there counts as done
_JOINED = "joined"


class Done(BaseModel):
    """An input whose output stands in the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str  # see `recipe`
    sha256: str  # of the input
    output_bytes: int
    rows: int  # records
    rejected: dict[str, int]  # by reason
    first_reject: str | None


class Job:
    """An input, and the places of what is made of it.

    Args:
      folder: the output folder.
      file: the input.
      sha256: of its content.
      recipe: see `recipe`.
      format_: of the output.

    Attributes:
      folder, path, sha256, recipe, format: as given.
      work: the folder for its blocks; another one for another content or recipe.
      output, rejects, marker: files.
    """

    def __init__(self, folder: Path, file: InputFile, sha256: str, recipe: str, format_: Format):
        self.folder, self.path, self.sha256 = folder, file.path, sha256
        self.recipe, self.format = recipe, format_
        key = hashlib.sha256(json.dumps([file.name, sha256, recipe]).encode()).hexdigest()
        self.work = folder / STATE / "blocks" / key[:32]
        self.output = folder / f"{file.name}.{format_}"
        self.rejects = folder / REJECTS / f"{file.name}.jsonl"
        self.marker = folder / STATE / "done" / f"{file.name}.json"

    def done(self) -> Done | None:
        """The record of its output, if that is there and was made of this input by this recipe."""
        try:
            done = Done.model_validate_json(self.marker.read_bytes())
            whole = self.output.stat().st_size == done.output_bytes
        except (FileNotFoundError, ValidationError):  # the latter: of another edition
            return None
        return done if whole and (done.sha256, done.recipe) == (self.sha256, self.recipe) else None


def recipe(model_dir: Path, settings: DataSettings, format_: Format) -> str:
    """A hash over all that an output depends on besides its input.

    The model counts by its content, without the files beside it that only tell of it.
    """
    digest = hashlib.sha256()
    reading = (settings.text_column, settings.label_column, settings.max_text_bytes)
    cutting = (blocks.BLOCK_ROWS, blocks.BLOCK_BYTES)
    digest.update(json.dumps([_EDITION, format_, reading, cutting]).encode())
    for path in sorted(path for path in model_dir.rglob("*") if path.is_file()):
        name = path.relative_to(model_dir).as_posix()
        if name.startswith("assets.extra/") and name != features.MODEL_INFO:
            continue
        with open(path, "rb") as stream:
            content = hashlib.file_digest(stream, "sha256").digest()
        digest.update(json.dumps(name).encode() + content)
    return digest.hexdigest()


def check_folder(folder: Path) -> None:
    """Refuses an output folder that holds anything but an earlier batch.

    Raises:
      UsageError: see above, or it is no folder.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder, found a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / STATE).is_dir():
        raise UsageError(
            f"{folder}: expected an empty folder or one of an earlier batch, found other files; "
            "name a folder of its own"
        )


def make_jobs(
    folder: Path, inputs: Sequence[InputFile], hashed: Sequence[SourceFile], made: str, fmt: Format
) -> list[Job]:
    """A Job for each input.

    Args:
      hashed: the inputs' SHA-256, in their order.
      made: the recipe.

    Raises:
      UsageError: two of them would write the same file, or one lies in the output folder.
    """
    jobs = [
        Job(folder, file, source.sha256, made, fmt)
        for file, source in zip(inputs, hashed, strict=True)
    ]
    taken: dict[Path, str] = {}
    for job in jobs:
        if not is_remote(job.path) and Path(job.path).resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{job.path}: expected inputs outside of the output folder {folder}")
        for target in (job.output, job.rejects):
            if other := taken.get(target):
                raise UsageError(f"{other} and {job.path} would both be written to {target}")
            taken[target] = job.path
    return jobs


def clear_outdated(folder: Path, jobs: Sequence[Job], made: str) -> None:
    """Removes what is about to be done again, so that two models' outputs never stand together.

    Outputs of other inputs are left alone.

    Raises:
      UsageError: an output of an input that is not among the jobs was made by another recipe.
    """
    known = {job.marker for job in jobs}
    for marker in _markers(folder):
        other = marker not in known and Done.model_validate_json(marker.read_bytes())
        if other and other.recipe != made:
            name = marker.relative_to(folder / STATE / "done").with_suffix("")
            raise UsageError(
                f"{folder}: holds predictions of {name}, which is none of the inputs, made with "
                "another model, format or other settings; name another folder, or delete this one"
            )
    (folder / SUMMARY).unlink(missing_ok=True)
    open_jobs = [job for job in jobs if job.done() is None]
    for job in open_jobs:
        for path in (job.output, job.rejects, job.marker):
            path.unlink(missing_ok=True)
    work = folder / STATE / "blocks"
    wanted = {job.work for job in open_jobs}
    for left in work.iterdir() if work.exists() else ():
        if left not in wanted:
            shutil.rmtree(left)


def finish(job: Job) -> FileSummary:
    """What became of a job whose blocks are predicted, or that an earlier call has finished.

    Puts its output and rejects into their places; a file that was refused leaves nothing.
    """
    if done := job.done():
        return _summary(job, done, "resumed")
    reading = blocks.read_reading(job.work)
    if reading.refusal is None:
        done = _put_in_place(job, reading)
    shutil.rmtree(job.work)
    return _summary(job, done, "done") if done else _refused(job, reading)


def _put_in_place(job: Job, reading: Reading) -> Done:
    joined = job.work / _JOINED
    join([Block(str(job.work), n).predictions for n in range(reading.blocks)], joined, job.format)
    done = Done(
        recipe=job.recipe,
        sha256=job.sha256,
        output_bytes=joined.stat().st_size,
        rows=reading.rows,
        rejected=reading.rejected,
        first_reject=reading.first_reject,
    )
    for target in (job.marker, job.output):
        target.parent.mkdir(parents=True, exist_ok=True)
    if reading.rejected:
        job.rejects.parent.mkdir(parents=True, exist_ok=True)
        copy = blocks.partial_path(job.work / blocks.REJECTS)
        shutil.copyfile(job.work / blocks.REJECTS, copy)  # after a kill it is needed again
        os.replace(copy, job.rejects)
    # The record first: of an output without one nobody could tell which model made it.
    blocks.write_whole(job.marker, done.model_dump_json())
    os.replace(joined, job.output)
    return done


def _summary(job: Job, done: Done, state: Literal["done", "resumed"]) -> FileSummary:
    return FileSummary(
        input=job.path,
        sha256=job.sha256,
        output=str(job.output.relative_to(job.folder)),
        rows=done.rows,
        rejected=done.rejected,
        state=state,
        first_reject=done.first_reject,
        refusal=None,
    )


def _refused(job: Job, reading: Reading) -> FileSummary:
    return FileSummary(
        input=job.path,
        sha256=job.sha256,
        output=None,
        rows=0,
        rejected={},
        state="refused",
        first_reject=None,
        refusal=reading.refusal,
    )


def _markers(folder: Path) -> Iterator[Path]:
    return (folder / STATE / "done").rglob("*.json")
