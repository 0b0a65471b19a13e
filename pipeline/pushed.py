"""Which pushed model is meant: that of a workdir that is served, a version of it, or a folder."""

from dataclasses import dataclass
from pathlib import Path

from components.errors import UsageError
from components.serving.model_root import SAVED_MODEL, find_versions
from components.serving.promotion import served_version


@dataclass(frozen=True)
class Model:
    """An exported model."""

    folder: Path
    version: int | None  # None: its folder's name is no number

    def __str__(self) -> str:
        return str(self.folder) if self.version is None else f"version {self.version}"


def find_model(root: Path, name: str, version: int | None = None) -> Model:
    """A version in a model root; None: the one that is served.

    Raises:
      UsageError: there is no such version.
    """
    folders = find_versions(root / name)
    served = served_version(root, name)
    if served is None:
        raise UsageError(f"{root / name}: no pushed version; run `sentiflow run` or name a --model")
    version = served if version is None else version
    if version not in folders:
        listed = ", ".join(map(str, sorted(folders)))
        raise UsageError(f"{root / name}: no version {version}; there are: {listed}")
    return Model(folders[version], version)


def model_in(folder: Path) -> Model:
    """The model in a SavedModel's folder.

    Raises:
      UsageError: it is none.
    """
    if not (folder / SAVED_MODEL).is_file():
        versions = find_versions(folder)
        hint = f"; name a version's folder, as {folder / str(max(versions))}" if versions else ""
        raise UsageError(
            f"{folder}: expected a SavedModel's folder, {SAVED_MODEL} is missing{hint}"
        )
    name = folder.resolve().name
    return Model(folder, int(name) if name.isascii() and name.isdigit() else None)
