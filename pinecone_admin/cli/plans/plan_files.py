"""Plans in files: lists of the people they are for, saving one, and reading it back."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pinecone_admin._http.argument_checks import check_email
from pinecone_admin._http.codec import parse_json_object
from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli.damaged_files import parse_json
from pinecone_admin.cli.failures import CLIError, StoreError, describe_problem
from pinecone_admin.cli.output.files import check_new_files, describe_input, follow_own_links
from pinecone_admin.cli.output.formats import clean_reasons
from pinecone_admin.cli.output.writing import (
    wants_document,
    warning_beside,
    write_file,
    write_items,
    write_preview,
    write_preview_heading,
    write_value,
)
from pinecone_admin.cli.secrets.target_files import rescue_folders, reserve_rescue_file
from pinecone_admin.cli.sentences import list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows import (
    ApplyReport,
    ChangePlan,
    OffboardManyReport,
    OffboardPlan,
    OffboardReport,
    StalePlan,
    StaleReport,
    Step,
)
from pinecone_admin.workflows.desired_state import raise_if
from pinecone_admin.workflows.ending import is_finished
from pinecone_admin.workflows.plans import check_organization

_MAKERS = {"projects.delete_stale": "project stale", "users.offboard_many": "user offboard --people", "apply": "plan"}
"""The commands that make plans, by the methods that carry them out."""

_HEADINGS = frozenset({"email", "e-mail", "mail", "email address", "e-mail address", "emailaddress", "email_address"})
_SEPARATORS = ",;\t"
_BEGINNING = re.compile(r'\ufeff?\s*\{\s*"plan_of"\s*:\s*"([\w.]*)"')

_P = TypeVar("_P", StalePlan, OffboardPlan, ChangePlan)
_R = TypeVar("_R", ApplyReport, OffboardReport, OffboardManyReport, StaleReport)


def find_workflow(text: str) -> str | None:
    """Return the method that carries out the plan in a text; None if it is no plan."""
    document = parse_json_object(text.removeprefix("\ufeff").encode())
    if document is not None:
        return str(document["plan_of"]) if "plan_of" in document else None
    begun = _BEGINNING.match(text)  # one that was saved only in part
    return None if begun is None else begun[1]


def parse_plan(session: Session, kind: type[_P], text: str, path: str) -> _P:
    """Return the plan in the text of a file, which is of the organization of the session.

    Raises:
        CLIError: The text is no such plan, or only a part of one; the message has the file, and the line or field.
        RefusedError: The plan is of another organization.
    """
    name = describe_input(path, begins=True)
    parse_json(text.removeprefix("\ufeff"), describe_input(path), advice="It is no plan, or was saved only in part.")
    try:
        plan = kind.from_json(text.removeprefix("\ufeff"))
    except PineconeValueError as error:
        message = error.message_with_names({"text": name, **_MAKERS})
        problem = describe_problem(describe_input(path), message.removeprefix(name).lstrip(": "))
        raise CLIError(message, problems=[problem]) from error
    check_organization(plan.organization_id, [session.organization], operation="plan")
    return plan


def prepare_plan_file(
    session: Session, path: str | None, *inputs: str | None, others: Mapping[str, str | None] = {}
) -> None:
    """Raise if a plan cannot be written; delete the one that it replaces, so that nobody carries that out.

    A command that makes a plan calls this before it does anything else that can fail. Another file than a plan stays
    as it is until it is replaced.

    Args:
        session: The session.
        path: The file for the plan; None if there is none.
        inputs: The files that the command reads.
        others: The other files that it writes, each by its option.
    """
    check_new_files(session, {"--out": path}, inputs=inputs)
    if path is not None:
        _delete_plan(path)
    check_new_files(session, {"--out": path, **others}, inputs=inputs)


def remove_old_plans(paths: Iterable[str], inputs: Collection[str]) -> None:
    """Delete the plans that a command line with a mistake in it was to replace, except for those that it reads.

    Args:
        paths: The files that it was to write.
        inputs: Words that may name a file that it reads.
    """
    for path in paths:
        with suppress(OSError, ValueError):
            if os.path.realpath(path) not in map(os.path.realpath, inputs):
                _delete_plan(path)


def _delete_plan(path: str) -> None:
    target = Path(path)
    if target.is_file() and _has_plan(target):
        follow_own_links(target.absolute()).unlink()


def _has_plan(path: Path) -> bool:
    try:
        return find_workflow(path.read_text(encoding="utf-8")) is not None
    except (OSError, ValueError):  # nobody can carry that out
        return False


def save_plan(session: Session, plan: StalePlan | OffboardPlan | ChangePlan, path: str | None) -> None:
    """Write a plan to a file, if one is given."""
    if path is not None:
        write_file(session, path, f"{plan.to_json()}\n")


def save_preview(session: Session, report: Mapping[str, Any], path: str | None) -> None:
    """Write the report of a dry run to a file, if one is given, as a run writes its own."""
    if path is not None:
        write_file(session, path, json.dumps(clean_reasons(report), indent=2) + "\n")


def carry_out(
    session: Session,
    work: Callable[[Callable[[_R], object]], _R],
    write: Callable[[_R], object],
    *,
    out: str | None,
) -> _R:
    """Carry out a plan or a file, and write the report of what was done, also if the run is interrupted or fails.

    No report is lost, because once people are removed, nothing else shows what they could reach: if a file cannot be
    written, stdout gets the report all the same, and if stdout is closed, a separate file.

    Args:
        session: The session.
        work: Function that does the work, and passes the report to its argument before the first change. The report
            is complete when the function ends, however it ends.
        write: Function that writes the report to stdout.
        out: The file for the report, if there is one.
    """
    begun: list[_R] = []
    error: BaseException | None = None
    try:
        work(begun.append)
    except BaseException as raised:
        error = raised
        session.ledger.is_complete = any(map(_is_finished, begun))
        # If it was interrupted after its last change, the command goes on to its end.
        if not (isinstance(error, KeyboardInterrupt) and session.ledger.is_complete):
            effects = session.ledger.effects
            if begun and (effects.remaining or effects.undone):
                with warning_beside(session):
                    _write_and_keep(session, begun[0], write, out)
            raise
    session.ledger.is_complete = _is_finished(begun[0])
    _write_and_keep(session, begun[0], write, out)
    return begun[0]


def _is_finished(report: ApplyReport | OffboardReport | OffboardManyReport | StaleReport) -> bool:
    is_left = getattr(report, "left", ()) or getattr(report, "stopped", ())
    return is_finished(report.steps) and not is_left


def _write_and_keep(session: Session, report: _R, write: Callable[[_R], object], out: str | None) -> None:
    text, is_lost = json.dumps(clean_reasons(report.to_dict()), indent=2) + "\n", True
    try:
        if out is not None:
            write_file(session, out, text)
            is_lost = False
    finally:
        try:
            write(report)
            is_lost = is_lost and session.has_lost_output
        finally:
            if is_lost and session.ledger.effects.remaining:
                _rescue(session, text)


def _rescue(session: Session, text: str) -> None:
    """Write a report to stdout whole, such as after a query that failed, or to a separate file."""
    with suppress(OSError):
        session.stdout.write(text)
        session.stdout.flush()
        return
    try:
        rescue = reserve_rescue_file(rescue_folders())
        rescue.write(text)
    except StoreError as error:
        session.warn(f"The report could not be kept anywhere, and is lost: {error}.")
    else:
        session.notify(f"The report is in {rescue.path}, which only you can read.")


def write_result(
    session: Session,
    document: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    planned: Sequence[Step] = (),
    *,
    nothing: str = "",
) -> None:
    """Write a plan or a report: rows for a table and a spreadsheet, else all of it.

    Args:
        session: The session.
        document: All of it.
        rows: The rows.
        planned: The steps of a dry run.
        nothing: Why there are no rows, as a sentence; empty if the command itself says that.
    """
    if write_whole(session, document, planned):
        return
    rows = [clean_reasons(row) for row in rows]
    if session.output != "table":
        write_items(session, rows)
    elif rows:
        from pinecone_admin.cli.output.tables import write_rows  # noqa: PLC0415 - only tables need it

        with session.until_closed():
            write_rows(session, [{name: row[name] for name in row if name != "id"} for row in rows])
    elif nothing:
        session.notify(nothing)


def write_whole(session: Session, document: dict[str, Any], planned: Sequence[Step]) -> bool:
    """Write a plan or a report, if the format or a query needs all of it, and return whether that was so.

    A dry run also has the organization and the caller; of a table, this writes them as its heading.
    """
    is_whole = wants_document(session)
    if is_whole and session.is_dry_run:
        write_preview(session, planned, report=document)
    elif is_whole:
        write_value(session, document)
    elif session.is_dry_run and session.output == "table":
        write_preview_heading(session)
    return is_whole


def as_document(plan: StalePlan | OffboardPlan | ChangePlan) -> dict[str, Any]:
    """Return a plan as plain JSON values, as it is saved."""
    document: dict[str, Any] = json.loads(plan.to_json())
    return document


def parse_people(text: str, source: str) -> list[str]:
    """Return the email addresses in a CSV file with a column ``email``, or in a list with one address a line.

    Fields are separated by commas, semicolons or tabs. Rows of empty fields are skipped, as are comments, which begin
    with ``#``, above a header or in a list without one.

    Args:
        text: The text of the file.
        source: How errors name the file.

    Raises:
        PineconeValueError: Lines have no address or several, there is none at all, or several columns may have the
            addresses. The message names the file and all lines; if there are several, they are the notes, too.
    """
    rows, problems = _read_rows(text)
    raise_if(problems, source, "text")
    uncommented = [(number, cells) for number, cells in rows if not _is_comment(cells)]
    number, headings = uncommented[0] if uncommented else (1, [])
    columns = [position for position, cell in enumerate(headings) if cell.casefold() in _HEADINGS]
    if len(columns) > 1:  # else the wrong people may be removed
        several = count_noun(len(columns), "column")
        named = f"{several} may have the addresses, {list_words(headings[each] for each in columns)}"
        problems.append(f"line {number}: {named}: name only one of them email")
    # Below a header, "#4711" is a value like any other.
    people = rows[rows.index(uncommented[0]) + 1 :] if columns else uncommented
    if not people:
        problems.append("there is no email address")
    raise_if(problems, source, "text")
    addresses: list[str] = []
    for number, cells in people:
        try:
            address = _read_column(cells, columns[0], headings[columns[0]]) if columns else _find_only_address(cells)
            check_email("it", address)
            addresses.append(address)
        except PineconeValueError as error:
            problems.append(f"line {number}: {error.message}")
    raise_if(problems, source, "text")
    return addresses


def _read_rows(text: str) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return each row with a field that is not empty, with the number of its first line, and why others are unread."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    # Else a quotation mark that is never closed would hide the rest.
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    problems: list[str] = []
    start = 1  # of a row, which can have several lines
    try:
        for row in reader:
            rows.append((start, [cell.strip() for cell in row]))
            start = reader.line_num + 1
    except csv.Error as error:
        problems.append(f"line {start}: not CSV: {error}")
    return [(number, cells) for number, cells in rows if any(cells)], problems


def _is_comment(cells: Sequence[str]) -> bool:
    """Return whether a line above a header, or without one, is a comment: no other field is an address.

    A header can begin with ``#`` alone, the heading of a column of numbers.
    """
    is_header = cells[0] == "#" and any(cell.casefold() in _HEADINGS for cell in cells[1:])
    return cells[0].startswith("#") and not is_header and not any("@" in cell for cell in cells[1:])


def _find_only_address(cells: Sequence[str]) -> str:
    addresses = [cell for cell in cells if "@" in cell]
    is_marked = cells[0].startswith("#")
    if len(addresses) != 1 or is_marked:
        has = "there are several email addresses" if addresses else "there is no email address"
        found = "it begins with #" if is_marked else has
        raise PineconeValueError(f"{found}; name the column of the addresses email")
    return addresses[0]


def _read_column(cells: Sequence[str], column: int, heading: str) -> str:
    value = cells[column] if column < len(cells) else ""
    if "@" not in value:
        raise PineconeValueError(f"there is no email address in the column {heading}")
    return value
