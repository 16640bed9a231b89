"""Decide what offboarding a person means: what they could reach, and whether they can be removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from generated_client.models import Invite, User
from pinecone_admin._http.lookup import find_user, is_same_email
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import ForbiddenError, RefusedError
from pinecone_admin.workflows.changes import Change, Step
from pinecone_admin.workflows.ending import refer_to, step_from_gone
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.plans import (
    Left,
    OffboardManyReport,
    OffboardPlan,
    check_organization,
    raise_transient_failure,
    require_full_view,
)
from pinecone_admin.workflows.reports import OffboardReport, Reach
from pinecone_admin.workflows.resources import DisplayNames, is_hidden, name_unread
from pinecone_admin.workflows.roles import (
    bindings_by_principal,
    describe_lost_owners,
    find_owner_ids,
    is_ownership,
    roles_by_project,
)

_REMEDY = "make a new plan in a new file, and keep this one"


def find_users(inventory: Inventory, emails: Iterable[str]) -> list[User]:
    """Return the users with these email addresses."""
    return [user for email in emails for user in inventory.users if is_same_email(user.email, email)]


def find_hidden(inventory: Inventory) -> str | None:
    """Return why the account cannot tell who is in the organization, or None if it can."""
    hidden = [each for each in inventory.unread if each.part in {"users", "invites"} and is_hidden(each)]
    names = " and ".join(name_unread(each, ()) for each in hidden)
    return f"this account cannot see who is in the organization: {names} are hidden" if hidden else None


def check_complete(inventory: Inventory, *, operation: str = "offboard_many") -> None:
    """Raise an error if anything is unread, unless only the people are hidden.

    Then there is no report that could lack something.
    """
    if find_hidden(inventory) is None or not inventory.organizations:
        require_full_view(inventory, "nobody can be removed safely", operation=operation)
    else:
        raise_transient_failure(inventory.unread, operation=operation)


def build_report(inventory: Inventory, email: str) -> OffboardReport:
    """Return the report on a person as a dry run has it, from an inventory.

    Args:
        inventory: The organization, or the part of it that concerns the person.
        email: Email address of the person.

    Raises:
        AmbiguousNameError: Several users have the address.
    """
    user = find_user(inventory.users, email, operation="offboard_many")
    invites = [invite for invite in inventory.invites if is_same_email(invite.email, email)]
    held = bindings_by_principal(inventory.role_bindings)
    bindings = [] if user is None else held.get(("user", user.id), [])
    reached = roles_by_project(bindings, inventory.projects)
    is_owner = any(map(is_ownership, bindings))
    leaving = [] if user is None else [refer_to(user)]
    refusal = describe_lost_owners(find_owner_ids(inventory.role_bindings), leaving)
    return OffboardReport(
        email=email,
        dry_run=True,
        user=user,
        invites=invites,
        bindings=[*bindings, *(each for invite in invites for each in held.get(("invite", invite.id), []))],
        reach=[
            Reach(project=project, roles=reached[project.id]) for project in inventory.projects if project.id in reached
        ],
        keys_to_rotate=[key for key in inventory.api_keys if key.project_id in reached],
        # Only an OrgOwner creates service accounts and rotates their secrets, and so may have seen one.
        service_accounts_to_rotate=inventory.service_accounts if is_owner else [],
        refusal=refusal,
        steps=_list_deletions(invites, user) if refusal is None else [],
    )


def _list_deletions(invites: Sequence[Invite], user: User | None) -> list[Step]:
    people: list[Invite | User] = [*invites, *([] if user is None else [user])]
    return [Step(change=Change(action="delete", target=refer_to(person)), state="planned") for person in people]


def has_no_person(report: OffboardReport) -> bool:
    """Return whether no user and no invite has the address of a report."""
    return report.user is None and not report.invites


def preview_plan(plan: OffboardPlan, inventory: Inventory) -> OffboardManyReport:
    """Return what carrying out a plan would do, from an inventory that was taken after it.

    Raises:
        RefusedError: The plan is of another organization, not everything was read, or no user who is an owner would
            remain.
    """
    check_complete(inventory)
    check_organization(plan.organization_id, inventory.organizations, operation="offboard_many")
    others = [*plan.not_found, *(each.name for each in plan.unseen)]
    preview = OffboardManyReport(dry_run=True, not_found=[], unseen=[], reports=[], left=[], steps=[])
    if (hidden := find_hidden(inventory)) is not None:
        preview.unseen.extend(list_unseen([*(report.email for report in plan.reports), *others], hidden))
        return preview
    leaving = map(refer_to, find_users(inventory, (report.email for report in plan.reports)))
    if (refusal := describe_lost_owners(find_owner_ids(inventory.role_bindings), leaving)) is not None:
        raise RefusedError(refusal, operation="offboard_many")
    for planned in plan.reports:
        found = build_report(inventory, planned.email)
        reason = find_change(planned, found, inventory)
        if reason is None:
            preview.reports.append(_merge_reports(planned, found))
        else:
            id = "" if planned.user is None else planned.user.id
            preview.left.append(Left(id=id, name=planned.email, reason=f"{reason}; {_REMEDY}"))
    for email in others:
        found = build_report(inventory, email)
        if has_no_person(found):
            preview.not_found.append(email)
        else:
            reason = find_change(evolve(found, user=None, invites=[], bindings=[]), found, inventory)
            preview.left.append(Left(id="", name=email, reason=f"{reason}; {_REMEDY}"))
    preview.steps.extend(step for each in preview.reports for step in each.steps)
    return preview


def list_unseen(emails: Iterable[str], reason: str) -> list[Left]:
    """Return addresses that the account may not look up, with the reason."""
    return [Left(id="", name=email, reason=reason, help_code=ForbiddenError.help_code) for email in emails]


def _merge_reports(planned: OffboardReport, found: OffboardReport) -> OffboardReport:
    """Return the report on a person of a plan, whose user or invites an earlier run may have removed."""
    # Only the plan contains what was removed. It has no steps for a person who was the last owner.
    report = found if found.user is not None else evolve(planned, refusal=None)
    left = {each.change.target.id for each in _list_deletions(found.invites, found.user)}
    gone = [each for each in _list_deletions(planned.invites, planned.user) if each.change.target.id not in left]
    gone_ids = {each.change.target.id for each in gone}
    invites = {each.id: each for each in found.invites}
    held = {each.id for each in found.bindings}
    return evolve(
        report,
        invites=[invites.get(each.id, each) for each in planned.invites],
        bindings=[each for each in planned.bindings if each.id in held or each.principal_id in gone_ids],
        steps=[*(step_from_gone(each.change) for each in gone), *found.steps],
    )


def find_change(planned: OffboardReport, found: OffboardReport, inventory: Inventory) -> str | None:
    """Return what a person has gained since the plan, or None; an earlier run may have removed the rest."""
    if found.user is not None and (planned.user is None or planned.user.id != found.user.id):
        return f"user {found.user.id}, who has this address, is not in the plan"
    moved = [user for user in inventory.users if planned.user is not None and user.id == planned.user.id]
    if found.user is None and moved:
        return f"the address of user {moved[0].id} is now {quote_name(moved[0].email)}"
    new_invites = {invite.id for invite in found.invites} - {invite.id for invite in planned.invites}
    if new_invites:
        return f"the plan does not have invite {', '.join(sorted(new_invites))}"
    known = {binding.id for binding in planned.bindings}
    names = DisplayNames(inventory)
    new_roles = sorted(names.describe(binding) for binding in found.bindings if binding.id not in known)
    return f"the plan does not have the role {', '.join(new_roles)}" if new_roles else None
