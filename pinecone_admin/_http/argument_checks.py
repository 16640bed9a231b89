"""Checks of single arguments, and copies of arguments that callers may pass in several forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, TypeVar, cast

from pinecone_admin._text.messages import Name
from pinecone_admin._text.printable import quote_input
from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError

if TYPE_CHECKING:
    from generated_client.models import RoleBindingInput

_T = TypeVar("_T")

MAX_SECONDS = 1e8
"""Longest accepted time span in seconds, about three years; threads cannot wait for much longer."""

BINDING_FIELDS = ("resource_type", "resource_id", "role")
"""Fields of a role binding to create."""

MAX_TIMEDELTA = timedelta(days=100_000)
"""Longest accepted timedelta, so that subtracting it from a date of this century gives a date."""

_MAX_BITS = 64

# Compiled when they are used: most arguments are printable ASCII.
_CONTROL = r"[\x00-\x1f\x7f-\x9f]"
_SURROGATE = r"[\ud800-\udfff]"
_KEY_VALUE = r"pc(sk|key)_\w"
_KEY_VALUE_STARTS = ("pcsk_", "pckey_")
# RFC 5321 allows no longer one.
_MAX_EMAIL_LENGTH = 254
_EMAIL = r"[^@\s]+@[^@\s]+"


@contextmanager
def set_operation_on_errors(operation: str) -> Generator[None, None, None]:
    """Set ``operation`` on each PineconeError raised inside; a workflow counts as an operation."""
    try:
        yield
    except PineconeError as exc:
        exc.operation = operation
        raise


def value_error(argument: str | Name, problem: str) -> PineconeValueError:
    """Return the error that the value of an argument is invalid.

    Args:
        argument: Name of the argument, or where in it.
        problem: The problem, as a predicate such as ``is empty``.
    """
    return PineconeValueError(_as_argument(argument), f" {problem}")


def type_error(argument: str | Name, expected: str, value: object) -> PineconeTypeError:
    """Return the error that an argument has the type of this value, and not the expected one, such as ``a str``."""
    return PineconeTypeError(_as_argument(argument), f" must be {expected}, not {type(value).__name__}")


def place_in(argument: str | Name, within: str) -> Name:
    """Return a place within an argument, such as ``[1]`` within ``role_bindings``."""
    given = _as_argument(argument)
    return Name(given.name, given.within + within)


def _as_argument(argument: str | Name) -> Name:
    return argument if isinstance(argument, Name) else Name(argument)


def as_plain_value(value: _T) -> _T:
    """Return a plain str or int for one of a subclass, such as a member of an Enum, and any other value as it is."""
    # Formatting a member, or converting it with str(), would return its name.
    if isinstance(value, str) and type(value) is not str:
        return cast("_T", str.__str__(value))
    if isinstance(value, int) and type(value) not in {int, bool}:
        return cast("_T", int.__int__(value))
    return value


def check_string(argument: str | Name, value: object) -> str:
    """Return the value, as a plain str, if it is a str that UTF-8 can encode; raise otherwise."""
    if not isinstance(value, str):
        raise type_error(argument, "a str", value)
    if not value.isascii() and re.search(_SURROGATE, value):
        raise value_error(argument, "contains an unpaired surrogate, which is not a character")
    return value if type(value) is str else as_plain_value(value)


def check_secret_text(name: str | Name, value: object) -> str:
    """Return the value if it can be a credential; raise otherwise, without showing it."""
    if not isinstance(value, str):
        raise type_error(name, "a str", value)
    if not value.strip():
        raise value_error(name, "is empty")
    if value != value.strip():
        raise value_error(name, "has leading or trailing whitespace")
    if value.lower().startswith("bearer "):
        raise value_error(name, 'must not include the "Bearer " prefix')
    if not is_visible_ascii(value):
        raise value_error(name, "contains a space, or a character that is not printable ASCII")
    return value


def is_visible_ascii(text: str) -> bool:
    """Return whether a text consists of printable ASCII without spaces, and is not empty."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def check_identifier(argument: str | Name, value: object) -> None:
    """Raise unless the value can be one segment of a path; the format of ids is left to the server."""
    text = check_string(argument, value)
    if not text.strip():
        raise value_error(argument, "is empty")
    if text in {".", ".."}:
        raise value_error(argument, f"is {text!r}, which would change the path of the request")
    if not text.isprintable() and re.search(_CONTROL, text):
        raise value_error(argument, "contains a control character")
    if is_key_value(text):
        # As an id it would become part of a URL, and so appear in the logs of every proxy and server on the path.
        raise value_error(argument, "is the value of an API key, which is a secret, not an id")


def is_key_value(text: str) -> bool:
    """Return whether a text looks like the value of an API key."""
    return text.startswith(_KEY_VALUE_STARTS) and re.match(_KEY_VALUE, text) is not None


def check_header_value(name: str | Name, value: object) -> str:
    """Return the value if a header can have it; raise otherwise, without showing it: it may be a credential."""
    if not isinstance(value, str):
        raise type_error(name, "a str", value)
    if not re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", value):
        raise value_error(name, "contains a line break, a control character or a character outside Latin-1")
    if value != value.strip():
        raise value_error(name, "has leading or trailing whitespace")
    return value


def check_text(
    argument: str | Name,
    value: object,
    *,
    least: int | None = None,
    most: int | None = None,
    unit: str = "characters",
) -> None:
    """Raise unless the length of the value, in this unit, is in the range, and it contains no NUL."""
    text = check_string(argument, value)
    size = len(text) if unit == "characters" else len(text.encode())
    if (least is not None and size < least) or (most is not None and size > most):
        raise value_error(argument, f"must have {_describe_range(least, most)} {unit}, not {size}")
    # As published for the names of projects, the service cannot store it.
    if "\x00" in text:
        raise value_error(argument, "contains a NUL character")


def check_email(argument: str | Name, value: object, *, most: int | None = _MAX_EMAIL_LENGTH) -> None:
    """Raise unless the value looks like an email address, and is not too long."""
    text = check_string(argument, value)
    if most is not None and len(text) > most:
        raise value_error(argument, f"must have at most {most} characters, not {len(text)}")
    if not re.fullmatch(_EMAIL, text) or (not text.isprintable() and re.search(_CONTROL, text)):
        shown = "" if is_key_value(text) else f": {quote_input(text)}"
        raise value_error(argument, f"is not an email address{shown}")


def check_integer(argument: str | Name, value: object, *, least: int | None = None, most: int | None = None) -> int:
    """Return the value if it is an int in the range, and not a bool; raise otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise type_error(argument, "an int", value)
    if (least is not None and value < least) or (most is not None and value > most):
        raise value_error(argument, f"must be {_describe_range(least, most)}{_describe_given(value)}")
    if value.bit_length() > _MAX_BITS:
        raise value_error(argument, "is larger than any number of 64 bits")
    return value


def check_number(
    argument: str | Name,
    value: object,
    *,
    least: float | None = None,
    most: float | None = None,
) -> None:
    """Raise unless the value is a number in the range, and not a bool."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise type_error(argument, "a number", value)
    if (least is not None and value < least) or (most is not None and value > most):
        raise value_error(argument, f"must be {_describe_range(least, most)}{_describe_given(value)}")


def check_length(
    argument: str | Name, value: object, *, least: int | None = None, most: int | None = None
) -> Sequence[object]:
    """Return the value if it is a sequence, other than text or bytes, whose length is in the range; raise otherwise."""
    entries = check_sequence(argument, value)
    if (least is not None and len(entries) < least) or (most is not None and len(entries) > most):
        raise value_error(argument, f"must have {_describe_range(least, most)} entries, not {len(entries)}")
    return entries


def _describe_given(value: float) -> str:
    # Python refuses to format an int of more than 4300 digits.
    return "" if isinstance(value, int) and value.bit_length() > _MAX_BITS else f", not {value!r}"


def _describe_range(least: float | None, most: float | None) -> str:
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"{least} to {most}"


def check_duration(name: str | Name, value: object, *, unit: str = "seconds", allow_zero: bool = False) -> float:
    """Return the value as a float if it is a finite number above 0, or 0 where allowed; raise otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise type_error(name, f"a number of {unit}", value)
    if not 0 < value <= MAX_SECONDS and not (allow_zero and value == 0):
        least = "at least" if allow_zero else "above"
        raise value_error(name, f"must be a finite number of {unit} {least} 0, at most {MAX_SECONDS:.0f}")
    return float(value)


def check_timedelta(name: str | Name, value: object, *, allow_zero: bool = False) -> timedelta:
    """Return the value if it is a timedelta above 0, or 0 where allowed, and not too long; raise otherwise."""
    if not isinstance(value, timedelta):
        raise type_error(name, "a timedelta", value)
    if not timedelta() < value <= MAX_TIMEDELTA and not (allow_zero and not value):
        least = "at least" if allow_zero else "above"
        raise value_error(name, f"must be {least} 0, and at most {MAX_TIMEDELTA.days} days")
    return value


def check_bool(name: str | Name, value: object) -> bool:
    """Return the value if it is a bool; raise otherwise, also for 1 and 'true'."""
    if not isinstance(value, bool):
        raise type_error(name, "a bool", value)
    return value


def check_sequence(argument: str | Name, value: object) -> Sequence[object]:
    """Return the value if it is a sequence other than text or bytes; raise otherwise."""
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Sequence):
        raise type_error(argument, "a list", value)
    return value  # pyright: ignore[reportUnknownVariableType]


def check_function(name: str | Name, value: object, *, optional: bool = False) -> None:
    """Raise unless the value is a synchronous function, or None where it is optional."""
    async_check_function(name, value, optional=optional)
    if _is_defined_as(iscoroutinefunction, value):
        raise PineconeTypeError(_as_argument(name), " must be a synchronous function: its result is not awaited")


def async_check_function(name: str | Name, value: object, *, optional: bool = False) -> None:
    """Raise unless the value is callable, or None where it is optional; an awaitable result is awaited later.

    A generator function is refused: to call it runs nothing of its body.
    """
    if not callable(value) and not (optional and value is None):
        raise type_error(name, "callable", value)
    if _is_defined_as(isgeneratorfunction, value) or _is_defined_as(isasyncgenfunction, value):
        raise PineconeTypeError(
            _as_argument(name), " must not be a generator function: its result is not iterated over"
        )


def _is_defined_as(is_kind: Callable[[object], bool], value: object) -> bool:
    """Return whether a function, or the ``__call__`` of any other object, is of a kind."""
    method: object = getattr(value, "__call__", None)  # noqa: B004 - its kind is asked, not whether there is one
    return is_kind(value) or is_kind(method)


def copy_to_list(values: Sequence[_T] | None) -> list[_T] | None:
    """Return a sequence as the list that a model holds; any other value is returned for the checks to refuse."""
    given: object = values
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return cast("list[_T] | None", given)
    return [as_plain_value(value) for value in given]


def copy_bindings(bindings: Sequence[object]) -> list[RoleBindingInput]:
    """Copy role bindings, given as models, mappings or other objects: all forms are checked and encoded alike."""
    copied: object = copy_to_list(bindings)
    entries = [_copy_binding(entry) for entry in copied] if isinstance(copied, list) else copied
    return cast("list[RoleBindingInput]", entries)


def _copy_binding(entry: object) -> object:
    """Return a binding as a mapping; any other value is returned for the checks to refuse."""
    if isinstance(entry, Mapping):
        fields = cast("Mapping[object, object]", entry)
    elif all(hasattr(entry, name) for name in BINDING_FIELDS):
        fields = {name: getattr(entry, name) for name in BINDING_FIELDS}
    else:
        return entry
    # None means omitted, in every form.
    return {as_plain_value(key): as_plain_value(value) for key, value in fields.items() if value is not None}
