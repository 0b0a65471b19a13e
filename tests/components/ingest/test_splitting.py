"""The split of a sentence may never change: what is literal here was true in the first release."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.splitting import assign_split, normalise, split_order, text_digest

SPLITS = {"train": 9, "eval": 1}


@pytest.mark.parametrize(
    "text, normal",
    [
        ("What a  Day\t!\n", "what a day !"),
        ("  ", ""),
        ("STRASSE Straße", "strasse strasse"),
        ("ﬁne\u00a0tea…", "fine tea..."),
        ("Ａ①", "a1"),
        ("cafe\u0301", "café"),
        ("İ", "i\u0307"),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal


@given(st.text())
def test_normalise_is_stable_and_blind_to_case_and_spaces(text):
    normal = normalise(text)
    assert normalise(normal) == normal
    assert normalise(f"  {text}\n") == normal


@pytest.mark.parametrize(
    "text, digest, split",
    [
        ("What a day !", "d4a62742515091d3", "train"),
        ("Größe", "d179961a977e3d4b", "eval"),
        ("", "e3b0c44298fc1c14", "train"),
    ],
)
def test_digest_and_split_of_every_release(text, digest, split):
    assert text_digest(text).hex() == digest
    assert assign_split(text_digest(text), SPLITS) == split


def test_equal_sentences_have_equal_digests():
    assert text_digest("What a DAY !") == text_digest(" what  a day ! ")
    assert text_digest("What a day !") != text_digest("What a day ?")


@pytest.mark.parametrize(
    "number, split", [(0, "train"), (8, "train"), (9, "eval"), (10, "train"), (19, "eval")]
)
def test_assign_split_counts_buckets(number, split):
    assert assign_split(number.to_bytes(8, "big"), SPLITS) == split


def test_order_of_the_settings_does_not_matter():
    mixed = {"test": 2, "eval": 1, "train": 7}
    assert split_order(mixed) == ("train", "eval", "test")
    assert [assign_split(n.to_bytes(8, "big"), mixed) for n in range(6, 11)] == [
        "train",
        "eval",
        "test",
        "test",
        "train",
    ]


def test_shares_are_as_configured():
    splits = [assign_split(text_digest(f"sentence {n}"), SPLITS) for n in range(10_000)]
    assert splits.count("eval") == pytest.approx(1000, abs=100)


def test_the_same_in_another_process():
    code = "from components.ingest.splitting import text_digest as d; print(d('Größe').hex())"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == text_digest("Größe").hex()
