"""Ensure that a pending invite to an address exists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pinecone_admin._async.workflows.ensure_binding import check_organization_ids
from pinecone_admin._async.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import as_plain_value, copy_bindings, set_operation_on_errors
from pinecone_admin._http.lookup import find_user, is_same_email, require_single
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.models import (
    CreateInviteRequest,
    Invite,
    RoleBindingDict,
    RoleBindingInput,
    RoleBindingLike,
    User,
)
from pinecone_admin.operations import create_invite
from pinecone_admin.workflows.change_operations import fits
from pinecone_admin.workflows.changes import Change, Ref, Settings
from pinecone_admin.workflows.ending import Created, refer_to, refer_to_roles, step_from_accepted
from pinecone_admin.workflows.organization_index import has_lapsed, read_held_roles
from pinecone_admin.workflows.reports import Ensured, OnDifference

LAPSED = "it cannot be accepted any more"
"""Why an invite is deleted before another one is sent."""


async def ensure_invite(
    run: AsyncRun,
    *,
    email: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
) -> Ensured[Invite]:
    """Ensure that a pending invite for this address exists; an expired one is sent again only with these roles."""
    email = as_plain_value(email)
    policy, began = DifferencePolicy("ensure_invite", on_difference, revoke_unlisted), len(run.steps)
    with set_operation_on_errors("ensure_invite"):
        policy.check()
    bindings = copy_bindings(role_bindings)
    check_operation(create_invite(body=CreateInviteRequest(email=email, role_bindings=bindings)))
    await check_organization_ids(run, bindings, "role_bindings")
    invites = [each async for each in run.admin.invites.list() if is_same_email(each.email, email)]
    invite, created = require_pending(invites, email), False
    if invite is None:
        change = Change(action="invite", target=Ref("invite", email), roles=refer_to_roles(bindings))
        if lapsed := [*filter(has_lapsed, invites)]:
            if await fits_invite(run, change, lapsed[-1]):
                change = Change(action="resend", target=refer_to(lapsed[-1]))
            else:
                await delete_lapsed(run, lapsed)
        found_or_created = await _send_invite(run, change)
        if run.dry_run:
            return Ensured(value=None, created=True, steps=run.steps[began:])
        invite, created = found_or_created.value, found_or_created.is_new
        if created:
            run.keep(f"invite for {email} was sent, and is kept")
    differing = await reconcile_bindings(run, invite, wanted=bindings, policy=policy)
    return Ensured(value=invite, created=created, differences=differing, steps=run.steps[began:])


async def delete_lapsed(run: AsyncRun, invites: Sequence[Invite]) -> None:
    """Delete lapsed invites: sent again, they grant the roles that they carry, and the server refuses another one."""
    for each in invites:
        await run.do(Change(action="delete", target=refer_to(each), reason=LAPSED))
        run.note(f"invite {each.id} could not be accepted any more, and was deleted; run this again to replace it")


async def _send_invite(run: AsyncRun, change: Change) -> Created[Invite]:
    """Send an invite to an address that has no pending one; its mail cannot be undone."""

    async def find_pending() -> Invite | None:
        return require_pending(await run.admin.invites.list().to_list(), change.target.name or "")

    fits = partial(fits_invite, run, change)
    return await run.create(change, find_pending, fits=fits, is_unique=True, can_undo=False)


def require_pending(invites: Sequence[Invite], email: str) -> Invite | None:
    """Return the pending invite to an address, or None if it has none."""
    pending = [invite for invite in invites if invite.status == "pending" and is_same_email(invite.email, email)]
    return require_single(pending, f"invites for {email}") if pending else None


async def find_new_member(run: AsyncRun, email: str) -> User | None:
    """Return the member in place of an invite whose change the server has just refused; None if there is none.

    The change is skipped then: the roles of the invite are those of the member, and what was wanted is given to them.
    """
    users = await run.admin.users.list(email=email).to_list()
    member = find_user(users, email, operation=run.operation)
    if member is not None:
        run.steps[-1] = step_from_accepted(run.steps[-1])
    return member


async def fits_invite(run: AsyncRun, change: Change, found: User | Invite) -> bool:
    """Return whether a person is the invite of a request, with the roles that it sends."""
    if change.action == "resend":
        return found.id == change.target.id
    bindings = await run.admin.role_bindings.list(principal_type="invite", principal_id=found.id).to_list()
    return isinstance(found, Invite) and fits(change, Settings(), read_held_roles(bindings))
