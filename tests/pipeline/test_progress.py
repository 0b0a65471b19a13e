"""The live table and the plain lines of a run."""

import io
import logging
import re
import sys

import pytest
from rich.console import Console

from pipeline.progress import Lines, LiveTable, Messages, printable, show_progress
from pipeline.record import Step
from tests.pipeline.terminal import CTRL_C, Terminal

STEPS = ["SentenceExampleGen", "Transform", "Trainer", "Pusher"]


def at_work(progress):
    """A run in its third step."""
    progress.plan(STEPS)
    progress.start("SentenceExampleGen")
    progress.end(Step("SentenceExampleGen", "cached", 0.42, "nothing changed"))
    progress.start("Transform")
    progress.end(Step("Transform", "run", 51.2, "text.max_length: 64 -> 32"))
    progress.start("Trainer")
    message = "epoch 2/20  loss 0.612  accuracy 66.0 %  eval 71.2 %"
    progress.say("Trainer", logging.INFO, message)
    return progress


def live_table(width=80, height=24, **options):
    # No file of a terminal: rich takes the size given here.
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=True, width=width, height=height, _environ={}, **options
    )
    return LiveTable(console), console


def drawn(table, console):
    with console.capture() as capture:
        console.print(table.table())
    return [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", capture.get()).splitlines()]


def test_table_of_a_run_at_work():
    table, console = live_table()
    lines = drawn(at_work(table), console)
    assert lines[0] == "cached   SentenceExampleGen      0.4 s  nothing changed"
    assert lines[1] == "done     Transform              51.2 s  text.max_length: 64 -> 32"
    assert re.fullmatch(
        r"running  Trainer +0\.\d s  epoch 2/20  loss 0\.612  accuracy 66\.\.\.", lines[2]
    )
    assert lines[3] == "waiting  Pusher"
    assert max(map(len, lines)) <= 78, "there is room for ^C"


def test_narrow_table_has_the_message_below():
    table, console = live_table(width=40)
    lines = drawn(at_work(table), console)
    assert lines[1] == "done     Transform              51.2 s"
    assert lines[4] == "epoch 2/20  loss 0.612  accuracy 66..."
    assert len(lines) == 5


def test_low_terminal_keeps_the_running_step_in_sight():
    table, console = live_table(height=4)
    lines = drawn(at_work(table), console)
    assert [line.split()[1] for line in lines] == ["Trainer", "Pusher"]


def test_before_the_steps_are_known():
    table, console = live_table()
    assert drawn(table, console) == ["setting up: 0 s"]


def test_failed_step_leaves_its_cause_to_the_line_below():
    table, console = live_table()
    at_work(table).end(Step("Trainer", "failed", 3.0, "disk full"))
    assert drawn(table, console)[2] == "failed   Trainer                 3.0 s"


def test_text_of_others_is_no_markup_and_moves_no_cursor():
    table, console = live_table()
    at_work(table)
    record = logging.LogRecord(
        "components.x", logging.INFO, "", 0, "[red]%s", ("a\x1b[2Jb\nc",), None
    )
    with console.capture() as above:
        Messages(table).emit(record)
    assert above.get() == "[red]a [2Jb c\n"
    table.say("Trainer", logging.INFO, "[red]a\x1b[2Jb")
    with console.capture() as capture:
        console.print(table.table())
    assert "[red]a [2Jb" in capture.get()
    assert "\x1b[2J" not in capture.get()


def test_no_color(monkeypatch):
    table, console = live_table(no_color=True)
    at_work(table)
    with console.capture() as capture:
        console.print(table.table())
    codes = {
        code for codes in re.findall(r"\x1b\[([\d;]*)m", capture.get()) for code in codes.split(";")
    }
    assert codes <= {"0", "1", "2"}, "bold and dim are no colours"


def test_warnings_stay_above_the_table():
    table, console = live_table()
    at_work(table)
    with console.capture() as capture:
        table.say("Trainer", logging.WARNING, "cannot read checkpoint")
    assert capture.get() == "cannot read checkpoint\n"
    assert "epoch 2/20" in drawn(table, console)[2]


def test_plain_lines():
    stream = io.StringIO()
    at_work(Lines(stream)).end(Step("Trainer", "failed", 3.0, "disk full"))
    assert stream.getvalue().splitlines() == [
        " 1/4 SentenceExampleGen",
        "        cached in 0.4 s: nothing changed",
        " 2/4 Transform",
        "        run in 51.2 s: text.max_length: 64 -> 32",
        " 3/4 Trainer",
        "        epoch 2/20  loss 0.612  accuracy 66.0 %  eval 71.2 %",
        "        failed in 3.0 s",
    ]


def side_by_side(progress):
    """Two steps at a time; the one that began first ends first."""
    progress.plan(["LinearBaseline", "WordVectors", "Transform"])
    progress.start("LinearBaseline")
    progress.start("WordVectors")
    progress.say("LinearBaseline", logging.INFO, "accuracy 0.8")
    progress.end(Step("LinearBaseline", "run", 1.5, "first run"))
    return progress


def test_lines_of_steps_side_by_side_stand_below_their_names():
    stream = io.StringIO()
    progress = side_by_side(Lines(stream))
    progress.say("WordVectors", logging.INFO, "half of it\x1b[2J")
    progress.end(Step("WordVectors", "skipped", 3.0, "stopped: another step failed"))
    assert stream.getvalue().splitlines() == [
        " 1/3 LinearBaseline",
        " 2/3 WordVectors",
        " 1/3 LinearBaseline",
        "        accuracy 0.8",
        "        run in 1.5 s: first run",
        " 2/3 WordVectors",
        "        half of it [2J",
        "        skipped in 3.0 s: stopped: another step failed",
    ]


def test_table_of_steps_side_by_side():
    table, console = live_table()
    both = side_by_side(table)
    lines = drawn(table, console)
    assert lines[0] == "done     LinearBaseline      1.5 s  first run"
    assert re.fullmatch(r"running  WordVectors +0\.\d s", lines[1])
    assert lines[2] == "waiting  Transform"
    both.end(Step("WordVectors", "skipped", 3.0, "stopped: another step failed"))
    assert drawn(table, console)[1].startswith("skipped  WordVectors         3.0 s  stopped")


def test_own_loggers_are_heard_while_it_lasts():
    stream = io.StringIO()
    with show_progress(stream, shown=True, live=True) as progress:
        progress.plan(STEPS)
        logging.getLogger("components.trainer").info("epoch %d", 3)
        logging.getLogger("tensorflow").info("chatter")
    logging.getLogger("components.trainer").info("too late")
    assert stream.getvalue() == "        epoch 3\n"


def test_nothing_is_shown():
    stream = io.StringIO()
    with show_progress(stream, shown=False, live=True) as progress:
        at_work(progress)
        logging.getLogger("components.trainer").warning("epoch 3")
    assert stream.getvalue() == ""


def test_printable():
    assert printable("film\t\x9b31m\u202eé…") == "film  31m é…"


# A run as local_runner shows it, on a terminal of its own.
SCRIPT = """
import logging, sys, time
from pathlib import Path
from pipeline.console import quiet_libraries
from pipeline.progress import show_progress
from pipeline.record import Step
with quiet_libraries(Path(sys.argv[1])) as out, show_progress(out, True, live=True) as progress:
    progress.plan(["Transform", "Trainer"])
    progress.start("Transform")
    print("chatter")
    progress.end(Step("Transform", "run", 1.0, "first run"))
    progress.start("Trainer")
    progress.say("Trainer", logging.INFO, "epoch 1/2")
    time.sleep(60)
"""


@pytest.mark.parametrize("columns", [80, 40])
def test_interrupted_on_a_terminal(tmp_path, columns):
    terminal = Terminal([sys.executable, "-c", SCRIPT, tmp_path / "run.log"], columns=columns)
    terminal.read_until("epoch 1/2", seconds=60)
    terminal.type(CTRL_C)
    assert terminal.read_all(seconds=60) != 0
    shown = terminal.shown
    assert "chatter" in (tmp_path / "run.log").read_text()
    table, _, after = shown.rpartition("waiting" if "waiting" in shown else "running")
    assert "chatter" not in table
    assert "\x1b[1A" in table, "the table is drawn anew"
    assert table.rindex("\x1b[?25h") > table.rindex("\x1b[?25l"), "the cursor is there meanwhile"
    assert "KeyboardInterrupt" in after and "\x1b[?25l" not in after
    assert table.isascii()
    drawn_lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", table).replace("\r", "\n").split("\n")
    assert max(map(len, drawn_lines)) <= columns


@pytest.mark.parametrize("term", ["dumb", ""])
def test_terminal_that_cannot_draw_gets_lines(tmp_path, term):
    terminal = Terminal([sys.executable, "-c", SCRIPT, tmp_path / "run.log"], TERM=term)
    terminal.read_until("epoch 1/2", seconds=60)
    terminal.type(CTRL_C)
    terminal.read_all(seconds=60)
    assert terminal.shown.replace("\r", "").splitlines()[:4] == [
        " 1/2 Transform",
        "        run in 1.0 s: first run",
        " 2/2 Trainer",
        "        epoch 1/2",
    ]
    assert "\x1b" not in terminal.shown
