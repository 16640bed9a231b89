"""Change a role: create the new binding, then delete the old one, so that the principal is never without both."""

from __future__ import annotations

from pinecone_admin._async.workflows.check_allowed import check_allowed
from pinecone_admin._async.workflows.ensure_binding import check_place, ensure_role_binding
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import as_plain_value, check_bool, check_identifier, set_operation_on_errors
from pinecone_admin._http.operation_checks import binding_fields, check_operation, check_scope
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import NotFoundError, PineconeValueError
from pinecone_admin.models import CreateRoleBindingRequest, PrincipalType, ResourceType, RoleBinding, RoleName
from pinecone_admin.operations import create_role_binding
from pinecone_admin.workflows.changes import Change, Ref, RoleAt
from pinecone_admin.workflows.guard import check_client_id
from pinecone_admin.workflows.reports import RoleChange, describe_binding
from pinecone_admin.workflows.sent_changes import IgnoreGone


async def change_role(
    run: AsyncRun,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    resource_type: ResourceType,
    resource_id: str | None,
    from_role: RoleName,
    to_role: RoleName,
    allow_own: bool,
    client_id: str | None,
) -> RoleChange:
    """Grant the new role, then revoke the old one; if the server refuses that, revoke the new role again."""
    from_role, to_role = as_plain_value(from_role), as_plain_value(to_role)
    with set_operation_on_errors("change_role"):
        check_identifier("from_role", from_role)
        check_identifier("to_role", to_role)
        check_bool("allow_own", allow_own)
        check_client_id(client_id)
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
            raise PineconeValueError(Name("from_role"), " and ", Name("to_role"), f" are both {to_role}")
    bindings = run.admin.role_bindings.list(
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    present = await bindings.to_list()
    run.known.update(each.id for each in present)
    held = [binding for binding in present if binding.role in {from_role, to_role}]
    if not held:
        held_roles = f"holds neither {from_role} nor {to_role} on this {resource_type}, as far as this account sees"
        noun = {"api_key": "API key"}.get(principal_type, principal_type.replace("_", " "))
        raise NotFoundError(f"{noun} {principal_id} {held_roles}", operation="change_role")
    check_place(resource_type)
    principal = Ref(held[0].principal_type, None, held[0].principal_id)
    granted, revoked = (
        RoleAt(role, Ref("project", None, held[0].resource_id) if held[0].resource_type == "project" else None)
        for role in (to_role, from_role)
    )
    if any(each.role == from_role for each in held):
        accounts = []
        if principal.kind == "service_account":
            with IgnoreGone():  # an owner of the project alone sees no accounts
                accounts = [await run.admin.service_accounts.describe(service_account_id=principal_id)]
        changes = [
            Change(action="grant", target=principal, roles=(granted,)),
            Change(action="revoke", target=principal, roles=(revoked,)),
        ]
        await check_allowed(run, changes, present, accounts, client_id=client_id, allow_own=allow_own)
    new = await ensure_role_binding(
        run,
        principal_type=principal_type,
        principal_id=principal_id,
        resource_type=resource_type,
        resource_id=resource_id,
        role=to_role,
    )
    for old in held:
        if old.role == from_role:
            change = Change(action="revoke", target=principal, roles=(revoked,))
            await _revoke(run, change, old, new=None if run.dry_run and new.created else new.value)
    return RoleChange(binding=held[0] if run.dry_run and new.created else new.value, steps=run.steps)


async def _revoke(run: AsyncRun, change: Change, old: RoleBinding, *, new: RoleBinding | None) -> None:
    """Revoke the old role; the new one is kept unless the server refuses, since the old one may be gone."""
    old_role = f"the old role, {old.role} (role binding {old.id})"
    kept = ""
    if new is not None:
        new_role = f"the new role, {describe_binding(new)} (role binding {new.id})"
        kept = f"{new_role}, is kept because {old_role}, may have been revoked; run this again to finish"
    await run.do(
        change,
        binding_id=old.id,
        then_keep=kept,
        if_rejected=f"{old_role}, was not revoked, because the server refused it",
    )
