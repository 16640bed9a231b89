"""Client-side request validation: one table of small rules for the generated operations.

The limits are those of openapi/admin.yaml and of the server rules from which it was written. What only the server can
decide is left to the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, get_args

from generated_client import models
from generated_client.types import Operation
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_email,
    check_identifier,
    check_integer,
    check_name,
    check_sequence,
    set_operation_on_errors,
)
from pinecone_admin.errors import PineconeTypeError, PineconeValueError

Rule: TypeAlias = Callable[[str, object], object]


# Models and literals are looked up by name because an older API document may lack some of them.
def _literal_values(literal: str) -> frozenset[str]:
    return frozenset(value for part in get_args(getattr(models, literal, None)) for value in get_args(part))


def _is_model(value: object, model: str) -> bool:
    return isinstance(value, getattr(models, model, ()))


_ROLES = _literal_values("RoleName")
_ORGANIZATION_ROLES = frozenset(role for role in _ROLES if role.startswith("Org"))
_ROLES_BY_SCOPE = {"organization": _ORGANIZATION_ROLES, "project": _ROLES - _ORGANIZATION_ROLES}


def check_operation(operation: Operation[Any]) -> None:
    """Raise if an operation cannot succeed.

    Raises:
        PineconeValueError: A value is empty, too long, out of range, or contradicts another one.
        PineconeTypeError: A value has the wrong type; a bool is not a number, and bytes are not text.
    """
    with set_operation_on_errors(operation.id):
        for name, value in operation.path_parameters.items():
            check_identifier(name, value)
        _check_query(operation.query)
        # A JSON value that the caller built for ``send`` is not checked.
        if type(operation.body) is getattr(models, type(operation.body).__name__, None):
            _check_body(operation.body)


def check_project_name(value: object, *, operation: str) -> None:
    """Raise if no project can have the name.

    Raises:
        PineconeValueError: It is empty, too long, or contains NUL.
        PineconeTypeError: It is not a str.
    """
    with set_operation_on_errors(operation):
        _check_long_name("name", value)


def _check_query(query: Mapping[str, object]) -> None:
    for name, value in query.items():
        argument, rule = _QUERY.get(name, (name, None))
        if rule is not None and value is not None:
            rule(argument, value)
    for dependent, needed in _QUERY_PAIRS.items():
        if query.get(dependent) is not None and query.get(needed) is None:
            raise PineconeValueError(f"{dependent} requires {needed}")


def _check_body(body: Any) -> None:
    required, optional = _BODIES.get(type(body).__name__, ({}, {}))
    for argument, rule in required.items():
        rule(argument, getattr(body, argument))
    given = {argument: getattr(body, argument) for argument in optional}
    if optional and not required and all(value is None for value in given.values()):
        raise PineconeValueError(f"pass at least one of {', '.join(optional)}")
    for argument, rule in optional.items():
        if given[argument] is not None:
            rule(argument, given[argument])
    if _is_model(body, "CreateInviteRequest"):
        _require_organization_role(body.role_bindings)
    if _is_model(body, "CreateRoleBindingRequest"):
        _check_scope("", body.resource_type, body.resource_id, body.role)


def check_key_roles(argument: str, value: object) -> None:
    """Raise unless the value is a sequence of roles that an API key can have."""
    for position, role in enumerate(check_sequence(argument, value)):
        _check_role(f"{argument}[{position}]", role, _literal_values("APIKeyRole"), "an API key")


def check_role_bindings(argument: str, value: object, *, fewest: int) -> None:
    """Raise unless the value is a sequence of valid role bindings, as models or mappings; errors name the entry."""
    entries = check_sequence(argument, value)
    if not fewest <= len(entries) <= 100:  # noqa: PLR2004 - the limit of the API
        raise PineconeValueError(f"{argument} must have {fewest} to 100 entries, not {len(entries)}")
    for position, entry in enumerate(entries):
        _check_binding(f"{argument}[{position}]", entry)


def _check_binding(where: str, entry: object) -> None:
    fields = binding_fields(entry)
    if fields is None:
        raise PineconeTypeError(f"{where}: must be a RoleBindingInput or a mapping, not {type(entry).__name__}")
    unknown = [key for key in fields if key not in _BINDING_FIELDS]
    if unknown:
        raise PineconeValueError(f"{where}: {unknown[0]!r} is not one of {', '.join(_BINDING_FIELDS)}")
    for key in ("resource_type", "role"):
        if fields.get(key) is None:
            raise PineconeValueError(f"{where}: {key} is missing")
        check_identifier(f"{where}: {key}", fields[key])
    _check_scope(f"{where}: ", fields["resource_type"], fields.get("resource_id"), fields["role"])


_BINDING_FIELDS = ("resource_type", "resource_id", "role")


def binding_fields(entry: object) -> Mapping[object, object] | None:
    """Return a role binding, given as a model or a mapping, as a mapping; None for any other value."""
    if _is_model(entry, "RoleBindingInput"):
        return {key: getattr(entry, key) for key in _BINDING_FIELDS}
    return entry if isinstance(entry, Mapping) else None  # pyright: ignore[reportUnknownVariableType]


def _check_scope(prefix: str, resource_type: object, resource_id: object, role: object) -> None:
    if resource_id is not None:
        check_identifier(f"{prefix}resource_id", resource_id)
    elif resource_type == "project":
        raise PineconeValueError(f"{prefix}resource_id is missing: a project role requires a project id")
    if isinstance(resource_type, str) and resource_type in _ROLES_BY_SCOPE:
        _check_role(f"{prefix}role", role, _ROLES_BY_SCOPE[resource_type], f"resource_type {resource_type!r}")


def _check_role(where: str, role: object, allowed: frozenset[str], holder: str) -> None:
    check_identifier(where, role)
    # A role that the API document does not list may be new, so the server decides.
    if role in _ROLES and role not in allowed:
        raise PineconeValueError(
            f"{where} {role!r} is not a role for {holder}: use one of {', '.join(sorted(allowed))}"
        )


def _require_organization_role(bindings: Sequence[object]) -> None:
    scopes = [(binding_fields(entry) or {}).get("resource_type") for entry in bindings]
    if not any(scope != "project" for scope in scopes):
        raise PineconeValueError("role_bindings must contain at least one organization role")


_check_long_name = partial(check_name, longest=512)
_check_short_name = partial(check_name, longest=80)
_check_account_name = partial(check_name, longest=80, unit="UTF-8 bytes")

# Name of the query parameter in the URL → name of the Python argument, and its rule.
_QUERY: Mapping[str, tuple[str, Rule]] = {
    "email": ("email", check_email),
    "limit": ("limit", partial(check_integer, least=1, most=100)),
    "paginationToken": ("pagination_token", check_identifier),
    "principal_type": ("principal_type", check_identifier),
    "principal_id": ("principal_id", check_identifier),
    "resource_type": ("resource_type", check_identifier),
    "resource_id": ("resource_id", check_identifier),
    "role": ("role", check_identifier),
}
_QUERY_PAIRS = {"principal_id": "principal_type", "resource_id": "resource_type"}

# Body → rules of its required fields, and of its optional ones; a body without required fields needs an optional one.
_BODIES: Mapping[str, tuple[Mapping[str, Rule], Mapping[str, Rule]]] = {
    "UpdateOrganizationRequest": ({}, {"name": _check_long_name}),
    "CreateProjectRequest": (
        {"name": _check_long_name},
        {"max_pods": partial(check_integer, least=0), "force_encryption_with_cmek": check_bool},
    ),
    "UpdateProjectRequest": (
        {},
        {
            "name": _check_long_name,
            "max_pods": partial(check_integer, least=0),
            "force_encryption_with_cmek": check_bool,
        },
    ),
    "CreateAPIKeyRequest": ({"name": _check_short_name}, {"roles": check_key_roles}),
    "UpdateAPIKeyRequest": ({}, {"name": _check_short_name, "roles": check_key_roles}),
    "CreateInviteRequest": (
        {"email": check_email, "role_bindings": partial(check_role_bindings, fewest=1)},
        {},
    ),
    "CreateServiceAccountRequest": (
        {"name": _check_account_name},
        {"role_bindings": partial(check_role_bindings, fewest=0)},
    ),
    "UpdateServiceAccountRequest": ({}, {"name": _check_account_name}),
    "CreateRoleBindingRequest": (
        {
            "principal_type": check_identifier,
            "principal_id": check_identifier,
            "resource_type": check_identifier,
            "role": check_identifier,
        },
        {"resource_id": check_identifier},
    ),
}
