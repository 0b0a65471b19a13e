"""Fingerprints of a step's code, so that TFX's cache notices when the code of a step changed.

TFX keys its cache by the import path of a function, not by what stands in the file.
"""

import ast
import functools
import hashlib
import importlib.metadata
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN_PACKAGES = ("components", "schema")
SOURCES = (".py", ".yaml", ".html", ".pbtxt")
DOTTED = re.compile(r"\w+(\.\w+)+")
# A release of one of these can change what a step computes.
PACKAGES = (
    "tfx",
    "tensorflow",
    "keras",
    "keras-tuner",
    "tensorflow-transform",
    "tensorflow-model-analysis",
    "scikit-learn",
    "tokenizers",
)


@functools.cache
def code_fingerprint(module: str) -> str:
    """Hashes the source of a module and of all that it imports from this project.

    Args:
      module: dotted name, as `components.trainer`.

    Returns:
      16 hexadecimal digits, which change with any of these sources, with the data files of the
      schema package, and with the version of a package in `PACKAGES`.
    """
    if source_file(module) is None:
        raise ModuleNotFoundError(f"no source file for module {module}")
    digest = hashlib.sha256()
    for name, source in sorted(_closure(module).items()):
        digest.update(f"{name}\0{source}\0".encode())
    for name, version in package_versions().items():
        digest.update(f"{name}=={version}\0".encode())
    return digest.hexdigest()[:16]


def source_fingerprint() -> str:
    """Hashes all sources of this project and the versions in `PACKAGES`.

    Returns:
      16 hexadecimal digits, the same for a checkout and for what was installed from it.
    """
    digest = hashlib.sha256()
    for package in ("components", "pipeline", "schema"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in SOURCES:
                digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    for name, version in package_versions().items():
        digest.update(f"{name}=={version}\0".encode())
    return digest.hexdigest()[:16]


def package_versions() -> dict[str, str]:
    """The installed versions of `PACKAGES`."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _closure(module: str) -> dict[str, str]:
    """Maps the module and its imports, direct and indirect, to their sources."""
    sources: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = source_file(name)
        if name in sources or path is None:
            continue
        sources[name] = path.read_text(encoding="utf-8")
        waiting.extend(_own_imports(sources[name]))
        if name.split(".")[0] == "schema":
            for data in sorted(path.parent.glob("*.pbtxt")):
                sources[data.name] = data.read_text(encoding="utf-8")
    return sources


def source_file(name: str) -> Path | None:
    """The file of a module, found without importing it: steps import tensorflow."""
    path = ROOT.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None  # `from package.module import name`: name is not a module


def _own_imports(source: str) -> list[str]:
    """What a module imports, and the modules and functions that it names in a string."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if DOTTED.fullmatch(node.value):
                names += [node.value, node.value.rpartition(".")[0]]
    return [name for name in names if name.split(".")[0] in OWN_PACKAGES]
