"""What lies in a model root: a folder per model and version, and models.config.

models.config is a text ModelServerConfig, for `tensorflow_model_server --model_config_file`. Its
version policy and labels are followed; its base path is for TensorFlow Serving alone, which may
see the root under another name.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UsageError

SAVED_MODEL = "saved_model.pb"
MODELS_CONFIG = "models.config"

ModelConfig: TypeAlias = model_server_config_pb2.ModelConfig
ModelServerConfig: TypeAlias = model_server_config_pb2.ModelServerConfig


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions of a model are to be loaded, and what they are called.

    Attributes:
      specific: exactly these; None: the newest ones.
      newest: how many, if `specific` is None; None: all.
      labels: {label: version}.
    """

    specific: frozenset[int] | None = None
    newest: int | None = 1
    labels: dict[str, int] = field(default_factory=dict)


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


def read_models_config(root: Path) -> ModelServerConfig | None:
    """The models.config of a model root; None where there is none.

    Raises:
      UsageError: it cannot be read, or is no text ModelServerConfig with a model_config_list.
    """
    path = root / MODELS_CONFIG
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    try:
        config = text_format.Parse(text, ModelServerConfig())
    except text_format.ParseError as error:
        raise UsageError(f"{path}: expected a text ModelServerConfig: {error}") from error
    if config.WhichOneof("config") != "model_config_list":
        raise UsageError(f"{path}: expected a model_config_list")
    return config


def write_models_config(root: Path, config: ModelServerConfig) -> None:
    """Writes models.config at once or not at all.

    Raises:
      UsageError: the folder cannot be written to.
    """
    path = root / MODELS_CONFIG
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text_format.MessageToString(config), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def find_model(config: ModelServerConfig, name: str) -> ModelConfig | None:
    """The entry of a model; None where there is none."""
    return next((model for model in config.model_config_list.config if model.name == name), None)


def version_policy(model: ModelConfig) -> VersionPolicy:
    """The policy of a model's entry; without one, the newest version is loaded."""
    labels = dict(model.version_labels)
    policy = model.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "specific":
            return VersionPolicy(frozenset(policy.specific.versions), labels=labels)
        case "all":
            return VersionPolicy(newest=None, labels=labels)
        case _:
            return VersionPolicy(newest=policy.latest.num_versions or 1, labels=labels)
