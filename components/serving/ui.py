"""The page to try the model, `sentiflow serve --ui`: one static file, and one request behind it."""

import asyncio
import json
import time
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from grpc import StatusCode
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from components.serving.endpoint import Endpoint
from components.serving.errors import ServingError
from components.serving.metrics import REST
from components.serving.model import ServedModel
from components.serving.rest import HTTP_STATUS, error_response, read_body
from components.serving.vocabulary import Token, Vocabulary
from schema import features

PAGE = Path(__file__).parent / "ui.html"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


def ui_routes(endpoint: Endpoint) -> list[Route]:
    """`/`, the page, and `/ui/classify`, which it asks."""
    words = _Words()

    async def page(_: Request) -> Response:
        return FileResponse(PAGE, headers=HEADERS)

    async def classify(request: Request) -> Response:
        started = time.perf_counter()
        try:
            rows = _sentences(await read_body(request, endpoint.settings.max_body_bytes))
            return JSONResponse(await _classify(endpoint, words, rows, started))
        except ServingError as error:
            return error_response(HTTP_STATUS.get(error.code, 500), error.message)

    return [
        Route("/", page, methods=["GET"]),
        Route("/ui/classify", classify, methods=["POST"]),
    ]


async def _classify(
    endpoint: Endpoint, words: "_Words", rows: np.ndarray, started: float
) -> dict[str, Any]:
    loaded = endpoint.versions.get(endpoint.versions.name)
    outputs = await endpoint.predict(loaded, features.SERVING_SIGNATURE, rows, REST, started)
    took = time.perf_counter() - started
    tokens = await asyncio.to_thread(words.tokens, loaded.model, rows)
    return {
        "model": endpoint.versions.name,
        "version": loaded.version,
        "ms": round(took * 1000, 1),
        "classes": list(loaded.model.labels or ()),
        "answers": [
            {
                "label": label.decode(errors="replace"),
                "probabilities": [round(float(p), 6) for p in probabilities],
                "tokens": [asdict(token) for token in tokens[number]] if tokens else None,
            }
            for number, (label, probabilities) in enumerate(
                zip(outputs[features.LABEL], outputs[features.PROBABILITIES], strict=True)
            )
        ],
    }


class _Words:
    """The vocabularies of the versions that were asked, for as long as they are loaded."""

    def __init__(self) -> None:
        self._by_model: weakref.WeakKeyDictionary[ServedModel, Vocabulary | None] = (
            weakref.WeakKeyDictionary()
        )

    def tokens(self, model: ServedModel, rows: np.ndarray) -> list[list[Token]] | None:
        """The tokens of sentences; None where the model has no vocabulary file."""
        if model not in self._by_model:
            try:
                self._by_model[model] = Vocabulary(model.directory)
            except OSError:
                self._by_model[model] = None
        vocabulary = self._by_model[model]
        return vocabulary.tokens(rows) if vocabulary else None


def _sentences(body: bytes) -> np.ndarray:
    """The sentences of a request: object [rows], bytes."""
    try:
        sentences = json.loads(body)["sentences"]
        rows = np.empty(len(sentences), dtype=object)
        rows[:] = [sentence.encode() for sentence in sentences]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ServingError(
            StatusCode.INVALID_ARGUMENT, 'Expected {"sentences": ["…", …]}'
        ) from error
    return rows
