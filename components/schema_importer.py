"""SchemaImporter: puts the curated schema, with the configured labels, into the metadata store.

TFX's ImportSchemaGen takes the schema as a file: its cache misses a change of what stands in it,
and the domain of the label could not come from the configuration.
"""

import importlib.resources
import json
import os

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import io_utils

SCHEMA_FILE = "schema.pbtxt"  # in the package `schema`, and in the artifact
LABELS_DOMAIN = "labels"


def schema_with_labels(labels: list[str]) -> schema_pb2.Schema:
    """The curated schema, allowing these values of the label."""
    text = importlib.resources.files("schema").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    schema = text_format.Parse(text, schema_pb2.Schema())
    (domain,) = (domain for domain in schema.string_domain if domain.name == LABELS_DOMAIN)
    domain.value.extend(labels)
    return schema


class SchemaImporterSpec(component_spec.ComponentSpec):
    """What goes in and comes out."""

    PARAMETERS = {
        "labels": component_spec.ExecutionParameter(type=str),  # a JSON list
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
    OUTPUTS = {"schema": component_spec.ChannelParameter(type=standard_artifacts.Schema)}


class Executor(base_executor.BaseExecutor):
    """Writes `schema_with_labels` into the artifact."""

    def Do(self, input_dict, output_dict, exec_properties):
        """See SchemaImporterSpec for the keys."""
        schema = schema_with_labels(json.loads(exec_properties["labels"]))
        uri = artifact_utils.get_single_uri(output_dict["schema"])
        io_utils.write_pbtxt_file(os.path.join(uri, SCHEMA_FILE), schema)


class SchemaImporter(base_component.BaseComponent):
    """Imports the curated schema; output `schema`: a standard Schema artifact."""

    SPEC_CLASS = SchemaImporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, labels: list[str], code_fingerprint: str):
        """Wires the component.

        Args:
          labels: the values that the label may have.
          code_fingerprint: makes TFX's cache notice a changed schema or changed code.
        """
        super().__init__(
            SchemaImporterSpec(
                labels=json.dumps(labels),
                code_fingerprint=code_fingerprint,
                schema=types.Channel(type=standard_artifacts.Schema),
            )
        )
