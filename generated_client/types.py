# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""The building blocks of the models and operations of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NewType, TypeAlias, TypeVar, cast, overload

from attrs import Attribute, AttrsInstance, field, fields, frozen

API_VERSION = "2026-07"
"""The version of the API document that this package was generated from."""

Unlisted = NewType("Unlisted", str)
"""A value that the API document does not list. It arrives unchanged; wrap a value in this type to send it."""

QueryValue: TypeAlias = str | int | bool | Sequence[str] | None

_T = TypeVar("_T")


def masked(value: object) -> str:
    """Return what replaces a secret in the repr of its model."""
    return "None" if value is None else "'***'"


def wire_name(attribute: Attribute[Any]) -> str:
    """Return the name of a field in JSON, which the generator changes where Python has taken it."""
    return str(attribute.metadata.get("name", attribute.name))


def wire_fields(model: object) -> list[tuple[str, object, bool]]:
    """Return each field of a model: its name in JSON, its value, and whether it is a secret."""
    kind = cast("type[AttrsInstance]", type(model))
    return [(wire_name(each), getattr(model, each.name), each.repr is masked) for each in fields(kind)]


@frozen(kw_only=True, init=False)
class Operation(Generic[_T]):
    """One API call as data: a client quotes, checks and sends it.

    Attributes:
        id: Name of the operation in errors and logs, such as ``create_project``.
        method: HTTP method in capitals.
        path: Path template, such as ``/admin/projects/{project_id}``.
        returns: Type of a successful response, or None if it has no body.
        path_parameters: Unquoted values for the path template; the client quotes them.
        query: Query parameters by their names on the wire; None is omitted.
        body: Model or JSON value to send, or None for no body.
        api_version: API version to request; None means ``API_VERSION``.
    """

    id: str
    method: str
    path: str
    returns: type[_T] | None
    path_parameters: Mapping[str, str] = field(factory=dict[str, str])
    query: Mapping[str, QueryValue] = field(factory=dict[str, QueryValue])
    body: object = None
    api_version: str | None = None

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
        returns: type[_T],
        path_parameters: Mapping[str, str] = ...,
        query: Mapping[str, QueryValue] = ...,
        body: object = None,
        api_version: str | None = None,
    ) -> None: ...

    def __init__(self, **fields: Any) -> None:
        """Take every field by name; the overloads make an operation with returns=None an Operation[None]."""
        self.__attrs_init__(**fields)  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
