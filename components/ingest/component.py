"""SentenceExampleGen: the TFX component, its driver and its executor."""

import json
import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.example_gen import driver as example_gen_driver
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_component, base_beam_executor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.orchestration import data_types
from tfx.proto.example_gen_pb2 import FORMAT_TF_EXAMPLE
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import Rejects
from components.errors import DataRefused
from components.ingest import pipeline as ingest_pipeline
from components.ingest import source
from components.ingest.source import SourceFile
from components.ingest.summary import refuse_unfit, summarise
from components.settings import DataSettings
from schema import features

EXAMPLES = "examples"
REJECTS = "rejects"

DATA_PATH = "data_path"
SETTINGS = "settings"
CODE_FINGERPRINT = "code_fingerprint"
REJECTS_DIR = "rejects_dir"
# Set by the driver, besides TFX's `span`, `version` and `input_fingerprint`.
RESOLVED_PATH = "resolved_path"
REFUSAL = "refusal"


class SentenceExampleGenSpec(ComponentSpec):
    """Parameters and outputs of SentenceExampleGen."""

    PARAMETERS = {
        DATA_PATH: ExecutionParameter(type=str),
        SETTINGS: ExecutionParameter(type=str),
        CODE_FINGERPRINT: ExecutionParameter(type=str),
        REJECTS_DIR: ExecutionParameter(type=str),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {
        EXAMPLES: ChannelParameter(type=standard_artifacts.Examples),
        REJECTS: ChannelParameter(type=Rejects),
    }


class Driver(example_gen_driver.Driver):
    """Finds the files, span and version when the step runs, and fingerprints their content."""

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Adds what was found to the execution properties, which are the key of TFX's cache.

        The fingerprint is the list of files with the SHA-256 of each. TFX's own is made of sizes
        and modification times: it misses a change of the same size within a second, and sees one
        where a file was only touched or copied.
        """
        settings = DataSettings.model_validate_json(exec_properties[SETTINGS])
        try:
            resolved = source.resolve_path(exec_properties[DATA_PATH], settings.span)
            files = source.hash_files(source.list_source(resolved.path)[0])
        except DataRefused as error:
            # The launcher would leave the execution RUNNING for ever; the executor raises this.
            nothing = {utils.SPAN_PROPERTY_NAME: 0, utils.VERSION_PROPERTY_NAME: None}
            return {**exec_properties, **nothing, REFUSAL: str(error)}
        return {
            **exec_properties,
            RESOLVED_PATH: resolved.path,
            utils.SPAN_PROPERTY_NAME: resolved.span,
            utils.VERSION_PROPERTY_NAME: resolved.version,
            utils.FINGERPRINT_PROPERTY_NAME: json.dumps(files),
        }


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
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        examples_utils.set_payload_format(examples, FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")


class SentenceExampleGen(base_beam_component.BaseBeamComponent):
    """Reads labelled sentences, checks and splits them.

    Outputs:
      examples: standard Examples: tf.Example with the features `text` and `label`, bytes, one value
        each; splits train, eval and, where the data or the settings have it, test.
      rejects: Rejects.
    """

    SPEC_CLASS = SentenceExampleGenSpec
    EXECUTOR_SPEC = BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        data_path: str | data_types.RuntimeParameter,
        settings: DataSettings,
        code_fingerprint: str,
        rejects_dir: str | data_types.RuntimeParameter,
    ):
        """Makes the component.

        Args:
          data_path: file or folder, see `components.ingest.source`; may hold {SPAN} and {VERSION}.
          settings: columns, labels, splits, limits.
          code_fingerprint: of the code of this step; part of the cache key.
          rejects_dir: folder that gets the rejects if the data is refused; empty: nowhere.
        """
        super().__init__(
            spec=SentenceExampleGenSpec(
                data_path=data_path,
                settings=settings.model_dump_json(),
                code_fingerprint=code_fingerprint,
                rejects_dir=rejects_dir,
                examples=types.Channel(type=standard_artifacts.Examples),
                rejects=types.Channel(type=Rejects),
            )
        )


def copy_rejects(rejects_uri: str, target: str) -> None:
    """Copies the files of a Rejects artifact to the folder `target`, replacing those of before."""
    tf.io.gfile.makedirs(target)
    for old in tf.io.gfile.glob(os.path.join(target, f"{features.REJECTS_PREFIX}-*.jsonl")):
        tf.io.gfile.remove(old)
    for name in tf.io.gfile.listdir(rejects_uri):
        new = os.path.join(target, name)
        tf.io.gfile.copy(os.path.join(rejects_uri, name), new, overwrite=True)
