"""What belongs to one process or event loop, and what a fork must not find half done."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

_T = TypeVar("_T")


def running_loop() -> object:
    """Give the event loop one is in: asyncio's, or the token of trio's."""
    import asyncio  # noqa: PLC0415 - see the package

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - whoever runs in trio has it

        return trio.lowlevel.current_trio_token()


class PerLoop(Generic[_T]):
    """One value for each process and event loop, made when it is first asked for."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[object, tuple[int, _T]] = WeakKeyDictionary()

    def get(self) -> _T:
        """Give the value of this process and loop."""
        loop = running_loop()
        process, value = self._values.get(loop, (None, None))
        if value is None or process != os.getpid():
            self._drop_closed_loops()
            value = self._make()
            self._values[loop] = (os.getpid(), value)
        return value

    def _drop_closed_loops(self) -> None:
        # A pool refers to its loop, so the weak key alone never lets go of it.
        for loop in [reference() for reference in self._values.keyrefs()]:  # a copy: other threads add loops meanwhile
            if getattr(loop, "is_closed", bool)():
                self._values.pop(loop, None)

    def pop(self) -> _T | None:
        """Give the value of this process and loop away, if there is one."""
        process, value = self._values.pop(running_loop(), (None, None))
        return value if process == os.getpid() else None


class PerProcess(Generic[_T]):
    """One value for each process; the twin of ``PerLoop`` where there is no loop."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: dict[int, _T] = {}

    def get(self) -> _T:
        """Give the value of this process; a dict's ``setdefault`` needs no lock that a fork could leave held."""
        value = self._values.get(os.getpid())
        return value if value is not None else self._values.setdefault(os.getpid(), self._make())

    def pop(self) -> _T | None:
        """Give the value of this process away, if there is one."""
        return self._values.pop(os.getpid(), None)
