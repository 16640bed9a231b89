"""Time that runs as it does, or not at all, while sleeps in it are over at once."""

from __future__ import annotations

import threading
import time


class RunningClock:
    """Real time plus all that was slept or skipped, so that deadlines hold and nobody waits.

    Attributes:
        slept: How long each sleep would have been.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._ahead = 0.0
        self._held: tuple[float, float] | None = None
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Give a time that never runs backwards."""
        return (time.monotonic() if self._held is None else self._held[0]) + self._ahead

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        return (time.time() if self._held is None else self._held[1]) + self._ahead

    def hold(self) -> None:
        """Let time pass from now on only where somebody sleeps or skips, however busy the machine is."""
        self._held = time.monotonic(), time.time()

    def advance(self, seconds: float) -> None:
        """Skip some time."""
        with self._lock:
            self._ahead += seconds

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Skip the time of the sleep, unless the event ends it."""
        self.slept.append(seconds)
        if not until.is_set():
            self.advance(seconds)

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Do as ``sleep`` does."""
        self.sleep(seconds, until)
