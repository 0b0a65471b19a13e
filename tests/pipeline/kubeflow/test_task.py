"""A task's arguments, and how its process ends."""

import subprocess
import sys

import pytest

from components.errors import UsageError
from pipeline.kubeflow.task import _parse
from tests.pipeline.kubeflow.task_arguments import CONFIG, arguments


def task(tmp_path, **given):
    return _parse(arguments(tmp_path, **given))


def test_without_parameters_the_configuration_is_the_packages(tmp_path):
    parsed = task(tmp_path)
    assert parsed.config_of_run() == CONFIG
    assert (parsed.node, parsed.nodes, parsed.run_id) == ("Trainer", ("Trainer", "Pusher"), "r1")
    assert parsed.outputs == {"artifacts": str(tmp_path / "artifacts")}


def test_the_runs_parameters_win(tmp_path):
    config = task(
        tmp_path,
        data_path="/data/more films: 2026",
        epochs=3,
        overrides="train.seed=7 'data.labels=[bad, good]' evaluate.min_accuracy=0.8",
    ).config_of_run()
    assert config.data.path == "/data/more films: 2026"
    assert config.train.max_epochs == 3 and config.train.seed == 7
    assert config.data.labels == ("bad", "good")
    assert config.evaluate.min_accuracy == 0.8
    assert config.kubeflow == CONFIG.kubeflow


def test_overrides_win_over_the_packages_default_path(tmp_path):
    given = task(tmp_path, data_path="/data/films", overrides="data.path=/data/new.csv")
    assert given.config_of_run().data.path == "/data/new.csv"


@pytest.mark.parametrize(
    "overrides, message",
    [
        ("train.sede=7", "train.sede: unknown key"),
        ("train.seed", "expected KEY=VALUE"),
        ("kubeflow.root=/elsewhere", "fixed in the package"),
        ("name=other", "fixed in the package"),
        ("data.labels='[a", "overrides: No closing quotation"),
    ],
)
def test_overrides_that_are_refused(tmp_path, overrides, message):
    with pytest.raises(UsageError, match=message):
        task(tmp_path, overrides=overrides).config_of_run()


def run(tmp_path, **given):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.kubeflow.task", *arguments(tmp_path, **given)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cause_is_the_last_line_and_the_exit_code_its_own(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith("sentiflow: metadata database: SENTIFLOW_METADATA_HOST, ")
    assert "Traceback" not in result.stderr


def test_an_image_with_other_code_is_refused(tmp_path):
    """Its cache keys would be those of the code that the package was compiled with."""
    result = run(tmp_path, code="0123456789abcdef")
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("sentiflow: the package was compiled with code 0123456789abcdef, this ")
