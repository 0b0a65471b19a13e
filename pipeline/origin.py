"""What made an execution's outputs, noted with it: the store alone can tell later."""

import json
import os

from pipeline.config import Config
from pipeline.fingerprint import package_versions
from pipeline.store import NodeExecution, RunStore
from schema import features

# Names of the notes; each holds JSON.
PACKAGES = "packages"  # {name: version}
CONFIG = "config"  # the configuration of the run
ROWS = "rows"  # SentenceExampleGen: counts of IngestSummary, and of each file by path
COVERAGE = "coverage"  # WordVectors: counts of Coverage


def note_origin(store: RunStore, node: str, execution: NodeExecution, config: Config) -> None:
    """Notes packages and configuration, and what the step counted in its inputs.

    Args:
      store: gets the notes.
      node: id.
      execution: has succeeded; one from the cache is left as it is, since it made nothing.
      config: of the run.
    """
    if execution.cached:
        return
    notes = {PACKAGES: json.dumps(package_versions()), CONFIG: config.model_dump_json()}
    if node == "SentenceExampleGen":
        notes[ROWS] = json.dumps(_rows(execution.outputs["rejects"][0].uri))
    elif node == "WordVectors":
        notes[COVERAGE] = json.dumps(_coverage(execution.outputs[features.WORD_VECTORS][0].uri))
    store.note(execution.id, **notes)


def _rows(rejects: str) -> dict:
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(rejects, features.INGEST_SUMMARY)) as file:
        summary = json.loads(file.read())
    counts = {key: summary[key] for key in ("read", "accepted", "rejected", "duplicates")}
    return counts | {"files": {file["path"]: file["read"] for file in summary["files"]}}


def _coverage(vectors: str) -> dict:
    from components.word_vectors import artifact

    counts = ("types", "types_known", "tokens", "tokens_known", "extra_words")
    return artifact.read_coverage(vectors).model_dump(include=set(counts))
