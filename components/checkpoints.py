"""Where a training run keeps its last complete epoch, so that a killed run goes on from there.

Keras' BackupAndRestore keeps neither the history nor the best weights so far, and
tf.train.CheckpointManager writes several files of which a kill can leave some; one file that is
renamed into place holds everything and is there as a whole or not at all.
"""

import hashlib
import json
import logging

import numpy as np
import tensorflow as tf
from numpy.lib.format import read_array

log = logging.getLogger(__name__)


class Checkpoint:
    """The one checkpoint of a training run, at a path that follows from what the run depends on."""

    def __init__(self, root: str, identity: dict):
        """Names the place; nothing is read or written.

        Args:
          root: folder of all checkpoints, local or on any file system that TensorFlow knows.
          identity: everything that the result depends on, as JSON values. Runs that differ in it
            never see each other's checkpoints.
        """
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.folder = f"{root}/{key}"
        self._file = f"{self.folder}/last"

    def save(self, arrays: dict[str, np.ndarray], state: list | dict) -> None:
        """Replaces the checkpoint by these named arrays and this JSON value, in one step."""
        tf.io.gfile.makedirs(self.folder)
        unfinished = f"{self._file}.tmp"
        with tf.io.gfile.GFile(unfinished, "wb") as file:
            np.save(file, np.array(json.dumps({"names": list(arrays), "state": state})))
            for array in arrays.values():
                np.save(file, array)
        tf.io.gfile.rename(unfinished, self._file, overwrite=True)

    def load(self) -> tuple[dict[str, np.ndarray], list | dict] | None:
        """Returns what `save` was given last, or None where there is nothing to go on from."""
        if not tf.io.gfile.exists(self._file):
            return None
        try:
            with tf.io.gfile.GFile(self._file, "rb") as file:
                header = json.loads(str(read_array(file)))
                arrays = {name: read_array(file) for name in header["names"]}
        except (ValueError, KeyError, EOFError) as error:
            log.warning("cannot read checkpoint %s (%s): starting again", self._file, error)
            return None
        return arrays, header["state"]

    def remove(self) -> None:
        """Deletes the checkpoint: the run has its result."""
        if tf.io.gfile.exists(self.folder):
            tf.io.gfile.rmtree(self.folder)
