"""Answers predict requests, whatever protocol they came by: limits, queue, metrics, request log."""

import time

import numpy as np
from grpc import StatusCode

from components.serving.batching import Outputs
from components.serving.errors import ServingError
from components.serving.metrics import Metrics
from components.serving.request_log import RequestLog
from components.serving.settings import ServingSettings
from components.serving.versions import LoadedVersion, ModelVersions
from schema import features


class Endpoint:
    """What the REST and gRPC services have in common.

    Args:
      versions: of the model.
      settings: the limits.
      metrics: counts what is answered.
      request_log: None: nothing is logged.
    """

    def __init__(
        self,
        versions: ModelVersions,
        settings: ServingSettings,
        metrics: Metrics,
        request_log: RequestLog | None = None,
    ) -> None:
        self.versions = versions
        self.settings = settings
        self.metrics = metrics
        self._request_log = request_log

    async def predict(
        self,
        loaded: LoadedVersion,
        signature: str,
        rows: np.ndarray,
        entrypoint: str,
        started: float,
        timeout: float | None = None,
    ) -> Outputs:
        """Answers the sentences of a request.

        Args:
          loaded: the version that is asked, from `versions.get` without a pause since.
          signature: one of the contract's.
          rows: object [rows], bytes, that fit the signature.
          entrypoint: `REST` or `GRPC`.
          started: of `time.perf_counter`, when the request came.
          timeout: seconds that its client will wait; None: not known.

        Returns:
          {"label": object [rows], "probabilities": float32 [rows, classes]}.

        Raises:
          ServingError: INVALID_ARGUMENT, over a limit; UNAVAILABLE, too much is waiting;
            DEADLINE_EXCEEDED; what the model raises.
        """
        self.check_count(len(rows))
        self._check_lengths(rows)
        limit = self.settings.request_timeout
        seconds = limit if timeout is None else min(timeout, limit)
        outputs = await loaded.batcher.submit(signature, rows, seconds)
        took = time.perf_counter() - started
        self.metrics.observe_answer(entrypoint, took, len(rows))
        if self._request_log is not None and signature == features.SERVING_SIGNATURE:
            self._request_log.add(
                loaded.version, entrypoint, took, rows, outputs, loaded.model.labels
            )
        return outputs

    def check_count(self, sentences: int) -> None:
        """Raises ServingError, INVALID_ARGUMENT, where a request has too many sentences."""
        limit = self.settings.max_sentences
        if sentences > limit:
            raise ServingError(
                StatusCode.INVALID_ARGUMENT,
                f"Expected at most {limit} sentences in a request, got {sentences}",
            )

    def _check_lengths(self, rows: np.ndarray) -> None:
        limit = self.settings.max_sentence_bytes
        for number, row in enumerate(rows):
            if len(row) > limit:
                raise ServingError(
                    StatusCode.INVALID_ARGUMENT,
                    f"Expected sentences of at most {limit} bytes, got {len(row)} bytes as "
                    f"sentence {number}",
                )
