"""TensorFlow Serving's gRPC services on its official stubs.

Predict, GetModelMetadata and GetModelStatus; the generated base classes answer UNIMPLEMENTED to the
others.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc import StatusCode
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from components.serving.errors import ServingError
from components.serving.model_info import (
    SIGNATURE_DEF,
    model_metadata,
    model_status,
    requested_version,
)
from components.serving.tensors import to_proto
from components.serving.versions import ModelVersions
from schema import features


def add_services(server: grpc.aio.Server, versions: ModelVersions, workers: Executor) -> None:
    """Registers the services on a server; predictions run in `workers`."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(versions, workers), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        _ModelService(versions, workers), server
    )


def answer_predict(
    versions: ModelVersions, request: predict_pb2.PredictRequest
) -> predict_pb2.PredictResponse:
    """Answers a predict request; raises ServingError."""
    loaded = versions.get(request.model_spec.name, requested_version(request.model_spec))
    outputs = loaded.model.predict_request(request)
    wanted = list(request.output_filter) or list(outputs)
    if len(set(wanted)) < len(wanted) or not set(wanted) <= set(outputs):
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            f"output_filter must name different ones of {{{','.join(sorted(outputs))}}}, "
            f"got {{{','.join(wanted)}}}",
        )
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = loaded.version
    response.model_spec.signature_name = (
        request.model_spec.signature_name or features.SERVING_SIGNATURE
    )
    for name in wanted:
        response.outputs[name].CopyFrom(to_proto(outputs[name]))
    return response


def answer_metadata(
    versions: ModelVersions, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Answers a metadata request; raises ServingError."""
    if list(request.metadata_field) != [SIGNATURE_DEF]:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT,
            f"metadata_field must be ['{SIGNATURE_DEF}'], got {list(request.metadata_field)}",
        )
    loaded = versions.get(request.model_spec.name, requested_version(request.model_spec))
    return model_metadata(loaded, request.model_spec.name)


def answer_status(
    versions: ModelVersions, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers a status request; raises ServingError."""
    return model_status(versions, request.model_spec.name, requested_version(request.model_spec))


class _Service:
    def __init__(self, versions: ModelVersions, workers: Executor) -> None:
        self._versions = versions
        self._workers = workers

    async def _answer(
        self, answer: Callable[..., Message], request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        """Runs `answer` in a worker thread, so that the event loop goes on taking requests."""
        try:
            if not request.HasField("model_spec"):
                raise ServingError(StatusCode.INVALID_ARGUMENT, "Missing ModelSpec")
            return await asyncio.get_running_loop().run_in_executor(
                self._workers, answer, self._versions, request
            )
        except ServingError as error:
            await context.abort(error.code, error.message)


class _PredictionService(_Service, prediction_service_pb2_grpc.PredictionServiceServicer):
    async def Predict(self, request, context):  # noqa: N802
        return await self._answer(answer_predict, request, context)

    async def GetModelMetadata(self, request, context):  # noqa: N802
        return await self._answer(answer_metadata, request, context)


class _ModelService(_Service, model_service_pb2_grpc.ModelServiceServicer):
    async def GetModelStatus(self, request, context):  # noqa: N802
        return await self._answer(answer_status, request, context)
