"""Writes raw examples as SentenceExampleGen does, for tests."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf


def write_split(
    folder: Path, rows: Sequence[tuple[str, str]], name: str = "data_tfrecord-00000-of-00001.gz"
) -> str:
    """Writes a gzipped file of (text, label) rows; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / name), "GZIP") as writer:
        for text, label in rows:
            values = {"text": _bytes(text), "label": _bytes(label)}
            example = tf.train.Example(features=tf.train.Features(feature=values))
            writer.write(example.SerializeToString())
    return str(folder)


def _bytes(value: str) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
