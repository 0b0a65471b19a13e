"""What runs SentenceExampleGen: the Beam pipeline, its summary, and the verdict on the data."""

import json
import logging
import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto.example_gen_pb2 import FORMAT_TF_EXAMPLE
from tfx.types import artifact_utils

from components.errors import DataRefused
from components.ingest import pipeline as ingest_pipeline
from components.ingest import source
from components.ingest.component import (
    EXAMPLES,
    REFUSAL,
    REJECTS,
    REJECTS_DIR,
    RESOLVED_PATH,
    SETTINGS,
)
from components.ingest.source import SourceFile
from components.ingest.summary import refuse_unfit, summarise
from components.settings import DataSettings
from schema import features

log = logging.getLogger(__name__)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the Beam pipeline, sums up, and refuses data that cannot be trained on."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fills the Examples and Rejects artifacts.

        Raises:
          DataRefused: see `refuse_unfit`. TFX then deletes the artifacts, so what is in Rejects is
            first copied to the folder `rejects_dir`, if that is given.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        if refusal := exec_properties.get(REFUSAL):
            raise DataRefused(refusal)
        settings = DataSettings.model_validate_json(exec_properties[SETTINGS])
        fingerprint = json.loads(exec_properties[utils.FINGERPRINT_PROPERTY_NAME])
        files = [SourceFile(*file) for file in fingerprint]
        examples = artifact_utils.get_single_instance(output_dict[EXAMPLES])
        rejects = artifact_utils.get_single_instance(output_dict[REJECTS])

        splits = ingest_pipeline.ingested_splits(files, settings)
        temporary = self._get_tmp_dir()
        outcomes_path = os.path.join(temporary, "outcomes.json")
        dirs = ingest_pipeline.OutputDirs(examples.uri, rejects.uri, temporary)
        with self._make_beam_pipeline() as pipeline:
            ingest_pipeline.ingest(pipeline, files, settings, dirs, outcomes_path)
        outcomes = ingest_pipeline.read_outcomes(outcomes_path)

        _, ignored = source.list_source(exec_properties[RESOLVED_PATH])
        summary = summarise(
            outcomes,
            splits,
            settings.labels,
            ignored,
            exec_properties[utils.SPAN_PROPERTY_NAME],
            exec_properties.get(utils.VERSION_PROPERTY_NAME),
        )
        with tf.io.gfile.GFile(os.path.join(rejects.uri, features.INGEST_SUMMARY), "w") as stream:
            stream.write(summary.model_dump_json(indent=2))
        try:
            refuse_unfit(summary, outcomes, settings)
        except DataRefused:
            if exec_properties[REJECTS_DIR]:
                copy_rejects(rejects.uri, exec_properties[REJECTS_DIR])
            raise
        for told in summary.repeats.in_words():
            log.warning(told)
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        examples_utils.set_payload_format(examples, FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")


def copy_rejects(rejects_uri: str, target: str) -> None:
    """Copies the files of a Rejects artifact to the folder `target`, replacing those of before."""
    tf.io.gfile.makedirs(target)
    for old in tf.io.gfile.glob(os.path.join(target, f"{features.REJECTS_PREFIX}-*.jsonl")):
        tf.io.gfile.remove(old)
    for name in tf.io.gfile.listdir(rejects_uri):
        new = os.path.join(target, name)
        tf.io.gfile.copy(os.path.join(rejects_uri, name), new, overwrite=True)
