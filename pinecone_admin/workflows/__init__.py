"""Arguments and results of workflows. The workflows themselves are methods of the client and its namespaces.

Each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinecone_admin._concurrency.lazy import load_names_on_use

if TYPE_CHECKING:
    from pinecone_admin.workflows.access import Access, AccessRow, Holder
    from pinecone_admin.workflows.apply_report import ApplyReport, NewSecret
    from pinecone_admin.workflows.change_plan import ChangePlan, SetAside
    from pinecone_admin.workflows.changes import Change, Ref, RoleAt, Settings, Step
    from pinecone_admin.workflows.desired_state import DesiredState
    from pinecone_admin.workflows.findings import Finding
    from pinecone_admin.workflows.inventory import Inventory, InventoryChange, InventoryChanges
    from pinecone_admin.workflows.key_identification import KeyCandidate, KeyIdentification, KeyState
    from pinecone_admin.workflows.planner import plan_changes
    from pinecone_admin.workflows.plans import (
        Left,
        OffboardManyReport,
        OffboardPlan,
        StalePlan,
        StaleProject,
        StaleReport,
    )
    from pinecone_admin.workflows.readable_store import ReadableStore
    from pinecone_admin.workflows.reports import (
        CleanupReport,
        Content,
        Difference,
        DueAccountRotations,
        DueRotations,
        Ensured,
        FailedAccountRotation,
        FailedRotation,
        KeptKey,
        OffboardReport,
        OnDifference,
        Progress,
        ProjectRole,
        ProjectRoleDict,
        Provisioned,
        Reach,
        RetiredKeys,
        RoleChange,
        Rotation,
    )
    from pinecone_admin.workflows.resources import Unread
    from pinecone_admin.workflows.waivers import Review, Waiver

__all__ = [
    "Access",
    "AccessRow",
    "ApplyReport",
    "Change",
    "ChangePlan",
    "CleanupReport",
    "Content",
    "DesiredState",
    "Difference",
    "DueAccountRotations",
    "DueRotations",
    "Ensured",
    "FailedAccountRotation",
    "FailedRotation",
    "Finding",
    "Holder",
    "Inventory",
    "InventoryChange",
    "InventoryChanges",
    "KeptKey",
    "KeyCandidate",
    "KeyIdentification",
    "KeyState",
    "Left",
    "NewSecret",
    "OffboardManyReport",
    "OffboardPlan",
    "OffboardReport",
    "OnDifference",
    "Progress",
    "ProjectRole",
    "ProjectRoleDict",
    "Provisioned",
    "Reach",
    "ReadableStore",
    "Ref",
    "RetiredKeys",
    "Review",
    "RoleAt",
    "RoleChange",
    "Rotation",
    "SetAside",
    "Settings",
    "StalePlan",
    "StaleProject",
    "StaleReport",
    "Step",
    "Unread",
    "Waiver",
    "plan_changes",
]

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers
    __getattr__, __dir__ = load_names_on_use(
        __name__,
        {
            ".access": ("Access", "AccessRow", "Holder"),
            ".apply_report": ("ApplyReport", "NewSecret"),
            ".change_plan": ("ChangePlan", "SetAside"),
            ".key_identification": ("KeyCandidate", "KeyIdentification", "KeyState"),
            ".planner": ("plan_changes",),
            ".desired_state": ("DesiredState",),
            ".findings": ("Finding",),
            ".changes": ("Change", "Ref", "RoleAt", "Settings", "Step"),
            ".inventory": ("Inventory", "InventoryChange", "InventoryChanges"),
            ".plans": (
                "Left",
                "OffboardManyReport",
                "OffboardPlan",
                "StalePlan",
                "StaleProject",
                "StaleReport",
            ),
            ".readable_store": ("ReadableStore",),
            ".reports": (
                "CleanupReport",
                "Content",
                "Difference",
                "DueAccountRotations",
                "DueRotations",
                "Ensured",
                "FailedAccountRotation",
                "FailedRotation",
                "KeptKey",
                "OffboardReport",
                "OnDifference",
                "Progress",
                "ProjectRole",
                "ProjectRoleDict",
                "Provisioned",
                "Reach",
                "RetiredKeys",
                "RoleChange",
                "Rotation",
            ),
            ".resources": ("Unread",),
            ".waivers": ("Review", "Waiver"),
        },
    )
