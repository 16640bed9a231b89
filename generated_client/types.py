# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""The building blocks of the models and operations of this package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NewType,
    NoReturn,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

from attrs import Attribute, field, fields, frozen

if TYPE_CHECKING:
    from typing_extensions import deprecated as deprecated
elif sys.version_info >= (3, 13):
    from warnings import deprecated as deprecated
else:

    def deprecated(message: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a decorator that warns when a function is called, as that of Python 3.13 does."""
        import functools
        import warnings

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def warn_and_call(*args: Any, **kwargs: Any) -> Any:
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                return function(*args, **kwargs)

            return warn_and_call

        return decorate


API_VERSION = "2026-07"
"""The version of the API document that this package was generated from."""

Unlisted = NewType("Unlisted", str)
"""A value that the API document does not list. It arrives unchanged; wrap a value in this type to send it."""


class Null:
    """JSON null in a request, for a field that gives null a special meaning. None omits the field.

    Example:
        >>> body = {"name": "search", "note": Null()}
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Null)

    def __hash__(self) -> int:
        return hash(Null)

    def __repr__(self) -> str:
        return "Null()"


QueryValue: TypeAlias = str | int | bool | Sequence[str] | None

Parameters: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The query and header parameters of an operation, and those of its path that have limits, by their names in a request.

Each has its ``type``, its limits by their names in OpenAPI, ``unit`` if a length does not count characters, and
``argument``, its name in Python, if that differs.
"""

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


def masked(value: object) -> str:
    """Return what replaces a secret in the repr of its model."""
    return "None" if value is None else "'***'"


class ExtraFields(Mapping[str, Any]):
    """Fields of a response that the API document does not list; read-only, and without values in its repr.

    It keeps a JSON object, and hides the fields that its model lists.
    """

    __slots__ = ("_json", "_model")

    def __init__(self, json: Mapping[str, Any], model: Any = None) -> None:
        self._json = json
        self._model = model

    def __getitem__(self, name: str) -> Any:
        if name in _listed_names(self._model):
            raise KeyError(name)
        return self._json[name]

    def __iter__(self) -> Iterator[str]:
        listed = _listed_names(self._model)
        return (name for name in self._json if name not in listed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, "***"))

    def __reduce__(self) -> tuple[Any, ...]:
        return ExtraFields, (dict(self),)  # a listed field may be a secret


NO_EXTRA = ExtraFields({})
"""What a model has as a rule."""


class ExtraFieldsSlot:
    """Fields that the API document does not list, by their names in JSON."""

    # A decoder puts the whole JSON object into the slot, which must not change afterwards. To choose the fields only
    # when they are read saves up to half of the time of decoding, and few programs read them.

    def __init__(self, slot: Any, model: type[Any]) -> None:
        self._slot = slot
        self._model = model

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return self
        value = self._slot.__get__(instance)
        return value if isinstance(value, ExtraFields) else ExtraFields(value, self._model)

    def __set__(self, instance: Any, value: Any) -> None:
        self._slot.__set__(instance, value)


def as_extra_fields(values: Mapping[str, Any]) -> ExtraFields:
    """Return a read-only copy of a mapping."""
    return values if isinstance(values, ExtraFields) else ExtraFields(dict(values))


@cache
def _listed_names(model: Any) -> frozenset[str]:
    return frozenset(name for _, name, _ in wire_attributes(model)) if model else frozenset()


def extra_fields(model: object) -> ExtraFields:
    """Return the fields of a model that the API document does not list."""
    kind: Any = type(model)
    found: ExtraFields = getattr(model, name_of_extra_fields(kind), NO_EXTRA)
    return found


def listed_fields(kind: type[Any]) -> list[Attribute[Any]]:
    """Return the fields of a class, without the one that holds the extra fields of a model."""
    return [each for each in fields(kind) if each.default is not NO_EXTRA]


@cache
def name_of_extra_fields(kind: type[Any]) -> str:
    """Return the name of the field that holds the extra fields of a model; other classes have none."""
    return next((each.name for each in fields(kind) if each.default is NO_EXTRA), "")


def represent(self: object) -> str:
    """Return the repr of a model: secrets are masked, and so are the values of extra fields, if there are any."""
    shown = [
        f"{each.name}={masked(value) if each.repr is masked else repr(value)}"
        for each in listed_fields(type(self))
        for value in (getattr(self, each.name),)
    ]
    if extra := extra_fields(self):
        shown.append(f"{name_of_extra_fields(cast('Any', type(self)))}={extra}")
    return f"{type(self).__qualname__}({', '.join(shown)})"


def hash_listed_fields(self: object) -> int:
    """Return the hash of a model, from its fields without lists and free-form objects, which have no hash."""
    return hash(tuple(value for _, value, _ in wire_fields(self) if not isinstance(value, list | dict)))


def wire_name(attribute: Attribute[Any]) -> str:
    """Return the name of a field in JSON, which the generator changes where Python has taken it."""
    return str(attribute.metadata.get("name", attribute.name))


def wire_fields(model: object) -> list[tuple[str, object, bool]]:
    """Return each listed field of a model: its name in JSON, its value, and whether it is a secret."""
    kind: Any = type(model)
    return [(name, getattr(model, attribute), secret) for attribute, name, secret in wire_attributes(kind)]


@cache
def wire_attributes(kind: type[Any]) -> list[tuple[str, str, bool]]:
    """Return each listed field of a class: its name in Python, its name in JSON, and whether it is a secret."""
    return [(each.name, wire_name(each), each.repr is masked) for each in listed_fields(kind)]


Reader: TypeAlias = Callable[[Any], _T]
"""Decodes a JSON value: returns it as its type, or raises Misfit if it is of another JSON type."""

Returns: TypeAlias = type[_T] | Reader[_T]
"""What decodes a successful response: a model that comes in responses, or a function of the JSON value."""

readers: dict[type[Any], Reader[Any]] = {}
"""The reader of each model that comes in responses; the module of the model adds it."""

_KIND_NAMES: Mapping[type[Any], str] = {
    str: "a string",
    int: "an integer",
    bool: "a boolean",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


class Misfit(Exception):
    """The first JSON value that does not fit its type.

    Attributes:
        problem: Why it does not fit; it quotes no value.
        path: Where it is, such as ``data[3].role``.
    """

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def prepend(self, step: str) -> None:
        """Add a step to the front of the path: the name of a field, or an index in brackets."""
        self.path = f"{step}.{self.path}" if self.path and self.path[0] != "[" else step + self.path


def draft_class(model: type[Any], extra_name: str) -> type[Any]:
    """Return a class with the slots of a model, whose objects a decoder fills and then turns into models.

    A frozen class allows no assignment, and its constructor takes four times as long, which is most of the decoding.
    Python lets an object change its class if both have the same slots, none of which is for weak references.
    """
    setattr(model, extra_name, ExtraFieldsSlot(getattr(model, extra_name), model))
    return type(f"{model.__name__}Draft", (), {"__slots__": model.__slots__})


def refuse(value: object, kind: type[Any]) -> NoReturn:
    """Raise because a value has the wrong JSON type."""
    raise Misfit(f"must be {_KIND_NAMES[kind]}, not {_KIND_NAMES.get(type(value), type(value).__name__)}")


def refuse_field(fields: dict[str, Any], name: str, kind: type[Any]) -> NoReturn:
    """Raise because a field has the wrong JSON type."""
    read_field(fields, name, lambda value: refuse(value, kind))
    raise AssertionError("unreachable")


def read_field(fields: dict[str, Any], name: str, read: Reader[_T]) -> _T:
    """Decode a required field of an object."""
    try:
        value = fields[name]
    except KeyError:
        raise Misfit("is missing", name) from None
    try:
        return read(value)
    except Misfit as misfit:
        misfit.prepend(name)
        raise


def read_list_field(fields: dict[str, Any], name: str, read: Reader[_T]) -> list[_T]:
    """Decode a required list of an object, given the reader of its items; the caller handles KeyError."""
    if (value := fields[name]) == []:  # as the roles of many keys
        return []
    try:
        return read_list(value, read)
    except Misfit as misfit:
        misfit.prepend(name)
        raise


def read_optional_field(fields: dict[str, Any], name: str, read: Reader[_T]) -> _T | None:
    """Decode a field of an object that may be absent or null."""
    return None if fields.get(name) is None else read_field(fields, name, read)


def read_string(value: Any) -> Any:
    """Return a string."""
    return value if type(value) is str else refuse(value, str)


def read_integer(value: Any) -> int:
    """Return an integer; in JSON a boolean is no number."""
    return value if type(value) is int else refuse(value, int)


def read_number(value: Any) -> float:
    """Return a number; JSON has one type of numbers, so 5 is a valid float."""
    return value if type(value) is float or type(value) is int else refuse(value, float)


def read_boolean(value: Any) -> bool:
    """Return a boolean."""
    return value if type(value) is bool else refuse(value, bool)


def read_object(value: Any) -> dict[str, Any]:
    """Return an object of any content."""
    found: dict[str, Any] = value
    if type(value) is not dict:
        refuse(value, dict)
    return found


def read_anything(value: Any) -> Any:
    """Return any JSON value."""
    return value


from_iso_8601 = datetime.fromisoformat
"""Decoders call it themselves for text that ends with Z, and for a date of ten characters, to which they add a time.

``read_date_time`` returns the same, but a function in between would double the time.
"""


def read_date_time(value: Any) -> datetime:
    """Return a date-time in any form of ISO 8601 as an aware datetime; without an offset, it is in UTC."""
    try:
        if len(value) <= _LONGEST_DATE:
            return from_iso_8601(value + "T00Z")
        moment = from_iso_8601(value[:-1] + "Z" if value[-1] == "z" else value)  # it knows the capital Z only
    except (LookupError, TypeError, ValueError):
        moment = _read_with_dateutil(value)
    # Every datetime of a model is aware, so that two of them can always be compared. replace() takes four times as long.
    return moment if moment.tzinfo else datetime.combine(moment, moment.time(), UTC)


_LONGEST_DATE = 10
"""A text of at most so many characters has no time: ``2026-07-01``, ``20260701`` or a week."""

_MAX_DATE_TIME_LENGTH = 100
"""Longer text that ``fromisoformat`` does not know is taken for no date-time."""


def _read_with_dateutil(value: Any) -> datetime:
    if type(value) is not str:
        refuse(value, str)
    if len(value) <= _MAX_DATE_TIME_LENGTH:
        from dateutil.parser import isoparse  # 24 ms, paid for unusual forms only

        with suppress(ValueError, OverflowError):
            return isoparse(value)
    raise Misfit("must be a date-time in ISO 8601") from None  # called while an exception is handled


def list_of(read: Reader[_T]) -> Reader[list[_T]]:
    """Return the reader of a list, given the reader of its items."""
    return lambda value: read_list(value, read)


_ITEMS_AT_ONCE = 1000


def read_list(value: Any, read: Reader[_T]) -> list[_T]:
    """Decode a list, item by item.

    The items of a long list are replaced by what they are decoded to, piece by piece, so that their memory is used again.
    """
    values: list[Any] = value
    if type(value) is not list:
        refuse(value, list)
    if len(values) <= _ITEMS_AT_ONCE:
        return _read_items(values, 0, read)
    for start in range(0, len(values), _ITEMS_AT_ONCE):
        values[start : start + _ITEMS_AT_ONCE] = _read_items(values[start : start + _ITEMS_AT_ONCE], start, read)
    return values


def _read_items(values: list[Any], start: int, read: Reader[_T]) -> list[_T]:
    items: list[_T] = []
    try:
        items.extend(map(read, values))  # keeps the items before one that does not fit
    except Misfit as misfit:
        misfit.prepend(f"[{start + len(items)}]")
        raise
    return items


def optional(read: Reader[_T]) -> Reader[_T | None]:
    """Return the reader of a value that may be null."""
    return lambda value: None if value is None else read(value)


class Shape:
    """The fields of an object, each with the types or the only value that it may have; none means any.

    Attributes:
        required: Fields that must be present.
        optional: Fields that may be absent.
    """

    def __init__(self, required: Mapping[str, tuple[object, ...]], optional: Mapping[str, tuple[object, ...]]) -> None:
        self.required = required
        self.optional = optional

    def fits(self, fields: Mapping[str, object]) -> bool:
        """Return whether an object has the required fields, and each field is what it may be."""
        return fields.keys() >= self.required.keys() and all(
            not allowed or type(fields[name]) in allowed or fields[name] in allowed
            for listed in (self.required, self.optional)
            for name, allowed in listed.items()
            if name in fields
        )

    def lists(self, fields: Mapping[str, object]) -> bool:
        """Return whether an object has no other fields."""
        return fields.keys() <= self.required.keys() | self.optional.keys()


class Choice(Generic[_T]):
    """A choice of a union that has no tag: its name, its reader, and the shape of each class that it consists of."""

    def __init__(self, name: str, read: Reader[_T], shapes: Sequence[Shape]) -> None:
        self.name = name
        self.read = read
        self.shapes = shapes


def read_tagged(json: Any, tag: str, choices: Mapping[str, Reader[_T]]) -> _T:
    """Decode an object as the choice of a union that its tag selects."""
    value = read_field(read_object(json), tag, read_string)
    if value not in choices:
        raise Misfit(f"must be one of {', '.join(map(repr, choices))}", tag)
    return choices[value](json)


def read_fitting(json: Any, choices: Sequence[Choice[_T]]) -> _T:
    """Decode an object as the only choice of a union that it fits, or that lists all its fields if it fits several.

    Only the fields of the object itself are looked at, not what they contain, and no choice is tried. So the work grows
    with the fields of the object and of the choices, and not with the depth of nested unions.
    """
    fields = read_object(json)
    fitting = [(choice, shape) for choice in choices for shape in choice.shapes if shape.fits(fields)]
    found = {choice.name: choice for choice, _ in fitting}
    if len(found) > 1:
        found = {choice.name: choice for choice, shape in fitting if shape.lists(fields)} or found
    if len(found) != 1:
        names = ", ".join(found or [choice.name for choice in choices])
        raise Misfit(f"fits {'several' if found else 'none'} of {names}")
    return found.popitem()[1].read(json)


@frozen(kw_only=True, init=False)
class Operation(Generic[_T_co]):
    """One API call as data: a client quotes, checks and sends it.

    Attributes:
        id: Name of the operation in errors and logs, such as ``create_project``.
        method: HTTP method in capitals.
        path: Path template, such as ``/admin/projects/{project_id}``.
        returns: Model of a successful response, or None if it has no body, or a function of its JSON value, which gets
            None if the body is empty. An error that the function raises is a ``ResponseParsingError`` without its text.
        path_parameters: Unquoted values for the path template; the client quotes them.
        query: Query parameters by their names on the wire; None is omitted.
        headers: Headers that the operation takes, by their names; None is omitted. Those that the client sets replace
            them.
        body: Model or JSON value to send, or None for no body.
        api_version: API version to request; None means ``API_VERSION``.

    Example:
        >>> operation = Operation(
        ...     id="fetch_project",
        ...     method="GET",
        ...     path="/admin/projects/{project_id}",
        ...     path_parameters={"project_id": project.id},
        ...     returns=Project,
        ... )
        >>> admin.send(operation).name
        'search'
    """

    id: str
    """Name of the operation in errors and logs, such as ``create_project``."""
    method: str
    """HTTP method in capitals."""
    path: str
    """Path template, such as ``/admin/projects/{project_id}``."""
    returns: Returns[_T_co] | None
    """Model of a successful response, or None if it has no body, or a function of its JSON value, which gets None if
    the body is empty."""
    path_parameters: Mapping[str, str] = field(factory=dict[str, str])
    """Unquoted values for the path template; the client quotes them."""
    query: Mapping[str, QueryValue] = field(factory=dict[str, QueryValue])
    """Query parameters by their names on the wire; None is omitted."""
    headers: Mapping[str, str | None] = field(factory=dict[str, "str | None"])
    """Headers that the operation takes, by their names; None is omitted."""
    body: object = None
    """Model or JSON value to send, or None for no body."""
    api_version: str | None = None
    """API version to request; None means ``API_VERSION``."""

    @overload
    def __init__(
        self: Operation[None],
        *,
        id: str,
        method: str,
        path: str,
        returns: None,
        path_parameters: Mapping[str, str] = ...,
        query: Mapping[str, QueryValue] = ...,
        headers: Mapping[str, str | None] = ...,
        body: object = None,
        api_version: str | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        id: str,
        method: str,
        path: str,
        returns: Returns[_T_co],
        path_parameters: Mapping[str, str] = ...,
        query: Mapping[str, QueryValue] = ...,
        headers: Mapping[str, str | None] = ...,
        body: object = None,
        api_version: str | None = None,
    ) -> None: ...

    def __init__(self, **fields: Any) -> None:
        """Take every field by name; the overloads give the type of the operation."""
        self.__attrs_init__(**fields)  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
