# Derived from pinecone_admin/_async/workflows/provision.py by scripts/unasync.py: change that, not this file.
"""Provision a tenant: a project, its key and its role bindings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pinecone_admin._http.argument_checks import check_function, set_operation_on_errors
from pinecone_admin._http.validation import check_key_roles, check_operation
from pinecone_admin._sync.workflows.create_with_secret import Store, delete_and_report
from pinecone_admin._sync.workflows.ensure import ensure_project, ensure_role_binding
from pinecone_admin._sync.workflows.ensure_with_secret import ensure_api_key
from pinecone_admin.errors import LeftoverError
from pinecone_admin.models import (
    APIKeyRole,
    APIKeyWithSecret,
    CreateProjectRequest,
    CreateRoleBindingRequest,
    RoleBinding,
)
from pinecone_admin.operations import create_project, create_role_binding
from pinecone_admin.workflows.reports import Ensured, ProjectRole, ProjectRoleDict, Provisioned, parse_project_roles

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_MAX_KEY_NAME_LENGTH = 80


def provision(
    admin: Admin,
    *,
    name: str,
    key_roles: Sequence[APIKeyRole],
    store: Store[APIKeyWithSecret],
    bindings: Sequence[ProjectRole | ProjectRoleDict],
) -> Provisioned:
    """Ensure each part in turn; if one fails, delete in reverse order what this call created."""
    with set_operation_on_errors("provision"):
        roles = parse_project_roles(bindings)
        _check_arguments(name, key_roles, store, roles)
    made = _RollbackLog()
    try:
        project = ensure_project(admin, name=name)
        project_id = project.value.id
        made.record_created(project, "project", admin.projects.delete, project_id=project_id)
        key_name = name[:_MAX_KEY_NAME_LENGTH]
        key = ensure_api_key(admin, project_id=project_id, name=key_name, roles=key_roles, store=store)
        key_id = key.value.key.id if isinstance(key.value, APIKeyWithSecret) else key.value.id
        made.record_created(key, "API key", admin.api_keys.delete, api_key_id=key_id)
        bound: list[Ensured[RoleBinding]] = []
        for each in roles:
            binding = ensure_role_binding(
                admin,
                principal_type=each.principal_type,
                principal_id=each.principal_id,
                resource_type="project",
                resource_id=project_id,
                role=each.role,
            )
            made.record_created(binding, "role binding", admin.role_bindings.delete, role_binding_id=binding.value.id)
            bound.append(binding)
    except Exception as error:
        made.roll_back_all(error)
        raise
    return Provisioned(project=project, key=key, bindings=bound)


class _RollbackLog:
    """What this call created, and how to delete it."""

    def __init__(self) -> None:
        self._deletions: list[tuple[str, Callable[..., None], dict[str, str]]] = []

    def record_created(
        self, ensured: Ensured[object], kind: str, delete: Callable[..., None], **arguments: str
    ) -> None:
        if ensured.created:
            self._deletions.append((f"{kind} {next(iter(arguments.values()))}", delete, arguments))

    def roll_back_all(self, error: Exception) -> None:
        left: list[str] = []
        for description, delete, arguments in reversed(self._deletions):
            try:
                delete_and_report(error, description, delete, **arguments)
            except LeftoverError as exc:
                left += exc.left
        if left:
            raise LeftoverError(
                f"{error}; these could not be deleted afterwards: {', '.join(left)}", left=left
            ) from error


def _check_arguments(name: str, key_roles: Sequence[APIKeyRole], store: object, roles: Sequence[ProjectRole]) -> None:
    """Refuse arguments that cannot succeed, before anything is created."""
    check_operation(create_project(body=CreateProjectRequest(name=name)))
    check_function("store", store)
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
