"""Predictions in this process, and for whole files; TensorFlow is imported by the former only."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from components.errors import UsageError
from components.ingest.reader import read_rows
from components.ingest.rows import Reject, Row
from components.serving.client import Prediction
from components.settings import DataSettings
from schema import features

if TYPE_CHECKING:
    from components.serving.model import ServedModel

BATCH_SIZE = 256  # sentences that are in memory, and in the model, at a time

# From sentences to predictions, one each, in their order: a LocalPredictor or a RestPredictor.
Predictor = Callable[[Sequence[str]], list[Prediction]]


@dataclass(frozen=True)
class FileCounts:
    """What became of a file's records."""

    rows: int  # records
    rejected: Counter[str]  # of them, by reason


class LocalPredictor:
    """A SavedModel in this process, asked through `serving_default`.

    Args:
      model_dir: the folder that holds saved_model.pb.

    Raises:
      UsageError: it holds no model with the serving contract that tells its classes.
    """

    def __init__(self, model_dir: str | Path) -> None:
        self._model = _load(Path(model_dir))
        if self._model.labels is None:
            raise UsageError(f"{model_dir}: expected the classes in {features.MODEL_INFO}")
        self.labels = self._model.labels

    def __call__(self, sentences: Sequence[str]) -> list[Prediction]:
        """Classifies sentences, in their order."""
        return [p for batch in _batches(sentences, BATCH_SIZE) for p in self._predict(batch)]

    def _predict(self, sentences: list[str]) -> Iterator[Prediction]:
        import numpy as np

        text = np.array(
            [sentence.encode(errors="surrogateescape") for sentence in sentences], dtype=object
        )
        outputs = self._model.predict(features.SERVING_SIGNATURE, {features.TEXT: text})
        answers = zip(
            sentences,
            outputs[features.LABEL].tolist(),
            outputs[features.PROBABILITIES].tolist(),
            strict=True,
        )
        for sentence, label, row in answers:
            yield Prediction(sentence, label.decode(), dict(zip(self.labels, row, strict=True)))


def predict_file(
    predictor: Predictor,
    input_path: str | Path,
    output_path: str | Path,
    settings: DataSettings,
    batch_size: int = BATCH_SIZE,
    progress: Callable[[int], object] = lambda records: None,
) -> FileCounts:
    """Classifies the sentences of a data file; streams, so memory does not grow with the file.

    Args:
      predictor: what answers.
      input_path: .csv, .tsv, .jsonl or .parquet, each also .gz; needs no label column.
      output_path: becomes JSON lines, one for each record of the input, in its order:
        `{"text", "label", "probabilities": {label: p}}`, or for a record that cannot be read
        `{"text": the raw record, "error": the reason, "record": its number}`. Written whole or
        not at all.
      settings: names of the columns, and limits.
      batch_size: records that are in memory at a time.
      progress: called after each batch with its number of records.

    Raises:
      DataRefused: the input as a whole cannot be read.
      UsageError: the output cannot be written.
    """
    output = Path(output_path)
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        stream = partial.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{output}: cannot be written: {error.strerror}") from error
    try:
        with stream:
            counts = _write_predictions(
                predictor, input_path, stream, settings, batch_size, progress
            )
        try:
            os.replace(partial, output)
        except OSError as error:
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return counts


def _write_predictions(
    predictor: Predictor,
    input_path: str | Path,
    stream: IO[str],
    settings: DataSettings,
    batch_size: int,
    progress: Callable[[int], object],
) -> FileCounts:
    rows, rejected = 0, Counter[str]()
    records = read_rows(str(input_path), settings, require_label=False)
    for batch in _batches(records, batch_size):
        texts = [record.text for record in batch if isinstance(record, Row)]
        predictions = iter(predictor(texts) if texts else [])
        for record in batch:
            line = _reject_line(record) if isinstance(record, Reject) else asdict(next(predictions))
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        rows += len(batch)
        rejected.update(record.reason for record in batch if isinstance(record, Reject))
        progress(len(batch))
    return FileCounts(rows, rejected)


def _reject_line(reject: Reject) -> dict[str, str | int]:
    return {"text": reject.raw, "error": reject.reason, "record": reject.record}


def _load(model_dir: Path) -> "ServedModel":
    from components.serving.errors import ServingError
    from components.serving.model import ServedModel

    try:
        return ServedModel(model_dir)
    except ServingError as error:
        raise UsageError(f"{model_dir}: {error.message}") from error


def _batches(items: Iterable, size: int) -> Iterator[list]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
