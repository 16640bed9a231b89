"""Checks of what only workflows take: refused before the first request, as the arguments of a call are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from inspect import iscoroutinefunction

from pinecone_admin.errors import PineconeError, PineconeTypeError


@contextmanager
def attribute_errors_to(workflow: str) -> Generator[None, None, None]:
    """Name the workflow in the errors of its checks."""
    try:
        yield
    except PineconeError as exc:
        exc.operation = workflow
        raise


def check_function(name: str, value: object, *, optional: bool = False) -> None:
    """Check something that is called later, and that nobody will await."""
    async_check_function(name, value, optional=optional)
    if iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", None)):  # noqa: B004 - see the line above
        raise PineconeTypeError(f"{name} must be a plain function: nothing awaits what this one gives")


def async_check_function(name: str, value: object, *, optional: bool = False) -> None:
    """Check something that is called later, and awaited where it gives something to await."""
    if not callable(value) and not (optional and value is None):
        raise PineconeTypeError(f"{name} must be callable, not {type(value).__name__}")
