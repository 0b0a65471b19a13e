"""The Beam part of SentenceExampleGen: from data files to tf.Examples and rejects, in one pass.

Rows never become elements of a Beam collection. Each file is one element, read, split and written
by one DoFn, because Beam's local runner keeps whole collections in memory between steps; so memory
stays flat whatever the size of a file, and the parallelism is that of the files. What becomes of a
file, errors included, is data too: an exception inside a DoFn would reach the user wrapped by Beam.
"""

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow as tf

from components.errors import DataRefused
from components.ingest.reader import read_rows
from components.ingest.repeats import SentenceSample
from components.ingest.rows import UNKNOWN_LABEL, Reject, shortened, unknown_label
from components.ingest.source import SourceFile
from components.ingest.splitting import assign_split, split_order, text_digest
from components.ingest.summary import (
    REJECT_EXAMPLES,
    UNKNOWN_LABELS,
    FileOutcome,
    RejectExample,
    representative,
)
from components.settings import DataSettings
from schema import features


class OutputDirs(NamedTuple):
    """Where the files go; folders here or on a remote store."""

    examples: str  # gets Split-<name>/data_tfrecord-*.gz
    rejects: str  # gets rejects-*.jsonl
    temporary: str  # for files that are not complete yet; on the same store


class HeldOut:
    """Digests of the sentences in eval and test: 8 bytes for each different one."""

    def __init__(self, packed: bytes):
        """Takes what `pack_digests` made."""
        self._sorted = np.frombuffer(packed, np.uint64)

    def __contains__(self, digest: bytes) -> bool:
        # uint64 on both sides: numpy would compare it with a Python int as float64, inexactly.
        key = np.frombuffer(digest, np.uint64)[0]
        at = self._sorted.searchsorted(key)
        return bool(at < len(self._sorted) and self._sorted[at] == key)


def pack_digests(parts: Sequence[bytes]) -> bytes:
    """Merges concatenated digests into sorted, distinct ones."""
    return np.unique(np.frombuffer(b"".join(parts), np.uint64)).tobytes()


def ingested_splits(files: Sequence[SourceFile], settings: DataSettings) -> tuple[str, ...]:
    """The splits that ingesting `files` gives, in the project's order."""
    return split_order({file.split for file in files if file.split} or set(settings.splits))


def ingest_file(
    file: SourceFile, shard: str, held_out: HeldOut, settings: DataSettings, dirs: OutputDirs
) -> FileOutcome:
    """Reads one file and writes its examples and rejects.

    Args:
      file: to read.
      shard: distinguishes the names of the files written, e.g. `00000`.
      held_out: a row of a train file whose sentence is in there is a duplicate, and dropped.

    Returns:
      The counts; for a file that is refused on the way those so far, with the refusal.
    """
    splits = ingested_splits([file], settings)
    counts = {split: dict.fromkeys(settings.labels, 0) for split in splits}
    lengths: dict[str, Counter[int]] = {split: Counter() for split in splits}
    rejected: Counter[str] = Counter()
    unknown_labels: Counter[str] = Counter()
    sample = SentenceSample()
    reject_examples: list[RejectExample] = []
    refusal = None
    read = duplicates = 0
    serializer = _Serializer()
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(_record_writer(split, shard, dirs)) for split in splits
        }
        log = stack.enter_context(_RejectLog(shard, dirs))
        try:
            for item in read_rows(file.path, settings):
                read += 1
                if isinstance(item, Reject):
                    log.write(item)
                    rejected[item.reason] += 1
                    if item.reason == UNKNOWN_LABEL:
                        _count_bounded(unknown_labels, unknown_label(item))
                    if rejected[item.reason] <= REJECT_EXAMPLES:
                        short = {**item._asdict(), "raw": shortened(item.raw)}
                        reject_examples.append(RejectExample(**short))
                    continue
                assert item.label is not None  # what `read_rows` is for, with labels required
                digest = text_digest(item.text)
                if file.split == features.TRAIN and digest in held_out:
                    duplicates += 1
                    continue
                split = file.split or assign_split(digest, settings.splits)
                writers[split].write(serializer(item.text, item.label))
                counts[split][item.label] += 1
                sample.add(digest, item.label)
                lengths[split][len(item.text.split())] += 1
        except DataRefused as error:
            refusal = str(error)
    return FileOutcome(
        path=file.path,
        split=file.split,
        sha256=file.sha256,
        read=read,
        rejected=dict(rejected),
        duplicates=duplicates,
        splits=counts,
        lengths=lengths,
        unknown_labels=dict(unknown_labels),
        sample=sample.counts(),
        reject_examples=representative(reject_examples),
        refusal=refusal,
    )


def ingest(
    pipeline: beam.Pipeline,
    files: Sequence[SourceFile],
    settings: DataSettings,
    dirs: OutputDirs,
    outcomes_path: str,
) -> None:
    """Adds to `pipeline` the steps that ingest `files`.

    Eval and test files are read twice: first for the digests of their sentences, which take 8 bytes
    a row, and some ten times that while Beam collects them (90 MB measured for a million rows).
    Nothing else is kept of a row.

    Args:
      outcomes_path: gets a JSON list of FileOutcome, in the order of `files`, when the pipeline has
        run: on a cluster nothing else comes back from it.
    """
    numbered = list(enumerate(files))
    held_out_files = [file for file in files if file.split in (features.EVAL, features.TEST)]
    for split in ingested_splits(files, settings):
        tf.io.gfile.makedirs(os.path.join(dirs.examples, f"Split-{split}"))
    held_out = (
        pipeline
        | "HeldOutFiles" >> beam.Create(held_out_files, reshuffle=True)
        | "Digests" >> beam.Map(_file_digests, settings)
        | "PackDigests" >> beam.CombineGlobally(pack_digests)
    )
    _ = (
        pipeline
        | "Files" >> beam.Create(numbered, reshuffle=True)
        | "IngestFile"
        >> beam.Map(_ingest_numbered, beam.pvalue.AsSingleton(held_out), settings, dirs)
        | "AllOutcomes" >> beam.combiners.ToList()
        | "WriteOutcomes" >> beam.Map(_write_outcomes, outcomes_path)
    )


def read_outcomes(outcomes_path: str) -> list[FileOutcome]:
    """Reads what the pipeline of `ingest` left."""
    with tf.io.gfile.GFile(outcomes_path) as stream:
        return [FileOutcome.model_validate(outcome) for outcome in json.load(stream)]


def _count_bounded(counts: Counter[str], label: str) -> None:
    """Counts a label, but none that is new once there are many: they may be sentences."""
    if label in counts or len(counts) < UNKNOWN_LABELS:
        counts[label] += 1


def _file_digests(file: SourceFile, settings: DataSettings) -> bytes:
    digests = bytearray()
    try:
        for item in read_rows(file.path, settings):
            if not isinstance(item, Reject):
                digests += text_digest(item.text)
    except DataRefused:
        pass  # ingest_file meets the same error and reports it
    return pack_digests([bytes(digests)])


def _ingest_numbered(
    numbered: tuple[int, SourceFile],
    packed: bytes,
    settings: DataSettings,
    dirs: OutputDirs,
) -> tuple[int, FileOutcome]:
    number, file = numbered
    return number, ingest_file(file, f"{number:05d}", HeldOut(packed), settings, dirs)


def _write_outcomes(outcomes: list[tuple[int, FileOutcome]], path: str) -> None:
    ordered = [outcome.model_dump() for _, outcome in sorted(outcomes, key=lambda one: one[0])]
    with tf.io.gfile.GFile(path, "w") as stream:
        stream.write(json.dumps(ordered))


class _Serializer:
    """Serializes tf.Examples of a text and a label, 8 times as fast as making each one anew.

    One message is filled again and again. It keeps all that was ever put into it, because protobuf
    frees memory by the message; so after a while there must be a new one.
    """

    _RENEWED_AFTER = 1000  # examples

    def __init__(self) -> None:
        self._left = 0

    def __call__(self, text: str, label: str) -> bytes:
        if not self._left:
            self._renew()
        self._left -= 1
        self._text[0] = text.encode()
        self._label[0] = label.encode()
        return self._example.SerializeToString(deterministic=True)

    def _renew(self) -> None:
        self._left = self._RENEWED_AFTER
        self._example = tf.train.Example()
        feature = self._example.features.feature
        self._text = feature[features.TEXT].bytes_list.value
        self._label = feature[features.LABEL].bytes_list.value
        self._text.append(b"")
        self._label.append(b"")


@contextmanager
def _complete_file(path: str, temporary_dir: str) -> Iterator[str]:
    """Gives a temporary path whose file becomes `path` when the context ends without an error.

    A runner may try a file again, or twice at a time: what stands at `path` is always whole.
    """
    temporary = os.path.join(temporary_dir, uuid.uuid4().hex)
    yield temporary
    tf.io.gfile.rename(temporary, path, overwrite=True)


@contextmanager
def _record_writer(split: str, shard: str, dirs: OutputDirs) -> Iterator[tf.io.TFRecordWriter]:
    path = os.path.join(dirs.examples, f"Split-{split}", f"data_tfrecord-{shard}.gz")
    # Level 1: a fifth of the default level's time for a tenth more bytes.
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    with _complete_file(path, dirs.temporary) as temporary:
        with tf.io.TFRecordWriter(temporary, options) as writer:
            yield writer


class _RejectLog:
    """Writes rejects as JSON lines; there is no file where there are none."""

    def __init__(self, shard: str, dirs: OutputDirs):
        self._path = os.path.join(dirs.rejects, f"{features.REJECTS_PREFIX}-{shard}.jsonl")
        self._temporary_dir = dirs.temporary
        self._stack = ExitStack()
        self._stream: tf.io.gfile.GFile | None = None

    def __enter__(self) -> "_RejectLog":
        return self

    def write(self, reject: Reject) -> None:
        """Writes a reject."""
        if self._stream is None:
            path = self._stack.enter_context(_complete_file(self._path, self._temporary_dir))
            self._stream = self._stack.enter_context(tf.io.gfile.GFile(path, "w"))
        self._stream.write(json.dumps(reject._asdict(), ensure_ascii=False) + "\n")

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)
