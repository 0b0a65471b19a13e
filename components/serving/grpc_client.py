"""A gRPC client for TensorFlow Serving and for this project's own server, on the official stubs.

Its messages belong to TensorFlow, which is imported with this module.
"""

import json
from collections.abc import Sequence

import grpc
from google.protobuf import struct_pb2
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from components.errors import UsageError
from components.serving.client import (
    DEFAULT_MODEL_NAME,
    DEFAULT_OPTIONS,
    ClientOptions,
    Prediction,
    ServerFailed,
    batches_of,
    read_certificate,
    to_predictions,
)
from components.serving.model_info import CLASSES
from schema import features

SCHEMES = {"grpc": False, "grpcs": True}  # {scheme: whether it is TLS}
MAX_ATTEMPTS = 5  # of gRPC's own retries, whatever a client asks for
_NOT_THE_CALLERS_FAULT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)


class GrpcPredictor:
    """Asks one model of a server; the channel stays open between calls.

    Args:
      url: `grpc://host:8500`, or `grpcs://` for TLS; `/<model>` may follow.
      labels: the classes in the model's order; None: the server is asked for them.
      model_name: used where the URL names none.
      options: time-out, retries, batches, token.

    Raises:
      UsageError: the URL is none, or the certificate cannot be read.
    """

    def __init__(
        self,
        url: str,
        labels: Sequence[str] | None = None,
        *,
        model_name: str = DEFAULT_MODEL_NAME,
        options: ClientOptions = DEFAULT_OPTIONS,
    ) -> None:
        self.url = url
        scheme, _, rest = url.partition("://")
        address, _, named = rest.rstrip("/").partition("/")
        if scheme not in SCHEMES or not address or "/" in named:
            raise UsageError(f"expected a URL like grpc://localhost:8500, got '{url}'")
        self._model_name = named or model_name
        self._labels = tuple(labels) if labels is not None else None
        self._options = options
        self._metadata = [("authorization", f"Bearer {options.token}")] if options.token else []
        self._channel = _open(address, SCHEMES[scheme], options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def __enter__(self) -> "GrpcPredictor":
        return self

    def __exit__(self, *exception: object) -> None:
        self._channel.close()

    def __call__(self, sentences: Sequence[str]) -> list[Prediction]:
        """Classifies sentences, in their order.

        Raises:
          UsageError: the request was refused, or the labels are missing or are not the model's.
          ServerFailed: no answer in time, or none at all.
        """
        return [
            prediction
            for batch in batches_of(sentences, self._options.batch_size)
            for prediction in self._predict(batch)
        ]

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the model's order; the server is asked once where they were not given."""
        if self._labels is None:
            self._labels = self._ask_labels()
        return self._labels

    def _predict(self, sentences: Sequence[str]) -> list[Prediction]:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self._model_name
        text = request.inputs[features.TEXT]
        text.dtype = types_pb2.DT_STRING
        text.tensor_shape.dim.add().size = len(sentences)
        text.string_val.extend(sentence.encode(errors="surrogateescape") for sentence in sentences)
        outputs = self._call(self._stub.Predict, request).outputs
        labels = [label.decode() for label in outputs[features.LABEL].string_val]
        flat = list(outputs[features.PROBABILITIES].float_val)
        classes = len(flat) // max(len(sentences), 1)
        if len(labels) != len(sentences) or len(flat) != classes * len(sentences):
            raise UsageError(
                f"{self.url}: expected {len(sentences)} predictions with "
                f"'{features.LABEL}' and '{features.PROBABILITIES}': this is no sentiflow model"
            )
        rows = [flat[start : start + classes] for start in range(0, len(flat), classes)]
        return to_predictions(
            self.url, sentences, list(zip(labels, rows, strict=True)), self.labels
        )

    def _ask_labels(self) -> tuple[str, ...]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[CLASSES])
        request.model_spec.name = self._model_name
        try:
            answer = self._call(self._stub.GetModelMetadata, request)
        except UsageError as error:  # what TensorFlow Serving, which has no such field, answers
            raise UsageError(
                f"{self.url}: the server does not say which classes the model has; "
                "give them as data.labels in the configuration"
            ) from error
        labels = struct_pb2.ListValue()
        answer.metadata[CLASSES].Unpack(labels)
        return tuple(value.string_value for value in labels.values)

    def _call(self, method, request):
        try:
            return method(request, self._options.timeout_seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            message = " ".join(f"{self.url}: {error.code().name}: {error.details()}".split())
            if error.code() in _NOT_THE_CALLERS_FAULT:
                raise ServerFailed(message) from error
            raise UsageError(message) from error


def _open(address: str, is_tls: bool, options: ClientOptions) -> grpc.Channel:
    config: dict = {
        "methodConfig": [{"name": [{"service": "tensorflow.serving.PredictionService"}]}]
    }
    if options.attempts > 1:
        config["methodConfig"][0]["retryPolicy"] = {
            "maxAttempts": min(options.attempts, MAX_ATTEMPTS),
            "initialBackoff": f"{options.first_pause_seconds}s",
            "maxBackoff": "10s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
    channel_options = [("grpc.service_config", json.dumps(config))]
    if not is_tls:
        return grpc.insecure_channel(address, channel_options)
    trusted = read_certificate(options.ca_certificate) if options.ca_certificate else None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(trusted), channel_options)
