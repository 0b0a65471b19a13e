"""What tests of components use."""

from collections.abc import Iterator

import pytest
import tensorflow as tf


@pytest.fixture
def exact_float32() -> Iterator[None]:
    """On a GPU, products of matrices that are not rounded to TensorFloat-32."""
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(True)
