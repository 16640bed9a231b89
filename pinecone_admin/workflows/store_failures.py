"""Keep a secret out of the exception with which a ``store`` failed, which logs and tracebacks show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pinecone_admin._text.printable import make_printable
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret

_MASK = "***"
_MOST_LEVELS = 5
"""Levels of lists and mappings in an exception that are searched."""


def mask_secret(error: BaseException, made: APIKeyWithSecret | ServiceAccountWithSecret) -> RuntimeError | None:
    """Mask the secret of what was made in an exception and in those linked to it.

    Returns:
        What is to be raised in place of an exception that still shows the secret, without a link to it; None if the
        exception does not show it, or is none that may be replaced, such as KeyboardInterrupt.
    """
    secret = made.value if isinstance(made, APIKeyWithSecret) else made.client_secret
    revealing = [each for each in _list_linked(error) if _shows(each, secret)]
    for each in revealing:
        each.args = tuple(_replace(value, secret) for value in each.args)
        vars(each).update({name: _replace(value, secret) for name, value in vars(each).items()})
    if not isinstance(error, Exception) or not any(_shows(each, secret) for each in revealing):
        return None
    return RuntimeError(f"store raised {make_printable(type(error).__name__)}, whose text contains the secret")


def _shows(error: BaseException, secret: str) -> bool:
    return any(secret in text for text in (str(error), repr(error), repr(vars(error))))


def _list_linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the members of groups."""
    seen: dict[int, BaseException] = {}
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is not None and id(each) not in seen:
            seen[id(each)] = each
            pending += [each.__cause__, each.__context__]
            if isinstance(each, BaseExceptionGroup):
                pending += cast("tuple[BaseException, ...]", each.exceptions)
            yield each


def _replace(value: Any, secret: str, levels: int = _MOST_LEVELS) -> Any:
    if isinstance(value, str):
        return value.replace(secret, _MASK)
    if isinstance(value, bytes):
        return value.replace(secret.encode(), _MASK.encode())
    if levels and type(value) in {list, tuple}:
        return type(value)(_replace(each, secret, levels - 1) for each in value)
    if levels and isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {_replace(name, secret, levels - 1): _replace(each, secret, levels - 1) for name, each in items}
    return value
