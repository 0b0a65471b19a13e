"""The compiled pipeline cut down to one node, and packed into an argument of a command line."""

import base64
import zlib

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from pipeline.config import Config

DATA_PATH = "data-path"  # left open until the run: a recurring run may be given other data


def compile_for_cluster(config: Config) -> pipeline_pb2.Pipeline:
    """Compiles the pipeline as it runs in a cluster: with data path and run id left open."""
    from tfx.dsl.compiler import compiler

    # Imports every component's libraries: a node that uses its packed form needs none of them.
    from pipeline.definition import Locations, create_pipeline

    pipeline = create_pipeline(
        config,
        RuntimeParameter(name=DATA_PATH, ptype=str),
        Locations.below(config.kubeflow.root),
        metadata_store_pb2.ConnectionConfig(),  # a pod gets its own from the Secret
    )
    return compiler.Compiler().compile(pipeline)


def only_node(ir: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.Pipeline:
    """What TFX's Launcher needs of the pipeline to run one node: a task's arguments must be small.

    Raises:
      StopIteration: no such node.
    """
    alone = pipeline_pb2.Pipeline()
    alone.CopyFrom(ir)
    del alone.nodes[:]
    alone.nodes.append(next(n for n in ir.nodes if n.pipeline_node.node_info.id == node_id))
    every = pipeline_pb2.IntermediateDeploymentConfig()
    ir.deployment_config.Unpack(every)
    own = pipeline_pb2.IntermediateDeploymentConfig()
    for specs in ("executor_specs", "custom_driver_specs"):
        if node_id in getattr(every, specs):
            getattr(own, specs)[node_id].CopyFrom(getattr(every, specs)[node_id])
    alone.deployment_config.Pack(own, deterministic=True)
    return alone


def pack(ir: pipeline_pb2.Pipeline) -> str:
    """As text without white space; the same pipeline always gives the same text."""
    return base64.b64encode(zlib.compress(ir.SerializeToString(deterministic=True), 9)).decode()


def unpack(packed: str) -> pipeline_pb2.Pipeline:
    """The inverse of `pack`."""
    return pipeline_pb2.Pipeline.FromString(zlib.decompress(base64.b64decode(packed)))


def fill_in(ir: pipeline_pb2.Pipeline, run_id: str, data_path: str) -> None:
    """Sets what was left open."""
    runtime_parameter_utils.substitute_runtime_parameter(
        ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id, DATA_PATH: data_path}
    )
