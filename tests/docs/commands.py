"""The shell commands in README.md and docs/*.md: blocks of code, indented by four spaces."""

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# What a block of code can be besides commands, by how its first line begins.
NOT_SHELL = {
    r"[a-z]+:$": "a part of a YAML file",
    r"# [a-z/-]+\.yaml$|# in ": "a part of a YAML file, with its name",
    r"apiVersion:": "a Kubernetes object",
    r"FROM ": "a part of a Dockerfile",
    r"value > ": "a formula",
    r"labelled files$": "the picture of the data's way",
    r"== |vectors   |rows      |trial |work/": "what a command prints, or a folder with its files",
}

SHELL_OPERATORS = (">", "|", "&", "&&", ";")


@dataclass(frozen=True)
class Command:
    """A command as it stands on the page, its continued lines joined."""

    text: str

    @property
    def words(self) -> list[str]:
        """Without the comment; operators of the shell are words."""
        return shlex.split(self.text, comments=True)

    @property
    def program(self) -> str:
        """Its name without the folder; "=" where variables are set and nothing is called."""
        called = [word for word in self.words if not re.match(r"[A-Z_]+=", word)]
        return Path(called[0]).name if called else "="

    @property
    def sentiflow(self) -> list[str] | None:
        """The words after `sentiflow`, whether it is run here or in a pod; None if it is not."""
        words = list(itertools.takewhile(lambda word: word not in SHELL_OPERATORS, self.words))
        if self.program == "sentiflow":
            return words[1:]
        if "--" in words and words[words.index("--") + 1] == "sentiflow":
            return words[words.index("--") + 2 :]
        return None


@dataclass(frozen=True)
class Block:
    """A block of code and where it stands."""

    page: str
    line: int
    text: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_shell(self) -> bool:
        first = self.text.splitlines()[0]
        return not any(re.match(pattern, first) for pattern in NOT_SHELL)

    @property
    def commands(self) -> list[Command]:
        lines = self.text.replace("\\\n", " ").splitlines()
        return [Command(line) for line in lines if shlex.split(line, comments=True)]


def blocks() -> list[Block]:
    """All indented blocks of code on all pages."""
    return [
        Block(page, token.map[0] + 1, token.content)
        for page, token in _tokens()
        if token.type == "code_block"
    ]


def fences() -> list[tuple[str, str]]:
    """The page and the language of each fenced block of code."""
    return [(page, token.info.strip()) for page, token in _tokens() if token.type == "fence"]


def inline_commands() -> list[Command]:
    """Commands of sentiflow within a sentence that have an option."""
    return [
        Command(child.content)
        for _, token in _tokens()
        for child in token.children or []
        if child.type == "code_inline" and re.match(r"sentiflow [a-z]+ .*-", child.content)
    ]


def _tokens() -> Iterator[tuple[str, Token]]:
    for page in PAGES:
        for token in MarkdownIt("commonmark").parse(page.read_text("utf-8")):
            yield str(page.relative_to(ROOT)), token
