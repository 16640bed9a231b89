"""A plugin of coverage, for each process that is measured: no code waits for a lock of its tracer.

The tracer takes a lock at each call of a measured function. A signal whose handler raises KeyboardInterrupt there left
the lock held, and a fork copied one that another thread held. After that, the next measured call waited without end.
Without the lock, two threads that are the first to run a file at the same moment can lose lines of it.
"""

from __future__ import annotations

from coverage.collector import Collector


def coverage_init(*_: object) -> None:
    """Let the tracer call what is written in C and does nothing, since no signal is handled within that."""
    Collector.lock_data = Collector.unlock_data = object  # type: ignore[assignment,method-assign]
