"""The pipeline on real nodes: fresh, again, and after changes; executions counted in the store."""

import json
from collections import Counter

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.errors import NotBlessed
from components.threads import LANES
from pipeline.ask import predictor
from pipeline.local_runner import run_pipeline
from pipeline.steps import steps_at_a_time
from tests.e2e.made_up import (
    LABELS,
    run_json,
    small_config,
    write_splits,
)

pytestmark = pytest.mark.e2e

NODES = [
    "SchemaImporter",
    "SentenceExampleGen",
    "StatisticsGen",
    "ExampleValidator",
    "DataGate",
    "LinearBaseline",
    "Transform",
    "Trainer",
    "Resolver",
    "ServeCheck",
    "Evaluator",
    "ProfileGen",
    "Pusher",
]
AFTER_TRANSFORM = NODES[NODES.index("Trainer") :]


def execution_states(workdir) -> Counter:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(workdir / "metadata.db")
    state = metadata_store_pb2.Execution.State
    executions = ml_metadata.MetadataStore(config).get_executions()
    return Counter(state.Name(execution.last_known_state) for execution in executions)


def nodes_run(record) -> list[str]:
    return [step.id for step in record.steps if step.state == "run"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_splits(tmp_path_factory.mktemp("data") / "films", LABELS)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def config():
    return small_config(None, LABELS)


@pytest.fixture(scope="module")
def fresh(data, workdir, config):
    """The first run; the tests of this module follow each other in its workdir."""
    return run_pipeline(config, str(data), workdir)


def test_fresh_run_runs_every_node_and_serves_version_1(fresh, workdir):
    assert [step.id for step in fresh.steps] == NODES
    assert nodes_run(fresh) == NODES
    assert execution_states(workdir) == Counter(COMPLETE=len(NODES))
    assert fresh.status == "succeeded"
    assert fresh.blessed is True
    assert fresh.pushed_version == 1
    assert (workdir / "serving/sentiment/1/saved_model.pb").is_file()


def test_record_holds_what_others_rely_on(fresh, workdir):
    record = run_json(workdir)
    assert record["status"] == "succeeded"
    assert record["rows"] == {"read": 450, "accepted": 450, "rejected": {}, "duplicates": 0}
    assert record["metrics"]["example_count"] == 90
    assert record["metrics"]["accuracy"] > 0.9
    assert record["baseline"]["latest_blessed"] is None
    linear = record["baseline"]["linear"]
    assert linear["accuracy"] > 0.9
    assert linear["macro_f1"] > 0.9
    assert (linear["example_count"], linear["train_rows"], linear["trained_on"]) == (90, 360, 360)
    calibration = record["calibration"]
    assert calibration["rows"] == 90
    assert 0.5 <= calibration["temperature"] <= 10
    # The Evaluator asked the exported model, and so knows the temperature.
    assert record["metrics"]["calibration_error"] == pytest.approx(
        calibration["error_after"], abs=1e-4
    )
    assert [step["id"] for step in record["steps"]] == NODES
    assert {step["why"] for step in record["steps"] if step["id"] != "Resolver"} == {"first run"}
    assert record["config"]["train"]["max_epochs"] == 8
    assert record["packages"]["tfx"] == "1.21.0"
    assert len(record["code"]) == 16


def test_record_holds_what_its_page_tells(fresh, workdir):
    record = run_json(workdir)
    assert {name: split["rows"] for name, split in record["data"]["splits"].items()} == {
        "train": 360,
        "eval": 90,
    }
    for split in record["data"]["splits"].values():
        assert sum(split["labels"].values()) == sum(split["lengths"]["rows"]) == split["rows"]
    kept = record["history"][record["kept_epoch"] - 1]
    assert kept["eval_accuracy"] == pytest.approx(record["metrics"]["accuracy"], abs=1e-6)
    low, high = record["metrics"]["intervals"]["macro_f1"]
    assert low <= record["metrics"]["macro_f1"] <= high
    wrong = round(90 * (1 - record["metrics"]["accuracy"]))
    assert len(record["mistakes"]) == min(wrong, 20)
    assert sum(bin["rows"] for bin in record["metrics"]["reliability"]) == 90
    steps = {step["id"]: step for step in record["steps"]}
    assert steps["Evaluator"]["inputs"]["model"] == steps["Trainer"]["outputs"]["model"]
    assert steps["SchemaImporter"]["started"] >= 0
    ends = {name: step["started"] + step["seconds"] for name, step in steps.items()}
    for before, after in [
        ("Transform", "Trainer"),
        ("Trainer", "Evaluator"),
        ("ServeCheck", "Pusher"),
    ]:
        assert ends[before] <= steps[after]["started"] + 0.02
    assert record["previous"] is None
    [kept_record] = (workdir / "runs").iterdir()
    assert json.loads(kept_record.read_text("utf-8")) == record


@pytest.mark.skipif(LANES < 2, reason="there is one core")
def test_steps_that_do_not_need_each_other_run_side_by_side(fresh):
    steps = {step.id: step for step in fresh.steps}
    evaluator, check = steps["Evaluator"], steps["ServeCheck"]
    assert evaluator.started < check.started + check.seconds
    assert check.started < evaluator.started + evaluator.seconds


def test_with_several_workers_steps_run_alone():
    assert steps_at_a_time(small_config(None, LABELS, "beam.workers=2")) == 1


def test_served_is_evaluated(fresh, data, workdir, config):
    rows = [line.split("\t") for line in (data / "eval.tsv").read_text().splitlines()[1:]]
    with predictor(config, workdir) as ask:
        answers = ask([text for _, text in rows])
    right = sum(answer.label == label for answer, (label, _) in zip(answers, rows, strict=True))
    assert right / len(rows) == pytest.approx(fresh.metrics["accuracy"], abs=1e-9)
    assert fresh.serve_check["largest_difference"] <= 1e-5


def test_second_run_takes_everything_from_the_cache(fresh, data, workdir, config):
    before = execution_states(workdir)
    record = run_pipeline(config, str(data), workdir)
    assert nodes_run(record) == ["Resolver"]
    assert {s.why for s in record.steps if s.state == "cached"} == {"nothing changed"}
    assert execution_states(workdir) - before == Counter(CACHED=len(NODES) - 1, COMPLETE=1)
    assert record.pushed_version == 1
    assert record.metrics == fresh.metrics
    assert (record.previous["run_id"], record.previous["changes"]) == (fresh.run_id, [])
    assert record.previous["metrics"]["accuracy"] == fresh.metrics["accuracy"]


def test_version_has_its_model_card_and_the_report_a_copy(fresh, workdir):
    card = json.loads((workdir / "serving/sentiment/1/assets.extra/model_card.json").read_text())
    assert card["model_details"]["version"]["name"] == "1"
    accuracy = card["quantitative_analysis"]["performance_metrics"][0]
    assert float(accuracy["value"]) == fresh.metrics["accuracy"]
    lower, upper = map(float, accuracy["confidence_interval"].values())
    assert lower <= float(accuracy["value"]) <= upper
    rows = {
        split["name"]: sum(split["rows"].values()) for split in card["model_parameters"]["data"]
    }
    assert rows == {"train": 360, "eval": 90}
    for name in ("model_card.md", "model_card.json"):
        served = workdir / "serving/sentiment/1/assets.extra" / name
        assert (workdir / "report" / name).read_bytes() == served.read_bytes()


def test_changed_card_is_renewed_in_the_version_that_is_served(fresh, data, workdir):
    record = run_pipeline(small_config(None, LABELS, "card.owner=Ann"), str(data), workdir)
    assert nodes_run(record) == ["Resolver", "Pusher"]
    assert record.pushed_version == 1
    assert [path.name for path in (workdir / "serving/sentiment").iterdir()] == ["1"]
    for folder in ("serving/sentiment/1/assets.extra", "report"):
        assert "| Owner | Ann |" in (workdir / folder / "model_card.md").read_text()


def test_deleted_version_is_pushed_again(fresh, data, workdir, config):
    (workdir / "serving/sentiment/1").rename(workdir / "gone")
    record = run_pipeline(config, str(data), workdir)
    assert nodes_run(record) == ["Resolver", "Pusher"]
    assert record.pushed_version == 1
    assert (workdir / "serving/sentiment/1/saved_model.pb").is_file()


def test_no_better_than_the_linear_baseline_ends_with_4(fresh, data, workdir):
    linear = run_json(workdir)["baseline"]["linear"]["accuracy"]
    lead = 1.0 - linear + 0.01  # no model can have it
    config = small_config(None, LABELS, f"evaluate.beat_baseline_by={lead}")
    with pytest.raises(NotBlessed, match=r"linear baseline.*beat_baseline_by") as refusal:
        run_pipeline(config, str(data), workdir)
    assert refusal.value.exit_code == 4
    assert "\n" not in str(refusal.value)
    record = run_json(workdir)
    assert record["status"] == "not_blessed"
    assert record["pushed_version"] is None
    assert [path.name for path in (workdir / "serving/sentiment").iterdir()] == ["1"]
    states = {step["id"]: step["state"] for step in record["steps"]}
    assert states["LinearBaseline"] == "cached"
    assert states["Trainer"] == "cached"
    evaluator = record["steps"][-1]
    assert (evaluator["id"], evaluator["state"]) == ("Evaluator", "run")
    assert f"beat_baseline_by: None -> {lead}" in evaluator["why"]


def test_both_the_evaluation_and_the_serving_check_are_told_of(fresh, data, workdir):
    linear = run_json(workdir)["baseline"]["linear"]["accuracy"]
    bounds = (f"evaluate.beat_baseline_by={1.0 - linear + 0.02}", "serve_check.p99_ms=0.01")
    with pytest.raises(NotBlessed) as refusal:
        run_pipeline(small_config(None, LABELS, *bounds), str(data), workdir)
    assert "linear baseline" in str(refusal.value) and "serving check" in str(refusal.value)
    record = run_json(workdir)
    assert (record["status"], record["blessed"]) == ("not_blessed", False)
    assert record["metrics"]["accuracy"] == fresh.metrics["accuracy"]
    assert record["serve_check"]["p99_ms"] > 0.01
    states = {step["id"]: step["state"] for step in record["steps"]}
    assert "Pusher" not in states and "failed" not in states.values()
    assert (states["ServeCheck"], states["Evaluator"]) == ("run", "run")


def test_changed_seed_trains_again_and_compares_with_the_blessed_model(
    fresh,
    data,
    workdir,
):
    record = run_pipeline(small_config(None, LABELS, "train.seed=2"), str(data), workdir)
    assert nodes_run(record) == AFTER_TRANSFORM
    trainer = next(step for step in record.steps if step.id == "Trainer")
    assert "train.seed: " in trainer.why
    assert record.baseline["latest_blessed"]["accuracy"] == fresh.metrics["accuracy"]
    assert record.pushed_version == 2


def test_changed_code_of_a_step_runs_it_and_those_after_it(fresh, data, workdir, monkeypatch):
    from pipeline import definition

    original = definition.code_fingerprint
    monkeypatch.setattr(
        definition,
        "code_fingerprint",
        lambda module: "changed" if module == "components.transform" else original(module),
    )
    record = run_pipeline(small_config(None, LABELS, "train.seed=2"), str(data), workdir)
    assert nodes_run(record) == ["Transform", *AFTER_TRANSFORM]
    assert next(s for s in record.steps if s.id == "Transform").why == "code changed"


def test_changed_data_runs_everything_but_the_schema(fresh, data, workdir, config):
    with (data / "train.tsv").open("a") as file:
        file.write("positive\tWhat a joy from beginning to end!\n")
    record = run_pipeline(config, str(data), workdir)
    assert nodes_run(record) == [node for node in NODES if node != "SchemaImporter"]
    assert record.steps[1].why == "data changed"
    assert record.rows["read"] == 451
