"""The queue of a version, with a model that only measures its sentences."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st

from components.serving.batching import Batcher
from components.serving.errors import ServingError
from components.serving.settings import ServingSettings

TIMEOUT = 10.0


class Model:
    """Answers a sentence's length; refuses 'bad'; waits, while it is held."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, signature: str, rows: np.ndarray) -> dict[str, np.ndarray]:
        assert self.go_on.wait(TIMEOUT)
        self.batches.append(rows.tolist())
        if b"bad" in rows:
            raise ServingError(StatusCode.INVALID_ARGUMENT, f"bad in {signature}")
        if b"bug" in rows:
            raise RuntimeError("bug")
        return {"length": np.array([[len(row)] for row in rows]).reshape(len(rows), 1)}


def rows(*sentences: str) -> np.ndarray:
    array = np.empty(len(sentences), dtype=object)
    array[:] = [sentence.encode() for sentence in sentences]
    return array


def batcher(model: Model, threads: int = 1, **settings: Any) -> Batcher:
    workers = ThreadPoolExecutor(threads)
    return Batcher(model, ServingSettings(**settings), workers, threads)


async def ask(queue: Batcher, *sentences: str, timeout: float = TIMEOUT) -> list[int]:
    answer = await queue.submit("serve", rows(*sentences), timeout)
    return answer["length"][:, 0].tolist()


def run(coroutine: Coroutine) -> Any:
    return asyncio.run(coroutine)


async def held(model: Model, queue: Batcher, *requests: Coroutine) -> list[asyncio.Task]:
    """Tasks for requests that come while the only thread is busy with another."""
    model.go_on.clear()
    tasks = [asyncio.create_task(ask(queue, "first"))]
    await asyncio.sleep(0.05)
    tasks += [asyncio.create_task(request) for request in requests]
    await asyncio.sleep(0.05)
    return tasks


def test_what_waits_is_run_together() -> None:
    model = Model()

    async def scenario() -> list[list[int]]:
        queue = batcher(model)
        tasks = await held(model, queue, *(ask(queue, "a" * n, "b") for n in (1, 2, 3)))
        assert queue.queued == 6
        model.go_on.set()
        return await asyncio.gather(*tasks)

    assert run(scenario()) == [[5], [1, 1], [2, 1], [3, 1]]
    assert [len(batch) for batch in model.batches] == [1, 6]


def test_a_batch_is_the_oldest_and_what_is_like_it_in_length() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model, max_batch_size=2)
        waiting = ["x" * 40, "a", "y" * 42, "bb"]
        tasks = await held(model, queue, *(ask(queue, text) for text in waiting))
        model.go_on.set()
        assert await asyncio.gather(*tasks) == [[5], [40], [1], [42], [2]]

    run(scenario())
    assert [sorted(map(len, batch)) for batch in model.batches] == [[5], [40, 42], [1, 2]]


def test_a_large_request_is_cut_and_put_together_again() -> None:
    model = Model()
    lengths = [7, 1, 9, 3, 5, 1, 8]

    async def scenario() -> list[int]:
        return await ask(batcher(model, max_batch_size=3), *("a" * n for n in lengths))

    assert run(scenario()) == lengths
    assert [[len(text) for text in batch] for batch in model.batches] == [[1, 1, 3], [5, 7, 8], [9]]


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=5), max_size=7), min_size=1, max_size=8))
def test_everybody_gets_the_own_answers(requests: list[list[str]]) -> None:
    async def scenario() -> list[list[int]]:
        queue = batcher(Model(), threads=2, max_batch_size=3)
        answers = await asyncio.gather(*(ask(queue, *sentences) for sentences in requests))
        assert queue.queued == 0
        return answers

    assert run(scenario()) == [[len(text.encode()) for text in each] for each in requests]


def test_a_bad_sentence_is_the_fault_of_its_request_alone() -> None:
    model = Model()

    async def scenario() -> list[Any]:
        queue = batcher(model)
        requests = (ask(queue, "good"), ask(queue, "bad"), ask(queue, "fine"))
        tasks = await held(model, queue, *requests)
        model.go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, good, bad, fine = run(scenario())
    assert (first, good, fine) == ([5], [4], [4])
    assert isinstance(bad, ServingError) and bad.message == "bad in serve"


def test_a_bug_reaches_all_and_the_queue_goes_on() -> None:
    async def scenario() -> None:
        queue = batcher(Model())
        with pytest.raises(RuntimeError, match="bug"):
            await ask(queue, "bug")
        assert await ask(queue, "good") == [4]

    run(scenario())


def test_a_full_queue_refuses_and_recovers() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model, max_queued_sentences=4, max_sentences=4, max_batch_size=4)
        tasks = await held(model, queue, ask(queue, "a", "b", "c"))
        with pytest.raises(ServingError, match="is full") as failure:
            await ask(queue, "d", "e")
        assert failure.value.code is StatusCode.UNAVAILABLE
        tasks.append(asyncio.create_task(ask(queue, "f")))
        await asyncio.sleep(0)
        assert queue.queued == 4
        model.go_on.set()
        assert await asyncio.gather(*tasks) == [[5], [1, 1, 1], [1]]
        assert await ask(queue, "d", "e") == [1, 1]

    run(scenario())


def test_whose_client_has_gone_makes_room() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model, max_queued_sentences=2, max_sentences=2)
        tasks = await held(model, queue, ask(queue, "a", "b"))
        tasks[1].cancel()
        await asyncio.sleep(0)
        waiting = asyncio.create_task(ask(queue, "c", "d"))
        await asyncio.sleep(0)
        model.go_on.set()
        assert await waiting == [1, 1]

    run(scenario())
    assert model.batches == [[b"first"], [b"c", b"d"]]


def test_a_deadline_that_passes_while_waiting() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model)
        tasks = await held(model, queue, ask(queue, "late", timeout=0.01), ask(queue, "a"))
        model.go_on.set()
        assert await tasks[2] == [1]
        with pytest.raises(ServingError) as failure:
            await tasks[1]
        assert failure.value.code is StatusCode.DEADLINE_EXCEEDED

    run(scenario())
    assert model.batches == [[b"first"], [b"a"]]


def test_an_idle_model_is_asked_at_once() -> None:
    async def scenario() -> float:
        queue = batcher(Model(), threads=2, batch_timeout_ms=1000)
        started = asyncio.get_running_loop().time()
        assert await ask(queue, "a") == [1]
        return asyncio.get_running_loop().time() - started

    assert run(scenario()) < 0.5


def test_beside_a_running_batch_another_one_waits_until_it_is_full() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model, threads=2, batch_timeout_ms=1000, max_batch_size=2)
        tasks = await held(model, queue, ask(queue, "a"))
        assert queue.queued == 1
        tasks.append(asyncio.create_task(ask(queue, "b")))
        await asyncio.sleep(0.05)
        assert queue.queued == 0  # both threads are busy
        model.go_on.set()
        assert await asyncio.gather(*tasks) == [[5], [1], [1]]

    run(scenario())
    assert sorted(model.batches) == [[b"a", b"b"], [b"first"]]


def test_or_until_the_time_is_over() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model, threads=2, batch_timeout_ms=500, max_batch_size=2)
        tasks = await held(model, queue, ask(queue, "a"))
        assert queue.queued == 1
        async with asyncio.timeout(10):
            while queue.queued:
                await asyncio.sleep(0.01)
        model.go_on.set()
        await asyncio.gather(*tasks)

    run(scenario())


def test_or_until_nothing_runs_any_more() -> None:
    model = Model()

    async def scenario() -> float:
        queue = batcher(model, threads=2, batch_timeout_ms=1000, max_batch_size=2)
        tasks = await held(model, queue, ask(queue, "a"))
        model.go_on.set()
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*tasks)
        return asyncio.get_running_loop().time() - started

    assert run(scenario()) < 0.5


def test_drained_waits_for_what_is_running() -> None:
    model = Model()

    async def scenario() -> None:
        queue = batcher(model)
        await queue.drained()
        tasks = await held(model, queue, ask(queue, "a"))
        drained = asyncio.create_task(queue.drained())
        await asyncio.sleep(0.02)
        assert not drained.done()
        model.go_on.set()
        await drained
        assert all(task.done() for task in tasks)

    run(scenario())


def test_sizes_and_waits_are_observed() -> None:
    seen: list[tuple[int, int]] = []

    async def scenario() -> None:
        queue = Batcher(
            Model(),
            ServingSettings(),
            ThreadPoolExecutor(1),
            1,
            lambda size, waits: seen.append((size, len(waits))),
        )
        await asyncio.gather(ask(queue, "a"), ask(queue, "b", "c"))

    run(scenario())
    assert sum(size for size, _ in seen) == 3
    assert sum(count for _, count in seen) == 2
