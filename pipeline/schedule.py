"""Runs steps in the order that their dependencies allow, several at a time."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait


def run_in_order(
    upstream: Mapping[str, Collection[str]],
    run: Callable[[str], None],
    at_a_time: int,
    stop: Callable[[BaseException], None],
) -> None:
    """Runs each step once, after all those that it depends on, the first ones first.

    Args:
      upstream: the steps that each step depends on.
      run: is called in a thread with a step.
      at_a_time: how many steps may run together.
      stop: is called when a step has failed, with its error, or when this thread is interrupted:
        it makes the steps that still run end.

    Raises:
      BaseException: what the first step to fail has raised; of several, the first in order.
    """
    waiting, done = list(upstream), set[str]()
    running: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(at_a_time) as threads:
        try:
            while waiting or running:
                ready = [step for step in waiting if done.issuperset(upstream[step])]
                for step in ready[: at_a_time - len(running)]:
                    waiting.remove(step)
                    running[step] = threads.submit(run, step)
                wait(running.values(), return_when=FIRST_COMPLETED)
                for step in [step for step in upstream if step in running]:
                    if running[step].done():
                        running.pop(step).result()
                        done.add(step)
        except BaseException as error:
            stop(error)
            raise
