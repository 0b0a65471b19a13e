"""Finding the files of word vectors, and their fingerprint."""

import hashlib
import sys

import pytest
from pydantic import ValidationError

from components.errors import UsageError
from components.settings import VectorsSettings
from components.word_vectors.source import find_files, fingerprint


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package `some_vectors` without files; returns its folder."""
    folder = tmp_path / "site/some_vectors"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('never imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield folder
    assert "some_vectors" not in sys.modules


def test_package_with_one_array_and_one_list(package):
    (package / "data/emb.npy").write_bytes(b"a")
    (package / "data/index.parquet").write_bytes(b"b")
    found = find_files(VectorsSettings(package="some_vectors"))
    assert found == (str(package / "data/emb.npy"), str(package / "data/index.parquet"))


def test_package_without_vectors(package):
    with pytest.raises(UsageError, match=r"expected one \.npy and one word list .* found neither"):
        find_files(VectorsSettings(package="some_vectors"))


def test_package_that_is_not_installed():
    with pytest.raises(UsageError, match="no Python package no_such_package is installed"):
        find_files(VectorsSettings(package="no_such_package"))
    with pytest.raises(UsageError, match="no Python package no_such.package is installed"):
        find_files(VectorsSettings(package="no_such.package"))


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.txt: no such file \(vectors\.path\)"):
        find_files(VectorsSettings(path=str(tmp_path / "gone.txt")))


def test_fingerprint_is_of_the_content_of_all_files(tmp_path):
    for name in ("v.npy", "w.txt"):
        (tmp_path / name).write_text(name)
    given = VectorsSettings(path=str(tmp_path / "v.npy"), words=str(tmp_path / "w.txt"))
    assert fingerprint(find_files(given)) == [
        hashlib.sha256(name.encode()).hexdigest() for name in ("v.npy", "w.txt")
    ]


def test_a_path_goes_before_the_package(tmp_path):
    (tmp_path / "v.txt").touch()
    given = VectorsSettings(path=str(tmp_path / "v.txt"))
    assert given.package
    assert find_files(given) == (str(tmp_path / "v.txt"), None)


def test_the_default_vectors_are_installed():
    found = find_files(VectorsSettings())
    assert found.path.endswith(".npy") and found.words.endswith(".parquet")


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": "a"},
        {"package": "b", "words": "a"},
        {"package": "no-dashes"},
        {"path": "a", "extra_words": -1},
        {"path": "a", "fine_tune_after": -1},
    ],
)
def test_settings_that_contradict_each_other(wrong):
    with pytest.raises(ValidationError):
        VectorsSettings(**wrong)
