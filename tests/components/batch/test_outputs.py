"""Writing and joining blocks of predictions."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from components.batch.blocks import Block
from components.batch.inference import predict_by_length
from components.batch.outputs import Format, join, write_predictions
from components.serving.client import Prediction

LABELS = ("bad", "so so")


def prediction(text: str) -> Prediction:
    return Prediction(text, "so so", {"bad": 0.25, "so so": 0.75})


def rows(path: Path, format_: Format) -> list[dict]:
    if format_ == "parquet":
        return parquet.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
@pytest.mark.parametrize("texts", [["a", "ü\u2028"], [], ["a", "b", "c", "d", "e"]])
def test_blocks_are_joined_in_order(tmp_path: Path, format_: Format, texts: list[str]) -> None:
    blocks = [Block(str(tmp_path), number) for number in range(len(texts) // 2 + 1)]
    for block in blocks:
        part = texts[2 * block.number : 2 * block.number + 2]
        block.sentences.write_text(json.dumps(part))
        write_predictions(block, [prediction(text) for text in part], LABELS, format_)
    joined = tmp_path / "joined"
    join([block.predictions for block in blocks], joined, format_)
    expected = [
        {"text": text, "label": "so so", "probabilities": {"bad": 0.25, "so so": 0.75}}
        for text in texts
    ]
    assert [list(row) for row in rows(joined, format_)] == [list(row) for row in expected]
    assert rows(joined, format_) == expected
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"joined"} | {block.predictions.name for block in blocks}


def test_predictions_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    block = Block(str(tmp_path), 0)
    block.predictions.write_text("whole")
    write_predictions(block, [], LABELS, "jsonl")
    assert block.predictions.read_text() == "whole"


def test_like_lengths_go_to_the_model_together() -> None:
    seen: list[str] = []

    def predictor(texts: Sequence[str]) -> list[Prediction]:
        seen.extend(texts)
        return [prediction(text) for text in texts]

    texts = ["one two three", "one", "a b", "x", "a b c"]
    assert [each.text for each in predict_by_length(predictor, texts)] == texts
    assert seen == [""] * 251 + ["one", "x", "a b", "one two three", "a b c"]  # a whole call
    assert predict_by_length(predictor, []) == []
