"""The SavedModel: sentences in, label and probabilities out, with all text handling inside."""

import json

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from schema import features

WARMUP_BATCHES = (1, 32)
WARMUP_SENTENCES = ("Good.", "It is not as bad as they said, but I would not see it again.")


def export_model(
    model: keras.Model,
    temperature: float,
    transform_output: tft.TFTransformOutput,
    info: dict,
    serving_dir: str,
) -> None:
    """Writes one SavedModel with both signatures, model information and warm-up requests.

    Args:
      model: from `build_model` with `use_cudnn=False`, trained.
      temperature: what its logits are divided by; see `components.calibration`.
      transform_output: the transform graph, which is put in front of the model.
      info: {"labels": [...], "config": {...}}, the labels in the order of the model's classes.
      serving_dir: folder to write, local or on any file system that TensorFlow knows.
    """
    # A bare module holds the variables and the vocabulary: saving the Keras model itself would
    # trace its layers again, and fails for some.
    module = tf.Module()
    module.transform = transform_output.transform_features_layer()
    module.weights = [weight.value for weight in model.weights]
    labels = tf.constant(info["labels"])

    # Both signatures call the same function, which is traced and saved once. Nothing in it is for
    # AutoGraph to rewrite, and that takes seconds.
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def classify(text):  # string [batch]
        ids = module.transform({features.TEXT: text})[features.IDS]  # int64 [batch, max_length]
        # The LSTM takes a step for each column, so columns of padding alone are cut off.
        # One column is left for a batch without rows.
        longest = tf.maximum(tf.reduce_max(tf.math.count_nonzero(ids, axis=1)), 1)
        logits = model(ids[:, :longest], training=False)  # [batch, classes]
        probabilities = tf.nn.softmax(logits / temperature)
        label = tf.gather(labels, tf.argmax(probabilities, axis=1))  # string [batch]
        return {features.LABEL: label, features.PROBABILITIES: probabilities}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=features.TEXT)], autograph=False
    )
    def serve_text(text):
        return classify(text)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name=features.EXAMPLES)], autograph=False
    )
    def serve_examples(examples):
        spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
        return classify(tf.io.parse_example(examples, spec)[features.TEXT])

    signatures = {
        features.SERVING_SIGNATURE: serve_text,
        features.EXAMPLES_SIGNATURE: serve_examples,
    }
    tf.saved_model.save(module, serving_dir, signatures=signatures)
    _write_extras(info, serving_dir)


def _write_extras(info: dict, serving_dir: str) -> None:
    tf.io.gfile.makedirs(f"{serving_dir}/assets.extra")
    with tf.io.gfile.GFile(f"{serving_dir}/{features.MODEL_INFO}", "w") as file:
        json.dump(info, file, indent=1, ensure_ascii=False)
    with tf.io.TFRecordWriter(f"{serving_dir}/{features.WARMUP_REQUESTS}") as writer:
        for rows in WARMUP_BATCHES:
            writer.write(_warmup_request(rows).SerializeToString())


def _warmup_request(rows: int) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = features.SERVING_SIGNATURE
    sentences = [WARMUP_SENTENCES[row % len(WARMUP_SENTENCES)] for row in range(rows)]
    request.inputs[features.TEXT].CopyFrom(tf.make_tensor_proto(sentences))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )
