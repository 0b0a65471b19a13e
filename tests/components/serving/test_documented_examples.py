"""The examples of docs/serving.md, run as they stand there, but for the port."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.serving.process import ServerAddress, start_server_process
from tests.components.serving.tiny_model import save

DOCUMENT = Path(__file__).parents[3] / "docs" / "serving.md"
START_SECONDS = 180
EXAMPLES = re.findall(r"^```(bash|python)\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.M)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerAddress]:
    root: Path = tmp_path_factory.mktemp("examples")
    save(root / "sentiment" / "1")
    with start_server_process(root, "sentiment", START_SECONDS) as address:
        yield address


def run(server: ServerAddress, language: str, code: str) -> str:
    rest = server.rest_url.removeprefix("http://").partition("/")[0]
    code = code.replace("localhost:8501", rest).replace("localhost:8500", server.grpc_address)
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-euc", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_all_three_are_there() -> None:
    assert [language for language, _ in EXAMPLES] == ["bash", "python", "python"]
    assert all(len(code.splitlines()) <= 10 for _, code in EXAMPLES)


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=["curl", "python", "stubs"])
def test_example(server: ServerAddress, language: str, code: str) -> None:
    labels = re.findall("negative|positive", run(server, language, code))
    # The tiny model knows no capital letters: "great" and "awful" count, "Good." does not.
    assert labels == ["positive", "negative", "negative"]
