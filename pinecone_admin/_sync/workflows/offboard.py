# Derived from pinecone_admin/_async/workflows/offboard.py by scripts/unasync.py: change that, not this file.
"""Offboard a user: report what they could reach and which secrets they may know, then remove them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._http.argument_checks import check_bool, check_email, set_operation_on_errors
from pinecone_admin._sync.workflows.create_with_secret import delete_if_exists
from pinecone_admin.errors import ConflictError, RefusedError
from pinecone_admin.models import APIKey, Invite, PrincipalType, RoleBinding, User
from pinecone_admin.workflows.reports import OffboardReport, Reach
from pinecone_admin.workflows.roles import SECRET_KEEPERS, roles_by_project

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_CONCURRENCY = 16


def offboard(admin: Admin, *, email: str, dry_run: bool) -> OffboardReport:
    """Read everything, refuse before the first change, withdraw the invites, and remove the user last.

    The user's roles show which secrets they may know, and are deleted with the user. So the next run of an interrupted
    one can still report them.
    """
    with set_operation_on_errors("offboard"):
        check_email("email", email)
        check_bool("dry_run", dry_run)
    report = _prepare_report(admin, email=email, dry_run=dry_run)
    if dry_run:
        return report
    if report.refusal is not None:
        raise RefusedError(report.refusal, operation="offboard")
    for invite in report.invites:
        delete_if_exists(admin.invites.delete, invite_id=invite.id)
        report.steps.append(f"withdrew invite {invite.id}")
    if report.user is not None:
        _delete_user(admin, report.user)
        report.steps.append(f"removed user {report.user.id}")
    return report


def _delete_user(admin: Admin, user: User) -> None:
    try:
        delete_if_exists(admin.users.delete, user_id=user.id)
    except ConflictError as error:
        raise RefusedError(
            f"the server refused to remove user {user.id}: {error.message}. If an identity provider manages the users "
            "of this organization, remove the user there",
            operation="offboard",
        ) from error


def _prepare_report(admin: Admin, *, email: str, dry_run: bool) -> OffboardReport:
    users = [user for user in admin.users.list(email=email) if user.email.casefold() == email.casefold()]
    invites = [invite for invite in admin.invites.list() if invite.email.casefold() == email.casefold()]
    user = users[0] if users else None
    bindings = [] if user is None else _list_bindings(admin, user)
    roles = {binding.role for binding in bindings}
    projects = admin.projects.list() if bindings else []
    reached = roles_by_project(bindings, projects)
    reach = [Reach(project=each, roles=reached[each.id]) for each in projects if each.id in reached]
    return OffboardReport(
        email=email,
        dry_run=dry_run,
        user=user,
        invites=invites,
        bindings=[*bindings, *[each for invite in invites for each in _list_bindings(admin, invite)]],
        reach=reach,
        keys_to_rotate=_list_keys(admin, reach),
        service_accounts_to_rotate=admin.service_accounts.list().to_list() if roles & SECRET_KEEPERS else [],
        refusal=_find_refusal(admin, user) if user is not None and "OrgOwner" in roles else None,
        steps=[],
    )


def _list_bindings(admin: Admin, principal: User | Invite) -> list[RoleBinding]:
    kind: PrincipalType = "user" if isinstance(principal, User) else "invite"
    return admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()


def _list_keys(admin: Admin, reach: Sequence[Reach]) -> list[APIKey]:
    found: dict[str, list[APIKey]] = {}

    def list_project_keys(project_id: str) -> list[APIKey]:
        return admin.api_keys.list(project_id=project_id)

    projects = [each.project.id for each in reach]
    limit = min(_CONCURRENCY, admin.max_connections)
    run_in_parallel(list_project_keys, projects, limit=limit, deliver=found.__setitem__)
    return [key for project_id in projects for key in found[project_id]]


def _find_refusal(admin: Admin, user: User) -> str | None:
    # The server keeps one user as owner: service accounts and invites that own the organization do not count.
    owners = admin.role_bindings.list(principal_type="user", role="OrgOwner").to_list()
    if any(owner.principal_id != user.id for owner in owners):
        return None
    return f"user {user.id} is the last owner of the organization who is a user: make someone else an OrgOwner first"
