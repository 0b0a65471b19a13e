"""From features and predictions to class ids, probabilities and slices."""

import numpy as np
import pytest

from components.evaluation import extractors
from schema import features

LABELS = ["negative", "positive"]


def batch(texts, labels, predictions):
    def column(values):
        return np.array([[value.encode()] for value in values], object)

    return {
        "input": np.array([b"serialized"] * len(texts), object),
        "features": {features.TEXT: column(texts), features.LABEL: column(labels)},
        "predictions": predictions,
    }


def scored(extracts, model_labels):
    return extractors.to_scored_rows(extracts, LABELS, [3, 5], model_labels)


def probabilities(*rows):
    return {"probabilities": np.array(rows, np.float32), "label": np.array([b"?"] * len(rows))}


def test_one_model():
    extracts = batch(
        ["a fine day", "one two three four five six"],
        ["positive", "negative"],
        probabilities([0.25, 0.75], [0.5, 0.5]),
    )
    rows = scored(extracts, {"": LABELS})
    assert sorted(rows) == ["features", "labels", "predictions"]
    assert rows["labels"].tolist() == [1, 0]
    assert rows["predictions"].tolist() == [[0.25, 0.75], [0.5, 0.5]]
    assert rows["features"]["slice"].tolist() == [
        [b"label=positive", b"length=1-3"],
        [b"label=negative", b"length=6+"],
    ]
    assert rows["features"]["text"].tolist() == [[b"a fine day"], [b"one two three four five six"]]


def test_two_models_each_with_its_own_order_of_classes():
    extracts = batch(
        ["fine"],
        ["positive"],
        {"candidate": probabilities([0.25, 0.75]), "baseline": probabilities([0.5, 0.125])},
    )
    orders = {"candidate": LABELS, "baseline": ["positive", "negative"]}
    rows = scored(extracts, orders)
    assert rows["predictions"]["candidate"].tolist() == [[0.25, 0.75]]
    assert rows["predictions"]["baseline"].tolist() == [[0.125, 0.5]]


def test_a_length_counts_tokens_not_bytes():
    extracts = batch(["çà où été"], ["negative"], probabilities([1, 0]))
    assert scored(extracts, {"": LABELS})["features"]["slice"][0, 1] == b"length=1-3"


def test_a_label_that_is_not_configured_is_an_error():
    with pytest.raises(ValueError, match="'neutral' is not in list"):
        scored(batch(["x"], ["neutral"], probabilities([1, 0])), {"": LABELS})


def test_a_class_that_a_model_does_not_know_gets_0():
    known = np.array([[0.25, 0.75]], np.float32)
    result = extractors.reorder(known, ["b", "gone"], ["a", "b", "c"])
    assert result.tolist() == [[0.0, 0.25, 0.0]]
    assert result.dtype == np.float32


def test_a_probability_that_is_no_number_is_no_prediction():
    diverged = np.array([[np.nan, np.nan], [0.25, 0.75]], np.float32)
    assert extractors.reorder(diverged, LABELS, LABELS).tolist() == [[0.0, 0.0], [0.25, 0.75]]


def test_the_order_of_the_classes_is_read_from_the_model(tmp_path):
    info = tmp_path / "assets.extra" / "sentiflow.json"
    info.parent.mkdir()
    info.write_text('{"labels": ["b", "a"], "config": {}}')
    assert extractors.read_labels(str(tmp_path)) == ["b", "a"]
