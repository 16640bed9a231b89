"""Read the records of workflows from the JSON that ``to_dict`` makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar, get_args, get_origin

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


def decode_record(value: Json, kind: type[_T]) -> _T | DecodeFailure:
    """Decode a parsed JSON value as a record, up to the first value that does not fit."""
    return decode_value(value, _reader_of(kind))


def _reader_of(kind: Any) -> Reader[Any]:
    if read := readers.get(kind) or _PLAIN.get(kind):
        return read
    origin, parts = get_origin(kind), get_args(kind)
    if origin is None:
        attrs.resolve_types(kind)
        return partial(_read_record, kind, [(each, _reader_of(each.type)) for each in attrs.fields(kind)])
    if origin is list:
        return list_of(_reader_of(parts[0]))
    if origin is Mapping:
        return read_object
    if origin is Literal:
        return partial(_read_listed, parts)
    return read_string if Unlisted in parts else optional(_reader_of(parts[0]))


def _read_record(kind: Any, fields: Sequence[tuple[attrs.Attribute[Any], Reader[Any]]], value: Any) -> Any:
    found = read_object(value)
    return kind(
        **{
            each.name: read_field(found, wire_name(each), read)
            for each, read in fields
            if wire_name(each) in found or each.default is attrs.NOTHING
        }
    )


def _read_listed(listed: Sequence[str], value: Any) -> str:
    if read_string(value) not in listed:
        raise Misfit(f"must be one of {', '.join(map(repr, listed))}")
    return str(value)
