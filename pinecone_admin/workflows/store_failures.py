"""Keep a secret out of the exception of a ``store``, because logs and tracebacks show it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, cast

from pinecone_admin._http.redaction import list_stored_forms, redact_body, redact_text
from pinecone_admin._text.printable import make_printable
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret

_MOST_LEVELS = 5
"""Levels of lists and mappings in an exception that are searched."""


def mask_secret(error: BaseException, new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> BaseException | None:
    """Mask the secret of what was made in an exception and in those linked to it.

    Returns:
        The exception to raise in place of one that still shows the secret, without a link to that one. It is a copy of
        a group, whose message nobody can change. It is None if the exception does not show the secret, or must not be
        replaced, such as KeyboardInterrupt, which loses its links instead.
    """
    forms = list_stored_forms(
        new_secret.value if isinstance(new_secret, APIKeyWithSecret) else new_secret.client_secret
    )
    revealing = [each for each in _list_linked(error) if _may_show(each, forms)]
    for each in revealing:
        with suppress(Exception):  # it comes from a class of the caller; what is left is asked below
            _mask(each, forms)
    if not any(_may_show(each, forms) for each in revealing):
        return None
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        members = [mask_secret(each, new_secret) or each for each in group.exceptions]
        copied = BaseExceptionGroup(redact_text(group.message, forms), members)
        for note in getattr(group, "__notes__", ()):
            copied.add_note(note)
        return copied
    if isinstance(error, Exception):
        return RuntimeError(f"store raised {make_printable(type(error).__name__)}, whose text may contain the secret")
    error.__cause__ = error.__context__ = None
    return None


def _may_show(error: BaseException, forms: Collection[str]) -> bool:
    """Return whether an exception shows the secret, or has a text that cannot be read."""
    try:
        texts = (str(error), repr(error), repr(vars(error)), repr(_read_slots(error)))
        return any(redact_text(text, forms) != text for text in texts)
    except Exception:  # noqa: BLE001 - as above
        return True


def _mask(error: BaseException, forms: Collection[str]) -> None:
    # A class that is frozen refuses to be changed by an assignment.
    BaseException.__setattr__(error, "args", tuple(_replace(value, forms) for value in error.args))
    vars(error).update({name: _replace(value, forms) for name, value in vars(error).items()})
    for name, value in _read_slots(error).items():
        masked = _replace(value, forms)
        # An OSError that has its message alone loses it once its unset errno is assigned.
        if masked != value:
            with suppress(AttributeError, TypeError):  # some cannot be set
                BaseException.__setattr__(error, name, masked)


def _read_slots(error: BaseException) -> dict[str, Any]:
    """Return the attributes that are not in ``vars``: slots, and in C such as ``code`` of a SystemExit, by name."""
    members = [each for kind in type(error).__mro__ for each in vars(kind).values()]
    slots = [each for each in members if isinstance(each, MemberDescriptorType | GetSetDescriptorType)]
    names = [each.__name__ for each in slots if each.__name__[:2] != "__" and each.__name__ != "args"]
    return {name: getattr(error, name, None) for name in names}


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


def _replace(value: Any, forms: Collection[str], levels: int = _MOST_LEVELS) -> Any:
    if isinstance(value, str):
        return redact_text(value, forms)
    if isinstance(value, bytes):
        return redact_body(value, [*forms])
    if levels and type(value) in {list, tuple}:
        return type(value)(_replace(each, forms, levels - 1) for each in value)
    if levels and isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {_replace(name, forms, levels - 1): _replace(each, forms, levels - 1) for name, each in items}
    return value
