"""Models to JSON and back: the one place that knows cattrs, loaded when the first answer is decoded."""

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
    """Where a body does not fit its type, and how; returned rather than raised, so that no traceback holds the body."""

    path: str
    problem: str


def encode_body(body: object) -> bytes:
    """Write a model or a JSON value as UTF-8; fields that are None are left out.

    Raises:
        PineconeTypeError: Something in it is no JSON.
        PineconeValueError: It holds NaN, an infinity, half of a surrogate pair, or itself.
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
    raise TypeError(f"{type(value).__name__} is no JSON value")


def decode_body(body: bytes, returns: type[_T]) -> _T | DecodeFailure:
    """Read a JSON body as a type, strictly: nothing is converted that is not of the right kind."""
    value = parse_json(body)
    return value if isinstance(value, DecodeFailure) else decode_value(value, returns)


def parse_json(body: bytes) -> Json | DecodeFailure:
    """Read JSON in UTF-8, 16 or 32, with or without a byte order mark."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        return DecodeFailure("", "is empty" if not body.strip() else f"is not JSON ({type(exc).__name__})")


def as_json_object(value: object) -> dict[str, Any] | None:
    """See a JSON value as an object, or None where it is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def parse_json_object(body: bytes) -> dict[str, Any] | None:
    """Read JSON that should be an object; None where it is anything else."""
    parsed = parse_json(body)
    return None if isinstance(parsed, DecodeFailure) else as_json_object(parsed)


def decode_value(value: Json, returns: type[_T]) -> _T | DecodeFailure:
    """Read a JSON value as a type."""
    try:
        return _converter(detailed=False).structure(value, returns)
    except Exception:  # noqa: BLE001, S110 - whatever it was, the detailed converter finds it again with its place
        pass
    try:
        return _converter(detailed=True).structure(value, returns)
    except Exception as exc:  # noqa: BLE001 - a type of the caller's own may raise anything
        path, cause = _find_failure(exc)
        return DecodeFailure(path.lstrip("."), _describe_cause(cause))


def _find_failure(exc: BaseException) -> tuple[str, BaseException]:
    """Follow the first failure down through cattrs' groups, collecting the path from their notes."""
    path = ""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        for note in getattr(exc, "__notes__", ()):  # pyright: ignore[reportUnknownArgumentType]
            # The generator appends an underscore to names that Python has taken; every str has an index method.
            name = getattr(note, "name", None)
            path += f"[{note.index}]" if name is None else f".{name.removesuffix('_')}"
    return path, exc  # pyright: ignore[reportUnknownVariableType]


def _describe_cause(cause: BaseException) -> str:
    # Any other message may quote the body.
    if isinstance(cause, _DecodeError):
        return str(cause)
    return "is missing" if isinstance(cause, KeyError) else f"does not fit ({type(cause).__name__})"


class _DecodeError(Exception):
    """Raised and caught within this module; its text never holds a value."""


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
    from cattrs import Converter  # noqa: PLC0415 - 10 to 30 ms that only the first answer pays

    converter = Converter(detailed_validation=detailed)
    for kind in (str, int, bool, float, dict):
        converter.register_structure_hook(kind, _make_strict_hook(kind))
    converter.register_structure_hook(datetime, _read_datetime)
    converter.register_structure_hook_func(_is_literal, _make_strict_hook(str))
    converter.register_structure_hook_func(_is_free_form, _make_strict_hook(dict))
    converter.register_structure_hook_factory(_is_list, partial(_make_list_hook, converter))
    converter.register_structure_hook_factory(attrs.has, partial(_make_model_hook, converter))
    return converter


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list


def _is_free_form(kind: Any) -> bool:
    return get_origin(kind) is dict


def _is_literal(kind: Any) -> bool:
    return Unlisted in get_args(kind)


def _make_strict_hook(kind: type) -> Hook:
    # JSON has one kind of number, so 5 is a fine float; but true is never a number.
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
    """Refuse another kind of JSON before cattrs makes the best of it."""

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
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parse_datetime(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        from dateutil.parser import isoparse  # noqa: PLC0415 - 24 ms that only an unusual form pays

        return isoparse(value)
