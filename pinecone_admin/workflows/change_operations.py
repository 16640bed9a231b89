"""The operation of a change, the change of an operation, and the change that undoes another one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from attrs import evolve, fields

from generated_client.models import (
    CreateAPIKeyRequest,
    CreateInviteRequest,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    CreateServiceAccountRequest,
    RoleBinding,
    RoleBindingInput,
    UpdateAPIKeyRequest,
    UpdateProjectRequest,
    UpdateServiceAccountRequest,
)
from pinecone_admin import operations as api
from pinecone_admin._http.argument_checks import as_plain_value
from pinecone_admin._http.lookup import is_same_name
from pinecone_admin.operations import Operation
from pinecone_admin.workflows.changes import Change, ChangeAction, Ref, RoleAt, Settings, describe_value
from pinecone_admin.workflows.name_tags import original_name
from pinecone_admin.workflows.project_contents import CONTENT_KINDS, ContentKind, configure_index, delete_content
from pinecone_admin.workflows.reports import keys_of_wanted_bindings

_Build: TypeAlias = "Callable[[Change, str], Operation[Any]]"


def _delete_content(kind: ContentKind, change: Change, _: str) -> Operation[None]:
    return delete_content(kind, _name(change))


_OPERATIONS: Mapping[tuple[str, str], _Build] = {
    ("create", "project"): lambda change, _: api.create_project(
        body=CreateProjectRequest(name=_name(change), **_project_settings(change))
    ),
    ("create", "api_key"): lambda change, _: api.create_api_key(
        project_id=_id(change.target.project), body=CreateAPIKeyRequest(name=_name(change), roles=_roles(change))
    ),
    ("create", "service_account"): lambda change, _: api.create_service_account(
        body=CreateServiceAccountRequest(
            name=_name(change), role_bindings=build_role_bindings(change.roles) if change.roles else None
        )
    ),
    ("invite", "invite"): lambda change, _: api.create_invite(
        body=CreateInviteRequest(email=_name(change), role_bindings=build_role_bindings(change.roles))
    ),
    ("resend", "invite"): lambda _, id: api.resend_invite(invite_id=id),
    ("update", "project"): lambda change, id: api.update_project(
        project_id=id, body=UpdateProjectRequest(**change.settings.fields)
    ),
    ("update", "api_key"): lambda change, id: api.update_api_key(
        api_key_id=id, body=UpdateAPIKeyRequest(name=change.settings.name, roles=_roles(change))
    ),
    ("update", "service_account"): lambda change, id: api.update_service_account(
        service_account_id=id, body=UpdateServiceAccountRequest(name=change.settings.name)
    ),
    ("rotate", "service_account"): lambda _, id: api.rotate_service_account_secret(service_account_id=id),
    ("delete", "project"): lambda _, id: api.delete_project(project_id=id),
    ("delete", "api_key"): lambda _, id: api.delete_api_key(api_key_id=id),
    ("delete", "service_account"): lambda _, id: api.delete_service_account(service_account_id=id),
    ("delete", "user"): lambda _, id: api.delete_user(user_id=id),
    ("delete", "invite"): lambda _, id: api.delete_invite(invite_id=id),
    ("update", "index"): lambda change, _: configure_index(
        _name(change), deletion_protection=change.settings.deletion_protection
    ),
    **{("delete", kind.name): partial(_delete_content, kind) for kind in CONTENT_KINDS},
}
"""The operations of changes, by action and kind; each gets the change and the id of its target."""


def build_operation(change: Change, *, binding_id: str | None = None) -> Operation[Any]:
    """Return the operation that carries a change out.

    Args:
        change: The change. Everything that it names has an id, except the resource that it creates.
        binding_id: Id of the role binding that is deleted, if a role is revoked.
    """
    if change.action == "revoke":
        return api.delete_role_binding(role_binding_id=binding_id or "")
    build = _grant if change.action == "grant" else _OPERATIONS[change.action, change.target.kind]
    return build(change, change.target.id or "")


def _name(change: Change) -> str:
    """Return the name that a create sends: a temporary one, or that of the target."""
    return change.settings.name or change.target.name or ""


def _roles(change: Change) -> Any:
    """Return the roles of a key, or None to leave them to the server."""
    return None if change.settings.roles is None else [*change.settings.roles]


def _id(ref: Ref | None) -> str:
    return (None if ref is None else ref.id) or ""


def _project_settings(change: Change) -> dict[str, Any]:
    return {name: value for name, value in change.settings.fields.items() if name != "name"}


def _grant(change: Change, id: str) -> Operation[Any]:
    role = build_role_bindings(change.roles)[0]
    return api.create_role_binding(
        body=CreateRoleBindingRequest(
            principal_type=cast("Any", change.target.kind),
            principal_id=id,
            resource_type=role.resource_type,
            resource_id=role.resource_id,
            role=role.role,
        )
    )


def build_role_bindings(roles: tuple[RoleAt, ...]) -> list[RoleBindingInput]:
    """Return roles as a request has them."""
    return [
        RoleBindingInput(
            resource_type="organization" if wanted.project is None else "project",
            resource_id=None if wanted.project is None else wanted.project.id,
            role=cast("Any", wanted.role),
        )
        for wanted in roles
    ]


def read_change(
    operation: Operation[Any], names: Mapping[str, str] = MappingProxyType({}), present: object = None
) -> Change:
    """Return the change that an operation carries out, which is the opposite of ``build_operation``.

    Args:
        operation: The operation.
        names: Names of what exists, by their ids, as far as they are known.
        present: The model of what is changed or deleted. Without it, the change has neither the values before it nor
            the project of a key, and a role binding that is deleted is the target itself.
    """

    def refer(kind: str, id: str | None) -> Ref:
        return Ref(kind, names.get(id or ""), id)

    def place(bindings: Iterable[object]) -> tuple[RoleAt, ...]:
        keys = keys_of_wanted_bindings(bindings)
        return tuple(RoleAt(each.role, refer("project", each.project_id) if each.project_id else None) for each in keys)

    body, path = operation.body, operation.path_parameters
    verb, _, kind = operation.id.partition("_")
    binding = body if isinstance(body, CreateRoleBindingRequest) else present
    if isinstance(binding, CreateRoleBindingRequest | RoleBinding):
        holder = refer(as_plain_value(binding.principal_type), binding.principal_id)
        return Change(action="grant" if binding is body else "revoke", target=holder, roles=place([binding]))
    settings = _list_settings(body, [each.name for each in fields(Settings)])
    project_id: str | None = path.get("project_id") if verb == "create" else getattr(present, "project_id", None)
    project = None if project_id is None else refer("project", project_id)
    if verb == "create":
        name: str = getattr(body, "email", None) or original_name(settings.name or "")
        return Change(
            action="invite" if kind == "invite" else "create",
            target=Ref(kind, name, project=project),
            settings=settings if settings.name not in {name, None} else evolve(settings, name=None),
            roles=place(getattr(body, "role_bindings", None) or ()),
        )
    own_id = list(path.values())[-1]
    own_name = names.get(own_id) or getattr(present, "email", None) or getattr(present, "name", None)
    before = _list_settings(present, settings.fields if body is not None else ["roles"])
    # The operation that rotates has the secret in its name.
    target = Ref(kind.removesuffix("_secret"), own_name, own_id, project)
    return Change(action=cast("ChangeAction", verb), target=target, settings=settings, before=before)


def _list_settings(model: object, names: Iterable[str]) -> Settings:
    """Return the settings that a model has, of these names."""
    values: dict[str, Any] = {name: as_plain_value(getattr(model, name, None)) for name in names}
    roles: Iterable[str] | None = values.pop("roles", None)
    return Settings(**values, roles=None if roles is None else tuple(map(as_plain_value, roles)))


def find_undo(change: Change, created: Ref | None) -> Change | None:
    """Return the change that undoes another one, or None if nothing does.

    Args:
        change: A change that took effect.
        created: The resource that it created; None if it created nothing.
    """
    match change.action:
        case "create" | "invite":
            return None if created is None else Change(action="delete", target=created)
        case "grant":
            return Change(action="revoke", target=change.target, roles=change.roles)
        case "update":
            return evolve(change, settings=change.before, before=change.settings)
        case _:
            return None


def fits(change: Change, settings: Settings, roles: frozenset[tuple[str, str | None]]) -> bool:
    """Return whether a thing that is there is what a create would make.

    Args:
        change: The create.
        settings: The settings of the thing.
        roles: The roles that it holds, each with the id of its project.
    """
    found = settings.fields
    wanted = {name: value for name, value in change.settings.fields.items() if name != "name"}
    if any(each.project is not None and each.project.id is None for each in change.roles):
        return False  # nothing holds a role on a project that is not there
    has_settings = all(_comparable(found.get(name)) == _comparable(value) for name, value in wanted.items())
    return has_settings and {*roles} == {(role.role, role.project and role.project.id) for role in change.roles}


def find_other_values(change: Change, found: object) -> str | None:
    """Return which values a response shows in place of those that were sent, or None if it shows none.

    Args:
        change: The change that was sent.
        found: The resource in the response, if it has one.
    """
    sent = change.settings.fields
    shown = _list_settings(found, sent).fields
    others = [
        f"{name} {describe_value(shown[name])} instead of {describe_value(value)}"
        for name, value in sent.items()
        if name in shown and not _is_same(name, shown[name], value)
    ]
    return f"the response shows {', '.join(others)}" if others else None


def _is_same(name: str, found: object, sent: object) -> bool:
    if name == "name":
        return is_same_name(str(found), str(sent))
    return _comparable(found) == _comparable(sent)


def _comparable(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
