"""Select the part of an access review that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from pinecone_admin.models import to_dict
from pinecone_admin.workflows import Access, Finding, Holder, Review
from pinecone_admin.workflows.access import NOTE
from pinecone_admin.workflows.roles import highest_level

# A role that this release does not know could permit writing, as in the access page.
LEVELS: Mapping[str, frozenset[str]] = {
    "reads": frozenset({"reads", "unknown", "writes", "owns"}),
    "writes": frozenset({"unknown", "writes", "owns"}),
    "owns": frozenset({"owns"}),
}
"""The levels that are at least as high as the one that was asked for."""

ANY_FINDING = "any"


def select_access(access: Access, *, project_id: str | None, level: str | None, keep_owners: bool = False) -> Access:
    """Return the access to one project, or to all and the organization, at least at a level.

    Args:
        access: Access to the whole organization.
        project_id: Id of the project, or None for all projects and the organization itself.
        level: ``"reads"``, ``"writes"``, ``"owns"``, or None for all access.
        keep_owners: Whether owners of the organization keep that role beside one project: the page lists them apart.
    """
    levels = LEVELS[level or "reads"]
    projects = access.projects if project_id is None else {project_id: access.projects.get(project_id, project_id)}
    holders: list[Holder] = []
    for each in access.holders:
        roles = {id: held for id, held in each.roles.items() if project_id in {None, id} and _reaches(held, levels)}
        keeps = keep_owners and each.is_owner if project_id is not None else _reaches(each.organization_roles, levels)
        if roles or keeps:
            on_organization = each.organization_roles if keeps else []
            holders.append(evolve(each, organization_roles=on_organization, roles=roles))
    return evolve(access, projects=projects, holders=holders)


def _reaches(roles: Sequence[str], levels: frozenset[str]) -> bool:
    return bool(roles) and highest_level(roles) in levels


def select_failing(findings: Sequence[Finding], fail_on: Sequence[str]) -> list[Finding]:
    """Return the findings of the kinds on which the command fails; ``any`` is every kind."""
    return [each for each in findings if ANY_FINDING in fail_on or each.kind in fail_on]


def build_document(access: Access, review: Review) -> dict[str, Any]:
    """Return access and findings as plain JSON types."""
    waivers = {
        id(finding): {"reason": waiver.reason, "until": f"{waiver.until}"} for finding, waiver in review.accepted
    }
    return {
        "taken_at": access.taken_at.isoformat(),
        "organization": access.organization,
        "note": NOTE,
        "unread": access.unread,
        "findings": [{**to_dict(each), "accepted": waivers.get(id(each))} for each in access.findings],
        "access": [to_dict(row) for row in access.rows()],
    }
