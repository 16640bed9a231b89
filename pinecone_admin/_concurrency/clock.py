"""Time, and waits that the client's clock measures; the one place that acts on the real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

POLL_INTERVAL = 0.1
"""Seconds after which a wait looks again whether the client was closed."""


class Clock(Protocol):
    """Time and the passing of it, in seconds."""

    def monotonic(self) -> float:
        """Give a time that never runs backwards."""
        ...

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        ...

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Block until the seconds are over or the event is set."""
        ...

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait as ``sleep`` does; cancellation ends it at once."""
        ...


class SystemClock:
    """The time of this machine."""

    def monotonic(self) -> float:
        """Give ``time.monotonic``."""
        return time.monotonic()

    def wall(self) -> float:
        """Give ``time.time``."""
        return time.time()

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Look at the event ten times a second: waiting on it takes a lock that a fork could leave held."""
        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:
            time.sleep(min(left, POLL_INTERVAL))

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Look at the event ten times a second, since any thread may set it."""
        import anyio  # noqa: PLC0415 - see the package

        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:  # noqa: ASYNC110 - no task waits on it
            await anyio.sleep(min(left, POLL_INTERVAL))


_clock: Clock = SystemClock()


def current_clock() -> Clock:
    """Give the clock that clients made now will keep."""
    return _clock


@contextmanager
def use_clock(clock: Clock) -> Generator[None, None, None]:
    """Give another clock to the clients that are made meanwhile."""
    global _clock  # noqa: PLW0603 - clients are made deep inside the code under test
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


_never_set = threading.Event()


def pause_for(seconds: float) -> None:
    """Wait for a while."""
    current_clock().sleep(seconds, _never_set)


async def async_pause_for(seconds: float) -> None:
    """Do as ``pause`` does."""
    await current_clock().async_sleep(seconds, _never_set)


class PollBackoff:
    """Waits that double, from half a second to eight, until a deadline.

    Args:
        seconds: From now to the deadline.
    """

    def __init__(self, seconds: float) -> None:
        self._clock = current_clock()
        self._deadline = self._clock.monotonic() + seconds
        self._next = 0.5

    @property
    def seconds_left(self) -> float:
        """The seconds until the deadline, 0 when it is over."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def wait(self) -> bool:
        """Wait once more; tells whether there is time left to look again."""
        self._clock.sleep(self._next_delay(), _never_set)
        return self.seconds_left > 0

    async def async_wait(self) -> bool:
        """Do as ``wait`` does."""
        await self._clock.async_sleep(self._next_delay(), _never_set)
        return self.seconds_left > 0

    def _next_delay(self) -> float:
        step, self._next = self._next, min(8.0, 2 * self._next)
        return min(step, self.seconds_left)
