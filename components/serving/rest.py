"""TensorFlow Serving's REST API, for one model, and what it lacks: the classes, and probes.

Source of paths, status codes and error bodies: TensorFlow Serving, docs "RESTful API" and
model_servers/http_rest_api_util.cc, http_server.cc.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from grpc import StatusCode
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException

from components.serving.errors import ServingError
from components.serving.model_info import metadata_json, model_status, status_json
from components.serving.rest_json import parse_body, to_inputs, to_json
from components.serving.versions import ModelVersions

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


class _ModelName(StringConvertor):
    """A model's name in a path: the colon begins the verb, as in `sentiment:predict`."""

    regex = "[^/:]+"


register_url_convertor("model", _ModelName())


def create_app(versions: ModelVersions, workers: Executor) -> FastAPI:
    """The REST API over the versions of one model; predictions run in `workers`."""
    app = FastAPI(title="sentiflow serving", docs_url=None, redoc_url=None)
    _add_model_routes(app, versions, workers)
    _add_probes(app, versions)
    _add_error_handlers(app)
    return app


def answer_predict(versions: ModelVersions, name: str, version: int | None, body: bytes) -> bytes:
    """Answers the body of a predict request, both being JSON; raises ServingError."""
    request = parse_body(body)
    model = versions.get(name, version).model
    inputs = to_inputs(request, model.string_inputs(request.signature))
    return to_json(model.predict(request.signature, inputs), request.columns)


def _add_model_routes(app: FastAPI, versions: ModelVersions, workers: Executor) -> None:
    async def predict(request: Request, name: str, version: int | None = None) -> Response:
        body = await request.body()
        answer = await asyncio.get_running_loop().run_in_executor(
            workers, answer_predict, versions, name, _checked(version), body
        )
        return Response(answer, media_type="application/json")

    async def status(name: str, version: int | None = None) -> Response:
        return JSONResponse(status_json(model_status(versions, name, _checked(version))))

    async def metadata(name: str, version: int | None = None) -> Response:
        return JSONResponse(metadata_json(versions.get(name, _checked(version)), name))

    async def classes(name: str, version: int | None = None) -> Response:
        labels = versions.get(name, _checked(version)).model.labels
        if labels is None:
            raise ServingError(
                StatusCode.NOT_FOUND, f"Model {name} does not tell the names of its classes"
            )
        return JSONResponse({"labels": list(labels)})

    for model in ("/v1/models/{name:model}", "/v1/models/{name:model}/versions/{version:int}"):
        app.post(f"{model}:predict")(predict)
        app.get(f"{model}/metadata")(metadata)
        app.get(f"{model}/classes")(classes)
        app.get(model)(status)


def _add_probes(app: FastAPI, versions: ModelVersions) -> None:
    @app.get("/healthz")
    async def alive() -> dict:
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> dict:
        if versions.served is None:
            raise ServingError(
                StatusCode.UNAVAILABLE, f"Model {versions.name} is not available yet"
            )
        return {"status": "ready", "model": versions.name, "version": versions.served.version}


def _add_error_handlers(app: FastAPI) -> None:
    def error(status: int, message: str) -> JSONResponse:
        return JSONResponse({"error": message}, status)

    async def serving_error(_: Request, failure: ServingError) -> Response:
        return error(HTTP_STATUS.get(failure.code, 500), failure.message)

    async def no_such_path(request: Request, failure: HTTPException) -> Response:
        if request.url.path.startswith("/v1/"):  # TensorFlow Serving has neither 404 nor 405 here
            return error(400, f"Malformed request: {request.method} {request.url.path}")
        return error(failure.status_code, str(failure.detail))

    async def unexpected(_: Request, failure: Exception) -> Response:
        return error(500, "internal error")

    handlers: dict[type[Exception], Callable] = {
        ServingError: serving_error,
        HTTPException: no_such_path,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _checked(version: int | None) -> int | None:
    if version is not None and version > MAX_VERSION:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT, f"Failed to convert version: {version} to numeric."
        )
    return version
