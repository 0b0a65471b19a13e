"""Tokens of sentences: literal ones, and what must hold for any text."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.text import tokenize

_functions = {
    lowercase: tf.function(
        lambda text, lowercase=lowercase: tokenize(text, lowercase).with_row_splits_dtype(tf.int64),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    for lowercase in (True, False)
}


def tokens(texts, lowercase=True):
    """The tokens of each text, joined by spaces."""
    encoded = [text if isinstance(text, bytes) else text.encode() for text in texts]
    rows = _functions[lowercase](tf.constant(encoded, tf.string)).to_list()
    return [" ".join(token.decode() for token in row) for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A warm, funny film!", "a warm , funny film !"),
        ("", ""),
        (" \t\n ", ""),
        # Negations and clitics, in every spelling.
        ("I can't and won't.", "i ca n't and wo n't ."),
        (
            "we don’t, they don‘t, you don´t, I don`t",
            "we do n't , they do n't , you do n't , i do n't",
        ),
        ("it is n't", "it is n't"),
        ("why can 't women or couldn 't men", "why ca n't women or could n't men"),
        ("It cannot be", "it can not be"),
        ("I'm sure she'd've said it's ours", "i 'm sure she 'd 've said it 's ours"),
        ("they 're here", "they 're here"),
        ("the critics' choice", "the critics ' choice"),
        ("o'clock, O'Hara, y'all", "o'clock , o'hara , y'all"),
        ("rock 'n' roll of the '90s got 'em", "rock 'n' roll of the '90s got 'em"),
        # Quotes, brackets, dashes.
        ("“Fine” said ``he'' \"ok\"", '" fine " said " he " " ok "'),
        ("-LRB- 4 -RRB- (5) and\\/or \\*", "( 4 ) ( 5 ) and / or *"),
        ("slow--dull — and – long", "slow -- dull -- and -- long"),
        ("well-made, re-imagined", "well-made , re-imagined"),
        ("self‑made co\u00adoperation", "self-made cooperation"),
        ("so.... well.. hm…", "so ... well ... hm ..."),
        ("What?! No!!", "what ? ! no ! !"),
        # Numbers and abbreviations.
        ("3.5 of 1,000 at 10:30pm, 9/11", "3.5 of 1,000 at 10:30pm , 9/11"),
        ("$5 or 50%", "$ 5 or 50 %"),
        ("Mr. T. vs. the U.S. army, e.g. in L.A.", "mr. t. vs. the u.s. army , e.g. in l.a."),
        ("So am I.", "so am i ."),
        ("I said no.", "i said no ."),
        ("the R&B act", "the r&b act"),
        ("see http://a.example/b?c=1.", "see http://a.example/b?c=1 ."),
        # Emoticons and emoji.
        ("nice :-) :D ;) but:( :/ <3", "nice :-) :d ;) but :( :/ <3"),
        ("👍👍🏽 ❤️🇩🇪🇫🇷", "👍 👍🏽 ❤ 🇩🇪 🇫🇷"),
        ("👩\u200d👩\u200d👧!", "👩\u200d👩\u200d👧 !"),
        # Other scripts.
        ("Un cliché naïf: TRÈS BIEN", "un cliché naïf : très bien"),
        ("cliche\u0301 ＦＩＬＭ ﬁne", "cliché film fine"),
        ("Хороший фильм.", "хороший фильм ."),
        ("好电影。", "好 电 影 。"),
        ("a\u3000b\u00a0c\u2028d", "a b c d"),
    ],
)
def test_tokens_of_a_sentence(text, expected):
    assert tokens([text]) == [expected]


def test_case_can_be_kept():
    texts = ["I CAN'T, Don't, it'S", "Très BIEN", "Mr. B."]
    assert tokens(texts, lowercase=False) == [
        "I CA N'T , Do n't , it 'S",
        "Très BIEN",
        "Mr. B.",
    ]


def test_rows_with_and_without_ascii_stay_in_their_order():
    assert tokens(["One", "É", "", "Two", "Ü!"]) == ["one", "é", "", "two", "ü !"]


def test_an_empty_batch_has_no_rows():
    assert tokens([]) == []


def test_bytes_that_are_not_utf8_become_the_replacement_character():
    assert tokens([b"bad \xff byte"]) == ["bad \ufffd byte"]


def test_control_characters_separate_and_do_not_cut_the_text():
    assert tokens(["a\x00b\x0bc\x7fd", "é\x00b"]) == ["a b c d", "é b"]


def test_a_long_text_is_tokenised_whole():
    (row,) = tokens(["no good. " * 5000])
    assert len(row.split()) == 15_000


PIECES = [
    *"abnst 'X3.,-:;=)(/\\*&!?`\"<_é̂ßΣİ好ー한",
    *(
        "can",
        "not",
        "n't",
        "'t",
        "'s",
        "’",
        "...",
        "--",
        "-lrb-",
        "u.s.",
        "mr.",
        "http://",
        "``",
        "''",
    ),
    *(
        "👍",
        "🏽",
        "\u200d",
        "\ufe0f",
        "🇩",
        "\u00ad",
        "\u0301",
        "\x00",
        "´",
        "ŉ",
        "½",
        "…",
        "<3",
        ":-d",
    ),
]
texts = st.lists(
    st.one_of(
        st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
        st.text(st.characters(blacklist_categories=("Cs",))),
    )
)


@settings(max_examples=200, deadline=None)
@given(texts, st.booleans())
def test_tokenising_tokens_changes_nothing(texts, lowercase):
    once = tokens(texts, lowercase)
    assert tokens(once, lowercase) == once


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("abnot3!?:,%$ ")))
def test_no_character_but_spaces_is_lost_or_added(texts):
    assert [row.replace(" ", "") for row in tokens(texts)] == [t.replace(" ", "") for t in texts]


def test_the_saved_graph_needs_core_operations_only_and_answers_alike(tmp_path):
    module = tf.Module()
    module.tokenize = tf.function(
        lambda text: tokenize(text, True).to_tensor(),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path))
    answer = tf.saved_model.load(str(tmp_path)).tokenize(tf.constant(["Ça va", "I can't"]))
    assert answer.numpy().tolist() == [["ça".encode(), b"va", b""], [b"i", b"ca", b"n't"]]
    graph = module.tokenize.get_concrete_function().graph
    assert not [op.type for op in graph.get_operations() if "Table" in op.type or ">" in op.type]


def test_hyphens_can_be_split():
    rows = tokenize(
        tf.constant(["A well-made, re-imagined story -- isn't it? :-)"]), True, split_hyphens=True
    )
    assert b" ".join(rows.to_list()[0]).decode() == (
        "a well - made , re - imagined story -- is n't it ? :-)"
    )
