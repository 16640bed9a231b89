"""Ensure that a principal holds a role."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.change_log import AsyncChangeLog
from pinecone_admin._async.workflows.client_state import runs_workflow
from pinecone_admin._async.workflows.find_or_create import AsyncEnsurable
from pinecone_admin._async.workflows.rollback import AsyncRollback, join_rollback
from pinecone_admin._http.argument_checks import as_plain_value, check_bool, set_operation_on_errors
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.reports import Ensured, describe_binding, key_of_binding
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


@runs_workflow
async def ensure_role_binding(
    admin: AsyncAdmin,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    role: RoleName,
    resource_id: str | None = None,
    dry_run: bool = False,
    project: str | None = None,
    rollback: AsyncRollback | None = None,
    is_missing: bool = False,
) -> Ensured[RoleBinding]:
    """Ensure that a principal holds a role; with ``is_missing``, one that the caller has just read not to be there."""
    with set_operation_on_errors("ensure_role_binding"):
        check_bool("dry_run", dry_run)
    body = CreateRoleBindingRequest(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=role,
    )
    operation = create_role_binding(body=body)
    check_operation(operation)

    async def find() -> RoleBinding | None:
        bindings = admin.role_bindings.list(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=role,
        )
        found = await bindings.to_list(max_items=1)
        return found[0] if found else None

    key = key_of_binding(role, resource_type, resource_id)
    changes = AsyncChangeLog(dry_run=dry_run, project=project)
    wanted = AsyncEnsurable(
        description=f"role binding of {principal_type} {principal_id}: {key}",
        step=lambda _: Step(
            action="grant",
            kind=as_plain_value(principal_type),
            name=None,
            id=principal_id,
            project_id=key.project_id,
            after={"role": key.role},
        ),
        find=find,
        create=partial(admin.send, operation),
        undo=lambda made: (
            f"{describe_binding(made)} (role binding {made.id})",
            lambda client: client.role_bindings.delete(role_binding_id=made.id),
        ),
        is_unique=True,
        is_missing=is_missing,
    )
    async with join_rollback(admin, rollback) as undo:
        binding, created, _ = await wanted.find_or_create(admin, changes, undo)
    return Ensured(value=binding, created=created, steps=changes.steps)
