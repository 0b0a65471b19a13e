"""What a pushed version was made of, and what else was, as the metadata store knows it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from components.errors import UsageError
from pipeline.origin import CONFIG, COVERAGE, PACKAGES, ROWS
from pipeline.store import NodeExecution, RunStore

# The model that a candidate was compared with had no part in making it.
NOT_MADE_OF = ("baseline_model",)
CODE = "code_fingerprint"


@dataclass(frozen=True)
class DataFile:
    """A file of sentences."""

    path: str
    split: str | None  # None: its rows were split by hash
    sha256: str
    rows: int | None  # read from it; None: not noted


@dataclass(frozen=True)
class Data:
    """What was read."""

    path: str  # as configured
    span: int
    version: int | None
    files: list[DataFile]
    rows: dict[str, Any] | None  # read, accepted, rejected {reason: n}, duplicates


@dataclass(frozen=True)
class Vectors:
    """The pre-trained word vectors."""

    settings: dict[str, Any]  # path or package, …
    sha256: list[str]  # of the files: vectors, words, sub-words
    coverage: dict[str, int] | None


@dataclass(frozen=True)
class MadeStep:
    """An execution that had a part in making the version."""

    node: str
    execution: int
    run: str | None
    started: str  # ISO 8601, UTC
    seconds: float
    code: str | None  # fingerprint; None: TFX's own step
    packages: dict[str, str] | None
    properties: dict[str, Any]  # JSON is unpacked
    inputs: dict[str, list[str]]  # uris
    outputs: dict[str, list[str]]


@dataclass(frozen=True)
class Users:
    """What else used something."""

    versions: list[int]  # made of it
    runs: list[str]  # whether they pushed or not


@dataclass(frozen=True)
class Lineage:
    """What a version was made of."""

    version: int
    destination: str
    pushed: str  # ISO 8601, UTC
    run: str | None
    model: str  # uri
    compared_with: int | None  # the version of the blessed model before
    data: Data
    vectors: Vectors | None
    config: dict[str, Any] | None  # of the run that pushed; None: not noted
    packages: dict[str, str] | None  # of the Trainer
    steps: list[MadeStep]
    same_data: Users  # made of one of the files, by content
    same_vectors: Users | None
    same_model: Users


def trace(store: RunStore, version: int | None = None) -> Lineage:
    """Walks from a push back to the data.

    Args:
      store: of the pipeline's executions.
      version: None: the newest one. Where a number was pushed twice, the last push counts.

    Raises:
      UsageError: no such version was pushed.
    """
    history = _History(store)
    push = _push_of(history.pushes, version)
    made_by = sorted(history.made_by(push), key=lambda e: e.id)
    nodes = {history.node[e.id]: e for e in made_by}
    example_gen, trainer = nodes["SentenceExampleGen"], nodes["Trainer"]
    vectors = nodes.get("WordVectors")
    pushed = push.outputs["pushed_model"][0].properties
    return Lineage(
        version=_version(push),
        destination=pushed["pushed_destination"],
        pushed=_iso(push.started),
        run=store.run_of(push.id),
        model=push.inputs["model"][0].uri,
        compared_with=_compared_with(nodes.get("Evaluator"), store),
        data=_data(example_gen),
        vectors=_vectors(vectors) if vectors else None,
        config=_noted(push, CONFIG),
        packages=_noted(trainer, PACKAGES),
        steps=[_step(store, history.node[e.id], e) for e in made_by],
        same_data=history.users(_digests(example_gen), push),
        same_vectors=history.users(_digests(vectors), push) if vectors else None,
        same_model=history.users({push.inputs["model"][0].id}, push),
    )


class _History:
    """All executions of a pipeline, and who made what of what."""

    def __init__(self, store: RunStore):
        self._store = store
        self.node: dict[int, str] = {}  # by id of the execution
        self._executions: list[NodeExecution] = []
        self._maker: dict[int, NodeExecution] = {}  # by id of the artifact
        for node in store.nodes():
            executions = store.executions(node)
            self.node.update({execution.id: node for execution in executions})
            self._executions += executions
        self._executions.sort(key=lambda execution: execution.id)
        for execution in self._executions:
            for artifacts in execution.outputs.values():
                for artifact in artifacts:  # cached executions and the Resolver come later
                    self._maker.setdefault(artifact.id, execution)
        pushers = [e for e in self._executions if self.node[e.id] == "Pusher"]
        self.pushes = [e for e in pushers if e.state == "COMPLETE" and _version(e)]

    def made_by(self, execution: NodeExecution) -> Iterator[NodeExecution]:
        """An execution and all before it that had a part in it, each once."""
        seen, left = set(), [execution]
        while left:
            one = left.pop()
            if one.id in seen:
                continue
            seen.add(one.id)
            yield one
            for key, artifacts in one.inputs.items():
                if key not in NOT_MADE_OF:
                    left += [self._maker[a.id] for a in artifacts if a.id in self._maker]

    def users(self, things: set, push: NodeExecution) -> Users:
        """Which other pushes and runs used one of some things, as `_things` names them."""
        versions = {
            _version(other)
            for other in self.pushes
            if any(things & _things(e) for e in self.made_by(other))
        }
        executions = [e for e in self._executions if things & self._used_or_taken(e)]
        runs = {self._store.run_of(execution.id) for execution in executions}
        return Users(
            sorted(versions - {_version(push)}),
            sorted(run for run in runs - {self._store.run_of(push.id)} if run),
        )

    def _used_or_taken(self, execution: NodeExecution) -> set:
        """What an execution used, or if it was cached, what the one did whose outputs it took."""
        things = _things(execution)
        for key in NOT_MADE_OF:
            things |= {artifact.id for artifact in execution.inputs.get(key, [])}
        for artifacts in execution.outputs.values() if execution.cached else ():
            for artifact in artifacts:
                if artifact.id in self._maker:
                    things |= _things(self._maker[artifact.id])
        return things


def _things(execution: NodeExecution) -> set:
    """The contents that an execution read from outside, by digest, and the models it was given."""
    models = {artifact.id for artifact in execution.inputs.get("model", [])}
    return _digests(execution) | models


def _digests(execution: NodeExecution) -> set[str]:
    files = json.loads(execution.properties.get("input_fingerprint", "[]"))
    vectors = json.loads(execution.properties.get("vectors_fingerprint", "[]"))
    return {digest for *_, digest in files} | set(vectors)


def _push_of(pushes: list[NodeExecution], version: int | None) -> NodeExecution:
    of_version = [push for push in pushes if version in (None, _version(push))]
    if not pushes:
        raise UsageError(
            "no version was pushed by a run of the pipeline of this name (name in the "
            "configuration) that the metadata store knows"
        )
    if not of_version:
        known = ", ".join(str(number) for number in sorted({_version(push) for push in pushes}))
        raise UsageError(f"version {version} was never pushed; there are {known}")
    return of_version[-1]


def _version(push: NodeExecution) -> int:
    """The number under which a push left its model; 0 if it did not."""
    for artifact in push.outputs.get("pushed_model", []):
        return int(artifact.properties.get("pushed_version", 0))
    return 0


def _compared_with(evaluator: NodeExecution | None, store: RunStore) -> int | None:
    baselines = evaluator.inputs.get("baseline_model", []) if evaluator else []
    return next((v for each in baselines if (v := store.pushed_version(each.id))), None)


def _data(execution: NodeExecution) -> Data:
    given, rows = execution.properties, _noted(execution, ROWS)
    rows_of = rows.pop("files") if rows else {}
    files = [
        DataFile(path, split, sha256, rows_of.get(path))
        for path, split, sha256 in json.loads(given["input_fingerprint"])
    ]
    return Data(given["data_path"], given["span"], given.get("version"), files, rows)


def _vectors(execution: NodeExecution) -> Vectors:
    given = execution.properties
    return Vectors(
        json.loads(given["settings"]),
        json.loads(given["vectors_fingerprint"]),
        _noted(execution, COVERAGE),
    )


def _step(store: RunStore, node: str, execution: NodeExecution) -> MadeStep:
    properties = {key: _unpacked(value) for key, value in execution.properties.items()}
    custom = properties.get("custom_config")
    code = properties.get(CODE) or (custom.get(CODE) if isinstance(custom, dict) else None)
    return MadeStep(
        node=node,
        execution=execution.id,
        run=store.run_of(execution.id),
        started=_iso(execution.started),
        seconds=execution.seconds,
        code=code,
        packages=_noted(execution, PACKAGES),
        properties=properties,
        inputs={key: [a.uri for a in found] for key, found in execution.inputs.items()},
        outputs={key: [a.uri for a in found] for key, found in execution.outputs.items()},
    )


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _noted(execution: NodeExecution, name: str) -> Any:
    return json.loads(execution.notes.get(name, "null"))


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")
