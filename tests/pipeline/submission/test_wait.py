"""`sentiflow submit --wait`: states while it runs, and how a run ends."""

import re

import pytest

from pipeline.submission import watch

RUNNING = {"state": "RUNNING", "tasks": {"transform": "RUNNING"}}
# As the launcher leaves it: our lines, then its own.
LOG = """\
I1123 12:00:01.000000       1 launcher_v2.go:800] Downloading input artifacts
2026-11-23 12:00:03.1 I tensorflow/core/platform: oneDNN custom operations are on
sentiflow: an earlier warning
sentiflow: {cause}
I1123 12:00:09.000000       1 launcher_v2.go:151] publish success.
F1123 12:00:09.100000       1 main.go:59] failed to execute component: exit status {code}
"""


def argo_node(number: int, name: str, phase: str, message: str | None = None, kind="Pod") -> dict:
    template = "retry-system-container-impl" if kind == "Pod" else "system-container-executor"
    node = {
        "id": f"sentiflow-x7k2p-{number}",
        "name": f"sentiflow-x7k2p.root.{name}",
        "displayName": name.rpartition(".")[2],
        "type": kind,
        "templateName": template,
        "phase": phase,
        "startedAt": "2026-11-23T12:00:00Z",
        "finishedAt": f"2026-11-23T12:00:{number % 60:02d}Z",
    }
    return node | ({"message": message} if message else {})


def manifest(*nodes: dict) -> dict:
    return {
        "metadata": {"name": "sentiflow-x7k2p", "namespace": "kubeflow"},
        "status": {"phase": "Failed", "nodes": {node["id"]: node for node in nodes}},
    }


def fails(server, code: int = 1, cause: str = "the cause", logs: str = "logs") -> None:
    """Makes the server's runs fail in Transform as they do after two tries."""
    server.script = [
        RUNNING,
        {
            "state": "FAILED",
            "tasks": {"root": "FAILED", "transform": "FAILED", "executor": "FAILED"},
        },
    ]
    server.manifest = manifest(
        argo_node(1, "exit-handler-1.transform", "Failed", "child failed", kind="DAG"),
        argo_node(2, "exit-handler-1.transform-driver", "Succeeded"),
        argo_node(3, "exit-handler-1.transform.executor(0)", "Failed", "Error (exit code 1)"),
        argo_node(4, "exit-handler-1.transform.executor(1)", "Failed", "Error (exit code 1)"),
    )
    log = LOG.format(cause=cause, code=code)
    setattr(server, logs, {"sentiflow-x7k2p-retry-system-container-impl-4": log})


def states(out: str) -> list[str]:
    """The lines with a time, without it."""
    return [line[9:] for line in out.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]


def test_each_change_is_shown_once_until_the_run_succeeds(submit, server):
    server.script = [
        {"state": "PENDING"},
        {"state": "RUNNING", "tasks": {"root-driver": "SUCCEEDED", "root": "RUNNING"}},
        {"state": "RUNNING", "tasks": {"transform-driver": "RUNNING", "transform": "PENDING"}},
        {"state": "RUNNING", "tasks": {"transform": "RUNNING", "executor": "RUNNING"}},
        {"state": "RUNNING", "tasks": {"transform": "RUNNING", "executor": "RUNNING"}},
        {"state": "RUNNING", "tasks": {"transform": "SUCCEEDED", "trainer": "RUNNING"}},
        {"state": "SUCCEEDED", "tasks": {"transform": "SUCCEEDED", "trainer": "SUCCEEDED"}},
    ]

    result = submit("--wait")

    assert result.code == 0
    assert states(result.out) == [
        "Transform pending",
        "Transform running",
        "Transform succeeded",
        "Trainer running",
        "Trainer succeeded",
        "run succeeded",
    ]


def test_a_server_may_show_display_names(submit, server):
    server.script = [{"state": "SUCCEEDED", "tasks": {"Transform": "SUCCEEDED"}}]

    assert states(submit("--wait").out) == ["Transform succeeded", "run succeeded"]


def test_with_json_no_states_are_shown(submit, server):
    server.script = [RUNNING, {"state": "SUCCEEDED", "tasks": {"transform": "SUCCEEDED"}}]

    result = submit("--wait", "--json")

    assert result.code == 0
    assert result.out.count("\n") == 1
    assert len(server.calls("GET", f"/apis/v2beta1/runs/{server.runs[0]['run_id']}")) == 2


@pytest.mark.parametrize(("node_code", "code"), [(3, 3), (4, 4), (1, 1), (2, 1), (137, 1)], ids=str)
@pytest.mark.parametrize("logs", ["logs", "ui_logs"])
def test_a_node_that_fails_gives_its_exit_code_and_its_cause(submit, server, node_code, code, logs):
    fails(server, node_code, "rows 12: 8.1 % rejected, the bound is 5 %", logs)

    result = submit("--wait")

    assert result.code == code
    assert states(result.out) == ["Transform running", "Transform failed", "run failed"]
    url = f"{server.url}/#/runs/details/{server.runs[0]['run_id']}"
    assert result.err == (
        f"sentiflow: Transform failed: rows 12: 8.1 % rejected, the bound is 5 % ({url})\n"
    )


def test_without_its_log_argos_message_is_the_cause(submit, server):
    fails(server, 3)
    server.logs.clear()
    server.manifest["status"]["nodes"]["sentiflow-x7k2p-4"]["message"] = "OOMKilled (exit code 137)"

    result = submit("--wait")

    assert result.code == 1
    assert result.err.startswith("sentiflow: Transform failed: OOMKilled (exit code 137) (http://")


def test_a_login_page_in_place_of_a_log_is_no_log(submit, server):
    fails(server, 3)
    (pod,) = server.logs
    server.logs[pod] = "<html>sentiflow: sign in</html>"

    result = submit("--wait")

    assert result.code == 1
    assert "Transform failed: Error (exit code 1) (http://" in result.err


def test_without_the_v1_api_the_failed_node_is_named(submit, server):
    fails(server, 3)
    server.manifest = None

    result = submit("--wait")

    assert result.code == 1
    url = f"{server.url}/#/runs/details/{server.runs[0]['run_id']}"
    assert result.err == f"sentiflow: Transform failed; its log: {url}\n"


@pytest.mark.parametrize("answer", ["<html>", "{}", '{"pipeline_runtime": {}}', "[]", "null"])
def test_garbage_from_the_v1_api_hides_nothing(submit, server, answer):
    fails(server, 3)
    submit()
    run_id = server.runs[0]["run_id"]
    server.answers[f"/apis/v1beta1/runs/{run_id}"] = (200, answer)
    # The second run has the id after the first one's.
    following = f"run-{int(run_id.rpartition('-')[2]) + 1}"
    server.answers[f"/apis/v1beta1/runs/{following}"] = (200, answer)

    result = submit("--wait")

    assert server.runs[1]["run_id"] == following
    assert result.code == 1
    assert result.err.startswith("sentiflow: Transform failed; its log: ")


def test_the_first_of_two_failed_nodes_is_the_cause(submit, server):
    fails(server, 3, "too few rows")
    server.script[1]["tasks"]["trainer"] = "FAILED"
    # The Trainer's first try ended earlier, but it was not its last.
    for number, retry in ((2, 0), (9, 1)):
        name = f"exit-handler-1.trainer.executor({retry})"
        node = argo_node(number, name, "Failed", "Error (exit code 1)")
        server.manifest["status"]["nodes"][name] = node

    result = submit("--wait")

    assert result.code == 3
    assert "Transform failed: too few rows" in result.err


def test_a_node_that_recovers_is_not_the_cause(submit, server):
    server.script = [
        {"state": "FAILED", "tasks": {"transform": "SUCCEEDED", "trainer": "FAILED"}},
    ]
    server.manifest = manifest(
        argo_node(3, "exit-handler-1.transform.executor(0)", "Failed", "Error (exit code 1)"),
        argo_node(4, "exit-handler-1.transform.executor(1)", "Succeeded"),
        argo_node(5, "exit-handler-1.trainer.executor(0)", "Failed", "Error (exit code 1)"),
    )

    result = submit("--wait")

    assert result.code == 1
    assert "Trainer failed: Error (exit code 1)" in result.err


def test_a_failed_driver_is_its_nodes_failure(submit, server):
    server.script = [{"state": "FAILED", "tasks": {"root": "FAILED", "transform-driver": "FAILED"}}]

    result = submit("--wait")

    assert result.code == 1
    assert states(result.out) == ["Transform failed", "run failed"]
    assert result.err.startswith("sentiflow: Transform failed; its log: ")


def test_a_run_that_fails_before_any_node(submit, server):
    server.script = [{"state": "FAILED"}]

    result = submit("--wait")

    assert result.code == 1
    assert result.err.startswith("sentiflow: the run failed before any node; its log: http://")


@pytest.mark.parametrize(
    "script",
    [
        [RUNNING, {"state": "CANCELED"}],
        # A terminated run ends as FAILED, and its history need not tell.
        [RUNNING, {"state": "CANCELING"}, {"state": "FAILED"}],
        [RUNNING, {"state": "FAILED", "history": ["RUNNING", "CANCELING", "FAILED"]}],
    ],
)
def test_a_cancelled_run(submit, server, script):
    server.script = script

    result = submit("--wait")

    assert result.code == 1
    url = f"{server.url}/#/runs/details/{server.runs[0]['run_id']}"
    assert result.err == f"sentiflow: the run was cancelled: {url}\n"


def test_after_the_time_out_the_run_goes_on(submit, server):
    server.script = [RUNNING]

    result = submit("--wait", "--timeout", "0.002")

    assert result.code == 1
    url = f"{server.url}/#/runs/details/{server.runs[0]['run_id']}"
    assert result.err == (
        f"sentiflow: time-out: the run has not ended after 0.002 minutes, it goes on: {url}\n"
    )
    assert all(":terminate" not in request.path for request in server.requests)


def test_a_server_that_restarts_is_waited_for(submit, server):
    trouble = {"state": "TROUBLE"}
    server.script = [RUNNING, trouble, trouble, {"state": "SUCCEEDED"}]

    result = submit("--wait")

    assert result.code == 0
    assert states(result.out) == ["Transform running", "run succeeded"]


def test_a_server_that_does_not_come_back_is_not(submit, server, monkeypatch):
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.05)
    server.script = [RUNNING, {"state": "TROUBLE"}]

    result = submit("--wait")

    assert result.code == 1
    assert "503 upstream connect error" in result.err


def test_a_token_that_expires_ends_the_waiting(submit, server, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("short-lived")
    server.script = [RUNNING]
    server.answers["/apis/v2beta1/runs/run-4"] = (401, '{"message": "token expired"}')

    result = submit("--wait", "--token-file", str(token_file))

    assert server.runs[0]["run_id"] == "run-4"
    assert result.code == 2
    assert f"refuses the token in {token_file}: 401 token expired" in result.err
