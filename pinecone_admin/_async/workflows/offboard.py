"""Offboard a user: report what they could reach and which secrets they may know, then remove them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.create_with_secret import delete_if_exists
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import check_bool, check_email, set_operation_on_errors
from pinecone_admin.errors import ConflictError, RefusedError
from pinecone_admin.models import APIKey, Invite, PrincipalType, RoleBinding, User
from pinecone_admin.workflows.reports import OffboardReport, Reach
from pinecone_admin.workflows.roles import SECRET_KEEPERS, roles_by_project

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

_CONCURRENCY = 16


async def offboard(admin: AsyncAdmin, *, email: str, dry_run: bool) -> OffboardReport:
    """Read everything, refuse before the first change, withdraw the invites, and remove the user last.

    The user's roles show which secrets they may know, and are deleted with the user. So the next run of an interrupted
    one can still report them.
    """
    with set_operation_on_errors("offboard"):
        check_email("email", email)
        check_bool("dry_run", dry_run)
    report = await _prepare_report(admin, email=email, dry_run=dry_run)
    if dry_run:
        return report
    if report.refusal is not None:
        raise RefusedError(report.refusal, operation="offboard")
    for invite in report.invites:
        await delete_if_exists(admin.invites.delete, invite_id=invite.id)
        report.steps.append(f"withdrew invite {invite.id}")
    if report.user is not None:
        await _delete_user(admin, report.user)
        report.steps.append(f"removed user {report.user.id}")
    return report


async def _delete_user(admin: AsyncAdmin, user: User) -> None:
    try:
        await delete_if_exists(admin.users.delete, user_id=user.id)
    except ConflictError as error:
        raise RefusedError(
            f"the server refused to remove user {user.id}: {error.message}. If an identity provider manages the users "
            "of this organization, remove the user there",
            operation="offboard",
        ) from error


async def _prepare_report(admin: AsyncAdmin, *, email: str, dry_run: bool) -> OffboardReport:
    users = [user async for user in admin.users.list(email=email) if user.email.casefold() == email.casefold()]
    invites = [invite async for invite in admin.invites.list() if invite.email.casefold() == email.casefold()]
    user = users[0] if users else None
    bindings = [] if user is None else await _list_bindings(admin, user)
    roles = {binding.role for binding in bindings}
    projects = await admin.projects.list() if bindings else []
    reached = roles_by_project(bindings, projects)
    reach = [Reach(project=each, roles=reached[each.id]) for each in projects if each.id in reached]
    return OffboardReport(
        email=email,
        dry_run=dry_run,
        user=user,
        invites=invites,
        bindings=[*bindings, *[each for invite in invites for each in await _list_bindings(admin, invite)]],
        reach=reach,
        keys_to_rotate=await _list_keys(admin, reach),
        service_accounts_to_rotate=await admin.service_accounts.list().to_list() if roles & SECRET_KEEPERS else [],
        refusal=await _find_refusal(admin, user) if user is not None and "OrgOwner" in roles else None,
        steps=[],
    )


async def _list_bindings(admin: AsyncAdmin, principal: User | Invite) -> list[RoleBinding]:
    kind: PrincipalType = "user" if isinstance(principal, User) else "invite"
    return await admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()


async def _list_keys(admin: AsyncAdmin, reach: Sequence[Reach]) -> list[APIKey]:
    found: dict[str, list[APIKey]] = {}

    async def list_project_keys(project_id: str) -> list[APIKey]:
        return await admin.api_keys.list(project_id=project_id)

    projects = [each.project.id for each in reach]
    limit = min(_CONCURRENCY, admin.max_connections)
    await async_run_in_parallel(list_project_keys, projects, limit=limit, deliver=found.__setitem__)
    return [key for project_id in projects for key in found[project_id]]


async def _find_refusal(admin: AsyncAdmin, user: User) -> str | None:
    # The server keeps one user as owner: service accounts and invites that own the organization do not count.
    owners = await admin.role_bindings.list(principal_type="user", role="OrgOwner").to_list()
    if any(owner.principal_id != user.id for owner in owners):
        return None
    return f"user {user.id} is the last owner of the organization who is a user: make someone else an OrgOwner first"
