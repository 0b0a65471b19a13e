"""Vectors of the pieces of words: they say something about every word, be it ever so rare.

Static embedding models such as WordLlama and Model2Vec are a matrix, a row for each token of a
large language model, and that model's tokenizer. A word's vector is the mean of its tokens' rows.
"""

import os
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load
from tokenizers import Tokenizer

from components.errors import DataRefused, UsageError
from components.ingest import files
from components.settings import VectorsSettings
from components.word_vectors.source import package_folder

TOKENIZER = "tokenizer.json"


class SubwordFiles(NamedTuple):
    """A matrix and the tokenizer whose ids are its rows."""

    matrix: str  # .safetensors
    tokenizer: str  # .json, of Hugging Face's tokenizers


def find_subwords(settings: VectorsSettings) -> SubwordFiles:
    """Finds the files that `settings.subwords` names.

    Raises:
      UsageError: there is no such folder or package, or it does not hold exactly one .safetensors
        and one tokenizer.
    """
    assert settings.subwords, "asked for only where it is set"
    folder = settings.subwords
    if files.is_remote(folder) or os.sep in folder:
        with files.refusing_unreadable(folder):
            if not files.is_folder(folder):
                raise UsageError(f"sub-words: {folder}: no such folder (vectors.subwords)")
            found = [os.path.join(folder, name) for name in files.list_folder(folder)]
    else:
        root = package_folder(folder, "vectors.subwords; a folder's name has a /")
        found = sorted(str(path) for path in root.rglob("*"))
    matrices = [path for path in found if path.endswith(".safetensors")]
    tokenizers = [path for path in found if Path(path).name == TOKENIZER] or [
        path for path in found if path.endswith(".json") and "tokenizer" in Path(path).name
    ]
    if len(matrices) != 1 or len(tokenizers) != 1:
        names = ", ".join(Path(path).name for path in matrices + tokenizers) or "neither"
        raise UsageError(
            f"sub-words: {settings.subwords}: expected one .safetensors and one {TOKENIZER}, "
            f"found {names} (vectors.subwords)"
        )
    return SubwordFiles(matrices[0], tokenizers[0])


def subword_vectors(found: SubwordFiles, words: list[str], dimension: int) -> np.ndarray:
    """The mean of the vectors of each word's pieces.

    Args:
      found: see `find_subwords`.
      words: any.
      dimension: how many of the matrix's columns are taken, the first ones: such models are trained
        so, or rotated so, that these tell most (Kusupati et al., "Matryoshka Representation
        Learning", NeurIPS 2022).

    Returns:
      float32 [words, dimension]; NaN for a word of no pieces.

    Raises:
      UsageError: the matrix has fewer columns.
      DataRefused: a file is broken, or the two do not belong together.
    """
    matrix = _read_matrix(found.matrix)
    if matrix.shape[1] < dimension:
        raise UsageError(
            f"sub-words: {found.matrix} has vectors of {matrix.shape[1]} numbers, "
            f"vectors.subword_dim is {dimension}: set it to {matrix.shape[1]} or less"
        )
    pieces = _cut(found.tokenizer, words)
    counts = np.array([len(ids) for ids in pieces], np.int64)
    ids = np.fromiter(chain.from_iterable(pieces), np.int64, counts.sum())
    if ids.max(initial=0) >= len(matrix):
        raise DataRefused(
            f"{found.tokenizer}: expected ids below the {len(matrix)} rows of {found.matrix}, got "
            f"{ids.max()}: take the tokenizer that belongs to it"
        )
    vectors = np.full((len(words), dimension), np.nan, np.float32)
    some = counts > 0
    if some.any():
        starts = (np.cumsum(counts) - counts)[some]
        sums = np.add.reduceat(matrix[:, :dimension][ids].astype(np.float32), starts)
        vectors[some] = sums / counts[some, None]
    return vectors


def _read_matrix(path: str) -> np.ndarray:
    with files.refusing_unreadable(path), files.open_binary(path) as stream:
        content = stream.read()
    try:
        arrays = list(load(content).values())
    except SafetensorError as error:
        raise DataRefused(f"{path}: expected a .safetensors file ({error})") from error
    except KeyError as error:
        raise DataRefused(f"{path}: expected floats of 16, 32 or 64 bits, got {error}") from error
    if len(arrays) != 1 or arrays[0].ndim != 2 or arrays[0].dtype.kind != "f":
        shapes = ", ".join(f"{array.dtype} {list(array.shape)}" for array in arrays)
        raise DataRefused(f"{path}: expected one matrix of floats, got {shapes or 'nothing'}")
    if not np.isfinite(arrays[0]).all():
        raise DataRefused(f"{path}: expected finite numbers, got others")
    return arrays[0]


def _cut(path: str, words: list[str]) -> list[list[int]]:
    """The ids of each word's pieces, by the tokenizer in a file."""
    with files.refusing_unreadable(path), files.open_binary(path) as stream:
        content = stream.read()
    try:
        tokenizer = Tokenizer.from_buffer(content)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        encodings = tokenizer.encode_batch_fast(words, add_special_tokens=False)
    except BaseException as error:
        # The library raises plain Exception, and PanicException, which cannot be imported.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DataRefused(f"{path}: expected the JSON of a tokenizer ({error})") from error
    return [encoding.ids for encoding in encodings]
