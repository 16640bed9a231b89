"""Find the one resource that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pinecone_admin.errors import AmbiguousNameError, NotFoundError


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


class _Named(_Identified, Protocol):
    @property
    def name(self) -> str: ...


_I = TypeVar("_I", bound=_Identified)
_N = TypeVar("_N", bound=_Named)


def find_by_name(name: str, items: Sequence[_N], *, noun: str, operation: str) -> _N:
    """Return the only item with exactly this name.

    Raises:
        NotFoundError: No item has the name.
        AmbiguousNameError: Several items have the name.
    """
    found = [item for item in items if item.name == name]
    if not found:
        raise NotFoundError(f"there is no {noun} named {name!r}", status_code=404, operation=operation)
    return require_single(found, f"{noun}s named {name!r}", operation=operation)


def require_single(found: Sequence[_I], description: str, *, operation: str | None = None) -> _I:
    """Return the only element.

    Raises:
        AmbiguousNameError: There are several.
    """
    if len(found) > 1:
        ids = [each.id for each in found]
        raise AmbiguousNameError(f"there are {len(ids)} {description}: {', '.join(ids)}", ids=ids, operation=operation)
    return found[0]
