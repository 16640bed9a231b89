# Derived from pinecone_admin/_async/workflows/delete_with_cleanup.py by scripts/unasync.py: change that, not this file.
"""Empty a project and delete it, with a temporary key that is always deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._http.argument_checks import check_bool, check_duration, check_function, set_operation_on_errors
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
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.reports import CleanupReport, Content, Progress

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_KEY_ACCEPTANCE_TIMEOUT = 30.0
"""Seconds during which parts of the service may not accept a new key yet."""


def delete_with_cleanup(
    admin: Admin,
    *,
    project_id: str,
    dry_run: bool,
    timeout: float,
    lift_protection: bool,
    progress: Callable[[Progress], None] | None,
) -> CleanupReport:
    """Empty the project with a temporary key and delete it; repeat while the server still finds something in it."""
    with set_operation_on_errors("delete_with_cleanup"):
        check_bool("dry_run", dry_run)
        check_bool("lift_protection", lift_protection)
        check_function("progress", progress, optional=True)
        backoff = PollBackoff(check_duration("timeout", timeout))
    project = admin.projects.describe(project_id=project_id)
    report = CleanupReport(project=project, dry_run=dry_run, contents=[], deleted=False, steps=[])
    delete_leftover_keys(
        admin, list_keys_named(admin, project_id=project_id, name=name_tags.tag_as_emptying(project_id))
    )
    while True:
        try:
            _empty_with_temporary_key(
                admin, report, lift_protection=lift_protection, backoff=backoff, progress=progress
            )
            if dry_run:
                return report
            admin.projects.delete(project_id=project_id)
        except FailedPreconditionError:
            if not backoff.wait():
                raise
        except NotFoundError:
            if dry_run:
                raise
            return evolve(report, deleted=True, steps=[*report.steps, f"project {project_id} was already deleted"])
        else:
            return evolve(report, deleted=True, steps=[*report.steps, f"deleted project {project_id}"])


def _empty_with_temporary_key(
    admin: Admin,
    report: CleanupReport,
    *,
    lift_protection: bool,
    backoff: PollBackoff,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Empty the project; if the temporary key is deleted meanwhile, for example by a concurrent run, use a new one."""
    while True:
        with temporary_key(
            admin, project_id=report.project.id, name=name_tags.tag_as_emptying(report.project.id)
        ) as made:
            keyed = admin.with_options(api_key=made.value)
            acceptance, deleted = PollBackoff(_KEY_ACCEPTANCE_TIMEOUT), False
            while not deleted:
                try:
                    return _delete_until_empty(
                        keyed, report, lift_protection=lift_protection, backoff=backoff, progress=progress
                    )
                except UnauthorizedError:
                    deleted = is_deleted(admin, made.key)
                    if not (backoff if deleted else acceptance).wait():
                        raise


def _delete_until_empty(
    keyed: Admin,
    report: CleanupReport,
    *,
    lift_protection: bool,
    backoff: PollBackoff,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Request each deletion once, retry those that the server does not accept yet, and wait until all are done."""
    asked: set[str] = set()
    reported = set(report.steps)

    def record_deletion(content: Content) -> None:
        asked.add(str(content))
        if f"deleted {content}" not in reported:
            report.steps.append(f"deleted {content}")

    while contents := read_contents(keyed):
        _record_contents(contents, report, progress)
        if report.dry_run:
            return
        _refuse_protected(contents, lift_protection=lift_protection)
        if backoff.seconds_left <= 0:
            left = ", ".join(map(str, contents))
            message = f"project {report.project.id} still contains {left}"
            raise PineconeTimeoutError(message, operation="delete_with_cleanup", outcome="done")
        todo = [each for each in contents if not each.leaving and str(each) not in asked]
        bounded = keyed.with_options(timeout=min(keyed.timeout, backoff.seconds_left))
        before = len(asked)
        delete_contents(bounded, todo, record_deletion)
        if len(asked) == before:
            backoff.wait()
    _record_contents([], report, progress)


def _record_contents(
    contents: Sequence[Content], report: CleanupReport, progress: Callable[[Progress], None] | None
) -> None:
    known = set(map(str, report.contents))
    report.contents.extend(each for each in contents if str(each) not in known)
    if progress is not None and report.contents:
        total = len(report.contents)
        left = ", ".join(map(str, contents)) or "nothing"
        progress(Progress(done=total - len(contents), total=total, step=f"left: {left}"))


def _refuse_protected(contents: Sequence[Content], *, lift_protection: bool) -> None:
    protected = ", ".join(str(each) for each in contents if each.protected)
    if protected and not lift_protection:
        message = f"deletion protection is on for {protected}: turn it off, or pass lift_protection=True"
        raise RefusedError(message, operation="delete_with_cleanup")
