"""The serving process: REST and gRPC side by side in one event loop, over one set of versions."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import uvicorn

from components.errors import SentiflowError, UsageError
from components.serving.lean_tensorflow import import_tensorflow
from components.serving.versions import ModelVersions, find_versions

if TYPE_CHECKING:
    from concurrent.futures import Executor

log = logging.getLogger(__name__)

GRACE_SECONDS = 5.0  # for requests that are under way when the server is told to stop
MAX_MESSAGE_BYTES = 64 * 2**20
BACKLOG = 2048  # connections that wait to be accepted
WORKERS = 8  # threads that run predictions


def serve(
    model_root: Path,
    model_name: str,
    host: str = "127.0.0.1",
    rest_port: int = 8501,
    grpc_port: int = 8500,
    poll_seconds: float = 2.0,
    port_file: Path | None = None,
) -> None:
    """Serves the newest version in `<model_root>/<model_name>/` until SIGINT or SIGTERM.

    To be called from the main thread. Prints one line when the model is available.

    Args:
      model_root: holds a folder per model, which holds a folder per version.
      model_name: which of them.
      host: address to listen on.
      rest_port: 0 for a free one.
      grpc_port: 0 for a free one.
      poll_seconds: between two looks for a new version.
      port_file: written when the model is available: {"rest_port": …, "grpc_port": …}.

    Raises:
      UsageError: no version is there, or a port is not to be had.
      SentiflowError: no version loads.
    """
    directory = Path(model_root) / model_name
    if not find_versions(directory):
        raise UsageError(f"{directory}: expected <version>/saved_model.pb, found no version")
    rest_socket = _listen(host, rest_port)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    with rest_socket:
        asyncio.run(
            _serve(directory, model_name, host, rest_socket, grpc_port, poll_seconds, port_file)
        )


async def _serve(
    directory: Path,
    model_name: str,
    host: str,
    rest_socket: socket.socket,
    grpc_port: int,
    poll_seconds: float,
    port_file: Path | None,
) -> None:
    grpc_server = grpc.aio.server(
        options=[
            ("grpc.so_reuseport", 0),  # else two servers could share a port
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ]
    )
    grpc_port = _bind_grpc(grpc_server, host, grpc_port)
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="predict")
    versions, web = _build(directory, model_name, grpc_server, workers)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    await grpc_server.start()
    rest = asyncio.create_task(web.serve(sockets=[rest_socket]))
    try:
        await asyncio.to_thread(versions.refresh)
        if versions.served is None:
            raise SentiflowError(f"no version of '{model_name}' loads: {_failures(versions)}")
        rest_port = rest_socket.getsockname()[1]
        if port_file is not None:
            _write_atomically(port_file, {"rest_port": rest_port, "grpc_port": grpc_port})
        print(
            f"serving '{model_name}' version {versions.served.version}: "
            f"REST http://{_address(host, rest_port)}/v1/models/{model_name}, "
            f"gRPC {_address(host, grpc_port)}",
            flush=True,
        )
        await _watch(versions, poll_seconds, stop)
    finally:
        web.should_exit = True
        await grpc_server.stop(GRACE_SECONDS)
        await rest
        workers.shutdown(wait=False, cancel_futures=True)


def _build(
    directory: Path, model_name: str, grpc_server: grpc.aio.Server, workers: "Executor"
) -> tuple[ModelVersions, "_WebServer"]:
    """What answers, behind both protocols. All of TensorFlow is imported here."""
    import_tensorflow()
    import tensorflow as tf

    from components.serving.grpc_service import add_services
    from components.serving.model import ServedModel
    from components.serving.rest import create_app

    # A serving process beside a training one must not take the GPU's memory from it.
    tf.config.set_visible_devices([], "GPU")
    versions = ModelVersions(directory, model_name, ServedModel)
    add_services(grpc_server, versions, workers)
    config = uvicorn.Config(
        create_app(versions, workers),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=int(GRACE_SECONDS),
    )
    return versions, _WebServer(config)


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
            await asyncio.to_thread(versions.refresh)
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


def _bind_grpc(server: grpc.aio.Server, host: str, port: int) -> int:
    try:
        return server.add_insecure_port(_address(host, port))
    except RuntimeError as error:
        raise UsageError(
            f"cannot listen on {_address(host, port)} for gRPC: the port is taken or not allowed"
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
