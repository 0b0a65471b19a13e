"""ProfileGen as a TFX node: a model and Examples in, the profile of the eval split out.

The profile goes with the model that it is of (components/pusher.py): who compares new text with it
needs neither the metadata store nor the data.
"""

import os
import tempfile
from pathlib import Path

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils, path_utils

from components.artifacts import ReferenceProfile
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


class ProfileGenSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "max_rows": component_spec.ExecutionParameter(type=int),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"profile": component_spec.ChannelParameter(type=ReferenceProfile)}


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


class ProfileGen(base_component.BaseComponent):
    """Profiles eval as the model reads it; output `profile`: a ReferenceProfile artifact."""

    SPEC_CLASS = ProfileGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        max_rows: int,
        code_fingerprint: str,
    ):
        """Wires the component.

        Args:
          model: the exported candidate.
          examples: raw examples with the split eval.
          max_rows: rows of eval that are used.
          code_fingerprint: makes TFX's cache notice changed code.
        """
        super().__init__(
            ProfileGenSpec(
                model=model,
                examples=examples,
                max_rows=max_rows,
                code_fingerprint=code_fingerprint,
                profile=types.Channel(type=ReferenceProfile),
            )
        )
