"""Status and metadata of the model in TensorFlow Serving's messages, for REST and gRPC."""

from collections.abc import Iterable

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from components.serving.versions import LoadedVersion, ModelVersions

SIGNATURE_DEF = "signature_def"  # the only metadata field that TensorFlow Serving has
CLASSES = "classes"  # this server's own: the names of the classes, a ListValue


def model_status(
    versions: ModelVersions, name: str, version: int | None = None
) -> get_model_status_pb2.GetModelStatusResponse:
    """State of every version, or of one; raises ServingError where there is none."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in versions.status(name, version):
        entry = response.model_version_status.add()
        entry.version = status.version
        entry.state = entry.State.Value(status.state.value)
        entry.status.error_code = status.code.value[0]
        entry.status.error_message = status.message
    return response


def model_metadata(
    loaded: LoadedVersion, name: str, fields: Iterable[str]
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a loaded version, and the names of its classes, as `fields` says."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = loaded.version
    for field in fields:
        if field == SIGNATURE_DEF:
            response.metadata[field].Pack(_signature_map(loaded))
        else:
            classes = struct_pb2.ListValue()
            classes.extend(loaded.model.labels or ())
            response.metadata[field].Pack(classes)
    return response


def status_json(response: get_model_status_pb2.GetModelStatusResponse) -> dict:
    """The JSON of a status response."""
    return MessageToDict(response, always_print_fields_with_no_presence=True)


def metadata_json(loaded: LoadedVersion, name: str) -> dict:
    """The JSON of a metadata response, the signatures unpacked as TensorFlow Serving does."""
    spec = model_pb2.ModelSpec(name=name)
    spec.version.value = loaded.version
    spec_json, signatures_json = (
        MessageToDict(
            message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
        )
        for message in (spec, _signature_map(loaded))
    )
    return {"model_spec": spec_json, "metadata": {SIGNATURE_DEF: signatures_json}}


def _signature_map(loaded: LoadedVersion) -> get_model_metadata_pb2.SignatureDefMap:
    return get_model_metadata_pb2.SignatureDefMap(signature_def=loaded.model.signatures)
