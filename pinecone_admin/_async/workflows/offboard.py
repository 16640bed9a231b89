"""Offboard people: report what they could reach and which secrets they may know, then remove them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._async.workflows.create_with_secret import delete_if_exists
from pinecone_admin._async.workflows.take_inventory import take_inventory
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_email,
    check_sequence,
    place_in,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.lookup import is_same_email, normalize_email
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import (
    ClientClosedError,
    ConflictError,
    PineconeError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
)
from pinecone_admin.models import APIKey, Invite, PrincipalType, RoleBinding, User
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.offboarding import (
    build_report,
    describe_removal,
    find_change,
    find_refusal,
    find_user_ids,
)
from pinecone_admin.workflows.plans import (
    Left,
    OffboardManyReport,
    OffboardPlan,
    check_organization,
    check_plan,
    find_organization,
)
from pinecone_admin.workflows.reports import OffboardReport
from pinecone_admin.workflows.roles import SECRET_KEEPERS, roles_by_project
from pinecone_admin.workflows.steps import Step

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
    report = build_report(await _read_access_of(admin, email), email, dry_run=dry_run)
    if dry_run:
        return report
    if report.refusal is not None:
        raise RefusedError(report.refusal, operation="offboard")
    await _remove(admin, report.invites, report.user, report.steps, operation="offboard")
    return report


async def plan_offboarding(admin: AsyncAdmin, *, emails: Sequence[str] | None) -> OffboardPlan:
    """Read the organization once, and report on each person."""
    with set_operation_on_errors("offboard_many"):
        distinct = _check_emails(emails)
    inventory = await _read_organization(admin)
    leaving = find_user_ids(inventory, distinct)
    return OffboardPlan(
        organization_id=find_organization(inventory.organizations, operation="offboard_many").id,
        made_at=inventory.taken_at,
        reports=[build_report(inventory, email, dry_run=True, leaving=leaving) for email in distinct],
        refusal=find_refusal(inventory.role_bindings, leaving),
    )


async def carry_out_offboarding(
    admin: AsyncAdmin, *, emails: Sequence[str] | None, plan: OffboardPlan
) -> OffboardManyReport:
    """Read the organization again, refuse before the first change, and remove everybody who is as in the plan."""
    with set_operation_on_errors("offboard_many"):
        planned = {normalize_email(each.email): each for each in check_plan(plan, OffboardPlan).reports}
        if emails is not None and {normalize_email(each) for each in _check_emails(emails)} != planned.keys():
            raise value_error("emails", "are not those of the plan: pass only the plan, or make another one")
    inventory = await _read_organization(admin)
    check_organization(plan.organization_id, inventory.organizations, operation="offboard_many")
    refusal = find_refusal(inventory.role_bindings, find_user_ids(inventory, planned))
    if refusal is not None:
        raise RefusedError(refusal, operation="offboard_many")
    result = OffboardManyReport(reports=[], left=[], steps=[])
    for each in planned.values():
        found = build_report(inventory, each.email, dry_run=False)
        reason = find_change(each, found, inventory) or await _remove_planned(admin, each, found, result)
        if reason is not None:
            result.left.append(Left(id="" if each.user is None else each.user.id, name=each.email, reason=reason))
    return result


async def _remove_planned(
    admin: AsyncAdmin, planned: OffboardReport, found: OffboardReport, result: OffboardManyReport
) -> str | None:
    """Remove a person, or return why that failed; the others can still be removed."""
    # What an earlier run removed is known only from the plan.
    report = found if found.user is not None else evolve(planned, dry_run=False, invites=found.invites, steps=[])
    try:
        await _remove(admin, found.invites, found.user, report.steps, operation="offboard_many")
    except (ClientClosedError, ReadOnlyError):
        raise
    except PineconeError as error:
        return str(error)
    else:
        if found.user is None and planned.user is not None:
            skipped = evolve(describe_removal(planned.user), action="skip", reason="the user was already deleted")
            report.steps.append(skipped)
        result.reports.append(report)
        return None
    finally:
        result.steps.extend(report.steps)


def _check_emails(emails: Sequence[str] | None) -> list[str]:
    """Return each email address once."""
    if emails is None:
        raise PineconeValueError("pass either ", Name("emails"), " or a ", Name("plan"))
    distinct: dict[str, str] = {}
    for position, email in enumerate(check_sequence("emails", emails)):
        check_email(place_in("emails", f"[{position}]"), email)
        distinct.setdefault(normalize_email(str(email)), str(email))
    return list(distinct.values())


async def _remove(
    admin: AsyncAdmin, invites: Sequence[Invite], user: User | None, steps: list[Step], *, operation: str
) -> None:
    for invite in invites:
        await delete_if_exists(admin.invites.delete, invite_id=invite.id)
        steps.append(describe_removal(invite))
    if user is not None:
        await _delete_user(admin, user, operation=operation)
        steps.append(describe_removal(user))


async def _delete_user(admin: AsyncAdmin, user: User, *, operation: str) -> None:
    try:
        await delete_if_exists(admin.users.delete, user_id=user.id)
    except ConflictError as error:
        raise RefusedError(
            f"the server refused to remove user {user.id}: {error.message}. If an identity provider manages the users "
            "of this organization, remove the user there",
            operation=operation,
        ) from error


async def _read_organization(admin: AsyncAdmin) -> Inventory:
    inventory = await take_inventory(admin, concurrency=_CONCURRENCY, progress=None)
    if inventory.unread:
        parts = "; ".join(map(str, inventory.unread))
        raise RefusedError(f"not everything could be read: {parts}", operation="offboard_many")
    return inventory


async def _read_access_of(admin: AsyncAdmin, email: str) -> Inventory:
    """Read the part of the organization that concerns one person, and its owners if the person is one."""
    users = [user async for user in admin.users.list(email=email) if is_same_email(user.email, email)]
    invites = [invite async for invite in admin.invites.list() if is_same_email(invite.email, email)]
    bindings = [each for user in users[:1] for each in await _list_bindings(admin, user)]
    roles = {each.role for each in bindings}
    projects = await admin.projects.list() if bindings else []
    reached = roles_by_project(bindings, projects)
    keys = await _list_keys(admin, [each.id for each in projects if each.id in reached])
    accounts = await admin.service_accounts.list().to_list() if roles & SECRET_KEEPERS else []
    bindings += [each for invite in invites for each in await _list_bindings(admin, invite)]
    if "OrgOwner" in roles:
        known = {each.id for each in bindings}
        owners = admin.role_bindings.list(principal_type="user", role="OrgOwner")
        bindings += [each async for each in owners if each.id not in known]
    return Inventory(
        taken_at=datetime.fromtimestamp(current_clock().wall(), UTC),
        organizations=[],
        projects=projects,
        api_keys=keys,
        users=users,
        invites=invites,
        service_accounts=accounts,
        role_bindings=bindings,
    )


async def _list_bindings(admin: AsyncAdmin, principal: User | Invite) -> list[RoleBinding]:
    kind: PrincipalType = "user" if isinstance(principal, User) else "invite"
    return await admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()


async def _list_keys(admin: AsyncAdmin, project_ids: Sequence[str]) -> list[APIKey]:
    found: dict[str, list[APIKey]] = {}

    async def list_project_keys(project_id: str) -> list[APIKey]:
        return await admin.api_keys.list(project_id=project_id)

    limit = min(_CONCURRENCY, admin.max_connections)
    await async_run_in_parallel(list_project_keys, project_ids, limit=limit, deliver=found.__setitem__)
    return [key for project_id in project_ids for key in found[project_id]]
