"""Find an item by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pinecone_admin.errors import AmbiguousNameError, NotFoundError


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def find_by_name(name: str, items: Sequence[_N], *, operation: str) -> _N:
    """Return the only item with exactly this name.

    Raises:
        NotFoundError: No item has the name.
        AmbiguousNameError: Several items have the name.
    """
    found = [item for item in items if item.name == name]
    if not found:
        raise NotFoundError(f"nothing is named {name!r}", status_code=404, operation=operation)
    if len(found) > 1:
        ids = [item.id for item in found]
        raise AmbiguousNameError(f"{len(ids)} items are named {name!r}: {', '.join(ids)}", ids=ids, operation=operation)
    return found[0]
