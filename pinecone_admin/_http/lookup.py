"""Find the one resource that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

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


def find_by_name(name: str, items: Sequence[_N], *, noun: str, operation: str) -> _N:
    """Return the only item with exactly this name.

    Raises:
        NotFoundError: No item has the name.
        AmbiguousNameError: Several items have the name.
    """
    return require_match([item for item in items if item.name == name], noun, f"named {quote_name(name)}", operation)


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
