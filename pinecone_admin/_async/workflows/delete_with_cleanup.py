"""Empty a project and delete it, with a temporary key that is then deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._async.workflows.absence import shows_deletion
from pinecone_admin._async.workflows.client_state import server_time
from pinecone_admin._async.workflows.create_with_secret import delete_left_keys
from pinecone_admin._async.workflows.empty_project import delete_contents, read_contents
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._async.workflows.temporary_key import KEY_ACCEPTANCE_TIMEOUT, temporary_key
from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._http.argument_checks import check_bool, check_function, check_timedelta, set_operation_on_errors
from pinecone_admin.errors import (
    FailedPreconditionError,
    NotFoundError,
    PineconeError,
    PineconeTimeoutError,
    RefusedError,
    UnauthorizedError,
)
from pinecone_admin.models import APIKey, Project
from pinecone_admin.workflows.changes import Step
from pinecone_admin.workflows.ending import ALREADY_DELETED, has_failed, refer_to, refer_to_parts
from pinecone_admin.workflows.project_contents import describe_deletion_of_project
from pinecone_admin.workflows.reports import CleanupReport, Content, Progress
from pinecone_admin.workflows.retired_keys import find_overdue_temporary_keys
from pinecone_admin.workflows.stale_projects import find_protection

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def delete_with_cleanup(
    run: AsyncRun,
    *,
    project_id: str,
    time_limit: timedelta,
    lift_protection: bool,
    progress: Callable[[Progress], object] | None,
) -> CleanupReport:
    """Empty the project with a temporary key and delete it; repeat while the server still finds something in it."""
    with set_operation_on_errors("delete_with_cleanup"):
        check_bool("lift_protection", lift_protection)
        check_function("progress", progress, optional=True)
        backoff = PollBackoff(check_timedelta("time_limit", time_limit).total_seconds())
    project = await run.admin.projects.describe(project_id=project_id)
    return await empty_and_delete(
        run,
        start_report(run, project),
        backoff=backoff,
        find_refusal=(lambda _: None) if lift_protection else _refuse_protected,
        progress=progress,
        read_keys=lambda: run.admin.api_keys.list(project_id=project.id),
    )


def _refuse_protected(contents: Sequence[Content]) -> str | None:
    protection = find_protection(contents)
    return protection and f"{protection}, or lift it (lift_protection, --lift-protection on the command line)"


def start_report(run: AsyncRun, project: Project) -> CleanupReport:
    """Return the empty report of a project that has not been read yet."""
    return CleanupReport(
        project=project,
        dry_run=run.dry_run,
        contents=[],
        unseen=[],
        deleted=False,
        refusal=None,
        temporary_keys=[],
        steps=run.steps,
    )


async def empty_and_delete(
    run: AsyncRun,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
    read_keys: Callable[[], Awaitable[Sequence[APIKey]]],
) -> CleanupReport:
    """Empty the project of a report and delete it.

    Args:
        run: The run.
        report: Report that receives what is found and done, even if this raises.
        backoff: Waits between polls, and limits the time for everything.
        find_refusal: Function that returns why contents must not be deleted, or None. It is called each time that the
            contents are read.
        progress: Function that receives what is left.
        read_keys: Function that reads the API keys of the project, and raises if the project must not be deleted. It is
            called again before each deletion of the project, because emptying it may take long.
    """
    admin = run.admin
    keys = await read_keys()
    leftovers = find_overdue_temporary_keys(keys, server_time(admin))
    target, lasting = refer_to(report.project), refer_to_parts(each for each in keys if each not in leftovers)
    ended = AsyncRun(admin, run.operation, dry_run=False, project=report.project.name)  # also in a dry run
    try:
        await delete_left_keys(ended, leftovers)
    except PineconeError as error:
        for target in (each.change.target for each in ended.steps if has_failed(each)):
            error.add_note(f"this was the deletion of API {target}, which an earlier run left")
        raise
    finally:
        report.temporary_keys.extend(str(each.change.target.id) for each in ended.steps if not has_failed(each))

    def drop_refused() -> None:
        """Leave out that the server still found something: the same deletion is sent again."""
        run.steps[:] = [each for each in run.steps if each.change.target != target]

    while True:
        try:
            await _empty_with_temporary_key(
                admin, report, backoff=backoff, find_refusal=find_refusal, progress=progress
            )
            if report.dry_run:
                refusal = find_refusal(report.contents)
                changes = describe_deletion_of_project(target, report.contents, lasting)
                steps = [] if refusal else [Step(change=each, state="planned") for each in changes]
                return evolve(report, refusal=refusal, steps=steps)
            keys = await read_keys()
            lasting = refer_to_parts(each for each in keys if each.id not in report.temporary_keys)
            drop_refused()
            [end] = describe_deletion_of_project(target, [], lasting)
            await run.do(end)
            return evolve(report, deleted=True)
        except FailedPreconditionError:
            if not await backoff.async_wait():
                raise
        except NotFoundError as error:
            if report.dry_run or not await shows_deletion(admin, error, target):
                raise
            drop_refused()
            [end] = describe_deletion_of_project(target, [], lasting)
            run.skip(end, ALREADY_DELETED)
            return evolve(report, deleted=True)


async def _empty_with_temporary_key(
    admin: AsyncAdmin,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
) -> None:
    """Empty the project; if a concurrent run deletes the temporary key, use a new one."""
    while True:
        async with temporary_key(
            admin,
            project_id=report.project.id,
            ttl=timedelta(seconds=backoff.seconds_left),
            deleted=report.temporary_keys,
        ) as (new_key, temporary):
            keyed = admin.with_options(api_key=new_key.value)
            acceptance, deleted = PollBackoff(KEY_ACCEPTANCE_TIMEOUT), False
            while not deleted:
                try:
                    return await _delete_until_empty(
                        keyed, report, backoff=backoff, find_refusal=find_refusal, progress=progress
                    )
                except UnauthorizedError as error:  # of the key, and not of the account
                    deleted = await temporary.is_deleted(new_key.key)
                    if not await (backoff if deleted else acceptance).async_wait():
                        raise PineconeTimeoutError(
                            f"temporary API key {new_key.key.id} was not accepted in time: {error}",
                            operation="delete_with_cleanup",
                        ) from error


async def _delete_until_empty(
    keyed: AsyncAdmin,
    report: CleanupReport,
    *,
    backoff: PollBackoff,
    find_refusal: Callable[[Sequence[Content]], str | None],
    progress: Callable[[Progress], object] | None,
) -> None:
    """Request each deletion until the server accepts it, and wait until all are done."""
    reported = {each.change for each in report.steps if not has_failed(each)}
    asked = set[tuple[str, str | None]]()

    def record(steps: Sequence[Step]) -> None:
        report.steps.extend(each for each in steps if each.change not in reported)
        # A deletion that was refused after an attempt without a response is in the report. It is requested again, too.
        asked.update(
            (step.change.target.kind, step.change.target.name)
            for step in steps
            if step.change.action == "delete" and not has_failed(step)
        )

    while True:
        contents, report.unseen[:] = await read_contents(keyed)
        _record_contents(contents, report, progress)
        if report.dry_run or not contents:
            return
        if (refusal := find_refusal(contents)) is not None:
            raise RefusedError(refusal, operation="delete_with_cleanup")
        if (seconds := backoff.seconds_left) <= 0:
            left = ", ".join(map(str, contents))
            raise PineconeTimeoutError(
                f"project {report.project.id} still contains {left}", operation="delete_with_cleanup"
            )
        todo = [each for each in contents if not each.leaving and each.key not in asked]
        bounded = keyed.with_options(timeout=min(keyed.timeout, seconds))
        before = len(asked)
        await delete_contents(bounded, todo, refer_to(report.project), record)
        report.steps[:] = {each.change: each for each in report.steps}.values()  # the last request for each counts
        if len(asked) == before:
            await backoff.async_wait()


def _record_contents(
    contents: Sequence[Content], report: CleanupReport, progress: Callable[[Progress], object] | None
) -> None:
    known = {each.key for each in report.contents}
    report.contents.extend(each for each in contents if each.key not in known)
    if progress is not None and report.contents:
        total = len(report.contents)
        left = ", ".join(map(str, contents)) or "nothing"
        progress(Progress(done=total - len(contents), total=total, step=f"left: {left}"))
