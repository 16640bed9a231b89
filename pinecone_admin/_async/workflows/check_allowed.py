"""Refuse, before the first change, what nobody may lose."""

from __future__ import annotations

from collections.abc import Sequence

from pinecone_admin._async.workflows.client_state import find_caller, list_accounts_to_judge, server_now
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin.models import RoleBinding, ServiceAccount
from pinecone_admin.workflows.changes import Change, concerns_owner
from pinecone_admin.workflows.guard import find_refusals, raise_refusals, takes_from_account
from pinecone_admin.workflows.organization_index import OrganizationIndex
from pinecone_admin.workflows.resources import Resources


async def check_allowed(
    run: AsyncRun,
    changes: Sequence[Change],
    bindings: Sequence[RoleBinding],
    accounts: Sequence[ServiceAccount] = (),
    *,
    client_id: str | None = None,
    allow_own: bool = False,
) -> None:
    """Raise before the first change if some leave no owner, or take from the account of the caller.

    Args:
        run: The run.
        changes: The changes.
        bindings: Role bindings of those who lose a role on the organization.
        accounts: The service accounts that lose something.
        client_id: Client id of the caller, if the client has only a token.
        allow_own: Whether the account of the caller may lose something.

    Raises:
        RefusedError: The changes must not be made.
    """
    caller = find_caller(run.admin, client_id, operation=run.operation)
    if any(map(takes_from_account, changes)):
        accounts = await list_accounts_to_judge(run.admin, caller, accounts)
    owners: list[RoleBinding] = []
    if any(each.target.kind == "user" and concerns_owner(each) for each in changes):
        owners = await run.admin.role_bindings.list(principal_type="user", role="OrgOwner").to_list()
    known = {each.id for each in bindings}
    organization = Resources(
        taken_at=server_now(run.admin),
        organizations=[],
        projects=[],
        api_keys=[],
        users=[],
        invites=[],
        service_accounts=[*accounts],
        role_bindings=[*bindings, *(each for each in owners if each.id not in known)],
    )
    refusals = find_refusals(changes, OrganizationIndex(organization), caller, allow_own=allow_own)
    raise_refusals(refusals, operation=run.operation)
