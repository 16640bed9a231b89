"""A clock that tests control."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable


class VirtualClock:
    """Stands still until something sleeps or the test advances it.

    Attributes:
        slept: The duration of each sleep, in seconds.
        on_sleep: Called when a sleep starts; an asynchronous sleep awaits the result.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self._monotonic = 1_000.0
        self._wall = 1_700_000_000.0

    def monotonic(self) -> float:
        """Return a time that never goes backwards."""
        return self._monotonic

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Advance both clocks."""
        self._monotonic += seconds
        self._wall += seconds

    def shift_wall(self, seconds: float) -> None:
        """Move the wall clock forward, or back by a negative number of seconds."""
        self._wall += seconds

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Advance by the time of the sleep, unless the event is set."""
        self.slept.append(seconds)
        self.on_sleep()
        if not until.is_set():
            self.advance(seconds)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Advance by the time of the sleep, unless the event is set."""
        self.slept.append(seconds)
        result = self.on_sleep()
        if isinstance(result, Awaitable):
            await result
        if not until.is_set():
            self.advance(seconds)

    def is_emulated(self, url: str) -> bool:  # noqa: ARG002 - a clock of the client has it
        """Return False, so that token exchanges run in threads."""
        return False
