"""Ensure that a principal holds a role."""

from __future__ import annotations

from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import as_plain_value
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.changes import Change, Ref, RoleAt
from pinecone_admin.workflows.reports import Ensured


async def ensure_role_binding(
    run: AsyncRun,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    role: RoleName,
    resource_id: str | None = None,
    principal_name: str | None = None,
    is_missing: bool = False,
) -> Ensured[RoleBinding]:
    """Ensure that a principal holds a role; with ``is_missing``, one that the caller has just read not to be there."""
    began = len(run.steps)
    body = CreateRoleBindingRequest(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=role,
    )
    check_operation(create_role_binding(body=body))

    async def find() -> RoleBinding | None:
        bindings = run.admin.role_bindings.list(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )
        found = await bindings.to_list(max_items=1)
        return found[0] if found else None

    binding, created = None if is_missing else await find(), False
    if binding is None:
        place = None
        if as_plain_value(resource_type) == "project":
            place = Ref("project", run.project, as_plain_value(resource_id))
        principal = Ref(as_plain_value(principal_type), principal_name, as_plain_value(principal_id))
        change = Change(action="grant", target=principal, roles=(RoleAt(as_plain_value(role), place),))
        if run.dry_run:
            await run.do(change)
            return Ensured(value=None, created=True, steps=run.steps[began:])
        made = await run.create(change, find, is_unique=True)
        binding, created = made.value, made.is_new
    return Ensured(value=binding, created=created, steps=run.steps[began:])
