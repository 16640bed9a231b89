"""Review access: read, select, write the files, and choose the exit code."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, cast

import click
from attrs import evolve, fields

from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable, quote_input
from pinecone_admin.cli.calls.naming import require_one
from pinecone_admin.cli.damaged_files import listing_problems
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import check_new_files, describe_input, read_text
from pinecone_admin.cli.output.tables import write_lines, write_rows
from pinecone_admin.cli.output.writing import wants_document, write_file, write_items, write_value
from pinecone_admin.cli.parameters import suggest
from pinecone_admin.cli.reports.inventory_report import end_with_missing, read_inventory
from pinecone_admin.cli.sentences import as_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeTypeError, PineconeValueError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows import Access, Finding, Holder, Review, Waiver
from pinecone_admin.workflows.access import NOTE
from pinecone_admin.workflows.desired_state import raise_if
from pinecone_admin.workflows.name_tags import describe_name
from pinecone_admin.workflows.roles import highest_level, is_ownership
from pinecone_admin.workflows.strict_yaml import NotText, line_of
from pinecone_admin.workflows.strict_yaml import read_text as read_yaml
from pinecone_admin.workflows.waivers import FINDING_KINDS

# A role that this release does not know could permit writing, as in the access page.
LEVELS: Mapping[str, frozenset[str]] = {
    "reads": frozenset({"reads", "unknown", "writes", "owns"}),
    "writes": frozenset({"unknown", "writes", "owns"}),
    "owns": frozenset({"owns"}),
}
"""The levels that are at least as high as the one that was asked for."""

ANY_FINDING = "any"

_ABOUT_SEVERAL: frozenset[str] = frozenset({"could-not-be-read", "many-owners", "principal-is-gone"})
"""Kinds of findings that may concern each project, unless they name one."""

_NEED_MAX_KEY_AGE: frozenset[str] = frozenset({"key-is-old", "key-age-unknown"})
"""Kinds of findings that are found only with --max-key-age."""

_WAIVER_FIELDS = tuple(each.name for each in fields(Waiver))
_REQUIRED_FIELDS = ("kind", "reason", "until")


def report_access(
    session: Session,
    *,
    html: str | None = None,
    csv: str | None = None,
    markdown: str | None = None,
    inventory: str | None = None,
    project: str | None = None,
    level: str | None = None,
    max_owners: int,
    max_pending: timedelta,
    max_key_age: timedelta | None = None,
    fail_on: Sequence[str] = (),
    waivers: str | None = None,
) -> None:
    """Write who can do what, to files and to standard output; the arguments are the options of the command."""
    kinds = parse_kinds(fail_on)
    if max_key_age is None and (ages := sorted(_NEED_MAX_KEY_AGE & set(kinds))):
        raise CLIError(f"--fail-on {ages[0]} needs --max-key-age, such as 90d. Without it, no key is too old.")
    files = [each for each in (html, csv, markdown) if each is not None]
    check_new_files(session, {"--html": html, "--csv": csv, "--markdown": markdown}, inputs=(inventory, waivers))
    accepted: Sequence[Waiver] = ()
    if waivers:
        with listing_problems(session, describe_input(waivers)):
            accepted = parse_waivers(read_text(waivers, session.stdin), describe_input(waivers))
    taken = read_inventory(session, inventory)
    access = taken.access(max_owners=max_owners, max_pending=max_pending, max_key_age=max_key_age)
    project_id = find_project(access.projects, project) if project else None
    review = access.accept(accepted, today=datetime.now(UTC).date() if inventory else None)
    if project_id is not None:
        # Not by who holds access: an expired invite is none of them.
        holders = {
            (binding.principal_type, binding.principal_id)
            for binding in taken.role_bindings
            if is_ownership(binding) or binding.resource_id == project_id
        }
        concerns = partial(_may_concern, project_id, holders)
        kept = [each for each in review.accepted if concerns(each[0])]
        review = evolve(review, open=[*filter(concerns, review.open)], accepted=kept)
        access = evolve(access, findings=[*filter(concerns, access.findings)])
    selected = select_access(access, project_id=project_id, level=level)
    page = select_access(access, project_id=project_id, level=level, keep_owners=True)
    formats: Sequence[tuple[str | None, Callable[[], str]]] = (
        (html, note_waivers(page, review).to_html),
        (csv, selected.to_csv),
        (markdown, note_waivers(selected, review).to_markdown),
    )
    for file, render in formats:
        if file is not None:
            write_file(session, file, render())
    with session.until_closed():
        _write(session, selected, review, files=files)
    for warning in review.warnings:
        session.warn(as_sentences(warning))
    # What could not be read may hide a finding, so of that it warns in any case.
    end_with_missing(session, "Not shown", [each.text for each in review.open if each.kind == "could-not-be-read"])
    failing = [each.kind for each in review.open if ANY_FINDING in kinds or each.kind in kinds]
    if failing:
        counts = (f"{kind} ({failing.count(kind)})" for kind in dict.fromkeys(failing))
        session.fail_on("findings", ", ".join(counts))


def _may_concern(project_id: str, holders: Container[object], finding: Finding) -> bool:
    """Return whether a finding may be about a project, or one of those who have a role there."""
    if finding.project_id is not None or finding.kind in _ABOUT_SEVERAL:
        return finding.project_id in {None, project_id}
    return (finding.principal_type, finding.principal_id) in holders


def parse_kinds(texts: Sequence[str]) -> list[str]:
    """Return the kinds in lists that are separated by commas.

    Raises:
        CLIError: A list is empty, as an unset variable gives it, or one of them is no kind of finding; then the message
            has the nearest one.
    """
    lists = [[each.strip() for each in text.split(",") if each.strip()] for text in texts]
    if not all(lists):
        raise CLIError("--fail-on needs a value, but is empty.")
    words = [each for words in lists for each in words]
    for each in words:
        if each not in {ANY_FINDING, *FINDING_KINDS}:
            advice = suggest(each, FINDING_KINDS, otherwise="All kinds: pinecone-admin help findings.")
            raise CLIError(f"--fail-on {each}: there is no such kind of finding. {advice}")
    return words


def find_project(projects: Mapping[str, str], text: str) -> str:
    """Return the id of the project with this id or name.

    Raises:
        CLIError: There is none, or several have the name.
    """
    ids = [text] if text in projects else [id for id, name in projects.items() if name == text]
    return require_one(ids, "project", text, names=projects.values(), describe=str)


def _write(session: Session, access: Access, review: Review, *, files: Sequence[str]) -> None:
    """Write the access and the findings; beside files, only the findings, unless a format or a part is asked for."""
    if wants_document(session):
        is_asked_for = not session.settings.keys().isdisjoint({"output", "query"})
        write_value(session, build_document(access, review, files=[] if is_asked_for else files))
    elif session.output == "table":
        _write_tables(session, access, review, rows=not files)
    elif session.output == "csv":
        session.stdout.write(access.to_csv())
    else:
        write_items(session, list(dict.fromkeys(row.principal for row in access.rows())))


def _write_tables(session: Session, access: Access, review: Review, *, rows: bool) -> None:
    """Write who can do what, if that is asked for, then the findings."""
    if rows:
        held = access.rows()
        owners = {row.principal_id for row in held if not row.project_id and row.level == "owns"}
        shown = [row for row in held if not row.project_id or row.principal_id not in owners]
        shown.sort(key=lambda row: (row.project, row.project_id))
        title = f"Access in {make_printable(access.organization)}, {describe_minute(access.taken_at)}"
        write_lines(session, [click.style(title, bold=True)])
        rows_of_table = [
            {
                "project": row.project or "the organization",
                "name": describe_name(row.principal),
                "kind": row.principal_type.replace("_", " "),
                "level": row.level,
                "roles": row.roles,
            }
            for row in shown
        ]
        write_rows(session, rows_of_table)
        if owners:
            session.notify("Owners of the organization own every project, and are listed once.")
    accepted = f", and {len(review.accepted)} accepted" if review.accepted else ""
    write_lines(session, ["", click.style(f"Findings: {len(review.open) or 'none'}{accepted}", bold=True)])
    notes = [(each, "") for each in review.open] + [(each, describe_waiver(waiver)) for each, waiver in review.accepted]
    if notes:
        write_rows(session, [{"kind": each.kind, "finding": f"{each.text}{note}"} for each, note in notes])
        session.notify("To see what to do about a finding, run pinecone-admin explain KIND.")


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
    for holder in access.holders:
        roles = holder.roles  # shared by all owners, as long as nothing is selected
        if project_id is not None or level is not None:
            roles = {id: held for id, held in roles.items() if project_id in {None, id} and _reaches(held, levels)}
        keeps = (
            keep_owners and holder.is_owner if project_id is not None else _reaches(holder.organization_roles, levels)
        )
        if roles or keeps:
            on_organization = holder.organization_roles if keeps else []
            holders.append(evolve(holder, organization_roles=on_organization, roles=roles))
    return evolve(access, projects=projects, holders=holders)


def note_waivers(access: Access, review: Review) -> Access:
    """Return the access with findings whose text says until when and why they are accepted."""
    notes = {id(finding): describe_waiver(waiver) for finding, waiver in review.accepted}
    findings = [evolve(each, text=f"{each.text}{notes.get(id(each), '')}") for each in access.findings]
    return evolve(access, findings=findings)


def _reaches(roles: Sequence[str], levels: frozenset[str]) -> bool:
    return bool(roles) and highest_level(roles) in levels


def build_document(access: Access, review: Review, *, files: Sequence[str] = ()) -> dict[str, Any]:
    """Return access and findings as plain JSON types; if files have the access, only their names in its place."""
    rows = {"written": [*files]} if files else {"access": [to_dict(row) for row in access.rows()]}
    waivers = {
        id(finding): {"accepted_reason": waiver.reason, "accepted_until": f"{waiver.until}"}
        for finding, waiver in review.accepted
    }
    none = {"accepted_reason": None, "accepted_until": None}
    return {
        "taken_at": access.taken_at.isoformat(),
        "organization": access.organization,
        "note": NOTE,
        "unread": access.unread,
        "findings": [{**to_dict(each), **waivers.get(id(each), none)} for each in access.findings],
        **rows,
    }


def parse_waivers(text: str, source: str) -> list[Waiver]:
    """Return the waivers in a YAML or JSON document.

    Args:
        text: The text of the file.
        source: How errors name the file.

    Raises:
        PineconeValueError: It is not a list of waivers. The message names the file, the entries and the fields; if
            there are several problems, they are the notes, too.
    """
    document, problems = read_yaml(text)
    raise_if(problems, source, "text")
    if not isinstance(document, list):
        problems.append(f"the waivers must be a list of entries with {', '.join(_REQUIRED_FIELDS)}")
    raise_if(problems, source, "text")
    waivers: list[Waiver] = []
    for number, entry in enumerate(cast("list[object]", document), 1):
        try:
            waivers.append(_read_waiver(number, entry))
        except PineconeValueError as error:
            line = line_of(entry, "")
            problems.append(error.message if line is None else f"line {line}: {error.message}")
    raise_if(problems, source, "text")
    return waivers


def _read_waiver(number: int, entry: object) -> Waiver:
    where = f"waiver {number}"
    if not isinstance(entry, Mapping):
        raise PineconeValueError(f"{where} must have {', '.join(_REQUIRED_FIELDS)}")
    # A day is no text in YAML; a message can quote an impossible one.
    given = {
        name: each.text if isinstance(each, NotText) else each
        for name, each in cast("Mapping[object, object]", entry).items()
    }
    if unknown := [each for each in given if each not in _WAIVER_FIELDS]:
        raise PineconeValueError(f"{where} has the field {_quote(unknown[0])}; there are {', '.join(_WAIVER_FIELDS)}")
    # Without its value, key_id would accept the findings about any key.
    if missing := [each for each in (*_REQUIRED_FIELDS, *given) if given.get(each) is None or given.get(each) == ""]:
        raise PineconeValueError(f"{where} has no {missing[0]}")
    values: dict[str, Any] = {name: given.get(name) for name in _WAIVER_FIELDS} | {
        "until": _read_day(where, given["until"])
    }
    try:
        return Waiver(**values)
    except (PineconeTypeError, PineconeValueError) as error:
        raise PineconeValueError(f"{where}: {error.message}") from error


def _quote(value: object) -> str:
    """Return a value of the file for a message: of anything but text, which may be endless, only its type."""
    return quote_input(value) if isinstance(value, str) else f"of type {type(value).__name__}"


def _read_day(where: str, value: object) -> date:
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "").date()
    except ValueError:
        raise PineconeValueError(f"{where}: until must be a day such as 2027-01-31, not {_quote(value)}") from None


def describe_waiver(waiver: Waiver) -> str:
    """Return what follows the text of an accepted finding."""
    return f" (accepted until {waiver.until}: {waiver.reason})"
