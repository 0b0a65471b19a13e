"""Toy models with the serving contract, and TFMA runs on them without a TFX pipeline."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from schema import features

Row = tuple[str, str]  # sentence, label


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """`save_model`, `predict` and `write_examples`; tensorflow is imported on first use."""
    import tensorflow as tf

    class WordCounter(tf.Module):
        """Probability of a class: softmax of how often its words occur, times a sharpness."""

        def __init__(self, words: dict[str, Sequence[str]], sharpness: float):
            super().__init__()
            self.labels = tf.constant(list(words))
            self.words = [list(w) for w in words.values()]
            self.sharpness = sharpness

        def answer(self, text):
            tokens = tf.strings.split(text)
            counts = [
                tf.reduce_sum(tf.cast(_is_one_of(tokens, words), tf.float32), axis=1)
                for words in self.words
            ]
            probabilities = tf.nn.softmax(self.sharpness * tf.stack(counts, axis=1))
            label = tf.gather(self.labels, tf.argmax(probabilities, axis=1))
            return {features.LABEL: label, features.PROBABILITIES: probabilities}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=features.TEXT)])
        def serve(self, text):
            return self.answer(text)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=features.EXAMPLES)])
        def serve_examples(self, examples):
            spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
            return self.answer(tf.io.parse_example(examples, spec)[features.TEXT])

    def _is_one_of(tokens, words):
        hits = tf.reduce_any(tokens.flat_values[:, None] == tf.constant(words)[None, :], axis=1)
        return tokens.with_flat_values(hits)

    def save_model(folder: Path, words: dict[str, Sequence[str]], sharpness: float = 1.0) -> Path:
        model = WordCounter(words, sharpness)
        signatures = {
            features.SERVING_SIGNATURE: model.serve,
            features.EXAMPLES_SIGNATURE: model.serve_examples,
        }
        tf.saved_model.save(model, str(folder), signatures=signatures)
        info = folder / features.MODEL_INFO
        info.parent.mkdir()
        info.write_text(json.dumps({"labels": list(words), "config": {}}))
        known = [word for of_class in words.values() for word in of_class]
        (folder / "assets" / features.VOCABULARY).write_text("\n".join(known) + "\n")
        return folder

    def predict(folder: Path, rows: Sequence[Row]):
        """Probabilities, float32 [rows, classes], by calling the SavedModel."""
        serve = tf.saved_model.load(str(folder)).signatures[features.SERVING_SIGNATURE]
        texts = tf.constant([text for text, _ in rows])
        return serve(text=texts)[features.PROBABILITIES].numpy()

    def example(text: str, label: str) -> bytes:
        def feature(value: str) -> tf.train.Feature:
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))

        values = {features.TEXT: feature(text), features.LABEL: feature(label)}
        return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()

    def write_examples(folder: Path, rows: Sequence[Row]) -> Path:
        folder.mkdir(parents=True)
        path = folder / "data_tfrecord-00000-of-00001.gz"
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for text, label in rows:
                writer.write(example(text, label))
        return folder

    return SimpleNamespace(save_model=save_model, predict=predict, write_examples=write_examples)


@pytest.fixture(scope="session")
def by_hand() -> Callable[..., dict[str, float]]:
    """The definitions of the metrics, in numpy."""

    def values(ids, probabilities) -> dict[str, float]:
        """`ids`: int64 [rows]; `probabilities`: float32 [rows, classes]."""
        ids, probabilities = np.asarray(ids), np.asarray(probabilities, np.float64)
        rows, predicted = np.arange(len(ids)), probabilities.argmax(axis=1)
        right, confidence = predicted == ids, probabilities.max(axis=1)
        bins = np.minimum((confidence * 10).astype(int), 9)
        gaps = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(10)]
        f1 = [
            2 * np.sum(right & (ids == c)) / (np.sum(ids == c) + np.sum(predicted == c))
            for c in np.unique(ids)
        ]
        values = {
            "example_count": len(ids),
            "accuracy": right.mean(),
            "accuracy_over_majority": right.mean() - np.bincount(ids).max() / len(ids),
            "macro_f1": np.mean(f1),
            "loss": -np.log(np.maximum(probabilities[rows, ids], 1e-7)).mean(),
            "calibration_error": sum(gaps) / len(ids),
        }
        if probabilities.shape[1] == 2 and len(np.unique(ids)) == 2:
            of_second, of_first = probabilities[ids == 1, 1], probabilities[ids == 0, 1]
            higher = of_second[:, None] > of_first[None, :]
            equal = of_second[:, None] == of_first[None, :]
            values["auc"] = (higher + equal / 2).mean()
        return values

    return values


@pytest.fixture
def evaluate(toy, tmp_path) -> Callable[..., str]:
    """Runs TFMA as TFX's Evaluator does, in memory; returns the folder of the evaluation."""
    import apache_beam as beam
    import tensorflow_model_analysis as tfma
    from tfx_bsl.tfxio import tf_example_record

    from components.evaluation.config import eval_config
    from components.evaluation.extractors import custom_extractors

    def run(
        settings, labels, model: Path, rows: Sequence[Row], baseline: Path | None = None
    ) -> str:
        config = tfma.utils.update_eval_config_with_defaults(
            eval_config(settings, labels), has_baseline=baseline is not None, rubber_stamp=True
        )
        tfma.utils.verify_eval_config(config)
        paths = [model, baseline] if baseline else [model]
        models = [
            tfma.default_eval_shared_model(str(path), model_name=spec.name, eval_config=config)
            for path, spec in zip(paths, config.model_specs, strict=True)
        ]
        shared = models if baseline else models[0]
        output = str(tmp_path / "evaluation")
        data = toy.write_examples(tmp_path / "data", rows)
        with beam.Pipeline() as pipeline:
            source = tf_example_record.TFExampleRecord(
                f"{data}/*", raw_record_column_name=tfma.constants.ARROW_INPUT_COLUMN
            )
            _ = (
                pipeline
                | source.BeamSource()
                | tfma.ExtractEvaluateAndWriteResults(
                    eval_shared_model=shared,
                    eval_config=config,
                    extractors=custom_extractors(shared, config, None),
                    output_path=output,
                )
            )
        return output

    return run
