# Derived from pinecone_admin/_async/workflows/change_role.py by scripts/unasync.py: change that, not this file.
"""Change a role: create the new binding, then delete the old one, so that the principal is never without both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.waiting import complete_if_interrupted
from pinecone_admin._http.argument_checks import as_plain_value, check_bool, check_identifier, set_operation_on_errors
from pinecone_admin._http.operation_checks import binding_fields, check_operation, check_scope
from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin._sync.workflows.client_state import runs_workflow
from pinecone_admin._sync.workflows.create_with_secret import delete_if_exists
from pinecone_admin._sync.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._sync.workflows.rollback import COMPLETION_TIMEOUT, Rollback
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import NotFoundError, PineconeError, PineconeValueError
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.reports import Ensured, RoleChange, describe_binding
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


@runs_workflow
def change_role(
    admin: Admin,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    resource_id: str | None,
    from_role: RoleName,
    to_role: RoleName,
    dry_run: bool,
) -> RoleChange:
    """Grant the new role, then revoke the old one; if the server refuses that, revoke the new role again."""
    from_role, to_role = as_plain_value(from_role), as_plain_value(to_role)
    with set_operation_on_errors("change_role"):
        check_identifier("from_role", from_role)
        check_identifier("to_role", to_role)
        check_bool("dry_run", dry_run)
        body = CreateRoleBindingRequest(
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=to_role,
        )
        check_identifier("resource_type", resource_type)
        check_scope(binding_fields(body) or {}, role_argument="to_role")
        check_operation(create_role_binding(body=body))
        if from_role == to_role:
            raise PineconeValueError(Name("from_role"), " and ", Name("to_role"), f" are both {to_role!r}")
    bindings = admin.role_bindings.list(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    held = [binding for binding in bindings if binding.role in {from_role, to_role}]
    if not held:
        held_roles = f"holds neither {from_role} nor {to_role} on this {resource_type}, as far as this account sees"
        message = f"{principal_type} {principal_id} {held_roles}"
        raise NotFoundError(message, operation="change_role")
    changes = ChangeLog(dry_run=dry_run)
    with Rollback(admin) as rollback:
        new = ensure_role_binding(
            admin,
            principal_type=principal_type,
            principal_id=principal_id,
            resource_type=resource_type,
            resource_id=resource_id,
            role=to_role,
            dry_run=dry_run,
            rollback=rollback,
        )
        changes.record(*new.steps)
        for old in held:
            if old.role == from_role:
                step = Step(
                    action="revoke",
                    kind=old.principal_type,
                    name=None,
                    id=principal_id,
                    project_id=old.resource_id if old.resource_type == "project" else None,
                    before={"role": from_role},
                )
                changes.apply(step, partial(_revoke, admin, old, new, rollback), preview=None)
    return RoleChange(binding=held[0] if dry_run and new.created else new.value, steps=changes.steps)


def _revoke(admin: Admin, old: RoleBinding, new: Ensured[RoleBinding], rollback: Rollback) -> None:
    """Revoke the old role; the new one is kept unless the server refuses, since the old one may be gone."""
    old_role = f"the old role, {old.role} (role binding {old.id})"

    def delete() -> None:
        is_rejected = False
        try:
            delete_if_exists(admin.role_bindings.delete, role_binding_id=old.id)
        except PineconeError as error:
            is_rejected = error.outcome == "rejected"
            raise
        finally:
            if is_rejected:
                rollback.note(f"{old_role}, was not revoked, since the server refused it")
            else:
                new_role = f"the new role, {describe_binding(new.value)} (role binding {new.value.id})"
                rollback.keep(f"{new_role}, is kept, since {old_role}, may be revoked; run this again to complete it")

    complete_if_interrupted(delete, COMPLETION_TIMEOUT)
