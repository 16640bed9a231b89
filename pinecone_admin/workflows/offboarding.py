"""Decide what offboarding a person means: what they could reach, and whether they can be removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import evolve

from generated_client.models import Invite, RoleBinding, User
from pinecone_admin._http.lookup import is_same_email
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.reports import OffboardReport, Reach
from pinecone_admin.workflows.roles import SECRET_KEEPERS, bindings_by_principal, roles_by_project
from pinecone_admin.workflows.steps import Step


def find_user_ids(inventory: Inventory, emails: Iterable[str]) -> set[str]:
    """Return the ids of the users with these email addresses."""
    return {user.id for email in emails for user in inventory.users if is_same_email(user.email, email)}


def build_report(inventory: Inventory, email: str, *, dry_run: bool, leaving: Collection[str] = ()) -> OffboardReport:
    """Return the report of a person, from an inventory; that of a dry run has the steps of a real run.

    Args:
        inventory: The organization, or the part of it that concerns the person.
        email: Email address of the person.
        dry_run: Whether the report is only a preview.
        leaving: Ids of the users who are removed together with this one.
    """
    user = next((each for each in inventory.users if is_same_email(each.email, email)), None)
    invites = [each for each in inventory.invites if is_same_email(each.email, email)]
    held = bindings_by_principal(inventory.role_bindings)
    bindings = [] if user is None else held.get(("user", user.id), [])
    reached = roles_by_project(bindings, inventory.projects)
    is_owner = any(each.role == "OrgOwner" for each in bindings)
    keeps_secrets = any(each.role in SECRET_KEEPERS for each in bindings)
    report = OffboardReport(
        email=email,
        dry_run=dry_run,
        user=user,
        invites=invites,
        bindings=[*bindings, *(each for invite in invites for each in held.get(("invite", invite.id), []))],
        reach=[Reach(project=each, roles=reached[each.id]) for each in inventory.projects if each.id in reached],
        keys_to_rotate=[each for each in inventory.api_keys if each.project_id in reached],
        service_accounts_to_rotate=inventory.service_accounts if keeps_secrets else [],
        refusal=find_refusal(inventory.role_bindings, {user.id, *leaving}) if user is not None and is_owner else None,
        steps=[],
    )
    if not dry_run or report.refusal is not None:
        return report
    removed: list[User | Invite] = [*invites, *([] if user is None else [user])]
    return evolve(report, steps=[describe_removal(each, planned=True) for each in removed])


def describe_removal(principal: User | Invite, *, planned: bool = False) -> Step:
    """Return the deletion of a user or an invite."""
    kind = "user" if isinstance(principal, User) else "invite"
    return Step(action="delete", kind=kind, name=principal.email, id=principal.id, planned=planned)


def find_refusal(bindings: Iterable[RoleBinding], leaving: Collection[str]) -> str | None:
    """Return why these users cannot all be removed, or None.

    The server keeps one user as owner: service accounts and invites that own the organization do not count.
    """
    owners = {each.principal_id for each in bindings if (each.principal_type, each.role) == ("user", "OrgOwner")}
    leaving_owners = sorted(owners.intersection(leaving))
    if not leaving_owners or not owners.issubset(leaving):
        return None
    ids = ", ".join(leaving_owners)
    if len(leaving_owners) == 1:
        who = f"user {ids} is the last owner of the organization who is a user"
    else:
        who = f"users {ids} are the last owners of the organization who are users"
    return f"{who}: make someone else an OrgOwner first"


def find_change(planned: OffboardReport, found: OffboardReport, inventory: Inventory) -> str | None:
    """Return what a person has gained since the plan, or None; an earlier run may have removed the rest."""
    if found.user is not None and (planned.user is None or planned.user.id != found.user.id):
        return f"user {found.user.id}, who has this address, is not in the plan"
    moved = [each for each in inventory.users if planned.user is not None and each.id == planned.user.id]
    if found.user is None and moved:
        return f"the address of user {moved[0].id} is now {moved[0].email!r}"
    new_invites = {each.id for each in found.invites} - {each.id for each in planned.invites}
    if new_invites:
        return f"the plan does not have invite {', '.join(sorted(new_invites))}"
    known = {each.id for each in planned.bindings}
    new_roles = sorted(f"{each.role} on {each.resource_type}" for each in found.bindings if each.id not in known)
    return f"the plan does not have the role {', '.join(new_roles)}" if new_roles else None
