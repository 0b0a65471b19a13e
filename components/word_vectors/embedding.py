"""From selected word vectors to the embedding that training starts from."""

from dataclasses import dataclass

import numpy as np

from components.errors import DataRefused
from components.word_vectors import artifact
from schema import features


@dataclass(frozen=True)
class Pretrained:
    """An embedding to start from."""

    table: np.ndarray  # float32 [ids, dimension]
    fixed_words: int  # how many of the last ids training leaves as they are
    closed_epochs: int  # for so many epochs it leaves the others as they are too


def load_pretrained(uri: str, fine_tune_after: int | None, seed: int) -> Pretrained:
    """Reads a SelectedVectors artifact.

    Args:
      uri: of the artifact.
      fine_tune_after: see VectorsSettings.
      seed: of the words that the vectors lack.
    """
    parts = artifact.read_vectors(uri)
    extra = artifact.read_coverage(uri).extra_words
    never = fine_tune_after is None
    return Pretrained(
        table=np.concatenate([initial_table(part, seed) for part in parts], axis=1),
        fixed_words=len(parts[0]) if never else extra,
        closed_epochs=fine_tune_after or 0,
    )


def initial_table(vectors: np.ndarray, seed: int) -> np.ndarray:
    """The embedding of all ids, scaled so that the vectors' values have a variance of 1.

    Args:
      vectors: float32 [words, dimension], NaN in the rows of unknown words.
      seed: of the random vectors that unknown words get, from a normal distribution with the mean
        and the standard deviation of the known ones.

    Returns:
      float32 [words + RESERVED_IDS, dimension]; padding is zero, the unknown word the mean.
    """
    missing = np.isnan(vectors[:, 0])
    known = vectors[~missing]
    if not len(known):
        raise DataRefused("the word vectors know no word of the training sentences")
    scale = 1 / known.std()
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    random = np.random.default_rng(seed).normal(mean, deviation, (missing.sum(), len(mean)))
    words = vectors.copy()
    words[missing] = random
    reserved = np.zeros((features.RESERVED_IDS, len(mean)))
    reserved[features.UNKNOWN_ID] = mean
    return (np.concatenate([reserved, words]) * scale).astype(np.float32)
