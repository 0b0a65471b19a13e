"""From Transform's examples to batches of sentences of about the same length."""

import tensorflow as tf

from schema import features

MEMORY_ROWS = 100_000  # serialized, about 200 bytes each: so many are kept, or held for shuffling
POOL_BATCHES = 64  # batches whose rows are sorted by length together
PARALLEL_FILES = 8
READERS = 2  # threads
READ_ROWS = 256  # that a reader hands over together: one by one costs ten times the reading
PREFETCHED_BATCHES = 8


class SplitRows:
    """The rows of a split, for epoch after epoch: read once and kept, if they fit into memory.

    Args:
      patterns: globs of gzipped TFRecord files of tf.Example.
      max_length: length of the `ids` in the files.
      memory_rows: so many rows fit.
    """

    def __init__(self, patterns: list[str], max_length: int, memory_rows: int = MEMORY_ROWS):
        self._patterns, self._max_length, self._memory_rows = patterns, max_length, memory_rows
        files = tf.data.Dataset.list_files(patterns, shuffle=False)
        self._in_order = _records(files)
        first = list(self._in_order.batch(memory_rows + 1).take(1))
        self._kept = bool(first) and len(first[0]) <= memory_rows
        if self._kept:
            self._in_order = tf.data.Dataset.from_tensor_slices(first[0])

    def training_batches(
        self, batch_size: int, seed: int, drop_remainder: bool = False
    ) -> tf.data.Dataset:
        """Gives one epoch in an order that depends on the seed alone.

        Args:
          batch_size: rows of a batch.
          seed: of this epoch; another seed gives other batches in another order.
          drop_remainder: leave out the one batch that would not be full; its shape is then static
            in the rows, which is what it takes to split it over several GPUs.

        Returns:
          Pairs of ids int64 [rows, longest] and label ids int64 [rows], with rows <= batch_size and
          `longest` the number of tokens in the batch's longest row. To be read once: a second time
          they would come in another order.
        """
        if self._kept:
            rows = self._in_order
        else:
            files = tf.data.Dataset.list_files(self._patterns, shuffle=True, seed=seed)
            rows = _records(files)
        rows = rows.shuffle(self._memory_rows, seed=seed)
        return _by_length(rows, self._max_length, batch_size, seed, drop_remainder)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Gives the rows once, always in the same order, in batches as `training_batches` makes."""
        return _by_length(self._in_order, self._max_length, batch_size, seed=None)

    def count_labels(self, classes: int) -> list[int]:
        """Counts the rows of each class, in the order of the label ids."""
        counts = tf.zeros([classes], tf.int64)
        for _, label_ids in self.evaluation_batches(batch_size=1024):
            label_ids = tf.cast(label_ids, tf.int32)
            counts += tf.math.bincount(label_ids, minlength=classes, dtype=tf.int64)
        return counts.numpy().tolist()


def _records(files: tf.data.Dataset) -> tf.data.Dataset:
    return files.interleave(
        lambda file: tf.data.TFRecordDataset(file, compression_type="GZIP").batch(READ_ROWS),
        cycle_length=PARALLEL_FILES,
        num_parallel_calls=READERS,
        deterministic=True,
    ).unbatch()


def _by_length(
    rows: tf.data.Dataset,
    max_length: int,
    batch_size: int,
    seed: int | None,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Cuts serialized rows into batches of about the same length, in random order with a seed.

    Each operation takes a pool of many batches at once: per row it would cost more than the model.
    """
    spec = {
        features.IDS: tf.io.FixedLenFeature([max_length], tf.int64),
        features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
    }

    def batches_of_pool(number, serialized):
        pool = tf.io.parse_example(serialized, spec)
        ids, label_ids = pool[features.IDS], pool[features.LABEL_ID]
        by_length = tf.argsort(_length(ids), stable=True)
        end = tf.size(by_length) - (batch_size - 1 if drop_remainder else 0)
        starts = tf.range(0, tf.maximum(end, 0), batch_size)
        if seed is not None:
            starts = tf.random.experimental.stateless_shuffle(starts, seed=[seed, number])

        def batch(start):
            chosen = by_length[start : start + batch_size]
            chosen = tf.ensure_shape(chosen, [batch_size if drop_remainder else None])
            batch_ids = tf.gather(ids, chosen)
            longest = tf.reduce_max(_length(batch_ids))
            return batch_ids[:, :longest], tf.gather(label_ids, chosen)

        return tf.data.Dataset.from_tensor_slices(starts).map(batch)

    pools = rows.batch(POOL_BATCHES * batch_size).enumerate()
    options = tf.data.Options()
    # Its thread looks up every five seconds, and the end of an epoch waits for that.
    options.autotune.enabled = False
    return pools.flat_map(batches_of_pool).prefetch(PREFETCHED_BATCHES).with_options(options)


def _length(ids):
    return tf.math.count_nonzero(ids, axis=1)
