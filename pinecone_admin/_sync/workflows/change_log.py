# Derived from pinecone_admin/_async/workflows/change_log.py by scripts/unasync.py: change that, not this file.
"""The changes that a workflow makes, or that its dry run previews."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from pinecone_admin.models import APIKey
from pinecone_admin.workflows.steps import Step, describe_rename

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_T = TypeVar("_T")


class ChangeLog:
    """Makes changes and records each as a step; a dry run only records them.

    Args:
        dry_run: Whether no change is made.
        project: Name of the project in which everything is changed, if it is known.

    Attributes:
        dry_run: Whether no change is made.
        steps: The changes in order.
    """

    def __init__(self, *, dry_run: bool, project: str | None = None) -> None:
        self.dry_run = dry_run
        self.steps: list[Step] = []
        self._project = project

    def record(self, *steps: Step) -> None:
        """Record steps that were made, or that a dry run would make."""
        self.steps += [evolve(each, planned=self.dry_run, project=each.project or self._project) for each in steps]

    def apply(self, step: Step, change: Callable[[], _T], *, preview: _T) -> _T:
        """Make a change and return its result, or the preview in a dry run."""
        result = preview if self.dry_run else change()
        self.record(step)
        return result


def update_key(admin: Admin, key: APIKey, final: APIKey, changes: ChangeLog) -> APIKey:
    """Give a key its final name and roles; nothing is sent if it has them."""
    if key == final:
        return key
    roles = final.roles if final.roles != key.roles else None
    rename = partial(admin.api_keys.update, api_key_id=key.id, name=final.name, roles=roles)
    return changes.apply(describe_rename(key, final), rename, preview=final)
