"""Vectors of words' pieces, from a static embedding model of a few tokens."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from components.errors import DataRefused, UsageError
from components.settings import VectorsSettings
from components.word_vectors.subwords import SubwordFiles, find_subwords, subword_vectors

TOKENS = {"un": 0, "kind": 1, "ly": 2}
MATRIX = np.array([[2, 0, 9], [0, 4, 9], [4, 2, 9]], np.float16)
TOKENIZER = {
    "version": "1.0",
    "truncation": {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": None,
    "post_processor": None,
    "decoder": None,
    "model": {
        "type": "WordPiece",
        "unk_token": "un",
        "continuing_subword_prefix": "",
        "max_input_chars_per_word": 100,
        "vocab": TOKENS,
    },
}


@pytest.fixture
def model(tmp_path):
    """model(matrices): the folder of a model."""

    def model(**matrices):
        (tmp_path / "model.safetensors").write_bytes(save(matrices))
        (tmp_path / "tokenizer.json").write_text(json.dumps(TOKENIZER))
        return tmp_path

    return model


def found(folder):
    return find_subwords(VectorsSettings(subwords=f"{folder}/"))


def test_a_word_is_the_mean_of_its_pieces(model):
    files = found(model(embedding=MATRIX))
    vectors = subword_vectors(files, ["unkindly", "kind", "", "ununly"], 2)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[[0, 1, 3]], [[2, 2], [0, 4], [8 / 3, 2 / 3]], rtol=1e-6)
    assert np.isnan(vectors[2]).all()


def test_no_words_and_words_of_no_pieces(model):
    files = found(model(embedding=MATRIX))
    assert subword_vectors(files, [], 3).shape == (0, 3)
    assert np.isnan(subword_vectors(files, ["", ""], 3)).all()


def test_more_numbers_than_there_are(model):
    with pytest.raises(UsageError, match="vectors of 3 numbers, vectors.subword_dim is 4: set it"):
        subword_vectors(found(model(embedding=MATRIX)), ["kind"], 4)


@pytest.mark.parametrize(
    ("matrices", "message"),
    [
        ({}, "expected one matrix of floats, got nothing"),
        ({"a": MATRIX, "b": MATRIX}, r"got float16 \[3, 3\], float16 \[3, 3\]"),
        ({"a": np.array([1.0, 2.0])}, r"got float64 \[2\]"),
        ({"a": np.array([[1, 2]])}, r"got int64 \[1, 2\]"),
        ({"a": MATRIX * np.float16(np.nan)}, "expected finite numbers"),
        ({"a": MATRIX[:2]}, r"expected ids below the 2 rows of .*, got 2: take the tokenizer"),
    ],
)
def test_matrix_that_does_not_fit(model, matrices, message):
    with pytest.raises(DataRefused, match=message):
        subword_vectors(found(model(**matrices)), ["unkindly"], 2)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b'\x08\0\0\0\0\0\0\0{"a": 1}', b"\xff" * 64])
def test_broken_files_are_named(model, name, content):
    folder = model(embedding=MATRIX)
    (folder / name).write_bytes(content)
    with pytest.raises(DataRefused, match=f"{name}: expected"):
        subword_vectors(found(folder), ["kind"], 2)


@pytest.mark.parametrize(
    "changed",
    [
        {
            "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
        },  # the library panics
        {"model": {**TOKENIZER["model"], "unk_token": "gone"}},  # found when a word is cut only
    ],
    ids=["panic", "no unknown token"],
)
def test_what_the_tokenizer_cannot_do_is_refused(model, changed):
    folder = model(embedding=MATRIX)
    (folder / "tokenizer.json").write_text(json.dumps({**TOKENIZER, **changed}))
    with pytest.raises(DataRefused, match=r"tokenizer\.json: expected .* tokenizer \("):
        subword_vectors(found(folder), ["xyz"], 2)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("model")
    files = SubwordFiles(str(folder / "model.safetensors"), str(folder / "tokenizer.json"))
    for path in files:
        (folder / path).write_bytes(content)
    with pytest.raises(DataRefused, match="model.safetensors: expected"):
        subword_vectors(files, ["kind"], 2)


def test_folder_without_a_model(tmp_path):
    with pytest.raises(
        UsageError, match=r"one \.safetensors and one tokenizer\.json, found neither"
    ):
        found(tmp_path)
    with pytest.raises(UsageError, match=r"gone/: no such folder \(vectors\.subwords\)"):
        found(tmp_path / "gone")


def test_which_of_several_files_is_the_tokenizer(model):
    folder = model(embedding=MATRIX)
    (folder / "tokenizer_config.json").write_text("{}")
    assert found(folder).tokenizer == f"{folder}/tokenizer.json"
    (folder / "more.safetensors").touch()
    with pytest.raises(UsageError, match="found model.safetensors, more.safetensors, tokenizer"):
        found(folder)


def test_package_that_is_not_installed():
    told = r"no Python package gone is installed \(vectors.subwords; a folder's name has a /\)"
    with pytest.raises(UsageError, match=told):
        find_subwords(VectorsSettings(subwords="gone"))


def test_a_type_that_numpy_lacks_is_named(model):
    folder = model(embedding=MATRIX)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes().replace(b'"F16"', b'"BF16"').replace(b"  ", b" ", 1))
    with pytest.raises(DataRefused, match="expected floats of 16, 32 or 64 bits, got 'BF16'"):
        subword_vectors(found(folder), ["kind"], 2)


def test_the_default_sub_words_tell_good_from_bad():
    words = ["good", "excellent", "terrible", "awful"]
    vectors = subword_vectors(find_subwords(VectorsSettings()), words, 64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > max(likeness[0, 2], likeness[0, 3]) + 0.1
    assert likeness[2, 3] > max(likeness[0, 2], likeness[0, 3]) + 0.1
