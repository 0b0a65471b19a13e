"""What a version was made of: from a real SQLite store, and through the command."""

import json

import pytest
from click.testing import CliRunner

from components.errors import UsageError
from pipeline.cli import cli
from pipeline.lineage import trace
from pipeline.store import RunStore
from tests.pipeline.lineage_rules import check_lineage
from tests.pipeline.made_up_history import MadeUpHistory, ingest, push, three_runs, train


@pytest.fixture
def lineage(tmp_path):
    """Runs the command in the workdir with the store."""

    def run(*arguments):
        options = ["--workdir", str(tmp_path), "--set", "name=films", *arguments]
        return CliRunner().invoke(cli, ["lineage", *options])

    return run


def test_lineage_in_sqlite(connection):
    check_lineage(connection)


def test_store_without_a_push(connection):
    store = RunStore(connection, "films")
    with pytest.raises(UsageError, match="no version was pushed"):
        trace(store)


def test_a_number_that_was_pushed_twice_is_the_last_push(connection):
    history = MadeUpHistory(connection)
    three_runs(history)
    again = train(history, "6", ingest(history, "6", "c" * 64))
    push(history, "6", again, version=2)
    found = trace(RunStore(connection, "films"), 2)
    assert found.run == "films-6"
    assert found.data.files[0].sha256 == "c" * 64


def test_in_words(connection, lineage):
    three_runs(MadeUpHistory(connection))
    result = lineage("--version", "2")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    for line in (
        "version 2",
        "  compared   with version 1",
        "  path       /data, span 3",
        "  rows       12 read, 10 accepted, 1 duplicates, 1 rejected",
        "  train      /data/train.tsv, 9 rows",
        f"             sha256 {'a' * 64}",
        "  package    glove",
        "  coverage   4 of 5 words, 45 of 50 tokens",
        "  train.seed: 2",
        "  tensorflow 2.2",
        "  data       version 1, 3; run films-1, films-3, films-4, films-5",
        "  model      run films-3",
    ):
        assert line in lines
    (ingested,) = [line for line in lines if "SentenceExampleGen" in line]
    assert ingested.endswith(" s, code ingest-1, taken from run films-1")


def test_json(connection, lineage):
    three_runs(MadeUpHistory(connection))
    found = json.loads(lineage("--json").stdout)
    assert found["version"] == 3
    assert found["data"]["files"][0]["sha256"] == "b" * 64


def test_what_is_served_is_told_unless_a_version_is_named(connection, lineage, tmp_path):
    three_runs(MadeUpHistory(connection))
    for version in (1, 2, 3):
        folder = tmp_path / "serving/sentiment" / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    promoted = CliRunner().invoke(cli, ["promote", "2", "--workdir", str(tmp_path)])
    assert promoted.exit_code == 0
    assert json.loads(lineage("--json").stdout)["version"] == 2
    assert json.loads(lineage("--json", "--version", "1").stdout)["version"] == 1


def test_asking_writes_nothing(connection, lineage, tmp_path):
    three_runs(MadeUpHistory(connection))
    before = (tmp_path / "metadata.db").read_bytes()
    assert lineage().exit_code == 0
    assert (tmp_path / "metadata.db").read_bytes() == before


def test_no_store_and_a_broken_one_are_the_users_mistakes(lineage, tmp_path):
    result = lineage()
    assert isinstance(result.exception, UsageError)
    assert "no metadata store; is --workdir that of a run?" in str(result.exception)
    assert not (tmp_path / "metadata.db").exists()
    (tmp_path / "metadata.db").write_bytes(b"no database" * 1000)
    result = lineage()
    assert isinstance(result.exception, UsageError)
    assert "cannot be read as a metadata store" in str(result.exception)
