"""Load modules and compute properties on first use, safely across a fork.

Sockets are made safe by ``PerLoop`` and ``PerProcess`` in sharing.py, the token and its lock by
``TokenProvider.reset_after_fork``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import Self, TypeVar, overload

_T = TypeVar("_T")


class lock_free_cached_property(cached_property[_T]):  # noqa: N801 - a decorator, named as its base is
    """``cached_property`` without the lock that it has before Python 3.12, which a fork could leave held."""

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...

    def __get__(self, instance: object, owner: type | None = None) -> Self | _T:
        """Return the value of an instance; if two threads compute it at once, the first value is kept."""
        if instance is None:
            return self
        assert self.attrname is not None  # noqa: S101 - set by __set_name__
        kept: _T = vars(instance).setdefault(self.attrname, self.func(instance))
        return kept


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
