"""Semaphores whose slots are given in the order in which they were asked for."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue


class _Turn:
    """The place of a caller in the queue of a ``FairSemaphore``; ``wake`` is set only if the caller has to wait."""

    granted = False
    wake: SimpleQueue[None]


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
        turn = _Turn()
        try:
            with self._lock:
                if self._free:
                    self._free, turn.granted = self._free - 1, True
                else:
                    turn.wake = SimpleQueue()
                    self._waiting.append(turn)
            if not turn.granted:
                with suppress(Empty):
                    turn.wake.get(timeout=max(0.0, seconds))
                self._stop_waiting(turn)
        except BaseException:
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
        with self._lock:
            for turn in self._waiting:  # a caller leaves the queue itself: an interrupt may come after each call
                if not turn.granted:
                    turn.granted = True
                    turn.wake.put(None)
                    return
            self._free += 1


class AsyncFairSemaphore:
    """Async twin of ``FairSemaphore``, for one event loop."""

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
