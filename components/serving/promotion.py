"""Which version serving serves: promoting one, rolling back, giving a canary its label.

All of it is written into TensorFlow Serving's own models.config, which it and this project's server
follow. The version before the stable one stays loaded, so that going back takes no loading, and so
that TensorFlow Serving, which moves a label only to a version that is loaded already, always has a
version behind `stable`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from components.errors import UsageError
from components.serving.model_root import (
    ModelConfig,
    ModelServerConfig,
    find_model,
    find_versions,
    read_models_config,
    version_policy,
    write_models_config,
)

STABLE, CANARY = "stable", "canary"
LABEL = re.compile(r"[A-Za-z0-9_-]+")  # requests name it in their URL: /labels/<label>
HISTORY = "models.history.jsonl"  # beside models.config: a line for each promotion and roll-back


@dataclass(frozen=True)
class KnownVersion:
    """A version in the model root, and what models.config says of it."""

    version: int
    pushed: str  # ISO 8601, UTC
    labels: tuple[str, ...]
    loaded: bool  # by a server that follows models.config, if it loads at all


def list_versions(root: Path, name: str) -> list[KnownVersion]:
    """Every version in the model root, the newest first."""
    folders = find_versions(root / name)
    config = read_models_config(root)
    model = find_model(config, name) if config else None
    policy = version_policy(model or ModelConfig())
    newest = sorted(folders, reverse=True)
    loaded = set(newest[: policy.newest]) if policy.specific is None else policy.specific
    return [
        KnownVersion(
            version,
            _iso(folders[version].stat().st_mtime),
            tuple(sorted(label for label, of in policy.labels.items() if of == version)),
            version in loaded,
        )
        for version in newest
    ]


def served_version(root: Path, name: str) -> int | None:
    """The version with the label `stable`, else the newest one; None where there is none."""
    known = list_versions(root, name)
    newest = known[0].version if known else None
    return next((one.version for one in known if STABLE in one.labels), newest)


def promote(root: Path, name: str, version: int | None = None, label: str = STABLE) -> int:
    """Gives a version a label, and with `stable` makes it the one that is served.

    Args:
      root: the model root.
      name: the model's name.
      version: None: the newest one.
      label: `stable`, `canary` or any other of letters, digits, _ and -.

    Returns:
      The version.

    Raises:
      UsageError: there is no such version, the label holds other characters, or models.config
        cannot be read or written.
    """
    if not LABEL.fullmatch(label):
        raise UsageError(f"label {label!r}: expected letters, digits, _ and -, as canary")
    known = find_versions(root / name)
    if not known:
        raise UsageError(f"{root / name}: no version to promote")
    version = max(known) if version is None else version
    if version not in known:
        listed = ", ".join(map(str, sorted(known)))
        raise UsageError(f"{root / name}: no version {version}; there are: {listed}")
    config, model = _open(root, name)
    before = _stable(model, known)
    _set_labels(model, {**model.version_labels, label: version}, before, known)
    write_models_config(root, config)
    _remember(root, name, "promote", label, version, before)
    return version


def roll_back(root: Path, name: str, label: str = STABLE) -> int | None:
    """Goes back to the version that was stable before, or takes another label away.

    Returns:
      The version that is stable now; None where a label was taken away.

    Raises:
      UsageError: there is nothing to go back to, or no such label.
    """
    known = find_versions(root / name)
    config, model = _open(root, name)
    labels = dict(model.version_labels)
    if label != STABLE:
        if label not in labels:
            raise UsageError(f"{root / name}: no version has the label '{label}'")
        del labels[label]
        _set_labels(model, labels, _previous(root, name, model, known), known)
        write_models_config(root, config)
        _remember(root, name, "rollback", label, None)
        return None
    target = _previous(root, name, model, known)
    if target is None:
        raise UsageError(f"{root / name}: no earlier version to roll back to")
    # A canary above the stable version would answer the requests that name no version.
    labels = {key: of for key, of in labels.items() if of <= target} | {STABLE: target}
    _set_labels(model, labels, None, known)
    write_models_config(root, config)
    _remember(root, name, "rollback", STABLE, target)
    return target


def unpin(root: Path, name: str) -> None:
    """Lets serving follow the newest version again, whatever is pushed; drops all labels."""
    config, model = _open(root, name)
    model.ClearField("version_labels")
    model.ClearField("model_version_policy")
    write_models_config(root, config)
    _remember(root, name, "unpin", STABLE, None)


def _open(root: Path, name: str) -> tuple[ModelServerConfig, ModelConfig]:
    config = read_models_config(root) or ModelServerConfig()
    model = find_model(config, name)
    if model is None:
        model = config.model_config_list.config.add(
            name=name, base_path=str((root / name).resolve()), model_platform="tensorflow"
        )
    return config, model


def _stable(model: ModelConfig, known: dict[int, Path]) -> int | None:
    """The version that is served; without a label, the newest one."""
    return model.version_labels.get(STABLE) or max(known, default=None)


def _set_labels(
    model: ModelConfig, labels: dict[str, int], before: int | None, known: dict[int, Path]
) -> None:
    stable = labels.get(STABLE)
    if labels.get(CANARY) == stable:
        labels.pop(CANARY, None)
    if stable is None:  # a canary beside what is served without a label
        stable = labels[STABLE] = before or max(known)
    loaded = set(labels.values())
    # Requests without a version or label are answered by the highest one that is loaded, here and
    # in TensorFlow Serving: so the version before stays loaded only if it is a lower one.
    if before in known and before < stable:
        loaded.add(before)
    model.ClearField("version_labels")
    for label, version in sorted(labels.items()):
        model.version_labels[label] = version
    model.model_version_policy.specific.versions[:] = sorted(loaded)


def _previous(root: Path, name: str, model: ModelConfig, known: dict[int, Path]) -> int | None:
    """The version that was stable before the present one, by history; else the next lower one."""
    stable = _stable(model, known)
    if stable is None:
        return None
    earlier = _stable_history(root, name)
    if earlier and earlier[-1] == stable:
        for version in reversed(earlier[:-1]):
            if version in known:
                return version
    return max((version for version in known if version < stable), default=None)


def _stable_history(root: Path, name: str) -> list[int]:
    """The versions that were promoted to stable and not rolled back, the present one last."""
    stack: list[int] = []
    for entry in _read_history(root):
        if entry["model"] != name or entry["label"] != STABLE:
            continue
        if entry["action"] == "promote":
            stack += [entry["before"]] if not stack and entry["before"] else []
            stack += [entry["version"]] if stack[-1:] != [entry["version"]] else []
        elif entry["action"] == "rollback":
            while stack and stack[-1] != entry["version"]:
                stack.pop()
        else:
            stack = []
    return stack


def _read_history(root: Path) -> Iterator[dict]:
    path = root / HISTORY
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}:{number}: expected a JSON line") from error


@dataclass(frozen=True)
class _Entry:
    time: str
    model: str
    action: str
    label: str
    version: int | None
    before: int | None


def _remember(
    root: Path, name: str, action: str, label: str, version: int | None, before: int | None = None
) -> None:
    entry = _Entry(_iso(datetime.now(UTC).timestamp()), name, action, label, version, before)
    with (root / HISTORY).open("a", encoding="utf-8") as history:
        history.write(json.dumps(asdict(entry)) + "\n")


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")
