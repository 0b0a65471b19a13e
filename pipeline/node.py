"""Runs one node of the pipeline through TFX's Launcher."""

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher
from tfx.proto.orchestration import pipeline_pb2

from components.errors import SentiflowError
from components.pusher import versions
from pipeline.store import NodeExecution, RunStore


def launch_node(
    ir: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    connection: metadata_store_pb2.ConnectionConfig,
    store: RunStore,
) -> NodeExecution:
    """Runs a node, or takes its outputs from TFX's cache.

    Args:
      ir: the compiled pipeline, with its run id filled in.
      node: one of its nodes; all nodes before it must have succeeded.
      connection: to the metadata store.
      store: the same store.

    Returns:
      The finished execution, as the store knows it.

    Raises:
      SentiflowError: the execution is not in a finished state.
      Exception: whatever the node's driver or executor raised.
    """
    node_id = node.node_info.id
    if node_id == "Pusher" and not _latest_push_stands(store):
        node.execution_options.caching_options.enable_cache = False
    deployment = runner_utils.extract_local_deployment_config(ir)
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(connection),
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
    ).launch()
    # The Launcher returns normally from some failures, as inputs that cannot be resolved.
    execution = store.latest(node_id)
    if execution is None or not execution.succeeded:
        state = execution.state if execution else "no execution"
        raise SentiflowError(f"{node_id} did not finish: {state} in the metadata store")
    return execution


def _latest_push_stands(store: RunStore) -> bool:
    """Whether the Pusher's last push is of this run's model and still the latest version served.

    The cache knows nothing of the serving folder: a version may have been deleted, or replaced by a
    later run whose configuration is now taken back.
    """
    push, training = store.latest("Pusher"), store.latest("Trainer")
    if push is None or training is None or not push.succeeded:
        return False
    pushed = push.outputs["pushed_model"][0].properties
    if not pushed.get("pushed") or push.inputs["model"][0].id != training.outputs["model"][0].id:
        return False
    folder, _, version = pushed["pushed_destination"].rpartition("/")
    return versions(folder)[-1:] == [int(version)]
