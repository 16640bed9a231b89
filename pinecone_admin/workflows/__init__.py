"""Arguments and results of workflows; the workflows themselves are methods of the client and its namespaces.

Every name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_MODULES = {
    "pinecone_admin.workflows.access": ("Access", "AccessRow", "Holder"),
    "pinecone_admin.workflows.findings": ("Finding",),
    "pinecone_admin.workflows.inventory": ("Changes", "Inventory", "Unread"),
    "pinecone_admin.workflows.reports": (
        "CleanupReport",
        "Content",
        "Difference",
        "Ensured",
        "OffboardReport",
        "Progress",
        "ProjectRole",
        "ProjectRoleDict",
        "Provisioned",
        "Reach",
        "RoleChange",
        "Rotation",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

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

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value
