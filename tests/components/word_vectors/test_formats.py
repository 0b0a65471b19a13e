"""The readers of word vectors, on literal bytes."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import DataRefused, UsageError
from components.word_vectors.formats import TextReader, open_vectors, read_words
from components.word_vectors.source import VectorFiles

GLOVE = b"the 0.5 -1\n, 2 0.25\ncaf\xc3\xa9 1e-3 3\n"
ENTRIES = [(b"the", [0.5, -1.0]), (b",", [2.0, 0.25]), ("café".encode(), [np.float32(1e-3), 3.0])]
BINARY = b"2 2\n" + b"the " + struct.pack("<2f", 0.5, -1) + b"\nof " + struct.pack("<2f", 2, 0.25)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        GLOVE,
        b"3 2\n" + GLOVE,  # word2vec's header
        b"\xef\xbb\xbf" + GLOVE,
        GLOVE.replace(b"\n", b" \r\n"),  # word2vec ends lines with a space
        GLOVE.rstrip(b"\n"),
        gzip.compress(GLOVE, mtime=0),
        zipped({"vectors.txt": GLOVE}),
        zipped({"glove.6B.2d.txt": GLOVE, "glove.6B.50d.txt": b"the 1\n"}),
    ],
)
def test_text_is_known_by_its_content(read, content):
    assert read("vectors", content, 2) == ENTRIES


def test_word2vec_binary(read):
    assert read("v.bin", BINARY, 2) == [(b"the", [0.5, -1.0]), (b"of", [2.0, 0.25])]
    assert read("v.gz", gzip.compress(BINARY, mtime=0), 2) == read("v.bin", BINARY, 2)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<f2", ">f4"])
def test_npy_with_a_list_of_words(read, order, dtype):
    array = np.array([[0.5, -1, 3], [2, 0.25, 4]], dtype, order=order)
    expected = [(b"the", [0.5, -1.0, 3.0]), (b"of", [2.0, 0.25, 4.0])]
    assert read("v.npy", npy(array), 3, b"the\r\nof\n") == expected


def test_words_from_parquet(tmp_path):
    path = tmp_path / "words.parquet"
    pq.write_table(pa.table({"index": ["the", "café"]}), path)
    assert list(read_words(str(path))) == [b"the", "café".encode()]
    pq.write_table(pa.table({"index": ["the"], "other": [1]}), path)
    with pytest.raises(DataRefused, match=r"words\.parquet: expected one column, found \['index'"):
        list(read_words(str(path)))


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=10
).filter(lambda word: word.strip() == word and not word.isdigit())
rows = st.dictionaries(
    words,
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
    min_size=1,
)


@given(rows=rows, header=st.booleans(), line_end=st.sampled_from(["\n", "\r\n", " \n"]))
@settings(deadline=None, max_examples=60)
def test_any_words_and_numbers_come_back(rows, header, line_end):
    lines = [f"{len(rows)} 3"] * header
    lines += [" ".join([word, *map(repr, values)]) for word, values in rows.items()]
    stream = io.BufferedReader(io.BytesIO((line_end.join(lines) + line_end).encode()))
    reader = TextReader(stream, "v", 3)
    assert {e.word.decode(): reader.parse(e).tolist() for e in reader} == rows


def test_words_with_spaces_are_passed_over_and_counted(tmp_path):
    path = tmp_path / "glove.840B.txt"
    path.write_bytes(b"the 1 2\nat name@domain.com 3 4\n. . . 5 6\nof 7 8\n")
    with open_vectors(VectorFiles(str(path), None), 2) as reader:
        assert [entry.word for entry in reader] == [b"the", b"of"]
        assert reader.words_with_spaces == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"the 1 2\nof 3\nto 5 6\n", "v: line 2: expected a word and 2 numbers, got 'of 3'"),
        (b"the 1 2\n\nto 5 6\n", "v: line 2: expected a word and 2 numbers, got ''"),
        (b"the 1 2\n 3 4\n", "v: line 2: expected a word and 2 numbers, got ' 3 4'"),
        (b"the 1 2\nof 3 x\n", "v: line 2: not a number: could not convert string to float: b'x'"),
        (b"the 1 2\nof 3 nan\n", "v: line 2: expected finite numbers, got nan"),
        (b"the 1 2\nof 3 1e39\n", "v: line 2: expected finite numbers, got inf"),
        (b"the 1 2\nof no 3 4x\n", "v: line 2: not a number"),
        (b"the 1 2\nof " + b"1" * 50_000 + b" 2\n", "v: line 2: expected a word and 2 numbers"),
        (gzip.compress(GLOVE, mtime=0)[:-9], "v: expected a whole .gz, got one that is truncated"),
        (zipped({"v.txt": GLOVE})[:-30], "v: expected a whole .zip, got a broken one"),
        (BINARY[:-1], "v: entry 2: expected 2 words as the header says, the file ends"),
        (BINARY.replace(b"2 2", b"3 2"), "v: entry 3: expected 3 words as the header says"),
        (b"\xff\xfet\x00h\x00e\x00", "v: expected UTF-8, got UTF-16"),
    ],
)
def test_broken_files_are_refused_by_file_and_line(read, content, message):
    with pytest.raises(DataRefused) as refused:
        read("v", content, 2)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [GLOVE, b"3 2\n" + GLOVE, BINARY])
def test_another_dimension_is_a_usage_error(read, content):
    with pytest.raises(UsageError, match="v has vectors of 2 numbers, model.embedding_dim is 50"):
        read("v", content, 50)
    with pytest.raises(UsageError, match="v.npy has vectors of 2 numbers, model.embedding_dim is"):
        read("v.npy", npy(np.zeros([1, 2], np.float32)), 50, b"the\n")


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (npy(np.zeros([2, 2], np.float32)), b"a\n", r"words: expected 2 words, .* found 1"),
        (npy(np.zeros([2, 2], np.float32)), b"a\nb\nc\n", r"words: expected 2 words, .*found more"),
        (npy(np.zeros([2, 2], np.float32))[:-1], b"a\nb\n", "the file ends before row 2"),
        (npy(np.zeros([2, 2], np.int32)), b"a\nb\n", "expected rows of floating-point numbers"),
        (npy(np.zeros([2], np.float32)), b"a\nb\n", r"got an array of shape \(2,\)"),
        (npy(np.full([1, 2], np.nan, "f4")), b"a\n", "row 1: expected finite numbers, got nan"),
        (b"the 1 2\n", b"the\n", "the header of the .npy cannot be read"),
    ],
)
def test_broken_arrays_are_refused(read, content, words, message):
    with pytest.raises(DataRefused, match=message):
        read("v.npy", content, 2, words)


def test_npy_without_words_is_a_usage_error(read):
    with pytest.raises(UsageError, match="a .npy needs its words: vectors.words"):
        read("v.npy", npy(np.zeros([1, 2], np.float32)), 2)


def test_zip_of_several_files_must_say_which_is_meant(read):
    content = zipped({"a.txt": GLOVE, "b.txt": GLOVE})
    with pytest.raises(UsageError, match=r"v\.zip holds a\.txt, b\.txt; expected one file, or one"):
        read("v.zip", content, 2)
