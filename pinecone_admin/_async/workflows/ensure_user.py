"""Ensure that a person has roles: as a member of the organization, or by an invite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.change_log import AsyncChangeLog
from pinecone_admin._async.workflows.client_state import runs_workflow
from pinecone_admin._async.workflows.create_with_secret import delete_if_exists
from pinecone_admin._async.workflows.find_or_create import AsyncEnsurable
from pinecone_admin._async.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._async.workflows.rollback import AsyncRollback
from pinecone_admin._http.argument_checks import check_bool, copy_bindings, set_operation_on_errors
from pinecone_admin._http.lookup import is_same_email, require_single
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
from pinecone_admin.workflows.reports import Ensured, keys_of_wanted_bindings
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


@runs_workflow
async def ensure_user(
    admin: AsyncAdmin,
    *,
    email: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
    revoke_unlisted: bool,
    dry_run: bool,
) -> Ensured[User | Invite]:
    """Grant a member or a pending invite the missing roles, and invite anybody else."""
    policy = DifferencePolicy("ensure_user", "update", revoke_unlisted)
    with set_operation_on_errors("ensure_user"):
        policy.check()
        check_bool("dry_run", dry_run)
    bindings = copy_bindings(role_bindings)
    operation = create_invite(body=CreateInviteRequest(email=email, role_bindings=bindings))
    check_operation(operation)
    expired: list[Invite] = []

    async def find() -> User | Invite | None:
        users = [each async for each in admin.users.list(email=email) if is_same_email(each.email, email)]
        if users:
            return require_single(users, f"users with the email address {email!r}")
        invites = [each async for each in admin.invites.list() if is_same_email(each.email, email)]
        expired[:] = [each for each in invites if each.status == "expired"]
        pending = [each for each in invites if each.status == "pending"]
        return require_single(pending, f"invites for {email}") if pending else None

    async def create() -> User | Invite:
        return await admin.send(operation)

    changes = AsyncChangeLog(dry_run=dry_run)
    described = f"invite for {email}"
    roles = [str(each) for each in keys_of_wanted_bindings(bindings)]
    wanted = AsyncEnsurable(
        description=described,
        step=lambda made: Step(
            action="invite", kind="invite", name=email, id=None if made is None else made.id, after={"roles": roles}
        ),
        find=find,
        create=create,
        undo=None,
        is_unique=True,
    )
    async with AsyncRollback(admin) as rollback:
        person, created = await find(), False
        if person is None:
            # Resent, it would grant the roles that it carries; beside it, the server refuses a new one.
            for each in expired:
                step = Step(action="delete", kind="invite", name=each.email, id=each.id, reason="it has expired")
                await changes.apply(
                    step, partial(delete_if_exists, admin.invites.delete, invite_id=each.id), preview=None
                )
                rollback.note(f"the expired invite {each.id} was deleted; run this again to replace it")
            person, created, _ = await wanted.find_or_create(admin, changes, rollback)
        if person is None:
            return Ensured(value=None, created=True, steps=changes.steps)
        if created:
            rollback.keep(f"{described} was sent, and is kept")
        differing = await reconcile_bindings(
            admin, person, wanted=bindings, policy=policy, changes=changes, rollback=rollback
        )
    return Ensured(value=person, created=created, differences=differing, steps=changes.steps)
