"""Which split a sentence belongs to, by its text alone.

What is computed here decides what a model was trained on, so it must give the same answer in every
process and in every release: the literal values in the tests may not change.
"""

import hashlib
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from schema import features

DIGEST_BYTES = 8


def normalise(text: str) -> str:
    """The form in which two sentences count as equal: NFKC, case folded, single spaces."""
    if text.isascii():  # nothing but the case and the spaces can change; several times faster
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def text_digest(text: str) -> bytes:
    """The first 8 bytes of the SHA-256 of the normalised text.

    Short, because those of the held-out rows are kept in memory. Between 10 million training and 1
    million held-out sentences, the chance that two different ones share a digest is 1 in 2 million.
    """
    return hashlib.sha256(normalise(text).encode()).digest()[:DIGEST_BYTES]


def split_order(names: Collection[str]) -> tuple[str, ...]:
    """The split names in the project's order (train, eval, test), however the user ordered them."""
    return tuple(name for name in features.SPLITS if name in names)


def assign_split(digest: bytes, splits: Mapping[Any, int]) -> str:
    """The split of a sentence.

    Args:
      digest: of the sentence, from `text_digest`.
      splits: hash buckets per split, e.g. `{"train": 9, "eval": 1}`.
    """
    bucket = int.from_bytes(digest, "big") % sum(splits.values())
    for name in split_order(splits):
        if bucket < splits[name]:
            return name
        bucket -= splits[name]
    raise AssertionError(f"unknown split names: {list(splits)}")
