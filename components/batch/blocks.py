"""Blocks: some thousand sentences of a file that follow one another.

They are what workers share a file by, and what is not done again after an interruption. They go
through files, not through Beam, whose local runner keeps whole collections in memory.
"""

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from components.errors import DataRefused
from components.ingest.reader import read_rows
from components.ingest.rows import Reject, Row
from components.settings import DataSettings

BLOCK_ROWS = 10_000  # sentences in a block, but for a file's last one
BLOCK_BYTES = 16 << 20  # of text, after which a block ends in any case

REJECTS = "rejects.jsonl"
READING = "reading.json"


class Block(NamedTuple):
    """A block's place: its sentences, and later its predictions, lie there."""

    folder: str  # of its file
    number: int  # from 0

    @property
    def sentences(self) -> Path:
        """A JSON list of the sentences; is deleted when there are predictions."""
        return Path(self.folder, f"{self.number:06d}.sentences")

    @property
    def predictions(self) -> Path:
        """The predictions in the output's format, whole as soon as the file is there."""
        return Path(self.folder, f"{self.number:06d}.predictions")


class Reading(BaseModel):
    """What reading a file gave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int  # records
    rejected: dict[str, int]  # by reason
    first_reject: str | None  # "file:record reason, detail"
    blocks: int  # at least one, unless the file was refused
    refusal: str | None  # why the file as a whole was refused


def cut(
    texts: Iterable[str], rows: int = BLOCK_ROWS, text_bytes: int = BLOCK_BYTES
) -> Iterator[list[str]]:
    """Cuts sentences into blocks, in their order; no sentences are one empty block.

    A block ends when it has `rows` sentences, or with the sentence that makes it `text_bytes` long.
    """
    block: list[str] = []
    size = 0
    empty = True
    for text in texts:
        block.append(text)
        size += len(text.encode())
        if len(block) == rows or size >= text_bytes:
            yield block
            block, size, empty = [], 0, False
    if block or empty:
        yield block


def write_blocks(path: str, folder: str, settings: DataSettings) -> list[Block]:
    """Reads a data file and writes its blocks and rejects.

    What an interrupted call left in the folder is gone on with.

    Args:
      path: of the data file; the label column is optional.
      folder: of this file and settings; is made.

    Returns:
      The blocks that have no predictions yet; none for a file that is refused.
    """
    record = Path(folder, READING)
    if record.exists():
        reading = Reading.model_validate_json(record.read_bytes())
    else:
        os.makedirs(folder, exist_ok=True)
        reading = _read(path, folder, settings)
        write_whole(record, reading.model_dump_json())
    blocks = [Block(folder, number) for number in range(reading.blocks)]
    return [block for block in blocks if not block.predictions.exists()]


def read_reading(folder: Path) -> Reading:
    """What `write_blocks` wrote about a file."""
    return Reading.model_validate_json((folder / READING).read_bytes())


def read_sentences(block: Block) -> list[str]:
    """The sentences of a block; none where a runner does again what is done already."""
    if block.predictions.exists():
        return []
    return json.loads(block.sentences.read_bytes())


def write_whole(path: Path, text: str) -> None:
    """Writes a small text file at once or not at all."""
    partial = partial_path(path)
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def partial_path(path: Path) -> Path:
    """A name under which a file is written until it is whole; two writers never share one."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")


def _read(path: str, folder: str, settings: DataSettings) -> Reading:
    rejected: Counter[str] = Counter()
    first_reject = refusal = None
    rows = blocks = 0

    def accepted(records: Iterable[Row | Reject]) -> Iterator[str]:
        nonlocal first_reject, rows
        with open(Path(folder, REJECTS), "w", encoding="utf-8", newline="\n") as log:
            for record in records:
                rows += 1
                if isinstance(record, Row):
                    yield record.text
                    continue
                rejected[record.reason] += 1
                where = f"{record.file}:{record.record} {record.reason}, {record.detail}"
                first_reject = first_reject or where
                log.write(json.dumps(record._asdict(), ensure_ascii=False) + "\n")

    try:
        for number, texts in enumerate(cut(accepted(read_rows(path, settings, False)))):
            Block(folder, number).sentences.write_text(json.dumps(texts), encoding="utf-8")
            blocks = number + 1
    except DataRefused as error:
        refusal, blocks = str(error), 0
    return Reading(
        rows=rows,
        rejected=dict(rejected.most_common()),
        first_reject=first_reject,
        blocks=blocks,
        refusal=refusal,
    )
