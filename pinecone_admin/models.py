"""Models and literals of the API, with functions that build role bindings and convert models to dicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict, TypeVar, cast, get_args, overload

import attrs

from generated_client import models as generated_models
from generated_client.types import Null, Unlisted, extra_fields, wire_fields, wire_name
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeTypeError, PineconeValueError

_T = TypeVar("_T")

__all__ = ["API_KEY_ROLES", "ORGANIZATION_ROLES", "PROJECT_ROLES"]
__all__ += ["Null", "RoleBindingDict", "RoleBindingLike", "Unlisted", "on_organization", "on_project", "to_dict"]
__all__ += generated_models.__all__

if TYPE_CHECKING:
    from generated_client.models import *

    API_KEY_ROLES: tuple[generated_models.APIKeyRole, ...]
    """The roles that an API key can have, of those that the API document lists."""
    ORGANIZATION_ROLES: tuple[generated_models.OrganizationRoleName, ...]
    """The roles on the organization, of those that the API document lists."""
    PROJECT_ROLES: tuple[generated_models.ProjectRoleName, ...]
    """The roles on a project, of those that the API document lists."""
else:
    # Loaded when used; and a document that lacks one of them was accepted, so this module must not need it.
    def __getattr__(name: str) -> object:
        literal = _ROLES.get(name)
        value = globals()[name] = literal_values(literal) if literal else getattr(generated_models, name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


@cache
def literal_values(name: str) -> tuple[str, ...]:
    """Return the values of a literal, in the order of the API document; none if the document has no such literal."""
    return tuple(value for part in get_args(getattr(generated_models, name, None)) for value in get_args(part))


_ROLES = {
    "API_KEY_ROLES": "APIKeyRole",
    "ORGANIZATION_ROLES": "OrganizationRoleName",
    "PROJECT_ROLES": "ProjectRoleName",
}


def check_role(place: Name, role: object, literal: str, holder: str) -> None:
    """Raise if the API document lists a role, but not for this holder; one that it does not list may be new."""
    if role in literal_values("RoleName") and role not in (fitting := literal_values(literal)):
        raise PineconeValueError(place, f" {role!r} is not a role for {holder}: use one of {', '.join(fitting)}")


class RoleBindingDict(TypedDict):
    """A role binding to create, as a mapping with the keys of ``RoleBindingInput``.

    Attributes:
        resource_type: Type of the resource: ``"organization"`` or ``"project"``.
        role: The role to grant.
        resource_id: Id of the project; absent for the organization.

    Example:
        >>> wanted: RoleBindingDict = {"resource_type": "organization", "role": "OrgMember"}
    """

    resource_type: generated_models.ResourceType
    """Type of the resource: ``"organization"`` or ``"project"``."""
    role: generated_models.RoleName
    """The role to grant."""
    resource_id: NotRequired[str]
    """Id of the project; absent for the organization."""


class RoleBindingLike(Protocol):
    """A role binding to create, as any object with these attributes, such as a model of another package.

    Example:
        >>> from types import SimpleNamespace
        >>> wanted = SimpleNamespace(
        ...     resource_type="organization", resource_id=None, role="OrgMember"
        ... )
        >>> invite = admin.invites.create(email="eve@example.com", role_bindings=[wanted])
    """

    @property
    def resource_type(self) -> str:
        """``"organization"`` or ``"project"``."""
        ...

    @property
    def resource_id(self) -> str | None:
        """Id of the project; None for the organization."""
        ...

    @property
    def role(self) -> str:
        """The role to grant."""
        ...


def on_organization(role: generated_models.OrganizationRoleName) -> generated_models.RoleBindingInput:
    """Return a role on the organization, for an argument ``role_bindings``.

    Args:
        role: A role on the organization, such as ``"OrgMember"``.

    Raises:
        PineconeValueError: ``role`` is a role on projects. Use ``on_project``.

    Example:
        >>> on_organization("OrgMember").role
        'OrgMember'
    """
    check_role(Name("role"), role, "OrganizationRoleName", "an organization")
    return generated_models.RoleBindingInput(resource_type="organization", role=role)


def on_project(project_id: str, role: generated_models.ProjectRoleName) -> generated_models.RoleBindingInput:
    """Return a role on a project, for an argument ``role_bindings``.

    Args:
        project_id: Id of the project.
        role: A role on a project, such as ``"ProjectViewer"``.

    Raises:
        PineconeValueError: ``role`` is a role on the organization. Use ``on_organization``.

    Example:
        >>> on_project(project.id, "ProjectViewer").resource_type
        'project'
    """
    check_role(Name("role"), role, "ProjectRoleName", "a project")
    return generated_models.RoleBindingInput(resource_type="project", resource_id=project_id, role=role)


@overload
def to_dict(  # type: ignore[overload-overlap] # pyright: ignore[reportOverlappingOverload] - a list is an object, too
    model: list[_T], *, reveal: bool = False
) -> list[dict[str, Any]]: ...
@overload
def to_dict(model: object, *, reveal: bool = False) -> dict[str, Any]: ...
def to_dict(model: object, *, reveal: bool = False) -> dict[str, Any] | list[dict[str, Any]]:
    """Return a model, or each model of a list, as plain JSON types.

    Args:
        model: Any model of this package, or a list of them.
        reveal: True to include secrets, which are ``"***"`` otherwise. It also includes fields that this package does
            not know; otherwise they are left out, because they may be secrets.

    Returns:
        A dict with the field names of the API, or a list of such dicts. Dates are ISO 8601 strings, and durations are
        seconds.

    Raises:
        PineconeTypeError: ``model``, or an item of the list, is not a model.

    Example:
        >>> to_dict(project)["name"]
        'search'
    """
    if isinstance(model, list):
        entries = enumerate(cast("list[object]", model))
        return [_model_to_dict(Name("model", f"[{number}]"), each, reveal=reveal) for number, each in entries]
    return _model_to_dict(Name("model"), model, reveal=reveal)


def _model_to_dict(place: Name, model: object, *, reveal: bool) -> dict[str, Any]:
    if not attrs.has(type(model)):
        raise PineconeTypeError(place, f" must be a model of this package, not {type(model).__name__}")
    kind: Any = type(model)
    absent, hidden = _values_to_leave_out(kind), _fields_to_hide(kind)
    listed = {
        name: _to_json(value, reveal=reveal) if reveal or not secret else "***"
        for name, value, secret in wire_fields(model)
        if name not in hidden and (name not in absent or value != absent[name])
    }
    return {**extra_fields(model), **listed} if reveal else listed


@cache
def _values_to_leave_out(kind: Any) -> dict[str, object]:
    """Return the fields of a class that JSON has only if they are set, with their defaults."""
    return {wire_name(each): each.default for each in attrs.fields(kind) if each.metadata.get("absent_by_default")}


@cache
def _fields_to_hide(kind: Any) -> set[str]:
    """Return the fields of a class that JSON never has."""
    return {wire_name(each) for each in attrs.fields(kind) if each.metadata.get("only_in_memory")}


def _to_json(value: object, *, reveal: bool) -> Any:
    if isinstance(value, Null):
        return None
    if attrs.has(type(value)):
        return to_dict(value, reveal=reveal)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple):
        return [_to_json(item, reveal=reveal) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value
