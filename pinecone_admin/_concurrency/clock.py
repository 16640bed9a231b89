"""Clocks, and waits measured by the clock of the client."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

POLL_INTERVAL = 0.1
"""Seconds between two checks of whether the client was closed, during a wait."""


class ClientClock(Protocol):
    """Source of time, and of waits; in seconds."""

    def monotonic(self) -> float:
        """Return a time that never goes backwards."""
        ...

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Block until the seconds have passed or the event is set."""
        ...

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Async version of ``sleep``; cancellation ends it at once."""
        ...

    def is_emulated(self, url: str) -> bool:
        """Return whether an emulator in this process responds to requests for a URL, so that they do not block."""
        ...


class SystemClock:
    """Clock of this machine."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Block until the seconds have passed or the event is set."""
        # Polls the event: waiting on it takes a lock, which a fork could leave held.
        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:
            time.sleep(min(left, POLL_INTERVAL))

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Async version of ``sleep``; cancellation ends it at once."""
        import anyio  # noqa: PLC0415 - see the package

        # Polls the event, which any thread may set.
        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:  # noqa: ASYNC110 - a threading.Event cannot be awaited
            await anyio.sleep(min(left, POLL_INTERVAL))

    def is_emulated(self, url: str) -> bool:  # noqa: ARG002 - the clock of an emulation needs it
        """Return False: requests leave this process."""
        return False


_clock: ClientClock = SystemClock()


def current_clock() -> ClientClock:
    """Return the clock of clients that are created now; a client keeps its clock."""
    return _clock


@contextmanager
def use_clock(clock: ClientClock) -> Generator[None, None, None]:
    """Use another clock for the clients that are created inside."""
    global _clock  # noqa: PLW0603 - clients are created deep inside the code under test
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


_never_set = threading.Event()


def wait_for_time(moment: float, ended: threading.Event) -> None:
    """Wait until the current clock shows a monotonic time, or the event is set.

    Background work waits in this way: an emulated clock advances by each sleep, and here by what others do.
    """
    clock = current_clock()
    while not ended.is_set() and clock.monotonic() < moment:
        time.sleep(POLL_INTERVAL)


async def async_wait_for_time(moment: float, ended: threading.Event) -> None:
    """Async version of ``wait_for_time``."""
    import anyio  # noqa: PLC0415 - see the package

    clock = current_clock()
    while not ended.is_set() and clock.monotonic() < moment:  # noqa: ASYNC110 - a clock cannot be awaited
        await anyio.sleep(POLL_INTERVAL)


class PollBackoff:
    """Waits that double, from half a second to eight, until a deadline.

    Args:
        seconds: Seconds from now until the deadline.
    """

    def __init__(self, seconds: float) -> None:
        self._clock = current_clock()
        self._deadline = self._clock.monotonic() + seconds
        self._next = 0.5

    @property
    def seconds_left(self) -> float:
        """The seconds until the deadline, or 0 after it."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def wait(self) -> bool:
        """Wait once; return whether there is time left for another poll."""
        self._clock.sleep(self._next_delay(), _never_set)
        return self.seconds_left > 0

    async def async_wait(self) -> bool:
        """Async version of ``wait``."""
        await self._clock.async_sleep(self._next_delay(), _never_set)
        return self.seconds_left > 0

    def _next_delay(self) -> float:
        step, self._next = self._next, min(8.0, 2 * self._next)
        return min(step, self.seconds_left)
