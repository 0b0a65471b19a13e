"""The scale benchmark's made-up rows, table and document."""

from benchmarks.scale import (
    BEGIN,
    END,
    MEASURED,
    Measurement,
    perturbed,
    replaced,
    table,
    write_data,
)

TEXTS = ["a good film with a good cast", "dull"]


def test_sentences_are_repeated_with_words_exchanged():
    made = list(perturbed(TEXTS, 200, seed=1))
    assert made == list(perturbed(TEXTS, 200, seed=1)) != list(perturbed(TEXTS, 200, seed=2))
    assert {len(text.split()) for text in made[::2]} == {7}
    assert {len(text.split()) for text in made[1::2]} == {1}
    assert len(set(made)) > 20
    exchanged = sum(
        new != old
        for text in made[::2]
        for new, old in zip(text.split(), TEXTS[0].split(), strict=True)
    )
    assert 0.1 < exchanged / (7 * 100) < 0.25  # a word may be exchanged for itself


def test_files_have_all_rows_with_their_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.scale.FILE_ROWS", 4)
    write_data(TEXTS, ["positive", "negative"], 10, tmp_path / "data")
    files = sorted((tmp_path / "data").iterdir())
    assert [len(file.read_text().splitlines()) - 1 for file in files] == [4, 4, 2]
    first, second = files[0].read_text().splitlines()[1:3]
    assert first.endswith("\tpositive") and second.endswith("\tnegative")


def _measurement(rows, seconds, gib):
    return Measurement("1 worker", rows, dict.fromkeys(MEASURED, seconds), gib)


def test_table_says_how_time_and_memory_grow():
    lines = table([_measurement(1000, 10.0, 1.0), _measurement(10_000, 40.0, 3.5)])
    assert lines[2] == "| 1 worker | 1,000 | 10.0 | 10.0 | 10.0 | 10.0 | 25 | 1.00 |"
    assert "at most 3.50 GiB (aim: below 3 GiB, missed)" in lines[-2]
    assert lines[-1] == "1 worker: 10 times the rows take 4.0 times as long."


def test_only_what_stands_between_the_marks_is_replaced():
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(document, ["new", "lines"]) == f"before\n{BEGIN}\nnew\nlines\n{END}\nafter\n"
