"""Tensors as TensorFlow Serving's messages carry them, to and from numpy arrays."""

import math

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2

from components.serving.errors import ServingError

# A message of a few bytes may claim any shape, its last value being repeated to fill it.
MAX_ELEMENTS = 1_000_000
STRING = tf.string.as_datatype_enum
FLOAT = tf.float32.as_datatype_enum


def to_array(proto: tensor_pb2.TensorProto) -> np.ndarray:
    """The array that a message holds; strings become an object array of bytes.

    Raises:
      ServingError: INVALID_ARGUMENT, the message contradicts itself or claims a giant shape.
    """
    sizes = [dimension.size for dimension in proto.tensor_shape.dim]
    if proto.dtype == STRING and [len(proto.string_val)] == sizes:  # the usual case, which is fast
        strings = np.empty(sizes, dtype=object)
        strings[:] = proto.string_val
        return strings
    elements = math.prod(sizes)
    if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0 or elements > MAX_ELEMENTS:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            f"Expected a tensor of known shape with at most {MAX_ELEMENTS} elements, got {sizes}",
        )
    try:
        return np.reshape(tf.make_ndarray(proto), sizes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        # KeyError: resources and variants, which are no values.
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            f"The tensor's values do not fit its type ({proto.dtype}) and shape {sizes}",
        ) from error


def to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    """The message for an array, its values in typed fields as TensorFlow Serving writes them.

    Clients read `float_val` and `string_val`, which `tf.make_tensor_proto` leaves empty.
    """
    if array.dtype not in (np.float32, np.object_):
        return tf.make_tensor_proto(array)
    proto = tensor_pb2.TensorProto()
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if array.dtype == np.float32:
        proto.dtype = FLOAT
        proto.float_val.extend(array.ravel().tolist())
    else:
        proto.dtype = STRING
        proto.string_val.extend(array.ravel().tolist())
    return proto
