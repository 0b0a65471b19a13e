"""One version of the model, loaded from its SavedModel, checked and warmed up."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.serving.errors import ServingError, public_message
from components.serving.model_root import SAVED_MODEL
from components.serving.tensors import to_array
from schema import features

CONTRACT = {
    features.SERVING_SIGNATURE: features.TEXT,
    features.EXAMPLES_SIGNATURE: features.EXAMPLES,
}
OUTPUTS = (features.LABEL, features.PROBABILITIES)
MAX_WARMUP_RECORDS = 1000  # TensorFlow Serving's own bound

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ServedModel:
    """A SavedModel with the serving contract, ready to answer; may be called from many threads.

    It runs in a session of its own, as in TensorFlow Serving: closing it gives the memory back,
    which loading it into TensorFlow's eager runtime does not. Every operation runs in the thread
    that calls: an LSTM's are too small to be worth handing to another, and two calls use two cores.

    Args:
      directory: the version's folder, which holds saved_model.pb.

    Attributes:
      directory: the version's folder.
      signatures: {name: SignatureDef} as they stand in the file.
      labels: the classes in the order of `probabilities`; None where the model does not tell them.

    Raises:
      ServingError: the folder holds no SavedModel that loads, keeps the contract and answers its
        warm-up requests.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with _serving_errors():
            self.signatures = _signature_defs(directory)
            _check_contract(self.signatures)
            self.labels = _labels(directory)
            self._session = tf.compat.v1.Session(graph=tf.Graph(), config=_session_config())
            try:
                self._functions = self._restore(directory)
                self._warm_up(directory)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Frees the model's memory; it must not be running."""
        self._session.close()

    def string_input(self, signature: str) -> str:
        """The name of a signature's input, for a protocol that can only carry strings.

        Raises:
          ServingError: INVALID_ARGUMENT, no such signature, or none that takes sentences.
        """
        if signature not in self.signatures:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f'Serving signature name: "{signature}" not found in signature def',
            )
        if signature not in CONTRACT:  # the initialisation, which every SavedModel lists
            raise ServingError(
                StatusCode.INVALID_ARGUMENT, f"Failed to get input map for signature: {signature}"
            )
        return CONTRACT[signature]

    def rows(self, signature: str, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The strings that a request brings for a signature of the contract: object [rows].

        Raises:
          ServingError: FAILED_PRECONDITION, no such signature; INVALID_ARGUMENT, the inputs do not
            fit it.
        """
        if signature not in CONTRACT:
            raise ServingError(
                StatusCode.FAILED_PRECONDITION, f'Serving signature key "{signature}" not found.'
            )
        expected = CONTRACT[signature]
        if len(inputs) != 1:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"input size does not match signature: {len(inputs)}!=1 "
                f"len({{{_names(inputs)}}}) != len({{{expected}}}). "
                f"Sent extra: {{{_names(set(inputs) - {expected})}}}. "
                f"Missing but required: {{{_names({expected} - set(inputs))}}}.",
            )
        (name, array), *_ = inputs.items()
        if name != expected:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"input tensor alias not found in signature: {name}. "
                f"Inputs expected to be in the set {{{expected}}}.",
            )
        if array.dtype != np.object_ or array.ndim != 1:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"input '{name}' must be string of shape (None,), "
                f"got {tf.as_dtype(array.dtype).name} of shape {list(array.shape)}",
            )
        return array

    def predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Checks a request's inputs and runs them; see `rows` and `run`."""
        return self.run(signature, self.rows(signature, inputs))

    def run(self, signature: str, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Runs a signature of the contract.

        Args:
          signature: its name, as `serving_default`.
          rows: object [rows], bytes.

        Returns:
          {"label": object [rows], bytes; "probabilities": float32 [rows, classes]}.

        Raises:
          ServingError: the graph refused the strings.
        """
        with _serving_errors():
            return dict(zip(OUTPUTS, self._functions[signature](rows), strict=True))

    def predict_request(self, request: predict_pb2.PredictRequest) -> dict[str, np.ndarray]:
        """Runs the signature that a request names, by default `serving_default`; see `predict`."""
        signature = request.model_spec.signature_name or features.SERVING_SIGNATURE
        inputs = {name: to_array(proto) for name, proto in request.inputs.items()}
        return self.predict(signature, inputs)

    def _restore(self, directory: Path) -> dict[str, Callable[[np.ndarray], list[np.ndarray]]]:
        """Restores the variables and tables; returns {signature: strings to OUTPUTS}."""
        with self._session.graph.as_default():
            try:
                tf.compat.v1.saved_model.loader.load(
                    self._session, [tf.saved_model.SERVING], str(directory)
                )
            except ValueError as error:  # the variables are not there
                raise ServingError(StatusCode.NOT_FOUND, public_message(str(error))) from error
        return {name: self._callable(name) for name in CONTRACT}

    def _callable(self, name: str) -> Callable[[np.ndarray], list[np.ndarray]]:
        signature = self.signatures[name]
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[CONTRACT[name]].name],
            fetch=[signature.outputs[output].name for output in OUTPUTS],
        )
        # The public make_callable goes through Session.run where there are feeds, which costs a
        # tenth of a millisecond and holds Python's lock for it.
        return self._session._make_callable_from_options(options)

    def _warm_up(self, directory: Path) -> None:
        """Answers the recorded requests, so that the first real one finds every graph built."""
        path = directory / features.WARMUP_REQUESTS
        if not path.exists():
            return
        for number, record in enumerate(tf.compat.v1.io.tf_record_iterator(str(path))):
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if number >= MAX_WARMUP_RECORDS or not log.HasField("predict_log"):
                raise ServingError(
                    StatusCode.INVALID_ARGUMENT,
                    f"{path.name}: expected at most {MAX_WARMUP_RECORDS} Predict requests, got "
                    f"{log.WhichOneof('log_type')} as record {number + 1}",
                )
            self.predict_request(log.predict_log.request)


def _session_config() -> tf.compat.v1.ConfigProto:
    return tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=-1,  # in the calling thread
        intra_op_parallelism_threads=1,
        # A serving process beside a training one must not take the GPU's memory from it.
        device_count={"GPU": 0},
    )


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
        if inputs != {input_name} or outputs != set(OUTPUTS):
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


def _names(names: object) -> str:
    return ",".join(sorted(names))  # type: ignore[call-overload]
