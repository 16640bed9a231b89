"""Encode models as JSON and decode them: the only module that uses cattrs, which is loaded for the first response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs
from attrs import frozen

from generated_client.types import Unlisted, wire_fields, wire_name
from pinecone_admin._http.returned_errors import raise_if_error
from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")

Json: TypeAlias = Any
Hook: TypeAlias = Callable[[Json, Any], Any]


@frozen
class DecodeFailure:
    """Where and why a body does not match its type; returned, not raised, so that no traceback holds the body."""

    path: str
    problem: str


def encode_body(body: object) -> bytes:
    """Encode a model or a JSON value as JSON in UTF-8; fields that are None are omitted.

    Raises:
        PineconeTypeError: It contains a value that JSON cannot express.
        PineconeValueError: It contains NaN, an infinity, an unpaired surrogate, or itself.
    """
    return raise_if_error(_dump_json(body))


def _dump_json(body: object) -> bytes | PineconeError:
    try:
        return json.dumps(
            body, default=_to_json_value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except TypeError as exc:
        return PineconeTypeError(f"the body cannot be sent as JSON: {exc}")
    except (ValueError, RecursionError) as exc:
        return PineconeValueError(f"the body cannot be sent as JSON: {exc}")


def _to_json_value(value: object) -> Json:
    if attrs.has(type(value)):
        return {name: item for name, item, _ in wire_fields(value) if item is not None}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def decode_body(body: bytes, returns: type[_T]) -> _T | DecodeFailure:
    """Decode a JSON body as a type, strictly: a value of another JSON type is an error, never converted."""
    value = parse_json(body)
    return value if isinstance(value, DecodeFailure) else decode_value(value, returns)


def parse_json(body: bytes) -> Json | DecodeFailure:
    """Parse JSON in UTF-8, UTF-16 or UTF-32, with or without a byte order mark."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        return DecodeFailure("", "is empty" if not body.strip() else f"is not JSON ({type(exc).__name__})")


def as_json_object(value: object) -> dict[str, Any] | None:
    """Return the value if it is a JSON object, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def parse_json_object(body: bytes) -> dict[str, Any] | None:
    """Parse JSON and return it if it is an object, else None."""
    parsed = parse_json(body)
    return None if isinstance(parsed, DecodeFailure) else as_json_object(parsed)


def decode_value(value: Json, returns: type[_T]) -> _T | DecodeFailure:
    """Decode a parsed JSON value as a type."""
    # The detailed converter knows where a failure is but is slower, so it runs only after a failure.
    try:
        return _converter(detailed=False).structure(value, returns)
    except Exception:  # noqa: BLE001, S110 - the detailed converter fails again and knows where
        pass
    try:
        return _converter(detailed=True).structure(value, returns)
    except Exception as exc:  # noqa: BLE001 - a type that the caller defines may raise anything
        path, cause = _find_failure(exc)
        return DecodeFailure(path.lstrip("."), _describe_cause(cause))


def _find_failure(exc: BaseException) -> tuple[str, BaseException]:
    """Return the path and the cause of the first failure, read from the exception groups of cattrs and their notes."""
    path = ""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        for note in getattr(exc, "__notes__", ()):  # pyright: ignore[reportUnknownArgumentType]
            # Every str has an ``index`` method, so only ``name`` tells the two kinds of notes apart.
            # The generator appends an underscore to reserved names.
            name = getattr(note, "name", None)
            path += f"[{note.index}]" if name is None else f".{name.removesuffix('_')}"
    return path, exc  # pyright: ignore[reportUnknownVariableType]


def _describe_cause(cause: BaseException) -> str:
    # The message of any other exception may quote the body.
    if isinstance(cause, _DecodeError):
        return str(cause)
    return "is missing" if isinstance(cause, KeyError) else f"cannot be decoded ({type(cause).__name__})"


class _DecodeError(Exception):
    """A failure whose text quotes no value; raised and caught within this module."""


_KINDS: Mapping[type[object], str] = {
    str: "a string",
    int: "an integer",
    bool: "a boolean",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


@cache
def _converter(*, detailed: bool) -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - 10 to 30 ms, paid by the first response only

    converter = Converter(detailed_validation=detailed)
    for kind in (str, int, bool, float, dict):
        converter.register_structure_hook(kind, _make_strict_hook(kind))
    converter.register_structure_hook(datetime, _read_datetime)
    converter.register_structure_hook_func(lambda kind: Unlisted in get_args(kind), _make_strict_hook(str))
    converter.register_structure_hook_func(_has_origin(dict), _make_strict_hook(dict))
    converter.register_structure_hook_factory(_has_origin(list), partial(_make_list_hook, converter))
    converter.register_structure_hook_factory(attrs.has, partial(_make_model_hook, converter))
    return converter


def _has_origin(origin: type) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _make_strict_hook(kind: type) -> Hook:
    # JSON has one number type, so 5 is a valid float. In Python bool is an int, but true is not a number.
    accepted = (int, float) if kind is float else (kind,)

    def read(value: Json, _: object) -> Json:
        if type(value) not in accepted:
            raise _wrong_kind(kind, value)
        return value

    return read


def _wrong_kind(kind: type, value: object) -> _DecodeError:
    return _DecodeError(f"must be {_KINDS[kind]}, not {_KINDS.get(type(value), type(value).__name__)}")


def _make_list_hook(converter: Converter, kind: Any) -> Hook:
    from cattrs.cols import list_structure_factory  # noqa: PLC0415 - see _converter

    return _guard_hook(list, list_structure_factory(kind, converter))


def _make_model_hook(converter: Converter, kind: Any) -> Hook:
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415 - see _converter

    attrs.resolve_types(kind)
    renamed = {field.name: override(rename=wire_name(field)) for field in attrs.fields(kind)}
    return _guard_hook(dict, make_dict_structure_fn(kind, converter, **renamed))  # type: ignore[arg-type]


def _guard_hook(kind: type, read: Hook) -> Hook:
    # cattrs would convert another JSON type silently, such as a string to a list of its characters.

    def guarded(value: Json, type_: Any) -> Json:
        if type(value) is not kind:
            raise _wrong_kind(kind, value)
        return read(value, type_)

    return guarded


def _read_datetime(value: Json, _: object) -> datetime:
    if not isinstance(value, str):
        raise _wrong_kind(str, value)
    try:
        moment = _parse_datetime(value)
    except (ValueError, OverflowError):
        raise _DecodeError("must be a date-time in ISO 8601") from None
    # Every datetime of a model is aware, so that two of them can always be compared.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parse_datetime(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        from dateutil.parser import isoparse  # noqa: PLC0415 - 24 ms, paid for unusual forms only

        return isoparse(value)
