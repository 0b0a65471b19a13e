"""Predictions in process and for files."""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataRefused, UsageError
from components.serving.client import Prediction
from components.serving.predict import FileCounts, LocalPredictor, predict_file
from components.settings import DataSettings

DATA = DataSettings()


class Lengths:
    """Says how long sentences are; remembers the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(self, sentences: Sequence[str]) -> list[Prediction]:
        self.batches.append(list(sentences))
        return [Prediction(text, str(len(text)), {"short": 0.5, "long": 0.5}) for text in sentences]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_local_predictor(saved_models: dict[str, Path]) -> None:
    assert LocalPredictor(saved_models["plain"])(["great", "bad bad", ""]) == [
        Prediction("great", "positive", {"negative": 0.125, "positive": 0.875}),
        Prediction("bad bad", "negative", {"negative": 0.75, "positive": 0.25}),
        Prediction("", "negative", {"negative": 0.5, "positive": 0.5}),
    ]


def test_more_sentences_than_a_batch_keep_their_order(saved_models: dict[str, Path]) -> None:
    sentences = ["good", "awful"] * 400
    answers = LocalPredictor(saved_models["plain"])(sentences)
    assert [answer.text for answer in answers] == sentences
    assert [answer.label for answer in answers] == ["positive", "negative"] * 400


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"saved_model.pb") as failure:
        LocalPredictor(tmp_path)
    assert "\n" not in str(failure.value)


def test_every_record_becomes_a_line_in_its_place(tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text('label,text\nx,"fine, für sich"\nx,   \ny,worse\n', encoding="utf-8")
    assert predict_file(Lengths(), source, output, DATA) == FileCounts(3, Counter(["empty_text"]))
    assert lines(output) == [
        {
            "text": "fine, für sich",
            "label": "14",
            "probabilities": {"short": 0.5, "long": 0.5},
        },
        {"text": "x,   ", "error": "empty_text", "record": 3},
        {"text": "worse", "label": "5", "probabilities": {"short": 0.5, "long": 0.5}},
    ]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.csv", "out.jsonl"]


def test_the_file_is_read_in_batches(tmp_path: Path) -> None:
    source, predictor = tmp_path / "in.jsonl", Lengths()
    texts = [{"text": text} for text in "abcde"]
    source.write_text("\n".join(json.dumps(row) for row in texts[:2] + [{}] * 2 + texts[2:]))
    predict_file(predictor, source, tmp_path / "out", DATA, batch_size=2)
    assert predictor.batches == [["a", "b"], ["c", "d"], ["e"]]
    assert [line.get("label", line.get("error")) for line in lines(tmp_path / "out")] == [
        *["1", "1", "empty_text", "empty_text", "1", "1", "1"]
    ]


@pytest.mark.parametrize("ending", [".tsv", ".tsv.gz", ".jsonl.gz", ".parquet"])
def test_formats(tmp_path: Path, ending: str) -> None:
    source, output = tmp_path / f"in{ending}", tmp_path / "out.jsonl"
    if ending == ".parquet":
        pq.write_table(pa.table({"sentence": ["one", "three"]}), source)
    else:
        rows = {
            ".tsv": "sentence\none\nthree\n",
            ".jsonl": '{"sentence":"one"}\n{"sentence":"three"}',
        }
        text = rows[ending.removesuffix(".gz")].encode()
        source.write_bytes(gzip.compress(text) if ending.endswith(".gz") else text)
    predict_file(Lengths(), source, output, DataSettings(text_column="sentence"))
    assert [(line["text"], line["label"]) for line in lines(output)] == [
        ("one", "3"),
        ("three", "5"),
    ]


def test_a_refused_file_leaves_the_old_output_alone(tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl"
    text = "".join(json.dumps({"text": f"number {n}"}) + "\n" for n in range(2000))
    source.write_bytes(gzip.compress(text.encode())[:-20])
    output.write_text("old")
    with pytest.raises(DataRefused):
        predict_file(Lengths(), source, output, DATA, batch_size=10)
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl.gz", "out.jsonl"]


def test_outputs_that_cannot_be_written(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}\n')
    (tmp_path / "folder").mkdir()
    for output in (tmp_path / "none" / "out", tmp_path / "folder"):
        with pytest.raises(UsageError, match="cannot be written"):
            predict_file(Lengths(), source, output, DATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in.jsonl"]
