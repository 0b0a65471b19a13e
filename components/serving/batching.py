"""Requests of many clients, run together: one bounded queue for each version of the model."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from grpc import StatusCode

from components.serving.errors import ServingError
from components.serving.settings import ServingSettings

Outputs = dict[str, np.ndarray]
Run = Callable[[str, np.ndarray], Outputs]  # signature, strings [batch] -> arrays [batch, ...]


@dataclass(eq=False)
class _Piece:
    """Sentences of one request that are run in the same batch."""

    signature: str
    rows: np.ndarray  # object [rows], bytes
    length: int  # bytes of its longest sentence
    deadline: float  # by the event loop's clock
    answer: asyncio.Future[Outputs]
    queued: float  # by the event loop's clock


class Batcher:
    """Runs the sentences that wait in batches, as many batches at a time as there are threads.

    A batch is the piece that waits longest and those nearest to it in length, at most
    `max_batch_size` sentences, since an LSTM takes as many steps as the batch's longest sentence
    has tokens. Where nothing runs, what waits is run at once. Else a batch that is not full waits
    for more, until nothing runs any more or for `batch_timeout_ms`: small batches beside a running
    one would take its processor time and cost much more a sentence. To be used from one event loop.

    Args:
      run: the model; called in a thread of `workers`.
      settings: sizes and time-out.
      workers: at least as many threads as `threads`.
      threads: batches that run at a time.
      observe: called with each batch's size and the seconds that its pieces have waited.
    """

    def __init__(
        self,
        run: Run,
        settings: ServingSettings,
        workers: Executor,
        threads: int,
        observe: Callable[[int, Sequence[float]], None] = lambda size, waits: None,
    ) -> None:
        self._run = run
        self._settings = settings
        self._workers = workers
        self._threads = self._free = threads
        self._observe = observe
        self._waiting: list[_Piece] = []  # the oldest first
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._wake: asyncio.Handle | None = None
        self._wake_at = 0.0
        self.queued = 0  # sentences

    async def submit(self, signature: str, rows: np.ndarray, timeout: float) -> Outputs:
        """Runs a request's sentences.

        Args:
          signature: of the model.
          rows: object [rows], bytes.
          timeout: seconds.

        Returns:
          {output: array [rows, ...]}, in the order of `rows`.

        Raises:
          ServingError: UNAVAILABLE, the queue is full; DEADLINE_EXCEEDED; what the model raises.
        """
        limit = self._settings.max_queued_sentences
        if self.queued + len(rows) > limit:
            self._drop_dead()
        if self.queued + len(rows) > limit:
            raise ServingError(
                StatusCode.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full",
            )
        self._requests += 1
        self._idle.clear()
        try:
            if len(rows) <= self._settings.max_batch_size:
                return await self._enqueue(signature, rows, timeout)
            return await self._submit_large(signature, rows, timeout)
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def drained(self) -> None:
        """Returns when no request is waiting or running."""
        await self._idle.wait()

    async def _submit_large(self, signature: str, rows: np.ndarray, timeout: float) -> Outputs:
        """A request of more than one batch, its sentences sorted by length."""
        order = np.argsort([len(row) for row in rows], kind="stable")
        size = self._settings.max_batch_size
        pieces = [order[start : start + size] for start in range(0, len(rows), size)]
        waiting = [self._enqueue(signature, rows[piece], timeout) for piece in pieces]
        try:
            answers = await asyncio.gather(*waiting)
        finally:
            for each in waiting:
                each.cancel()
        back = np.argsort(order)
        return {
            name: np.concatenate([answer[name] for answer in answers])[back] for name in answers[0]
        }

    def _enqueue(self, signature: str, rows: np.ndarray, timeout: float) -> asyncio.Future[Outputs]:
        loop = asyncio.get_running_loop()
        length, now = max(map(len, rows), default=0), loop.time()
        piece = _Piece(signature, rows, length, now + timeout, loop.create_future(), now)
        self._waiting.append(piece)
        self.queued += len(rows)
        self._schedule()
        return piece.answer

    def _schedule(self) -> None:
        """Sees to it that the next batch is started when it is due."""
        if not self._free or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        due = max(self._due(), loop.time())
        if self._wake is not None:
            if self._wake_at <= due:
                return
            self._wake.cancel()
        # Never at once: requests that came in the same moment are still to be parsed.
        self._wake_at, self._wake = due, loop.call_at(due, self._start_batches)

    def _due(self) -> float:
        """When the next batch starts, by the event loop's clock; 0: now."""
        if self.queued >= self._settings.max_batch_size or self._free == self._threads:
            return 0.0
        return self._waiting[0].queued + self._settings.batch_timeout_ms / 1000

    def _start_batches(self) -> None:
        self._wake = None
        loop = asyncio.get_running_loop()
        while self._free and self._waiting and self._due() <= loop.time():
            if batch := self._take():
                self._free -= 1
                self._observe(
                    sum(len(piece.rows) for piece in batch),
                    [loop.time() - piece.queued for piece in batch],
                )
                task = loop.run_in_executor(self._workers, self._answer, batch)
                task.add_done_callback(functools.partial(self._finish, batch))
        self._schedule()

    def _take(self) -> list[_Piece]:
        """Takes the next batch out of the queue."""
        alive = self._drop_dead()
        if not alive:
            return []
        oldest = alive[0]
        alike = [piece for piece in alive if piece.signature == oldest.signature]
        alike.sort(key=lambda piece: abs(piece.length - oldest.length))
        batch: list[_Piece] = []
        room = self._settings.max_batch_size
        for piece in alike:
            if len(piece.rows) <= room:
                batch.append(piece)
                room -= len(piece.rows)
        taken = set(map(id, batch))
        self._waiting = [piece for piece in alive if id(piece) not in taken]
        self.queued -= self._settings.max_batch_size - room
        return batch

    def _drop_dead(self) -> list[_Piece]:
        """Drops what nobody waits for any more; returns what is left waiting."""
        now = asyncio.get_running_loop().time()
        alive = []
        for piece in self._waiting:
            if not piece.answer.done() and piece.deadline > now:
                alive.append(piece)
                continue
            self.queued -= len(piece.rows)
            if not piece.answer.done():  # else its client has gone
                piece.answer.set_exception(
                    ServingError(StatusCode.DEADLINE_EXCEEDED, "Deadline exceeded while waiting")
                )
        self._waiting = alive
        return alive

    def _answer(self, batch: list[_Piece]) -> list[Outputs | Exception]:
        """Runs a batch, in a thread; if that fails, each of its pieces alone."""
        if len(batch) == 1:
            return [self._answer_alone(batch[0])]
        rows = np.concatenate([piece.rows for piece in batch])
        try:
            outputs = self._run(batch[0].signature, rows)
        except ServingError:  # the fault of one of them
            return [self._answer_alone(piece) for piece in batch]
        except Exception as error:
            return [error] * len(batch)
        answers: list[Outputs | Exception] = []
        start = 0
        for piece in batch:
            end = start + len(piece.rows)
            answers.append({name: array[start:end] for name, array in outputs.items()})
            start = end
        return answers

    def _answer_alone(self, piece: _Piece) -> Outputs | Exception:
        try:
            return self._run(piece.signature, piece.rows)
        except Exception as error:
            return error

    def _finish(
        self, batch: list[_Piece], answers: asyncio.Future[list[Outputs | Exception]]
    ) -> None:
        self._free += 1
        for piece, answer in zip(batch, answers.result(), strict=True):
            if piece.answer.done():
                continue
            if isinstance(answer, Exception):
                piece.answer.set_exception(answer)
            else:
                piece.answer.set_result(answer)
        self._schedule()
