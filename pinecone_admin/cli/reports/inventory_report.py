"""Take an inventory, save it, and compare it with an earlier one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.damaged_files import parse_json, refuse_content
from pinecone_admin.cli.output.files import check_new_files, describe_input, read_text
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.tables import write_sentences
from pinecone_admin.cli.output.writing import wants_document, write_file, write_items, write_value
from pinecone_admin.cli.sentences import join_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeValueError, RefusedError
from pinecone_admin.workflows import Inventory, InventoryChanges
from pinecone_admin.workflows.inventory import find_hidden_bindings
from pinecone_admin.workflows.resources import describe_unread

_COLORS = {"+": "green", "-": "red", "~": "yellow", "?": None}
_LISTS = ("projects", "api_keys", "users", "invites", "service_accounts", "role_bindings")


def report_inventory(session: Session, out: str | None) -> None:
    """Take an inventory, save it in a file if one is given, and choose the exit code."""
    check_new_files(session, {"--out": out})
    taken = read_inventory(session)
    if out:
        # Escapes keep unpaired surrogates, which UTF-8 cannot express.
        write_file(session, out, json.dumps(taken.to_dict(), indent=2) + "\n")
    if wants_document(session):
        write_value(session, taken.to_dict())
    elif session.output in {"csv", "raw"}:
        write_items(session, list_resources(taken))
    else:
        write_items(session, count_resources(taken))
    end_with_missing(session, "Not shown", [describe_unread(each, taken.projects) for each in taken.unread])


def report_changes(session: Session, old: str, new: str | None, *, fail_on_change: bool) -> None:
    """Compare a saved inventory with another one, or with what is there now, and choose the exit code."""
    before, after = read_inventory(session, old), read_inventory(session, new)
    old_ids, new_ids = ([each.id for each in inventory.organizations] for inventory in (before, after))
    if old_ids and new_ids and not set(old_ids).intersection(new_ids):  # else all would look removed and added
        which = f"{', '.join(old_ids)} and {', '.join(new_ids)}"
        raise RefusedError(f"the two inventories are of different organizations: {which}")
    changes = before.diff(after)
    if wants_document(session):
        write_value(session, changes.to_dict())
    elif session.output == "csv":
        write_items(session, list_changes(changes))
    elif session.output == "raw":
        write_items(session, str(changes).splitlines())
    else:
        with session.until_closed():
            write_sentences(session, (click.style(line, fg=_COLORS[line[0]]) for line in str(changes).splitlines()))
    if not changes and session.output == "table":
        which = " in the parts that both inventories have" if changes.unknown else ""
        session.notify(f"Nothing has changed{which}.")
    end_with_missing(session, "Not shown", changes.unknown)
    if changes and fail_on_change:
        session.fail_on(count_noun(len(list_changes(changes)), "change"))


def end_with_missing(session: Session, what: str, parts: Sequence[str]) -> None:
    """End with exit code 9 if parts are missing, and tell which.

    Args:
        session: The session.
        what: What happened to the parts, as a line begins.
        parts: The parts.
    """
    for part in parts:
        session.warn(join_sentences([f"{what}: {part}"]))
    if parts:
        session.exit_code = exit_codes.PARTLY_DONE


def end_without_projects(session: Session, what: str) -> None:
    """End with exit code 9 if the account sees no project, unless it can see that the organization has none.

    Args:
        session: The session; its account sees no project.
        what: What the command would have read in projects.
    """
    if find_hidden_bindings(session.admin.role_bindings.list(principal_type="user", role="OrgOwner")):
        end_with_missing(session, "Not read", [f"{what}, because this account can see no project"])


def read_inventory(session: Session, path: str | None = None) -> Inventory:
    """Return the inventory in a file, or read the whole organization, with progress.

    Raises:
        CLIError: The file has no inventory, or only a part of one; the message names the file.
    """
    if path is not None:
        return parse_inventory(read_text(path, session.stdin), path)
    with show_progress(session, "reading the organization") as progress:
        return session.admin.inventory(progress=progress)


def list_resources(inventory: Inventory) -> list[dict[str, Any]]:
    """Return each resource as a row for a spreadsheet."""
    return [
        {
            "kind": name.removesuffix("s"),
            "id": each.id,
            "name": getattr(each, "email", None) or getattr(each, "name", None) or getattr(each, "role", ""),
            "project_id": getattr(each, "project_id", ""),
        }
        for name in ("organizations", *_LISTS)
        for each in getattr(inventory, name)
    ]


def count_resources(inventory: Inventory) -> list[dict[str, Any]]:
    """Return the number of resources of each kind; None where not all of them could be read."""
    unread = {each.part for each in inventory.unread}
    return [
        {"kind": each.replace("_", " "), "number": None if each in unread else len(getattr(inventory, each))}
        for each in _LISTS
    ]


def list_changes(changes: InventoryChanges) -> list[dict[str, Any]]:
    """Return each change as a row for a spreadsheet."""
    return [
        {
            "change": change,
            "kind": entry.kind,
            "id": entry.id,
            "name": entry.name,
            "description": entry.description,  # which says who has a role, and on what
            "field": entry.field or "",
            "before": _show_value(entry.before) if entry.field else "",
            "after": _show_value(entry.after) if entry.field else "",
        }
        for change, entries in (("added", changes.added), ("removed", changes.removed), ("changed", changes.changed))
        for entry in entries
    ]


def _show_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def parse_inventory(text: str, path: str) -> Inventory:
    """Return the inventory in the text of a file.

    Raises:
        CLIError: The text is not an inventory, or only a part of one; the message names the file.
    """
    name, advice = describe_input(path), "It is not an inventory, or was saved only in part."
    document: object = parse_json(text, name, advice=advice)
    if not isinstance(document, dict):
        raise refuse_content(name, "not a JSON object", advice=advice)
    try:
        return Inventory.from_dict(document)  # pyright: ignore[reportUnknownArgumentType]
    except PineconeValueError as error:
        problem = error.message_with_names({"data": "$"}).removeprefix("$.")
        raise refuse_content(name, problem, advice=advice) from error
