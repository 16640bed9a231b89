"""Write results in the format of the session."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pinecone_admin._text.counts import pluralize
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import write_report
from pinecone_admin.cli.output.formats import (
    STREAMS,
    Plain,
    clean_reasons,
    is_list,
    is_object,
    render_value,
    split_columns,
    to_plain,
)
from pinecone_admin.cli.output.query import MAX_QUOTED, name_columns, search
from pinecone_admin.cli.parameters import spell_noun
from pinecone_admin.cli.session import Session

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.naming import Thing
    from pinecone_admin.workflows.changes import Ref


@contextmanager
def warning_beside(session: Session) -> Generator[None, None, None]:
    """Return a context whose error is a warning beside the one of the command."""
    try:
        yield
    except CLIError as error:
        session.warn(error.message)


def write_value(session: Session, value: object) -> None:
    """Write one result: a model, a report, a list, or plain JSON values."""
    with session.until_closed():
        write_document(session, value)


def write_document(session: Session, value: object) -> None:
    """Write one result.

    Raises:
        BrokenPipeError: Nobody reads stdout any longer.
    """
    query = session.settings.get("query")
    is_for_people = session.output == "table" and not query
    plain = clean_reasons(to_plain(value, for_people=is_for_people, for_columns=session.output == "csv" and not query))
    if query:
        plain = _select(session, query, plain)
    if session.output != "table":
        _write_pieces(session, render_value(plain, session.output, ascii_only=_is_ascii_only(session)))
        return
    from pinecone_admin.cli.output import tables  # noqa: PLC0415 - only tables need it

    # A report says itself how it reads.
    has_text = hasattr(type(value), "__attrs_attrs__") and type(value).__str__ is not object.__str__
    if query is None and has_text:
        from pinecone_admin.cli.output.report_lines import list_lines  # noqa: PLC0415 - loads the models, as reports do

        lines = list_lines(value, session.ledger, is_dry_run=session.is_dry_run)
        tables.write_sentences(session, map(make_printable, lines))
    elif is_object(plain):
        tables.write_lines(session, tables.format_fields(plain))
    elif plain and is_list(plain) and all(map(is_object, plain)):
        tables.write_rows(session, plain)
    else:
        _write_pieces(session, STREAMS["raw"](plain if is_list(plain) else [plain]))


def _select(session: Session, query: str, source: Any) -> Any:
    """Return what a query selects, with columns where the format of the session has some."""
    selected = search(query, source)
    # A table of nothing shows nothing, and a misspelt name of a field selects nothing.
    if selected is None or (session.output == "table" and selected == []):
        session.notify(f"The query {make_printable(query, most=MAX_QUOTED)} selects nothing.")
    if session.output in {"csv", "raw", "table"}:
        selected = name_columns(query, selected)
    return split_columns(selected, source) if session.output == "raw" else selected


def write_items(session: Session, items: Iterable[object], *, kind: str = "") -> None:
    """Write a list, item by item where the format allows it.

    Args:
        session: The session.
        items: The items.
        kind: Name of the model of the items, which decides on the columns of a table; by default that of their class.
    """
    with session.until_closed():
        if session.settings.get("query") is not None:
            write_document(session, list(items))
        elif session.output != "table":
            plain = map(to_plain, items)
            _write_pieces(session, STREAMS[session.output](plain, ascii_only=_is_ascii_only(session)))
        elif listed := list(items):
            from pinecone_admin.cli.output.tables import write_rows  # noqa: PLC0415 - only tables need it

            write_rows(session, [to_plain(each) for each in listed], kind or type(listed[0]).__name__)
        else:
            session.notify(_describe_nothing(session))


def write_file(session: Session, path: str, text: str) -> None:
    """Write a file that an option names, and say so.

    Raises:
        CLIError: It cannot be written.
    """
    write_report(path, text)
    session.notify(f"Wrote {path}.")


def write_line(session: Session, value: Plain) -> None:
    """Write one value as a line of JSON without control codes for terminals."""
    with session.until_closed():
        line = make_printable(json.dumps(value, ensure_ascii=_is_ascii_only(session)))
        _write_pieces(session, iter([f"{line}\n"]))


def write_preview(
    session: Session,
    would_do: Sequence[Any],
    names: Iterable[Thing] = (),
    *,
    report: object = None,
    lines: Iterable[str] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write what a dry run would do, with the organization and the caller.

    Args:
        session: The session.
        would_do: The steps that a run would do; of a request that is written by hand, its document.
        names: The resources that the command line names.
        report: The report of the workflow, if it is one; else a table has a line for each step.
        lines: The lines of a table, if these are others.
        notes: Further effects of the change, which standard error shows already.
    """
    organization = session.organization
    if session.output == "table" and not session.settings.get("query"):
        write_preview_heading(session)
        with session.until_closed():
            if report is not None:
                write_document(session, report)
            else:
                from pinecone_admin.cli.output.tables import write_sentences  # noqa: PLC0415 - only tables need it

                write_sentences(session, [*map(str, would_do)] if lines is None else lines)
        return
    known = {"id": organization.id, "name": organization.name}
    named = {each.id: {"kind": each.api_type, "id": each.id, "name": each.name} for each in names}
    for each in _list_refs(would_do, report):
        named.setdefault(str(each.id), {"kind": each.kind, "id": each.id, "name": each.name})
    document: dict[str, Any] = {"dry_run": True, "organization": known, "caller": session.caller}
    # In a cell of csv, a step is as it is in JSON.
    document |= {"names": [*named.values()], "would_do": to_plain(would_do)}
    if report is not None:
        plain = to_plain(report, for_columns=session.output == "csv")
        document["report"] = {name: value for name, value in plain.items() if name not in {"changes", "steps"}}
    write_value(session, {**document, "notes": list(notes)} if notes else document)


def _list_refs(would_do: Sequence[Any], report: object) -> list[Ref]:
    """Return what exists and is what a report is on, or what steps are about."""
    from pinecone_admin.workflows.changes import Step  # noqa: PLC0415 - a list has no steps
    from pinecone_admin.workflows.ending import find_present  # noqa: PLC0415 - as above

    changes = [each.change for each in would_do if isinstance(each, Step)]
    refs = [*find_present(report), *(ref for each in changes for ref in (each.target, *each.projects))]
    return [each for each in refs if each.id is not None]


def write_preview_heading(session: Session) -> None:
    """Write the line above a table with the organization and the account of a dry run."""
    organization = session.organization
    where = describe_resource("organization", organization.name, organization.id)
    makes_keys = session.command is not None and session.command.makes_temporary_keys
    further = ", with a temporary API key that is deleted again" if makes_keys else ""
    heading = make_printable(f"Dry run in {where}, as client id {session.caller}{further}:")
    from pinecone_admin.cli.output.tables import write_sentences  # noqa: PLC0415 - JSON has no heading

    with session.until_closed():
        write_sentences(session, [heading])


def wants_document(session: Session) -> bool:
    """Return whether a report is written whole: rows have no room for all of it, and a query selects from it."""
    return session.settings.get("query") is not None or session.output in {"json", "yaml"}


def _write_pieces(session: Session, pieces: Iterator[str]) -> None:
    for piece in pieces:
        session.stdout.write(piece)
    session.stdout.flush()


def _is_ascii_only(session: Session) -> bool:
    return not (session.stdout.encoding or "").lower().startswith("utf")


def _describe_nothing(session: Session) -> str:
    """Return the sentence for a list that is empty."""
    command = session.command
    if command is None or command.path[1:] != ("list",):
        return "There is nothing to show."
    things = pluralize(spell_noun(command.path[0]))
    if session.is_filtered:
        return f"The options select none of the {things} that this account can see."
    return f"There are no {things}." if command.takes_session else f"There are no {things} that this account can see."
