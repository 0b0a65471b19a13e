"""`sentiflow submit`: upload, run, experiment, recurring run."""

import json
import re

import yaml


def body(request) -> dict:
    return json.loads(request.body)


def test_a_first_submission_creates_pipeline_version_experiment_and_run(submit, server):
    result = submit()

    assert result.code == 0
    assert [pipeline["display_name"] for pipeline in server.pipelines] == ["sentiflow"]
    (version,) = server.versions
    assert re.fullmatch(r"sentiflow-\d{8}-\d{6}-[0-9a-f]{12}", version["name"])
    assert [experiment["display_name"] for experiment in server.experiments] == ["sentiflow"]
    (run,) = server.runs
    assert run["experiment_id"] == server.experiments[0]["experiment_id"]
    assert run["runtime_config"] == {"parameters": {"data_path": "/sentiflow/data.tsv"}}
    assert "service_account" not in run
    assert re.fullmatch(r"sentiflow 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", run["display_name"])
    assert result.out.splitlines() == [
        f"pipeline   sentiflow ({version['pipeline_id']})",
        f"version    {version['name']} (new)",
        "experiment sentiflow",
        f"run        {run['run_id']}",
        f"           {server.url}/#/runs/details/{run['run_id']}",
    ]


def test_what_arrives_is_the_package_with_caching_off(submit, server, package):
    submit()

    spec, platform = list(yaml.safe_load_all(package))
    arrived = server.versions[0]["pipeline_spec"]
    assert arrived["pipeline_spec"]["root"]["dag"]["tasks"].keys() == {"exit-handler-1", "report"}
    assert arrived["pipeline_spec"]["deploymentSpec"] == spec["deploymentSpec"]
    assert arrived["platform_spec"] == platform
    assert "enableCache" not in str(arrived["pipeline_spec"])


def test_the_same_package_is_not_uploaded_twice(submit, server):
    first = submit()
    second = submit()

    assert first.code == second.code == 0
    assert len(server.versions) == 1
    assert len(server.calls("POST", "/apis/v2beta1/pipelines/upload_version")) == 1
    assert f"version    {server.versions[0]['name']} (there already)" in second.out
    used = [run["pipeline_version_reference"]["pipeline_version_id"] for run in server.runs]
    assert used == [server.versions[0]["pipeline_version_id"]] * 2


def test_another_configuration_is_another_version(submit, server):
    submit()
    submit("--set", "train.seed=2")

    assert len(server.pipelines) == 1
    assert len(server.experiments) == 1
    first, second = (version["name"].rpartition("-")[2] for version in server.versions)
    assert first != second
    assert (
        server.runs[1]["pipeline_version_reference"]["pipeline_version_id"]
        == (server.versions[1]["pipeline_version_id"])
    )


def test_a_known_version_is_found_beyond_the_first_page(submit, server, monkeypatch):
    monkeypatch.setattr("pipeline.submission.api.PAGE_SIZE", 2)
    for seed in range(5):
        submit("--set", f"train.seed={seed + 1}")
    again = submit("--set", "train.seed=5")

    assert "(there already)" in again.out
    assert len(server.versions) == 5


def test_the_configured_name_names_pipeline_and_experiment(submit, server):
    submit("--set", "name=reviews")

    assert server.pipelines[0]["display_name"] == "reviews"
    assert server.experiments[0]["display_name"] == "reviews"
    assert server.versions[0]["name"].startswith("reviews-")


def test_the_configured_data_needs_no_parameter(submit, server):
    result = submit("--set", "data.path=/sentiflow/other.tsv", data=False)

    assert result.code == 0
    assert server.runs[0]["runtime_config"] == {"parameters": {}}


def test_experiment_namespace_and_service_account(submit, server):
    server.experiments.append({"experiment_id": "e7", "display_name": "nightly"})

    result = submit(
        "--experiment", "nightly", "--namespace", "team", "--service-account", "trainer"
    )

    assert result.code == 0
    assert server.runs[0]["experiment_id"] == "e7"
    assert server.runs[0]["service_account"] == "trainer"
    assert server.pipelines[0]["namespace"] == "team"
    (listing,) = server.calls("GET", "/apis/v2beta1/experiments")
    assert "namespace=team" in listing.path
    assert server.calls("POST", "/apis/v2beta1/experiments") == []


def test_a_created_experiment_is_in_the_namespace(submit, server):
    submit("--namespace", "team")

    assert server.experiments[0]["namespace"] == "team"


def test_json(submit, server):
    result = submit("--json")

    run_id = server.runs[0]["run_id"]
    assert json.loads(result.out) == {
        "pipeline": {"name": "sentiflow", "id": server.pipelines[0]["pipeline_id"]},
        "version": {
            "name": server.versions[0]["name"],
            "id": server.versions[0]["pipeline_version_id"],
            "uploaded": True,
        },
        "experiment": "sentiflow",
        "run": {"id": run_id, "url": f"{server.url}/#/runs/details/{run_id}"},
    }


def test_a_recurring_run_is_created(submit, server):
    result = submit("--cron", "10 3 * * *", "--service-account", "trainer")

    assert result.code == 0
    assert server.runs == []
    (recurring,) = server.recurring_runs
    assert recurring["display_name"] == "sentiflow"
    assert recurring["trigger"] == {"cron_schedule": {"cron": "0 10 3 * * *"}}
    assert recurring["mode"] == "ENABLE"
    assert recurring["no_catchup"] is True
    assert recurring["max_concurrency"] == "1"
    assert recurring["service_account"] == "trainer"
    assert recurring["runtime_config"] == {"parameters": {"data_path": "/sentiflow/data.tsv"}}
    assert result.out.splitlines()[3:] == [
        f"recurring  {recurring['recurring_run_id']}",
        f"           {server.url}/#/recurringrun/details/{recurring['recurring_run_id']}",
        "cron       0 10 3 * * *",
    ]


def test_a_recurring_run_is_replaced_after_the_new_one_stands(submit, server):
    submit("--cron", "10 3 * * *")
    old = server.recurring_runs[0]["recurring_run_id"]
    server.recurring_runs.append(
        {"recurring_run_id": "r9", "display_name": "other", "experiment_id": "experiment-3"}
    )
    server.experiments.append({"experiment_id": "e9", "display_name": "elsewhere"})
    server.recurring_runs.append(
        {"recurring_run_id": "r8", "display_name": "sentiflow", "experiment_id": "e9"}
    )
    server.requests.clear()

    result = submit("--cron", "0 4 * * *", "--json")

    assert result.code == 0
    new = json.loads(result.out)["recurring_run"]
    assert new["replaced"] == [old]
    left = [recurring["recurring_run_id"] for recurring in server.recurring_runs]
    assert left == ["r9", "r8", new["id"]]
    changes = [
        (request.method, request.path.rpartition("/")[2])
        for request in server.requests
        if "recurringruns" in request.path and request.method != "GET"
    ]
    assert changes == [("POST", "recurringruns"), ("DELETE", old)]


def test_a_refused_new_recurring_run_leaves_the_old_one(submit, server):
    submit("--cron", "10 3 * * *")
    old = list(server.recurring_runs)
    listing = json.dumps({"recurringRuns": old})
    server.answers["/apis/v2beta1/recurringruns"] = (500, listing)

    result = submit("--cron", "0 4 * * *")

    assert result.code == 1
    assert server.recurring_runs == old


def test_an_old_recurring_run_that_stays_is_named(submit, server):
    submit("--cron", "10 3 * * *")
    old = server.recurring_runs[0]["recurring_run_id"]
    message = json.dumps({"message": "the database is locked"})
    server.answers[f"/apis/v2beta1/recurringruns/{old}"] = (500, message)

    result = submit("--cron", "0 4 * * *")

    assert result.code == 1
    new = server.recurring_runs[1]["recurring_run_id"]
    assert f"the new recurring run {new} is enabled, but the old one {old} is still" in result.err
    assert f"{server.url}/#/recurringrun/details/{old}" in result.err
    assert "the database is locked" in result.err


def test_a_bad_cron_expression_uploads_nothing(submit, server):
    result = submit("--cron", "61 3 * * *")

    assert result.code == 2
    assert "minute '61': expected 0 to 59" in result.err
    assert server.requests == []


def test_an_unknown_experiment_uploads_nothing(submit, server):
    result = submit("--experiment", "nightyl", "--namespace", "team")

    assert result.code == 2
    assert result.err == (
        f"sentiflow: --experiment nightyl: no such experiment in namespace team at {server.url};"
        " create it there, or leave the option out\n"
    )
    assert [request.method for request in server.requests] == ["GET", "GET"]
