"""Numbers and names as the page writes them."""

import pytest

from pipeline.report import words


@pytest.mark.parametrize(
    ("value", "other", "name", "text"),
    [
        (0.841, 0.829, "accuracy", "+1.2"),
        (0.8, 0.84, "accuracy", "−4.0"),
        (0.8401, 0.8399, "accuracy", "0.0"),
        (0.35, 0.391, "loss", "−0.041"),
        (None, 0.5, "auc", ""),
    ],
)
def test_difference(value, other, name, text):
    assert words.difference(value, other, name) == text


def test_how_one_stands_to_another():
    assert words.stands(0.84, 0.85, "it") == "1.0 points below it"
    assert words.stands(0.84, 0.8401, "it") == "level with it"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 5 s"), (7325, "2 h 2 min")],
)
def test_duration(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("length=1-10", "1 to 10 words"),
        ("length=41+", "over 40 words"),
        ("label=length=3", "labelled length=3"),
    ],
)
def test_slices(name, text):
    assert words.slice_in_words(name) == text


def test_error_names_slices_as_the_page_does():
    names = ["label=bad", "label=bad film", "length=1-10", "length=11+"]
    error = "macro_f1 on label=bad film is 0.5, auc on length=11+ has a bound; on label=badly"
    assert words.error_in_words(error, names) == (
        "macro F1 on sentences labelled bad film is 0.5, AUC on sentences over 10 words "
        "has a bound; on label=badly"
    )


@pytest.mark.parametrize(
    ("text", "unknown", "pieces"),
    [
        ("all known", [], [("all known", False)]),
        ("A Zorb, zorb!", ["zorb"], [("A ", False), ("Zorb", True), (", ", False), ("zorb", True),
                                     ("!", False)]),
        ("art in party", ["art"], [("art", True), (" in party", False)]),
        ("oh:-)well", [":-)"], [("oh", False), (":-)", True), ("well", False)]),
        ("ﬁlm", ["film"], [("ﬁlm", False), (" ", False), ("film", True)]),  # normalised
    ],
)  # fmt: skip
def test_marked_words(text, unknown, pieces):
    assert words.mark_words(text, unknown) == pieces


def test_shortened():
    assert words.shorten("a\n b", 9) == "a b"
    assert words.shorten("abcdef", 4) == "abc…"
