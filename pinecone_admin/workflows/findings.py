"""Find risks and leftovers in an inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from attrs import field, frozen

from generated_client.models import APIKey, PrincipalType, RoleBinding
from generated_client.types import Misfit, read_date_time
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.printable import make_printable
from pinecone_admin.workflows.inventory import DisplayNames, Inventory
from pinecone_admin.workflows.retired_keys import delete_after
from pinecone_admin.workflows.roles import ORGANIZATION_WRITERS, bindings_by_principal

FindingKind: TypeAlias = Literal[
    "could-not-be-read",
    "many-owners",
    "invite-pending-long",
    "invite-expired",
    "service-account-without-roles",
    "service-account-writes-organization-wide",
    "key-is-an-editor",
    "key-is-old",
    "key-age-unknown",
    "retired-key-overdue",
    "principal-is-gone",
]


@frozen(kw_only=True)
class Finding:
    """Something in an inventory that a reviewer should check.

    Attributes:
        kind: Kind of the finding, such as ``"many-owners"``.
        text: Description, with the ids of principals that have no email address.
    """

    kind: FindingKind
    text: str = field(converter=make_printable)


def find_many_owners(owners: Sequence[str], max_owners: int) -> list[Finding]:
    """Return a finding if the organization has more than ``max_owners`` owners."""
    if len(owners) <= max_owners:
        return []
    text = f"the organization has {count_noun(len(owners), 'owner')}, more than {max_owners}: {', '.join(owners)}"
    return [Finding(kind="many-owners", text=text)]


def find_stale_invites(inventory: Inventory, max_pending: timedelta) -> list[Finding]:
    """Find invites that have expired or have been pending for longer than ``max_pending``."""
    findings: list[Finding] = []
    for invite in inventory.invites:
        holder = f"invite for {invite.email} ({invite.id})"
        age = inventory.taken_at - invite.created_at
        days = count_noun(age.days, "day")
        if invite.status == "expired":
            findings.append(Finding(kind="invite-expired", text=f"{holder} expired and was not withdrawn"))
        elif invite.status == "pending" and age > max_pending:
            findings.append(Finding(kind="invite-pending-long", text=f"{holder} has been pending for {days}"))
    return findings


def find_risky_service_accounts(inventory: Inventory) -> list[Finding]:
    """Find service accounts that have no role or can change the organization."""
    if any(each.part == "role_bindings" for each in inventory.unread):
        return []  # without bindings, every account would look as if it had no role
    held = bindings_by_principal(inventory.role_bindings)
    findings: list[Finding] = []
    for account in inventory.service_accounts:
        holder = f"service account {account.name} ({account.id})"
        roles = [binding.role for binding in held.get(("service_account", account.id), ())]
        writing = [role for role in roles if role in ORGANIZATION_WRITERS]
        if not roles:
            findings.append(Finding(kind="service-account-without-roles", text=f"{holder} has no role"))
        if writing:
            text = f"{holder} has {', '.join(writing)} on the organization"
            findings.append(Finding(kind="service-account-writes-organization-wide", text=text))
    return findings


def find_editor_keys(inventory: Inventory) -> list[Finding]:
    """Find keys with ProjectEditor, which permits everything that a key can do."""
    names = DisplayNames(inventory)
    return [
        Finding(kind="key-is-an-editor", text=f"{names.describe(key)} has ProjectEditor")
        for key in inventory.api_keys
        if "ProjectEditor" in key.roles
    ]


def find_old_keys(inventory: Inventory, max_age: timedelta) -> list[Finding]:
    """Find keys that are older than ``max_age``, and say which keys may be.

    The API does not say when a key was created. A response may carry an undocumented ``created_at``. Otherwise, the
    oldest role binding of a key gives a minimum, because a change of its roles may replace the bindings.
    """
    names, dates = DisplayNames(inventory), _oldest_binding_of_keys(inventory)
    findings: list[Finding] = []
    maybe_older: list[str] = []
    undated: list[str] = []
    for key in inventory.api_keys:
        created_at, bound_at = _undocumented_created_at(key), dates.get(key.id)
        known = created_at or bound_at
        if known is None:
            undated.append(names.describe(key))
        elif (age := inventory.taken_at - known) > max_age:
            least, source = ("", "undocumented created_at") if created_at else ("at least ", "oldest role binding")
            text = f"{names.describe(key)} is {least}{age.days} days old: its {source} is from {known:%Y-%m-%d}"
            findings.append(Finding(kind="key-is-old", text=text))
        elif created_at is None:
            maybe_older.append(names.describe(key))
    reasons = ((undated, _UNDATED), (maybe_older, _MAYBE_OLDER))
    return findings + [
        Finding(kind="key-age-unknown", text=f"{reason} {describe_duration(max_age)}: {', '.join(keys)}")
        for keys, reason in reasons
        if keys
    ]


_UNDATED = "neither the API nor a role binding shows the age of these keys, which may be older than"
_MAYBE_OLDER = (
    "only role bindings, which a change of roles replaces, show the age of these keys, which may be older than"
)


def _undocumented_created_at(key: APIKey) -> datetime | None:
    try:
        return read_date_time(key.extra.get("created_at"))
    except Misfit:
        return None


def _oldest_binding_of_keys(inventory: Inventory) -> Mapping[str, datetime]:
    return {
        id: min(each.created_at for each in bindings)
        for (kind, id), bindings in bindings_by_principal(inventory.role_bindings).items()
        if kind == "api_key"
    }


def find_overdue_keys(inventory: Inventory) -> list[Finding]:
    """Find keys that a rotation has replaced, and that should have been deleted by now."""
    names = DisplayNames(inventory)
    return [
        Finding(
            kind="retired-key-overdue",
            text=f"{names.describe(key)} was replaced and should have been deleted after {until:%Y-%m-%d %H:%M} UTC",
        )
        for key in inventory.api_keys
        if (until := delete_after(key)) is not None and until < inventory.taken_at
    ]


_LISTS_BY_PRINCIPAL_TYPE: Mapping[str, str] = {
    "user": "users",
    "invite": "invites",
    "service_account": "service_accounts",
    "api_key": "api_keys",
}
"""The list of an inventory that holds the principals of each known type."""


def find_deleted_principals(inventory: Inventory) -> list[Finding]:
    """Find roles of principals that no longer exist, skipping principals that may be in a list that was not read."""
    return [
        Finding(
            kind="principal-is-gone",
            text=f"{kind} {id} does not exist but still has {', '.join(each.role for each in bindings)}",
        )
        for (kind, id), bindings in _group_unlisted(inventory).items()
        if _would_be_listed(inventory, kind, bindings)
    ]


def list_unnamed_principals(inventory: Inventory) -> list[tuple[PrincipalType, str]]:
    """Return type and id of principals with roles that are of an unknown type or may be in a list that was not read."""
    return [
        (kind, id)
        for (kind, id), bindings in _group_unlisted(inventory).items()
        if not _would_be_listed(inventory, kind, bindings)
    ]


def _group_unlisted(inventory: Inventory) -> Mapping[tuple[PrincipalType, str], Sequence[RoleBinding]]:
    listed = {(kind, each.id) for kind, part in _LISTS_BY_PRINCIPAL_TYPE.items() for each in getattr(inventory, part)}
    return {
        holder: bindings
        for holder, bindings in bindings_by_principal(inventory.role_bindings).items()
        if holder not in listed
    }


def _would_be_listed(inventory: Inventory, kind: str, bindings: Sequence[RoleBinding]) -> bool:
    """Return whether a principal with these roles would be in the inventory if it existed."""
    unread = {each.part for each in inventory.unread}
    if kind not in _LISTS_BY_PRINCIPAL_TYPE or _LISTS_BY_PRINCIPAL_TYPE[kind] in unread:
        return False
    # Keys are listed by project, and a caller may see the roles in a project that it does not see.
    visible = {project.id for project in inventory.projects}
    return kind != "api_key" or all(binding.resource_id in visible for binding in bindings)


def report_unread_parts(inventory: Inventory) -> list[Finding]:
    """Return a finding for each unread part, so that a missing part is not mistaken for one without findings."""
    return [Finding(kind="could-not-be-read", text=str(each)) for each in inventory.unread]
