"""The changes that a workflow makes, or that its dry run previews."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")


class AsyncChangeLog:
    """Makes changes and records each as a step; a dry run only records them.

    Attributes:
        dry_run: Whether no change is made.
        steps: The changes in order.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.steps: list[str] = []

    async def apply(self, step: str, change: Callable[[], Awaitable[_T]], *, preview: _T) -> _T:
        """Make a change and return its result, or the preview in a dry run."""
        result = preview if self.dry_run else await change()
        self.steps.append(step)
        return result
