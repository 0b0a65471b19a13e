"""Repeated and contradictory sentences: exact for few, estimated for many."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.repeats import SAMPLED, Repeats, SentenceSample, merged
from components.ingest.splitting import text_digest


def sample_of(rows, size=SAMPLED):
    sample = SentenceSample(size)
    for text, label in rows:
        sample.add(text_digest(text), label)
    return sample.counts()


def test_few_sentences_are_all_counted():
    rows = [("Good", "p"), ("good ", "p"), ("bad", "n"), ("odd", "n"), ("odd", "p")]
    assert merged([sample_of(rows)]) == Repeats(sentences=3, rows=5, contradictory=1)


ROWS = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from("np")), max_size=60)


@given(ROWS, st.integers(1, 8), st.randoms())
def test_the_sample_is_those_with_the_smallest_digests_with_all_their_rows(rows, size, random):
    counts = {}
    for text, label in rows:
        labels = counts.setdefault(text_digest(text).hex(), {})
        labels[label] = labels.get(label, 0) + 1
    smallest = {digest: counts[digest] for digest in sorted(counts)[:size]}
    random.shuffle(rows)
    assert sample_of(rows, size) == smallest


@given(ROWS, st.integers(0, 60))
def test_files_merge_into_their_union(rows, cut):
    assert merged([sample_of(rows[:cut]), sample_of(rows[cut:])]) == merged([sample_of(rows)])


def test_many_sentences_are_estimated():
    rows = [(str(n), "p") for n in range(6000) for _ in range(1 + n % 3)]  # half of the rows repeat
    rows += [(str(n), "n") for n in range(0, 6000, 10)]  # of each tenth sentence
    found = merged([sample_of(rows[:7000]), sample_of(rows[7000:])])
    assert found.sentences == SAMPLED
    assert 1 - found.sentences / found.rows == pytest.approx(1 - 6000 / 12_600, abs=0.04)
    assert found.contradictory / found.sentences == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Repeats(sentences=0, rows=0, contradictory=0), []),
        (Repeats(sentences=96, rows=100, contradictory=4), []),
        (
            Repeats(sentences=5, rows=100, contradictory=5),
            [
                "about 95 % of the rows repeat the sentence of another row",
                "about 100 % of the sentences stand there with several labels",
            ],
        ),
    ],
)
def test_what_is_notable_is_told(found, words):
    assert found.in_words() == words
