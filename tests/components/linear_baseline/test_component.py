"""LinearBaseline: its scores, its artifact and its cache key."""

import json
import logging

import pytest
from tfx.types import Channel, standard_artifacts

from components.artifacts import LinearBaselineScores
from components.linear_baseline.component import LinearBaseline
from components.linear_baseline.executor import Executor, train_and_score
from components.linear_baseline.result import LinearBaselineResult, read
from components.settings import LinearBaselineSettings, TextSettings
from tests.components.linear_baseline.raw_examples import write_split

LABELS = ["bad", "good", "unseen"]
TRAIN = [(f"{word} film {n}", label) for word, label in (("dull", "bad"), ("fine", "good"))
         for n in range(10)]  # fmt: skip
EVAL = [("A dull film.", "bad"), ("dull", "good"), ("Fine!", "good"), ("fine film", "unseen")]


@pytest.fixture
def splits(tmp_path):
    train = write_split(tmp_path / "data" / "Split-train", TRAIN)
    return train, write_split(tmp_path / "data" / "Split-eval", EVAL)


def test_scores_by_hand(splits):
    found = train_and_score(*splits, LinearBaselineSettings(), TextSettings(), LABELS)
    # Predicted: bad, bad, good, good. F1: bad 2/3, good 1/2, unseen 0.
    assert found == LinearBaselineResult(
        accuracy=0.5,
        macro_f1=pytest.approx((2 / 3 + 1 / 2 + 0) / 3),
        example_count=4,
        train_rows=20,
        trained_on=20,
        ngrams=25,  # dull, fine, film, 10 numbers, 2 pairs with film, 10 with a number
    )


def test_a_sample_of_train_is_told(splits):
    found = train_and_score(*splits, LinearBaselineSettings(max_rows=12), TextSettings(), LABELS)
    assert (found.train_rows, found.trained_on, found.example_count) == (20, 12, 4)


def test_the_executor_leaves_the_scores(splits, tmp_path, caplog):
    examples, scores = standard_artifacts.Examples(), LinearBaselineScores()
    examples.uri, scores.uri = str(tmp_path / "data"), str(tmp_path / "scores")
    examples.split_names = '["train", "eval"]'
    (tmp_path / "scores").mkdir()
    node = make_node()
    with caplog.at_level(logging.INFO, "components"):
        Executor().Do({"examples": [examples]}, {"scores": [scores]}, node.exec_properties)
    assert read(scores.uri).accuracy == 0.5
    assert json.loads((tmp_path / "scores" / "linear_baseline.json").read_text())["ngrams"] == 25
    assert caplog.messages == ["linear model on n-grams: accuracy 0.500, trained on 20 of 20 rows"]


def make_node(**text):
    return LinearBaseline(
        examples=Channel(type=standard_artifacts.Examples),
        settings=LinearBaselineSettings(),
        text=TextSettings(**text),
        labels=LABELS,
        code_fingerprint="f00",
    )


def test_the_cache_key_is_what_the_scores_depend_on():
    properties = make_node().exec_properties
    assert properties == {
        "settings": '{"max_rows":200000}',
        "tokens": '{"lowercase":true,"split_hyphens":true}',
        "labels": '["bad", "good", "unseen"]',
        "code_fingerprint": "f00",
    }
    assert make_node(max_length=7, vocab_size=9).exec_properties == properties
