"""Offboard people: report what they could reach and which secrets they may know, then remove them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._async.workflows.client_state import limit_parallel_requests, own_client_id, server_now
from pinecone_admin._async.workflows.read_people import list_people, refuse_if_back
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._async.workflows.take_inventory import take_inventory
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import (
    as_plain_value,
    check_email,
    check_sequence,
    place_in,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.lookup import find_user, normalize_email
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import (
    ConflictError,
    NotFoundError,
    PineconeError,
    PineconeValueError,
    RefusedError,
)
from pinecone_admin.models import APIKey, Invite, PrincipalType, RoleBinding, User
from pinecone_admin.workflows.changes import Change, Step
from pinecone_admin.workflows.ending import ends_everything, is_finished
from pinecone_admin.workflows.inventory import (
    Inventory,
    describe_hidden_projects,
    find_hidden_bindings,
    find_unlisted_projects,
)
from pinecone_admin.workflows.offboarding import (
    build_report,
    check_complete,
    find_hidden,
    has_no_person,
    list_unseen,
    preview_plan,
)
from pinecone_admin.workflows.plans import (
    Left,
    OffboardManyReport,
    OffboardPlan,
    check_plan,
    explain_left,
    find_help_code,
    find_organization,
    may_be_deleted,
)
from pinecone_admin.workflows.reports import OffboardReport
from pinecone_admin.workflows.roles import find_owner_ids, is_ownership, roles_by_project

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def offboard(
    run: AsyncRun, *, email: str, begin: Callable[[OffboardReport], object] | None = None
) -> OffboardReport:
    """Read everything, refuse before the first change, withdraw the invites, and remove the user last.

    The user's roles show which secrets they may know, and are deleted with the user. So the next run of an interrupted
    one can still report them. Before the first change, ``begin`` gets the report, which has every step at the end, also
    after an interruption.
    """
    email = as_plain_value(email)
    with set_operation_on_errors("offboard"):
        check_email("email", email)
    inventory = await _read_access_of(run.admin, email)
    report = build_report(inventory, email)
    if has_no_person(report):
        raise NotFoundError(
            f"no user or invite has the address {email}; an earlier run may have removed the person",
            operation="offboard",
        )
    check_complete(inventory, operation="offboard")
    if run.dry_run:
        return report
    if report.refusal is not None:
        raise RefusedError(report.refusal, operation="offboard")
    done = evolve(report, dry_run=False, steps=run.steps)
    if begin is not None:
        begin(done)
    await _carry_out(run, report.steps)
    return done


async def plan_offboarding(run: AsyncRun, *, emails: Sequence[str] | None) -> OffboardPlan:
    """Read the organization once, and report on each person."""
    with set_operation_on_errors("offboard_many"):
        distinct = _check_emails(emails)
    inventory = await take_inventory(run)
    check_complete(inventory)
    hidden = find_hidden(inventory)
    reports = [] if hidden else [build_report(inventory, email) for email in distinct]
    organization = find_organization(inventory.organizations, operation="offboard_many")
    return OffboardPlan(
        organization_id=organization.id,
        organization=organization.name,
        client_id=own_client_id(run.admin),
        made_at=inventory.taken_at,
        not_found=[report.email for report in reports if has_no_person(report)],
        unseen=list_unseen(distinct, hidden) if hidden else [],
        reports=[report for report in reports if not has_no_person(report)],
        owner_ids=find_owner_ids(inventory.role_bindings),
    )


async def carry_out_offboarding(
    run: AsyncRun,
    *,
    emails: Sequence[str] | None,
    plan: OffboardPlan,
    begin: Callable[[OffboardManyReport], object] | None = None,
) -> OffboardManyReport:
    """Read the organization again, refuse before the first change, and remove everybody who is as in the plan.

    Before the first change, ``begin`` gets the report, which has everybody at the end, also after an interruption.
    """
    with set_operation_on_errors("offboard_many"):
        planned = {normalize_email(email) for email in check_plan(plan, OffboardPlan).emails}
        if emails is not None and {normalize_email(each) for each in _check_emails(emails)} != planned:
            raise value_error("emails", "are not those of the plan: pass only the plan, or make another one")
    preview = preview_plan(plan, await take_inventory(run))
    result = evolve(preview, dry_run=False, reports=[], steps=[])
    if begin is not None:
        begin(result)
    try:
        for report in preview.reports:
            await _remove(run, report, result)
    finally:
        named = {*(each.email for each in result.reports), *(each.name for each in result.left)}
        result.left.extend(_leave(each, "the run ended before") for each in preview.reports if each.email not in named)
    return result


async def _remove(run: AsyncRun, report: OffboardReport, result: OffboardManyReport) -> None:
    """Remove a person of a plan, and add what was done to the result."""
    part = AsyncRun(run.admin, run.operation, dry_run=False)
    try:
        await _carry_out(part, report.steps)
    except PineconeError as error:
        if ends_everything(error):
            raise
        last = "invite" if report.user is None else "user"
        left = _leave(report, explain_left(error, last), find_help_code(error))
        result.left.append(evolve(left, may_be_deleted=may_be_deleted(error, last)))
    finally:
        result.steps.extend(part.steps)
        is_left = any(each.name == report.email for each in result.left)
        if is_finished(part.steps) and not is_left:
            result.reports.append(evolve(report, dry_run=False, steps=part.steps))


def _leave(report: OffboardReport, reason: str, help_code: str | None = None) -> Left:
    id = "" if report.user is None else report.user.id
    return Left(id=id, name=report.email, reason=reason, help_code=help_code)


def _check_emails(emails: Sequence[str] | None) -> list[str]:
    """Return each email address once."""
    if emails is None:
        raise PineconeValueError("pass either ", Name("emails"), " or a ", Name("plan"))
    distinct: dict[str, str] = {}
    for position, email in enumerate(check_sequence("emails", emails)):
        check_email(place_in("emails", f"[{position}]"), email)
        plain = str(as_plain_value(email))
        distinct.setdefault(normalize_email(plain), plain)
    return list(distinct.values())


async def _carry_out(run: AsyncRun, steps: Sequence[Step]) -> None:
    """Delete the invites and then the user; what was deleted before, or is not tried, is only recorded."""
    try:
        for step in steps:
            if step.state == "planned":
                await delete_person(run, step.change)
            else:
                run.steps.append(step)
        pairs = zip(steps, run.steps, strict=True)
        gone = [after for before, after in pairs if (before.state, after.state) == ("planned", "skipped")]
        if gone:
            await refuse_if_back(run, gone, known={each.change.target.id for each in steps})
    finally:
        not_run = (evolve(each.change, reason="the run ended before it") for each in steps[len(run.steps) :])
        run.steps.extend(Step(change=each, state="not_run") for each in not_run)


async def delete_person(run: AsyncRun, change: Change) -> None:
    """Delete a user or an invite, unless it was deleted before.

    Raises:
        RefusedError: The server refused.
    """
    try:
        await run.do(change)
    except ConflictError as error:
        reasons = "; ".join([error.message, *getattr(error, "__notes__", ())])
        raise RefusedError(
            f"the server refused to remove {change.target}: {reasons}", operation=run.operation
        ) from error


async def _read_access_of(admin: AsyncAdmin, email: str) -> Inventory:
    """Read the part of the organization that concerns one person, and its owners."""
    invites, users = await list_people(admin, email)
    find_user(users, email, operation="offboard")  # refuses several
    bindings = [each for user in users for each in await _list_bindings(admin, user)]
    is_owner = any(map(is_ownership, bindings))
    # An owner reaches every project, without a role on it. Roles are read first: a new project is listed then.
    on_projects = await admin.role_bindings.list(resource_type="project").to_list() if is_owner else bindings
    projects = await admin.projects.list() if bindings else []
    hidden = find_unlisted_projects(on_projects, projects)
    reached = roles_by_project(bindings, projects)
    keys = await _list_keys(admin, [project.id for project in projects if project.id in reached])
    accounts = await admin.service_accounts.list().to_list() if is_owner else []
    owners = (
        await admin.role_bindings.list(principal_type="user", role="OrgOwner").to_list() if users or invites else []
    )
    bindings += [each for invite in invites for each in await _list_bindings(admin, invite)]
    known = {binding.id for binding in bindings}
    bindings += [owner for owner in owners if owner.id not in known]
    return Inventory(
        taken_at=server_now(admin),
        organizations=[],
        projects=projects,
        api_keys=keys,
        users=users,
        invites=invites,
        service_accounts=accounts,
        role_bindings=bindings,
        unread=[*find_hidden_bindings(owners), *describe_hidden_projects(hidden)],
    )


async def _list_bindings(admin: AsyncAdmin, principal: User | Invite) -> list[RoleBinding]:
    kind: PrincipalType = "user" if isinstance(principal, User) else "invite"
    return await admin.role_bindings.list(principal_type=kind, principal_id=principal.id).to_list()


async def _list_keys(admin: AsyncAdmin, project_ids: Sequence[str]) -> list[APIKey]:
    found: dict[str, list[APIKey]] = {}
    await async_run_in_parallel(
        lambda project_id: admin.api_keys.list(project_id=project_id),
        project_ids,
        limit=limit_parallel_requests(admin),
        deliver=found.__setitem__,
    )
    return [key for project_id in project_ids for key in found[project_id]]
