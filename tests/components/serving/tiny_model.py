"""A small SavedModel with the serving contract, whose answers can be worked out in the head.

P(positive) = (4 + the sum of the words' scores + bias) / 8; words that it does not know score 0.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

SCORES = {"good": 1.0, "great": 3.0, "bad": -1.0, "awful": -3.0}
LABELS = ("negative", "positive")


class TinyClassifier(tf.Module):
    """Looks words up in a vocabulary file, which becomes an asset, and adds their scores."""

    def __init__(self, vocabulary: Path, bias: float, ballast: int) -> None:
        super().__init__()
        self.table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            num_oov_buckets=1,
        )
        self.scores = tf.Variable([*SCORES.values(), 0.0])
        self.bias = tf.Variable(bias)
        self.ballast = tf.Variable(tf.random.uniform([ballast]))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve_text(self, text):
        words = tf.strings.split(text)  # ragged [batch, words]
        scores = tf.ragged.map_flat_values(
            lambda flat: tf.gather(self.scores, self.table.lookup(flat)), words
        )
        score = tf.reduce_sum(scores, axis=1) + self.bias  # [batch]
        probabilities = tf.stack([(4.0 - score) / 8.0, (4.0 + score) / 8.0], axis=1)
        label = tf.gather(tf.constant(LABELS), tf.argmax(probabilities, axis=1))
        return {"label": label, "probabilities": probabilities}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve_examples(self, examples):
        spec = {"text": tf.io.FixedLenFeature([], tf.string)}
        return self.serve_text(tf.io.parse_example(examples, spec)["text"])


def save(directory: Path, bias: float = 0.0, ballast_bytes: int = 0) -> None:
    """Writes the model with its extra assets; `ballast_bytes` make it as large as a real one."""
    vocabulary = directory.parent / "vocabulary"
    directory.parent.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(SCORES) + "\n")
    model = TinyClassifier(vocabulary, bias, ballast_bytes // 4)
    signatures = {"serving_default": model.serve_text, "examples": model.serve_examples}
    tf.saved_model.save(model, str(directory), signatures=signatures)
    (directory / "assets.extra").mkdir()
    info = {"labels": LABELS, "config": {"model": {"units": 16}}}
    (directory / "assets.extra" / "sentiflow.json").write_text(json.dumps(info))
    write_warmup(directory, [predict_log(["good"]), predict_log(["good bad", "great", ""])])


def predict_log(sentences: Sequence[str], name: str = "text") -> prediction_log_pb2.PredictionLog:
    """A recorded request."""
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.model_spec.signature_name = "serving_default"
    log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(list(sentences)))
    return log


def write_warmup(directory: Path, logs: Sequence[prediction_log_pb2.PredictionLog]) -> None:
    """Writes the warm-up requests of a model."""
    path = directory / "assets.extra" / "tf_serving_warmup_requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def example(text: str) -> bytes:
    """A serialized tf.Example with a text."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    features = tf.train.Features(feature={"text": feature})
    return tf.train.Example(features=features).SerializeToString()


def predict_request(
    sentences: Sequence[str], model: str = "sentiment", **spec: str
) -> predict_pb2.PredictRequest:
    """A request as a client builds it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for field, value in spec.items():
        setattr(request.model_spec, field, value)
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(list(sentences)))
    return request
