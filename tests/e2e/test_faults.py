"""A killed run, a workdir in use, the article's model, and exit codes of the real command."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.local_runner import run_pipeline
from tests.e2e.made_up import LABELS, run_json, small_config, write_splits
from tests.pipeline.terminal import CTRL_C, Terminal

pytestmark = pytest.mark.e2e

SENTIFLOW = str(Path(sys.executable).with_name("sentiflow"))


def command(data, workdir, *overrides):
    """`sentiflow run` with the small model, as a list of arguments."""
    from tests.e2e.made_up import SMALL

    sets = [f"data.labels=[{','.join(LABELS)}]", *SMALL, *overrides]
    options = [part for override in sets for part in ("--set", override)]
    return [SENTIFLOW, "run", "--data", str(data), "--workdir", str(workdir), *options]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_splits(tmp_path_factory.mktemp("data") / "films", LABELS)


def wait_for_output(process, text, seconds):
    """Reads the output of a process until a line holds the text."""
    deadline = time.monotonic() + seconds
    for line in process.stdout:
        if text in line:
            return
        assert time.monotonic() < deadline, f"no '{text}' in {seconds} s"
    raise AssertionError(f"the process ended without '{text}'")


def test_killed_and_interrupted_training_goes_on_from_its_last_epoch(data, tmp_path):
    arguments = command(data, tmp_path / "work", "train.max_epochs=60", "train.patience=null")
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for_output(process, "SchemaImporter", seconds=180)

    # Meanwhile nobody else may use the workdir.
    second = subprocess.run(arguments, capture_output=True, text=True)
    assert second.returncode == 2
    assert second.stderr.endswith("another run is using it\n")

    wait_for_output(process, "epoch 2/60", seconds=180)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run_json(tmp_path / "work")["status"] == "running"

    terminal = Terminal(arguments)
    terminal.read_until("/60  loss", seconds=180)
    terminal.type(CTRL_C)
    assert terminal.read_all(seconds=60) == 1
    assert terminal.shown.endswith("sentiflow: interrupted\r\n")
    assert run_json(tmp_path / "work")["status"] == "interrupted"

    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (resumed,) = re.findall(r"resuming after epoch (\d+)", done.stdout)
    trained = [int(number) for number in re.findall(r"epoch (\d+)/60", done.stdout)]
    assert 2 < int(resumed) < 60
    assert trained == list(range(int(resumed) + 1, 61))
    record = run_json(tmp_path / "work")
    states = {step["id"]: step["state"] for step in record["steps"]}
    assert states["Transform"] == "cached"
    assert states["Trainer"] == "run"
    trainer = next(step for step in record["steps"] if step["id"] == "Trainer")
    assert trainer["why"] == "the last try did not finish"
    assert not list((tmp_path / "work/checkpoints").glob("*/*")), "the checkpoint is removed"


def test_article_preset_runs_to_the_end(tmp_path):
    labels = ["negative", "positive"]
    config = small_config("book", labels)
    # small_config makes the model smaller than the article's: take its values back.
    from pipeline.config import load_config

    article = load_config("book")
    config = article.model_copy(update={"serve_check": config.serve_check})
    record = run_pipeline(config, str(write_splits(tmp_path / "films", labels)), tmp_path / "work")
    assert record.status == "succeeded"
    (history,) = (tmp_path / "work/artifacts/Trainer").glob("model_run/*/history.json")
    assert json.loads(history.read_text())[-1]["steps"] == 1000


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["run", "--data", "nowhere.tsv"], 2, "nowhere.tsv: no such file or folder"),
        (["run"], 2, "no data: pass --data PATH"),
        (["run", "--data", "x", "--set", "train.sed=1"], 2, "--set: train.sed: unknown key"),
        (["predict", "--workdir", "empty", "Hello."], 2, "empty"),
    ],
)
def test_user_mistakes_end_in_one_line(tmp_path, arguments, code, line):
    done = subprocess.run(
        [SENTIFLOW, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("sentiflow: ")
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
