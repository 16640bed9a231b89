"""Values that belong to one process or one event loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

_T = TypeVar("_T")


def running_loop() -> object:
    """Return an object that identifies the running event loop: the loop of asyncio, or the token of trio."""
    import asyncio  # noqa: PLC0415 - see the package

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - installed if a trio loop is running

        return trio.lowlevel.current_trio_token()


class PerLoop(Generic[_T]):
    """One value for each process and event loop, created when it is first used."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[object, tuple[int, _T]] = WeakKeyDictionary()

    def get(self) -> _T:
        """Return the value of this process and loop; create it if there is none."""
        loop = running_loop()
        # A forked child inherits the values of its parent, which it must not use.
        process, value = self._values.get(loop, (None, None))
        if value is None or process != os.getpid():
            self._drop_closed_loops()
            value = self._make()
            self._values[loop] = (os.getpid(), value)
        return value

    def _drop_closed_loops(self) -> None:
        # A pool refers to its loop, so the weak reference alone would never release the loop.
        for loop in [
            reference() for reference in self._values.keyrefs()
        ]:  # a copy, because other threads may add loops
            if getattr(loop, "is_closed", bool)():
                self._values.pop(loop, None)

    def pop(self) -> _T | None:
        """Remove and return the value of this process and loop, or return None."""
        process, value = self._values.pop(running_loop(), (None, None))
        return value if process == os.getpid() else None


class PerProcess(Generic[_T]):
    """One value for each process, created when it is first used; sync twin of ``PerLoop``."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: dict[int, _T] = {}

    def get(self) -> _T:
        """Return the value of this process; create it if there is none."""
        # ``dict.setdefault`` is atomic, and needs no lock that a fork could leave held.
        value = self._values.get(os.getpid())
        return value if value is not None else self._values.setdefault(os.getpid(), self._make())

    def pop(self) -> _T | None:
        """Remove and return the value of this process, or return None."""
        return self._values.pop(os.getpid(), None)
