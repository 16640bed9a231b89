"""Checks of the numbers and switches that configure a client."""

from __future__ import annotations

from pinecone_admin.errors import PineconeTypeError, PineconeValueError

MAX_SECONDS = 1e8
"""Seconds that no wait can exceed, about three years; threads cannot wait for much longer."""


def check_seconds(name: str, value: object, *, or_none: bool = False) -> float:
    """Check a span of time in seconds: a finite number above 0, or 0 where it may be no time at all."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PineconeTypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= MAX_SECONDS and not (or_none and value == 0):
        least = "from" if or_none else "above"
        raise PineconeValueError(f"{name} must be a finite number of seconds {least} 0, at most {MAX_SECONDS:.0f}")
    return float(value)


def check_count(name: str, value: object) -> int:
    """Check a count: a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise PineconeTypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 1:
        raise PineconeValueError(f"{name} must be at least 1, not {value!r}")
    return value


def check_bool(name: str, value: object) -> bool:
    """Check a switch: 1 and 'true' are not True."""
    if not isinstance(value, bool):
        raise PineconeTypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value
