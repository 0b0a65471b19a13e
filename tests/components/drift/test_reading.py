"""Samples of data files, and sentences as the model reads them."""

import json

import pytest

from components.drift.reading import profile_answers, sample_sentences
from components.drift.request_log import Answer
from components.serving.vocabulary import Vocabulary
from components.settings import DataSettings


@pytest.fixture
def vocabulary(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "vocabulary").write_text("a\ngood\nfilm\n")
    (tmp_path / "assets.extra").mkdir()
    info = {"labels": ["bad", "good"], "config": {"text": {"max_length": 4}}}
    (tmp_path / "assets.extra" / "sentiflow.json").write_text(json.dumps(info))
    return Vocabulary(tmp_path)


def test_words_are_those_that_the_model_reads(vocabulary):
    answers = [
        Answer("A GOOD film", "good", 0.9),
        Answer("a a a a cut off", "good", 0.9),
        Answer("zzz \ud800", "bad", 0.6),
    ]
    found = profile_answers(answers, vocabulary)
    assert found.lengths == [0, 0, 1, 1, 1]
    assert found.words == {"a": 5, "good": 1, "film": 1, "zzz": 1, "?": 1}
    assert (found.rows, found.tokens, found.unknown) == (3, 9, 2)


def test_a_sample_of_files_is_even_and_always_the_same(tmp_path):
    for name, rows in (("a.csv", range(600)), ("b.csv", range(600, 1000))):
        (tmp_path / name).write_text("text\n" + "".join(f"s{row}\n" for row in rows))
    paths = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    drawn, rejected = sample_sentences(paths, DataSettings(), most=200)
    assert (len(set(drawn)), rejected) == (200, 0)
    assert 90 < sum(int(text[1:]) < 600 for text in drawn) < 150  # 120 are expected
    assert sample_sentences(paths, DataSettings(), most=200)[0] == drawn
    assert len(sample_sentences(paths, DataSettings(), most=5000)[0]) == 1000


def test_records_that_cannot_be_read_are_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\nnot json\n{"text": ""}\n')
    assert sample_sentences([str(tmp_path / "a.jsonl")], DataSettings(), 9) == (["fine"], 2)
