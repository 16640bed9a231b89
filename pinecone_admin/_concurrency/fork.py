"""Make imports and cached properties safe across a fork.

Sockets are made safe by ``PerLoop`` and ``PerProcess`` in per_loop.py, the token and its lock by
``TokenProvider.reset_after_fork``.
"""

from __future__ import annotations

import os
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


_preloaded: set[str] = set()


def preload_before_fork(*modules: str) -> None:
    """Import the modules, and what they load when it is used, before each fork; skip those that are not installed.

    A child would wait forever for a module that another thread was importing at the time of the fork.
    """
    _preloaded.update(modules)


def _load_before_fork() -> None:
    for name in _preloaded:
        with suppress(ImportError):
            module = import_module(name)
            for public in getattr(module, "__all__", ()):
                getattr(module, public)


os.register_at_fork(before=_load_before_fork)
