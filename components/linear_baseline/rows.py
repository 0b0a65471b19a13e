"""The rows of a split in batches, and a sample of them that fits in memory."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from components.text import tokenize
from schema import features

BATCH_ROWS = 4096
PARALLEL_FILES = 8
KEYS = 2**63 - 1


@dataclass(frozen=True)
class Rows:
    """Labelled sentences."""

    texts: np.ndarray  # object [rows], bytes in UTF-8
    labels: np.ndarray  # object [rows], bytes in UTF-8
    keys: np.ndarray  # int64 [rows], a hash of text and label

    def take(self, chosen: np.ndarray) -> "Rows":
        """The rows at these indices, or where this mask is true."""
        return Rows(self.texts[chosen], self.labels[chosen], self.keys[chosen])

    def __len__(self) -> int:
        return len(self.keys)


def read_rows(split_dir: str) -> Iterator[Rows]:
    """Reads all rows of a split of raw examples, BATCH_ROWS at a time.

    Args:
      split_dir: folder of gzipped TFRecord files of tf.Example, on any file system that TensorFlow
        knows.
    """
    files = sorted(tf.io.gfile.glob(os.path.join(split_dir, "*")))
    spec = {
        features.TEXT: tf.io.FixedLenFeature([], tf.string),
        features.LABEL: tf.io.FixedLenFeature([], tf.string),
    }

    def parse(serialized):
        row = tf.io.parse_example(serialized, spec)
        text, label = row[features.TEXT], row[features.LABEL]
        key = tf.strings.to_hash_bucket_fast(tf.strings.join([label, text], "\n"), KEYS)
        return text, label, key

    records = tf.data.Dataset.from_tensor_slices(files).interleave(
        lambda file: tf.data.TFRecordDataset(file, compression_type="GZIP"),
        cycle_length=PARALLEL_FILES,
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    batches = records.batch(BATCH_ROWS).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    for text, label, key in batches.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
        yield Rows(text, label, key)


def sample(batches: Iterable[Rows], max_rows: int) -> tuple[Rows, int]:
    """Draws rows evenly, in one pass: those with the least hashes.

    The outcome depends on the rows, not on their order or on the files that they lie in.

    Args:
      batches: all rows.
      max_rows: size of the sample; at most twice as many rows and a batch are held.

    Returns:
      The sample, in the order of the hashes, and the number of all rows.
    """
    kept: list[Rows] = []
    held = total = 0
    bound = KEYS  # no row of the sample has this hash or a higher one
    for batch in batches:
        total += len(batch)
        kept.append(batch.take(batch.keys < bound))
        held += len(kept[-1])
        if held > 2 * max_rows:
            kept = [_least(kept, max_rows)]
            held, bound = max_rows, kept[0].keys[-1]
    return _least(kept, max_rows), total


def _least(parts: Sequence[Rows], count: int) -> Rows:
    joined = Rows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("texts", "labels", "keys")
        )
    )
    return joined.take(np.argsort(joined.keys, kind="stable")[:count])


def to_tokens(texts: np.ndarray, lowercase: bool, split_hyphens: bool) -> list[str]:
    """Each sentence as the network's own tokens, joined by blanks.

    Args:
      texts: object [rows], bytes in UTF-8.
      lowercase, split_hyphens: see `components.text.tokenize`.
    """
    sentences: list[str] = []
    for start in range(0, len(texts), BATCH_ROWS):
        batch = tf.constant(texts[start : start + BATCH_ROWS], tf.string)
        joined = tf.strings.reduce_join(
            tokenize(batch, lowercase, split_hyphens), axis=1, separator=" "
        )
        sentences += [sentence.decode() for sentence in joined.numpy()]
    return sentences
