"""One version of the model, loaded from its SavedModel, checked and warmed up."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.serving.errors import ServingError, public_message
from components.serving.tensors import to_array
from components.serving.versions import SAVED_MODEL
from schema import features

CONTRACT = {
    features.SERVING_SIGNATURE: features.TEXT,
    features.EXAMPLES_SIGNATURE: features.EXAMPLES,
}
OUTPUTS = {features.LABEL, features.PROBABILITIES}
MAX_WARMUP_RECORDS = 1000  # TensorFlow Serving's own bound

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ServedModel:
    """A SavedModel with the serving contract, ready to answer; may be called from many threads.

    Args:
      directory: the version's folder, which holds saved_model.pb.

    Attributes:
      signatures: {name: SignatureDef} as they stand in the file.
      labels: the classes in the order of `probabilities`; None where the model does not tell them.

    Raises:
      ServingError: the folder holds no SavedModel that loads, keeps the contract and answers its
        warm-up requests.
    """

    def __init__(self, directory: Path) -> None:
        with _serving_errors():
            self.signatures = _signature_defs(directory)
            _check_contract(self.signatures)
            self.labels = _labels(directory)
            self._model = tf.saved_model.load(str(directory))  # owns the variables
            self._functions = dict(self._model.signatures)
            self._warm_up(directory)

    def string_inputs(self, signature: str) -> list[str]:
        """Names of a signature's inputs, for a protocol that can only carry strings.

        Raises:
          ServingError: INVALID_ARGUMENT, no such signature, or one without inputs; UNIMPLEMENTED,
            an input is of another type.
        """
        if signature not in self.signatures:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f'Serving signature name: "{signature}" not found in signature def',
            )
        inputs = self.signatures[signature].inputs
        if not inputs:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT, f"Failed to get input map for signature: {signature}"
            )
        for name, info in inputs.items():
            if tf.as_dtype(info.dtype) != tf.string:
                raise ServingError(
                    StatusCode.UNIMPLEMENTED,
                    f"Conversion of JSON values to input '{name}' of type "
                    f"{tf.as_dtype(info.dtype).name} is not supported",
                )
        return sorted(inputs)

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
          signature: its name, as `serving_default`.
          inputs: {"text": bytes or str [batch]} for `serving_default`.

        Returns:
          {"label": bytes [batch], "probabilities": float32 [batch, classes]}.

        Raises:
          ServingError: FAILED_PRECONDITION, no such signature; INVALID_ARGUMENT, the inputs do not
            fit it, or the graph refused them.
        """
        if signature not in self._functions:
            raise ServingError(
                StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.'
            )
        _check_inputs(self.signatures[signature].inputs, inputs)
        with _serving_errors():
            tensors = {name: tf.constant(array) for name, array in inputs.items()}
            outputs = self._functions[signature](**tensors)
            return {name: tensor.numpy() for name, tensor in outputs.items()}

    def predict_request(self, request: predict_pb2.PredictRequest) -> dict[str, np.ndarray]:
        """Runs the signature that a request names, by default `serving_default`; see `predict`."""
        signature = request.model_spec.signature_name or features.SERVING_SIGNATURE
        inputs = {name: to_array(proto) for name, proto in request.inputs.items()}
        return self.predict(signature, inputs)

    def _warm_up(self, directory: Path) -> None:
        """Answers the recorded requests, so that the first real one finds every graph built."""
        path = directory / features.WARMUP_REQUESTS
        if not path.exists():
            return
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if number >= MAX_WARMUP_RECORDS or not log.HasField("predict_log"):
                raise ServingError(
                    StatusCode.INVALID_ARGUMENT,
                    f"{path.name}: expected at most {MAX_WARMUP_RECORDS} Predict requests, got "
                    f"{log.WhichOneof('log_type')} as record {number + 1}",
                )
            self.predict_request(log.predict_log.request)


@contextmanager
def _serving_errors() -> Iterator[None]:
    """Turns what TensorFlow and the file system raise into what a client may read."""
    try:
        yield
    except ServingError:
        raise
    except tf.errors.OpError as error:
        raise ServingError(_CODES[error.error_code], public_message(_reason(error))) from error
    except FileNotFoundError as error:
        raise ServingError(StatusCode.NOT_FOUND, public_message(str(error))) from error
    except (DecodeError, json.JSONDecodeError) as error:
        raise ServingError(StatusCode.DATA_LOSS, public_message(str(error))) from error
    except Exception as error:
        message = public_message(f"{type(error).__name__}: {error}")
        raise ServingError(StatusCode.INTERNAL, message) from error


def _reason(error: tf.errors.OpError) -> str:
    """What went wrong; an error inside a graph has it in the line before the node's name."""
    text, node, _ = error.message.partition("\n\t [[{{")
    return text.splitlines()[-1] if node else text


def _signature_defs(directory: Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    saved_model = saved_model_pb2.SavedModel.FromString((directory / SAVED_MODEL).read_bytes())
    for graph in saved_model.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise ServingError(
        StatusCode.NOT_FOUND, f"{SAVED_MODEL} has no graph with the tag '{tf.saved_model.SERVING}'"
    )


def _check_contract(signatures: Mapping[str, meta_graph_pb2.SignatureDef]) -> None:
    for name, input_name in CONTRACT.items():
        inputs = set(signatures[name].inputs) if name in signatures else set()
        outputs = set(signatures[name].outputs) if name in signatures else set()
        if inputs != {input_name} or outputs != OUTPUTS:
            raise ServingError(
                StatusCode.FAILED_PRECONDITION,
                f"Expected a signature '{name}' from {input_name} to {_names(OUTPUTS)}, "
                f"got {_names(inputs) or 'nothing'} to {_names(outputs) or 'nothing'}",
            )


def _labels(directory: Path) -> tuple[str, ...] | None:
    path = directory / features.MODEL_INFO
    if not path.exists():
        return None
    return tuple(json.loads(path.read_text(encoding="utf-8"))["labels"])


def _check_inputs(
    expected: Mapping[str, meta_graph_pb2.TensorInfo], inputs: Mapping[str, np.ndarray]
) -> None:
    if set(inputs) != set(expected):
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            f"input size does not match signature: {len(inputs)}!={len(expected)} "
            f"len({{{_names(inputs)}}}) != len({{{_names(expected)}}}). "
            f"Sent extra: {{{_names(set(inputs) - set(expected))}}}. "
            f"Missing but required: {{{_names(set(expected) - set(inputs))}}}.",
        )
    for name, info in expected.items():
        dtype, shape = tf.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
        got = tf.as_dtype(inputs[name].dtype)
        if got != dtype or not shape.is_compatible_with(inputs[name].shape):
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"input '{name}' must be {dtype.name} of shape {shape}, "
                f"got {got.name} of shape {list(inputs[name].shape)}",
            )


def _names(names: object) -> str:
    return ",".join(sorted(names))  # type: ignore[call-overload]
