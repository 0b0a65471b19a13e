"""TensorFlow Serving's gRPC services on its official stubs, health and reflection beside them.

Predict, GetModelMetadata, GetModelStatus and HandleReloadConfigRequest; the generated base classes
answer UNIMPLEMENTED to the others.
"""

import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from components.serving.endpoint import Endpoint
from components.serving.errors import ServingError
from components.serving.grpc_reflection import (
    HEALTH_METHODS,
    HEALTH_SERVICE,
    MODEL_METHODS,
    MODEL_SERVICE,
    PREDICTION_METHODS,
    PREDICTION_SERVICE,
    enable_reflection,
)
from components.serving.metrics import GRPC
from components.serving.model import OUTPUTS
from components.serving.model_info import CLASSES, SIGNATURE_DEF, model_metadata, model_status
from components.serving.model_root import find_model, version_policy
from components.serving.tensors import to_array, to_proto
from components.serving.versions import LoadedVersion, ModelVersions
from schema import features

log = logging.getLogger(__name__)


def add_services(server: grpc.aio.Server, endpoint: Endpoint) -> None:
    """Registers the services on a server."""
    for service, methods, servicer in (
        (PREDICTION_SERVICE, PREDICTION_METHODS, _PredictionService(endpoint)),
        (MODEL_SERVICE, MODEL_METHODS, _ModelService(endpoint)),
        (HEALTH_SERVICE, HEALTH_METHODS, _Health(endpoint.versions)),
    ):
        handlers = {
            method: grpc.unary_unary_rpc_method_handler(
                getattr(servicer, method),
                request_deserializer=_reader(getattr(module, f"{prefix}Request")),
                response_serializer=getattr(module, f"{prefix}Response").SerializeToString,
            )
            for method, (module, prefix) in methods.items()
        }
        handler = grpc.method_handlers_generic_handler(service, handlers)
        server.add_generic_rpc_handlers((handler,))
    enable_reflection(server)


def _reader(kind: type) -> Callable[[bytes], Any]:
    """Parses messages; None for what is none, to which grpc itself would answer with a traceback's
    last line and UNKNOWN."""

    def read(message: bytes) -> Any:
        try:
            return kind.FromString(message)  # type: ignore[attr-defined]
        except DecodeError:
            return None

    return read


class BearerToken(grpc.aio.ServerInterceptor):
    """Lets only calls with the metadata `authorization: Bearer <token>` pass, and health checks."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}"

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Sends a call on, or to a handler that refuses it."""
        given = str(dict(details.invocation_metadata).get("authorization", ""))
        if details.method.startswith(f"/{HEALTH_SERVICE}/") or hmac.compare_digest(
            given.encode(), self._expected.encode()
        ):
            return await continuation(details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


async def _refuse(_: bytes, context: grpc.aio.ServicerContext) -> None:
    await context.abort(StatusCode.UNAUTHENTICATED, "Missing or wrong token")


async def _predict(
    endpoint: Endpoint,
    request: predict_pb2.PredictRequest,
    started: float,
    timeout: float | None,
) -> predict_pb2.PredictResponse:
    spec = request.model_spec
    loaded = _requested(endpoint.versions, spec)
    signature = spec.signature_name or features.SERVING_SIGNATURE
    inputs = {name: to_array(proto) for name, proto in request.inputs.items()}
    rows = loaded.model.rows(signature, inputs)
    wanted = list(request.output_filter) or OUTPUTS
    _check_output_filter(wanted)
    outputs = await endpoint.predict(loaded, signature, rows, GRPC, started, timeout)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = spec.name
    response.model_spec.version.value = loaded.version
    response.model_spec.signature_name = signature
    for name in wanted:
        response.outputs[name].CopyFrom(to_proto(outputs[name]))
    return response


def _check_output_filter(wanted: Sequence[str]) -> None:
    """Raises ServingError as TensorFlow Serving's predict_util does."""
    for number, name in enumerate(wanted):
        if name not in OUTPUTS:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{','.join(OUTPUTS)}}}.",
            )
        if name in wanted[:number]:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT, f"duplicate output tensor alias: {name}"
            )


def _requested(versions: ModelVersions, spec: model_pb2.ModelSpec) -> LoadedVersion:
    if not spec.name:
        raise ServingError(StatusCode.INVALID_ARGUMENT, "ModelSpec has no name specified.")
    return versions.get(spec.name, *_version_choice(spec))


def _version_choice(spec: model_pb2.ModelSpec) -> tuple[int | None, str | None]:
    match spec.WhichOneof("version_choice"):
        case "version":
            return spec.version.value, None
        case "version_label" if spec.version_label:
            return None, spec.version_label
        case _:
            return None, None


async def _metadata(
    endpoint: Endpoint,
    request: get_model_metadata_pb2.GetModelMetadataRequest,
    *_: Any,
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    if not request.metadata_field:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            "GetModelMetadataRequest must specify at least one metadata_field",
        )
    for field in request.metadata_field:
        if field not in (SIGNATURE_DEF, CLASSES):
            raise ServingError(
                StatusCode.INVALID_ARGUMENT, f"Metadata field {field} is not supported"
            )
    loaded = _requested(endpoint.versions, request.model_spec)
    return model_metadata(loaded, request.model_spec.name, request.metadata_field)


async def _status(
    endpoint: Endpoint, request: get_model_status_pb2.GetModelStatusRequest, *_: Any
) -> get_model_status_pb2.GetModelStatusResponse:
    version, _label = _version_choice(request.model_spec)  # TensorFlow Serving looks at no label
    return model_status(endpoint.versions, request.model_spec.name, version)


async def _reload(
    endpoint: Endpoint, request: model_management_pb2.ReloadConfigRequest, *_: Any
) -> model_management_pb2.ReloadConfigResponse:
    if request.config.WhichOneof("config") != "model_config_list":
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported",
        )
    name = endpoint.versions.name
    model = find_model(request.config, name)
    if model is None or len(request.config.model_config_list.config) > 1:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT, f"Expected the configuration of the one model '{name}'"
        )
    await endpoint.versions.reload(version_policy(model))
    return model_management_pb2.ReloadConfigResponse()


class _Service:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def _answer(
        self,
        answer: Callable[..., Awaitable[Any]],
        request: Any,
        context: grpc.aio.ServicerContext,
        spec: str | None = "model_spec",
    ) -> Any:
        started = time.perf_counter()
        try:
            if request is None:
                raise ServingError(StatusCode.INVALID_ARGUMENT, "The message cannot be parsed")
            if spec and not request.HasField(spec):
                raise ServingError(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
            return await answer(self._endpoint, request, started, context.time_remaining())
        except ServingError as error:
            code, message = error.code, error.message
        except Exception:  # grpc would show its text to the client
            log.exception("a request failed")
            code, message = StatusCode.INTERNAL, "internal error"
        self._endpoint.metrics.observe_error(code.name)
        await context.abort(code, message)


class _PredictionService(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    async def Predict(self, request, context):  # noqa: N802
        return await self._answer(_predict, request, context)

    async def GetModelMetadata(self, request, context):  # noqa: N802
        return await self._answer(_metadata, request, context)


class _ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    async def GetModelStatus(self, request, context):  # noqa: N802
        return await self._answer(_status, request, context)

    async def HandleReloadConfigRequest(self, request, context):  # noqa: N802
        return await self._answer(_reload, request, context, spec=None)


class _Health(health_pb2_grpc.HealthServicer):
    """The standard health check: serving once a version is."""

    def __init__(self, versions: ModelVersions) -> None:
        self._versions = versions

    async def Check(self, request, context):  # noqa: N802
        if request is None:
            await context.abort(StatusCode.INVALID_ARGUMENT, "The message cannot be parsed")
        if request.service not in ("", PREDICTION_SERVICE, MODEL_SERVICE):
            await context.abort(StatusCode.NOT_FOUND, "unknown service")
        states = health_pb2.HealthCheckResponse.ServingStatus
        serving = self._versions.served is not None
        return health_pb2.HealthCheckResponse(
            status=states.SERVING if serving else states.NOT_SERVING
        )
