"""How the tests read a page, and a record whose every text is hostile."""

import copy
from html.parser import HTMLParser

from pipeline.record import Step
from tests.pipeline.report import records

HOSTILE = "<script>alert('$x$')</script>\x1b <img src=x onerror=alert(1)>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Elements, headline, texts by section, and tags that are not closed."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {"": ""}
        self.open: list[str] = []
        self.headline = ""
        self._section = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self._section = dict(attrs)["id"]
            self.texts[self._section] = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h1":
            self.headline += data
        if self.open and self.open[-1] != "style":
            self.texts[self._section] += f" {data.strip()}" if data.strip() else ""

    def attributes(self, tag: str, name: str) -> list[str | None]:
        return [attrs[name] for each, attrs in self.tags if each == tag and name in attrs]


def hostile_record():
    """A record whose every text from outside is hostile."""
    record = records.full()
    record.config = copy.deepcopy(record.config)
    record.config["name"] = HOSTILE
    record.config["data"]["labels"] = [HOSTILE, "$\\frac{1}{0}$"]
    record.data["splits"]["train"]["labels"] = {HOSTILE: 3, "$\\frac{1}{0}$": 3661}
    record.data["rejects"] = [
        {"file": HOSTILE, "record": 1, "reason": HOSTILE, "detail": HOSTILE, "raw": HOSTILE}
    ]
    record.rows["rejected"] = {HOSTILE: 3}
    record.metrics["slices"][f"label={HOSTILE}"] = record.metrics["slices"].pop("label=negative")
    record.mistakes = [
        {"text": HOSTILE, "label": HOSTILE, "predicted": HOSTILE, "probability": 1.0,
         "unknown": ["<script>", "alert"]}
    ]  # fmt: skip
    record.vectors["missing"] = [[HOSTILE, 1]]
    record.previous["changes"] = [{"key": HOSTILE, "before": HOSTILE, "after": HOSTILE}]
    record.steps.append(Step(HOSTILE, "failed", 1.0, HOSTILE, 100.0))
    record.status, record.error = "failed", HOSTILE
    record.serve_check["failures"] = [HOSTILE]
    return record
