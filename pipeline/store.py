"""What the metadata store knows of a node's executions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

Execution, Event = metadata_store_pb2.Execution, metadata_store_pb2.Event
NOTE = "sentiflow_"  # begins the names of what we add to an execution after TFX is done with it


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact: where it lies and its properties."""

    id: int
    uri: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class NodeExecution:
    """One execution of a node, with its inputs and outputs by key."""

    id: int
    state: str  # as in MLMD: COMPLETE, CACHED, FAILED, RUNNING, …
    properties: dict[str, Any]
    inputs: dict[str, list[StoredArtifact]]
    outputs: dict[str, list[StoredArtifact]]
    notes: dict[str, Any] = field(default_factory=dict)  # see RunStore.note
    seconds: float = 0.0  # from the registration of the execution to its last change
    started: float = 0.0  # Unix time of the registration, seconds

    @property
    def cached(self) -> bool:
        return self.state == "CACHED"

    @property
    def succeeded(self) -> bool:
        return self.state in ("COMPLETE", "CACHED")


class RunStore:
    """Reads the executions of one pipeline's nodes."""

    def __init__(self, connection: metadata_store_pb2.ConnectionConfig, pipeline: str):
        self._store = ml_metadata.MetadataStore(connection)
        self._pipeline = pipeline

    def executions(self, node: str) -> list[NodeExecution]:
        """All executions of a node, the newest first."""
        return self._read(self._stored(node))

    def latest(self, node: str) -> NodeExecution | None:
        """The newest execution of a node."""
        return next(iter(self._read(self._stored(node)[:1])), None)

    def in_run(self, node: str, run_id: str) -> NodeExecution | None:
        """A node's execution in one run of the pipeline; a retry uses the same one again."""
        context = self._store.get_context_by_type_and_name("pipeline_run", run_id)
        if context is None:
            return None
        of_run = {e.id for e in self._store.get_executions_by_context(context.id)}
        found = [e for e in self._stored(node) if e.id in of_run]
        return next(iter(self._read(found[:1])), None)

    def nodes(self) -> list[str]:
        """The ids of all nodes that ever ran."""
        prefix = f"{self._pipeline}."
        names = [context.name for context in self._store.get_contexts_by_type("node")]
        return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]

    def run_of(self, execution_id: int) -> str | None:
        """The id of the run that an execution belongs to."""
        run_type = self._store.get_context_type("pipeline_run").id
        contexts = self._store.get_contexts_by_execution(execution_id)
        return next((context.name for context in contexts if context.type_id == run_type), None)

    def latest_run(self, node: str, before_run: str | None = None) -> NodeExecution | None:
        """The newest execution, or if that was cached, the one whose outputs it took.

        What a driver finds out, as the fingerprint of the data, is only stored with the latter.

        Args:
          node: its id.
          before_run: a run whose own execution does not count.
        """
        own = self.in_run(node, before_run) if before_run else None
        executions = [e for e in self.executions(node) if own is None or e.id != own.id]
        if not executions or not executions[0].cached:
            return next(iter(executions), None)
        outputs = executions[0].outputs
        return next((e for e in executions if not e.cached and e.outputs == outputs), None)

    def pushed_version(self, model: int) -> int | None:
        """The version as which a model, by its artifact's id, was last pushed; None: as none."""
        for execution in self.executions("Pusher"):
            if any(artifact.id == model for artifact in execution.inputs.get("model", [])):
                for pushed in execution.outputs.get("pushed_model", []):
                    if version := pushed.properties.get("pushed_version"):
                        return int(version)
        return None

    def abandon_running(self) -> int:
        """Marks executions that a killed run left RUNNING as FAILED.

        Only for a caller that knows that no other run uses this store.

        Returns:
          How many there were.
        """
        dead = [e for e in self._store.get_executions() if e.last_known_state == Execution.RUNNING]
        for execution in dead:
            execution.last_known_state = Execution.FAILED
        if dead:
            self._store.put_executions(dead)
        return len(dead)

    def fail(self, execution_id: int) -> None:
        """Marks an execution as FAILED, whatever it was."""
        [execution] = self._store.get_executions_by_id([execution_id])
        execution.last_known_state = Execution.FAILED
        self._store.put_executions([execution])

    def note(self, execution_id: int, **notes: str | int) -> None:
        """Adds notes to an execution, for who looks at it later; no cache key holds them."""
        [execution] = self._store.get_executions_by_id([execution_id])
        for name, value in notes.items():
            stored = execution.custom_properties[NOTE + name]
            if isinstance(value, int):
                stored.int_value = value
            else:
                stored.string_value = value
        self._store.put_executions([execution])

    def _stored(self, node: str) -> list[metadata_store_pb2.Execution]:
        """A node's executions without their artifacts, the newest first."""
        context = self._store.get_context_by_type_and_name("node", f"{self._pipeline}.{node}")
        if context is None:
            return []
        executions = self._store.get_executions_by_context(context.id)
        return sorted(executions, key=lambda execution: execution.id, reverse=True)

    def _read(self, executions: list[metadata_store_pb2.Execution]) -> list[NodeExecution]:
        """Adds the artifacts: two queries, however many executions there are."""
        events: dict[int, list[metadata_store_pb2.Event]] = {e.id: [] for e in executions}
        for event in self._store.get_events_by_execution_ids(list(events)) if events else ():
            events[event.execution_id].append(event)
        artifact_ids = {event.artifact_id for of_one in events.values() for event in of_one}
        artifacts = {
            artifact.id: StoredArtifact(artifact.id, artifact.uri, dict(_properties(artifact)))
            for artifact in self._store.get_artifacts_by_id(artifact_ids)
        }
        return [_node_execution(e, events[e.id], artifacts) for e in executions]


def _node_execution(
    execution: metadata_store_pb2.Execution,
    events: list[metadata_store_pb2.Event],
    artifacts: dict[int, StoredArtifact],
) -> NodeExecution:
    inputs: dict[str, list[StoredArtifact]] = {}
    outputs: dict[str, list[StoredArtifact]] = {}
    for event in events:
        side = inputs if event.type == Event.INPUT else outputs
        side.setdefault(event.path.steps[0].key, []).append(artifacts[event.artifact_id])
    properties = dict(_properties(execution))
    notes = {
        key.removeprefix(NOTE): properties.pop(key)
        for key in list(properties)
        if key.startswith(NOTE)
    }
    milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return NodeExecution(
        execution.id,
        Execution.State.Name(execution.last_known_state),
        properties,
        inputs,
        outputs,
        notes,
        seconds=milliseconds / 1000,
        started=execution.create_time_since_epoch / 1000,
    )


def _properties(message: Any) -> Iterator[tuple[str, Any]]:
    for properties in (message.properties, message.custom_properties):
        for key, value in properties.items():
            yield key, getattr(value, value.WhichOneof("value"))
