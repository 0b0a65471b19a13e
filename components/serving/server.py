"""The serving process: REST and gRPC side by side in one event loop, over one set of versions."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import uvicorn
import uvloop

from components.errors import SentiflowError, UsageError
from components.serving.lean_tensorflow import import_tensorflow
from components.serving.model_root import find_versions
from components.serving.request_log import RequestLog
from components.serving.security import Security
from components.serving.settings import ServingSettings
from components.serving.versions import ModelVersions

log = logging.getLogger(__name__)

GRACE_SECONDS = 5.0  # for requests that are under way when the server is told to stop
BACKLOG = 2048  # connections that wait to be accepted
PROTOCOL_BYTES = 64 * 2**10  # of a gRPC message, over the sentences in it


@dataclass(frozen=True)
class ServerOptions:
    """How a server is started.

    Attributes:
      model_root: holds a folder per model, which holds a folder per version, and models.config.
      settings: the model's name, batching, limits.
      host: address to listen on.
      rest_port: 0 for a free one.
      grpc_port: 0 for a free one.
      port_file: written when the model is available: {"rest_port": …, "grpc_port": …}.
      security: TLS and token.
      ui: whether there is a page to try the model.
    """

    model_root: Path
    settings: ServingSettings = ServingSettings()
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    port_file: Path | None = None
    security: Security = field(default_factory=Security)
    ui: bool = False


def serve(options: ServerOptions) -> None:
    """Serves `<model_root>/<model_name>/` until SIGINT or SIGTERM.

    To be called from the main thread. Prints one line when the model is available.

    Raises:
      UsageError: no version is there, a port is not to be had, a file cannot be read or written.
      SentiflowError: no version loads.
    """
    directory = options.model_root / options.settings.model_name
    if not find_versions(directory):
        raise UsageError(f"{directory}: expected <version>/saved_model.pb, found no version")
    rest_socket = _listen(options.host, options.rest_port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    with rest_socket, _request_log(options.settings) as request_log:
        uvloop.run(_serve(options, rest_socket, request_log))


async def _serve(
    options: ServerOptions, rest_socket: socket.socket, request_log: RequestLog | None
) -> None:
    settings, security = options.settings, options.security
    interceptors = []
    if security.token is not None:
        from components.serving.grpc_service import BearerToken

        interceptors.append(BearerToken(security.token))
    grpc_server = grpc.aio.server(
        interceptors=interceptors,
        options=[
            ("grpc.so_reuseport", 0),  # else two servers could share a port
            ("grpc.max_receive_message_length", settings.max_body_bytes + PROTOCOL_BYTES),
        ],
    )
    grpc_port = _bind_grpc(grpc_server, options)
    threads = settings.threads or os.cpu_count() or 1
    workers = ThreadPoolExecutor(threads, thread_name_prefix="predict")
    versions, web = _build(options, grpc_server, workers, threads, request_log)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    await grpc_server.start()
    rest = asyncio.create_task(web.serve(sockets=[rest_socket]))
    try:
        await versions.refresh()
        if versions.served is None:
            raise SentiflowError(f"no version of '{versions.name}' loads: {_failures(versions)}")
        # What is there now stays: looking through it at every collection would take a while.
        gc.collect()
        gc.freeze()
        _announce(options, versions.served.version, rest_socket.getsockname()[1], grpc_port)
        await _watch(versions, settings.poll_seconds, stop)
    finally:
        web.should_exit = True
        await grpc_server.stop(GRACE_SECONDS)
        await rest
        workers.shutdown(wait=False, cancel_futures=True)


def _build(
    options: ServerOptions,
    grpc_server: grpc.aio.Server,
    workers: ThreadPoolExecutor,
    threads: int,
    request_log: RequestLog | None,
) -> tuple[ModelVersions, "_WebServer"]:
    """What answers, behind both protocols. All of TensorFlow is imported here."""
    import_tensorflow()

    from components.serving.app import create_app
    from components.serving.batching import Batcher
    from components.serving.endpoint import Endpoint
    from components.serving.grpc_service import add_services
    from components.serving.metrics import Metrics
    from components.serving.model import ServedModel
    from components.serving.ui import ui_routes

    settings, security = options.settings, options.security

    def make_batcher(model: ServedModel) -> Batcher:
        return Batcher(model.run, settings, workers, threads, metrics.observe_batch)

    versions = ModelVersions(options.model_root, settings.model_name, ServedModel, make_batcher)
    metrics = Metrics(versions, request_log)
    endpoint = Endpoint(versions, settings, metrics, request_log)
    add_services(grpc_server, endpoint)
    config = uvicorn.Config(
        create_app(endpoint, security.token, ui_routes(endpoint) if options.ui else []),
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ssl_certfile=security.certificate,
        ssl_keyfile=security.key,
        timeout_graceful_shutdown=int(GRACE_SECONDS),
    )
    return versions, _WebServer(config)


def _announce(options: ServerOptions, version: int, rest_port: int, grpc_port: int) -> None:
    if options.port_file is not None:
        _write_atomically(options.port_file, {"rest_port": rest_port, "grpc_port": grpc_port})
    scheme = "https" if options.security.certificate else "http"
    name, address = options.settings.model_name, _address(options.host, rest_port)
    print(
        f"serving '{name}' version {version}: REST {scheme}://{address}/v1/models/{name}, "
        f"gRPC {_address(options.host, grpc_port)}"
        + (f", page {scheme}://{address}/" if options.ui else ""),
        flush=True,
    )


@contextlib.contextmanager
def _request_log(settings: ServingSettings) -> Iterator[RequestLog | None]:
    if settings.request_log.path is None:
        yield None
        return
    request_log = RequestLog(settings.request_log)
    try:
        yield request_log
    finally:
        request_log.close()


class _WebServer(uvicorn.Server):
    """uvicorn, but leaving the signals to the process that it is only one half of."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()


async def _watch(versions: ModelVersions, poll_seconds: float, stop: asyncio.Event) -> None:
    """Looks for new versions until `stop` is set."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), poll_seconds)
            return
        try:
            await versions.refresh()
        except Exception:
            log.exception("looking for new versions failed; version %s goes on", versions.served)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only where it reads that the
    # protocol is TCP; `socket.create_server` leaves that open.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {_address(host, port)} for REST: {reason}") from error
    return listener


def _bind_grpc(server: grpc.aio.Server, options: ServerOptions) -> int:
    address = _address(options.host, options.grpc_port)
    credentials = options.security.grpc_credentials()
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise UsageError(
            f"cannot listen on {address} for gRPC: the port is taken or not allowed"
        ) from error


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _failures(versions: ModelVersions) -> str:
    failed = versions.status(versions.name)
    return "; ".join(f"version {each.version}: {each.message}" for each in failed)


def _write_atomically(path: Path, content: dict) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(json.dumps(content))
    os.replace(partial, path)


def _leave(number: int, frame: object) -> None:
    """Ends the process while it still imports: nothing is served yet that could be cut off."""
    os._exit(0)
