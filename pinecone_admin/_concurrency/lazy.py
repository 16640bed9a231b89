"""Load modules and compute properties on first use, safely across a fork.

Sockets are made safe by ``PerLoop`` and ``PerProcess`` in sharing.py, the token and its lock by
``TokenProvider.reset_after_fork``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Generic, TypeVar, cast, overload

_T = TypeVar("_T")


class lazy_namespace(Generic[_T]):  # noqa: N801 - a decorator, named as a function is
    """A namespace of a client, whose class the decorated method loads: made on first use, without a lock.

    A fork could leave a lock held, such as that of ``cached_property`` before Python 3.12.
    """

    def __init__(self, load: Callable[[Any], type[_T]]) -> None:
        self.load = load
        self.__doc__ = load.__doc__

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> type[_T]: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...

    def __get__(self, instance: object, owner: type | None = None) -> type[_T] | _T:
        """Return the namespace of a client, of two made at once the first; of its class the class, for ``help``."""
        if instance is None:
            return self.load(owner)
        attributes, make = vars(instance), cast("Callable[..., _T]", self.load(instance))
        kept: _T = attributes.setdefault(self.name, make(instance, attributes["_sender"]))
        return kept


class Namespace:
    """A namespace that shows its methods at a prompt."""

    def __dir__(self) -> list[str]:
        return [name for name in vars(type(self)) if not name.startswith("_")]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.__dir__())}>"


def load_names_on_use(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` of a package that imports each public name on first use, and its ``__dir__``.

    Args:
        package: Name of the package.
        modules: Names by the module that defines them; a module whose name starts with a dot is one of the package.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def load_name(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(module_of[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of})  # help() shows only these

    return load_name, list_names


_preloaded: set[str] = set()


def preload_before_fork(*modules: str) -> None:
    """Import the modules, and what they load when it is used, before each fork; skip those that are not installed.

    A child would wait forever for a module that another thread was importing at the time of the fork.
    """
    if not _preloaded and hasattr(os, "register_at_fork"):  # Windows has no fork
        # The hook that was registered last runs first. With the lock of logging held, this one could wait for a thread
        # that imports a module which makes a logger.
        import_module("logging")
        os.register_at_fork(before=_load_before_fork)
    _preloaded.update(modules)


def _load_before_fork() -> None:
    for name in _preloaded:
        with suppress(ImportError):
            module = import_module(name)
            for public in getattr(module, "__all__", ()):
                getattr(module, public)
