"""Executors in processes of their own: what they give back, say and raise, how they are stopped."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from components.errors import DataRefused, UsageError
from pipeline.sole_use import sole_use
from pipeline.workers.pool import LOGGED, WorkerDied, Workers
from tests.pipeline.workers.job import job, silent

SECONDS = 120  # imports included, on a busy machine


@pytest.fixture(scope="module")
def workers():
    workers = Workers()
    workers.prepare(["json", "no_such_module", "tests.pipeline.workers.jobs"])
    yield workers
    workers.close()


def wait_for(condition, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "out of time"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def test_what_is_said_arrives_and_the_rest_is_logged(workers, tmp_path):
    said = []
    output = workers.run(job("tell", tmp_path), lambda level, text: said.append((level, text)))
    assert output.execution_result.code == 0
    assert said == [(20, "epoch 1"), (30, "slow")]
    log = (tmp_path / "log").read_text()
    for line in ("I tensorflow: chatter", "W components.trainer: slow"):
        assert line in log
    assert {"printed", "from native code"} <= set(log.splitlines())


@pytest.mark.parametrize(
    ("step", "seen"), [("Evaluator", "-1"), ("Trainer", "0,1"), ("Tuner", "0,1")]
)
def test_only_training_sees_a_gpu(step, seen, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with contextlib.closing(Workers()) as workers:
        workers.run(dataclasses.replace(job("see", tmp_path), step=step), silent)
    assert (tmp_path / "file").read_text() == seen


def test_what_is_printed_is_in_the_log_as_soon_as_the_job_is_done(tmp_path, monkeypatch):
    """Whoever has the outcome takes the log away."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    with contextlib.closing(Workers()) as workers:
        for _ in range(5):
            workers.run(job("tell", tmp_path), lambda level, text: None)
            assert "printed" in (tmp_path / "log").read_text().splitlines()
            (tmp_path / "log").unlink()


def test_tensorflow_works_in_several_processes_at_a_time(workers, tmp_path):
    def compute(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        workers.run(job("compute", folder), silent)

    threads = [threading.Thread(target=compute, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / str(n) / "file").read_text() for n in range(3)] == ["10"] * 3


def test_each_job_has_a_process_of_its_own(workers, tmp_path):
    seen = []
    for _ in range(2):
        workers.run(job("name_itself", tmp_path), silent)
        seen.append((tmp_path / "file").read_text())
    assert len({*seen, str(os.getpid())}) == 3


def test_a_refusal_is_raised_as_it_is(workers, tmp_path):
    with pytest.raises(DataRefused) as refusal:
        workers.run(job("refuse", tmp_path), silent)
    assert str(refusal.value) == "nothing to read"
    assert refusal.value.__notes__ == [LOGGED]
    assert "DataRefused: nothing to read" in (tmp_path / "log").read_text()


def test_an_error_that_cannot_be_sent_is_told_in_words(workers, tmp_path):
    with pytest.raises(RuntimeError) as failure:
        workers.run(job("fail", tmp_path), silent)
    assert str(failure.value) == "Unpicklable: one and two"
    assert 'raise Unpicklable("one", "two")' in (tmp_path / "log").read_text()


@pytest.mark.parametrize("task", ["end_of_file", "reset"])
def test_an_error_of_a_connection_is_the_executors_own(workers, tmp_path, task):
    with pytest.raises((EOFError, ConnectionResetError), match="in the middle"):
        workers.run(job(task, tmp_path), silent)


def test_a_killed_process_is_told_and_the_next_job_runs(workers, tmp_path):
    with pytest.raises(WorkerDied, match="killed or crashed: is there too little memory"):
        workers.run(job("die", tmp_path), silent)
    workers.run(job("compute", tmp_path), silent)
    assert (tmp_path / "file").read_text() == "10"


def test_stop_lets_a_job_tidy_up_and_leaves_no_process(tmp_path):
    workers, errors = Workers(), []

    def run():
        try:
            workers.run(job("hang", tmp_path), silent)
        except WorkerDied as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for((tmp_path / "file").exists)
    wait_for(lambda: (tmp_path / "file").read_text())
    pid = int((tmp_path / "file").read_text())
    workers.close()
    thread.join(10)
    assert len(errors) == 1
    wait_for(lambda: not alive(pid), seconds=10)
    assert not (tmp_path / "file").exists(), "its finally was run"
    with pytest.raises(WorkerDied, match="the process that starts the steps ended"):
        workers.run(job("compute", tmp_path), silent)


def in_use(folder):
    try:
        with sole_use(folder):
            return False
    except UsageError:
        return True


def test_the_lock_is_free_when_the_last_job_is_done(tmp_path):
    with sole_use(tmp_path) as lock, contextlib.closing(Workers(lock)) as workers:
        workers.run(job("compute", tmp_path), silent)
    for _ in range(100):
        assert not in_use(tmp_path)


SCRIPT = """
import sys
from pathlib import Path
from pipeline.sole_use import sole_use
from pipeline.workers.pool import Workers
from tests.pipeline.workers.job import job, silent
folder = Path(sys.argv[1])
with sole_use(folder) as lock:
    Workers(lock).run(job("hang", folder), silent)
"""


def test_jobs_end_with_a_run_that_is_killed(tmp_path):
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)])
    wait_for((tmp_path / "file").exists)
    wait_for(lambda: (tmp_path / "file").read_text())
    pid = int((tmp_path / "file").read_text())
    assert in_use(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert in_use(tmp_path), "the job could still write"
    os.kill(pid, signal.SIGCONT)
    wait_for(lambda: not alive(pid), seconds=20)
    assert not (tmp_path / "file").exists()
    wait_for(lambda: not in_use(tmp_path), seconds=20)
