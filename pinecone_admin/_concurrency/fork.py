"""What a fork must not find half done."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import Self, TypeVar, overload

_T = TypeVar("_T")


class lock_free_cached_property(cached_property[_T]):  # noqa: N801 - a decorator, named as its base is
    """A ``cached_property`` without the lock that it has before Python 3.12, which a fork could leave held."""

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...

    def __get__(self, instance: object, owner: type | None = None) -> Self | _T:
        """Give the value of an instance; made by two threads at once, the first one's is kept."""
        if instance is None:
            return self
        assert self.attrname is not None  # noqa: S101 - a class names what is in it
        kept: _T = vars(instance).setdefault(self.attrname, self.func(instance))
        return kept


_preloaded: set[str] = set()


def preload_before_fork(*modules: str) -> None:
    """Load modules before the process forks, those that can be loaded.

    A child would wait for ever for a module that another thread was importing at the moment of the fork.
    """
    _preloaded.update(modules)


def _load_before_fork() -> None:
    for name in _preloaded:
        with suppress(ImportError):
            import_module(name)


os.register_at_fork(before=_load_before_fork)
