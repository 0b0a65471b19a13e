"""SavedModels to serve: two good versions and ways to break one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """{"plain": the tiny model, "biased": one that finds everything a little better}."""
    from tests.components.serving.tiny_model import save

    root = tmp_path_factory.mktemp("models")
    folders = {"plain": root / "plain" / "model", "biased": root / "biased" / "model"}
    save(folders["plain"])
    save(folders["biased"], bias=1.0)
    return folders


@pytest.fixture(scope="session")
def push(saved_models: dict[str, Path]) -> Callable[..., Path]:
    """push(root, version, "plain"): puts a version there as the Pusher does, whole at once."""

    def push_version(root: Path, version: int, kind: str = "plain") -> Path:
        folder = root / "sentiment"
        partial = folder / f".{version}.partial"
        if kind == "broken":
            partial.mkdir(parents=True)
            (partial / "saved_model.pb").write_bytes(b"no model")
        else:
            shutil.copytree(saved_models[kind], partial)
        return partial.rename(folder / str(version))

    return push_version


@pytest.fixture
def model_root(tmp_path: Path, push: Callable[..., Path]) -> Path:
    """A model root with version 1 of the model `sentiment`."""
    push(tmp_path, 1)
    return tmp_path
