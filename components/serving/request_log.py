"""Questions and answers kept for monitoring, as JSON lines; docs/serving.md says what is in a line.

Written in a thread of its own, so that no answer waits for the disk.
"""

import json
import logging
import queue
import random
import sys
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path

import numpy as np

from components.errors import UsageError
from components.serving.settings import RequestLogSettings
from schema import features

log = logging.getLogger(__name__)

_DIGITS = 6  # of a probability
_WAITING_LINES = 10_000  # more are dropped: a slow disk must not fill the memory


class RequestLog:
    """Writes a sample of the requests to a file that is rotated by its size.

    Args:
      settings: with a path.

    Raises:
      UsageError: the file cannot be written.
    """

    def __init__(self, settings: RequestLogSettings) -> None:
        path = Path(str(settings.path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = _QuietFile(
                path, maxBytes=settings.max_bytes, backupCount=settings.files, encoding="utf-8"
            )
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
        handler.setFormatter(_JsonLine())
        self._sample = settings.sample
        self._random = random.Random()
        waiting: queue.Queue = queue.Queue(_WAITING_LINES)
        self._queue = _DroppingQueueHandler(waiting)
        self._listener = _PatientListener(waiting, handler)
        self._handler = handler
        self._listener.start()

    def add(
        self,
        version: int,
        protocol: str,
        seconds: float,
        sentences: np.ndarray,
        outputs: dict[str, np.ndarray],
        classes: tuple[str, ...] | None,
    ) -> None:
        """Logs a request, or leaves it out of the sample.

        Args:
          version: that answered.
          protocol: `REST` or `GRPC`.
          seconds: that the answer took.
          sentences: object [rows], bytes.
          outputs: `label` object [rows] and `probabilities` float32 [rows, classes].
          classes: names of the classes, in their order.
        """
        if self._random.random() >= self._sample:
            return
        entry = (datetime.now(UTC), version, protocol, seconds, sentences, outputs, classes)
        self._queue.enqueue(_Record(entry))

    @property
    def lost(self) -> int:
        """The requests whose line was not written: the disk was too slow, or refused it."""
        return self._queue.dropped + self._handler.refused

    def close(self) -> None:
        """Writes what is still waiting."""
        self._listener.stop()
        try:
            self._handler.close()
        except OSError as error:
            log.error("the request log cannot be written: %s", error)


class _QuietFile(RotatingFileHandler):
    """Says once that it cannot write; the base class prints a traceback with the sentences."""

    refused = 0  # lines

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not self.refused:
            log.error("the request log cannot be written: %s", sys.exc_info()[1])
        self.refused += 1


class _Record(logging.LogRecord):
    """A log record that carries a request; it is formatted in the writing thread."""

    def __init__(self, entry: tuple) -> None:
        super().__init__("requests", logging.INFO, "", 0, "", None, None)
        self.entry = entry


class _DroppingQueueHandler(QueueHandler):
    dropped = 0  # lines

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            if not self.dropped:
                log.error("the request log is behind: its disk is slow, lines are left out")
            self.dropped += 1


class _PatientListener(QueueListener):
    """At the end it waits for room in a full queue; the base class raises `queue.Full`."""

    def enqueue_sentinel(self) -> None:
        assert isinstance(self.queue, queue.Queue)
        self.queue.put(None)  # what the base class looks for


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time, version, protocol, seconds, sentences, outputs, classes = record.entry  # type: ignore[attr-defined]
        probabilities = outputs[features.PROBABILITIES].astype(float).round(_DIGITS).tolist()
        line = {
            "time": time.isoformat(timespec="milliseconds"),
            "version": version,
            "protocol": protocol,
            "ms": round(seconds * 1000, 3),
            "sentences": [sentence.decode(errors="replace") for sentence in sentences],
            "labels": [label.decode(errors="replace") for label in outputs[features.LABEL]],
            "probabilities": probabilities,
            "classes": list(classes) if classes else None,
        }
        return json.dumps(line, ensure_ascii=False)
