"""Provision a tenant: a project, its role bindings and its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.client_state import runs_workflow
from pinecone_admin._async.workflows.create_with_secret import Store
from pinecone_admin._async.workflows.ensure import ensure_project
from pinecone_admin._async.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._async.workflows.ensure_with_secret import ensure_api_key
from pinecone_admin._async.workflows.rollback import AsyncRollback
from pinecone_admin._http.argument_checks import (
    as_plain_value,
    async_check_function,
    check_bool,
    set_operation_on_errors,
)
from pinecone_admin._http.operation_checks import check_key_roles, check_operation
from pinecone_admin.models import (
    APIKeyRole,
    APIKeyWithSecret,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    Project,
)
from pinecone_admin.operations import create_project, create_role_binding
from pinecone_admin.workflows.name_tags import check_untagged
from pinecone_admin.workflows.readable_store import PlacedStore
from pinecone_admin.workflows.reports import (
    Ensured,
    ProjectRole,
    ProjectRoleDict,
    Provisioned,
    parse_project_roles,
)
from pinecone_admin.workflows.steps import Step, describe_new_secret

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

_MAX_KEY_NAME_LENGTH = 80


@runs_workflow
async def provision(
    admin: AsyncAdmin,
    *,
    name: str,
    key_roles: Sequence[APIKeyRole],
    store: Store[APIKeyWithSecret],
    bindings: Sequence[ProjectRole | ProjectRoleDict],
    dry_run: bool,
) -> Provisioned:
    """Ensure each part in turn; if one fails, delete in reverse order what this call created.

    The key comes last: once its value is stored, nothing is left that could fail for a wrong argument.
    """
    with set_operation_on_errors("provision"):
        roles = parse_project_roles(bindings)
        _check_arguments(name, key_roles, store, roles)
        check_bool("dry_run", dry_run)
    if isinstance(store, PlacedStore):
        await _check_target(admin, name, key_roles, store)
    async with AsyncRollback(admin) as rollback:
        project = await ensure_project(admin, name=name, dry_run=dry_run, rollback=rollback)
        if dry_run and project.created:
            return _preview(project, name, key_roles, roles)
        bound = [
            await ensure_role_binding(
                admin,
                principal_type=each.principal_type,
                principal_id=each.principal_id,
                resource_type="project",
                resource_id=project.value.id,
                role=each.role,
                dry_run=dry_run,
                project=project.value.name,
                rollback=rollback,
            )
            for each in roles
        ]
        key = await ensure_api_key(
            admin,
            project_id=project.value.id,
            name=name[:_MAX_KEY_NAME_LENGTH],
            roles=key_roles,
            store=store,
            dry_run=dry_run,
            project=name,
            rollback=rollback,
        )
    return Provisioned(project=project, key=key, bindings=bound)


async def _check_target(admin: AsyncAdmin, name: str, key_roles: Sequence[APIKeyRole], store: PlacedStore) -> None:
    """Raise before anything is made if the target has another secret than that of the key."""
    project = await ensure_project(admin, name=name, dry_run=True)
    if project.created:
        store.check_unused()
        return
    key_name = name[:_MAX_KEY_NAME_LENGTH]
    await ensure_api_key(admin, project_id=project.value.id, name=key_name, roles=key_roles, store=store, dry_run=True)


def _preview(
    project: Ensured[Project], name: str, key_roles: Sequence[APIKeyRole], roles: Sequence[ProjectRole]
) -> Provisioned:
    """Return the report of a dry run that would create the project, and so everything in it."""
    granted = [
        Step(
            action="grant",
            kind=as_plain_value(each.principal_type),
            name=None,
            id=each.principal_id,
            project=name,
            after={"role": as_plain_value(each.role)},
            planned=True,
        )
        for each in roles
    ]
    key = Step(
        action="create",
        kind="api_key",
        name=name[:_MAX_KEY_NAME_LENGTH],
        project=name,
        after={"roles": list(key_roles)},
        planned=True,
    )
    return Provisioned(
        project=project,
        key=Ensured(value=None, created=True, steps=describe_new_secret(key, is_stored=True)),
        bindings=[Ensured(value=None, created=True, steps=[step]) for step in granted],
    )


def _check_arguments(name: str, key_roles: Sequence[APIKeyRole], store: object, roles: Sequence[ProjectRole]) -> None:
    """Refuse arguments that cannot succeed, before anything is created."""
    check_operation(create_project(body=CreateProjectRequest(name=name)))
    check_untagged(name)
    async_check_function("store", store)
    check_key_roles("key_roles", key_roles)
    for each in roles:
        body = CreateRoleBindingRequest(
            principal_type=each.principal_type,
            principal_id=each.principal_id,
            resource_type="project",
            resource_id="not created yet",
            role=each.role,
        )
        check_operation(create_role_binding(body=body))
