"""Checks of single arguments, and copies of those that callers may give in several forms."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeVar, cast

from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError

if TYPE_CHECKING:
    from generated_client.models import RoleBindingInput

_T = TypeVar("_T")

MAX_SECONDS = 1e8
"""Seconds that no wait can exceed, about three years; threads cannot wait for much longer."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KEY_VALUE = re.compile(r"pc(sk|key)_\w")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@contextmanager
def attribute_errors_to(workflow: str) -> Generator[None, None, None]:
    """Name the workflow in the errors of its checks."""
    try:
        yield
    except PineconeError as exc:
        exc.operation = workflow
        raise


def check_string(argument: str, value: object) -> str:
    """Accept a str that UTF-8 can express."""
    if not isinstance(value, str):
        raise PineconeTypeError(f"{argument} must be a str, not {type(value).__name__}")
    if _SURROGATE.search(value):
        raise PineconeValueError(f"{argument} holds half of a surrogate pair, which is no character")
    return value


def check_secret_text(name: str, value: object) -> str:
    """Check a credential without ever showing it."""
    if not isinstance(value, str):
        raise PineconeTypeError(f"{name} must be a str, not {type(value).__name__}")
    if not value.strip():
        raise PineconeValueError(f"{name} is empty")
    if value != value.strip():
        raise PineconeValueError(f"{name} has white space or a line break around it")
    if value.lower().startswith("bearer "):
        raise PineconeValueError(f"{name} begins with the word Bearer, which is no part of it")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise PineconeValueError(f"{name} has a character that is not printable ASCII")
    return value


def check_identifier(argument: str, value: object) -> None:
    """Accept anything that can stand as one segment of a path; the server owns the form of ids."""
    text = check_string(argument, value)
    if not text.strip():
        raise PineconeValueError(f"{argument} is empty")
    if text in {".", ".."}:
        raise PineconeValueError(f"{argument} is {text!r}, which would lead to another path")
    if _CONTROL.search(text):
        raise PineconeValueError(f"{argument} holds a control character")
    if _KEY_VALUE.match(text):
        # As an id it would be in addresses, and so in the logs of everybody on the way.
        raise PineconeValueError(f"{argument} is the value of an API key, which is a secret, and not an id")


def check_name(argument: str, value: object, *, longest: int, unit: str = "characters") -> None:
    """Accept 1 to ``longest`` characters, or UTF-8 bytes, without NUL."""
    text = check_string(argument, value)
    size = len(text) if unit == "characters" else len(text.encode())
    if not 1 <= size <= longest:
        raise PineconeValueError(f"{argument} must have 1 to {longest} {unit}, not {size}")
    if "\x00" in text:
        raise PineconeValueError(f"{argument} holds a NUL character")


def check_email(argument: str, value: object) -> None:
    """Accept what looks like an address, up to 254 characters."""
    text = check_string(argument, value)
    if len(text) > 254:  # noqa: PLR2004 - the limit of the API
        raise PineconeValueError(f"{argument} must have at most 254 characters, not {len(text)}")
    if not _EMAIL.fullmatch(text) or _CONTROL.search(text):
        raise PineconeValueError(f"{argument} is not a mail address")


def check_integer(argument: str, value: object, *, least: int, most: int | None = None) -> int:
    """Accept a whole number in a range; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise PineconeTypeError(f"{argument} must be an int, not {type(value).__name__}")
    if value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        # Python refuses to write the digits of a huge one.
        given = f", not {value}" if value.bit_length() <= 64 else ""  # noqa: PLR2004
        raise PineconeValueError(f"{argument} must be {limits}{given}")
    return value


def check_seconds(name: str, value: object, *, allow_zero: bool = False) -> float:
    """Check a span of time in seconds: a finite number above 0, or 0 where it may be no time at all."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PineconeTypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= MAX_SECONDS and not (allow_zero and value == 0):
        least = "from" if allow_zero else "above"
        raise PineconeValueError(f"{name} must be a finite number of seconds {least} 0, at most {MAX_SECONDS:.0f}")
    return float(value)


def check_bool(name: str, value: object) -> bool:
    """Check a switch: 1 and 'true' are not True."""
    if not isinstance(value, bool):
        raise PineconeTypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def check_sequence(argument: str, value: object) -> Sequence[object]:
    """Accept a sequence that is no text."""
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Sequence):
        raise PineconeTypeError(f"{argument} must be a list, not {type(value).__name__}")
    return value  # pyright: ignore[reportUnknownVariableType]


def check_function(name: str, value: object, *, optional: bool = False) -> None:
    """Check something that is called later, and that nobody will await."""
    async_check_function(name, value, optional=optional)
    if iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", None)):  # noqa: B004 - see the line above
        raise PineconeTypeError(f"{name} must be a plain function: nothing awaits what this one gives")


def async_check_function(name: str, value: object, *, optional: bool = False) -> None:
    """Check something that is called later, and awaited where it gives something to await."""
    if not callable(value) and not (optional and value is None):
        raise PineconeTypeError(f"{name} must be callable, not {type(value).__name__}")


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
