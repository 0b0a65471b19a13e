"""The model's most confident mistakes on eval, found while TFMA evaluates."""

import heapq
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tfx.dsl.io import fileio

from components.serving.vocabulary import Vocabulary
from schema import features

KEPT = 20

# Probability of the prediction, sentence in UTF-8, class of the label, class of the prediction.
Mistake = tuple[float, bytes, int, int]


class Mistakes(metric_types.Metric):
    """The `KEPT` mistakes with the most probable predictions, as JSON for `parse`."""

    def __init__(self, name: str = "mistakes"):
        super().__init__(metric_util.merge_per_key_computations(_mistakes), name=name)


def parse(value: bytes) -> list[Mistake]:
    """The metric's value: the mistakes, the most confident first."""
    return [
        (probability, text.encode(), label, predicted)
        for probability, text, label, predicted in json.loads(value)
    ]


def describe(mistakes: list[Mistake], labels: list[str], model_dir: str) -> list[dict[str, Any]]:
    """Says of each mistake what it was, and which words the model did not know.

    Args:
      mistakes: of the model.
      labels: the classes, by their number.
      model_dir: the exported model, on any file system that TensorFlow knows.

    Returns:
      `text`, `label`, `predicted`, `probability` (of the prediction) and `unknown`: the distinct
      tokens without an entry in the model's vocabulary, as the model itself cuts the sentence.
    """
    vocabulary = _vocabulary(model_dir)
    sentences = vocabulary.tokens(np.array([text for _, text, *_ in mistakes], object))
    return [
        {
            "text": text.decode(),
            "label": labels[label],
            "predicted": labels[predicted],
            "probability": probability,
            "unknown": list(dict.fromkeys(token.text for token in tokens if not token.known)),
        }
        for (probability, text, label, predicted), tokens in zip(mistakes, sentences, strict=True)
    ]


def _vocabulary(model_dir: str) -> Vocabulary:
    """Reads a model's vocabulary by way of this machine's own files."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (features.MODEL_INFO, f"assets/{features.VOCABULARY}"):
            target = Path(folder, name)
            target.parent.mkdir()
            fileio.copy(os.path.join(model_dir, name), str(target))
        return Vocabulary(Path(folder))


def _mistakes(name, eval_config=None, model_name="", output_name="", example_weighted=False):
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        example_weighted=example_weighted,
    )
    preprocessor = metric_types.FeaturePreprocessor(
        feature_keys=[features.TEXT], model_names=[model_name] if model_name else None
    )
    combiner = _MistakesCombiner(key, eval_config)
    return [
        metric_types.MetricComputation(keys=[key], preprocessors=[preprocessor], combiner=combiner)
    ]


class _MistakesCombiner(beam.CombineFn):
    """Keeps a heap of `KEPT` mistakes, whatever the number of rows.

    Equally confident ones are taken in the order of their text, not of the rows.
    """

    def __init__(self, key: metric_types.MetricKey, eval_config: Any):
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> list[Mistake]:
        return []

    def add_input(self, accumulator: list[Mistake], element: Any) -> list[Mistake]:
        label, probabilities, _ = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                flatten=False,
            )
        )
        actual, predicted = int(label[0]), int(probabilities.argmax())
        probability = float(probabilities[predicted])
        if predicted == actual or not probability:  # 0: a model that diverged predicts nothing
            return accumulator
        [text] = np.ravel(element.features[features.TEXT])
        return _kept(accumulator, (probability, text, actual, predicted))

    def merge_accumulators(self, accumulators: Iterable[list[Mistake]]) -> list[Mistake]:
        merged: list[Mistake] = []
        for accumulator in accumulators:
            for mistake in accumulator:
                merged = _kept(merged, mistake)
        return merged

    def extract_output(self, accumulator: list[Mistake]) -> dict[metric_types.MetricKey, bytes]:
        rows = [
            (probability, text.decode(), label, predicted)
            for probability, text, label, predicted in sorted(accumulator, reverse=True)
        ]
        return {self._key: json.dumps(rows).encode()}


def _kept(heap: list[Mistake], mistake: Mistake) -> list[Mistake]:
    if len(heap) < KEPT:
        heapq.heappush(heap, mistake)
    else:
        heapq.heappushpop(heap, mistake)
    return heap
