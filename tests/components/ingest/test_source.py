"""What a data path means: a file, a folder, a folder of splits."""

import hashlib

import pytest

from components.errors import DataRefused
from components.ingest.source import SourceFile, hash_files, list_source, resolve_path


@pytest.fixture
def folder(tmp_path):
    def folder(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        return str(tmp_path)

    return folder


def test_a_file_is_split_by_hash_whatever_its_name(folder):
    path = folder("train.csv") + "/train.csv"
    assert list_source(path) == ([(path, None)], [])


def test_a_folder_of_files_is_split_by_hash(folder):
    root = folder("b.jsonl", "a.CSV.gz", "README.md", ".hidden.csv", "more/c.csv")
    assert list_source(root) == (
        [(f"{root}/a.CSV.gz", None), (f"{root}/b.jsonl", None)],
        ["README.md", "more/"],
    )


def test_split_files_keep_their_splits_and_others_are_left_aside(folder):
    root = folder("train.tsv", "Train.extra.jsonl", "eval.parquet", "trainer.csv", "eval.md")
    assert list_source(root) == (
        [
            (f"{root}/Train.extra.jsonl", "train"),
            (f"{root}/eval.parquet", "eval"),
            (f"{root}/train.tsv", "train"),
        ],
        ["eval.md", "trainer.csv"],
    )


def test_test_files_are_a_split(folder):
    root = folder("train.csv", "eval.csv", "test.csv.gz")
    assert [split for _, split in list_source(root)[0]] == ["eval", "test", "train"]


@pytest.mark.parametrize(
    "names, message",
    [
        (["train.csv", "a.csv"], "has train.* but no eval.*; give both, or give files of other"),
        (
            ["train.csv", "validation.csv"],
            "has train.* but no eval.*; rename validation.csv to eval.csv, or give files of other "
            "names to have them split",
        ),
        (["train.csv", "Dev.csv.gz"], "but no eval.*; rename Dev.csv.gz to eval.csv.gz, or"),
        (["train.csv", "valid.1.tsv"], "but no eval.*; rename valid.1.tsv to eval.1.tsv, or"),
        (["train.csv", "val.jsonl"], "but no eval.*; rename val.jsonl to eval.jsonl, or"),
        (["train.csv", "validation.md"], "has train.* but no eval.*; give both, or"),
        (["eval.csv", "dev.csv"], "has eval.* but no train.*; give both, or"),
        (["eval.csv"], "has eval.* but no train.*; give both, or"),
        (["test.csv", "a.csv"], "has test.* but no train.* and no eval.*; give both, or"),
        (["README.md", "a.txt"], "expected files that end in .csv, .tsv, .jsonl or .parquet"),
        ([".a.csv"], "the folder is empty"),
    ],
)
def test_folders_that_are_refused(folder, names, message):
    root = folder(*names)
    with pytest.raises(DataRefused) as refusal:
        list_source(root)
    assert str(refusal.value).startswith(root)
    assert message in str(refusal.value)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataRefused, match="the folder is empty"):
        list_source(str(tmp_path))


def test_nothing_there_is_refused(tmp_path):
    with pytest.raises(DataRefused, match="no-such.csv: expected a data file or a folder"):
        list_source(str(tmp_path / "no-such.csv"))


def test_a_file_of_another_kind_is_refused(folder):
    with pytest.raises(DataRefused, match="notes.txt: expected a file that ends in .csv, .tsv"):
        list_source(folder("notes.txt") + "/notes.txt")


def test_files_are_known_by_their_content(folder):
    path = folder("a.csv") + "/a.csv"
    expected = hashlib.sha256(b"x").hexdigest()
    assert hash_files([(path, "eval")]) == [SourceFile(path, "eval", expected)]


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataRefused, match="gone.csv: cannot be read: No such file"):
        hash_files([(str(tmp_path / "gone.csv"), None)])


def test_a_path_without_placeholders_is_itself():
    assert resolve_path("data/{x}/a.csv") == ("data/{x}/a.csv", 0, None)


def test_a_span_of_a_path_without_placeholders_is_refused():
    with pytest.raises(DataRefused, match="data.span is 3, but the data path data/a.csv holds no"):
        resolve_path("data/a.csv", span=3)
