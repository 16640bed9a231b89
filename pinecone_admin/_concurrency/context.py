"""Values of context variables for a block."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")


@contextmanager
def setting(variable: ContextVar[_T], value: _T) -> Generator[None, None, None]:
    """Give a context variable a value in the block.

    It uses no token: a coroutine may be closed in another context, where a token cannot be reset.
    """
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        variable.set(before)
