"""What only a machine with a GPU can show; skipped, and said so, on others."""

import numpy as np
import pytest
import tensorflow as tf

from components.model import build_model
from components.settings import ModelSettings

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


def test_the_exported_twin_computes_the_same_without_it():
    model = build_model(SETTINGS, vocabulary_size=20, classes=2)
    twin = build_model(SETTINGS, vocabulary_size=20, classes=2, use_cudnn=False)
    twin.set_weights(model.get_weights())
    assert not any("Cudnn" in name for name in operations(twin))
    np.testing.assert_allclose(model(IDS), twin(IDS), atol=1e-4)
