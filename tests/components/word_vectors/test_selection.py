"""Which words are kept, in which order, and what is counted."""

import io
import tracemalloc

import numpy as np
import pytest

from components.settings import TextSettings
from components.word_vectors.coverage import Coverage
from components.word_vectors.executor import are_tokens
from components.word_vectors.formats import TextReader, open_vectors
from components.word_vectors.selection import select_words
from components.word_vectors.source import VectorFiles

CORPUS = [("film", 5), ("zzz", 3), ("good", 2)]
VECTORS = b"the 1 1\nfilm 2 2\nThe 3 3\nof course 0 0\n\xff 9 9\nwell-made 4 4\nbad 5 5\n" + (
    b"film 6 6\nthe 7 7\ngood 8 8\n"
)
NAN = [None, None]


def select(content, corpus, extra_words, **text):
    reader = TextReader(io.BufferedReader(io.BytesIO(content)), "v", 2)
    words, vectors, coverage = select_words(
        reader, corpus, extra_words, are_tokens(TextSettings(**text)), 2
    )
    assert vectors.dtype == np.float32
    rows = [[None if np.isnan(value) else value for value in row] for row in vectors.tolist()]
    return words, rows, coverage


def test_the_corpus_comes_first_then_words_it_lacks_by_their_frequency():
    words, rows, coverage = select(VECTORS, CORPUS, extra_words=10)
    # `The` and `well-made` are no tokens: text is put in lower case and split at hyphens.
    assert words == ["film", "zzz", "good", "the", "bad"]
    assert rows == [[2, 2], NAN, [8, 8], [1, 1], [5, 5]]
    assert coverage == Coverage(
        types=3,
        types_known=2,
        tokens=10,
        tokens_known=7,
        missing=[("zzz", 3)],
        extra_words=2,
        read=9,
        duplicates=2,
        not_utf8=1,
        words_with_spaces=1,
    )


@pytest.mark.parametrize(
    ("extra_words", "text", "added"),
    [
        (0, {}, []),
        (1, {}, ["the"]),
        (10, {"lowercase": False}, ["the", "The", "bad"]),
        (10, {"split_hyphens": False}, ["the", "well-made", "bad"]),
    ],
)
def test_added_words_are_as_many_as_asked_and_tokens(extra_words, text, added):
    words, _, coverage = select(VECTORS, CORPUS, extra_words, **text)
    assert words[3:] == added
    assert coverage.extra_words == len(added)


def test_coverage_in_words():
    _, _, coverage = select(VECTORS, CORPUS, extra_words=10)
    assert coverage.in_words() == (
        "2 of 3 words known (70.0 % of the tokens; not zzz), 2 more added; "
        "left aside: 2 second vectors, 1 words not UTF-8, 1 words with spaces"
    )
    _, _, coverage = select(b"film 1 1\n", [("film", 1)], extra_words=0)
    assert coverage.in_words() == "1 of 1 words known (100.0 % of the tokens), 0 more added"


def test_memory_is_needed_for_the_kept_words_only(tmp_path):
    path = tmp_path / "many.txt"
    numbers = " 0.123456" * 50
    with open(path, "w") as file:
        file.writelines(f"word{number}{numbers}\n" for number in range(100_000))
    assert path.stat().st_size > 40e6
    tracemalloc.start()
    with open_vectors(VectorFiles(str(path), None), 50) as reader:
        words, _, coverage = select_words(
            reader, [("word99999", 1)], 100, lambda words: [True] * len(words), 50
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert coverage.read == 100_000
    assert words[:2] == ["word99999", "word0"]
    assert peak < 8e6  # bytes: one batch of 4,096 lines is 2 MB
