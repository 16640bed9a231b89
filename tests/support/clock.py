"""Time that a test lets pass."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable


class VirtualClock:
    """Stands still until somebody sleeps or the test advances it.

    Attributes:
        slept: How long each sleep was.
        on_sleep: Called at the start of each sleep; awaited by an asynchronous one.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self._monotonic = 1_000.0
        self._wall = 1_700_000_000.0

    def monotonic(self) -> float:
        """Give a time that never runs backwards."""
        return self._monotonic

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._wall += seconds

    def set_wall(self, by: float) -> None:
        """Set the clock of the wall forward, or back."""
        self._wall += by

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Let the time of the sleep pass, unless the event ends it."""
        self.slept.append(seconds)
        self.on_sleep()
        if not until.is_set():
            self.advance(seconds)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Do as ``sleep`` does."""
        self.slept.append(seconds)
        done = self.on_sleep()
        if isinstance(done, Awaitable):
            await done
        if not until.is_set():
            self.advance(seconds)
