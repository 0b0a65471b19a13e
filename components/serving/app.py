"""The ASGI application: REST API, probes, metrics, its description, the page to try the model."""

import hmac
import json
from collections.abc import Callable
from pathlib import Path

import yaml
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from components.serving.endpoint import Endpoint
from components.serving.metrics import CONTENT_TYPE
from components.serving.rest import ModelApi, error_response

DESCRIPTION = Path(__file__).parent / "openapi.yaml"
ACCEPT_ENCODING = b"accept-encoding"
GZIP_FROM_BYTES = 1024  # shorter answers are not worth the time
NO_TOKEN = ("/healthz", "/readyz", "/")  # what a probe asks, and the page, which has no secrets


def create_app(
    endpoint: Endpoint, token: str | None = None, ui: list[Route] | None = None
) -> ASGIApp:
    """Everything that is answered over HTTP.

    Args:
      endpoint: what answers the REST API.
      token: that requests must bear; None: none is asked for.
      ui: further routes, for the page to try it.
    """
    services = Starlette(
        routes=[*_service_routes(endpoint), *(ui or [])],
        exception_handlers={HTTPException: _refused, Exception: _unexpected},
    )
    app = _Dispatcher(ModelApi(endpoint), services)
    return BearerToken(app, token) if token is not None else app


class _Dispatcher:
    """Hands requests on, those of the REST API on the shortest way."""

    def __init__(self, model_api: ASGIApp, services: ASGIApp) -> None:
        self._model_api = model_api
        self._services = services
        self._zipped = GZipMiddleware(self._answer, minimum_size=GZIP_FROM_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        zipped = any(b"gzip" in value for key, value in scope["headers"] if key == ACCEPT_ENCODING)
        await (self._zipped if zipped else self._answer)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_model = scope["path"][:4].lower() == "/v1/"
        await (self._model_api if is_model else self._services)(scope, receive, send)


class BearerToken:
    """Lets only requests with `Authorization: Bearer <token>` pass."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, by the protocol ASGI."""
        given = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"] in NO_TOKEN or hmac.compare_digest(given, self._expected):
            await self._app(scope, receive, send)
            return
        response = error_response(401, "Missing or wrong token", {"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)


def _service_routes(endpoint: Endpoint) -> list[Route]:
    versions, metrics = endpoint.versions, endpoint.metrics
    description = json.dumps(yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))).encode()

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        if versions.served is None:
            return error_response(503, f"Model {versions.name} is not available yet")
        served = versions.served.version
        return JSONResponse({"status": "ready", "model": versions.name, "version": served})

    async def prometheus(_: Request) -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE)

    async def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    paths: dict[str, Callable] = {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": prometheus,
        "/monitoring/prometheus/metrics": prometheus,
        "/openapi.json": openapi,
    }
    return [Route(path, handler, methods=["GET"]) for path, handler in paths.items()]


async def _refused(_: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)
    return error_response(failure.status_code, str(failure.detail), dict(failure.headers or {}))


async def _unexpected(_: Request, failure: Exception) -> Response:
    return error_response(500, "internal error")
