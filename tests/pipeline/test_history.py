"""The records of a workdir's runs: found by name, compared with the one before."""

import json
from dataclasses import asdict

import pytest

from components.errors import UsageError
from pipeline.config import load_config, override
from pipeline.history import changes, keep, load_record, since_last_run
from pipeline.record import RunRecord, Step

RUN_ID = "2026-01-02T03:04:05.000006Z"


@pytest.fixture
def first(tmp_path):
    """A run that ended, in a workdir."""
    record = RunRecord.start(load_config())
    record.run_id = RUN_ID
    record.steps.append(Step("Trainer", "run", 1.5, "first run", 2.0, {"examples": [3]}))
    record.metrics = {"accuracy": 0.75, "macro_f1": 0.5, "confusion_matrix": [[1]], "slices": {}}
    record.finish(None)
    record.write(tmp_path)
    keep(record, tmp_path)
    return record


def test_a_run_is_found_by_file_workdir_and_id(first, tmp_path):
    for name in (tmp_path / "run.json", tmp_path, RUN_ID, "2026-01-02T030405.000006Z"):
        found = load_record(name, tmp_path)
        assert asdict(found) == asdict(first)
        assert found.steps[0].inputs == {"examples": [3]}


def test_the_next_run_does_not_replace_a_kept_record(first, tmp_path):
    second = RunRecord.start(load_config())
    second.write(tmp_path)
    keep(second, tmp_path)
    assert load_record(tmp_path, tmp_path).run_id == second.run_id
    assert load_record(RUN_ID, tmp_path).run_id == RUN_ID
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_run_that_there_is_not(first, tmp_path):
    with pytest.raises(UsageError) as error:
        load_record("yesterday", tmp_path)
    assert str(error.value) == (
        "no run 'yesterday': expected a run.json, a workdir, or the id of a run in "
        f"{tmp_path}; the last are 2026-01-02T030405.000006Z"
    )
    with pytest.raises(UsageError, match="there are none$"):
        load_record("yesterday", tmp_path / "elsewhere")


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(UsageError, match="expected the workdir of a run, there is no run.json"):
        load_record(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "Invalid JSON: EOF"),
        (b"[]", "Input should be an object"),
        (b'{"config": {}}', "run_id: Field required"),
        (b'{"run_id": "r", "config": {}, "steps": [{"id": 1}]}', "steps.0.id: Input should be"),
        (b'{"run_id": "r", "config": {}, "status": "fine"}', "status: Input should be 'running'"),
        (b'{"run_id": "\xff", "config": {}}', "Invalid JSON"),
    ],
)
def test_what_is_no_record_is_refused_in_a_line(tmp_path, content, cause):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(UsageError) as error:
        load_record(tmp_path, tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/run.json: expected the record of a run (run.json): ")
    assert cause in message and "\n" not in message


def test_a_record_of_an_older_version_has_fewer_keys(tmp_path):
    (tmp_path / "run.json").write_text('{"run_id": "r", "config": {}, "retired": 1}')
    record = load_record(tmp_path, tmp_path)
    assert (record.run_id, record.history, record.previous) == ("r", None, None)


def test_there_is_no_run_before_the_first(tmp_path):
    assert since_last_run(RunRecord.start(load_config()), tmp_path) is None


def test_a_broken_record_stops_no_run(tmp_path):
    (tmp_path / "run.json").write_text("{")
    assert since_last_run(RunRecord.start(load_config()), tmp_path) is None


def test_what_changed_since_the_last_run(first, tmp_path):
    config = override(load_config(), ["train.learning_rate=0.5", "data.labels=[bad,good]"])
    now = RunRecord.start(config)
    now.code, now.packages = "f00", {**first.packages, "keras": "99.1"}
    assert since_last_run(now, tmp_path) == {
        "run_id": RUN_ID,
        "status": "succeeded",
        "metrics": {"accuracy": 0.75, "macro_f1": 0.5},
        "changes": [
            {"key": "code", "before": first.code, "after": "f00"},
            {
                "key": "data.labels",
                "before": ["negative", "positive"],
                "after": ["bad", "good"],
            },
            {"key": "packages.keras", "before": first.packages["keras"], "after": "99.1"},
            {"key": "train.learning_rate", "before": 0.004, "after": 0.5},
        ],
    }


def test_a_run_that_was_refused_has_no_metrics(first, tmp_path):
    first.metrics = None
    first.status = "refused"
    first.write(tmp_path)
    previous = since_last_run(RunRecord.start(load_config()), tmp_path)
    assert (previous["status"], previous["metrics"], previous["changes"]) == ("refused", None, [])


def test_a_key_that_one_run_lacks(first):
    other = RunRecord(**{**asdict(first), "config": {**first.config, "new": {"on": True}}})
    assert changes(first, other) == [{"key": "new.on", "before": None, "after": True}]
    assert changes(other, first) == [{"key": "new.on", "before": True, "after": None}]


def test_the_previous_run_can_be_written(first, tmp_path):
    now = RunRecord.start(load_config())
    now.previous = since_last_run(now, tmp_path)
    assert json.loads(now.to_json())["previous"]["run_id"] == RUN_ID
