"""What in an inventory deserves a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

from attrs import frozen

from generated_client.models import PrincipalType, RoleBinding
from pinecone_admin.workflows.inventory import DisplayNames, Inventory
from pinecone_admin.workflows.roles import ORGANIZATION_WRITERS, bindings_by_principal

FindingKind: TypeAlias = Literal[
    "could not be read",
    "many owners",
    "invite pending long",
    "invite expired",
    "service account without roles",
    "service account writes organization-wide",
    "key is an editor",
    "principal is gone",
]


@frozen(kw_only=True)
class Finding:
    """Something that deserves a look.

    Attributes:
        kind: What it is.
        text: It in words, with the ids of what has no address.
    """

    kind: FindingKind
    text: str


def find_many_owners(owners: Sequence[str], most: int) -> list[Finding]:
    """Name the owners of the organization where there are more than some."""
    if len(owners) <= most:
        return []
    text = f"{len(owners)} own the organization, more than {most}: {', '.join(owners)}"
    return [Finding(kind="many owners", text=text)]


def find_stale_invites(inventory: Inventory, longest: timedelta) -> list[Finding]:
    """Name invites that nobody accepted."""
    findings: list[Finding] = []
    for invite in inventory.invites:
        holder = f"invite for {invite.email} ({invite.id})"
        age = inventory.taken_at - invite.created_at
        if invite.status == "expired":
            findings.append(Finding(kind="invite expired", text=f"{holder} expired and was not withdrawn"))
        elif invite.status == "pending" and age > longest:
            findings.append(Finding(kind="invite pending long", text=f"{holder} has been pending for {age.days} days"))
    return findings


def find_risky_service_accounts(inventory: Inventory) -> list[Finding]:
    """Name service accounts that can do nothing, and those that can change the organization."""
    if any(each.part == "role_bindings" for each in inventory.unread):
        return []
    held = bindings_by_principal(inventory.role_bindings)
    findings: list[Finding] = []
    for account in inventory.service_accounts:
        holder = f"service account {account.name} ({account.id})"
        roles = [binding.role for binding in held.get(("service_account", account.id), ())]
        writing = [role for role in roles if role in ORGANIZATION_WRITERS]
        if not roles:
            findings.append(Finding(kind="service account without roles", text=f"{holder} holds no role"))
        if writing:
            text = f"{holder} is {', '.join(writing)}"
            findings.append(Finding(kind="service account writes organization-wide", text=text))
    return findings


def find_editor_keys(inventory: Inventory) -> list[Finding]:
    """Name keys that may do everything a key can."""
    names = DisplayNames(inventory)
    return [
        Finding(kind="key is an editor", text=f"{names.describe(key)} is ProjectEditor")
        for key in inventory.api_keys
        if "ProjectEditor" in key.roles
    ]


_LISTS_BY_PRINCIPAL_TYPE: Mapping[str, str] = {
    "user": "users",
    "invite": "invites",
    "service_account": "service_accounts",
    "api_key": "api_keys",
}
"""Which list of an inventory holds the principals of each kind that is known."""


def find_deleted_principals(inventory: Inventory) -> list[Finding]:
    """Name roles whose holder is in no list; one whose list could not be read whole is not missing in it."""
    return [
        Finding(
            kind="principal is gone",
            text=f"{kind} {id} does not exist, and holds {', '.join(each.role for each in bindings)}",
        )
        for (kind, id), bindings in _group_unlisted(inventory).items()
        if _was_read_completely(inventory, kind)
    ]


def list_unnamed_principals(inventory: Inventory) -> list[tuple[PrincipalType, str]]:
    """Give kind and id of who holds roles and is in no list because that could not be read, or is of no known kind."""
    return [(kind, id) for kind, id in _group_unlisted(inventory) if not _was_read_completely(inventory, kind)]


def _group_unlisted(inventory: Inventory) -> Mapping[tuple[PrincipalType, str], Sequence[RoleBinding]]:
    listed = {(kind, each.id) for kind, part in _LISTS_BY_PRINCIPAL_TYPE.items() for each in getattr(inventory, part)}
    return {
        holder: bindings
        for holder, bindings in bindings_by_principal(inventory.role_bindings).items()
        if holder not in listed
    }


def _was_read_completely(inventory: Inventory, kind: str) -> bool:
    unread = {each.part for each in inventory.unread}
    if "projects" in unread:
        unread.add("api_keys")
    return kind in _LISTS_BY_PRINCIPAL_TYPE and _LISTS_BY_PRINCIPAL_TYPE[kind] not in unread


def report_unread_parts(inventory: Inventory) -> list[Finding]:
    """Name what is missing here, so that nobody takes silence about it for peace."""
    return [Finding(kind="could not be read", text=str(each)) for each in inventory.unread]
