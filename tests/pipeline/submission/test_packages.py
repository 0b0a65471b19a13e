"""`sentiflow submit --pipeline`: batch and drift beside the training."""

import json

import pytest

CRON = ("--cron", "0 6 * * *")


def test_each_package_is_a_pipeline_of_its_own(submit, server):
    for package in ("train", "batch", "drift"):
        assert submit("--pipeline", package).code == 0
    names = [pipeline["display_name"] for pipeline in server.pipelines]
    assert names == ["sentiflow", "sentiflow-batch", "sentiflow-drift"]
    assert [e["display_name"] for e in server.experiments] == ["sentiflow"]
    assert [run["display_name"].split()[0] for run in server.runs] == names


def test_a_schedule_of_drift_leaves_that_of_training(submit, server):
    submit(*CRON)
    result = submit("--pipeline", "drift", *CRON, "--json")
    assert json.loads(result.out)["recurring_run"]["replaced"] == []
    assert [run["display_name"] for run in server.recurring_runs] == [
        "sentiflow", "sentiflow-drift"
    ]  # fmt: skip


def test_run_parameters(submit, server):
    given = ("epochs=3", "overrides=", "data_path=/sentiflow/a=b")
    options = [option for item in given for option in ("--parameter", item)]
    assert submit("--pipeline", "drift", *options, data=False).code == 0
    assert server.runs[0]["runtime_config"]["parameters"] == {
        "epochs": 3, "overrides": "", "data_path": "/sentiflow/a=b"
    }  # fmt: skip


def test_a_parameter_that_the_package_lacks_is_refused(submit):
    result = submit("--parameter", "epoch=3")
    assert (result.code, "Unrecognized input parameter: epoch" in result.err) == (2, True)


@pytest.mark.parametrize("item", ["retrain", "=3", "a={", ""])
def test_what_is_no_parameter_is_refused(submit, server, item):
    result = submit("--parameter", item)
    assert result.code == 2
    assert f"--parameter {item}: " in result.err
    assert not server.runs


def test_training_needs_data_and_the_others_do_not(submit):
    assert "no data" in submit(data=False).err
    assert submit("--parameter", "data_path=/d", data=False).code == 0
    assert submit("--pipeline", "batch", data=False).code == 0
