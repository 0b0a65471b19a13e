"""From sentences to tokens, in TensorFlow core operations: what trains is what serves.

The tokens are those of the Penn Treebank where that helps (negations and clitics stand alone),
written the way word vectors such as GloVe 6B know them: `(` and not `-lrb-`, one `"` for every
double quote. Tokenising tokens joined by spaces gives the same tokens again.
"""

import tensorflow as tf

from components.nfkc import nfkc

# What looks alike in print gets one spelling. Only in text that is not ASCII.
SPELLING_BEFORE_NFKC = (
    # Invisible characters and variation selectors; not the joiner that holds an emoji together.
    (r"[^\P{Cf}\x{200D}]|[\x{FE00}-\x{FE0F}]", ""),
    (
        "\u00b4",
        "'",
    ),  # an acute accent as an apostrophe: NFKC would make a space and an accent of it
)
SPELLING_AFTER_NFKC = (
    (r"[\x{2018}\x{2019}\x{201B}\x{02BC}\x{2032}]", "'"),
    (r"[\x{201C}-\x{201F}\x{AB}\x{BB}\x{2033}]", '"'),
    (r"[\x{2010}\x{2011}\x{2212}]", "-"),
    (r"[\x{2012}-\x{2015}]", "--"),
    ("\u2044", "/"),  # the fraction slash that NFKC writes in one half
    # Scripts written without spaces: a token for each character.
    (r"[\p{Han}\p{Hiragana}\p{Katakana}]", r" \0 "),
)

# Applied in this order to all text.
RULES = (
    ("_", " _ "),  # which \b below would take for a letter
    # The Treebank's escapes, quotes and dashes.
    (r"(?i)-lrb-", "("),
    (r"(?i)-rrb-", ")"),
    (r"\\([/*])", r"\1"),
    ("``|''", '"'),
    ("`", "'"),
    (r"--+", " -- "),
    (r"\.\.+", " ... "),
    # Negations and clitics: "can't", "can 't" and "cannot" -> "ca n't", "ca n't" and "can not".
    (
        r"(?i)\b(ai|are|ca|could|did|do|does|had|has|have|is|might|must|need|sha|should|was|were|wo"
        r"|would)n '(t)\b",
        r"\1 n'\2",
    ),
    (r"(?i)n't", r" \0 "),
    (r"(?i)\b(can)(not)\b", r"\1 \2"),
    (r"(?i)'(?:s|re|ve|ll|d|m)\b", r" \0"),
)

WORD = r"[\pL\pM\pN]+(?:[-'][\pL\pM\pN]+)*"  # well-made o'clock 1930s
WORD_WITHOUT_HYPHEN = r"[\pL\pM\pN]+(?:'[\pL\pM\pN]+)*"

# A token is the first of these that matches; what none matches is a token for each character.
TOKENS = (
    r"(?i:https?://|www\.)[\pL\pN./:?=&%#~+@-]*[\pL\pN/]",
    r"[:;=]'?-?[()\[\]/\\|*]",  # :-) ;) =/
    r"[:;=]-?[dDpPoO]\b",  # :d :-p
    r"</?3\b",
    r"(?i:'n')",
    r"(?i:n't)",
    r"(?i:'(?:s|re|ve|ll|d|m|em|n|til|cause)|'\d\ds?)\b",  # also 'em, 'n, '90s
    r"(?i:mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|inc|co)\.",
    r"(?:[A-Za-z]\.)+[A-Za-z]\b\.?",  # u.s. e.g.
    r"[B-HJ-Zb-hj-z]\.",  # an initial, but for a and i, which end sentences
    r"\pN+(?:[.,:/]\pN+)+[\pL\pM]*",  # 3.5 1,000 10:30pm 9/11
    r"[A-Za-z]{1,2}&[A-Za-z]{1,2}\b",  # r&b
    WORD,
    r"--",
    r"\.\.\.",
    r"[\x{1F1E6}-\x{1F1FF}]{2}",  # a flag
    # Any other character, with its marks and skin tone, and what joiners bind to it: an emoji.
    r"[^\s][\pM\x{1F3FB}-\x{1F3FF}]*(?:\x{200D}[^\s][\pM\x{1F3FB}-\x{1F3FF}]*)*",
)


def _replace_all(text: tf.Tensor, rules: tuple[tuple[str, str], ...]) -> tf.Tensor:
    for pattern, replacement in rules:
        text = tf.strings.regex_replace(text, pattern, replacement)
    return text


def _normalize_unicode(text: tf.Tensor, lowercase: bool) -> tf.Tensor:
    text = nfkc(_replace_all(text, SPELLING_BEFORE_NFKC), lowercase)
    return _replace_all(text, SPELLING_AFTER_NFKC)


def normalize(text: tf.Tensor, lowercase: bool) -> tf.Tensor:
    """Valid UTF-8 in NFKC with one spelling of spaces, quotes and dashes; lower-case if asked.

    Only rows that are not ASCII pay for it.

    Args:
        text: string [batch].
        lowercase: whether case is dropped.

    Returns:
        string [batch].
    """
    text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
    text = tf.strings.regex_replace(text, r"[\pZ\p{Cc}]+", " ")
    is_ascii = tf.equal(
        tf.strings.length(text, unit="BYTE"), tf.strings.length(text, unit="UTF8_CHAR")
    )
    rows = tf.where(~is_ascii)
    lowered = tf.strings.lower(text) if lowercase else text
    return tf.cond(
        tf.reduce_all(is_ascii),
        lambda: lowered,
        lambda: tf.tensor_scatter_nd_update(
            lowered, rows, _normalize_unicode(tf.gather_nd(text, rows), lowercase)
        ),
    )


def tokenize(text: tf.Tensor, lowercase: bool, split_hyphens: bool = False) -> tf.RaggedTensor:
    """Splits sentences into tokens.

    Args:
        text: string [batch]; bytes that are not UTF-8 become U+FFFD.
        lowercase: whether case is dropped.
        split_hyphens: whether `well-made` is three tokens; word vectors know many such words, a
            vocabulary of few sentences does not.

    Returns:
        string [batch, (tokens)]; a blank sentence has none.

    Example:
        >>> tokenize(tf.constant(["I can't say it's bad…"]), lowercase=True).to_list()
        [[b'i', b'ca', b"n't", b'say', b'it', b"'s", b'bad', b'...']]
    """
    text = _replace_all(normalize(text, lowercase), RULES)
    word = WORD_WITHOUT_HYPHEN if split_hyphens else WORD
    tokens = "|".join(word if pattern == WORD else pattern for pattern in TOKENS)
    return tf.strings.split(tf.strings.regex_replace(text, tokens, r"\0 "))
