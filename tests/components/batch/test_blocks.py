"""Cutting files into blocks."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.batch import blocks
from components.batch.blocks import Block, cut, read_reading, read_sentences, write_blocks
from components.settings import DataSettings

DATA = DataSettings()


@given(st.lists(st.text(max_size=5), max_size=40), st.integers(1, 9), st.integers(1, 30))
def test_blocks_are_the_texts_in_their_order(texts: list[str], rows: int, size: int) -> None:
    cut_texts = list(cut(texts, rows, size))
    assert [text for block in cut_texts for text in block] == texts
    assert all(cut_texts) or (cut_texts == [[]] and not texts)
    for block in cut_texts:
        assert len(block) <= rows
        assert sum(len(text.encode()) for text in block[:-1]) < size  # the last one may exceed it
    for block in cut_texts[:-1]:
        assert len(block) == rows or sum(len(text.encode()) for text in block) >= size


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks.cut, "__defaults__", (2, 1000))


def source(folder: Path, *texts: str) -> str:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


@pytest.mark.usefixtures("small_blocks")
def test_write_blocks(tmp_path: Path) -> None:
    path, folder = source(tmp_path, "a", " ", "b", "c"), str(tmp_path / "work")
    written = write_blocks(path, folder, DATA)
    assert written == [Block(folder, 0), Block(folder, 1)]
    assert [read_sentences(block) for block in written] == [["a", "b"], ["c"]]
    reading = read_reading(Path(folder))
    assert (reading.rows, reading.rejected, reading.blocks) == (4, {"empty_text": 1}, 2)
    (reject,) = map(json.loads, (tmp_path / "work" / "rejects.jsonl").read_text().splitlines())
    assert reject == {
        "file": path,
        "record": 2,
        "reason": "empty_text",
        "detail": "'text' is ' '",
        "raw": '{"text": " "}',
    }


@pytest.mark.usefixtures("small_blocks")
def test_only_blocks_without_predictions_are_left(tmp_path: Path) -> None:
    path, folder = source(tmp_path, *"abcde"), str(tmp_path / "work")
    first, second, third = write_blocks(path, folder, DATA)
    second.predictions.touch()
    Path(path).unlink()  # the blocks are enough
    assert write_blocks(path, folder, DATA) == [first, third]
    assert read_sentences(second) == []


@pytest.mark.usefixtures("small_blocks")
def test_reading_that_was_interrupted_begins_anew(tmp_path: Path) -> None:
    path, folder = source(tmp_path, *"abc"), str(tmp_path / "work")
    first, _ = write_blocks(path, folder, DATA)
    (tmp_path / "work" / "reading.json").unlink()
    first.sentences.write_text('["a')
    assert [read_sentences(block) for block in write_blocks(path, folder, DATA)] == [
        ["a", "b"],
        ["c"],
    ]


@pytest.mark.usefixtures("small_blocks")
def test_a_file_that_is_refused_on_the_way_has_no_blocks(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("words\nfine\n")
    assert write_blocks(str(path), str(tmp_path / "work"), DATA) == []
    refusal = read_reading(tmp_path / "work").refusal
    assert refusal and "expected a column 'text'" in refusal


def test_a_file_of_rejects_alone_is_one_empty_block(tmp_path: Path) -> None:
    (block,) = write_blocks(source(tmp_path, "", " "), str(tmp_path / "work"), DATA)
    assert read_sentences(block) == []
