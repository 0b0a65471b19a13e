"""The predictions of a block in a file, and the blocks of an input joined to its output."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from components.batch.blocks import Block, partial_path
from components.serving.client import Prediction
from schema import features

Format = Literal["jsonl", "parquet"]


def write_predictions(
    block: Block, predictions: Sequence[Prediction], labels: Sequence[str], format_: Format
) -> None:
    """Writes a block's predictions, at once, and deletes its sentences.

    Args:
      predictions: of the block's sentences, in their order.
      labels: the model's classes, in its order.
      format_: see `docs/batch.md`.
    """
    if block.predictions.exists():  # a runner may do again what is done already
        return
    partial = partial_path(block.predictions)
    if format_ == "jsonl":
        with open(partial, "w", encoding="utf-8", newline="\n") as stream:
            for prediction in predictions:
                stream.write(json.dumps(asdict(prediction), ensure_ascii=False) + "\n")
    else:
        _write_parquet(partial, predictions, labels)
    os.replace(partial, block.predictions)
    block.sentences.unlink(missing_ok=True)


def join(parts: Sequence[Path], target: Path, format_: Format) -> None:
    """Joins the blocks of one input, in their order, a block at a time in memory."""
    if len(parts) == 1:
        shutil.copyfile(parts[0], target)
    elif format_ == "jsonl":
        with open(target, "wb") as stream:
            for part in parts:
                with open(part, "rb") as source:
                    shutil.copyfileobj(source, stream)
    else:
        _join_parquet(parts, target)


def _write_parquet(path: Path, predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    schema = _schema(labels)
    columns = {
        features.TEXT: [prediction.text for prediction in predictions],
        features.LABEL: [prediction.label for prediction in predictions],
        features.PROBABILITIES: [prediction.probabilities for prediction in predictions],
    }
    parquet.write_table(pyarrow.table(columns, schema=schema), path)


def _join_parquet(parts: Sequence[Path], target: Path) -> None:
    import pyarrow.parquet as parquet

    with parquet.ParquetWriter(target, parquet.read_schema(parts[0])) as writer:
        for part in parts:
            writer.write_table(parquet.read_table(part))


def _schema(labels: Sequence[str]) -> Any:
    import pyarrow

    # The model's own precision: a double would be the same number in twice the space.
    probabilities = pyarrow.struct([(label, pyarrow.float32()) for label in labels])
    return pyarrow.schema(
        [
            (features.TEXT, pyarrow.string()),
            (features.LABEL, pyarrow.string()),
            (features.PROBABILITIES, probabilities),
        ]
    )
