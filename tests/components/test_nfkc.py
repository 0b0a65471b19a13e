"""NFKC in the graph, against Python's `unicodedata`."""

import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.nfkc import nfkc

SCALARS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
MARKS = [char for char in SCALARS if unicodedata.combining(char)]
DECOMPOSING = [char for char in SCALARS if unicodedata.normalize("NFKD", char) != char]
LOWERING = [char for char in SCALARS if char.lower() != char]
JAMO = [chr(code) for code in range(0x1100, 0x1200)]

_keeping_case = tf.function(nfkc, input_signature=[tf.TensorSpec([None], tf.string)])
_lowering = tf.function(
    lambda text: nfkc(text, lowercase=True), input_signature=[tf.TensorSpec([None], tf.string)]
)


def normalize(texts, lowercase=False):
    encoded = tf.constant([text.encode() for text in texts], tf.string)
    result = (_lowering if lowercase else _keeping_case)(encoded)
    return [text.decode() for text in result.numpy()]


def expected(texts):
    return [unicodedata.normalize("NFKC", text) for text in texts]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("plain", "plain"),
        ("e\u0301", "é"),
        ("\ufb01lm", "film"),
        ("ＡＢＣ １２", "ABC 12"),
        ("½", "1\u20442"),
        ("…", "..."),
        ("o\u0302\u0301", "ố"),  # two marks, one code point
        ("a\u0301\u0323", "ạ\u0301"),  # the dot below comes first and composes
        ("a\u0301\u0301", "á\u0301"),  # the second accent is blocked
        ("\u0301a", "\u0301a"),  # a mark without a base
        ("\u1112\u1161\u11ab", "한"),
        ("하\u11ab", "한"),
        ("\uff8a\uff9f", "パ"),
        ("\u0958", "\u0915\u093c"),  # excluded from composition
        ("\U0001d400", "A"),  # beyond 16 bits
    ],
)
def test_known_normal_forms(text, normal):
    assert normalize([text]) == [normal]


def test_rows_do_not_run_into_each_other():
    assert normalize(["e", "\u0301", "", "\u1112", "\u1161"]) == [
        "e",
        "\u0301",
        "",
        "\u1112",
        "\u1161",
    ]


def test_an_empty_batch():
    assert normalize([]) == []


def test_every_code_point():
    assert normalize(SCALARS) == expected(SCALARS)


def test_every_decomposition_is_composed_again():
    texts = [unicodedata.normalize("NFD", char) for char in DECOMPOSING]
    assert normalize(texts) == expected(texts)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(
            st.one_of(
                st.sampled_from(MARKS),
                st.sampled_from(DECOMPOSING),
                st.sampled_from(JAMO),
                st.sampled_from("aeiousAEIOUS "),
                st.characters(blacklist_categories=("Cs",)),
            )
        )
    )
)
def test_any_text(texts):
    assert normalize(texts) == expected(texts)


def test_lower_case_is_in_normal_form_too():
    texts = ["ÉTÉ", "ＡＢ", "J\u030c", "ẞ", "İ", "ΟΔΟΣ", "Ⅷ", "ℌ"]
    assert normalize(texts, lowercase=True) == [
        "été",
        "ab",
        "ǰ",
        "ß",
        "i\u0307",
        "οδοσ",
        "viii",
        "h",
    ]


def test_lower_case_of_every_code_point_that_changes():
    texts = sorted({*LOWERING, *DECOMPOSING})
    once = normalize(texts, lowercase=True)
    assert once == expected(
        "".join(char.lower() for char in unicodedata.normalize("NFKD", text)) for text in texts
    )
    assert normalize(once, lowercase=True) == once


def test_bytes_that_are_not_utf8_become_the_replacement_character():
    assert nfkc(tf.constant([b"a\xffb", b"\xed\xa0\x80"])).numpy().tolist() == [
        "a\ufffdb".encode(),
        "\ufffd\ufffd\ufffd".encode(),
    ]
