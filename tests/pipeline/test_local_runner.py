"""How a run ends, with steps that are made up: what is raised, recorded, logged and shown."""

import json
import logging

import pytest
from click.testing import CliRunner

from components.errors import DataRefused, SentiflowError, UsageError
from pipeline import local_runner
from pipeline.cli import cli, main
from pipeline.config import load_config
from pipeline.excerpt import STEP_BEGINS
from pipeline.record import Step


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a pipeline whose only step does what it is given."""

    def run(step):
        class Steps:
            def __init__(self, config, data_path, workdir, record, progress, workers, log):
                self._record, self._progress = record, progress

            def run(self):
                logging.getLogger().info(STEP_BEGINS, "Trainer")
                self._progress.plan(["Trainer"])
                self._progress.start("Trainer")
                try:
                    step()
                except BaseException as error:
                    self._record.steps.append(Step("Trainer", "failed", 1.0, str(error)))
                    raise

        monkeypatch.setattr("pipeline.steps.Steps", Steps)
        return local_runner.run_pipeline(load_config(), "data.tsv", tmp_path, shown=False)

    return run


def status(workdir):
    return json.loads((workdir / "run.json").read_text())["status"]


def broken():
    logging.getLogger("tensorflow").error("no memory left on device 0")
    raise ValueError("one\ntwo")


def interrupted_within():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise ImportError("initialization of a module failed") from None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("vectors.path=none.txt", "none.txt: no such file"),
        ("vectors.package=no_such_package", "no Python package no_such_package is installed"),
        ("vectors.subwords=./none", "./none: no such folder"),
    ],
)
def test_word_vectors_that_are_not_there_are_missed_before_the_first_step(
    tmp_path, override, message
):
    config = load_config(None, (override,))
    with pytest.raises(UsageError, match=message):
        local_runner.run_pipeline(config, "data.tsv", tmp_path / "work", shown=False)
    assert not (tmp_path / "work").exists()


def test_a_page_that_fails_does_not_change_how_the_run_ends(run, tmp_path, monkeypatch):
    def no_page(record):
        raise OSError("no space left")

    monkeypatch.setattr("pipeline.report.page.run_page", no_page)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text("of the run before")
    run(lambda: None)
    assert status(tmp_path) == "succeeded"
    assert not (tmp_path / "report" / "index.html").exists()
    (log,) = (tmp_path / "logs").iterdir()
    assert "the run's page could not be written: no space left" in log.read_text()


def test_a_broken_step_is_told_with_the_log_and_its_part_that_tells_why(run, tmp_path):
    with pytest.raises(local_runner.StepFailed) as failure:
        run(broken)
    (log,) = (tmp_path / "logs").iterdir()
    assert str(failure.value) == f"Trainer failed: ValueError: one two (log: {log})"
    errors, *traceback = failure.value.log_lines
    assert errors.endswith("E tensorflow: no memory left on device 0")
    assert '    raise ValueError("one\\ntwo")' in traceback
    assert status(tmp_path) == "failed"


def test_an_error_of_our_own_names_the_log_too(run, tmp_path):
    def diverge():
        logging.getLogger("components.fitting").info("epoch 1/2")
        raise SentiflowError("training diverged")

    with pytest.raises(
        local_runner.StepFailed, match=r"^Trainer failed: training diverged \(log: "
    ):
        run(diverge)


def test_a_refusal_stays_one_line(run, tmp_path):
    def refuse():
        raise DataRefused("nothing to read")

    with pytest.raises(DataRefused, match="^nothing to read$"):
        run(refuse)
    assert status(tmp_path) == "refused"


def test_an_interrupt_is_one_even_if_it_comes_up_as_another_error(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(interrupted_within)
    assert status(tmp_path) == "interrupted"


@pytest.fixture
def failing_command(monkeypatch, tmp_path):
    """The arguments of a run that ends with a broken step."""

    def fail(*arguments, **options):
        raise local_runner.StepFailed("Trainer failed: x (log: f)", ["  line \x1b[2J of the log"])

    monkeypatch.setattr(local_runner, "run_pipeline", fail)
    data = tmp_path / "data.tsv"
    data.touch()
    return ["run", "--data", str(data), "--workdir", str(tmp_path)]


def test_the_part_of_the_log_stands_above_the_cause_on_stderr(failing_command, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sentiflow", *failing_command])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "from the log:",
        "  |   line  [2J of the log",
        "sentiflow: Trainer failed: x (log: f)",
    ]


def test_verbose_has_shown_the_log_already(failing_command):
    result = CliRunner().invoke(cli, [*failing_command, "--verbose"])
    assert isinstance(result.exception, local_runner.StepFailed)
    assert result.output == ""
