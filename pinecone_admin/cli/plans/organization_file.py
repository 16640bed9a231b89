"""Export an organization as a file, plan what brings it to a file, and carry that out."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import evolve

from pinecone_admin._sync.workflows.apply_plan import apply_plan
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.confirmation import Consent, ask, require_change_allowed
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import check_new_record, check_writable, describe_path, read_text, write_report
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.tables import write_lines
from pinecone_admin.cli.output.writing import (
    wants_document,
    write_items,
    write_preview,
    write_preview_heading,
    write_value,
)
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.plans.plan_files import as_document, is_saved_plan, parse_plan
from pinecone_admin.cli.reports.inventory_report import parse_inventory, read_inventory
from pinecone_admin.cli.secrets.destination import Destination
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.workflows import ApplyReport, ChangePlan, DesiredState, Step, plan_changes
from pinecone_admin.workflows.change_plan import describe_step, split_sections
from pinecone_admin.workflows.plan_facts import check_planned, makes_secret
from pinecone_admin.workflows.readable_store import SecretOwner

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA")
_SIGNS = {"create": "+", "invite": "+", "grant": "+", "revoke": "-", "delete": "-"}
_STYLES = {"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m", " ": "\x1b[2m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
_MOST_NAMED = 5
"""Deletions that a refusal names."""
_SECRETS = Secret("api-key", many=True)


def export_organization(session: Session) -> None:
    """Write the organization as a file, by default in YAML, and say what a file cannot express."""
    state = read_inventory(session).to_desired_state()
    for note in state.notes:
        session.notify(f"warning: {note}")
    session.settings.setdefault("output", "yaml")
    write_value(session, state.to_dict())


def plan_file(
    session: Session,
    *,
    file: str,
    base: str | None = None,
    inventory: str | None = None,
    client_id: str | None = None,
    save: str | None = None,
    markdown: str | None = None,
    fail_on_change: bool,
) -> None:
    """Show a plan, write it to files, and choose the exit code; the arguments are the options of the command."""
    for path in filter(None, (save, markdown)):
        check_writable(path)
    desired, former = read_state(session, file), None if base is None else read_state(session, base)
    made = make_plan(session, desired, former, inventory, client_id)
    if save is not None:
        write_report(save, f"{made.to_json()}\n")
        session.notify(f"wrote {save}")
    if markdown is not None:
        write_report(markdown, made.to_markdown())
        session.notify(f"wrote {markdown}")
    write_plan(session, made)
    for refusal in made.refusals:
        session.notify(f"warning: apply refuses this: {refusal}")
    if made and fail_on_change:
        session.notify(f"failed on {count_noun(len(made.steps), 'step')}")
        session.exit_code = exit_codes.FINDINGS


def read_state(session: Session, path: str) -> DesiredState:
    """Return the state in a file."""
    return parse_state(session, read_text(path, session.stdin, keep_mark=True), path)


def parse_state(session: Session, text: str, path: str) -> DesiredState:
    """Return the state in the text of a file; of several problems, each gets a line of its own."""
    if is_saved_plan(text):
        raise CLIError(f"{describe_path(path)} is a saved plan, which has a file in it: only apply takes one")
    source = "standard input" if path == "-" else path
    with _listing_problems(session, source):
        return DesiredState.from_text(text, source=source)


@contextmanager
def _listing_problems(session: Session, source: str) -> Generator[None, None, None]:
    try:
        yield
    except PineconeValueError as error:
        problems: Sequence[str] = getattr(error, "__notes__", ())
        if not problems:
            raise
        for each in problems:
            session.notify(f"{describe_path(source)}: {each}")
        raise CLIError(f"{describe_path(source)} has {count_noun(len(problems), 'problem')}") from error


def make_plan(
    session: Session,
    desired: DesiredState,
    base: DesiredState | None,
    inventory: str | None = None,
    client_id: str | None = None,
) -> ChangePlan:
    """Return the plan for a file, from the organization or from a saved inventory."""
    commit = next((session.env[name] for name in _COMMITS if session.env.get(name)), None)
    if inventory is None:
        with _listing_problems(session, desired.source), show_progress(session, "reading the organization"):
            return session.admin.plan(desired, base=base, client_id=client_id, commit=commit)
    taken = parse_inventory(read_text(inventory, session.stdin), inventory)
    caller = client_id or session.env.get("PINECONE_CLIENT_ID")
    if caller is None:
        raise CLIError("--inventory needs --client-id: the client id of the account that will apply the file")
    with _listing_problems(session, desired.source):
        return plan_changes(taken, desired, client_id=caller, base=base, commit=commit)


def write_plan(session: Session, plan: ChangePlan) -> None:
    """Write a plan: sections for a table, rows for a spreadsheet, else all of it."""
    if wants_document(session):
        write_value(session, as_document(plan))
    elif session.output == "table":
        with session.until_closed():
            write_lines(session, _format_plan(plan))
    else:
        rows = [_describe_row(each) for each in (*plan.steps, *plan.unfinished, *plan.not_listed)]
        write_items(session, rows if session.output == "csv" else [each["text"] for each in rows])


def _describe_row(step: Step) -> dict[str, Any]:
    names = ("action", "kind", "name", "id", "project", "project_id", "cause")
    return {**{name: getattr(step, name) or "" for name in names}, "text": str(step)}


def _format_plan(plan: ChangePlan) -> list[str]:
    """Return the lines of a plan for a terminal: what concerns owners and secrets first, and a summary last."""
    lines: list[str] = []
    for title, steps in split_sections(plan).items():
        lines += [f"{_BOLD}{title}{_RESET}", *map(_format_step, steps)]
    return [*lines, *map(make_printable, plan.notes), make_printable(plan.summary)]


def _format_step(step: Step) -> str:
    sign = " " if step.action == "keep" else _SIGNS.get(step.action, "~")
    text = describe_step(step).removeprefix("would ").removeprefix("keep ").removesuffix(": not listed")
    return f"{_STYLES[sign]}{sign} {text}{_RESET}"


def apply_file(
    session: Session,
    *,
    file: str,
    base: str | None = None,
    drift: bool,
    allow_removals: int | None = None,
    report: str | None = None,
) -> None:
    """Carry out a file or a saved plan, and write the report; the arguments are the options of the command."""
    require_change_allowed(session)
    if report is not None:
        check_new_record(report)
    destination = Destination(session, _SECRETS)
    planned, made = _make_or_load_plan(session, file, base, drift=drift)
    steps = [each for each in made.steps if drift or each.cause != "drift"]
    _check_store(destination, steps)
    if session.is_dry_run:
        _write_dry_run(session, made)
        return
    allowed = _confirm(session, made, steps, file, allow_removals)
    begun: list[ApplyReport] = []
    store = destination if destination.is_given else None
    try:
        with show_progress(session, "applying the file"):
            done = apply_plan(
                session.admin, planned, store=store, drift=drift, allow_removals=allowed, begin=begun.append
            )
        session.ledger.is_complete = not (done.failed or done.not_run)
    finally:  # also if it is interrupted
        if report is not None and begun:
            write_report(report, json.dumps(begun[0].to_dict(), indent=2) + "\n")
            session.notify(f"wrote {report}")
    write_value(session, done)
    if not session.ledger.is_complete:
        failed, left = len(done.failed), len(done.not_run)
        again = f"see why, and run it again{'' if report is None else ', with another file for --report'}"
        session.notify(f"warning: {count_noun(failed, 'step')} failed, and {left} did not run: {again}")
        session.exit_code = exit_codes.PARTLY_DONE


def _make_or_load_plan(session: Session, path: str, base: str | None, *, drift: bool) -> tuple[ChangePlan, ChangePlan]:
    """Return a saved plan with what it does now, or the plan for a file twice."""
    text = read_text(path, session.stdin, keep_mark=True)
    if not is_saved_plan(text):
        made = make_plan(session, parse_state(session, text, path), None if base is None else read_state(session, base))
        return made, made
    if base is not None:
        raise CLIError("--base is for a file: a plan has the one with which it was made")
    saved = parse_plan(session, ChangePlan, text, path)
    return saved, _renew(session, saved, drift=drift)


def _renew(session: Session, saved: ChangePlan, *, drift: bool) -> ChangePlan:
    """Return what a saved plan does now; what it says itself may have been edited, and is not shown."""
    inventory = read_inventory(session)
    with _listing_problems(session, saved.source):
        made = plan_changes(
            inventory,
            DesiredState.from_dict(saved.desired),
            base=None if saved.base is None else DesiredState.from_dict(saved.base),
            client_id=session.client_id or saved.client_id,
        )
    check_planned(saved, made.steps, inventory, drift=drift)
    return evolve(made, source=saved.source, digest=saved.digest, commit=saved.commit)


def _check_store(destination: Destination, steps: Sequence[Step]) -> None:
    """Raise CLIError, before anything is made, unless each secret of the steps has a place."""
    makers = [
        (SecretOwner(each.kind, each.project or "", each.name or ""), each) for each in steps if makes_secret(each)
    ]
    # An interrupted run may have stored the secret of what it left.
    unfinished = {owner for owner, step in makers if step.before.get("replaced_ids")}
    destination.check([owner for owner, _ in makers], may_be_stored=unfinished)


def _confirm(session: Session, plan: ChangePlan, steps: Sequence[Step], path: str, allowed: int | None) -> int | None:
    """Ask on a terminal, after the plan was shown; return how many may be deleted."""
    deletions = [str(each.name or each.id) for each in steps if each.action == "delete"]
    if not steps:
        return allowed
    what = f"apply {path}: {count_noun(len(steps), 'step')}"
    is_asked = session.is_interactive and not session.settings.get("yes")
    for line in str(plan).splitlines() if is_asked else plan.notes:
        session.notify(line)
    number = len(deletions)
    if deletions and allowed is None and is_asked:
        ask(session, Consent(what=what, typed=str(number), is_number=True, wants_typed=True))
        return number
    if number > (allowed or 0):
        shown = ", ".join(deletions[:_MOST_NAMED]) + (", …" if number > _MOST_NAMED else "")
        raise CLIError(
            f"This would delete {count_noun(number, 'thing')}: {shown}. Add --allow-removals {number} to go ahead, or "
            "--dry-run to see which.",
            says_if_unchanged=True,
        )
    ask(session, Consent(what=what))
    return allowed


def _write_dry_run(session: Session, plan: ChangePlan) -> None:
    if wants_document(session):
        write_preview(session, as_document(plan))
        return
    if session.output == "table":
        write_preview_heading(session)
    write_plan(session, plan)
