"""Sentences for the training benchmarks: as transformed examples, and as files for others."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.fitting import TrainingData
from components.ingest.reader import read_rows
from components.ingest.rows import Row
from components.settings import DataSettings, TextSettings
from components.text import tokenize
from schema import features

EVAL_ROWS = 64  # so few that measuring them after an epoch costs nothing


class Sentences(NamedTuple):
    """Labelled sentences."""

    texts: list[str]
    label_ids: list[int]


def read_sentences(path: Path, rows: int | None = None) -> Sentences:
    """Reads a data file, or its first rows; labels are numbered in alphabetical order."""
    settings = DataSettings()
    found = [
        row for row in read_rows(str(path), settings, require_label=False) if isinstance(row, Row)
    ]
    numbers = {label: number for number, label in enumerate(sorted({row.label for row in found}))}
    found = found[:rows]
    return Sentences([row.text for row in found], [numbers[row.label] for row in found])


def numbered(
    tokens: list[list[str]], words: int, max_length: int, first: int, unknown: int
) -> tuple[list[list[int]], int]:
    """Gives the most frequent tokens ids, as Transform does; returns the ids and how many words.

    Args:
      tokens: of each sentence.
      words: at most so many get an id of their own.
      max_length: where sentences are cut.
      first: id of the most frequent word.
      unknown: id of all other words, and the only token of a sentence without any.
    """
    counts = Counter(token for sentence in tokens for token in sentence)
    ids = {word: first + rank for rank, (word, _) in enumerate(counts.most_common(words))}
    cut = [[ids.get(token, unknown) for token in sentence[:max_length]] for sentence in tokens]
    return [sentence or [unknown] for sentence in cut], len(ids)


def transformed(sentences: Sentences, text: TextSettings, folder: Path) -> TrainingData:
    """Writes what Transform would."""
    ragged = tokenize(tf.constant(sentences.texts), text.lowercase, text.split_hyphens)
    tokens = [[token.decode() for token in sentence] for sentence in ragged.numpy()]
    ids, words = numbered(
        tokens, text.vocab_size, text.max_length, features.RESERVED_IDS, features.UNKNOWN_ID
    )
    rows = list(zip(ids, sentences.label_ids, strict=True))
    files = {features.TRAIN: rows, features.EVAL: rows[:EVAL_ROWS]}
    for split, of_split in files.items():
        write_examples(
            folder / f"{split}.gz",
            of_split,
            text.max_length,
            (features.IDS, features.LABEL_ID),
            padding=features.PADDING_ID,
        )
    return TrainingData(
        train_files=[str(folder / f"{features.TRAIN}.gz")],
        eval_files=[str(folder / f"{features.EVAL}.gz")],
        max_length=text.max_length,
        vocabulary_size=words + features.RESERVED_IDS,
        classes=max(sentences.label_ids) + 1,
    )


def write_examples(
    path: Path,
    rows: list[tuple[list[int], int]],
    max_length: int,
    names: tuple[str, str],
    padding: int,
) -> None:
    """Writes rows of ids and a label as gzipped tf.Examples, padded to `max_length`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for ids, label_id in rows:
            padded = ids + [padding] * (max_length - len(ids))
            values = dict(zip(names, (padded, [label_id]), strict=True))
            feature = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
                for name, value in values.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def write_tsv(sentences: Sentences, path: Path) -> None:
    """Writes rows as `read_sentences` reads them."""
    rows = zip(sentences.label_ids, sentences.texts, strict=True)
    lines = [f"{label_id}\t{text}" for label_id, text in rows]
    path.write_text("\n".join(["label\ttext", *lines, ""]), encoding="utf-8")


def save_batches(batches: tf.data.Dataset, path: Path) -> None:
    """Writes batches to a .npz, as `ids0`, `label_ids0`, `ids1`, …"""
    arrays = {}
    for number, (ids, label_ids) in enumerate(batches):
        arrays |= {f"ids{number}": ids.numpy(), f"label_ids{number}": label_ids.numpy()}
    np.savez(path, **arrays)
