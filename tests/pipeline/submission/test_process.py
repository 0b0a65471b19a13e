"""The command in a process of its own: what really stands on stdout and stderr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# The command with a small package in place of the whole pipeline's.
PROGRAM = """
import pathlib, sys, types
runner = types.ModuleType("pipeline.kubeflow_runner")
package = pathlib.Path(sys.argv.pop()).read_bytes()
runner.compile_package = lambda config, path, which: path.write_bytes(package)
sys.modules["pipeline.kubeflow_runner"] = runner
from pipeline.submission import watch
watch.POLL_SECONDS = 0.01
from pipeline.cli import main
main()
"""


@pytest.fixture
def run(package, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(package, "utf-8")

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "submit", "--data", "/d", *arguments, str(path)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )

    return command


def test_success(run, server):
    done = run("--host", server.url, "--wait")

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].endswith(" run succeeded")
    assert len(done.stdout.splitlines()) == 6


def test_failure(run, server):
    server.script = [{"state": "FAILED", "tasks": {"trainer": "FAILED"}}]

    done = run("--host", server.url, "--wait")

    assert done.returncode == 1
    url = f"{server.url}/#/runs/details/{server.runs[0]['run_id']}"
    assert done.stderr == f"sentiflow: Trainer failed; its log: {url}\n"


def test_a_host_that_refuses(run):
    done = run("--host", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "sentiflow: http://127.0.0.1:1: cannot be reached: [Errno 111] Connection refused\n"
    )


@pytest.mark.e2e
def test_the_real_package_arrives(server, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "submit", "--host", server.url, "--data", "/d"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )

    assert (done.returncode, done.stderr) == (0, "")
    spec = server.versions[0]["pipeline_spec"]["pipeline_spec"]
    assert {"Trainer", "Pusher"} <= {
        task["taskInfo"]["name"]
        for component in spec["components"].values()
        for task in component.get("dag", {}).get("tasks", {}).values()
    }
    assert "enableCache" not in str(spec)
    assert server.runs[0]["runtime_config"] == {"parameters": {"data_path": "/d"}}


def test_help_imports_nothing_heavy():
    program = (
        "import sys; sys.argv[1:] = ['submit', '--help']\n"
        "from pipeline.cli import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'kfp', 'kfp_server_api', 'tensorflow', 'tfx', 'yaml'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert "--cron" in done.stdout
