"""A clock that tests control."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

import anyio


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


class HeldClock(VirtualClock):
    """Holds long sleeps, which background work does between its steps, until the test lets them pass.

    Attributes:
        begun: The duration of each long sleep that has begun, in seconds.
        passed: How many of them may end.
    """

    _LONG = 15.0
    """More than any pause between two attempts of a call."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[float] = []
        self.passed = 0

    def has_begun(self, number: int) -> bool:
        """Return whether the long sleep with a number, from 1, is the latest one."""
        return len(self.begun) == number

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait until the test lets the sleep pass, or the event is set."""
        if seconds >= self._LONG:
            self.begun.append(seconds)
            number = len(self.begun)
            while number > self.passed and not until.wait(0.001):
                pass
        super().sleep(seconds, until)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait until the test lets the sleep pass, or the event is set."""
        if seconds >= self._LONG:
            self.begun.append(seconds)
            number = len(self.begun)
            while number > self.passed and not until.is_set():  # noqa: ASYNC110 - a threading.Event cannot be awaited
                await anyio.sleep(0.001)
        await super().async_sleep(seconds, until)
