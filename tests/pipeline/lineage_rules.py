"""What is expected of the lineage in the history of `three_runs`, in whatever database."""

import pytest

from components.errors import UsageError
from pipeline.lineage import DataFile, Users, trace
from pipeline.store import RunStore
from tests.pipeline.made_up_history import MadeUpHistory, three_runs


def check_lineage(connection) -> None:
    """Fills the store and asks it anew, as another process would."""
    three_runs(MadeUpHistory(connection))
    store = RunStore(connection, "films")
    _check_second_version(trace(store, 2))
    _check_newest_version(trace(store))
    with pytest.raises(UsageError, match=r"^version 9 was never pushed; there are 1, 2, 3$"):
        trace(store, 9)


def _check_second_version(found) -> None:
    assert (found.version, found.run, found.destination) == (2, "films-2", "/serving/2")
    assert found.model == "/2/Trainer/model"
    assert found.compared_with == 1
    assert (found.data.path, found.data.span, found.data.version) == ("/data", 3, None)
    assert found.data.files == [
        DataFile("/data/train.tsv", "train", "a" * 64, 9),
        DataFile("/data/eval.tsv", "eval", "e" * 64, 3),
    ]
    assert found.data.rows["rejected"] == {"no_text": 1}
    assert found.vectors.settings["package"] == "glove"
    assert found.vectors.sha256 == ["beef"]
    assert found.vectors.coverage["types_known"] == 4
    assert found.config["train"]["seed"] == 2
    assert found.packages == {"tfx": "1.0", "tensorflow": "2.2"}
    made = [(step.node, step.run, step.code) for step in found.steps]
    assert made == [
        ("SentenceExampleGen", "films-1", "ingest-1"),
        ("WordVectors", "films-1", "vectors-1"),
        ("Trainer", "films-2", "trainer-2"),
        ("Evaluator", "films-2", None),
        ("Pusher", "films-2", None),
    ], "what was cached is told by the run that made it; the first model had no part in it"
    trainer = found.steps[2]
    assert trainer.properties["custom_config"]["train"] == {"seed": 2}
    assert trainer.inputs["word_vectors"] == ["/1/WordVectors/word_vectors"]
    # All have the same eval.tsv.
    assert found.same_data == Users([1, 3], ["films-1", "films-3", "films-4", "films-5"])
    assert found.same_vectors == Users([1], ["films-1"])
    assert found.same_model == Users([], ["films-3"]), "as what the third was compared with"


def _check_newest_version(found) -> None:
    assert (found.version, found.vectors, found.same_vectors) == (3, None, None)
    assert found.compared_with == 2
    assert found.same_model == Users([], ["films-4"])
