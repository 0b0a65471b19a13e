"""CSV quotes: fields over several lines, and quotes that are never closed."""

import pytest


def test_csv_quotes(read_short):
    content = (
        b"text,label\n"
        b'"Two\nlines, ""quoted""\r\n\nand a fourth",positive\n'
        b'so-called "art", negative \n'
        b'"",positive\n'
    )
    assert read_short("a.csv", content) == [
        (2, "positive", 'Two\nlines, "quoted"\r\n\nand a fourth'),
        (6, "negative", 'so-called "art"'),
        (7, "empty_text"),
    ]


def test_header_over_two_lines(read_short):
    assert read_short("a.csv", b'text,label,"a\nb"\nFine,positive,1\n') == [(3, "positive", "Fine")]


# A quote that is never closed, and what follows it: only the line with the quote may be lost.
AFTER_OPEN_QUOTE = {
    "the end": [],
    "plain lines": [b"Rain,negative", b"Sun,positive"],
    "a quoted line": [b'"Rain, again",negative'],
    "a line with quotes in it": [b'a "so-called" day,negative'],
    "a quoted label": [b'Rain,"negative"'],
    "a record of two lines": [b'"Rain\nagain",negative'],
    "an empty quoted field": [b'Rain,"negative"', b'"",positive'],
}


@pytest.mark.parametrize("following", AFTER_OPEN_QUOTE.values(), ids=AFTER_OPEN_QUOTE)
def test_an_unterminated_quote_takes_no_other_line_with_it(read_short, following):
    tail = b"\n".join([*following, b""])
    alone = read_short("alone.csv", b"text,label\nFine,positive\n" + tail)
    after = read_short("after.csv", b'text,label\n"Oh,negative\n' + tail)
    assert after == [(2, "unterminated_quote")] + alone[1:]


def test_many_unterminated_quotes_are_each_rejected(read_short):
    content = b"text,label\n" + b'"Oh,positive\nWell,negative\n' * 1000
    items = read_short("a.csv", content)
    assert [item[1] for item in items] == ["unterminated_quote", "negative"] * 1000


def test_look_ahead_after_a_quote_is_bounded(read_short):
    line = b"A day that was like any other day in that year,positive\n"
    content = b'text,label\n"Oh,negative\n' + line * 30_000  # 1.7 MB
    items = read_short("a.csv", content)
    assert items[0] == (2, "unterminated_quote")
    assert len(items) == 30_001
    assert items[-1] == (30_002, "positive", "A day that was like any other day in that year")


def test_a_quoted_text_that_never_fits_is_not_joined_over_the_limit(read_short):
    content = b'text,label\n"' + b"Oh what a day\n" * 90_000 + b'",positive\nFine,positive\n'
    items = read_short("a.csv", content)
    assert items[0] == (2, "unterminated_quote")
    assert items[-1] == (90_003, "positive", "Fine")


def test_not_utf8_inside_a_record_of_two_lines_rejects_both(read):
    (reject,) = read("a.csv", b'text,label\n"Nice\xff\nfilm",positive\n')
    assert (reject.record, reject.reason, reject.raw) == (
        2,
        "not_utf8",
        '"Nice\\xff\nfilm",positive',
    )
