"""Values that threads and tasks share: of a process, of an event loop, and slots in the order of requests."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from pinecone_admin._concurrency.locks import acquire_in_steps, is_owned, make_held_lock, release_if_acquired

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
    """One value for each process, created when it is first used, as ``PerLoop`` is one for each loop."""

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


class _Turn:
    """The place of a caller in the queue of a ``FairSemaphore``; ``wakeup`` is there only if the caller has to wait."""

    granted = False
    wakeup: threading.Lock


class FairSemaphore:
    """A first-come, first-served semaphore; ``threading.Semaphore`` does not guarantee the order.

    Python can raise KeyboardInterrupt at any function call, so a slot is passed on without a call in between.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[_Turn] = deque()
        self._lock = threading.RLock()  # a signal handler may acquire while its own thread holds it

    def acquire(self, seconds: float) -> bool:
        """Wait at most the seconds for a slot; return whether it was acquired."""
        turn, was_owned = _Turn(), is_owned(self._lock)
        try:
            with self._lock:
                if self._free:
                    self._free, turn.granted = self._free - 1, True
                else:
                    turn.wakeup = make_held_lock()
                    self._waiting.append(turn)
            if not turn.granted:
                acquire_in_steps(turn.wakeup, seconds)
                self._stop_waiting(turn)
        except BaseException:
            release_if_acquired(self._lock, was_owned=was_owned)
            self._stop_waiting(turn)
            if turn.granted:
                self.release()
            raise
        return turn.granted

    def _stop_waiting(self, turn: _Turn) -> None:
        with self._lock, suppress(ValueError):
            self._waiting.remove(turn)

    def release(self) -> None:
        """Release a slot; the caller that has waited longest gets it."""
        was_owned = is_owned(self._lock)
        try:
            with self._lock:
                for turn in self._waiting:  # a caller leaves the queue itself: an interrupt may come after each call
                    if not turn.granted:
                        turn.granted = True
                        turn.wakeup.release()
                        return
                self._free += 1
        except BaseException:
            release_if_acquired(self._lock, was_owned=was_owned)
            raise


class AsyncFairSemaphore:
    """Async version of ``FairSemaphore``, for one event loop."""

    def __init__(self, count: int) -> None:
        import anyio  # noqa: PLC0415 - see the package

        self._free = anyio.Semaphore(count)

    async def acquire(self, seconds: float) -> bool:
        """Wait at most the seconds for a slot; return whether it was acquired."""
        import anyio  # noqa: PLC0415 - see the package

        # With a timeout of 0, ``acquire`` would be cancelled even if a slot is free.
        with suppress(anyio.WouldBlock):
            self._free.acquire_nowait()
            return True
        with anyio.move_on_after(seconds):
            await self._free.acquire()
            return True
        return False

    def release(self) -> None:
        """Release a slot; the task that has waited longest gets it."""
        self._free.release()
