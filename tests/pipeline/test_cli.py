"""The entry point: every failure that can be foreseen is one line and an exit code."""

import errno
import os

import pytest
from click.testing import CliRunner

from pipeline import cli
from pipeline.presets import preset_names


def ended(monkeypatch, capsys, *arguments):
    """Exit code, stdout and stderr of the command."""
    monkeypatch.setattr("sys.argv", ["sentiflow", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code, *capsys.readouterr()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--data", "x" * 300),
        ("config", "--config", "x" * 300),
        ("report", "--compare", "x" * 300, "b"),
    ],
)
def test_a_name_that_is_too_long(monkeypatch, capsys, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, stderr = ended(monkeypatch, capsys, *arguments)
    assert code == 2
    assert "File name too long" in stderr and len(stderr.splitlines()) == 1


def test_a_full_disk(monkeypatch, capsys):
    def full(**options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "work/run.json")

    monkeypatch.setattr(cli.cli, "main", full)
    code, _, stderr = ended(monkeypatch, capsys, "run")
    assert (code, stderr) == (1, "sentiflow: work/run.json: No space left on device\n")


def test_what_a_terminal_would_obey_is_not_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, stderr = ended(monkeypatch, capsys, "run", "--data", "a\x1b[31m\nb.csv")
    assert (code, stderr) == (2, "sentiflow: a [31m b.csv: no such file or folder\n")


def test_without_a_command_the_help_is_shown(monkeypatch, capsys):
    code, _, stderr = ended(monkeypatch, capsys)
    assert code == 2
    assert stderr.startswith("Usage: ") and "predict" in stderr


CONFIGURED = [
    name
    for name, command in cli.cli.commands.items()
    if any(option.name == "config_file" for option in command.params)
]
WITH_WORKDIR = [
    name
    for name, command in cli.cli.commands.items()
    if any(option.name == "workdir" for option in command.params)
]


@pytest.mark.parametrize("command", CONFIGURED)
def test_help_names_the_presets_that_there_are(command):
    result = CliRunner().invoke(cli.cli, [command, "--help"])
    assert f"YAML file or preset ({', '.join(preset_names())})." in " ".join(result.output.split())


def test_preset_names():
    assert preset_names() == ["book", "default", "sst2_phrases"]


@pytest.mark.parametrize("command", WITH_WORKDIR)
def test_an_empty_workdir_is_not_the_current_folder(monkeypatch, capsys, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    arguments = {"batch": ("--input", "a", "--output", "b"), "predict": ("x",)}.get(command, ())
    code, _, stderr = ended(monkeypatch, capsys, command, *arguments, "--workdir", "")
    assert (code, stderr) == (2, "sentiflow: --workdir is empty: expected a folder, as .\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (("a", "b"), "--data was given twice: give a folder with both files"),
        (("",), "--data is empty: expected a file or folder"),
        (("d/*.csv",), "d/*.csv: no such file or folder; give the folder, not a pattern"),
        (("d/?.csv",), "d/?.csv: no such file or folder; give the folder, not a pattern"),
        (("d/a.csv",), "d/a.csv: no such file or folder"),
        ((), "no data: pass --data PATH or set data.path in the configuration"),
    ],
)
def test_data_that_run_cannot_take(monkeypatch, capsys, tmp_path, data, message):
    monkeypatch.chdir(tmp_path)
    arguments = [f"--data={path}" for path in data]
    code, _, stderr = ended(monkeypatch, capsys, "run", *arguments)
    assert (code, stderr) == (2, f"sentiflow: {message}\n")


@pytest.mark.parametrize(
    ("data", "problem"), [(("a", "b"), "was given twice"), (("",), "is empty")]
)
def test_data_that_submit_cannot_take(monkeypatch, capsys, data, problem):
    arguments = [f"--data={path}" for path in data]
    code, _, stderr = ended(monkeypatch, capsys, "submit", *arguments)
    assert code == 2 and stderr.startswith(f"sentiflow: --data {problem}: ")
