# Derived from pinecone_admin/_async/workflows/delete_with_cleanup.py by scripts/unasync.py: change that, not this file.
"""Empty a project and delete it, with a temporary key that is then deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._http.argument_checks import check_bool, check_function, check_timedelta, set_operation_on_errors
from pinecone_admin._sync.workflows.client_state import runs_workflow
from pinecone_admin._sync.workflows.create_with_secret import delete_leftover_keys, list_keys_named
from pinecone_admin._sync.workflows.empty_project import delete_contents, read_contents
from pinecone_admin._sync.workflows.temporary_key import is_deleted, temporary_key
from pinecone_admin.errors import (
    FailedPreconditionError,
    NotFoundError,
    PineconeTimeoutError,
    RefusedError,
    UnauthorizedError,
)
from pinecone_admin.models import Project
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.reports import CleanupReport, Content, Progress
from pinecone_admin.workflows.sent_changes import is_gone
from pinecone_admin.workflows.stale_projects import find_protection
from pinecone_admin.workflows.steps import Step, describe_project_step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_KEY_ACCEPTANCE_TIMEOUT = 30.0
"""Seconds during which parts of the service may not accept a new key yet."""


@runs_workflow
def delete_with_cleanup(
    admin: Admin,
    *,
    project_id: str,
    dry_run: bool,
    time_limit: timedelta,
    lift_protection: bool,
    progress: Callable[[Progress], object] | None,
) -> CleanupReport:
    """Empty the project with a temporary key and delete it; repeat while the server still finds something in it."""
    with set_operation_on_errors("delete_with_cleanup"):
        check_bool("dry_run", dry_run)
        check_bool("lift_protection", lift_protection)
        check_function("progress", progress, optional=True)
        backoff = PollBackoff(check_timedelta("time_limit", time_limit).total_seconds())
    project = admin.projects.describe(project_id=project_id)
    return empty_and_delete(
        admin,
        start_report(project, dry_run=dry_run),
        backoff=backoff,
        find_refusal=(lambda _: None) if lift_protection else _refuse_protected,
        progress=progress,
    )


def _refuse_protected(contents: Sequence[Content]) -> str | None:
    protection = find_protection(contents)
    return protection and f"{protection}, or allow lifting it"


def start_report(project: Project, *, dry_run: bool) -> CleanupReport:
    """Return the empty report of a project that has not been read yet."""
    return CleanupReport(
        project=project,
        dry_run=dry_run,
        contents=[],
        unseen=[],
        deleted=False,
        refusal=None,
        temporary_keys=[],
        steps=[],
    )


def empty_and_delete(
    admin: Admin,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
) -> CleanupReport:
    """Empty the project of a report and delete it.

    Args:
        admin: Client.
        report: Report that receives what is found and done, even if this raises.
        backoff: Waits between polls, and limits the time for everything.
        find_refusal: Function that returns why contents must not be deleted, or None. It is called each time that the
            contents are read.
        progress: Function that receives what is left.
    """
    project_id = report.project.id
    leftovers = list_keys_named(admin, project_id=project_id, name=name_tags.tag_as_emptying(project_id))
    report.temporary_keys.extend(str(step.id) for step in delete_leftover_keys(admin, leftovers))
    while True:
        try:
            _empty_with_temporary_key(admin, report, backoff=backoff, find_refusal=find_refusal, progress=progress)
            if report.dry_run:
                return _preview(report, find_refusal(report.contents))
            admin.projects.delete(project_id=project_id)
        except FailedPreconditionError:
            if not backoff.wait():
                raise
        except NotFoundError as error:
            if report.dry_run or not is_gone(error):
                raise
            report.steps.append(describe_project_step("skip", report.project, reason="it was already deleted"))
            return evolve(report, deleted=True)
        else:
            report.steps.append(describe_project_step("delete", report.project))
            return evolve(report, deleted=True)


def _empty_with_temporary_key(
    admin: Admin,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
) -> None:
    """Empty the project; if the temporary key is deleted meanwhile, for example by a concurrent run, use a new one."""
    while True:
        with temporary_key(
            admin,
            project_id=report.project.id,
            name=name_tags.tag_as_emptying(report.project.id),
            deleted=report.temporary_keys,
        ) as made:
            keyed = admin.with_options(api_key=made.value)
            acceptance, deleted = PollBackoff(_KEY_ACCEPTANCE_TIMEOUT), False
            while not deleted:
                try:
                    return _delete_until_empty(
                        keyed, report, backoff=backoff, find_refusal=find_refusal, progress=progress
                    )
                except UnauthorizedError:
                    deleted = is_deleted(admin, made.key)
                    if not (backoff if deleted else acceptance).wait():
                        raise


def _delete_until_empty(
    keyed: Admin,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
) -> None:
    """Request each deletion once, retry those that the server does not accept yet, and wait until all are done."""
    asked: set[tuple[str, str]] = set()
    reported = {(each.kind, each.name) for each in report.steps}

    def record_deletion(content: Content) -> None:
        asked.add(content.key)
        if content.key not in reported:
            report.steps.append(_describe_deletion(content, report.project))

    while True:
        contents, report.unseen[:] = read_contents(keyed)
        _record_contents(contents, report, progress)
        if report.dry_run or not contents:
            return
        if (refusal := find_refusal(contents)) is not None:
            raise RefusedError(refusal, operation="delete_with_cleanup")
        if backoff.seconds_left <= 0:
            left = ", ".join(map(str, contents))
            message = f"project {report.project.id} still contains {left}"
            raise PineconeTimeoutError(message, operation="delete_with_cleanup")
        todo = [each for each in contents if not each.leaving and each.key not in asked]
        bounded = keyed.with_options(timeout=min(keyed.timeout, backoff.seconds_left))
        before = len(asked)
        delete_contents(bounded, todo, record_deletion)
        if len(asked) == before:
            backoff.wait()


def _record_contents(
    contents: Sequence[Content], report: CleanupReport, progress: Callable[[Progress], object] | None
) -> None:
    known = {each.key for each in report.contents}
    report.contents.extend(each for each in contents if each.key not in known)
    if progress is not None and report.contents:
        total = len(report.contents)
        left = ", ".join(map(str, contents)) or "nothing"
        progress(Progress(done=total - len(contents), total=total, step=f"left: {left}"))


def _preview(report: CleanupReport, refusal: str | None) -> CleanupReport:
    steps = [_describe_deletion(content, report.project) for content in report.contents]
    steps.append(describe_project_step("delete", report.project))
    return evolve(report, refusal=refusal, steps=[] if refusal else [evolve(each, planned=True) for each in steps])


def _describe_deletion(content: Content, project: Project) -> Step:
    return Step(action="delete", kind=content.kind, name=content.name, project=project.name, project_id=project.id)
