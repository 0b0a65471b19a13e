"""What only a machine with a GPU can show; skipped, and said so, on others."""

import math

import numpy as np
import pytest
import tensorflow as tf

from components.fitting import Fitting, TrainingData
from components.model import build_model
from components.settings import ModelSettings, TrainSettings
from components.word_vectors.embedding import Pretrained
from tests.components.examples import write_examples

pytestmark = pytest.mark.skipif(
    not tf.config.list_physical_devices("GPU"), reason="TensorFlow sees no GPU"
)
SETTINGS = ModelSettings(embedding_dim=8, units=16)
IDS = np.array([[2, 3, 4, 0], [5, 6, 0, 0]])


def operations(model):
    function = tf.function(lambda ids: model(ids, training=True))
    graph = function.get_concrete_function(tf.TensorSpec([None, 4], tf.int64)).graph
    return {node.op for node in graph.as_graph_def().node} | {
        node.op for f in graph.as_graph_def().library.function for node in f.node_def
    }


def test_training_takes_the_cudnn_kernel():
    model = build_model(SETTINGS, vocabulary_size=20, classes=2)
    assert any("Cudnn" in name for name in operations(model))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
def test_the_exported_twin_computes_the_same_without_it(bidirectional, pooling):
    settings = SETTINGS.model_copy(update={"bidirectional": bidirectional, "pooling": pooling})
    model = build_model(settings, vocabulary_size=20, classes=2)
    twin = build_model(settings, vocabulary_size=20, classes=2, use_cudnn=False)
    twin.set_weights(model.get_weights())
    assert not any("Cudnn" in name for name in operations(twin))
    np.testing.assert_allclose(model(IDS), twin(IDS), atol=1e-4)


@pytest.mark.parametrize(
    "options", [{}, {"clip_norm": 1.0}, {"mixed_precision": True}], ids=lambda options: str(options)
)
@pytest.mark.parametrize("closed_epochs", [0, 1])
def test_trains(tmp_path, options, closed_epochs):
    """Every operation of the optimizer has a kernel, and rows that train lacks stay."""
    rows = [([2 + row % 2, 4, 5, 6], row % 2) for row in range(40)]
    train, evaluation = (
        write_examples(tmp_path / split / "data.gz", rows, 4) for split in ("train", "eval")
    )
    table = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    settings = TrainSettings(batch_size=4, learning_rate=0.01, **options)
    data = TrainingData([train], [evaluation], 4, 20, 2)
    fitting = Fitting(data, SETTINGS, settings, Pretrained(table, 5, closed_epochs))
    first, second = fitting.run_epoch(), fitting.run_epoch()
    assert math.isfinite(second.loss) and second.loss < first.loss
    trained = fitting._model.get_layer("embedding").trained.numpy()
    np.testing.assert_array_equal(trained[7:], table[7:15])
    assert (trained[2:7] != table[2:7]).any(axis=1).all()
