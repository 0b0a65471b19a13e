"""The stand-in speaks what kfp's own client speaks."""

import re

import kfp
import kfp_server_api
import pytest

from tests.pipeline.submission.kfp_server import KfpServer


@pytest.fixture
def client(server: KfpServer, tmp_path, monkeypatch) -> kfp.Client:
    monkeypatch.setattr(kfp.Client, "_LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    server.token = "secret"
    return kfp.Client(host=server.url, existing_token="secret")


@pytest.fixture
def package_file(package: str, tmp_path) -> str:
    path = tmp_path / "pipeline.yaml"
    path.write_text(package, "utf-8")
    return str(path)


def test_kfp_client_uploads_runs_and_schedules(client, server, package_file):
    pipeline = client.upload_pipeline(package_file, "sentiflow")
    version = client.upload_pipeline_version(package_file, "second", pipeline_id="pipeline-1")
    experiment = client.create_experiment("nightly")
    run = client.run_pipeline(
        experiment.experiment_id,
        "a run",
        params={"data_path": "/data"},
        pipeline_id=pipeline.pipeline_id,
        version_id=version.pipeline_version_id,
    )
    recurring = client.create_recurring_run(
        experiment.experiment_id,
        "sentiflow",
        cron_expression="0 0 3 * * *",
        pipeline_id=pipeline.pipeline_id,
        version_id=version.pipeline_version_id,
    )

    assert client.get_kfp_healthz().multi_user is False
    assert client.get_pipeline_id("sentiflow") == "pipeline-1"
    assert client.get_experiment(experiment_name="nightly").experiment_id == "experiment-4"
    assert client.wait_for_run_completion(run.run_id, timeout=5).state == "SUCCEEDED"
    listed = client.list_recurring_runs(experiment_id=experiment.experiment_id).recurring_runs
    assert [(r.recurring_run_id, r.status) for r in listed] == [("recurring-6", "ENABLED")]
    client.delete_recurring_run(recurring.recurring_run_id)
    assert server.recurring_runs == []


def test_what_is_no_package_is_refused(client, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("root: {daq: {}}\n")

    with pytest.raises(kfp_server_api.ApiException, match=re.compile("400.*daq", re.DOTALL)):
        client.upload_pipeline(str(bad), "bad")


def test_an_unknown_parameter_is_refused(client, package_file):
    client.upload_pipeline(package_file, "sentiflow")
    client.create_experiment("nightly")

    with pytest.raises(kfp_server_api.ApiException, match="Unrecognized input parameter: lr"):
        client.run_pipeline(
            "experiment-3",
            "run",
            params={"lr": 1},
            pipeline_id="pipeline-1",
            version_id="version-2",
        )
