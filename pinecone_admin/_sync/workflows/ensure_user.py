# Derived from pinecone_admin/_async/workflows/ensure_user.py by scripts/unasync.py: change that, not this file.
"""Ensure that a person has roles: as a member of the organization, or by an invite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pinecone_admin._http.argument_checks import as_plain_value, copy_bindings, set_operation_on_errors
from pinecone_admin._http.lookup import find_user
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._sync.workflows.ensure_binding import check_organization_ids
from pinecone_admin._sync.workflows.ensure_invite import delete_lapsed, find_new_member, fits_invite, require_pending
from pinecone_admin._sync.workflows.read_people import list_people
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin.errors import ConflictError
from pinecone_admin.models import CreateInviteRequest, Invite, RoleBindingDict, RoleBindingInput, RoleBindingLike, User
from pinecone_admin.operations import create_invite
from pinecone_admin.workflows.changes import Change, Ref
from pinecone_admin.workflows.ending import Created, refer_to_roles
from pinecone_admin.workflows.organization_index import has_lapsed
from pinecone_admin.workflows.reports import Ensured


def ensure_user(
    run: Run,
    *,
    email: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
    revoke_unlisted: bool,
) -> Ensured[User | Invite]:
    """Grant a member or a pending invite the missing roles, and invite anybody else."""
    email = as_plain_value(email)
    policy = DifferencePolicy("ensure_user", "update", revoke_unlisted)
    with set_operation_on_errors("ensure_user"):
        policy.check()
    bindings = copy_bindings(role_bindings)
    check_operation(create_invite(body=CreateInviteRequest(email=email, role_bindings=bindings)))
    check_organization_ids(run, bindings, "role_bindings")
    lapsed: list[Invite] = []

    def find() -> User | Invite | None:
        invites, users = list_people(run.admin, email)
        if (user := find_user(users, email, operation="ensure_user")) is not None:
            return user
        lapsed[:] = filter(has_lapsed, invites)
        return require_pending(invites, email)

    person, created = find(), False
    if person is None:
        delete_lapsed(run, lapsed)
        change = Change(action="invite", target=Ref("invite", email), roles=refer_to_roles(bindings))
        fits = partial(fits_invite, run, change)
        found_or_created: Created[User | Invite] = run.create(change, find, fits=fits, is_unique=True, can_undo=False)
        if run.dry_run:
            return Ensured(value=None, created=True, steps=run.steps)
        person, created = found_or_created.value, found_or_created.is_new
        if created:
            run.keep(f"invite for {email} was sent, and is kept")
    try:
        differing = reconcile_bindings(run, person, wanted=bindings, policy=policy)
    except ConflictError:
        if not isinstance(person, Invite) or (member := find_new_member(run, email)) is None:
            raise
        # A member stays one, so that once is enough.
        person, differing = member, reconcile_bindings(run, member, wanted=bindings, policy=policy)
    return Ensured(value=person, created=created, differences=differing, steps=run.steps)
