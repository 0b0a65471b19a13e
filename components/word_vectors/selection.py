"""Which words are kept: those of the corpus, and the most frequent others that the vectors know."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from components.word_vectors.coverage import Coverage
from components.word_vectors.formats import Reader, TextReader

BATCH = 4096  # entries looked at together
MISSING_NAMED = 20


def select_words(
    reader: Reader,
    corpus: Sequence[tuple[str, int]],
    extra_words: int,
    are_tokens: Callable[[list[str]], Sequence[bool]],
    dimension: int,
) -> tuple[list[str], np.ndarray, Coverage]:
    """Goes through the vectors once; memory is needed for the kept words and one batch.

    Args:
      reader: the vectors, the most frequent word first.
      corpus: the words of train with their occurrences, in the order of their ids.
      extra_words: at most so many words are added that the corpus lacks.
      are_tokens: which of some words the tokeniser can give; others are not added.
      dimension: of the vectors.

    Returns:
      words: the corpus's, then the added ones in the order of the vectors.
      vectors: float32 [words, dimension], the word's first vector; NaN where there is none.
      coverage: what to tell about it.

    Raises:
      DataRefused: see the readers.
    """
    ids = {word.encode(): number for number, (word, _) in enumerate(corpus)}
    known: dict[int, np.ndarray] = {}
    extra: dict[bytes, np.ndarray] = {}
    read = duplicates = not_utf8 = 0
    entries = iter(reader)
    while batch := list(itertools.islice(entries, BATCH)):
        read += len(batch)
        candidates = []
        for entry in batch:
            number = ids.get(entry.word)
            if number is None:
                candidates.append(entry)
            elif number in known:
                duplicates += 1
            else:
                known[number] = reader.parse(entry)
        decoded = [_utf8(entry.word) for entry in candidates]
        not_utf8 += decoded.count(None)
        if len(extra) == extra_words:
            duplicates += sum(entry.word in extra for entry in candidates)
            continue
        fit = are_tokens([word or "" for word in decoded])
        for entry, is_token in zip(candidates, fit, strict=True):
            if entry.word in extra:
                duplicates += 1
            elif is_token and len(extra) < extra_words:
                extra[entry.word] = reader.parse(entry)

    vectors = np.full((len(corpus) + len(extra), dimension), np.nan, np.float32)
    for number, vector in known.items():
        vectors[number] = vector
    for number, vector in enumerate(extra.values(), start=len(corpus)):
        vectors[number] = vector
    missing = [(word, n) for i, (word, n) in enumerate(corpus) if i not in known]
    tokens = sum(n for _, n in corpus)
    coverage = Coverage(
        types=len(corpus),
        types_known=len(known),
        tokens=tokens,
        tokens_known=tokens - sum(n for _, n in missing),
        missing=missing[:MISSING_NAMED],
        extra_words=len(extra),
        read=read,
        duplicates=duplicates,
        not_utf8=not_utf8,
        words_with_spaces=reader.words_with_spaces if isinstance(reader, TextReader) else 0,
    )
    return [word for word, _ in corpus] + [word.decode() for word in extra], vectors, coverage


def _utf8(word: bytes) -> str | None:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return None
