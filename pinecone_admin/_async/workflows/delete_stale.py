"""Delete stale projects: first plan the deletion, then carry out exactly that plan."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeAlias, TypeVar

from attrs import evolve, field, frozen

from pinecone_admin._async.workflows.absence import find_gone_projects
from pinecone_admin._async.workflows.client_state import own_client_id, require_server_time
from pinecone_admin._async.workflows.delete_with_cleanup import empty_and_delete, start_report
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._concurrency.waiting import UNDO_TIMEOUT
from pinecone_admin._http.argument_checks import (
    as_plain_value,
    check_function,
    check_integer,
    check_text,
    check_timedelta,
    set_operation_on_errors,
)
from pinecone_admin._text.messages import Name
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import (
    PineconeError,
    PineconeValueError,
    RefusedError,
)
from pinecone_admin.models import APIKey, Project
from pinecone_admin.workflows.changes import Change, Ref, Step
from pinecone_admin.workflows.ending import ends_everything, step_from_gone
from pinecone_admin.workflows.plans import (
    Left,
    StalePlan,
    StaleProject,
    StaleReport,
    check_organization,
    check_plan,
    explain_left,
    find_help_code,
    find_organization,
    may_be_deleted,
)
from pinecone_admin.workflows.reports import Content, Progress
from pinecone_admin.workflows.sent_changes import is_api_404
from pinecone_admin.workflows.stale_projects import (
    NOT_SEEN,
    find_change,
    find_new_keys,
    find_planned_refusal,
    find_protection,
    find_reason_to_keep,
    list_lasting_keys,
    matches_name,
)

_P = TypeVar("_P", Project, StaleProject)
_OnProgress: TypeAlias = Callable[[Progress], object]

_SECONDS_PER_PROJECT = 600.0
_ENDED = "the run ended before"
"""Why a project that an interrupted run had not finished was left."""


@frozen(kw_only=True)
class _ProjectResult:
    """What was found in a project and done to it; ``reason`` says why it was not deleted, or is None.

    Without an end, ``is_unfinished`` is True; ``is_unseen`` is True if the server has not found it.
    """

    reason: str | None = None
    help_code: str | None = None
    is_unfinished: bool = False
    is_unseen: bool = False
    may_be_deleted: bool = False
    keys: list[Ref] = field(factory=list[Ref])
    contents: list[Content] = field(factory=list[Content])
    unseen: list[str] = field(factory=list[str])
    temporary_keys: list[str] = field(factory=list[str])
    steps: list[Step] = field(factory=list[Step])


async def plan_deletion(
    run: AsyncRun,
    *,
    name_pattern: str | None,
    older_than: timedelta | None,
    concurrency: int,
    progress: _OnProgress | None,
) -> StalePlan:
    """Read the contents of all stale projects."""
    with set_operation_on_errors("delete_stale"):
        name_pattern = as_plain_value(name_pattern)
        _check_arguments(concurrency, progress)
        if name_pattern is None or older_than is None:
            raise PineconeValueError(
                "pass ", Name("name_pattern"), " and ", Name("older_than"), ", or a ", Name("plan")
            )
        check_text("name_pattern", name_pattern, least=1)
        check_timedelta("older_than", older_than)
    admin = run.admin
    projects = [each for each in await admin.projects.list() if matches_name(each.name, name_pattern)]
    organization = find_organization(await admin.organizations.list(), operation="delete_stale")
    now = require_server_time(admin, operation="delete_stale")  # the server dates the projects
    outcomes = {
        each.id: _ProjectResult(reason=find_reason_to_keep(each, older_than=older_than, now=now)) for each in projects
    }

    async def read(project: Project, on_progress: _OnProgress) -> _ProjectResult:
        part = AsyncRun(admin, run.operation, dry_run=True)
        return await _clean_up(part, project, None, on_progress)

    stale = [each for each in projects if outcomes[each.id].reason is None]
    await _run_all(stale, read, outcomes, concurrency=concurrency, progress=progress)
    return StalePlan(
        organization_id=organization.id,
        organization=organization.name,
        client_id=own_client_id(admin),
        made_at=now,
        name_pattern=name_pattern,
        older_than=older_than,
        projects=[
            StaleProject(
                id=each.id,
                name=each.name,
                created_at=each.created_at,
                contents=outcomes[each.id].contents,
                unseen=outcomes[each.id].unseen,
                api_keys=outcomes[each.id].keys,
            )
            for each in stale
            if outcomes[each.id].reason is None and each.created_at is not None
        ],
        left=_list_remaining_projects(projects, outcomes),
        temporary_keys=_list_temporary_keys(outcomes.values()),
    )


async def carry_out_deletion(
    run: AsyncRun,
    *,
    name_pattern: str | None,
    older_than: timedelta | None,
    plan: StalePlan,
    concurrency: int,
    progress: _OnProgress | None,
    begin: Callable[[StaleReport], object] | None = None,
) -> StaleReport:
    """Delete the projects of a plan that are as they were when it was made.

    Before the first change, ``begin`` gets the report, which has every project at the end, also after an interruption.
    """
    with set_operation_on_errors("delete_stale"):
        _check_arguments(concurrency, progress)
        check_timedelta(Name("plan", ".older_than"), check_plan(plan, StalePlan).older_than)
        if name_pattern not in {None, plan.name_pattern} or older_than not in {None, plan.older_than}:
            raise PineconeValueError(
                Name("name_pattern"), " and ", Name("older_than"), " are not those of the plan: pass only the plan"
            )
    admin = run.admin
    check_organization(plan.organization_id, await admin.organizations.list(), operation="delete_stale")

    async def delete(planned: StaleProject, on_progress: _OnProgress) -> _ProjectResult:
        try:
            project = await admin.projects.describe(project_id=planned.id)
        except PineconeError as error:
            if is_api_404(error):
                return _ProjectResult(reason=NOT_SEEN, is_unseen=True)
            return _ProjectResult(reason=_explain(error), help_code=find_help_code(error))
        reason = find_change(planned, project) or find_reason_to_keep(
            project, older_than=plan.older_than, now=require_server_time(admin, operation="delete_stale")
        )
        if reason is not None:
            return _ProjectResult(reason=reason)
        part = AsyncRun(admin, run.operation, dry_run=False)
        # Until it has ended; an interruption leaves the steps of the run in it.
        outcomes[planned.id] = evolve(outcomes[planned.id], steps=part.steps)
        return await _clean_up(part, project, planned, on_progress)

    outcomes = {each.id: _ProjectResult(reason=_ENDED, is_unfinished=True) for each in plan.projects}
    report = StaleReport(deleted=[], left=[], temporary_keys=[], steps=[])
    if begin is not None:
        begin(report)
    try:
        await _run_all(plan.projects, delete, outcomes, concurrency=concurrency, progress=progress)
        gone = await find_gone_projects(admin, [id for id, each in outcomes.items() if each.is_unseen])
        for each in (each for each in plan.projects if each.id in gone):
            deletion = Change(action="delete", target=Ref("project", each.name, each.id))
            outcomes[each.id] = _ProjectResult(steps=[step_from_gone(deletion)])
    finally:
        _fill(report, plan.projects, outcomes)
    return report


def _fill(report: StaleReport, projects: Sequence[StaleProject], outcomes: dict[str, _ProjectResult]) -> None:
    for id, each in outcomes.items():
        if each.is_unfinished and any(step.change.target.id == id and step.state == "done" for step in each.steps):
            outcomes[id] = evolve(each, reason=None)  # interrupted after its deletion
    report.deleted.extend(
        evolve(each, unseen=outcomes[each.id].unseen) for each in projects if outcomes[each.id].reason is None
    )
    report.left.extend(_list_remaining_projects(projects, outcomes))
    report.temporary_keys.extend(_list_temporary_keys(outcomes.values()))
    report.steps.extend(step for outcome in outcomes.values() for step in outcome.steps)


def _check_arguments(concurrency: int, progress: _OnProgress | None) -> None:
    check_integer("concurrency", concurrency, least=1)
    check_function("progress", progress, optional=True)


async def _clean_up(
    run: AsyncRun,
    project: Project,
    planned: StaleProject | None,
    on_progress: _OnProgress,
) -> _ProjectResult:
    """Read one project, or delete it as it is planned; if that fails, the others can still be."""
    report, keys = start_report(run, project), list[Ref]()

    async def read_keys() -> list[APIKey]:
        if planned is not None:
            _refuse(find_change(planned, await run.admin.projects.describe(project_id=planned.id)))
        found = await run.admin.api_keys.list(project_id=project.id)
        keys[:] = list_lasting_keys(found)
        if planned is not None:
            _refuse(find_new_keys(planned, found))
        return found

    try:
        done = await empty_and_delete(
            run,
            report,
            backoff=PollBackoff(_SECONDS_PER_PROJECT),
            find_refusal=find_protection if planned is None else partial(find_planned_refusal, planned),
            progress=on_progress,
            read_keys=read_keys,
        )
        outcome = _ProjectResult(reason=done.refusal)
    except PineconeError as error:
        outcome = _ProjectResult(
            reason=_explain(error), help_code=find_help_code(error), may_be_deleted=may_be_deleted(error, "project")
        )
    return evolve(
        outcome,
        keys=keys,
        contents=report.contents,
        unseen=report.unseen,
        temporary_keys=report.temporary_keys,
        steps=report.steps,
    )


def _refuse(reason: str | None) -> None:
    if reason is not None:
        raise RefusedError(reason, operation="delete_stale")


def _explain(error: PineconeError) -> str:
    """Return why a project was left; raise an error that would end the work on every project."""
    if ends_everything(error):
        raise error
    return error.message if isinstance(error, RefusedError) else explain_left(error, "project")


async def _run_all(
    projects: Sequence[_P],
    work: Callable[[_P, _OnProgress], Awaitable[_ProjectResult]],
    outcomes: dict[str, _ProjectResult],
    *,
    concurrency: int,
    progress: _OnProgress | None,
) -> None:
    """Process projects in parallel, and put each outcome under the id of its project, also after an interruption."""
    interrupted, processed = threading.Event(), 0

    def stop_if_interrupted(_: Progress) -> None:
        if interrupted.is_set():
            raise RefusedError("the call was interrupted", operation="delete_stale")

    async def process(project: _P) -> None:
        outcomes[project.id] = await work(project, stop_if_interrupted)

    def deliver(project: _P, _: None) -> None:
        nonlocal processed
        processed += 1
        if progress is not None:
            step = f"project {quote_name(project.name)} ({project.id})"
            progress(Progress(done=processed, total=len(projects), step=step))

    await async_run_in_parallel(
        process,
        projects,
        limit=concurrency,
        deliver=deliver,
        interrupted=interrupted,
        interrupt_timeout=UNDO_TIMEOUT,  # for the temporary keys of the projects in progress
    )


def _list_remaining_projects(
    projects: Sequence[Project] | Sequence[StaleProject], outcomes: Mapping[str, _ProjectResult]
) -> list[Left]:
    left = ((project, outcomes[project.id]) for project in projects)
    return [
        Left(
            id=each.id,
            name=each.name,
            reason=outcome.reason,
            help_code=outcome.help_code,
            may_be_deleted=outcome.may_be_deleted,
        )
        for each, outcome in left
        if outcome.reason
    ]


def _list_temporary_keys(outcomes: Iterable[_ProjectResult]) -> list[str]:
    return [id for outcome in outcomes for id in outcome.temporary_keys]
