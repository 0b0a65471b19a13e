"""Which versions of the model there are, which one is served, and what became of the others."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import StatusCode

from components.serving.errors import ServingError

if TYPE_CHECKING:
    from components.serving.model import ServedModel

log = logging.getLogger(__name__)

SAVED_MODEL = "saved_model.pb"


class State(Enum):
    """TensorFlow Serving's states of a version, by the names it answers."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    END = "END"  # unloaded, or failed to load


@dataclass(frozen=True)
class VersionStatus:
    """What a status request answers for one version."""

    version: int
    state: State
    code: StatusCode = StatusCode.OK
    message: str = ""


@dataclass(frozen=True)
class LoadedVersion:
    """A version that answers requests; its holder may use it even when another is served by now."""

    version: int
    model: "ServedModel"


def find_versions(directory: Path) -> dict[int, Path]:
    """The versions in a model's folder: {version: its folder}, those that hold a SavedModel.

    Folders whose name is not a number, as the hidden ones of a push that is under way, are no
    versions.
    """
    try:
        entries = list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {
        int(entry.name): entry
        for entry in entries
        if entry.name.isascii() and entry.name.isdigit() and (entry / SAVED_MODEL).is_file()
    }


class ModelVersions:
    """Serves the newest version below a folder that loads.

    A new version is loaded beside the one that is served and takes its place when it is ready; one
    that does not load is remembered and left alone until its files change. Requests that hold the
    old version finish on it.

    Args:
      directory: the model's folder, which holds a folder per version.
      name: the model's name in requests.
      load: loads a version's folder, warm-up included; raises ServingError.
    """

    def __init__(self, directory: Path, name: str, load: Callable[[Path], "ServedModel"]) -> None:
        self.name = name
        self._directory = directory
        self._load = load
        self._lock = threading.Lock()  # for writing these two, and for reading the second
        self._served: LoadedVersion | None = None
        self._status: dict[int, VersionStatus] = {}
        self._failed: dict[int, tuple] = {}  # used by refresh alone: {version: fingerprint}

    def refresh(self) -> None:
        """Looks at the folder once, and serves the newest version that loads; not thread-safe."""
        versions = find_versions(self._directory)
        for version in sorted(versions, reverse=True):
            if self._served is not None and self._served.version == version:
                return
            fingerprint = _fingerprint(versions[version])
            if self._failed.get(version) != fingerprint:
                if self._switch_to(version, versions[version]):
                    return
                self._failed[version] = fingerprint

    def get(self, name: str, version: int | None = None) -> LoadedVersion:
        """The version that answers a request: the served one, which is the only one loaded.

        Raises:
          ServingError: NOT_FOUND, no such model, or this version of it is not loaded.
        """
        served = self._served
        if served is None or name != self.name or version not in (None, served.version):
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise ServingError(StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
        return served

    def status(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Every version that was ever seen, the newest first; or only the one that is asked for.

        Raises:
          ServingError: NOT_FOUND, no such model or version.
        """
        with self._lock:
            known = dict(self._status) if name == self.name else {}
        if version is None and known:
            return [known[each] for each in sorted(known, reverse=True)]
        if version in known:
            return [known[version]]
        wanted = "any versions" if version is None else f"version {version}"
        raise ServingError(StatusCode.NOT_FOUND, f"Could not find {wanted} of model {name}")

    @property
    def served(self) -> LoadedVersion | None:
        """The version that answers; None before the first one is loaded."""
        return self._served

    def _switch_to(self, version: int, directory: Path) -> bool:
        self._set_status(VersionStatus(version, State.LOADING))
        try:
            model = self._load(directory)
        except ServingError as error:
            log.error("version %d of '%s' does not load: %s", version, self.name, error.message)
            self._set_status(VersionStatus(version, State.END, error.code, error.message))
            return False
        with self._lock:
            old, self._served = self._served, LoadedVersion(version, model)
            self._status[version] = VersionStatus(version, State.AVAILABLE)
            if old is not None:
                self._status[old.version] = VersionStatus(old.version, State.END)
        return True

    def _set_status(self, status: VersionStatus) -> None:
        with self._lock:
            self._status[status.version] = status


def _fingerprint(directory: Path) -> tuple:
    """Changes when a file below the folder does."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            stat = os.stat(os.path.join(folder, name))
            found.append((folder, name, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))
