"""What workflows take and give; the workflows themselves are methods of the client and its namespaces."""

from __future__ import annotations

from pinecone_admin.workflows.access import Access, AccessRow, Holder
from pinecone_admin.workflows.findings import Finding
from pinecone_admin.workflows.inventory import Changes, Inventory, Unread
from pinecone_admin.workflows.reports import (
    CleanupReport,
    Content,
    Difference,
    Ensured,
    OffboardReport,
    Progress,
    ProjectRole,
    ProjectRoleDict,
    Provisioned,
    Reach,
    RoleChange,
    Rotation,
)

__all__ = [
    "Access",
    "AccessRow",
    "Changes",
    "CleanupReport",
    "Content",
    "Difference",
    "Ensured",
    "Finding",
    "Holder",
    "Inventory",
    "OffboardReport",
    "Progress",
    "ProjectRole",
    "ProjectRoleDict",
    "Provisioned",
    "Reach",
    "RoleChange",
    "Rotation",
    "Unread",
]
