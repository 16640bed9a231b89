"""Encode models as JSON, and decode JSON as a model or by a function of the caller."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import isawaitable, iscoroutine
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import attrs

from generated_client.types import NO_EXTRA, Misfit, Null, Returns, name_of_extra_fields, readers, wire_attributes
from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError

_T = TypeVar("_T")

Json: TypeAlias = Any


class DecodeFailure(NamedTuple):
    """Where and why a body does not match its type; returned, not raised, so that no traceback holds the body."""

    path: str
    problem: str


def encode_body(body: object) -> bytes:
    """Encode a model or a JSON value as JSON in UTF-8; fields that are None are omitted.

    Raises:
        PineconeTypeError: It contains a value that JSON cannot express.
        PineconeValueError: It contains NaN, an infinity, an unpaired surrogate, or itself.
    """
    error: PineconeError
    try:
        return _encoder.encode(body).encode()
    except TypeError as exc:
        error = PineconeTypeError(f"the body cannot be sent as JSON: {exc}", argument="body")
    except (ValueError, RecursionError) as exc:
        error = PineconeValueError(f"the body cannot be sent as JSON: {exc}", argument="body")
    raise error  # not from the exception, whose frames hold parts of the body


def _to_json_value(value: object) -> Json:
    if isinstance(value, Null):
        return None
    if attrs.has(type(value)):
        kind: Any = type(value)
        found = {name: item for each, name, _ in wire_attributes(kind) if (item := getattr(value, each)) is not None}
        extra = getattr(value, name_of_extra_fields(kind), NO_EXTRA)
        return found if extra is NO_EXTRA else {**extra, **found}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_encoder = json.JSONEncoder(default=_to_json_value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode_body(body: bytes, returns: Returns[_T]) -> _T | DecodeFailure:
    """Decode a JSON body as ``Operation.returns`` says; a function gets None for an empty one."""
    value = parse_json(body)
    if body or isinstance(returns, type):
        return value if isinstance(value, DecodeFailure) else decode_value(value, returns)
    found = decode_value(None, returns)
    return value if isinstance(found, DecodeFailure) else found


_Hook: TypeAlias = "Callable[[list[tuple[str, Json]]], dict[str, Json]]"


def parse_json(body: bytes, object_pairs_hook: _Hook | None = None) -> Json | DecodeFailure:
    """Parse JSON in UTF-8, UTF-16 or UTF-32, with or without a byte order mark; the hook is that of ``json.loads``."""
    try:
        return json.loads(body, object_pairs_hook=object_pairs_hook)
    except (ValueError, RecursionError) as exc:
        return DecodeFailure("", "is empty" if not body.strip() else f"is not JSON ({type(exc).__name__})")


def as_json_object(value: object) -> dict[str, Any] | None:
    """Return the value if it is a JSON object, else None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def parse_json_object(body: bytes, object_pairs_hook: _Hook | None = None) -> dict[str, Any] | None:
    """Parse JSON and return it if it is an object, else None; the hook is that of ``json.loads``."""
    parsed = parse_json(body, object_pairs_hook)
    return None if isinstance(parsed, DecodeFailure) else as_json_object(parsed)


def is_deeper_than(levels: int, value: Json) -> bool:
    """Tell whether a parsed JSON value has more levels of arrays and objects than this."""
    found: list[Json] = [value]
    for _ in range(levels):
        objects = cast("list[dict[str, Json]]", [each for each in found if isinstance(each, dict)])
        arrays = cast("list[list[Json]]", [each for each in found if isinstance(each, list)])
        found = [*chain.from_iterable(arrays), *chain.from_iterable(each.values() for each in objects)]
    return any(isinstance(each, dict | list) for each in found)


def decode_value(value: Json, returns: Returns[_T]) -> _T | DecodeFailure:
    """Decode a parsed JSON value as a generated model, up to the first value that does not fit, or by a function."""
    try:
        result: _T = readers[returns](value) if isinstance(returns, type) else returns(value)
    except Misfit as misfit:
        return DecodeFailure(misfit.path, misfit.problem)
    except Exception as exc:  # noqa: BLE001 - a function of the caller may raise anything
        # The message of any other exception may quote the body.
        return DecodeFailure("", f"cannot be decoded ({type(exc).__name__})")
    if isawaitable(result):
        if iscoroutine(result):
            result.close()
        return DecodeFailure("", "cannot be decoded: the function in Operation.returns gave an awaitable")
    if isinstance(returns, type) and (blank := _find_blank_secret(result)):
        return DecodeFailure(blank, "is blank")
    return result


def _find_blank_secret(model: object) -> str | None:
    """Return the name of a secret of a model that is empty or blank, so that nobody can use it; None if none is."""
    kind: Any = type(model)
    return next(
        (
            name
            for attribute, name, is_secret in wire_attributes(kind)
            if is_secret and isinstance(value := getattr(model, attribute), str) and not value.strip()
        ),
        None,
    )
