# Derived from pinecone_admin/_async/workflows/change_role.py by scripts/unasync.py: change that, not this file.
"""Change a role: create the new binding, then delete the old one, so that the principal is never without both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinecone_admin._http.argument_checks import as_plain_value, check_identifier, set_operation_on_errors
from pinecone_admin._http.validation import check_operation
from pinecone_admin._sync.workflows.create_with_secret import delete_and_report, delete_if_exists
from pinecone_admin._sync.workflows.ensure import ensure_role_binding
from pinecone_admin.errors import NotFoundError, PineconeError, PineconeValueError
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.reports import RoleChange

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


def change_role(
    admin: Admin,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    resource_id: str | None,
    from_role: RoleName,
    to_role: RoleName,
) -> RoleChange:
    """Grant the new role, then revoke the old one; if the server refuses that, revoke the new role again."""
    from_role, to_role = as_plain_value(from_role), as_plain_value(to_role)
    with set_operation_on_errors("change_role"):
        check_identifier("from_role", from_role)
        check_identifier("to_role", to_role)
        body = CreateRoleBindingRequest(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=to_role,
        )
        check_operation(create_role_binding(body=body))
        if from_role == to_role:
            raise PineconeValueError(f"from_role and to_role are both {to_role!r}")
    bindings = admin.role_bindings.list(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    held = [binding for binding in bindings if binding.role in {from_role, to_role}]
    if not held:
        message = f"{principal_type} {principal_id} holds neither {from_role} nor {to_role} on this {resource_type}"
        raise NotFoundError(message, status_code=404, operation="change_role")
    new = ensure_role_binding(
        admin,
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=to_role,
    )
    steps = [f"granted {to_role}"] if new.created else []
    for old in held:
        if old.role == from_role:
            try:
                delete_if_exists(admin.role_bindings.delete, role_binding_id=old.id)
            except PineconeError as error:
                if new.created and error.outcome == "rejected":
                    description = f"role binding {new.value.id}"
                    delete_and_report(error, description, admin.role_bindings.delete, role_binding_id=new.value.id)
                raise
            steps.append(f"revoked {from_role}")
    return RoleChange(binding=new.value, steps=steps)
