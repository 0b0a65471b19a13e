"""Tensors of messages: each type is read, or refused as the client's mistake."""

import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2

from components.serving.errors import ServingError
from components.serving.tensors import to_array

NO_VALUES = {"DT_RESOURCE", "DT_VARIANT", "DT_INVALID"}


@pytest.mark.parametrize("name", [name for name in types_pb2.DataType.keys() if "REF" not in name])
def test_every_type_is_read_or_refused(name):
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DataType.Value(name))
    proto.tensor_shape.SetInParent()
    try:
        array = to_array(proto)
    except ServingError as error:
        assert error.code == StatusCode.INVALID_ARGUMENT
        assert f"type ({proto.dtype})" in str(error)
    else:
        assert name not in NO_VALUES
        assert tf.as_dtype(array.dtype).as_datatype_enum == proto.dtype
