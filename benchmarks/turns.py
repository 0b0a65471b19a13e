"""Contestants of a benchmark take turns: what else the machine does hits all alike."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import click


class Turn(NamedTuple):
    """A contestant's work in one turn."""

    sentences: int
    seconds: float
    cpu_seconds: float


class Best(NamedTuple):
    """Sentences per second, and per second of CPU time, of the best turns."""

    wall: float
    cpu: float


Contestant = Callable[[], Turn]


def best(turns: list[Turn]) -> Best:
    """Takes each number from the turn where it was best; the first turn is for warming up."""
    counted = turns[1:]
    return Best(
        max(turn.sentences / turn.seconds for turn in counted),
        max(turn.sentences / turn.cpu_seconds for turn in counted),
    )


def timed(work: Callable[[], int]) -> Contestant:
    """A contestant of a function that returns how many sentences it trained on."""

    def turn() -> Turn:
        start, cpu_start = time.perf_counter(), time.process_time()
        sentences = work()
        return Turn(sentences, time.perf_counter() - start, time.process_time() - cpu_start)

    return turn


@contextmanager
def process(command: list[str], environment: dict[str, str]) -> Iterator[Contestant]:
    """A contestant with a process of its own: a line on its input asks it for a turn."""
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert child.stdin and child.stdout
    asked, answers = child.stdin, child.stdout

    def turn() -> Turn:
        asked.write("\n")
        asked.flush()
        if not (line := answers.readline()):
            raise click.ClickException(f"{command} ended with exit code {child.wait()}")
        return Turn(**json.loads(line))

    try:
        yield turn
    finally:
        child.kill()
        child.communicate()
