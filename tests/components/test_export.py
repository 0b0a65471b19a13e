"""The SavedModel of a Trainer run: what is served is what was trained, on any machine."""

import dataclasses
import json
import types

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow.python.saved_model import loader_impl
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from components.calibration import calibrate
from components.export import export_model
from components.trainer import run_fn
from components.transform import preprocessing_fn
from tests.components.examples import write_examples

LABELS = ["no", "yes", "maybe"]
MAX_LENGTH = 40
SENTENCES = [
    ("no", "nothing here is any good"),
    ("no", "a dull, long evening; it wasn't funny"),
    ("yes", "what a warm and clever little film"),
    ("yes", "I'd see it again tomorrow!"),
    ("maybe", "half of it works"),
    ("maybe", "fine, I suppose — crème brûlée after it was better"),
] * 4


@pytest.fixture(scope="module")
def fn_args(tmp_path_factory):
    """What TFX hands to run_fn, with a transform graph made by the project's own Transform."""
    folder = tmp_path_factory.mktemp("trainer")
    settings = {"max_length": MAX_LENGTH}
    string = tf.io.FixedLenFeature([], tf.string)
    schema = schema_utils.schema_from_feature_spec({"text": string, "label": string})
    rows = [{"text": text, "label": label} for label, text in SENTENCES]
    with beam.Pipeline() as pipeline, tft_beam.Context(str(folder / "tmp")):
        data = pipeline | beam.Create(rows)
        metadata = dataset_metadata.DatasetMetadata(schema)
        function = (data, metadata) | tft_beam.AnalyzeDataset(
            lambda inputs: preprocessing_fn(inputs, {"text": settings, "labels": LABELS})
        )
        function | tft_beam.WriteTransformFn(str(folder / "graph"))
    split = write_examples(folder / "examples.gz", [([2, 3], 0), ([4], 1), ([5], 2)], MAX_LENGTH)
    return types.SimpleNamespace(
        train_files=[split],
        eval_files=[split],
        transform_graph_path=str(folder / "graph"),
        serving_model_dir=str(folder / "model" / "Format-Serving"),
        model_run_dir=str(folder / "run"),
        hyperparameters=None,
        custom_config={
            "text": settings,
            "model": {"units": 6, "embedding_dim": 5, "bidirectional": True, "pooling": "max"},
            "train": {"max_epochs": 1},
            "labels": LABELS,
            "checkpoint_root": str(folder / "checkpoints"),
            "code_fingerprint": "0123",
        },
    )


@pytest.fixture(scope="module")
def trained(fn_args):
    """Runs run_fn; gives the network that it exported."""
    exports = []

    def export_and_keep(model, *args):
        exports.append(model)
        export_model(model, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("components.trainer.export_model", export_and_keep)
        run_fn(fn_args)
    return exports[0]


@pytest.fixture(scope="module")
def exported(fn_args, trained):
    return fn_args.serving_model_dir


@pytest.fixture(scope="module")
def temperature(fn_args, exported):
    with open(f"{fn_args.model_run_dir}/calibration.json", encoding="utf-8") as file:
        return json.load(file)["temperature"]


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(exported).signatures


def _ask(signatures, sentences):
    answer = signatures["serving_default"](text=tf.constant(sentences, tf.string))
    return answer["label"].numpy().tolist(), answer["probabilities"].numpy()


def _examples(sentences, **others):
    """Serialized raw examples, each with the same other features."""
    return [_example({"text": sentence, **others}) for sentence in sentences]


def _example(values):
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        for name, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def test_serving_default_answers_label_and_probabilities(signatures):
    labels, probabilities = _ask(signatures, ["What a film!", "nothing here works", "ß"])
    assert probabilities.shape == (3, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), [1, 1, 1], atol=1e-6)
    assert labels == [LABELS[row].encode() for row in probabilities.argmax(axis=1)]
    assert len(set(probabilities[:, 0].tolist())) == 3


def test_served_is_what_the_network_says_about_transforms_ids(
    fn_args, trained, temperature, signatures
):
    sentences = ["What a warm evening!", "", "it wasn't half of it", "film " * 100]
    transform = tft.TFTransformOutput(fn_args.transform_graph_path).transform_features_layer()
    ids = transform({"text": tf.constant(sentences)})["ids"]
    assert ids.shape == (4, MAX_LENGTH)
    labels, probabilities = _ask(signatures, sentences)
    logits = trained(ids)
    assert temperature != 1
    np.testing.assert_allclose(probabilities, tf.nn.softmax(logits / temperature), atol=1e-6)
    assert labels == [LABELS[row].encode() for row in np.argmax(logits, axis=1)]


def test_an_answer_does_not_depend_on_the_rest_of_the_batch(signatures):
    alone = _ask(signatures, ["half of it works"])[1]
    batch = _ask(signatures, ["long " * 100, "half of it works", ""])[1]
    np.testing.assert_allclose(batch[1:2], alone, atol=1e-6)


def test_text_is_prepared_inside(signatures):
    plain = _ask(signatures, ["it wasn't funny"])[1]
    np.testing.assert_allclose(_ask(signatures, ["IT  WASN’T FUNNY"])[1], plain, atol=1e-6)
    assert not np.allclose(_ask(signatures, ["it was funny"])[1], plain, atol=1e-6)


@pytest.mark.parametrize("sentence", ["", "   ", "\x00", "word " * 5000, "🙂", b"\xff\xfe"])
def test_odd_text_gets_a_valid_answer(signatures, sentence):
    labels, probabilities = _ask(signatures, [sentence])
    assert labels[0].decode() in LABELS
    assert np.isfinite(probabilities).all()
    assert probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_a_batch_without_rows_gives_none(signatures):
    labels, probabilities = _ask(signatures, [])
    assert labels == [] and probabilities.shape == (0, 3)


def test_examples_answers_the_same_with_and_without_label(signatures):
    sentences = ["half of it works", "", "a dull, long evening"]
    labels, probabilities = _ask(signatures, sentences)
    for examples in (_examples(sentences), _examples(sentences, label="no")):
        answer = signatures["examples"](examples=tf.constant(examples))
        assert answer["label"].numpy().tolist() == labels
        np.testing.assert_array_equal(answer["probabilities"].numpy(), probabilities)


def test_an_example_without_text_is_an_error(signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match="text"):
        signatures["examples"](examples=tf.constant([tf.train.Example().SerializeToString()]))


def test_loads_without_a_gpu(exported):
    saved_model = loader_impl.parse_saved_model(exported)
    graph = saved_model.meta_graphs[0].graph_def
    ops = {node.op for node in graph.node}
    ops |= {node.op for function in graph.library.function for node in function.node_def}
    assert "MatMul" in ops
    assert not [op for op in ops if "Cudnn" in op]


def test_model_information_stands_beside_it(exported):
    with open(f"{exported}/assets.extra/sentiflow.json", encoding="utf-8") as file:
        info = json.load(file)
    assert info["labels"] == LABELS
    assert info["config"]["model"]["units"] == 6
    assert info["config"]["text"]["max_length"] == 40
    assert info["config"]["train"]["max_epochs"] == 1


def test_warmup_requests_can_be_answered(exported, signatures):
    path = f"{exported}/assets.extra/tf_serving_warmup_requests"
    sizes = []
    for record in tf.data.TFRecordDataset(path):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.signature_name == "serving_default"
        sentences = tf.make_ndarray(request.inputs["text"]).tolist()
        sizes.append(len(_ask(signatures, sentences)[0]))
    assert sizes == [1, 32]


def test_run_fn_leaves_what_the_calibration_did(fn_args, trained):
    with open(f"{fn_args.model_run_dir}/calibration.json", encoding="utf-8") as file:
        found = json.load(file)
    assert list(found) == ["temperature", "error_before", "error_after", "rows"]
    # The rows of eval, padded as in a batch; their order is of no matter.
    ids = tf.constant([[2, 3, 0], [4, 0, 0], [5, 0, 0]], tf.int64)
    expected = calibrate(trained(ids).numpy(), np.array([0, 1, 2]))
    assert dataclasses.astuple(expected) == pytest.approx(tuple(found.values()), rel=1e-3)


def test_run_fn_leaves_a_history_and_no_checkpoint(fn_args, exported):
    with open(f"{fn_args.model_run_dir}/history.json", encoding="utf-8") as file:
        assert [epoch["steps"] for epoch in json.load(file)] == [1]
    checkpoints = fn_args.custom_config["checkpoint_root"]
    assert not tf.io.gfile.glob(f"{checkpoints}/*")
