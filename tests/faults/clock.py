"""A clock that runs in real time or stands still, and whose sleeps return at once."""

from __future__ import annotations

import threading
import time


class RunningClock:
    """Real time plus everything that was slept or skipped: deadlines hold and no sleep takes time.

    Attributes:
        slept: Length of each requested sleep in seconds.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._skipped = 0.0
        self._frozen_at: tuple[float, float] | None = None
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return a time that never runs backwards."""
        return (time.monotonic() if self._frozen_at is None else self._frozen_at[0]) + self._skipped

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return (time.time() if self._frozen_at is None else self._frozen_at[1]) + self._skipped

    def freeze(self) -> None:
        """Stop real time, so that only sleeps and skips advance the clock, however busy the machine is."""
        self._frozen_at = time.monotonic(), time.time()

    def advance(self, seconds: float) -> None:
        """Skip some seconds."""
        with self._lock:
            self._skipped += seconds

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Advance the clock by the length of the sleep, unless the event is already set."""
        self.slept.append(seconds)
        if not until.is_set():
            self.advance(seconds)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Do as ``sleep`` does, without blocking."""
        self.sleep(seconds, until)

    def is_emulated(self, url: str) -> bool:  # noqa: ARG002 - a clock of the client has it
        """Return False, so that token exchanges run in threads."""
        return False
