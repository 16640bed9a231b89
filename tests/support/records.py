"""Records of an organization, made without an emulator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pinecone_admin.models import Project, RoleBinding

CREATED_AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def make_project(id: str, name: str) -> Project:
    """Return a project."""
    return Project(id=id, name=name, max_pods=0, force_encryption_with_cmek=False, organization_id="o")


def make_binding(kind: Any, who: str, role: Any, on: str = "", *, id: str | None = None) -> RoleBinding:
    """Return a role binding on a project, or on the organization."""
    return RoleBinding(
        id=id or f"{who}-{role}-{on}",
        principal_type=kind,
        principal_id=who,
        resource_type="project" if on else "organization",
        resource_id=on or "o",
        role=role,
        created_at=CREATED_AT,
    )
