# Derived from pinecone_admin/_async/workflows/change_log.py by scripts/unasync.py: change that, not this file.
"""The changes that a workflow makes, or that its dry run previews."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class ChangeLog:
    """Makes changes and records each as a step; a dry run only records them.

    Attributes:
        dry_run: Whether no change is made.
        steps: The changes in order.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self.steps: list[str] = []

    def apply(self, step: str, change: Callable[[], _T], *, preview: _T) -> _T:
        """Make a change and return its result, or the preview in a dry run."""
        result = preview if self.dry_run else change()
        self.steps.append(step)
        return result
