"""Server reflection for TensorFlow Serving's services, so that grpcurl and its kind can call them.

The stubs on the package index describe the messages. Their modules that describe the services,
`prediction_service_pb2` and `model_service_pb2`, fail to import with protobuf 4 and later.
"""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

PACKAGE = "tensorflow.serving"
PREDICTION_SERVICE, MODEL_SERVICE = f"{PACKAGE}.PredictionService", f"{PACKAGE}.ModelService"
HEALTH_SERVICE = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name

# {method: (module, prefix of its request and response)}
PREDICTION_METHODS = {
    "Classify": (classification_pb2, "Classification"),
    "Regress": (regression_pb2, "Regression"),
    "Predict": (predict_pb2, "Predict"),
    "MultiInference": (inference_pb2, "MultiInference"),
    "GetModelMetadata": (get_model_metadata_pb2, "GetModelMetadata"),
}
MODEL_METHODS = {
    "GetModelStatus": (get_model_status_pb2, "GetModelStatus"),
    "HandleReloadConfigRequest": (model_management_pb2, "ReloadConfig"),
}
HEALTH_METHODS = {"Check": (health_pb2, "HealthCheck")}


def enable_reflection(server: grpc.aio.Server) -> None:
    """Registers the reflection service on a server."""
    pool = descriptor_pool.DescriptorPool()
    _copy_file(pool, health_pb2.DESCRIPTOR)
    for service, methods in (
        (PREDICTION_SERVICE, PREDICTION_METHODS),
        (MODEL_SERVICE, MODEL_METHODS),
    ):
        pool.Add(_describe(pool, service, methods))
    services = (PREDICTION_SERVICE, MODEL_SERVICE, HEALTH_SERVICE, reflection.SERVICE_NAME)
    _copy_file(pool, reflection._reflection_pb2.DESCRIPTOR)
    reflection.enable_server_reflection(services, server, pool)


def _describe(
    pool: descriptor_pool.DescriptorPool, service: str, methods: dict
) -> descriptor_pb2.FileDescriptorProto:
    name = service.removeprefix(f"{PACKAGE}.")
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{PACKAGE.replace('.', '/')}/{name}.proto", package=PACKAGE, syntax="proto3"
    )
    described = file.service.add(name=name)
    for method, (module, prefix) in methods.items():
        _copy_file(pool, module.DESCRIPTOR)
        file.dependency.append(module.DESCRIPTOR.name)
        described.method.add(
            name=method,
            input_type=f".{PACKAGE}.{prefix}Request",
            output_type=f".{PACKAGE}.{prefix}Response",
        )
    return file


def _copy_file(pool: descriptor_pool.DescriptorPool, file) -> None:
    """Adds a file's description to a pool, after those that it depends on."""
    for dependency in file.dependencies:
        _copy_file(pool, dependency)
    pool.AddSerializedFile(file.serialized_pb)
