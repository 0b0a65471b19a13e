"""The versions of the model: which are loaded, which answers, what became of the others."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import StatusCode

from components.errors import UsageError
from components.serving.errors import ServingError
from components.serving.model_root import (
    VersionPolicy,
    find_model,
    find_versions,
    read_models_config,
    version_policy,
)

if TYPE_CHECKING:
    from components.serving.batching import Batcher
    from components.serving.model import ServedModel

log = logging.getLogger(__name__)


class State(Enum):
    """TensorFlow Serving's states of a version, by the names it answers."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
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
    """A version that answers requests."""

    version: int
    model: "ServedModel"
    batcher: "Batcher"


class ModelVersions:
    """Loads, switches and unloads the versions of one model, as its version policy says.

    A new version is loaded and warmed up beside those that answer and is asked only then; a version
    that is not wanted any more is unloaded when its requests are answered. One that does not load
    is remembered and left alone until its files change, and none is unloaded for it. To be used
    from one event loop; loading and unloading happen in threads.

    Args:
      root: holds a folder per model, and models.config if there is one.
      name: the model's name in requests.
      load: loads a version's folder, warm-up included; raises ServingError.
      make_batcher: the queue of a loaded model.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        load: Callable[[Path], "ServedModel"],
        make_batcher: Callable[["ServedModel"], "Batcher"],
    ) -> None:
        self.name = name
        self._root = root
        self._load = load
        self._make_batcher = make_batcher
        self._loaded: dict[int, LoadedVersion] = {}
        self._status: dict[int, VersionStatus] = {}
        self._failed: dict[int, tuple] = {}  # {version: fingerprint of its files}
        self._labels: dict[str, int] = {}
        self._policy = VersionPolicy()
        self._policy_in_file: VersionPolicy | UsageError | None = None
        self._refreshing = asyncio.Lock()
        self._unloading: set[asyncio.Task] = set()

    async def refresh(self) -> None:
        """Looks at models.config and the versions once, and loads and unloads accordingly."""
        async with self._refreshing:
            self._read_policy()
            await self._follow_policy()

    async def reload(self, policy: VersionPolicy) -> None:
        """Follows another policy until models.config changes.

        Raises:
          ServingError: FAILED_PRECONDITION, a label's version is not available.
        """
        async with self._refreshing:
            self._policy = policy
            await self._follow_policy()
            for version in policy.labels.values():
                if version not in self._loaded:
                    raise ServingError(
                        StatusCode.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model {self.name}, "
                        "which is not currently available for inference",
                    )

    def get(self, name: str, version: int | None = None, label: str | None = None) -> LoadedVersion:
        """The version that answers a request: the one it names, or the highest one.

        Raises:
          ServingError: NOT_FOUND, no such model, or this version of it is not loaded;
            INVALID_ARGUMENT, no such label; UNAVAILABLE, none is loaded yet.
        """
        if name == self.name and not self._loaded:
            raise ServingError(StatusCode.UNAVAILABLE, f"Model {name} is not available yet")
        if label is not None:
            version = self._labels.get(label) if name == self.name else None
            if version is None:
                raise ServingError(
                    StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
        if name == self.name:
            loaded = self.served if version is None else self._loaded.get(version)
            if loaded is not None:
                return loaded
        wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise ServingError(StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")

    def status(self, name: str, version: int | None = None) -> list[VersionStatus]:
        """Every version that was ever seen, the newest first; or only the one that is asked for.

        Raises:
          ServingError: NOT_FOUND, no such model or version.
        """
        known = self._status if name == self.name else {}
        if version is None and known:
            return [known[each] for each in sorted(known, reverse=True)]
        if version in known:
            return [known[version]]
        wanted = "any versions" if version is None else f"version {version}"
        raise ServingError(StatusCode.NOT_FOUND, f"Could not find {wanted} of model {name}")

    @property
    def served(self) -> LoadedVersion | None:
        """The version that answers requests which name none; None before the first is loaded."""
        return self._loaded[max(self._loaded)] if self._loaded else None

    @property
    def loaded(self) -> list[LoadedVersion]:
        """The versions that answer requests."""
        return list(self._loaded.values())

    @property
    def known(self) -> list[VersionStatus]:
        """The state of every version that was ever seen."""
        return list(self._status.values())

    @property
    def labels(self) -> dict[str, int]:
        """The labels that answer requests."""
        return dict(self._labels)

    async def close(self) -> None:
        """Waits until the versions that are being unloaded are gone."""
        await asyncio.gather(*self._unloading)

    def _read_policy(self) -> None:
        """Takes over what models.config says, when that has changed."""
        found: VersionPolicy | UsageError
        try:
            config = read_models_config(self._root)
            model = find_model(config, self.name) if config else None
            found = version_policy(model) if model else VersionPolicy()
        except UsageError as error:
            if repr(error) != repr(self._policy_in_file):
                log.error("%s; what is served stays as it is", error)
            self._policy_in_file = error
            return
        if found != self._policy_in_file:
            self._policy = self._policy_in_file = found

    async def _follow_policy(self) -> None:
        folders = await asyncio.to_thread(find_versions, self._root / self.name)
        wanted = await self._load_wanted(folders)
        self._move_labels()
        if wanted:
            keep = wanted | set(self._labels.values())
            for version in self._loaded.keys() - keep:
                self._unload(version)

    async def _load_wanted(self, folders: dict[int, Path]) -> set[int]:
        """Loads what the policy asks for; returns the versions of it that are available."""
        policy = self._policy
        available: set[int] = set()
        for version in sorted(folders, reverse=True):
            if policy.specific is not None and version not in policy.specific:
                continue
            if policy.specific is None and len(available) == policy.newest:
                break
            if version in self._loaded or await self._try(version, folders[version]):
                available.add(version)
        return available

    async def _try(self, version: int, folder: Path) -> bool:
        fingerprint = await asyncio.to_thread(_fingerprint, folder)
        if self._failed.get(version) == fingerprint:
            return False
        self._set_status(version, State.LOADING)
        try:
            model = await asyncio.to_thread(self._load, folder)
        except ServingError as error:
            log.error("version %d of '%s' does not load: %s", version, self.name, error.message)
            self._status[version] = VersionStatus(version, State.END, error.code, error.message)
            self._failed[version] = fingerprint
            return False
        self._failed.pop(version, None)
        self._loaded[version] = LoadedVersion(version, model, self._make_batcher(model))
        self._set_status(version, State.AVAILABLE)
        return True

    def _move_labels(self) -> None:
        """Moves labels to versions that are available; others stay where they are."""
        labels = {}
        for label, version in self._policy.labels.items():
            present = self._labels.get(label)
            if version in self._loaded:
                labels[label] = version
            elif present in self._loaded:
                labels[label] = present
        self._labels = labels

    def _unload(self, version: int) -> None:
        """Takes a version away from new requests, and unloads it when the old ones are answered."""
        loaded = self._loaded.pop(version)
        self._set_status(version, State.UNLOADING)
        task = asyncio.create_task(self._finish(loaded))
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _finish(self, loaded: LoadedVersion) -> None:
        await loaded.batcher.drained()
        await asyncio.to_thread(loaded.model.close)
        gc.collect()  # the graph's objects refer to each other
        if self._status[loaded.version].state is State.UNLOADING:  # and is not loaded again
            self._set_status(loaded.version, State.END)

    def _set_status(self, version: int, state: State) -> None:
        self._status[version] = VersionStatus(version, state)


def _fingerprint(directory: Path) -> tuple:
    """Changes when a file below the folder does."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            stat = os.stat(os.path.join(folder, name))
            found.append((folder, name, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(found))
