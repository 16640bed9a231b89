"""The emulator's clock: virtual time that tests move by hand and the HTTP server lets run."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tell the emulator's time.

    Args:
        start: the first `now()`, an aware datetime; by default the real time.
        ticking: whether real time that passes is added; otherwise the clock stands until it is advanced.

    Raises:
        ValueError: `start` has no time zone.

    Example:
        >>> clock = Clock(datetime(2026, 7, 1, tzinfo=UTC))
        >>> clock.advance(90)
        >>> clock.now().isoformat()
        '2026-07-01T00:01:30+00:00'
    """

    def __init__(self, start: datetime | None = None, *, ticking: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(f"the clock's start needs a time zone: {start.isoformat()}")
        self._time = datetime.now(UTC) if start is None else start.astimezone(UTC)
        self._ticking_since = time.monotonic() if ticking else None

    def now(self) -> datetime:
        """Return the emulator's time, in UTC."""
        if self._ticking_since is None:
            return self._time
        return self._time + timedelta(seconds=time.monotonic() - self._ticking_since)

    def advance(self, seconds: float) -> None:
        """Move the time forward.

        Args:
            seconds: by how much.
        """
        self._time += timedelta(seconds=seconds)
