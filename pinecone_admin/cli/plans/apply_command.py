"""Carry out a file on an organization, or a saved plan of one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import evolve

from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.confirmation import confirm, confirm_number, require_change_allowed
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import check_writable, read_text, write_report
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import wants_document, write_preview, write_preview_heading, write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.plans.plan_command import make_plan, parse_state, read_state, write_plan
from pinecone_admin.cli.plans.plan_files import as_document, is_saved_plan, parse_plan
from pinecone_admin.cli.secrets.stores import STORE_FORMS
from pinecone_admin.cli.secrets.stores_by_name import SecretOwner, StoresByName
from pinecone_admin.cli.session import Session
from pinecone_admin.workflows import ChangePlan, DesiredState, Step
from pinecone_admin.workflows.plan_facts import check_planned, makes_secret

_SECRETS = Secret("api-key", many=True)


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
        check_writable(report)
    planned, made = _make_or_load_plan(session, file, base, drift=drift)
    steps = [each for each in made.steps if drift or each.cause != "drift"]
    store = _check_store(session, steps)
    if session.is_dry_run:
        _write_dry_run(session, made)
        return
    allowed = _confirm(session, made, steps, file, allow_removals)
    with show_progress(session, "applying the file"):
        done = session.admin.apply(planned, store=store, drift=drift, allow_removals=allowed)
    session.ledger.is_complete = not (done.failed or done.not_run)
    if report is not None:
        write_report(report, json.dumps(done.to_dict(), indent=2) + "\n")
        session.notify(f"wrote {report}")
    write_value(session, done)
    if not session.ledger.is_complete:
        failed, left = len(done.failed), len(done.not_run)
        session.notify(f"warning: {count_noun(failed, 'step')} failed, and {left} did not run: run it again")
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
    made = make_plan(
        session,
        DesiredState.from_dict(saved.desired),
        None if saved.base is None else DesiredState.from_dict(saved.base),
        client_id=None if session.client_id else saved.client_id,
    )
    check_planned(saved.steps, made.steps, drift=drift)
    return evolve(made, source=saved.source, digest=saved.digest, commit=saved.commit)


def _check_store(session: Session, steps: Sequence[Step]) -> StoresByName | None:
    """Return where the secrets of steps go; raise CLIError, before anything is made, unless each has a place."""
    owners = [
        SecretOwner(each.kind.replace("_", "-"), each.project or "", each.name or "")
        for each in steps
        if makes_secret(each)
    ]
    if "store" in session.settings:
        store = StoresByName(session, _SECRETS)
        store.rules.check(owners)
        return store
    if owners and not session.is_dry_run:
        raise CLIError(
            f"this makes {count_noun(len(owners), 'secret')}, shown only once: give --store {STORE_FORMS}, with "
            "{project} and {name} in it",
            says_if_unchanged=True,
        )
    return None


def _confirm(session: Session, plan: ChangePlan, steps: Sequence[Step], path: str, allowed: int | None) -> int | None:
    """Ask on a terminal, after the plan was shown; return how many may be deleted."""
    deletions = sum(each.action == "delete" for each in steps)
    if not steps:
        return allowed
    what = f"apply {path}: {count_noun(len(steps), 'step')}"
    is_asked = session.is_interactive and not session.settings.get("yes")
    if is_asked:
        for line in str(plan).splitlines():
            session.notify(line)
    if deletions and allowed is None and is_asked:
        confirm_number(session, what, deletions)
        return deletions
    if deletions > (allowed or 0):
        raise CLIError(f"this deletes {deletions}: give --allow-removals {deletions}, or --dry-run to see which")
    confirm(session, what)
    return allowed


def _write_dry_run(session: Session, plan: ChangePlan) -> None:
    if wants_document(session):
        write_preview(session, as_document(plan))
        return
    if session.output == "table":
        write_preview_heading(session)
    write_plan(session, plan)
