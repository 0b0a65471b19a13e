"""SentenceExampleGen: the TFX component and its driver."""

import json
from typing import Any

from tfx import types
from tfx.components.example_gen import driver as example_gen_driver
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_beam_component
from tfx.orchestration import data_types
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import Rejects
from components.errors import DataRefused
from components.executors import beam_executor_at
from components.ingest import source
from components.settings import DataSettings

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


class SentenceExampleGen(base_beam_component.BaseBeamComponent):
    """Reads labelled sentences, checks and splits them.

    Outputs:
      examples: standard Examples: tf.Example with the features `text` and `label`, bytes, one value
        each; splits train, eval and, where the data or the settings have it, test.
      rejects: Rejects.
    """

    SPEC_CLASS = SentenceExampleGenSpec
    EXECUTOR_SPEC = beam_executor_at("components.ingest.executor.Executor")
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
