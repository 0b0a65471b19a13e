"""What a person sees of the steps while a run goes on: a live table on a terminal, else lines."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.console import printable
from pipeline.record import Step

OWN_LOGGERS = ("components", "pipeline")
INDENT = " " * 8
NARROW = 60  # columns; below, the step's message gets a line of its own
STATE_WIDTH, SECONDS_WIDTH = 7, 9
STYLES = {
    "waiting": "dim",
    "running": "bold yellow",
    "cached": "cyan",
    "done": "green",
    "failed": "bold red",
    "skipped": "dim",
}
DUMB_TERMINALS = ("", "dumb", "unknown")


class Progress:
    """Shows nothing; the base of what shows something."""

    def plan(self, steps: Sequence[str]) -> None:
        """Takes the ids of the steps, in the order in which they will run."""

    def start(self, step: str) -> None:
        """A step begins."""

    def end(self, step: Step) -> None:
        """A step is over; others may still run."""

    def say(self, step: str | None, level: int, message: str) -> None:
        """What a step, or none of them, has to tell, on a line.

        Args:
          step: a running one.
          level: as of `logging`; a warning is to stay in sight.
          message: any text.
        """


class Lines(Progress):
    """A line when a step starts, ends, or has something to tell; below the step's name."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._steps: list[str] = []
        self._named: str | None = None  # the step whose name was written last
        self._lock = threading.RLock()  # steps side by side speak from several threads

    def plan(self, steps: Sequence[str]) -> None:
        self._steps = list(steps)

    def start(self, step: str) -> None:
        with self._lock:
            print(f"{self._steps.index(step) + 1:2}/{len(self._steps)} {step}", file=self._stream)
            self._named = step

    def end(self, step: Step) -> None:
        why = "" if step.state == "failed" else f": {printable(step.why)}"
        self._below(step.id, f"{step.state} in {step.seconds:.1f} s{why}")

    def say(self, step: str | None, level: int, message: str) -> None:
        self._below(step, printable(message))

    def _below(self, step: str | None, text: str) -> None:
        with self._lock:
            if step and step != self._named:
                self.start(step)
            print(f"{INDENT}{text}", file=self._stream)


@dataclass
class Row:
    """A step in the table."""

    id: str
    state: str = "waiting"
    seconds: float | None = None
    text: str = ""
    began: float = 0.0  # on the monotonic clock


class LiveTable(Progress):
    """A table of all steps that is drawn anew four times a second.

    Only ASCII is drawn, so that every terminal and encoding shows it.
    """

    def __init__(self, console: Console):
        self._console = console
        self._rows: list[Row] = []
        self._began = time.monotonic()  # the setting up
        self._said: Row | None = None  # the row whose text is the newest

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Draws the table while the context lasts, and leaves it on the terminal as it then is."""
        live = Live(
            console=self._console,
            get_renderable=self.table,
            redirect_stdout=False,  # what is printed there belongs into the log
            redirect_stderr=False,
        )
        with live:
            # Live hides the cursor, and a killed process could not bring it back.
            self._console.show_cursor(True)
            yield

    def plan(self, steps: Sequence[str]) -> None:
        self._rows = [Row(step) for step in steps]

    def start(self, step: str) -> None:
        row = self._row(step)
        row.state, row.began = "running", time.monotonic()

    def end(self, step: Step) -> None:
        row = self._row(step.id)
        row.state = "done" if step.state == "run" else step.state
        row.seconds = step.seconds
        # The cause of a failure is told below the table.
        row.text = "" if step.state == "failed" else printable(step.why)

    def say(self, step: str | None, level: int, message: str) -> None:
        if step and level < logging.WARNING:
            self._said = self._row(step)
            self._said.text = printable(message)
        else:
            self._console.print(Text(printable(message)))

    def _row(self, step: str) -> Row:
        return next(row for row in self._rows if row.id == step)

    def table(self) -> Table | Text | Group:
        """The table as it is now, cut to the size of the terminal."""
        _follow_size(self._console)
        width, height = self._console.size
        width -= len("^C")  # which a terminal writes at the end of the table: it must not wrap
        now = time.monotonic()
        if not self._rows:
            return Text(f"setting up: {now - self._began:.0f} s")
        narrow = width < NARROW
        table = Table.grid(padding=(0, 2, 0, 0))
        columns = [STATE_WIDTH, max(len(row.id) for row in self._rows), SECONDS_WIDTH]
        for column in columns:
            table.add_column(width=column, no_wrap=True)
        table.columns[-1].justify = "right"
        if not narrow:
            table.add_column(no_wrap=True)
        rest = width - sum(column + 2 for column in columns)
        for row in self._in_sight(height - 2):  # a line for the cursor, one for the message
            running = row.state == "running"
            seconds = now - row.began if running else row.seconds
            cells = [
                Text(row.state, STYLES[row.state]),
                Text(row.id, "dim" if row.state == "waiting" else ""),
                Text("" if seconds is None else f"{seconds:.1f} s"),
                _cut(row.text, rest, "" if running else "dim"),
            ]
            table.add_row(*cells[: len(table.columns)])
        if not (narrow and self._said and self._said.state == "running"):
            return table
        return Group(table, _cut(self._said.text, width))

    def _in_sight(self, height: int) -> list[Row]:
        """The rows around the one that runs, as many as there is room for."""
        if len(self._rows) <= height:
            return self._rows
        height = max(height, 1)
        over = [i for i, row in enumerate(self._rows) if row.state != "waiting"]
        first = max(0, (over[-1] if over else 0) - height + 2)
        first = min(first, len(self._rows) - height)
        return self._rows[first : first + height]


@contextlib.contextmanager
def show_progress(terminal: TextIO, shown: bool, live: bool) -> Iterator[Progress]:
    """Shows the steps, and what our own loggers say meanwhile, on a stream.

    Args:
      terminal: the stream.
      shown: False shows nothing.
      live: whether the table may be drawn if the stream is a terminal that can do so.
    """
    with contextlib.ExitStack() as stack:
        progress: Progress = Lines(terminal) if shown else Progress()
        if (
            shown
            and live
            and terminal.isatty()
            and os.environ.get("TERM", "") not in DUMB_TERMINALS
        ):
            # Emphatically a terminal: rich would look at variables that mean other programs.
            console = Console(file=terminal, force_terminal=True, force_interactive=True)
            progress = LiveTable(console)
            stack.enter_context(progress.shown())
        stack.enter_context(_handler(Messages(progress)))
        yield progress


class Messages(logging.Handler):
    """Hands to a Progress what our own loggers say in this process."""

    def __init__(self, progress: Progress):
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        """Says the record's message."""
        self._progress.say(None, record.levelno, record.getMessage())


@contextlib.contextmanager
def _handler(handler: logging.Handler) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in OWN_LOGGERS]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def _cut(text: str, width: int, style: str = "") -> Text:
    """The text on at most so many columns; two full stops end what was cut."""
    cut = Text(text, style)
    if cut.cell_len > width:
        cut.truncate(max(width - 2, 0))
        cut.append("..")
    return cut


def _follow_size(console: Console) -> None:
    """Tells rich the size of its own terminal: it would ask the streams that go to the log."""
    with contextlib.suppress(OSError, ValueError):  # it is no terminal, as in a test
        columns, lines = os.get_terminal_size(console.file.fileno())
        if columns and lines:
            console.size = ConsoleDimensions(columns, lines)
