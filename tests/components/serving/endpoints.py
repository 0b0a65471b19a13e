"""A model root, opened as the server does it, without a server around it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from components.serving.batching import Batcher
from components.serving.endpoint import Endpoint
from components.serving.metrics import Metrics
from components.serving.model import ServedModel
from components.serving.request_log import RequestLog
from components.serving.settings import ServingSettings
from components.serving.versions import ModelVersions

THREADS = 2


def open_endpoint(
    root: Path,
    settings: ServingSettings | None = None,
    load=ServedModel,
    request_log: RequestLog | None = None,
) -> Endpoint:
    """Loads the versions of the model `sentiment` in a model root."""
    chosen = settings or ServingSettings()
    workers = ThreadPoolExecutor(THREADS)

    def make_batcher(model) -> Batcher:
        return Batcher(model.run, chosen, workers, THREADS, metrics.observe_batch)

    versions = ModelVersions(root, "sentiment", load, make_batcher)
    metrics = Metrics(versions, request_log)
    asyncio.run(versions.refresh())
    return Endpoint(versions, chosen, metrics, request_log)
