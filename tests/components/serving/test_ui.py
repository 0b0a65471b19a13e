"""The page to try the model, in a real browser: Chromium, without a window."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.serving.process import ServerAddress, start_server_process
from components.serving.settings import ServingSettings
from tests.components.serving.tiny_model import save

START_SECONDS = 180
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerAddress]:
    root: Path = tmp_path_factory.mktemp("ui")
    save(root / "sentiment" / "1")
    (root / "sentiment" / "vocabulary").unlink()
    limits = ServingSettings(max_sentences=4)
    with start_server_process(root, "sentiment", START_SECONDS, limits, ui=True) as address:
        yield address


def base_url(server: ServerAddress) -> str:
    return server.rest_url.partition("/v1/")[0]


@pytest.fixture
def page(browser: Any, server: ServerAddress) -> Iterator[Any]:
    page = browser.new_page(viewport=PHONE)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_default_timeout(20_000)
    page.goto(base_url(server))
    yield page
    page.close()
    # A refused request is shown to the user, and logged by the browser itself.
    assert [text for text in problems if "Failed to load resource" not in text] == []


def answers(page: Any) -> list[list[str]]:
    """[[words, best class, its probability]], as they are shown."""
    page.wait_for_selector("#answers li")
    return [
        [
            item.query_selector(".words").inner_text(),
            item.query_selector(".best .name").inner_text(),
            item.query_selector(".best .number").inner_text(),
        ]
        for item in page.query_selector_all("#answers li")
    ]


def test_several_sentences_by_keyboard(page: Any, tmp_path: Path) -> None:
    # The field takes the focus by itself, but a browser does that after the load event.
    page.wait_for_function("document.activeElement.id === 'sentences'")
    page.keyboard.press("Control+A")
    page.keyboard.type("great <b>film</b>\n\nbad awful")
    page.keyboard.press("Control+Enter")
    assert answers(page) == [
        ["great < b > film < / b >", "positive", "87.5 %"],  # the model's tokens
        ["bad awful", "negative", "100.0 %"],
    ]
    about = page.inner_text("#about")
    assert about.startswith("sentiment, version 1: 2 sentences in ") and about.endswith(" ms")
    unknown = page.query_selector_all("#answers .unknown")
    assert [word.inner_text() for word in unknown if word.inner_text().isalpha()] == [
        "b",
        "film",
        "b",
    ]
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 5000


def test_by_tab_and_enter(page: Any) -> None:
    page.fill("#sentences", "good")
    page.focus("#sentences")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert answers(page) == [["good", "positive", "62.5 %"]]


def test_it_fits_on_a_phone(page: Any) -> None:
    page.fill("#sentences", "x" * 300)
    page.click("#classify")
    page.wait_for_selector("#answers li")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    button = page.query_selector("#classify").bounding_box()
    assert button["height"] >= 44  # what a finger hits


def test_what_cannot_be_answered_is_said(page: Any) -> None:
    page.fill("#sentences", " \n ")
    page.click("#classify")
    assert page.inner_text("#error") == "Type a sentence first."
    page.fill("#sentences", "\n".join("abcde"))
    page.click("#classify")
    page.wait_for_function("document.getElementById('error').textContent.includes('at most 4')")
    assert page.query_selector_all("#answers li") == []
    page.fill("#sentences", "good")
    page.click("#classify")
    assert answers(page) == [["good", "positive", "62.5 %"]]
    assert page.inner_text("#error") == ""


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"sentences": 3}', b'{"sentences": [1]}', b'{"sentences": null}']
)
def test_wrong_questions(server: ServerAddress, body: bytes) -> None:
    response = httpx.post(f"{base_url(server)}/ui/classify", content=body)
    assert (response.status_code, response.json()) == (
        400,
        {"error": 'Expected {"sentences": ["…", …]}'},
    )
