"""Writes transformed examples as Transform does, for tests."""

from pathlib import Path

import tensorflow as tf


def write_examples(file: Path, rows: list[tuple[list[int], int]], max_length: int) -> str:
    """Writes gzipped tf.Examples of (ids, label id), padded to max_length; returns the path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for ids, label_id in rows:
            padded = ids + [0] * (max_length - len(ids))
            feature = {"ids": _int64(padded), "label_id": _int64([label_id])}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return str(file)


def _int64(values: list[int]) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
