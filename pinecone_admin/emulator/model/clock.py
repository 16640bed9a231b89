"""The emulator's clock: virtual time, which tests advance or set and which the HTTP server lets run."""

import time
from datetime import UTC, datetime, timedelta
from threading import RLock

from pinecone_admin._concurrency.locks import ensure_released, renew_lock_in_children
from pinecone_admin.emulator.model.counts import count_noun

EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""The latest time; later, an expiry could exceed the largest date that Python represents."""


class Clock:
    """The clock of an emulator.

    Args:
        start: The initial time, an aware datetime; by default the real time.
        ticking: Whether the clock also advances with real time. Otherwise it stands still until you advance it.

    Raises:
        ValueError: `start` has no time zone.

    Example:
        >>> clock = Clock(datetime(2026, 7, 1, tzinfo=UTC))
        >>> clock.advance(90)
        >>> clock.now().isoformat()
        '2026-07-01T00:01:30+00:00'
        >>> clock.set(datetime(2026, 1, 1, tzinfo=UTC))
        >>> clock.elapsed().total_seconds()
        90.0
        >>> clock.start_ticking()  # from now on, real time advances it too
        >>> clock.stop_ticking()
        >>> clock.reset()
    """

    def __init__(self, start: datetime | None = None, *, ticking: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(f"the clock's start must have a time zone: {start.isoformat()}")
        self._start = datetime.now(UTC) if start is None else start.astimezone(UTC)
        self._ticking_since: float | None = None
        self._ticking_users = 0
        self._began = self._start
        self._advanced = timedelta()
        self._set_back = timedelta()
        self._lock = RLock()
        renew_lock_in_children(self)
        if ticking:
            self.start_ticking()

    def now(self) -> datetime:
        """Return the emulator's time, in UTC."""
        since = self._ticking_since
        elapsed = timedelta() if since is None else timedelta(seconds=time.monotonic() - since)
        return self._start + self._advanced - self._set_back + elapsed

    def elapsed(self) -> timedelta:
        """Return the time that has passed. `set` and `reset` never make it smaller."""
        return self.now() + self._set_back - self._began

    def start_ticking(self) -> None:
        """Let the clock also advance with real time, until `stop_ticking` was called as often as this method."""
        with ensure_released(self._lock), self._lock:
            self._ticking_users += 1
            if self._ticking_since is None:
                # Monotonic: a change of the system clock must not move the emulator's time.
                self._ticking_since = time.monotonic()

    def stop_ticking(self) -> None:
        """Undo one `start_ticking`. After the last one, the clock stands still."""
        with ensure_released(self._lock), self._lock:
            self._ticking_users -= 1
            if not self._ticking_users and self._ticking_since is not None:
                self._start += timedelta(seconds=time.monotonic() - self._ticking_since)
                self._ticking_since = None

    def advance(self, seconds: float) -> None:
        """Advance the clock.

        Args:
            seconds: Number of seconds, from 0.

        Raises:
            ValueError: The time would go backwards, or beyond the year 9000.
        """
        with ensure_released(self._lock), self._lock:
            try:
                advanced = self._advanced + timedelta(seconds=seconds)
                far = self._start + advanced - self._set_back > LATEST
            except (OverflowError, TypeError, ValueError) as error:
                raise ValueError(f"the time cannot be advanced by {seconds!r} seconds") from error
            if far or advanced < self._advanced:
                raise ValueError(
                    f"the time cannot be advanced by {count_noun(seconds, 'second')}: it goes forward only, to {LATEST}"
                )
            self._advanced = advanced

    def set(self, moment: datetime) -> None:
        """Set the clock. Tokens and invites still expire at the times that they have.

        For clients in `emulate()`, a later time means that time has passed. An earlier time means that somebody set the
        clock back.

        Args:
            moment: The new time, an aware datetime from the year 2 to the year 9000.

        Raises:
            ValueError: `moment` is not such a datetime.
        """
        try:
            is_valid = EARLIEST <= moment <= LATEST
        except TypeError:  # it has no time zone, or is no datetime
            is_valid = False
        if not is_valid:
            years = f"from {EARLIEST.year} to {LATEST.year}"
            raise ValueError(f"the clock can be set to a datetime {years} with a time zone, not to {moment!r}")
        with ensure_released(self._lock), self._lock:
            difference = moment - self.now()
            if difference > timedelta():
                self._advanced += difference
            else:
                self._set_back -= difference

    def reset(self) -> None:
        """Undo `advance` and `set`. A ticking clock continues with the real time that has passed."""
        with ensure_released(self._lock), self._lock:
            self._set_back = self._advanced
