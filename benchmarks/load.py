"""A load generator that costs little: `python -m benchmarks.load`, a process beside the server.

It shares the machine with the server that it measures, so requests are made before the clock runs,
and answers are read no further than needed: HTTP/1.1 by its Content-Length, gRPC by its HTTP/2
frames (RFC 9113). Each client has one connection and one request under way.
"""

import argparse
import asyncio
import json
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from components.serving.lean_tensorflow import import_tensorflow

MAX_BODIES = 64  # different answers that are told apart; more are counted together
STRIDE = 7919  # between the sentences that clients begin with


@dataclass
class Tally:
    """What came back."""

    latencies: list[float] = field(default_factory=list)  # seconds, of answers alone
    failures: Counter = field(default_factory=Counter)  # {what: how many}
    bodies: Counter = field(default_factory=Counter)  # {answer: how many}
    cpu_seconds: float = 0.0  # that asking took

    def count(self, seconds: float, body: bytes, failure: str | None) -> None:
        """Counts an answer, or what came instead."""
        if failure is not None:
            self.failures[failure] += 1
            return
        self.latencies.append(seconds)
        if body in self.bodies or len(self.bodies) < MAX_BODIES:
            self.bodies[body] += 1


class Client(asyncio.Protocol):
    """One client: asks, waits, asks again until the time is over."""

    def __init__(self, requests: Sequence[bytes], first: int, until: float, tally: Tally) -> None:
        self._requests = requests
        self._next = first
        self._until = until
        self._tally = tally
        self._buffer = b""
        self._asked = 0.0
        self._waiting = False
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.ask()

    def ask(self) -> None:
        self._waiting = True
        self._asked = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def answered(self, body: bytes, failure: str | None = None) -> None:
        now = time.perf_counter()
        self._waiting = False
        self._tally.count(now - self._asked, body, failure)
        if now < self._until:
            self.ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting:
            self._tally.count(0, b"", f"connection lost: {error}")
        self.done.set_result(None)


class RestClient(Client):
    """Reads HTTP/1.1 answers with a Content-Length."""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lower = head.lower()
        start = lower.index(b"content-length:") + 15
        length = int(lower[start:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = b""
        ok = head.startswith(b"HTTP/1.1 200")
        self.answered(body, None if ok else body.decode(errors="replace"))


DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
LARGEST_WINDOW = 2**31 - 1


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class GrpcClient(Client):
    """Reads HTTP/2 frames; an answer without a DATA frame is a failure."""

    def __init__(
        self, head: bytes, requests: Sequence[bytes], first: int, until: float, tally: Tally
    ) -> None:
        super().__init__(requests, first, until, tally)
        self._head = head
        self._stream = -1
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(  # type: ignore[attr-defined]
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, LARGEST_WINDOW))
            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - 65_535))
        )
        super().connection_made(transport)

    def ask(self) -> None:
        self._waiting = True
        self._stream += 2
        self._body = b""
        message = self._requests[self._next % len(self._requests)]
        self._next += 1
        data = struct.pack(">BI", 0, len(message)) + message
        self._asked = time.perf_counter()
        self._transport.write(
            frame(HEADERS, END_HEADERS, self._stream, self._head)
            + frame(DATA, END_STREAM, self._stream, data)
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                return
            kind, flags = self._buffer[3], self._buffer[4]
            payload, self._buffer = self._buffer[9 : 9 + length], self._buffer[9 + length :]
            self._frame_received(kind, flags, payload)

    def _frame_received(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == DATA:
            self._body += payload
        elif kind == SETTINGS and not flags & ACK:
            self._transport.write(frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            self._transport.write(frame(PING, ACK, 0, payload))
        if (kind in (DATA, HEADERS) and flags & END_STREAM) or kind in (RST_STREAM, GOAWAY):
            self.answered(self._body[5:], None if self._body else "no message")


def rest_requests(url: str, sentences: Sequence[str]) -> list[bytes]:
    """A predict request for each sentence, as its bytes on the wire."""
    parts = urlsplit(url)
    requests = []
    for sentence in sentences:
        body = json.dumps({"instances": [sentence]}).encode()
        head = (
            f"POST {parts.path}:predict HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def grpc_requests(model_name: str, sentences: Sequence[str]) -> list[bytes]:
    """A PredictRequest for each sentence, serialized."""
    import_tensorflow()  # which the messages of tensors belong to
    from tensorflow_serving.apis import predict_pb2

    requests = []
    for sentence in sentences:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model_name
        tensor = request.inputs["text"]
        tensor.dtype = 7  # DT_STRING
        tensor.tensor_shape.dim.add().size = 1
        tensor.string_val.append(sentence.encode())
        requests.append(request.SerializeToString())
    return requests


def grpc_head(authority: str) -> bytes:
    """The headers of a Predict call, in HPACK without compression (RFC 7541)."""

    def literal(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    path = "/tensorflow.serving.PredictionService/Predict"
    return (
        b"\x83\x86"  # :method POST, :scheme http
        + b"\x04" + literal(path)
        + b"\x01" + literal(authority)
        + b"\x00" + literal("te") + literal("trailers")
        + b"\x00" + literal("content-type") + literal("application/grpc")
    )  # fmt: skip


async def run(
    target: str, sentences: Sequence[str], clients: int, seconds: float, model_name: str
) -> Tally:
    """Asks a server for some time.

    Args:
      target: `http://host:port/v1/models/<name>`, or `grpc://host:port`.
      sentences: asked in turn, one in a request.
      clients: at a time.
      seconds: for how long.
      model_name: for gRPC.
    """
    parts, tally = urlsplit(target), Tally()
    if parts.scheme == "grpc":
        requests, head = grpc_requests(model_name, sentences), grpc_head(parts.netloc)
    else:
        requests, head = rest_requests(target, sentences), None
    print("asking", flush=True)
    until, cpu = time.perf_counter() + seconds, time.process_time()

    def client(number: int) -> Client:
        first = number * STRIDE
        if head is None:
            return RestClient(requests, first, until, tally)
        return GrpcClient(head, requests, first, until, tally)

    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda n=n: client(n), parts.hostname, parts.port))[1]
        for n in range(clients)
    ]
    await asyncio.wait_for(asyncio.gather(*(each.done for each in made)), seconds + 60)
    tally.cpu_seconds = time.process_time() - cpu
    return tally


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    return sorted_values[min(int(len(sorted_values) * percent / 100), len(sorted_values) - 1)]


def main() -> None:
    """Prints `asking` when it begins, and then what was measured as JSON, on one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("target", help="http://host:port/v1/models/NAME or grpc://host:port")
    parser.add_argument("--sentences", type=Path, required=True, help="file, one a line")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--model-name", default="sentiment")
    options = parser.parse_args()
    sentences = options.sentences.read_text(encoding="utf-8").splitlines()
    tally = uvloop.run(
        run(options.target, sentences, options.clients, options.seconds, options.model_name)
    )
    latencies = sorted(tally.latencies)
    json.dump(
        {
            "answers": len(latencies),
            "per_second": len(latencies) / options.seconds,
            **{
                f"p{p}_ms": percentile(latencies, p) * 1000 if latencies else None
                for p in (50, 95, 99, 100)
            },
            "failures": dict(tally.failures),
            "bodies": {body.hex(): count for body, count in tally.bodies.items()},
            "own_cpu_share": tally.cpu_seconds / options.seconds,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
