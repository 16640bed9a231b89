"""Offboard one person, or several with a plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pinecone_admin._sync.workflows.offboard import carry_out_offboarding
from pinecone_admin._sync.workflows.offboard import offboard as run_offboarding
from pinecone_admin._sync.workflows.run import open_run
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.cli.calls.confirmation import Consent, ask, ask_for_number, join_first_names, require_change_allowed
from pinecone_admin.cli.calls.naming import Thing
from pinecone_admin.cli.damaged_files import listing_problems
from pinecone_admin.cli.failures import CLIError, describe_refusal, find_exit_code, find_exit_code_of_report
from pinecone_admin.cli.output.files import check_new_files, describe_input, read_text
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_preview, write_value
from pinecone_admin.cli.plans.plan_files import (
    as_document,
    carry_out,
    parse_people,
    parse_plan,
    prepare_plan_file,
    save_plan,
    save_preview,
    write_result,
)
from pinecone_admin.cli.sentences import as_sentences, tidy
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import NotFoundError, RefusedError
from pinecone_admin.workflows import Left, OffboardManyReport, OffboardPlan, OffboardReport
from pinecone_admin.workflows.offboarding import preview_plan
from pinecone_admin.workflows.plans import describe_missing


def offboard(session: Session, *, email: str | None, people: str | None, out: str | None) -> None:
    """Remove one person, or make a plan for several."""
    if people is not None:
        prepare_plan_file(session, out, people)
    if people is not None and email is None:
        _make_plan(session, people, out)
    elif email is not None and people is None:
        require_change_allowed(session)
        check_new_files(session, {"--out": out})
        _offboard_one(session, email, out)
    else:
        raise CLIError("Name one person, or give --people FILE to make a plan, which apply carries out.")


def _offboard_one(session: Session, user: str, save: str | None) -> None:
    names = session.names
    email = user if "@" in user else names.describe(names.find("user", user)).name or user
    with show_progress(session, "reading what the person can reach"):
        preview = session.admin.users.offboard(email=email)
    if session.is_dry_run:
        save_preview(session, preview.to_dict(), save)
        users = [] if preview.user is None else [Thing("user", preview.user.id, preview.user.email)]
        invites = [Thing("invite", each.id, each.email) for each in preview.invites]
        write_preview(session, preview.steps, [*users, *invites], report=preview)
        if preview.refusal is not None:
            session.warn(describe_refusal(preview.refusal))
            session.exit_code = find_exit_code(RefusedError)
        return
    if preview.refusal is not None:
        raise RefusedError(preview.refusal, operation="offboard")
    what = describe_resource("user offboard", email, None if preview.user is None else preview.user.id)
    ask(session, Consent(what=what, details=str(preview).splitlines()))
    if preview.user is not None:
        session.ledger.note_name(preview.user.id, preview.user.email)
    session.ledger.vanishing = preview.steps[-1].change.target.id  # without it, nobody has the address

    def remove(begin: Callable[[OffboardReport], object]) -> OffboardReport:
        with show_progress(session, f"removing {email}"), open_run(session.admin, "offboard") as run:
            return run_offboarding(run, email=email, begin=begin)

    carry_out(session, remove, partial(write_value, session), out=save)


def _make_plan(session: Session, path: str, save: str | None) -> None:
    if save is None and not session.is_dry_run:
        raise CLIError("--people makes a plan and removes nobody. Add --out FILE to keep it, or --dry-run to see it.")
    name = describe_input(path)
    with listing_problems(session, name):
        people = parse_people(read_text(path, session.stdin), name)
    with show_progress(session, "reading what the people can reach"):
        plan = session.admin.users.offboard_many(emails=people)
    save_plan(session, plan, save)
    rows = [*_describe_missing(plan), *(_describe_person(each, plan) for each in plan.reports)]
    write_result(session, as_document(plan), rows, [step for each in plan.reports for step in each.steps])
    _warn_of_missing(session, plan)
    if plan.refusal is not None:
        kept = "" if save is None else f" Remove that entry from reports in {save} to go on with the others."
        session.warn(f"This plan cannot be applied. {describe_refusal(plan.refusal)}{kept}")
        session.exit_code = find_exit_code(RefusedError)
    elif save is not None:
        command = f"To remove these people, run pinecone-admin apply {shlex.quote(save)}."
        session.notify(f"Nobody was removed. {command if plan.reports else 'There is nobody to remove.'}")


def carry_out_plan(session: Session, text: str, path: str, save: str | None) -> None:
    """Remove the people of a plan.

    Args:
        session: The session.
        text: The plan.
        path: The file of the plan.
        save: The file for the report, if there is one.
    """
    plan = parse_plan(session, OffboardPlan, text, path)
    if plan.reports:
        number, names = len(plan.reports), join_first_names([quote_name(each.email) for each in plan.reports])
        users = sum(each.user is not None for each in plan.reports)
        invited = number - users
        counts = {count_noun(users, "user"): users, count_noun(invited, "invited person", "invited people"): invited}
        people = " and ".join(text for text, count in counts.items() if count)
        notes = [f"This removes {people} from the organization, if they are still in it: {names}."]
        ask_for_number(session, f"apply {path}", notes, number, details=str(plan).splitlines())
    if session.is_dry_run:
        with show_progress(session, "reading what the people can reach"):
            preview = preview_plan(plan, session.admin.inventory())
        save_preview(session, preview.to_dict(), save)
        write_preview(session, preview.steps, report=preview)
        _warn_of_missing(session, preview, left=preview.left)
        _warn_of_kept_people(session, plan, preview.left, "Would not be removed")
        return

    def remove(begin: Callable[[OffboardManyReport], object]) -> OffboardManyReport:
        with show_progress(session, "removing people"), open_run(session.admin, "offboard_many") as run:
            return carry_out_offboarding(run, emails=None, plan=plan, begin=begin)

    def write(report: OffboardManyReport) -> None:
        removed = [_describe_person(each) for each in report.reports]
        rows = [*_describe_missing(report), *removed, *map(_describe_kept_person, report.left)]
        write_result(session, report.to_dict(), rows, nothing="The plan has no people, so nobody was removed.")
        if session.output == "table" and any(each["may_know"] for each in removed):
            named = f"{path} names, and the keys that were created since" if save is None else f"{save} names"
            session.notify(f"These people may know secrets. Rotate those that {named}.")
        _warn_of_missing(session, report, left=report.left)
        _warn_of_kept_people(session, plan, report.left, "Not removed, or perhaps not removed")

    carry_out(session, remove, write, out=save)


def _warn_of_kept_people(session: Session, plan: OffboardPlan, left: Sequence[Left], what: str) -> None:
    if left:
        session.warn(f"{what}: {len(left)} of {count_noun(len(plan.emails), 'person', 'people')}.")


def _describe_person(report: OffboardReport, plan: OffboardPlan | None = None) -> dict[str, Any]:
    secrets: Mapping[str, Sequence[object]] = {
        "API key": report.keys_to_rotate,
        "service account": report.service_accounts_to_rotate,
    }
    id = "" if report.user is None else report.user.id
    is_last_owner = plan is not None and plan.refusal is not None and id in plan.owner_ids
    return {
        "email": report.email,
        "id": id,
        "projects": len(report.reach),
        "may_know": ", ".join(count_noun(len(each), name) for name, each in secrets.items() if each),
        "result": "cannot be removed: last owner"
        if is_last_owner
        else tidy("; ".join(map(str, report.steps))) or "nothing to do",
    }


def _describe_kept_person(left: Left) -> dict[str, Any]:
    return {"email": left.name, "id": left.id, "projects": "", "may_know": "", "result": tidy(f"left: {left.reason}")}


def _describe_missing(result: OffboardPlan | OffboardManyReport) -> list[dict[str, Any]]:
    rows = [(each, "not found") for each in result.not_found]
    rows += [(each.name, f"not seen: {each.reason}") for each in result.unseen]
    return [{"email": email, "id": "", "projects": "", "may_know": "", "result": text} for email, text in rows]


def _warn_of_missing(session: Session, result: OffboardPlan | OffboardManyReport, *, left: Sequence[Left] = ()) -> None:
    """Warn of addresses that nobody has or that could not be looked up, and choose the exit code.

    Args:
        session: The session.
        result: The plan, or the report.
        left: Those who were not removed.
    """
    missing = describe_missing(result.not_found, result.unseen)
    for line in missing:
        session.warn(as_sentences(line))
    codes = [each.help_code for each in (*result.unseen, *left)] + [NotFoundError.help_code] * len(result.not_found)
    session.exit_code = find_exit_code_of_report(codes, session.ledger, is_anything_done=bool(result.reports))
