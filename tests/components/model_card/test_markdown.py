"""The card as Markdown, read with a Markdown parser: nothing from outside becomes markup."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from components.model_card.card import model_card
from components.model_card.markdown import escaped, render
from components.model_card.settings import CardSettings
from tests.components.model_card.facts import run_facts

# What GitHub shows: CommonMark with tables and with links of bare addresses.
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = "# <script>alert(1)</script> [a](http://b) ![c](d) **e** `f` | g\n\n---\n- h &amp; <!-- i"


def texts(markdown: str) -> list[str]:
    """The plain text of each block; fails if one holds anything but text."""
    found = []
    for token in MARKDOWN.parse(markdown):
        if token.type == "inline":
            assert {child.type for child in token.children} <= {"text", "text_special"}
            found.append("".join(child.content for child in token.children))
    return found


def one_line(text: str) -> str:
    return " ".join(text.split())


SHOWN = st.text().filter(lambda text: text.split() and "\0" not in text)  # NUL is shown as U+FFFD


@given(SHOWN)
@example(HOSTILE)
@example("1. a")
@example("2) b")
@example("+ c")
@example("===")
@example("_d_ e_f __g__")
@example("~~h~~")
@example("\\# i")
def test_escaped_text_is_shown_as_it_is_wherever_it_stands(text):
    assert texts(escaped(text)) == [one_line(text)]
    assert texts(f"- {escaped(text)}") == [one_line(text)]
    assert texts(f"before\n\n{escaped(text)}\n\nafter") == ["before", one_line(text), "after"]
    table = texts(f"| a | b |\n| --- | --- |\n| {escaped(text)} | c |")
    assert table == ["a", "b", one_line(text), "c"]


@pytest.mark.parametrize("name", ["text.max_length", "macro_f1", "0.5", "length=41+", "it's"])
def test_usual_names_are_not_uglier_than_need_be(name):
    assert escaped(name) == name


def tables(markdown: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in markdown.splitlines()
        if line.startswith("|")
    ]


def test_card_shows_what_was_measured():
    markdown = render(model_card(run_facts(), CardSettings(license="MIT")))
    rows = tables(markdown)
    assert ["accuracy", "0.810", "0.780 to 0.830", "0.800", "0.780"] in rows
    assert ["length=41+", "100", "0.500", "0.400 to 0.600", "0.490"] in rows
    assert ["train", "9,000", "3,000", "6,000"] in rows
    assert ["positive", "100", "500"] in rows
    assert ["films.csv", "10,012", "ab12"] in rows
    assert ["train.clip_norm", "null"] in rows
    assert ["model.bidirectional", "true"] in rows
    assert ["Licence of the model", "MIT"] in rows
    assert ["Made with", "tensorflow 2.21.0, keras 3.15.1"] in rows
    assert "p50 1.9 ms, p99 2.8 ms" in markdown
    assert "weights are those after epoch 1" in markdown


def test_card_says_plainly_what_nobody_stated():
    rows = tables(render(model_card(run_facts(), CardSettings())))
    for field in ("Owner", "Contact", "Licence of the model", "Licence of the data", "Language"):
        assert [field, "not stated"] in rows


def test_many_files_are_cut_to_the_first():
    facts = run_facts()
    facts.ingest["files"] *= 22
    markdown = render(model_card(facts, CardSettings()))
    assert markdown.count("films.csv") == 20
    assert "2 more files in `model_card.json`." in markdown


def test_card_without_a_blessed_model_before():
    facts = run_facts()
    facts.outcome["blessed_before"] = None
    rows = tables(render(model_card(facts, CardSettings())))
    assert ["accuracy", "0.810", "0.780 to 0.830", "", "0.780"] in rows


def test_hostile_settings_labels_and_file_names_stay_text():
    fields = CardSettings.model_fields
    facts = run_facts(
        labels=["negative", HOSTILE],
        coverage={
            "types": 10, "types_known": 9, "tokens": 90, "tokens_known": 80, "extra_words": 5,
            "missing": [[HOSTILE, 3]],
        },
    )  # fmt: skip
    for by_label in facts.ingest["splits"].values():
        by_label[HOSTILE] = by_label.pop("positive")
    facts.ingest["files"][0]["path"] = f"/data/{HOSTILE}"
    markdown = render(model_card(facts, CardSettings(**dict.fromkeys(fields, HOSTILE))))
    tokens = MARKDOWN.parse(markdown)
    kinds = {child.type for token in tokens for child in token.children or []}
    assert kinds <= {"text", "text_special", "softbreak", "code_inline"}
    assert {token.type for token in tokens}.isdisjoint({"html_block", "hr", "fence"})
    headings = [
        tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"
    ]
    assert headings[1:] == [
        "Intended use", "Limits", "Data", "Model", "Metrics", "Serving",
    ]  # fmt: skip


def test_name_of_the_model_is_no_way_into_the_block_of_code():
    facts = run_facts(model_name="a\n\n<script>")
    with pytest.raises(ValueError, match="not a model's name"):
        render(model_card(facts, CardSettings()))
