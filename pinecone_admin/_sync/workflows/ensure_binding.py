# Derived from pinecone_admin/_async/workflows/ensure_binding.py by scripts/unasync.py: change that, not this file.
"""Ensure that a principal holds a role.

The run sends the grant. This checks the wanted roles before, and finds the binding of a lost response, for every
workflow that grants roles.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from pinecone_admin._http.argument_checks import as_plain_value, place_in, value_error
from pinecone_admin._http.operation_checks import binding_fields, check_operation
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin._text.messages import Name
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.change_operations import build_role_bindings
from pinecone_admin.workflows.changes import Change, Ref, RoleAt
from pinecone_admin.workflows.ending import Created
from pinecone_admin.workflows.reports import Ensured
from pinecone_admin.workflows.roles import PLACES


def ensure_role_binding(
    run: Run,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    role: RoleName,
    resource_id: str | None = None,
) -> Ensured[RoleBinding]:
    """Ensure that a principal holds a role."""
    body = CreateRoleBindingRequest(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=role,
    )
    check_operation(create_role_binding(body=body))
    principal, place = Ref(as_plain_value(principal_type), None, as_plain_value(principal_id)), None
    if as_plain_value(resource_type) == "project":
        place = Ref("project", run.project, as_plain_value(resource_id))
    change = Change(action="grant", target=principal, roles=(RoleAt(as_plain_value(role), place),))
    # With the arguments as they are: a resource type that this package does not know must not become another one.
    bindings = run.admin.role_bindings.list(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=role,
    )
    if found := bindings.to_list(max_items=1):
        return Ensured(value=found[0], created=False, steps=[])
    check_organization_ids(run, [body])
    began = len(run.steps)
    created = grant_role(run, change)
    return Ensured(value=created.value, created=created.is_new, steps=run.steps[began:])


def check_place(resource_type: object, argument: Name | None = None) -> None:
    """Raise unless workflows give and take roles on resources of this type.

    Args:
        resource_type: The type.
        argument: Where it is; None if it is an argument itself.
    """
    if as_plain_value(resource_type) not in PLACES:
        where = Name("resource_type") if argument is None else argument
        raise value_error(where, "must be organization or project, because a workflow grants no other roles")


def check_organization_ids(run: Run, bindings: Sequence[object], argument: str | None = None) -> None:
    """Raise unless roles are wanted on projects, or on the organization of the client.

    Args:
        run: The run.
        bindings: The wanted role bindings.
        argument: Name of the argument that has the role bindings; None if their fields are arguments themselves.
    """
    known: set[str] | None = None
    for position, each in enumerate(bindings):
        fields = binding_fields(each) or {}
        id, place = (as_plain_value(fields.get(name)) for name in ("resource_id", "resource_type"))
        check_place(place, None if argument is None else place_in(argument, f"[{position}]: resource_type"))
        if id is None or place != "organization":
            continue
        if known is None:
            known = {each.id for each in run.admin.organizations.list()}
        if id not in known:
            where = "resource_id" if argument is None else place_in(argument, f"[{position}]: resource_id")
            raise value_error(where, "is not the id of the organization of this client, on which the role is granted")


def grant_role(run: Run, change: Change) -> Created[RoleBinding]:
    """Grant a role that the principal is not seen to hold."""
    return run.create(change, partial(_find_binding, run, change), is_unique=True)


def _find_binding(run: Run, change: Change) -> RoleBinding | None:
    [granted] = build_role_bindings(change.roles)
    bindings = run.admin.role_bindings.list(
        principal_type=cast("Any", change.target.kind),
        principal_id=change.target.id,
        resource_type=granted.resource_type,
        resource_id=granted.resource_id,
        role=granted.role,
    )
    found = bindings.to_list(max_items=1)
    return found[0] if found else None
