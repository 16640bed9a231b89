"""Find risks and leftovers in an inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from attrs import field, frozen

from generated_client.models import APIKey, Invite, PrincipalType, RoleBinding
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable
from pinecone_admin.workflows.organization_index import has_lapsed
from pinecone_admin.workflows.resources import DisplayNames, Resources, describe_unread
from pinecone_admin.workflows.retired_keys import delete_after, expiry_of_temporary_key
from pinecone_admin.workflows.roles import bindings_by_principal, date_keys_by_bindings, find_key_date, is_ownership

FindingKind: TypeAlias = Literal[
    "could-not-be-read",
    "many-owners",
    "invite-pending-long",
    "invite-expired",
    "service-account-without-roles",
    "service-account-owns-organization",
    "key-has-project-editor",
    "key-is-old",
    "key-age-unknown",
    "retired-key-overdue",
    "principal-is-gone",
]

INVITE_LIFETIME = timedelta(days=7)
"""How long an invite can be accepted after it was created or resent."""


@frozen(kw_only=True)
class Finding:
    """A fact in an inventory that a reviewer should check.

    Attributes:
        kind: Kind of the finding, such as ``"many-owners"``.
        text: Description, with the ids of principals that have no email address.
        principal_type: Type of the principal that the finding is about; None if it is about none or several.
        principal_id: Id of the principal that the finding is about; None if it is about none or several.
        project_id: Id of the project that the finding or its key is about; None if it is about none or several.
        key_id: Id of the API key that the finding is about; None if it is about none.
        age: Age of the key, or time since the last email of the invite, when the inventory was taken. If the exact age
            of a key is unknown, this is its lowest possible age. None if the finding is not about an age, or nothing
            shows the age.
    """

    kind: FindingKind
    """Kind of the finding, such as ``"many-owners"``."""
    text: str = field(converter=make_printable)
    """Description, with the ids of principals that have no email address."""
    principal_type: PrincipalType | None = None
    """Type of the principal that the finding is about; None if it is about none or several."""
    principal_id: str | None = None
    """Id of the principal that the finding is about; None if it is about none or several."""
    project_id: str | None = None
    """Id of the project that the finding or its key is about; None if it is about none or several."""
    key_id: str | None = None
    """Id of the API key that the finding is about; None if it is about none."""
    age: timedelta | None = field(default=None, metadata={"name": "age_seconds"})
    """Age of the key, or time since the last email of the invite, when the inventory was taken."""


def _find_in_key(kind: FindingKind, key: APIKey, text: str, *, age: timedelta | None = None) -> Finding:
    return Finding(
        kind=kind,
        text=text,
        principal_type="api_key",
        principal_id=key.id,
        project_id=key.project_id,
        key_id=key.id,
        age=age,
    )


def find_many_owners(owners: Sequence[str], max_owners: int) -> list[Finding]:
    """Return a finding if the organization has more than ``max_owners`` owners."""
    if len(owners) <= max_owners:
        return []
    text = f"the organization has {count_noun(len(owners), 'owner')}, more than {max_owners}: {', '.join(owners)}"
    return [Finding(kind="many-owners", text=text)]


def find_stale_invites(inventory: Resources, max_pending: timedelta) -> list[Finding]:
    """Find invites that have lapsed, or are pending and were last sent more than ``max_pending`` ago."""
    findings: list[Finding] = []
    for invite in inventory.invites:
        holder = f"invite for {invite.email} ({invite.id})"
        sent = _find_last_sent(invite)
        age = None if sent is None else inventory.taken_at - sent
        kind: FindingKind
        if has_lapsed(invite):
            kind, text = "invite-expired", f"{holder} is {invite.status} and was not withdrawn"
        elif invite.status == "pending" and age is not None and age > max_pending:
            days = count_noun(age.days, "day")
            kind, text = "invite-pending-long", f"{holder} was last sent {days} ago and is still pending"
        else:
            continue
        findings.append(Finding(kind=kind, text=text, principal_type="invite", principal_id=invite.id, age=age))
    return findings


def _find_last_sent(invite: Invite) -> datetime | None:
    # Only the expiry moves when an invite is resent (API document, Invite.expires_at).
    created_at, expires_at = plausible_date(invite.created_at), plausible_date(invite.expires_at)
    sent = [created_at, None if expires_at is None else expires_at - INVITE_LIFETIME]
    return max((each for each in sent if each is not None), default=None)


def find_risky_service_accounts(inventory: Resources) -> list[Finding]:
    """Find service accounts that have no role or own the organization, which no other role can change."""
    if any(missing.part == "role_bindings" for missing in inventory.unread):
        return []  # without bindings, every account would look as if it had no role
    held = bindings_by_principal(inventory.role_bindings)
    findings: list[Finding] = []
    for account in inventory.service_accounts:
        holder = f"service account {account.name} ({account.id})"
        roles = held.get(("service_account", account.id), ())
        kind: FindingKind
        if not roles:
            kind, text = "service-account-without-roles", f"{holder} has no role"
        elif any(map(is_ownership, roles)):
            kind, text = "service-account-owns-organization", f"{holder} has OrgOwner on the organization"
        else:
            continue
        findings.append(Finding(kind=kind, text=text, principal_type="service_account", principal_id=account.id))
    return findings


def find_editor_keys(inventory: Resources) -> list[Finding]:
    """Find keys with ProjectEditor, which permits everything that a key can do."""
    names = DisplayNames(inventory)
    return [
        _find_in_key("key-has-project-editor", key, f"{names.describe(key)} has ProjectEditor")
        for key in inventory.api_keys
        if "ProjectEditor" in key.roles
    ]


def find_old_keys(inventory: Resources, max_age: timedelta) -> list[Finding]:
    """Find keys that are older than ``max_age``, and say which keys may be.

    Retired and temporary keys have a deletion time. ``find_overdue_keys`` finds them after that time.

    A response need not say when a key was created. Otherwise, the oldest role binding of a key gives a minimum, because
    a change of its roles may replace the bindings.
    """
    names, dates = DisplayNames(inventory), date_keys_by_bindings(inventory.role_bindings)
    findings: list[Finding] = []
    for key in inventory.api_keys:
        if delete_after(key) is not None:
            continue
        name, created_at = names.describe(key), plausible_date(key.created_at)
        known = find_key_date(key, dates)
        age = None if known is None else inventory.taken_at - known
        unsure = f"{name} may be older than {describe_duration(max_age)}"
        if known is None or age is None:
            text = f"{unsure}: neither the API nor a role binding shows its age"
            findings.append(_find_in_key("key-age-unknown", key, text))
        elif age > max_age:
            least, source = ("", "created_at") if created_at else ("at least ", "oldest role binding")
            text = f"{name} is {least}{count_noun(age.days, 'day')} old: its {source} is from {known:%Y-%m-%d}"
            findings.append(_find_in_key("key-is-old", key, text, age=age))
        elif created_at is None:
            text = f"{unsure}: only role bindings, which a change of roles replaces, show its age"
            findings.append(_find_in_key("key-age-unknown", key, text, age=age))
    return findings


def find_overdue_keys(inventory: Resources) -> list[Finding]:
    """Find temporary keys, and keys that a rotation has replaced, that should have been deleted by now."""
    names = DisplayNames(inventory)
    return [
        _find_in_key(
            "retired-key-overdue",
            key,
            f"{names.describe(key)} {'was replaced' if expiry_of_temporary_key(key) is None else 'is temporary'} "
            f"and should have been deleted after {describe_minute(until)}",
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


def find_deleted_principals(inventory: Resources) -> list[Finding]:
    """Find roles of principals that are in no list, skipping principals that may be in a list that was not read."""
    return [
        Finding(
            kind="principal-is-gone",
            text=f"{kind} {id} is in no list but has {', '.join(binding.role for binding in bindings)}",
            principal_type=kind,
            principal_id=id,
            project_id=_find_only_project(bindings),
            key_id=id if kind == "api_key" else None,
        )
        for (kind, id), bindings in _group_unlisted(inventory).items()
        if _would_be_listed(inventory, kind, bindings)
    ]


def _find_only_project(bindings: Sequence[RoleBinding]) -> str | None:
    places = {binding.resource_id if binding.resource_type == "project" else None for binding in bindings}
    return next(iter(places)) if len(places) == 1 else None


def list_unnamed_principals(inventory: Resources) -> list[tuple[PrincipalType, str]]:
    """Return type and id of principals with roles that are of an unknown type or may be in a list that was not read."""
    return [
        (kind, id)
        for (kind, id), bindings in _group_unlisted(inventory).items()
        if not _would_be_listed(inventory, kind, bindings)
    ]


def _group_unlisted(inventory: Resources) -> Mapping[tuple[PrincipalType, str], Sequence[RoleBinding]]:
    listed = {(kind, each.id) for kind, part in _LISTS_BY_PRINCIPAL_TYPE.items() for each in getattr(inventory, part)}
    return {
        holder: bindings
        for holder, bindings in bindings_by_principal(inventory.role_bindings).items()
        if holder not in listed
    }


def _would_be_listed(inventory: Resources, kind: str, bindings: Sequence[RoleBinding]) -> bool:
    """Return whether a principal with these roles would be in the inventory if it existed."""
    unread = {missing.part for missing in inventory.unread}
    if kind not in _LISTS_BY_PRINCIPAL_TYPE or _LISTS_BY_PRINCIPAL_TYPE[kind] in unread:
        return False
    # Keys are listed by project, and a caller may see the roles in a project that it does not see.
    visible = {project.id for project in inventory.projects}
    return kind != "api_key" or all(binding.resource_id in visible for binding in bindings)


def report_unread_parts(inventory: Resources) -> list[Finding]:
    """Return a finding for each unread part, so that a missing part is not mistaken for one without findings."""
    return [
        Finding(
            kind="could-not-be-read",
            text=describe_unread(missing, inventory.projects),
            project_id=missing.project_id,
        )
        for missing in inventory.unread
    ]
