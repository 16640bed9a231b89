"""Find projects that test runs left behind, and delete those of a plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from attrs import evolve, frozen

from generated_client.models import APIKey, Project
from pinecone_admin._http.argument_checks import check_timedelta
from pinecone_admin._sync.workflows.absence import find_gone_projects
from pinecone_admin._sync.workflows.client_state import require_server_time
from pinecone_admin._sync.workflows.delete_stale import carry_out_deletion as delete_planned
from pinecone_admin._sync.workflows.run import open_run
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.calls.confirmation import (
    ask_for_number,
    confirm_temporary_keys,
    describe_parts,
    join_first_names,
    require_change_allowed,
)
from pinecone_admin.cli.failures import find_exit_code_of_report
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_preview
from pinecone_admin.cli.plans.plan_files import (
    as_document,
    carry_out,
    parse_plan,
    prepare_plan_file,
    save_plan,
    save_preview,
    write_result,
)
from pinecone_admin.cli.reports.inventory_report import end_without_projects
from pinecone_admin.cli.sentences import tidy
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows import Left, StalePlan, StaleProject, StaleReport
from pinecone_admin.workflows.changes import Ref, Step
from pinecone_admin.workflows.ending import ALREADY_DELETED, refer_to_parts
from pinecone_admin.workflows.name_tags import describe_name
from pinecone_admin.workflows.plans import describe_left, describe_stale, explain_left, find_help_code
from pinecone_admin.workflows.project_contents import describe_deletion_of_project
from pinecone_admin.workflows.reports import describe_unseen
from pinecone_admin.workflows.sent_changes import is_api_404
from pinecone_admin.workflows.stale_projects import (
    NOT_SEEN,
    find_change,
    find_new_keys,
    find_reason_to_keep,
    matches_name,
)

_CONCURRENCY = 4


def plan_deletion(session: Session, *, name_pattern: str, older_than: timedelta, out: str | None) -> None:
    """Find stale projects, show them with everything in them, and save the plan."""
    prepare_plan_file(session, out)
    require_change_allowed(session)
    check_timedelta("older_than", older_than)
    with show_progress(session, "reading the projects"):
        seen = list(session.admin.projects.list())
        named = [each for each in seen if matches_name(each.name, name_pattern)]
        now = require_server_time(session.admin, operation="delete_stale")
    if any(find_reason_to_keep(each, older_than=older_than, now=now) is None for each in named):
        confirm_temporary_keys(session, f"project stale --match {shlex.quote(name_pattern)}")
    with show_progress(session, "reading the projects") as progress:
        plan = session.admin.projects.delete_stale(name_pattern=name_pattern, older_than=older_than, progress=progress)
    save_plan(session, plan, out)
    # The ids in raw format are for a script that goes on with what is stale.
    left = [] if session.output == "raw" else plan.left
    write_result(session, as_document(plan), _list_rows(plan.projects, left, done="would be deleted", known=named))
    _name_temporary_keys(session, plan.temporary_keys)
    failed = [each.help_code for each in plan.left if each.help_code is not None]
    if out is not None or session.output == "table":
        if plan.projects:
            session.notify(_describe_next(out))
        else:
            session.notify(_explain_nothing(name_pattern, matches=bool(named), has_failed=bool(failed)))
    if failed:
        count = count_noun(len(failed), "project")
        session.warn(f"{count} that might be stale could not be read. The column result shows why, or left in JSON.")
        was_any_read = bool(plan.temporary_keys)
        session.exit_code = find_exit_code_of_report(failed, session.ledger, is_anything_done=was_any_read)
    if not seen:
        end_without_projects(session, "the projects")


def _explain_nothing(name_pattern: str, *, matches: bool, has_failed: bool) -> str:
    if has_failed:
        return "Nothing was deleted."
    if matches:
        return f"Nothing was deleted. No project that matches {quote_name(name_pattern)} can be deleted now."
    return f"Nothing was deleted. No project that this account can see matches {quote_name(name_pattern)}."


def _describe_next(out: str | None) -> str:
    if out is None:
        return (
            "Nothing was deleted. To delete these projects, add --out plan.json, read that file, and run "
            "pinecone-admin apply plan.json."
        )
    command = f"pinecone-admin apply {shlex.quote(out)}"
    return f"Nothing was deleted. Read {out}, remove what must stay, and delete the rest with: {command}."


def carry_out_deletion(session: Session, text: str, path: str, out: str | None) -> None:
    """Delete the projects of a plan that are as they were when it was made.

    Args:
        session: The session.
        text: The plan.
        path: The file of the plan.
        out: The file for the report, if there is one.
    """
    plan = parse_plan(session, StalePlan, text, path)
    with show_progress(session, "reading what would be deleted"):
        preview, gone = _preview(session, plan)
        # Others that the preview leaves count, too: the run reads them again, and may find nothing against them.
        there = [each for each in plan.projects if each.id not in gone]
        # A dry run names them in its lines.
        keys = [
            sentence
            for each in (() if session.is_dry_run else preview.delete)
            for sentence in describe_parts(f"Project {quote_name(each.name)}", {"API key": each.api_keys})
        ]
    if there:
        number, names = len(there), join_first_names([quote_name(each.name) for each in there])
        notes = [f"This deletes {count_noun(number, 'project')} with all contents: {names}.", *keys]
        ask_for_number(session, f"apply {path}", notes, number, details=map(_describe_planned, there))
    if session.is_dry_run:
        save_preview(session, to_dict(preview), out)
        write_preview(session, preview.steps, report=preview)
        if preview.delete:
            session.notify("The contents were not read again. A project with anything new or protected will be left.")
        left = [each for each in preview.leave if each.id not in gone]
        _end_with_kept_projects(session, plan, left, "Would not be deleted")
        return

    def delete(begin: Callable[[StaleReport], object]) -> StaleReport:
        work = partial(delete_planned, name_pattern=None, older_than=None, plan=plan, concurrency=_CONCURRENCY)
        with show_progress(session, "deleting projects") as progress, open_run(session.admin, "delete_stale") as run:
            return work(run, progress=progress, begin=begin)

    def write(report: StaleReport) -> None:
        rows = _list_rows(report.deleted, report.left, done="deleted", known=plan.projects)
        skipped = {step.change.target.id: step.change.reason for step in report.steps if step.state == "skipped"}
        rows = [{**row, "result": skipped.get(row["id"], row["result"])} for row in rows]
        write_result(session, report.to_dict(), rows, nothing="The plan has no projects, so nothing was deleted.")
        _name_temporary_keys(session, report.temporary_keys)
        _end_with_kept_projects(session, plan, report.left, "Not deleted, or perhaps not deleted")

    carry_out(session, delete, write, out=out)


def _end_with_kept_projects(session: Session, plan: StalePlan, left: Sequence[Left], what: str) -> None:
    """Count the projects that stay, and choose the exit code; a dry run ends as its run does."""
    if left:
        are_others_done = len(left) < len(plan.projects)
        codes = [each.help_code for each in left]
        session.exit_code = find_exit_code_of_report(codes, session.ledger, is_anything_done=are_others_done)
        session.warn(f"{what}: {len(left)} of {count_noun(len(plan.projects), 'project')}.")


_describe_planned = partial(describe_stale, is_read_now=False)


def _list_contents(project: StaleProject) -> list[str]:
    return [
        *map(str, project.contents),
        *(f"API key {describe_name(str(each.name), quote_name)}" for each in project.api_keys),
    ]


def _list_rows(
    projects: list[StaleProject], left: list[Left], *, done: str, known: Sequence[Project] | Sequence[StaleProject]
) -> list[dict[str, Any]]:
    created = {each.id: describe_minute(each.created_at)[:10] for each in known if each.created_at is not None}
    return [
        *(
            {
                "name": project.name,
                "id": project.id,
                "created": describe_minute(project.created_at)[:10],
                "contents": ", ".join(_list_contents(project)) + describe_unseen(project.unseen),
                "result": done,
            }
            for project in projects
        ),
        *(
            # Perhaps they were not read. An empty text would mean that the project is empty.
            {
                "name": each.name,
                "id": each.id,
                "created": created.get(each.id),
                "contents": "not shown",
                "result": tidy(each.reason),
            }
            for each in left
        ),
    ]


def _name_temporary_keys(session: Session, ids: list[str]) -> None:
    if ids and session.output == "table":
        session.notify(f"Temporary API keys read the contents, and were deleted: {', '.join(ids)}.")


@frozen(kw_only=True)
class DeletionPreview:
    """The projects that a plan would still delete, as far as reads show, with the keys that they have now.

    Only a temporary key can read the contents.
    """

    delete: list[StaleProject]
    leave: list[Left]

    @property
    def steps(self) -> list[Step]:
        """The deletions."""
        changes = (
            describe_deletion_of_project(Ref("project", each.name, each.id), each.contents, each.api_keys)
            for each in self.delete
        )
        return [Step(change=change, state="planned") for some in changes for change in some]

    def __str__(self) -> str:
        leave = (describe_left(each, "project") for each in self.leave)
        return (
            "\n".join([*(f"would delete {_describe_planned(each)}" for each in self.delete), *map(str, leave)])
            or "the plan has no projects; nothing to do"
        )


def _preview(session: Session, plan: StalePlan) -> tuple[DeletionPreview, set[str]]:
    """Return a preview, and the ids of the projects of the plan that are gone."""
    found = {each.id: _read_project(session, plan, each) for each in plan.projects}
    gone = find_gone_projects(session.admin, [id for id, each in found.items() if each is None])
    leave: list[Left] = []
    for each in plan.projects:
        result = found[each.id]
        if result is None:
            reason = ALREADY_DELETED if each.id in gone else NOT_SEEN
            result = Left(id=each.id, name=each.name, reason=reason)
        if isinstance(result, Left):
            leave.append(result)
    return DeletionPreview(
        delete=[each for each in found.values() if isinstance(each, StaleProject)], leave=leave
    ), gone


def _read_project(session: Session, plan: StalePlan, planned: StaleProject) -> StaleProject | Left | None:
    """Return a project with its present keys, or why it would be left; None if the server does not find it."""
    keys: Sequence[APIKey] = ()
    code = None
    try:
        project = session.admin.projects.describe(project_id=planned.id)
        now = require_server_time(session.admin, operation="delete_stale")
        reason = find_change(planned, project) or find_reason_to_keep(project, older_than=plan.older_than, now=now)
        if reason is None:
            keys = session.admin.api_keys.list(project_id=planned.id)
            reason = find_new_keys(planned, keys)
    except PineconeError as error:  # as in a run, the others can still be deleted
        if is_api_404(error):
            return None
        reason, code = explain_left(error, "project"), find_help_code(error)
    if reason is None:
        return evolve(planned, api_keys=[*refer_to_parts(keys)])
    return Left(id=planned.id, name=planned.name, reason=reason, help_code=code)
