"""Provision a tenant: a project, its role bindings and its key."""

from __future__ import annotations

from collections.abc import Sequence

from pinecone_admin._async.workflows.create_with_secret import Store, check_unused, complete_or_create_key
from pinecone_admin._async.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._async.workflows.ensure_project import ensure_project
from pinecone_admin._async.workflows.ensure_with_secret import ensure_api_key
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import as_plain_value, async_check_function, set_operation_on_errors
from pinecone_admin._http.operation_checks import check_each_role_once, check_key_roles, check_operation
from pinecone_admin.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    Project,
    RoleBinding,
)
from pinecone_admin.operations import create_project, create_role_binding
from pinecone_admin.workflows.changes import Change, Ref, RoleAt
from pinecone_admin.workflows.name_tags import MAX_NAME_LENGTH, check_untagged
from pinecone_admin.workflows.readable_store import ReadableStore
from pinecone_admin.workflows.reports import (
    Ensured,
    ProjectRole,
    ProjectRoleDict,
    Provisioned,
    parse_project_roles,
)


async def provision(
    run: AsyncRun,
    *,
    name: str,
    key_roles: Sequence[APIKeyRole],
    store: Store[APIKeyWithSecret],
    bindings: Sequence[ProjectRole | ProjectRoleDict],
) -> Provisioned:
    """Ensure each part in turn; if one fails, delete in reverse order what this call created.

    The key comes last: once its value is stored, nothing is left that could fail for a wrong argument.
    """
    name = as_plain_value(name)
    with set_operation_on_errors("provision"):
        roles = parse_project_roles(bindings)
        _check_arguments(name, key_roles, store, roles)
        key_roles = [*key_roles]  # the key comes last: what the caller changes until then does not count
    key_name = name[:MAX_NAME_LENGTH]
    if isinstance(store, ReadableStore):
        await _check_target(run, name, key_name, key_roles, store)
    project = await ensure_project(run, name=name)
    run.project = name
    if run.dry_run and project.created:
        return await _preview(run, project, key_name, key_roles, roles)
    bound = [
        await ensure_role_binding(
            run,
            principal_type=wanted.principal_type,
            principal_id=wanted.principal_id,
            resource_type="project",
            resource_id=project.value.id,
            role=wanted.role,
        )
        for wanted in roles
    ]
    key = await ensure_api_key(run, project_id=project.value.id, name=key_name, roles=key_roles, store=store)
    return Provisioned(project=project, key=key, bindings=bound)


async def _check_target(
    run: AsyncRun, name: str, key_name: str, key_roles: Sequence[APIKeyRole], store: ReadableStore
) -> None:
    """Raise before anything is made if the target has another secret than that of the key."""
    preview = AsyncRun(run.admin, run.operation, dry_run=True, project=name)
    project = await ensure_project(preview, name=name)
    if project.created:
        check_unused(store)
        return
    await ensure_api_key(preview, project_id=project.value.id, name=key_name, roles=key_roles, store=store)


async def _preview(
    run: AsyncRun,
    project: Ensured[Project],
    key_name: str,
    key_roles: Sequence[APIKeyRole],
    roles: Sequence[ProjectRole],
) -> Provisioned:
    """Return the report of a dry run that would create the project, and so everything in it."""
    place = Ref("project", run.project)
    bound: list[Ensured[RoleBinding]] = []
    for wanted in roles:
        principal = Ref(as_plain_value(wanted.principal_type), None, wanted.principal_id)
        granted = RoleAt(as_plain_value(wanted.role), place)
        await run.do(Change(action="grant", target=principal, roles=(granted,)))
        bound.append(Ensured(value=None, created=True, steps=run.steps[-1:]))
    began = len(run.steps)
    key = Ref("api_key", key_name, project=place)
    await complete_or_create_key(run, key=key, roles=key_roles, leftovers=[], store=None)
    ensured = Ensured[APIKeyWithSecret | APIKey](value=None, created=True, steps=run.steps[began:])
    return Provisioned(project=project, key=ensured, bindings=bound)


def _check_arguments(name: str, key_roles: Sequence[APIKeyRole], store: object, roles: Sequence[ProjectRole]) -> None:
    """Refuse arguments that cannot succeed, before anything is created."""
    check_operation(create_project(body=CreateProjectRequest(name=name)))
    check_untagged(name)
    async_check_function("store", store)
    check_key_roles("key_roles", key_roles)
    for wanted in roles:
        body = CreateRoleBindingRequest(
            principal_type=wanted.principal_type,
            principal_id=wanted.principal_id,
            resource_type="project",
            resource_id="not created yet",
            role=wanted.role,
        )
        check_operation(create_role_binding(body=body))
    holders = [(each.principal_type, each.principal_id, each.role) for each in roles]
    check_each_role_once("bindings", [tuple(map(as_plain_value, each)) for each in holders])
