"""Decode JSON as a type that the caller of ``send`` chose, as strictly as the generated decoders decode models.

Loaded only for a type without a generated decoder: a class of the caller, a list of models, or an alternative.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
from attrs import frozen

from generated_client.types import (
    ExtraFields,
    Misfit,
    Reader,
    Unlisted,
    listed_fields,
    name_of_extra_fields,
    optional,
    read_anything,
    read_boolean,
    read_date_time,
    read_integer,
    read_list,
    read_number,
    read_object,
    read_string,
    readers,
    refuse,
    wire_name,
)
from pinecone_admin._text.counts import count_noun

# Bounded, because a program may define a class for each call.
_CACHED_TYPES = 256
_MAX_NAME_LENGTH = 100


def _read_collection(make: Callable[[list[Any]], Any], read: Reader[Any], value: Any) -> Any:
    return make(read_list(value, read))


_PLAIN: Mapping[Any, Reader[Any]] = {
    Any: read_anything,
    object: read_anything,
    str: read_string,
    int: read_integer,
    float: read_number,
    bool: read_boolean,
    datetime: read_date_time,
    timedelta: lambda value: timedelta(seconds=read_number(value)),
    **{make: partial(_read_collection, make, read_anything) for make in (list, tuple, set, frozenset)},
    Mapping: read_object,
    MutableMapping: read_object,
    type(None): lambda value: None if value is None else refuse(value, type(None)),
}
_COLLECTIONS: Mapping[Any, Callable[[list[Any]], Any]] = {
    list: list,
    tuple: tuple,
    MutableSequence: list,
    Sequence: tuple,
    set: set,
    frozenset: frozenset,
}


@frozen
class _RecordField:
    """A field of a class: its name in JSON and as an argument, and its type.

    Attributes:
        name: Name in JSON.
        argument: Name of the argument of the class.
        kind: Type of the value.
        required: Whether it must be present.
    """

    name: str
    argument: str
    kind: Any
    required: bool


@lru_cache(_CACHED_TYPES)
def reader_of(kind: Any) -> Reader[Any]:
    """Return the function that decodes a JSON value as a type."""
    if reader := readers.get(kind) or _PLAIN.get(kind):
        return reader
    if isinstance(kind, NewType):
        return reader_of(kind.__supertype__)
    if (alias := getattr(kind, "__value__", None)) is not None and not isinstance(kind, type):
        return reader_of(alias)  # ``type X = ...`` of Python 3.12
    return _class_reader(kind) if isinstance(kind, type) and get_origin(kind) is None else _generic_reader(kind)


def _class_reader(kind: type[Any]) -> Reader[Any]:
    if _is_record(kind):
        return partial(_read_record, kind)
    bases: tuple[Any, ...] = kind.__mro__
    if enum.Enum in bases:
        members: Iterable[Any] = cast("Any", kind)
        return partial(_read_listed, {_listed_key(each.value): each for each in members})
    if tuple in bases and "_fields" in vars(kind):
        return partial(_read_tuple, [reader_of(hint) for hint in get_type_hints(kind).values()], make=kind._make)
    return read_object if dict in bases else partial(_refuse_type, kind)


def _generic_reader(kind: Any) -> Reader[Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _union_reader(arguments)
    if origin is Literal:
        return partial(_read_listed, {_listed_key(value): value for value in arguments})
    if origin is Annotated:
        return reader_of(arguments[0])
    if origin in {dict, Mapping, MutableMapping}:
        return partial(_read_mapping, *map(reader_of, arguments))
    if origin is tuple and arguments[-1:] != (...,):
        return partial(_read_tuple, [reader_of(each) for each in arguments])
    make = _COLLECTIONS.get(origin)
    return partial(_read_collection, make, reader_of(arguments[0])) if make else partial(_refuse_type, kind)


def _refuse_type(kind: Any, _: Any) -> Any:
    raise Misfit(f"cannot be decoded: {_type_name(kind)} is not a supported type")


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _listed_key(value: Any) -> tuple[Any, Any]:
    # With its type, because 1 == True == 1.0. A list or an object is never listed, and has no hash.
    kind = cast("Any", type(value))
    return (kind, None if kind in {list, dict} else value)


def _read_listed(values: Mapping[tuple[Any, Any], Any], value: Any) -> Any:
    key = _listed_key(value)
    if key not in values:
        raise Misfit(f"must be one of {', '.join(repr(listed) for _, listed in values)}")
    return values[key]


def _read_mapping(read_key: Reader[Any], read_value: Reader[Any], value: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, item in read_object(value).items():
        try:
            found[read_key(name)] = read_value(item)
        except Misfit as misfit:
            # The server chose the name, so it is bounded and escaped.
            misfit.prepend(f"[{ascii(name[:_MAX_NAME_LENGTH])[1:-1]}]")
            raise
    return found


def _read_tuple(read_items: Sequence[Reader[Any]], value: Any, make: Callable[[Iterable[Any]], Any] = tuple) -> Any:
    values = read_list(value, read_anything)
    if len(values) != len(read_items):
        raise Misfit(f"must have {count_noun(len(read_items), 'item')}, not {len(values)}")
    pairs = list(zip(read_items, values, strict=True))
    return make(read_list(pairs, lambda pair: pair[0](pair[1])))


@lru_cache(_CACHED_TYPES)
def _fields_of(kind: Any) -> Sequence[_RecordField]:
    """Return the fields of a class; not called by reader_of, because a class may contain itself."""
    if is_typeddict(kind):
        # NotRequired is read from the annotation: __required_keys__ misses it where annotations are strings.
        return [
            _RecordField(name, name, get_args(hint)[0], required=False)
            if get_origin(hint) is NotRequired
            else _RecordField(name, name, hint, name in kind.__required_keys__)
            for name, hint in get_type_hints(kind, include_extras=True).items()
        ]
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return [
            _RecordField(
                each.name, each.name, hints[each.name], each.default is MISSING and each.default_factory is MISSING
            )
            for each in dataclass_fields(kind)
            if each.init
        ]
    attrs.resolve_types(kind, include_extras=True)
    return [
        _RecordField(
            wire_name(each), str(each.alias), Any if each.type is None else each.type, each.default is attrs.NOTHING
        )
        for each in listed_fields(kind)
        if each.init
    ]


def _read_record(kind: Any, value: Any) -> Any:
    found = read_object(value)
    arguments = dict(found) if is_typeddict(kind) else {}
    for field in _fields_of(kind):
        if field.name in found:
            try:
                arguments[field.argument] = reader_of(field.kind)(found[field.name])
            except Misfit as misfit:
                misfit.prepend(field.name)
                raise
        elif field.required:
            raise Misfit("is missing", field.name)
    if attrs.has(kind) and (extra_name := name_of_extra_fields(kind)):
        arguments[extra_name] = ExtraFields(found, kind)
    try:
        return kind(**arguments)
    except Exception as exc:  # noqa: BLE001 - a class of the caller may raise anything
        # The text of another exception may quote the body.
        problem = f"cannot be decoded ({type(exc).__name__})"
    raise Misfit(problem)


def _union_reader(alternatives: tuple[Any, ...]) -> Reader[Any]:
    kinds = [kind for kind in alternatives if kind is not type(None)]
    if len(kinds) == 1:
        read = reader_of(kinds[0])
    elif generated := readers.get(cast("Any", Union[tuple(kinds)])):  # noqa: UP007 - of a union of the API document
        read = generated
    elif any(kind in {Unlisted, str} for kind in kinds) and all(map(_is_text, kinds)):
        read = read_string  # listed strings, and any other
    else:
        read = _alternative_reader(kinds)
    return optional(read) if len(kinds) < len(alternatives) else read


def _is_text(kind: Any) -> bool:
    return kind in {Unlisted, str} or (get_origin(kind) is Literal and _json_types(kind) == (str,))


def _alternative_reader(kinds: Sequence[Any]) -> Reader[Any]:
    by_type: dict[type, list[Any]] = {}
    for kind in kinds:
        for json_type in _json_types(kind):
            by_type.setdefault(json_type, []).append(kind)
    # 5 is a valid float, but beside int it is an int.
    if int in kinds and float in kinds:
        by_type[int] = [int]
    records = all(map(_is_record, by_type.get(dict, ())))
    clear = all(len(some) == 1 or (json_type is dict and records) for json_type, some in by_type.items())
    if clear and all(map(_json_types, kinds)):
        return partial(_read_alternative, by_type)
    return partial(_refuse_type, " | ".join(map(_type_name, kinds)))


_JSON_TYPES: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    datetime: (str,),
    **dict.fromkeys(_COLLECTIONS, (list,)),
    **dict.fromkeys((dict, Mapping, MutableMapping), (dict,)),
}


def _json_types(kind: Any) -> tuple[Any, ...]:
    """Return the types of the JSON values that a type may decode; none if it is not supported in an alternative."""
    origin: Any = get_origin(kind)
    if origin is Literal:
        return tuple({_listed_key(value)[0]: None for value in get_args(kind)})
    if isinstance(kind, NewType):
        return _json_types(kind.__supertype__)
    return (dict,) if _is_record(kind) else _JSON_TYPES.get(origin or kind, ())


def _is_record(kind: Any) -> bool:
    return get_origin(kind) is None and (attrs.has(kind) or is_dataclass(kind) or is_typeddict(kind))


def _read_alternative(by_type: Mapping[type, Sequence[Any]], value: Any) -> Any:
    kinds = by_type.get(cast("Any", type(value)))
    if kinds is None:
        raise Misfit("fits none of the alternatives")
    # One alternative is chosen and no other is tried, so that nested alternatives do not multiply the work.
    kind = kinds[0] if len(kinds) == 1 else max(kinds, key=partial(_resemblance, value))
    return reader_of(kind)(value)


def _resemblance(value: Mapping[str, Any], kind: Any) -> int:
    """Return how many fields of a class an object has, less those that are missing or have another literal."""
    score = 0
    for field in _fields_of(kind):
        if field.name in value:
            listed = get_origin(field.kind) is not Literal or value[field.name] in get_args(field.kind)
            score += 1 if listed else -len(value)
        elif field.required:
            score -= 1
    return score
