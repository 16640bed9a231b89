"""Read the records of workflows from the JSON that ``to_dict`` makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import attrs

from generated_client.types import (
    Misfit,
    Reader,
    Unlisted,
    list_of,
    optional,
    read_boolean,
    read_date_time,
    read_field,
    read_integer,
    read_number,
    read_object,
    read_string,
    readers,
    wire_name,
)
from pinecone_admin._http.codec import DecodeFailure, Json, decode_value

_T = TypeVar("_T")

_PLAIN: Mapping[Any, Reader[Any]] = {
    str: read_string,
    int: read_integer,
    bool: read_boolean,
    datetime: read_date_time,
    timedelta: lambda value: timedelta(seconds=read_number(value)),
}


def collect_repeated(repeated: list[str]) -> Callable[[list[tuple[str, Json]]], dict[str, Json]]:
    """Return a hook for ``json.loads`` that adds each field to a list that an object has more than once.

    Python takes the last one, and a reader may have read another one.
    """

    def make_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        if len(made) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated.extend(name for name in made if counts[name] > 1)
        return made

    return make_object


def decode_record(value: Json, kind: type[_T]) -> _T | DecodeFailure:
    """Decode a parsed JSON value as a record, up to the first value that does not fit."""
    return decode_value(value, _reader_of(cast("Hashable", kind)))


@cache
def _reader_of(kind: Hashable) -> Reader[Any]:
    if read := readers.get(cast("Any", kind)) or _PLAIN.get(kind):
        return read
    origin, parts = get_origin(kind), get_args(kind)
    if origin is None:
        return partial(_read_record, kind)
    if origin in {list, tuple}:
        read_items = list_of(_reader_of(parts[0]))
        return read_items if origin is list else lambda value: tuple(read_items(value))
    if origin is Mapping:
        return read_object
    if origin is Literal:
        return partial(_read_listed, parts)
    return read_string if Unlisted in parts else optional(_reader_of(parts[0]))


@cache
def _fields_of(kind: Any) -> list[tuple[str, str, bool, Reader[Any]]]:
    """Return each field of a class: its names in Python and in JSON, whether JSON must have it, and its reader.

    A record is looked up when it is read, since a class can contain its own kind.
    """
    attrs.resolve_types(kind)
    return [
        (each.name, wire_name(each), each.default is attrs.NOTHING, _reader_of(each.type))
        for each in attrs.fields(kind)
        if not each.metadata.get("only_in_memory")
    ]


def _read_record(kind: Any, value: Any) -> Any:
    found = read_object(value)
    return kind(
        **{
            name: read_field(found, in_json, read)
            for name, in_json, is_required, read in _fields_of(kind)
            if is_required or in_json in found
        }
    )


def _read_listed(listed: Sequence[str], value: Any) -> str:
    if read_string(value) not in listed:
        raise Misfit(f"must be one of {', '.join(map(repr, listed))}")
    return str(value)
