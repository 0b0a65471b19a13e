"""Defers the import of heavy packages until something of them is used.

TFX imports all of TensorFlow for a decorator of its documentation, and all of its components for a
constant of one: 12 of the 15 seconds that importing its Launcher takes. A step whose outputs come
from the cache needs neither. A component imports its executor for nothing but the executor's name,
and TensorFlow Model Analysis for a type: another 12 seconds for the pipeline's definition.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple

HEAVY = ("tensorflow", "tfx.components")
# Where the pipeline is defined, and other processes run its steps.
HEAVY_TO_DEFINE = (*HEAVY, "tensorflow_model_analysis")
# What Beam imports, through the progress bars of a client of Google's, for notebooks.
NOTEBOOKS = ("IPython", "ipywidgets")
# What TensorFlow imports though it is not asked for, with scikit-learn; who needs it, imports it.
KERAS = ("keras", "tf_keras")
# Of these, TFX's components only name classes: as their executor, or in a signature.
NAMED_ONLY = (
    "tensorflow_model_analysis",
    "tensorflow_model_analysis.sdk",
    "tensorflow_data_validation",
    "keras_tuner",
    "keras_tuner.engine",
    "keras_tuner.engine.base_tuner",
    "tfx.components.example_validator.executor",
    "tfx.components.statistics_gen.executor",
    "tfx.components.trainer.executor",
    "tfx.components.transform.executor",
    "tfx.components.tuner.executor",
)


def defer_heavy_imports(packages: Sequence[str] = HEAVY) -> None:
    """Makes packages load at first use; call it before anything imports them.

    Their modules can be imported as ever; only the package's own `__init__` waits until an
    attribute of the package is asked for that is not one of its modules imported already.
    """
    for name in packages:
        if name not in sys.modules:
            _defer(name)
    if not any(isinstance(finder, _LoadsForMissingModules) for finder in sys.meta_path):
        sys.meta_path.append(_LoadsForMissingModules())


def define_lightly() -> None:
    """For a process that defines the pipeline and runs no step; call it before importing TFX."""
    defer_heavy_imports(HEAVY_TO_DEFINE)
    prefer_local_filesystem()


def prefer_local_filesystem() -> None:
    """Makes TFX use Python's own file functions for local paths, where it would load TensorFlow."""
    from tfx.dsl.io import filesystem_registry
    from tfx.dsl.io.plugins import local

    class LocalFilesystem(local.LocalFilesystem):
        """TFX's; but TFX itself expects of `stat` what TensorFlow's gives."""

        @staticmethod
        def stat(path):
            found = os.stat(path)
            return FileStatistics(found.st_size, found.st_mtime_ns)

    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(LocalFilesystem, priority=0)


class FileStatistics(NamedTuple):
    """As TensorFlow's."""

    length: int  # bytes
    mtime_nsec: int


@contextlib.contextmanager
def without(packages: Sequence[str]) -> Iterator[None]:
    """Inside, packages that are not imported yet seem not to be installed."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def without_deferred() -> Iterator[None]:
    """Hides what still is deferred from who only asks whether it is there, as matplotlib does."""
    waiting = {name: module for name, module in sys.modules.items() if _is_deferred(module)}
    for name in waiting:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(waiting)


def _is_deferred(module: ModuleType) -> bool:
    return type(module) is _DeferredPackage


@contextlib.contextmanager
def named_only() -> Iterator[None]:
    """Inside, TFX's components can be imported without what is in `NAMED_ONLY`.

    Import nothing else there: it would keep classes that are no more than their names. Where
    `tfx.components` is not deferred, its import takes in everything, and nothing is to be gained.
    """
    if "tfx.components" not in sys.modules or not _is_deferred(sys.modules["tfx.components"]):
        yield
        return
    placed = {name: _NamedOnly(name) for name in NAMED_ONLY if name not in sys.modules}
    sys.modules.update(placed)
    for name, module in placed.items():
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
    try:
        yield
    finally:
        for name, module in placed.items():
            parent, _, child = name.rpartition(".")
            del sys.modules[name]
            if parent in sys.modules and sys.modules[parent].__dict__.get(child) is module:
                delattr(sys.modules[parent], child)


class _NamedOnly(ModuleType):
    """Stands in for a module of which only the names of its classes matter."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__module__": self.__name__})


class _DeferredPackage(ModuleType):
    """Stands in `sys.modules` for a package and becomes it at the first attribute asked for."""

    _lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)  # the import system asks for these; none is worth the load
        _DeferredPackage.load(self)
        if type(self) is _DeferredPackage:  # asked for by one of its own modules while it loads
            raise AttributeError(f"module {self.__name__} has no attribute {name} yet", name=name)
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, (self.__name__,)

    def load(self) -> None:
        """Runs the package's own `__init__`, once; other threads wait for its end."""
        with _DeferredPackage._lock:
            if "_loading" not in self.__dict__:
                self.__dict__["_loading"] = True
                assert self.__spec__ and self.__spec__.loader
                self.__spec__.loader.exec_module(self)
                del self.__dict__["_loading"]
                self.__class__ = ModuleType  # type: ignore[assignment]  # a package like any other


class _LoadsForMissingModules(MetaPathFinder):
    """The last finder: a package's `__init__` may add to where its modules are looked for.

    TensorFlow's does: `tensorflow.compat.v1` lies elsewhere.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if not isinstance(parent, _DeferredPackage):
            return None
        _DeferredPackage.load(parent)
        return PathFinder.find_spec(fullname, parent.__path__)


def _defer(name: str) -> None:
    spec = importlib.util.find_spec(name)  # imports the parent package, if there is one
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"no package {name}", name=name)
    package = _DeferredPackage(name)
    package.__spec__, package.__loader__, package.__file__ = spec, spec.loader, spec.origin
    package.__package__, package.__path__ = name, list(spec.submodule_search_locations)
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)
