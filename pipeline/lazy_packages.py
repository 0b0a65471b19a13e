"""Defers the import of heavy packages until something of them is used.

TFX imports all of TensorFlow for a decorator of its documentation, and all of its components for a
constant of one: 12 of the 15 seconds that importing its Launcher takes. A step whose outputs come
from the cache needs neither.
"""

import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

HEAVY = ("tensorflow", "tfx.components")


def defer_heavy_imports() -> None:
    """Makes the packages of `HEAVY` load at first use; call it before anything imports them.

    Their modules can be imported as ever; only the package's own `__init__` waits until an
    attribute of the package is asked for that is not one of its modules imported already.
    """
    for name in HEAVY:
        if name not in sys.modules:
            _defer(name)
    sys.meta_path.append(_LoadsForMissingModules())


def prefer_local_filesystem() -> None:
    """Makes TFX use Python's own file functions for local paths, where it would load TensorFlow."""
    from tfx.dsl.io import filesystem_registry
    from tfx.dsl.io.plugins import local

    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(local.LocalFilesystem, priority=0)


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
