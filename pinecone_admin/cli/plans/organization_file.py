"""Export an organization as a file, plan what brings it to a file, and carry that out."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from attrs import evolve

from pinecone_admin._http.codec import parse_json_object
from pinecone_admin._sync.workflows.apply_plan import apply_plan
from pinecone_admin._sync.workflows.run import open_run
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.calls.confirmation import ask_for_number, join_first_names, needs_answer, require_change_allowed
from pinecone_admin.cli.damaged_files import STANDARD_INPUT, listing_problems
from pinecone_admin.cli.ending import advise_on_repeat
from pinecone_admin.cli.failures import (
    CLIError,
    describe_refusal,
    find_exit_code,
    find_exit_code_of_report,
)
from pinecone_admin.cli.output.files import check_new_files, describe_input, describe_path, read_text
from pinecone_admin.cli.output.formats import render_value
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.tables import write_sentences
from pinecone_admin.cli.output.writing import write_file, write_items, write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.plans.offboarding import carry_out_plan
from pinecone_admin.cli.plans.plan_files import (
    as_document,
    carry_out,
    find_workflow,
    parse_plan,
    prepare_plan_file,
    save_plan,
    write_whole,
)
from pinecone_admin.cli.plans.stale_projects import carry_out_deletion
from pinecone_admin.cli.reports.inventory_report import end_with_missing, read_inventory
from pinecone_admin.cli.secrets.destination import Destination
from pinecone_admin.cli.sentences import as_sentences, list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import RefusedError, SecretNotStoredError
from pinecone_admin.workflows import ApplyReport, Change, ChangePlan, DesiredState, Inventory, Ref, Step, plan_changes
from pinecone_admin.workflows.change_plan import count_kinds, count_not_listed
from pinecone_admin.workflows.changes import PEOPLE
from pinecone_admin.workflows.comparison import Compared
from pinecone_admin.workflows.desired_state import place_in
from pinecone_admin.workflows.guard import Caller, find_excess, find_removed
from pinecone_admin.workflows.organization_index import OrganizationIndex
from pinecone_admin.workflows.plan_execution import (
    find_new_project_names,
    find_reviewed,
    name_secret_owner,
    review_plan,
)

_COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA")
_SECTIONS = {
    "Projects": {"project"},
    "Service accounts": {"service_account"},
    "People": PEOPLE,
    "API keys": {"api_key"},
}
"""The headings of a plan, each with the kinds of what is changed."""
_SIGNS = {"create": "+", "invite": "+", "grant": "+", "revoke": "-", "delete": "-"}
_STYLES = {"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m", " ": "\x1b[2m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
_SECRETS = Secret("api-key", many=True)
_OTHER_FILES = {"taken_at": "an inventory, which diff reads, and plan with --inventory", "steps": "the report of a run"}
"""What other commands write, each by a field that an organization file never has."""
_NEEDS_FILE = "Give an organization file, as export writes it (help organization-file)."


def export_organization(session: Session, out: str | None) -> None:
    """Write the organization as a file, by default in YAML, and say what a file cannot express."""
    check_new_files(session, {"--out": out})
    session.settings.setdefault("output", "yaml")
    if out is not None and (session.output not in {"json", "yaml"} or "query" in session.settings):
        raise CLIError("--out writes the whole file, as YAML or JSON.")
    state = read_inventory(session).to_desired_state()
    for note in state.notes:
        session.warn(as_sentences(note))
    if out is None:
        write_value(session, state.to_dict())
        return
    write_file(session, out, "".join(render_value(state.to_dict(), session.settings["output"])))


def plan_file(
    session: Session,
    *,
    file: str,
    base: str | None = None,
    inventory: str | None = None,
    out: str | None = None,
    markdown: str | None = None,
    fail_on_change: bool,
    unlisted: bool,
) -> None:
    """Show a plan, write it to files, and choose the exit code; the arguments are the options of the command."""
    prepare_plan_file(session, out, file, base, inventory, others={"--markdown": markdown})
    _check_format(session)
    desired, former = read_state(session, file), None if base is None else read_state(session, base, is_base=True)
    stated = session.settings.get("client_id") or session.env.get("PINECONE_CLIENT_ID")
    caller = session.account if inventory is None else Caller(stated, is_stated=True)
    taken = read_inventory(session, inventory)
    plan = _plan(session, desired, former, taken, caller.client_id)
    save_plan(session, plan, out)
    if markdown is not None:
        write_file(session, markdown, plan.to_markdown())
    write_plan(session, plan, unlisted=unlisted)
    # The parts that apply would refuse, and the exit code of its dry run.
    end_with_missing(session, "Left out", [place_in(plan.source, each) for each in plan.stopped])
    try:
        compared = _review(plan, taken, caller, drift=False)
    except RefusedError as error:
        session.warn(f"apply refuses this plan. {describe_refusal(error.message)}")
        session.exit_code = find_exit_code(error)
    else:
        ready = [each.change for each in compared if each.state == "ready"]
        for each in find_excess(ready, OrganizationIndex(taken), None, find_reviewed(plan, compared, plan.changes)):
            session.warn(f"apply needs --confirm for this plan. {describe_refusal(str(each))}")
        _notify_held(session, compared, beside=[*ready, *plan.stopped])
    if plan and fail_on_change:
        session.fail_on(count_noun(len(plan.changes), "change"))


def _review(plan: ChangePlan, inventory: Inventory, caller: Caller, *, drift: bool) -> list[Compared]:
    """Compare a plan with the organization; how many removals it may have is asked for, and refused nowhere here."""
    index, most = OrganizationIndex(inventory), len(plan.changes)
    return review_plan(plan, index, inventory, caller=caller, drift=drift, allow_removals=most)


def read_state(session: Session, path: str, *, is_base: bool = False) -> DesiredState:
    """Return the state in a file."""
    return parse_state(session, read_text(path, session.stdin, keep_mark=True), path, is_base=is_base)


def parse_state(session: Session, text: str, path: str, *, is_base: bool = False) -> DesiredState:
    """Return the state in the text of a file. An error has a line for each problem.

    Raises:
        CLIError: The text has problems, or is a file that another command writes. Only in the place of the main file,
            the message shows how a saved plan is carried out.
    """
    name = describe_input(path, begins=True)
    document = parse_json_object(text.encode()) or {}
    if find_workflow(text) is not None:
        advice = f"Carry it out with: pinecone-admin apply {shlex.quote(describe_path(path))}."
        raise CLIError(f"{name} is a saved plan. {_NEEDS_FILE if is_base else advice}")
    for kind in (kind for field, kind in _OTHER_FILES.items() if field in document):
        raise CLIError(f"{name} is {kind}. {_NEEDS_FILE}")
    with listing_problems(session, describe_input(path)):
        return DesiredState.from_text(text, source=STANDARD_INPUT if path == "-" else path)


def _plan(
    session: Session, desired: DesiredState, base: DesiredState | None, inventory: Inventory, client_id: str | None
) -> ChangePlan:
    """Return the plan for a file. An error has a line for each problem."""
    commit = next((session.env[name] for name in _COMMITS if session.env.get(name)), None)
    if client_id is None:
        raise CLIError("Nothing shows which account will apply the file. Give its client id with --own-client-id.")
    with listing_problems(session, describe_path(desired.source)):
        return plan_changes(inventory, desired, client_id=client_id, base=base, commit=commit)


def write_plan(session: Session, plan: ChangePlan, *, unlisted: bool = False) -> None:
    """Write a plan: sections for a table, lines of text for raw, else all of it."""
    if write_whole(session, as_document(plan), [Step(change=each, state="planned") for each in plan.changes]):
        return
    if session.output == "table":
        with session.until_closed():
            write_sentences(session, _format_plan(plan, unlisted=unlisted))
    else:
        write_items(session, [each.describe("conditional") for each in plan.changes])


def _check_format(session: Session) -> None:
    if session.output == "csv" and session.settings.get("query") is None:
        raise CLIError("A plan has no columns, so -o csv cannot show it. Use -o json, or select a part with --query.")


def _format_plan(plan: ChangePlan, *, unlisted: bool) -> list[str]:
    """Return the lines of a plan for a terminal, in the order of execution, summary last."""
    lines: list[str] = []
    for title, kinds in _SECTIONS.items():
        if some := [each for each in plan.changes if each.target.kind in kinds]:
            changes = (_style(_SIGNS.get(each.action, "~"), str(each)) for each in some)
            lines += [f"{_BOLD}{title}{_RESET}", *changes]
    for title, aside in {"Unfinished": plan.unfinished, "Kept": plan.kept}.items():
        if aside:
            lines += [f"{_BOLD}{title}{_RESET}", *(_style(" ", str(each)) for each in aside)]
    if unlisted and plan.not_listed:
        lines += [f"{_BOLD}Not listed{_RESET}", *(_style(" ", str(each)) for each in plan.not_listed)]
    notes = [*map(as_sentences, plan.notes), *([] if unlisted else count_not_listed(plan.not_listed))]
    return [*lines, *map(make_printable, notes), make_printable(plan.summary)]


def _style(sign: str, text: str) -> str:
    return f"{_STYLES[sign]}{sign} {text}{_RESET}"


def apply_file(
    session: Session,
    *,
    file: str,
    base: str | None = None,
    drift: bool,
    out: str | None = None,
) -> None:
    """Carry out a file or a saved plan, and write the report; the arguments are the options of the command."""
    require_change_allowed(session)
    check_new_files(session, {"--out": out}, inputs=(file, base))
    text = read_text(file, session.stdin, keep_mark=True)
    workflow = find_workflow(text)
    if workflow in _CARRIED_OUT_ELSEWHERE:
        _refuse_options_of_files(session, file, base=base, drift=drift)
        _CARRIED_OUT_ELSEWHERE[workflow](session, text, file, out)
        return
    destination = Destination(session, _SECRETS)
    if session.is_dry_run:
        _check_format(session)
    caller = session.account
    if workflow is not None:
        if base is not None:
            raise CLIError("A saved plan already contains its base, so --base has no place here. Leave it out.")
        plan = parse_plan(session, ChangePlan, text, file)
        inventory = read_inventory(session)
    else:
        desired, former = (
            parse_state(session, text, file),
            None if base is None else read_state(session, base, is_base=True),
        )
        inventory = read_inventory(session)
        plan = _plan(session, desired, former, inventory, caller.client_id)
    compared = _review(plan, inventory, caller, drift=drift)
    ready = [each.change for each in compared if each.state == "ready"]
    reviewed = find_reviewed(plan, compared, plan.changes)
    # Of a saved plan, a run that was stopped may have done a part.
    shown = evolve(plan, changes=[each.change for each in compared if each.state != "skipped"])
    names = find_new_project_names(compared)
    makers = [(name_secret_owner(each, names), each) for each in ready if each.makes_secret]
    # An interrupted run may have stored the secret of what it left.
    unfinished = {owner for owner, change in makers if change.replaces}
    destination.check([owner for owner, _ in makers], may_be_stored=unfinished)
    allowed: int | None = session.settings.get("confirm")
    if ready:
        what = f"apply {file}: {count_noun(len(ready), 'change')}"
        allowed = _confirm(session, shown, what, find_removed(ready, OrganizationIndex(inventory), reviewed))
    end_with_missing(session, "Left out", [place_in(plan.source, each) for each in plan.stopped])
    held = _notify_held(session, compared, beside=[*ready, *plan.stopped])
    if not drift and any(each.cause == "drift" for each in plan.changes):
        session.notify("Drift is left as it is. To undo it, add --fix-drift.")
    if session.is_dry_run:
        save_plan(session, shown, out)
        write_plan(session, shown)
        return
    store = destination if destination.is_given else None

    def apply(begin: Callable[[ApplyReport], object]) -> ApplyReport:
        with show_progress(session, "applying the file"), open_run(session.admin, "apply") as run:
            return apply_plan(
                run,
                plan,
                store=store,
                drift=drift,
                allow_removals=allowed,
                allow_own=False,
                client_id=caller.client_id,
                begin=begin,
            )

    done = carry_out(session, apply, partial(write_value, session), out=out)
    if done.failed or done.undone or done.not_run:
        _notify_incomplete(session, done, held=held)


def _notify_held(session: Session, compared: Sequence[Compared], *, beside: Collection[object]) -> int:
    """Name the ends that are held back, with what has to be done first, and choose the exit code; return their number.

    Args:
        session: The session.
        compared: The changes of the plan.
        beside: A step that is carried out, or left out for another reason.
    """
    held = [each for each in compared if each.state == "held"]
    for each in held:
        session.warn(f"Not carried out: {each.change}. {describe_refusal(each.reason)}")
    if held:
        codes = [RefusedError.help_code] * len(held)
        session.exit_code = find_exit_code_of_report(codes, session.ledger, is_anything_done=bool(beside))
    return len(held)


def _notify_incomplete(session: Session, done: ApplyReport, *, held: int) -> None:
    """Count what was not done, and choose the exit code; the ends that were held back are named already."""
    failed = [*done.failed, *done.undone]
    # A step that did not run because of another step has no separate cause.
    reasons = [_find_reason(each) for each in failed or done.not_run]
    session.exit_code = find_exit_code_of_report(reasons, session.ledger, is_anything_done=bool(done.stopped))
    if not failed and len(done.not_run) == held:
        return
    waiting = f", and {len(done.not_run)} did not run" if done.not_run else ""
    if failed and done.not_run:
        them = "it" if len(failed) == 1 else "them"
        waiting = f", and {len(done.not_run)} that need{'s' * (len(done.not_run) == 1)} {them} did not run"
    again = f"run the command again{session.advise_on_written_files()}"
    advice = advise_on_repeat(session.exit_code, again)
    session.warn(f"{count_noun(len(failed), 'step')} failed{waiting}. {advice}")


def _find_reason(step: Step) -> str | None:
    """Return the code of the error of a step; without one, a secret was not stored, and what has it was deleted."""
    return step.help_code or (SecretNotStoredError.help_code if step.state == "undone" else None)


def _refuse_options_of_files(session: Session, path: str, *, base: str | None, drift: bool) -> None:
    """Raise CLIError if an option is given that has no effect on the plans of other commands."""
    given = {
        "--base": base is not None,
        "--fix-drift": drift,
        "--own-client-id": "client_id" in session.settings,
        "--store": "store" in session.settings,
        "--allow-group": "allow_group" in session.settings,
    }
    for option in (option for option, is_given in given.items() if is_given):
        raise CLIError(
            f"{describe_path(path)} is not a plan of an organization file, so {option} has no place here. Leave it out."
        )


_CARRIED_OUT_ELSEWHERE: Mapping[str | None, Callable[[Session, str, str, str | None], None]] = {
    "projects.delete_stale": carry_out_deletion,
    "users.offboard_many": carry_out_plan,
}
"""The functions that carry out the plans of other commands, by the method that does the work."""


def _confirm(session: Session, plan: ChangePlan, what: str, removed: Mapping[Ref, Sequence[Change]]) -> int:
    """Ask on a terminal, after the plan was shown; return how many may be removed."""
    given: int | None = session.settings.get("confirm")
    number, lines = len(removed), str(plan).splitlines()
    if not (session.is_dry_run or (session.is_interactive and needs_answer(session, wants_typed=bool(removed)))):
        for line in plan.notes:
            session.notify(as_sentences(line))
    deleted = [each for each, changes in removed.items() if any(change.action == "delete" for change in changes)]
    bare = [str(evolve(each, id=None)) for each in removed if each not in deleted]
    names = join_first_names([quote_name(str(each.name)) for each in deleted])
    notes = [f"This removes {list_words(count_kinds(deleted))}: {names}."] if deleted else []
    notes += [f"This takes every role from {join_first_names(bare)}."] if bare else []
    ask_for_number(session, what, notes, number, details=lines)
    return number if given is None else given
