"""Plans in files: saving one, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.private_files import describe_path
from pinecone_admin.cli.output.report_files import read_text, write_report
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows import OffboardPlan, StalePlan
from pinecone_admin.workflows.plans import check_organization

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

_MAKERS = {"projects.delete_stale": "project stale", "users.offboard_many": "user offboard --from"}
"""The commands that make plans, by the methods that carry them out."""

_P = TypeVar("_P", StalePlan, OffboardPlan)


def load_plan(session: Session, kind: type[_P], path: str) -> _P:
    """Return the plan in a file, which is of the organization of the session.

    Raises:
        CLIError: The file is no such plan, or only a part of one; the message names it.
        RefusedError: The plan is of another organization.
    """
    text = read_text(path, session.stdin)
    try:
        plan = kind.from_json(text)
    except PineconeValueError as error:
        raise CLIError(error.message_with_names({"text": describe_path(path), **_MAKERS})) from error
    check_organization(plan.organization_id, [session.organization], operation="plan")
    return plan


def save_plan(session: Session, plan: StalePlan | OffboardPlan, path: str) -> None:
    """Write a plan to a file."""
    write_report(path, f"{plan.to_json()}\n")
    session.notify(f"wrote {path}")


def write_result(session: Session, document: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write a plan or a report: rows for a table and a spreadsheet, else all of it."""
    if _wants_document(session):
        session.write(document)
    elif session.output == "table" and rows:
        from pinecone_admin.cli.plans.tables import write_rows  # noqa: PLC0415 - loads rich

        with session.until_closed():
            write_rows(session, rows)
    else:
        session.write_items(rows)


def write_planned(session: Session, document: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write the same of a dry run, with the organization and the caller."""
    if _wants_document(session):
        session.write_preview(document)
        return
    if session.output == "table":
        session.write_preview_heading()
    write_result(session, document, rows)


def _wants_document(session: Session) -> bool:
    return session.settings.get("query") is not None or session.output in {"json", "yaml"}


def as_document(plan: StalePlan | OffboardPlan) -> dict[str, Any]:
    """Return a plan as plain JSON values, as it is saved."""
    document: dict[str, Any] = json.loads(plan.to_json())
    return document
