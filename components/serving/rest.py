"""TensorFlow Serving's REST API for one model, as an ASGI application.

Source of paths, status codes and error bodies: TensorFlow Serving, docs "RESTful API" and
model_servers/http_rest_api_util.cc, http_rest_api_handler.cc, http_server.cc.
"""

import json
import logging
import re
import time
import zlib
from urllib.parse import unquote

from grpc import StatusCode
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from components.serving.endpoint import Endpoint
from components.serving.errors import ServingError
from components.serving.metrics import REST
from components.serving.model_info import metadata_json, model_status, status_json
from components.serving.rest_json import parse_body, to_inputs, to_json

log = logging.getLogger(__name__)

HTTP_STATUS = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.FAILED_PRECONDITION: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.CANCELLED: 499,
    StatusCode.UNIMPLEMENTED: 501,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}  # every other code is a 500
MAX_VERSION = 2**63 - 1  # int64 in TensorFlow Serving's messages
GZIP = 16 + zlib.MAX_WBITS

# `classes` is this server's own: TensorFlow Serving cannot say which probability is which class's.
_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_PREDICT = re.compile(rf"{_MODEL}:predict", re.IGNORECASE | re.ASCII)
_RESOURCE = re.compile(rf"{_MODEL}(?:/(metadata|classes))?", re.IGNORECASE | re.ASCII)


class ModelApi:
    """Everything below /v1/.

    Args:
      endpoint: what answers.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._versions = endpoint.versions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, by the protocol ASGI."""
        started = time.perf_counter()
        path = scope["raw_path"].decode("ascii", "replace")
        try:
            status, answer = 200, await self._answer(path, Request(scope, receive), started)
        except ServingError as error:
            status, answer = HTTP_STATUS.get(error.code, 500), _error(error.message)
            code = error.code.name
        except HTTPException as error:
            status, answer = error.status_code, _error(error.detail)
            code = StatusCode.INVALID_ARGUMENT.name
        except Exception:
            log.exception("a request failed")
            status, answer = 500, _error("internal error")
            code = StatusCode.INTERNAL.name
        if status != 200 and scope["method"] == "POST":
            self._endpoint.metrics.observe_error(code)
        length = b"%d" % len(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, path: str, request: Request, started: float) -> bytes:
        method = request.method
        if method == "POST" and (match := _PREDICT.fullmatch(path)):
            body = await read_body(request, self._endpoint.settings.max_body_bytes)
            return await self._predict(*_model_spec(match), body, started)
        if method == "GET" and (match := _RESOURCE.fullmatch(path)):
            return json.dumps(self._get(*_model_spec(match), (match[4] or "").lower())).encode()
        raise ServingError(StatusCode.INVALID_ARGUMENT, f"Malformed request: {method} {path}")

    async def _predict(
        self, name: str, version: int | None, label: str | None, body: bytes, started: float
    ) -> bytes:
        request = parse_body(body)
        loaded = self._versions.get(name, version, label)
        input_name = loaded.model.string_input(request.signature)
        instances = request.document.get("instances")
        if isinstance(instances, list):  # too many would take a while to look through
            self._endpoint.check_count(len(instances))
        rows = loaded.model.rows(request.signature, to_inputs(request, [input_name]))
        outputs = await self._endpoint.predict(loaded, request.signature, rows, REST, started)
        return to_json(outputs, request.columns)

    def _get(self, name: str, version: int | None, label: str | None, resource: str) -> dict:
        if not resource:  # TensorFlow Serving looks at no label here
            return status_json(model_status(self._versions, name, version))
        loaded = self._versions.get(name, version, label)
        if resource == "metadata":
            return metadata_json(loaded, name)
        if loaded.model.labels is None:
            raise ServingError(
                StatusCode.NOT_FOUND, f"Model {name} does not tell the names of its classes"
            )
        return {"labels": list(loaded.model.labels)}


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error as TensorFlow Serving writes it."""
    return Response(_error(message), status, headers, "application/json")


def _error(message: str) -> bytes:
    return json.dumps({"error": message}).encode()


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request, unpacked.

    Raises:
      HTTPException: 413, it has more than `limit` bytes; 415, its encoding is not known; 400, it
        is not what its encoding says.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"Expected a body of at most {limit} bytes")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return bytes(body)
    if encoding not in ("gzip", "x-gzip"):
        raise HTTPException(415, f"Expected the Content-Encoding gzip or none, got {encoding[:40]}")
    unpacker = zlib.decompressobj(GZIP)
    try:
        unpacked = unpacker.decompress(bytes(body), limit + 1)
    except zlib.error as error:
        raise HTTPException(400, "The body is not in gzip's format") from error
    if len(unpacked) > limit:
        raise HTTPException(413, f"Expected a body of at most {limit} bytes, unpacked")
    if not unpacker.eof:
        raise HTTPException(400, "The gzip body ends early")
    return unpacked


def _model_spec(match: re.Match) -> tuple[str, int | None, str | None]:
    name, version, label = match[1], match[2], match[3]
    if version is not None and int(version) > MAX_VERSION:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT, f"Failed to convert version: {version} to numeric."
        )
    return (
        unquote(name),
        int(version) if version is not None else None,
        unquote(label) if label is not None else None,
    )
