"""The page of a run, read as HTML; test_browser.py looks at it, tests/e2e sees it written."""

import copy
import json

import pytest

from pipeline.record import Step
from pipeline.report.headline import headline
from pipeline.report.page import run_page
from tests.pipeline.report import records
from tests.pipeline.report.pages import Page, hostile_record


def page_of(record) -> Page:
    page = Page(run_page(record))
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def full_html() -> str:
    return run_page(records.full())


@pytest.fixture(scope="module")
def full(full_html) -> Page:
    return Page(full_html)


HEADLINES = {
    "succeeded": "Pushed version 3: accuracy 84.1 %, 1.2 points above version 2.",
    "refused": "The data was refused: films.csv: 800 of 1000 rows rejected",
    "not_blessed": "Nothing was pushed: model not blessed: "
    "macro F1 on sentences over 40 words is 0.61, under its bound 0.65",
    "failed": "The run failed: Trainer failed: MemoryError: out of memory (log: logs/a.log)",
    "interrupted": "The run was interrupted; the next one goes on from where it stopped.",
    "running": "The run is not over, or its process was killed.",
}
SECTIONS = {
    "succeeded": ["rows", "data", "training", "metrics", "mistakes", "serving", "steps", "lineage",
                  "made-from"],
    "refused": ["rows", "steps", "made-from"],
    "not_blessed": ["rows", "data", "training", "metrics", "mistakes", "serving", "steps",
                    "lineage", "made-from"],
    "failed": ["rows", "data", "steps", "lineage", "made-from"],
    "interrupted": ["rows", "data", "steps", "lineage", "made-from"],
    "running": ["made-from"],
}  # fmt: skip


@pytest.mark.parametrize("status", HEADLINES)
def test_however_it_ended_the_page_begins_with_what_happened(status):
    record = records.ended(status)
    assert record.status == status
    assert headline(record) == HEADLINES[status]
    page = page_of(record)
    assert HEADLINES[status] in page.texts[""]
    assert list(page.texts) == ["", *SECTIONS[status]]
    assert page.attributes("a", "href") == [f"#{section}" for section in SECTIONS[status]]


def test_the_key_figures(full):
    for text in (
        "accuracy 84.1 % 95 % interval 80.3 to 87.4 %; 410 sentences of eval",
        "points against the linear baseline +5.6 which has 78.5 %",
        "points against version 2 +1.2 which has 82.9 %",
        "rows accepted 4,074 of 4,200 read; 85 rejected, 41 duplicates",
        "p99 of a request 9.0 ms median 3.1 ms",
        "duration 2 min 46 s 3 of 13 steps from the cache",
    ):
        assert text in full.texts[""]


@pytest.mark.parametrize(
    ("section", "texts"),
    [
        ("rows", ["4,074 · 97.0 %", "61 · 1.5 %", "rejected: unknown_label", "films.csv:17",
                  "label 'neutral' is not one of", '"It runs for two hours."']),
        ("data", ["48.6 % · 1,781", "51.5 % · 211", "The vocabulary has 6,421 words.", "95.5 %",
                  "6,130 of 6,421 words known (98.9 % of the tokens", "filmgoer (7)"]),
        ("training", ["kept: 4", "4 (kept) 232 0.3620 84.6 % 0.3910 84.1 % 2,346",
                      "1 82.9 % 128 0.001", "2 (best) 84.1 % 64 0.002"]),
        ("metrics", ["always the largest class", "accuracy 84.1 % 80.3 to 87.4 % 82.9 %",
                     "macro F1 0.840 0.801 to 0.873 0.828 0.784", "loss 0.391 0.391 –",
                     "The model is 5.6 points above a linear model on n-grams, which reaches 78.5",
                     "Temperature 1.37: without it the calibration error was 0.061, with it 0.021",
                     "183 86.7 %", "over 40 words (11)", "labelled positive 211 86.7 %",
                     "probability of the answer"]),
        ("mistakes", ["filmgoer", "labelled negative , predicted positive with 98.7 %"]),
        ("serving", ["p50", "3.1 ms", "p95", "5.2 ms", "max", "14.8 ms", "Bound of p99: 100 ms"]),
        ("steps", ["1 min 36 s", "0.8 s, cached", "Trainer run 1 min 36 s train.learning_rate"]),
        ("lineage", ["examples 11", "pushed_model 25"]),
        ("made-from", ["run before, 2026-03-01T08:15:30.000001Z (succeeded)",
                       "train.learning_rate 0.003 0.002", "vectors.path – vectors/film.txt.gz",
                       "0123456789abcdef", "learning_rate: 0.004"]),
    ],
)  # fmt: skip
def test_what_each_section_tells(full, section, texts):
    for text in texts:
        assert text in full.texts[section], text


def test_lineage_names_each_artifact_once(full):
    text = full.texts["lineage"]
    assert text.count("model 7") == text.count("model 19") == 1
    assert "candidate" not in text  # the Resolver found the Trainer's model


def test_refused_rows_come_first():
    refused = page_of(records.ended("refused"))
    assert refused.texts["rows"].startswith(" What was refused")
    assert "799 · 79.9 %" in refused.texts["rows"] and "films.csv:204" in refused.texts["rows"]


def test_unknown_words_are_marked(full_html):
    assert full_html.count("<mark>") == 1 + 3  # in the explanation; filmgoer, snark, tastic
    assert "A <mark>filmgoer</mark> with any patience" in full_html
    assert "<mark>snark</mark>-<mark>tastic</mark>, and you" in full_html


def test_needs_nothing_else(full, full_html):
    assert "http" not in full_html.replace("http-equiv", "") and "@import" not in full_html
    assert not {"script", "img", "image", "link", "iframe"} & {tag for tag, _ in full.tags}
    [policy] = [
        attrs["content"] for tag, attrs in full.tags if tag == "meta" and "http-equiv" in attrs
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_pictures_follow_the_page(full):
    svgs = [attrs for tag, attrs in full.tags if tag == "svg"]
    assert len(svgs) == 14
    for svg in svgs:
        assert svg["role"] == "img" and svg["aria-label"] and "viewbox" in svg
    assert "Accuracy. this model: 84.1 % 80.3 to 87.4 %" in [
        svg["aria-label"].partition(";")[0] for svg in svgs
    ]
    styles = [attrs["style"] for tag, attrs in full.tags if tag != "svg" and "style" in attrs]
    assert any("var(--accent)" in style for style in styles)
    assert not [style for style in styles if "#" in style.replace("url(#", "")]


def test_no_id_comes_twice_and_every_reference_leads_somewhere(full):
    ids = [attrs["id"] for _, attrs in full.tags if "id" in attrs]
    assert len(ids) == len(set(ids)) > len(SECTIONS["succeeded"])
    used = {attrs["href"].removeprefix("#") for _, attrs in full.tags if "href" in attrs}
    used |= {
        attrs["clip-path"].removeprefix("url(#").removesuffix(")")
        for _, attrs in full.tags
        if "clip-path" in attrs
    }
    assert used <= set(ids)


def test_the_same_record_gives_the_same_page(full_html):
    assert run_page(records.full()) == full_html


def test_what_users_wrote_is_text_and_no_markup():
    html = run_page(hostile_record())
    page = Page(html)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    for section in ("", "rows", "data", "metrics", "mistakes", "serving", "steps", "made-from"):
        assert "<script>" in page.texts[section], section
    assert "$\\frac{1}{0}$" in page.texts["metrics"]  # a label, no formula
    assert "<mark>&lt;script&gt;</mark><mark>alert</mark>(" in html


def test_an_older_record_has_fewer_sections():
    record = records.full()
    record.data = record.history = record.kept_epoch = record.mistakes = record.previous = None
    del record.metrics["intervals"], record.metrics["reliability"]
    record.steps = [Step(step.id, step.state, step.seconds, step.why) for step in record.steps]
    page = page_of(record)
    assert list(page.texts) == ["", "rows", "data", "metrics", "serving", "steps", "made-from"]
    assert "interval" not in page.texts[""] and "duration" not in page.texts[""]
    assert "Transform run 14.8 s" in page.texts["steps"]


def test_a_value_that_is_not_defined_is_a_dash():
    record = records.full()
    record.metrics["macro_f1"] = None
    record.metrics["slices"]["length=41+"] = {
        "accuracy": 1.0, "macro_f1": None, "example_count": 1, "intervals": {}
    }  # fmt: skip
    assert "over 40 words 1 100.0 % –" in page_of(record).texts["metrics"]


def test_a_blessed_model_that_was_not_pushed_has_no_version():
    record = records.full()
    record.version_before = None
    assert headline(record).endswith("84.1 %, 1.2 points above the blessed model before.")


def test_nothing_new_to_push():
    record = records.full()
    pusher = record.steps[-1]
    record.steps[-1] = Step("Pusher", "cached", 0.1, "nothing changed", pusher.started)
    assert headline(record) == "Nothing new to push: version 3 is served, accuracy 84.1 %."


def test_a_missed_bound_stands_out():
    record = records.full()
    record.config = json.loads(json.dumps(record.config))
    record.config["evaluate"]["bounds"] = [
        {"metric": "macro_f1", "slice": "length=41+", "min": 0.75},
        {"metric": "accuracy", "slice": "length=1-10", "min": 0.7},
    ]
    html = run_page(record)
    assert '<span class="warn">macro F1 at least 0.75</span>' in html
    assert "<span>accuracy at least 0.7</span>" in html


@pytest.mark.parametrize("classes", [3, 6, 40])
def test_many_classes(classes):
    record = records.full()
    labels = [f"class {number}" for number in range(classes)]
    record.config = copy.deepcopy(record.config)
    record.config["data"]["labels"] = labels
    for split in record.data["splits"].values():
        split["labels"] = dict.fromkeys(labels, 10)
    record.metrics["confusion_matrix"] = [
        [7 if i == j else 0 for j in range(classes)] for i in range(classes)
    ]
    assert page_of(record).texts["metrics"].count("class 2") >= 2


def test_repeated_and_contradictory_sentences_are_told_of():
    record = records.full()
    assert "repeat the sentence" not in page_of(record).texts["rows"]  # as of older runs: not known
    record.data["repeats"] = {"sentences": 80, "rows": 100, "contradictory": 40}
    told = page_of(record).texts["rows"]
    assert "About 20 % of the rows repeat the sentence of another row." in told
    assert "About 50 % of the sentences stand there with several labels." in told
