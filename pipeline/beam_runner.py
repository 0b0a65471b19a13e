"""Apache Beam's runner on this machine; Beam imports it by the name in `BeamSettings`."""

from typing import Any

from apache_beam import Pipeline
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import (
    ExtendedProvisionInfo,
    FnApiRunner,
)
from apache_beam.runners.portability.portable_runner import JobServiceHandle


class LocalRunner(FnApiRunner):
    """FnApiRunner, whose workers in other processes get the pipeline's options.

    Beam 2.77 starts them without: `--beam_plugins` would not reach them.
    """

    def run_pipeline(self, pipeline: Pipeline, options: PipelineOptions) -> Any:
        """As FnApiRunner does it."""
        encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
        self._provision_info = ExtendedProvisionInfo(
            beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
        )
        return super().run_pipeline(pipeline, options)
