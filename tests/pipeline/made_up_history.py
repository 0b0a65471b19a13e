"""Runs of a pipeline in a metadata store, written by hand as TFX writes them."""

import json

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from pipeline.config import load_config
from pipeline.store import RunStore

Execution, Event = metadata_store_pb2.Execution, metadata_store_pb2.Event
Artifact, Context = metadata_store_pb2.Artifact, metadata_store_pb2.Context

Artifacts = dict[str, Artifact]


class MadeUpHistory:
    """Adds executions of the pipeline `films`; run ids begin with `films-`."""

    def __init__(self, connection: metadata_store_pb2.ConnectionConfig):
        self._store = ml_metadata.MetadataStore(connection)
        self._types = {
            name: self._store.put_context_type(metadata_store_pb2.ContextType(name=name))
            for name in ("node", "pipeline_run")
        }
        self._step_type = self._store.put_execution_type(
            metadata_store_pb2.ExecutionType(name="FilmStep")
        )
        self._file_type = self._store.put_artifact_type(
            metadata_store_pb2.ArtifactType(name="FilmFile")
        )
        self.runs = RunStore(connection, "films")

    def step(
        self,
        run: str,
        node: str,
        inputs: Artifacts,
        outputs: dict[str, dict[str, str]],
        properties: dict[str, str | int],
        state: int = Execution.COMPLETE,
        **notes: str,
    ) -> Artifacts:
        """Adds an execution with new artifacts of these properties; returns them."""
        made = {
            key: Artifact(type_id=self._file_type, uri=f"/{run}/{node}/{key}") for key in outputs
        }
        for key, artifact in made.items():
            _set(artifact.custom_properties, outputs[key])
        execution_id = self._put(run, node, inputs, made, properties, state)
        self.runs.note(execution_id, **notes)
        latest = self.runs.latest(node)
        return {
            key: Artifact(id=latest.outputs[key][0].id, type_id=self._file_type) for key in made
        }

    def cached(self, run: str, node: str, inputs: Artifacts, outputs: Artifacts) -> Artifacts:
        """Adds a cached execution, which takes outputs of an earlier one."""
        artifacts = {
            key: self._store.get_artifacts_by_id([artifact.id])[0]
            for key, artifact in outputs.items()
        }
        self._put(run, node, inputs, artifacts, {}, Execution.CACHED)
        return outputs

    def _put(self, run, node, inputs, outputs, properties, state) -> int:
        execution = Execution(type_id=self._step_type, last_known_state=state)
        _set(execution.custom_properties, properties)
        given = {
            key: self._store.get_artifacts_by_id([artifact.id])[0]
            for key, artifact in inputs.items()
        }
        pairs = [(artifact, _event(Event.INPUT, key)) for key, artifact in given.items()]
        pairs += [(artifact, _event(Event.OUTPUT, key)) for key, artifact in outputs.items()]
        contexts = [
            Context(type_id=self._types["node"], name=f"films.{node}"),
            Context(type_id=self._types["pipeline_run"], name=f"films-{run}"),
        ]
        execution_id, _, _ = self._store.put_execution(
            execution, pairs, contexts, reuse_context_if_already_exist=True
        )
        return execution_id


def _event(kind: int, key: str) -> Event:
    event = Event(type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = 0
    return event


def _set(stored, values) -> None:
    for name, value in values.items():
        if isinstance(value, int):
            stored[name].int_value = value
        else:
            stored[name].string_value = value


def ingest(history: MadeUpHistory, run: str, train_sha: str, span: int = 0) -> Artifacts:
    files = [["/data/train.tsv", "train", train_sha], ["/data/eval.tsv", "eval", "e" * 64]]
    rows = {"read": 12, "accepted": 10, "rejected": {"no_text": 1}, "duplicates": 1}
    return history.step(
        run, "SentenceExampleGen", {}, {"examples": {}},
        {"data_path": "/data", "settings": '{"labels": ["bad", "good"]}', "span": span,
         "code_fingerprint": f"ingest-{run}", "input_fingerprint": json.dumps(files)},
        rows=json.dumps(rows | {"files": {"/data/train.tsv": 9, "/data/eval.tsv": 3}}),
        packages='{"tfx": "1.0"}', config="{}",
    )  # fmt: skip


def select_vectors(history: MadeUpHistory, run: str, examples: Artifacts) -> Artifacts:
    coverage = {"types": 5, "types_known": 4, "tokens": 50, "tokens_known": 45, "extra_words": 2}
    return history.step(
        run, "WordVectors", examples, {"word_vectors": {}},
        {"settings": '{"package": "glove", "path": null}', "vectors_fingerprint": '["beef"]',
         "code_fingerprint": f"vectors-{run}"},
        coverage=json.dumps(coverage), packages='{"tfx": "1.0"}', config="{}",
    )  # fmt: skip


def train(history: MadeUpHistory, run: str, inputs: Artifacts) -> Artifacts:
    custom = {"code_fingerprint": f"trainer-{run}", "train": {"seed": 2}}
    return history.step(
        run, "Trainer", inputs, {"model": {}}, {"custom_config": json.dumps(custom)},
        packages=json.dumps({"tfx": "1.0", "tensorflow": f"2.{run}"}), config="{}",
    )  # fmt: skip


def evaluate(history: MadeUpHistory, run: str, inputs: Artifacts) -> Artifacts:
    return history.step(run, "Evaluator", inputs, {"blessing": {"blessed": 1}}, {})


def push(history: MadeUpHistory, run: str, inputs: Artifacts, version: int) -> None:
    destination = f"/serving/{version}"
    pushed = {"pushed": 1, "pushed_version": str(version), "pushed_destination": destination}
    config = load_config(None, ("name=films", "train.seed=2"))
    history.step(
        run, "Pusher", inputs, {"pushed_model": pushed}, {}, config=config.model_dump_json()
    )


def three_runs(history: MadeUpHistory) -> None:
    """Version 1 of data `a`; version 2 of the same data, from the cache; a run on data `b`.

    The first two have word vectors. The second is compared with the first model. A fourth run takes
    all from the cache, a fifth fails in training on data `a`.
    """
    examples = ingest(history, "1", "a" * 64, span=3)
    vectors = select_vectors(history, "1", examples)
    first = train(history, "1", examples | vectors)
    blessing = evaluate(history, "1", first)
    push(history, "1", first | blessing, version=1)

    history.cached("2", "SentenceExampleGen", {}, examples)
    history.cached("2", "WordVectors", examples, vectors)
    second = train(history, "2", examples | vectors)
    blessing = evaluate(history, "2", second | {"baseline_model": first["model"]})
    push(history, "2", second | blessing, version=2)

    other = ingest(history, "3", "b" * 64)
    third = train(history, "3", other)
    blessing = evaluate(history, "3", third | {"baseline_model": second["model"]})
    push(history, "3", third | blessing, version=3)

    history.cached("4", "SentenceExampleGen", {}, other)
    history.cached("4", "Trainer", other, third)
    history.cached("4", "Evaluator", third, blessing)

    history.cached("5", "SentenceExampleGen", {}, examples)
    history.step("5", "Trainer", examples, {}, {}, state=Execution.FAILED)
