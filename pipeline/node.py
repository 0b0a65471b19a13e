"""Runs one node of the pipeline through TFX's Launcher."""

from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import base_executor_operator, launcher
from tfx.proto.orchestration import pipeline_pb2

from components.errors import SentiflowError
from pipeline.store import NodeExecution, RunStore


class DeferredExecutor(base_executor_operator.BaseExecutorOperator):
    """Imports the executor when it runs: a node whose outputs are in the cache needs none of it.

    TFX imports it before it looks into the cache, and TensorFlow with it.
    """

    SUPPORTED_EXECUTOR_SPEC_TYPE = list(launcher.DEFAULT_EXECUTOR_OPERATORS)
    SUPPORTED_PLATFORM_CONFIG_TYPE: list[Any] = []

    def run_executor(self, execution_info: Any) -> Any:
        """Runs TFX's own operator for this kind of executor."""
        operator_class = launcher.DEFAULT_EXECUTOR_OPERATORS[type(self._executor_spec)]
        operator = operator_class(self._executor_spec, self._platform_config)
        operator.with_execution_watcher(self._execution_watcher_address)
        return operator.run_executor(execution_info)


class NotCached(Exception):
    """The node's outputs are not in the cache."""


class CacheOnly(DeferredExecutor):
    """Runs nothing: for a machine without the node's GPU.

    The Launcher leaves the execution FAILED; when the node then is launched in earnest, in the same
    run, it goes on with this execution.
    """

    def run_executor(self, execution_info: Any) -> Any:
        """Raises NotCached."""
        raise NotCached


def launch_node(
    ir: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    connection: metadata_store_pb2.ConnectionConfig,
    store: RunStore,
    executor_operator: type[base_executor_operator.BaseExecutorOperator] = DeferredExecutor,
) -> NodeExecution:
    """Runs a node, or takes its outputs from TFX's cache.

    Args:
      ir: the compiled pipeline, with its run id filled in.
      node: one of its nodes; all nodes before it must have succeeded.
      connection: to the metadata store.
      store: the same store.
      executor_operator: what runs the executor, when the cache has no outputs.

    Returns:
      The finished execution, as the store knows it.

    Raises:
      SentiflowError: the execution is not in a finished state.
      Exception: whatever the node's driver or executor raised.
    """
    node_id = node.node_info.id
    run_id = ir.runtime_spec.pipeline_run_id.field_value.string_value
    if node_id == "Pusher" and not _latest_push_stands(store, run_id):
        node.execution_options.caching_options.enable_cache = False
    deployment = runner_utils.extract_local_deployment_config(ir)
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(connection),
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        custom_executor_operators=dict.fromkeys(
            launcher.DEFAULT_EXECUTOR_OPERATORS, executor_operator
        ),
    ).launch()
    # The Launcher returns normally from some failures, as inputs that cannot be resolved.
    execution = store.in_run(node_id, run_id)
    if execution is None or not execution.succeeded:
        state = execution.state if execution else "no execution"
        raise SentiflowError(f"{node_id} did not finish: {state} in the metadata store")
    return execution


def _latest_push_stands(store: RunStore, run_id: str) -> bool:
    """Whether the Pusher's last push is of this run's model and still the latest version served.

    The cache knows nothing of the serving folder: a version may have been deleted, or replaced by a
    later run whose configuration is now taken back.
    """
    from components.pusher import versions  # imports TensorFlow, which other nodes may not need

    push, training = store.latest("Pusher"), store.in_run("Trainer", run_id)
    if push is None or training is None or not push.succeeded:
        return False
    pushed = push.outputs["pushed_model"][0].properties
    if not pushed.get("pushed") or push.inputs["model"][0].id != training.outputs["model"][0].id:
        return False
    folder, _, version = pushed["pushed_destination"].rpartition("/")
    return versions(folder)[-1:] == [int(version)]
