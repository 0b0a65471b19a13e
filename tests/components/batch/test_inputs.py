"""Files, folders and globs."""

from pathlib import Path

import pytest

from components.batch.inputs import find_inputs
from components.errors import UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.jsonl.gz", "x/a.csv", "x/notes.txt", "y/z/a.csv", ".hidden.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "folder.csv").mkdir()
    return tmp_path


def names(*patterns: object) -> list[str]:
    return [file.name for file in find_inputs([str(pattern) for pattern in patterns])]


def test_a_folder_is_the_data_files_directly_in_it(data: Path) -> None:
    assert names(data) == names(f"{data}/") == ["a.jsonl.gz", "b.csv"]
    assert [file.path for file in find_inputs([str(data / "x")])] == [str(data / "x" / "a.csv")]


def test_globs_name_files_by_their_path_below_the_fixed_part(data: Path) -> None:
    assert names(data / "*" / "*.csv") == ["x/a.csv"]
    assert names(data / "**" / "a.csv") == ["x/a.csv", "y/z/a.csv"]
    assert names(data / "x" / "*") == ["a.csv"]


def test_relative_globs(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    assert names("*.csv") == ["b.csv"]
    assert names("*/../b.csv") == ["b.csv"]
    monkeypatch.chdir(data / "y")
    assert names("*/../../b.csv") == ["b.csv"]  # not ../b.csv: outputs stay in their folder


def test_a_file_given_twice_counts_once(data: Path) -> None:
    assert names(data / "b.csv", data / "x" / ".." / "b.csv", data) == ["b.csv", "a.jsonl.gz"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(data: Path) -> None:
    (data / "day[1].csv").touch()
    assert names(data / "day[1].csv") == ["day[1].csv"]


def test_two_files_of_one_name(data: Path) -> None:
    with pytest.raises(UsageError, match=r"x/a.csv and .*y/z/a.csv would both be written as a.csv"):
        names(data / "x", data / "y" / "z" / "a.csv")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("none.csv", "none.csv: expected a data file, a folder or a glob; nothing there"),
        ("x/notes.txt", "notes.txt: expected a file that ends in .csv"),
        ("y", "y: expected files that end in .csv, .*, found none"),
        ("*.tsv", r"\*.tsv: expected files that end in .csv, .*, found none"),
    ],
)
def test_no_input(data: Path, pattern: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        names(data / pattern)
