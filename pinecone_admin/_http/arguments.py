"""Small pure steps of the namespaces: finding one by its name, and lists of what callers may give in several forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from pinecone_admin.errors import AmbiguousNameError, NotFoundError

if TYPE_CHECKING:
    from generated_client.models import RoleBindingInput

_T = TypeVar("_T")


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def find_by_name(name: str, items: Sequence[_N], *, operation: str) -> _N:
    """Pick the one item of this exact name.

    Raises:
        NotFoundError: None has it.
        AmbiguousNameError: Several have it.
    """
    found = [item for item in items if item.name == name]
    if not found:
        raise NotFoundError(f"nothing is named {name!r}", status_code=404, operation=operation)
    if len(found) > 1:
        ids = [item.id for item in found]
        raise AmbiguousNameError(f"{len(ids)} are named {name!r}: {', '.join(ids)}", ids=ids, operation=operation)
    return found[0]


def copy_to_list(values: Sequence[_T] | None) -> list[_T] | None:
    """Copy a sequence into the list that a model holds; what is no sequence is left for the checks to refuse."""
    copied: object = list(values) if isinstance(values, Sequence) and not isinstance(values, str | bytes) else values
    return cast("list[_T] | None", copied)


def copy_bindings(bindings: Sequence[object]) -> list[RoleBindingInput]:
    """Take bindings in both their forms: the checks read both, and both encode alike."""
    copied: object = copy_to_list(bindings)
    entries = [_drop_none_values(entry) for entry in copied] if isinstance(copied, list) else copied
    return cast("list[RoleBindingInput]", entries)


def _drop_none_values(entry: object) -> object:
    if not isinstance(entry, Mapping):
        return entry
    fields = cast("Mapping[object, object]", entry)
    return {key: value for key, value in fields.items() if value is not None}
