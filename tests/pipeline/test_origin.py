"""What is noted with an execution of what made it."""

import json

import numpy as np
import pytest

from pipeline.config import load_config
from pipeline.fingerprint import package_versions
from pipeline.origin import note_origin
from pipeline.store import NodeExecution, StoredArtifact
from tests.pipeline.made_up_history import MadeUpHistory

CONFIG = load_config(None, ("name=films", "train.seed=7"))


@pytest.fixture
def noted(connection):
    """Notes the origin of an execution with one output; returns what the store then holds."""
    history = MadeUpHistory(connection)

    def noted(node, output, folder, state="COMPLETE"):
        history.step("1", node, {}, {output: {}}, {})
        stored = history.runs.latest(node)
        outputs = {output: [StoredArtifact(1, str(folder), {})]}
        execution = NodeExecution(stored.id, state, {}, {}, outputs)
        note_origin(history.runs, node, execution, CONFIG)
        return history.runs.latest(node).notes

    return noted


def test_packages_and_configuration(noted, tmp_path):
    notes = noted("Trainer", "model", tmp_path)
    assert json.loads(notes["packages"]) == package_versions()
    assert json.loads(notes["config"]) == CONFIG.model_dump(mode="json")
    assert notes.keys() == {"packages", "config"}


def test_a_cached_execution_made_nothing(noted, tmp_path):
    assert noted("Trainer", "model", tmp_path, state="CACHED") == {}


def test_rows_of_each_file(noted, tmp_path):
    counts = {"read": 5, "accepted": 4, "rejected": {"no_text": 1}, "duplicates": 0}
    files = [{"path": "/a.csv", "split": None, "read": 5, "sha256": "ab"}]
    (tmp_path / "summary.json").write_text(json.dumps(counts | {"files": files, "span": 0}))
    notes = noted("SentenceExampleGen", "rejects", tmp_path)
    assert json.loads(notes["rows"]) == counts | {"files": {"/a.csv": 5}}


def test_coverage_of_the_vectors(noted, tmp_path):
    from components.word_vectors import artifact
    from components.word_vectors.coverage import Coverage

    coverage = Coverage(
        types=3, types_known=2, tokens=30, tokens_known=20, missing=[("x", 10)], extra_words=1,
        read=9, duplicates=0, not_utf8=0, words_with_spaces=0,
    )  # fmt: skip
    artifact.write(str(tmp_path), ["a"], np.zeros((1, 2), np.float32), None, coverage)
    notes = noted("WordVectors", "word_vectors", tmp_path)
    assert json.loads(notes["coverage"]) == {
        "types": 3, "types_known": 2, "tokens": 30, "tokens_known": 20, "extra_words": 1,
    }  # fmt: skip
