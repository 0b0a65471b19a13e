"""What the metadata store knows of a node's executions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

Execution, Event = metadata_store_pb2.Execution, metadata_store_pb2.Event
FINISHED = (Execution.COMPLETE, Execution.CACHED)


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
        context = self._store.get_context_by_type_and_name("node", f"{self._pipeline}.{node}")
        if context is None:
            return []
        executions = self._store.get_executions_by_context(context.id)
        return [self._read(e) for e in sorted(executions, key=lambda e: e.id, reverse=True)]

    def latest(self, node: str) -> NodeExecution | None:
        """The newest execution of a node."""
        return next(iter(self.executions(node)), None)

    def latest_run(self, node: str) -> NodeExecution | None:
        """The newest execution, or if that was cached, the one whose outputs it took.

        What a driver finds out, as the fingerprint of the data, is only stored with the latter.
        """
        executions = self.executions(node)
        if not executions or not executions[0].cached:
            return next(iter(executions), None)
        outputs = executions[0].outputs
        return next((e for e in executions if not e.cached and e.outputs == outputs), None)

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

    def _read(self, execution: metadata_store_pb2.Execution) -> NodeExecution:
        events = self._store.get_events_by_execution_ids([execution.id])
        artifacts = {
            a.id: a for a in self._store.get_artifacts_by_id([e.artifact_id for e in events])
        }
        inputs: dict[str, list[StoredArtifact]] = {}
        outputs: dict[str, list[StoredArtifact]] = {}
        for event in events:
            side = inputs if event.type == Event.INPUT else outputs
            artifact = artifacts[event.artifact_id]
            stored = StoredArtifact(artifact.id, artifact.uri, dict(_properties(artifact)))
            side.setdefault(event.path.steps[0].key, []).append(stored)
        return NodeExecution(
            execution.id,
            Execution.State.Name(execution.last_known_state),
            dict(_properties(execution)),
            inputs,
            outputs,
        )


def _properties(message: Any) -> Iterator[tuple[str, Any]]:
    for properties in (message.properties, message.custom_properties):
        for key, value in properties.items():
            yield key, getattr(value, value.WhichOneof("value"))
