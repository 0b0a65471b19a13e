"""The pages in a real browser: Chromium, without a window."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.report.compare import compare_page
from pipeline.report.page import run_page
from tests.pipeline.report import records
from tests.pipeline.report.pages import hostile_record

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
LEAST_CONTRAST = 4.5  # of text, WCAG 2.2 AA
LEAST_TEXT = 9.0  # pixels, in a picture

CONTRAST = """() => {
  const luminance = (color) => {
    const linear = color.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255).map(
      (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const card = luminance(getComputedStyle(document.querySelector("figure")).backgroundColor);
  const colours = ["h1", "figcaption", ".soft", ".note", "nav a", "svg text"].map((selector) => {
    const style = getComputedStyle(document.querySelector(selector));
    return luminance(selector == "svg text" ? style.fill : style.color);
  });
  return Math.min(...colours.map(
    (text) => (Math.max(text, card) + 0.05) / (Math.min(text, card) + 0.05)));
}"""
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll("svg text")].map(
  (text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a || Infinity))"""
CUT_OFF = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const own = text.getBoundingClientRect();
    return own.left < box.left - 1 || own.right > box.right + 1
        || own.top < box.top - 1 || own.bottom > box.bottom + 1;
  }).map((text) => text.textContent);
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    html = {
        "full": run_page(records.full()),
        "refused": run_page(records.ended("refused")),
        "hostile": run_page(hostile_record()),
        "compared": compare_page(records.ended("not_blessed"), records.full()),
    }
    for name, text in html.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in html}


@pytest.fixture
def shown(browser: Any, pages: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page in the browser; nothing but itself may be fetched, nothing may go wrong."""
    name, size, scheme = request.param
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(pages[name].as_uri())
    yield page
    page.close()
    assert problems == []
    assert requests == [pages[name].as_uri()]


@pytest.mark.parametrize(
    "shown",
    [
        ("full", "desktop", "light"),
        ("full", "desktop", "dark"),
        ("full", "phone", "light"),
        ("full", "phone", "dark"),
        ("refused", "phone", "light"),
        ("hostile", "phone", "dark"),
        ("compared", "desktop", "light"),
        ("compared", "phone", "dark"),
    ],
    indirect=True,
)
def test_it_fits_the_window(shown: Any) -> None:
    width = shown.viewport_size["width"]
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(SMALLEST_TEXT) >= LEAST_TEXT
    assert shown.evaluate(CUT_OFF) == []


@pytest.mark.parametrize(
    "shown", [("full", "phone", "light"), ("full", "phone", "dark")], indirect=True
)
def test_it_can_be_read(shown: Any) -> None:
    assert shown.evaluate(CONTRAST) >= LEAST_CONTRAST


@pytest.mark.parametrize("shown", [("full", "desktop", "light")], indirect=True)
def test_contents_lead_to_the_sections(shown: Any) -> None:
    shown.click("nav a[href='#steps']")
    shown.wait_for_url("**#steps")
    top = "document.getElementById('steps').getBoundingClientRect().top"
    assert abs(shown.evaluate(top)) < 100
