"""The entry point: every failure that can be foreseen is one line and an exit code."""

import errno
import os

import pytest

from pipeline import cli


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
