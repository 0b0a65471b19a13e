"""Unicode normalisation form NFKC, and lower case, as TensorFlow core operations.

TensorFlow's own `normalize_utf8` lives in tensorflow_text, which a stock TensorFlow Serving lacks.
This is the algorithm of Unicode Standard Annex 15 (full compatibility decomposition, canonical
reordering, canonical composition) on the code points of a whole batch at once. Its tables are
constants in the graph, made from Python's `unicodedata`, so a served model normalises as it did in
training whatever Unicode version the server knows.

Covered: every string, as `unicodedata.normalize("NFKC", …)` of the Python that built the graph
(Unicode 14 with Python 3.11). Not covered: code points assigned later, which stay as they are.

Lower case goes code point by code point, as `str.lower` does it for a single one: no rule for a
sigma at the end of a word, and no locale, on which `tf.strings.lower(encoding="utf-8")` depends.
"""

import functools
import itertools
import unicodedata
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Hangul syllables are computed, not looked up (The Unicode Standard, section 3.12).
HANGUL_L, HANGUL_V, HANGUL_T, HANGUL_S = 0x1100, 0x1161, 0x11A7, 0xAC00
HANGUL_L_COUNT, HANGUL_V_COUNT, HANGUL_T_COUNT = 19, 21, 28
HANGUL_S_COUNT = HANGUL_L_COUNT * HANGUL_V_COUNT * HANGUL_T_COUNT

# Of the 17 planes, 4 to 13 have no code points assigned, and those of the last two are private.
ASSIGNED = (range(0x40000), range(0xE0000, 0xF0000))

PAIR_SHIFT = 2**21  # above every code point: (first, second) -> first * PAIR_SHIFT + second


class Tables(NamedTuple):
    """Sorted keys and what belongs to them, as numpy arrays."""

    decomposed: np.ndarray  # int32 [d]: code points that decompose, Hangul syllables excepted
    decomposition_splits: np.ndarray  # int32 [d + 1]: where each one's decomposition starts
    decompositions: np.ndarray  # int32 [sum of lengths]: code points
    marks: np.ndarray  # int32 [m]: code points with a combining class other than 0
    classes: np.ndarray  # int32 [m]: their combining classes
    capitals: np.ndarray  # int32 [c]: code points that have a lower case and do not decompose
    small: np.ndarray  # int32 [c]: their lower case
    pairs: np.ndarray  # int64 [p]: first * PAIR_SHIFT + second
    composites: np.ndarray  # int32 [p]: what the pair composes to


@functools.cache
def _tables() -> Tables:
    decompositions: dict[int, str] = {}
    classes: dict[int, int] = {}
    small: dict[int, int] = {}
    composites: dict[int, int] = {}
    for code in itertools.chain(*ASSIGNED):
        if 0xD800 <= code < 0xE000 or HANGUL_S <= code < HANGUL_S + HANGUL_S_COUNT:
            continue
        char = chr(code)
        if unicodedata.combining(char):
            classes[code] = unicodedata.combining(char)
        decomposition = unicodedata.normalize("NFKD", char)
        if decomposition == char:
            if char.lower() != char:
                small[code] = ord(char.lower())
            continue
        decompositions[code] = decomposition
        canonical = unicodedata.decomposition(char).split()
        # A pair that NFC does not put together again is excluded from composition.
        if len(canonical) == 2 and not canonical[0].startswith("<"):
            first, second = (int(part, 16) for part in canonical)
            if unicodedata.normalize("NFC", chr(first) + chr(second)) == char:
                composites[first * PAIR_SHIFT + second] = code
    pairs = sorted(composites)
    return Tables(
        decomposed=np.array(list(decompositions), np.int32),
        decomposition_splits=np.cumsum([0, *map(len, decompositions.values())], dtype=np.int32),
        decompositions=np.array([ord(c) for d in decompositions.values() for c in d], np.int32),
        marks=np.array(list(classes), np.int32),
        classes=np.array(list(classes.values()), np.int32),
        capitals=np.array(list(small), np.int32),
        small=np.array(list(small.values()), np.int32),
        pairs=np.array(pairs, np.int64),
        composites=np.array([composites[pair] for pair in pairs], np.int32),
    )


def _find(keys: np.ndarray, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Position of each value in the sorted keys, and whether it is there; both [n]."""
    position = tf.minimum(tf.searchsorted(keys, values), len(keys) - 1)
    return position, tf.equal(tf.gather(keys, position), values)


def _decompose(row: tf.Tensor, code: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Full compatibility decomposition, but for Hangul syllables, which compose alike."""
    tables = _tables()
    position, found = _find(tables.decomposed, code)
    start = tf.gather(tables.decomposition_splits, position)
    length = tf.where(found, tf.gather(tables.decomposition_splits, position + 1) - start, 1)
    source = tf.repeat(tf.range(tf.size(code)), length)
    offset = tf.range(tf.size(source)) - tf.gather(tf.cumsum(length, exclusive=True), source)
    # Where nothing was found the table is read at 0 and the value not used.
    inside = tf.gather(tf.where(found, start, 0), source) + offset
    code = tf.where(
        tf.gather(found, source), tf.gather(tables.decompositions, inside), tf.gather(code, source)
    )
    return tf.gather(row, source), code


def _lower(code: tf.Tensor) -> tf.Tensor:
    """Lower case of code points that are fully decomposed."""
    tables = _tables()
    position, found = _find(tables.capitals, code)
    return tf.where(found, tf.gather(tables.small, position), code)


def _combining_class(code: tf.Tensor) -> tf.Tensor:
    tables = _tables()
    position, found = _find(tables.marks, code)
    return tf.where(found, tf.gather(tables.classes, position), 0)


def _reorder(row: tf.Tensor, code: tf.Tensor, combining: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sorts the marks after each starter by combining class, equal ones in their order."""
    begins_row = tf.concat(
        [tf.ones_like(row[:1], tf.bool), tf.not_equal(row[1:], row[:-1])], axis=0
    )
    segment = tf.cumsum(tf.cast(begins_row | tf.equal(combining, 0), tf.int32))
    order = tf.argsort(segment * 256 + combining, stable=True)
    return tf.gather(code, order), tf.gather(combining, order)


def _composite(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """What two code points compose to, 0 where they do not; int32 [n]."""
    tables = _tables()
    pair = tf.cast(first, tf.int64) * PAIR_SHIFT + tf.cast(second, tf.int64)
    position, found = _find(tables.pairs, pair)
    composite = tf.where(found, tf.gather(tables.composites, position), 0)

    lead, vowel = first - HANGUL_L, second - HANGUL_V
    is_lv = (lead >= 0) & (lead < HANGUL_L_COUNT) & (vowel >= 0) & (vowel < HANGUL_V_COUNT)
    lv = HANGUL_S + (lead * HANGUL_V_COUNT + vowel) * HANGUL_T_COUNT
    composite = tf.where(is_lv, lv, composite)

    syllable, tail = first - HANGUL_S, second - HANGUL_T
    is_lvt = (syllable >= 0) & (syllable < HANGUL_S_COUNT) & tf.equal(syllable % HANGUL_T_COUNT, 0)
    is_lvt &= (tail > 0) & (tail < HANGUL_T_COUNT)
    return tf.where(is_lvt, first + tail, composite)


def _compose_once(
    row: tf.Tensor, code: tf.Tensor, combining: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Composes each starter with the first unblocked code point after it that it composes with.

    No code point stands both first and second in a pair, so all starters can be done at once.
    Returns what is left of the three arguments, and whether anything was composed.
    """
    index = tf.range(tf.size(code))
    is_starter = tf.equal(combining, 0)
    starters_before = tf.cumsum(tf.cast(is_starter, tf.int32), exclusive=True)
    starters = tf.concat([[0], tf.boolean_mask(index, is_starter)], axis=0)
    starter = tf.gather(starters, starters_before)
    has_starter = (starters_before > 0) & tf.equal(tf.gather(row, starter), row)
    class_before = tf.concat([combining[:1], combining[:-1]], axis=0)
    unblocked = tf.equal(starter, index - 1) | (class_before < combining)

    composite = _composite(tf.gather(code, starter), code)
    candidate = tf.boolean_mask(index, has_starter & unblocked & (composite > 0))
    target = tf.gather(starter, candidate)
    is_first = tf.concat(
        [tf.ones_like(target[:1], tf.bool), tf.not_equal(target[1:], target[:-1])], axis=0
    )
    absorbed = tf.boolean_mask(candidate, is_first)[:, tf.newaxis]
    code = tf.tensor_scatter_nd_update(
        code,
        tf.boolean_mask(target, is_first)[:, tf.newaxis],
        tf.gather(composite, absorbed[:, 0]),
    )
    kept = tf.tensor_scatter_nd_update(
        tf.ones_like(code, tf.bool), absorbed, tf.zeros_like(absorbed[:, 0], tf.bool)
    )
    left = (tf.boolean_mask(values, kept) for values in (row, code, combining))
    return *left, tf.size(absorbed) > 0


def nfkc(text: tf.Tensor, lowercase: bool = False) -> tf.Tensor:
    """Normalises UTF-8 text.

    Args:
        text: string [n]; bytes that are not UTF-8 become U+FFFD.
        lowercase: whether case is dropped. This happens between decomposition and composition, so
            that the result is in NFKC (a J with a caron has no code point of its own, a j has).

    Returns:
        string [n], in normalisation form NFKC.
    """
    return _traced(lowercase)(text)


@functools.cache
def _traced(lowercase: bool):
    """`_nfkc` as a graph that is built once: TFX Transform traces its caller nine times."""
    signature = [tf.TensorSpec([None], tf.string)]
    return tf.function(
        lambda text: _nfkc(text, lowercase), input_signature=signature, autograph=False
    )


def _nfkc(text: tf.Tensor, lowercase: bool) -> tf.Tensor:
    codes = tf.strings.unicode_decode(text, "UTF-8", errors="replace")
    row, code = _decompose(codes.value_rowids(), codes.flat_values)
    if lowercase:
        code = _lower(code)
    code, combining = _reorder(row, code, _combining_class(code))
    row, code, _, _ = tf.while_loop(
        lambda row, code, combining, changed: changed,
        lambda row, code, combining, changed: _compose_once(row, code, combining),
        (row, code, combining, tf.constant(True)),
        shape_invariants=(
            tf.TensorShape([None]),
            tf.TensorShape([None]),
            tf.TensorShape([None]),
            tf.TensorShape([]),
        ),
    )
    normal = tf.RaggedTensor.from_value_rowids(code, row, nrows=codes.nrows(), validate=False)
    return tf.strings.unicode_encode(normal, "UTF-8", errors="replace")
