"""The commands on the pages are right: each is run here, or listed with the reason why it is not.

A new command fails these tests until it is one or the other.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipeline.cli import cli
from tests.docs import place as made_up_place
from tests.docs.commands import ROOT, Block, Command, blocks, fences, inline_commands

# Programs whose commands are not run, and why.
NOT_RUN = {
    "kubectl": "needs a cluster; tests/k8s checks what is applied, tests/kubeflow runs the nodes",
    "docker": "needs an engine; tests/kubeflow builds and runs the image where there is one",
    "make": "sets up this folder itself; that the target exists is checked below",
    "tensorflow_model_server": "not a package that can be installed here",
    "python": "Beam's portable job service and workers, which run until they are stopped",
    "cd": "of the lines that fill in made-up passwords; tests/k8s does that without a shell",
    "for": "as cd",
    "sed": "as cd",
    "done": "as cd",
    "export": "credentials of a cluster's database",
    "fuser": "fails where nobody holds the lock, which is good",
    "=": "sets PATH for the lines that follow it",
}
RUN = ("curl", "cat", "ls", "df", "du", "rm")
ENDS_WITH = {"drift": (0, 3)}  # made-up text may well have drifted
# What changes nothing that the next command looks at, and so is run on one of the pages only.
ONCE = {"run", "predict", "batch", "drift", "report", "lineage", "compile", "config"}
# Commands and options of sentiflow that are not run, and why.
NOT_RUN_HERE = {
    "--mysql": "needs the database of a cluster; tests/kubeflow/test_lineage.py has one",
    "submit": "needs Kubeflow Pipelines; tests/pipeline/submission has a server of its own",
}
SHELLS = ("", "bash", "sh", "shell", "console")  # what a fence may call them
START_SECONDS = 180
SHELL = [block for block in blocks() if block.is_shell]
COMMANDS = [(block.id, command) for block in SHELL for command in block.commands]


def is_run(command: Command) -> bool:
    """Whether a command is run here; three dots mean that something is left out."""
    if command.program in RUN:
        return True
    words = command.sentiflow
    return (
        command.program == "sentiflow"
        and bool(words)
        and not NOT_RUN_HERE.keys() & set(words)
        and "…" not in command.text
    )


def test_there_are_commands():
    assert len(COMMANDS) > 40
    assert sum(is_run(command) for _, command in COMMANDS) > 15
    assert inline_commands()


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=lambda value: str(value)[:60])
def test_every_command_is_run_or_listed(where, command):
    known = command.program in NOT_RUN or command.program in RUN or command.sentiflow
    assert known, f"{where}: neither run here nor listed in NOT_RUN: {command.text}"


def test_only_the_page_on_serving_has_fenced_commands():
    assert {page for page, language in fences() if language in SHELLS} == {"docs/serving.md"}
    # They are run by tests/components/serving/test_documented_examples.py.


@pytest.mark.parametrize(
    ("text", "words"),
    [(command.text, command.sentiflow) for _, command in COMMANDS if command.sentiflow],
)
def test_call_is_one_that_the_command_takes(text, words):
    command = cli.commands.get(words[0])
    assert command, f"{text}: no such command"
    context = click.Context(command, info_name=words[0])
    arguments = [word for word in words[1:] if word != "…"]
    _, too_much, _ = command.make_parser(context).parse_args(arguments)
    assert not too_much, f"{text}: {too_much} are too much"


@pytest.mark.parametrize("text", sorted({command.text for command in inline_commands()}))
def test_options_that_a_sentence_names_exist(text):
    words = Command(text).sentiflow
    command = cli.commands.get(words[0])
    assert command, f"{text}: no such command"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("target", sorted({c.words[1] for _, c in COMMANDS if c.program == "make"}))
def test_make_has_the_target(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    made_up_place.make(folder)
    return folder


@pytest.fixture(scope="module")
def passed() -> set[tuple[str, ...]]:
    """The commands that have been run, to the end."""
    return set()


@pytest.fixture
def as_promoted(place: Path) -> Iterator[None]:
    """Takes back what a block does to the served versions."""
    saved = {path: path.read_bytes() for path in (place / "work/serving").glob("models.*")}
    assert saved
    yield
    for path, content in saved.items():
        path.write_bytes(content)


class Server:
    """The server that a block has started last, on ports that are free."""

    def __init__(self, place: Path):
        self._place = place
        self._stack = contextlib.ExitStack()
        self.rest = "127.0.0.1:0"

    def start(self, words: list[str]) -> None:
        """Starts it; returns when it answers for a model."""
        self.stop()
        self.rest, grpc = (f"127.0.0.1:{port}" for port in _free_ports())
        ports = [*("--rest-port", self.rest.partition(":")[2])]
        ports += [*("--grpc-port", grpc.partition(":")[2])]
        process = subprocess.Popen([made_up_place.SENTIFLOW, *words, *ports], cwd=self._place)
        self._stack.callback(_stop, process)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"http://{self.rest}/readyz"):
            assert process.poll() is None, f"{words}: ended"
            assert time.monotonic() < deadline, f"{words}: not ready"
            time.sleep(0.5)

    def stop(self) -> None:
        """Stops it, if one runs; it must end without a failure."""
        self._stack.close()

    def put_address(self, text: str) -> str:
        """A command with this server's address for the documented one."""
        return text.replace("localhost:8501", self.rest)


def _free_ports() -> list[int]:
    import socket

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.e2e
@pytest.mark.parametrize(
    "block", [b for b in SHELL if any(map(is_run, b.commands))], ids=lambda block: block.id
)
def test_commands_of_a_block_run(
    block: Block, place: Path, passed: set[tuple[str, ...]], as_promoted: None
):
    server = Server(place)
    try:
        for command in filter(is_run, block.commands):
            words = tuple(command.sentiflow or ())
            if words in passed:
                continue
            _run(command, place, server)
            if words and words[0] in ONCE and "--url" not in words:
                passed.add(words)
            if command.program == "rm":
                passed.clear()
    finally:
        server.stop()


def _run(command: Command, place: Path, server: Server) -> None:
    words = command.sentiflow
    if words and words[0] == "serve":
        server.start(words)
        return
    if not shutil.which(command.program) and not words:
        pytest.skip(f"no {command.program} on this machine")
    done = made_up_place.shell(server.put_address(command.text), place)
    good = ENDS_WITH.get(words[0], (0,)) if words else (0,)
    assert done.returncode in good, f"{command.text}: {done.stderr}"
    if command.program == "curl":
        assert '"error":' not in done.stdout
