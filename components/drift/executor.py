"""What runs ProfileGen: the model reads the eval split."""

import os
import tempfile
from pathlib import Path

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.drift.profile import TextProfile
from components.drift.reading import answer, profile_answers
from components.linear_baseline.rows import read_rows, sample
from components.serving.predict import LocalPredictor
from components.serving.vocabulary import Vocabulary
from schema import features


def profile_split(model_dir: str, split_dir: str, max_rows: int) -> TextProfile:
    """The profile of a split, or of an even sample of it, as the model reads and answers it.

    Args:
      model_dir: a SavedModel's folder, on this machine.
      split_dir: folder of gzipped TFRecords of raw examples.
      max_rows: size of the sample.
    """
    rows, _ = sample(read_rows(split_dir), max_rows)
    texts = [text.decode() for text in rows.texts]
    return profile_answers(answer(texts, LocalPredictor(model_dir)), Vocabulary(Path(model_dir)))


class Executor(base_executor.BaseExecutor):
    """Unpacks the artifacts for `profile_split`."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See ProfileGenSpec for the keys."""
        model = artifact_utils.get_single_instance(input_dict["model"])
        eval_dir = artifact_utils.get_split_uri(input_dict["examples"], features.EVAL)
        uri = artifact_utils.get_single_uri(output_dict["profile"])
        with tempfile.TemporaryDirectory(prefix="sentiflow-profile-") as scratch:
            model_dir = os.path.join(scratch, "model")  # the artifact may lie in a bucket
            io_utils.copy_dir(path_utils.serving_model_path(model.uri), model_dir)
            found = profile_split(model_dir, eval_dir, exec_properties["max_rows"])
        path = os.path.join(uri, os.path.basename(features.REFERENCE_PROFILE))
        io_utils.write_string_file(path, found.to_json())
