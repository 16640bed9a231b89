"""Find the one resource that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar
from unicodedata import normalize

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import AmbiguousNameError, NotFoundError


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


class _Named(_Identified, Protocol):
    @property
    def name(self) -> str: ...


class _Addressed(_Identified, Protocol):
    @property
    def email(self) -> str: ...


_I = TypeVar("_I", bound=_Identified)
_N = TypeVar("_N", bound=_Named)
_A = TypeVar("_A", bound=_Addressed)

DIFFERS_IN_FORM = "differs only in blanks or in the form of letters"
"""What distinguishes a name from another form of it, which a server may have made of it."""


def find_by_name(name: str, items: Sequence[_N], *, noun: str, operation: str) -> _N:
    """Return the only item with exactly this name.

    Raises:
        NotFoundError: No item has the name.
        AmbiguousNameError: Several items have the name.
    """
    found = [item for item in items if item.name == name]
    return require_named(found, items, name, noun=noun, operation=operation)


def require_named(found: Sequence[_N], items: Sequence[_N], name: str, *, noun: str, operation: str) -> _N:
    """Return the only item with exactly this name; without one, the error names those that have another form of it.

    They are not returned: what somebody deletes by its name must not be another thing once that is gone.

    Args:
        found: The items that have the name.
        items: All items.
        name: The name.
        noun: What an item is.
        operation: Name of the operation.

    Raises:
        NotFoundError: No item has the name.
        AmbiguousNameError: Several items have the name.
    """
    others = [] if found else [f"{quote_name(each.name)} ({each.id})" for each in find_named(items, name)]
    hint = f"; {noun} {', '.join(others)} {DIFFERS_IN_FORM}" if others else ""
    return require_match(found, noun, f"named {quote_name(name)}{hint}", operation)


def find_by_email(email: str, items: Sequence[_A], *, noun: str, operation: str) -> _A:
    """Return the only item with this email address; email matching ignores case.

    Raises:
        NotFoundError: No item has the address.
        AmbiguousNameError: Several items have the address.
    """
    found = [item for item in items if is_same_email(item.email, email)]
    return require_match(found, noun, f"with the email address {quote_name(email)}", operation)


def find_user(users: Iterable[_A], email: str, *, operation: str) -> _A | None:
    """Return the user with an email address, or None.

    Raises:
        AmbiguousNameError: Several users have the address, so that a report on one of them would say too little.
    """
    found = [each for each in users if is_same_email(each.email, email)]
    return (
        require_single(found, f"users with the email address {quote_name(email)}", operation=operation)
        if found
        else None
    )


def is_same_name(found: str, sent: str) -> bool:
    """Return whether a name may be the one that was sent: a server may trim or normalize names.

    No rule of the API says that it does so, or refuses such names. A temporary name may also end with a space by
    itself, where it was cut.
    """
    return normalize_name(found) == normalize_name(sent)


def find_named(found: Iterable[_N], name: str) -> list[_N]:
    """Return what has exactly a name, or otherwise what has another form of it.

    If a server trimmed or normalized the name that a run has sent, the next run must not create a second resource.
    """
    same = [each for each in found if is_same_name(each.name, name)]
    return [each for each in same if each.name == name] or same


def normalize_name(text: str) -> str:
    """Return a name without what a server may change in it."""
    return normalize("NFC", text).strip()


def is_same_email(one: str, other: str) -> bool:
    """Return whether two email addresses are the same; matching ignores case."""
    return normalize_email(one) == normalize_email(other)


def normalize_email(email: str) -> str:
    """Return an email address in lower case; ``casefold`` would also make one person of straße@ and strasse@."""
    return email.lower()


def require_match(found: Sequence[_I], noun: str, description: str, operation: str) -> _I:
    """Return the only item that was found.

    Raises:
        NotFoundError: None was found.
        AmbiguousNameError: Several were found.
    """
    if not found:
        raise NotFoundError(f"the account sees no {noun} {description}", operation=operation)
    return require_single(found, f"{noun}s {description}", operation=operation)


def require_single(found: Sequence[_I], description: str, *, operation: str | None = None) -> _I:
    """Return the only element.

    Raises:
        AmbiguousNameError: There are several.
    """
    if len(found) > 1:
        ids = [each.id for each in found]
        raise AmbiguousNameError(f"there are {len(ids)} {description}: {', '.join(ids)}", ids=ids, operation=operation)
    return found[0]
