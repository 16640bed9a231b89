# Derived from pinecone_admin/_async/workflows/delete_with_cleanup.py by scripts/unasync.py: change that, not this file.
"""Empty a project and delete it, with a temporary key that is deleted in every case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._concurrency import Patience
from pinecone_admin._http.numbers import check_bool, check_seconds
from pinecone_admin._http.workflow_arguments import arguments_of, check_function
from pinecone_admin._sync.workflows.create_with_secret import delete_left, keys_named
from pinecone_admin._sync.workflows.empty_project import delete_contents, read_contents
from pinecone_admin._sync.workflows.temporary_key import is_gone, temporary_key
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

_NEW_KEY = 30.0
"""Seconds in which a key that was just made may not be accepted everywhere yet."""


def delete_with_cleanup(
    admin: Admin,
    *,
    project_id: str,
    dry_run: bool,
    timeout: float,
    lift: bool,
    progress: Callable[[Progress], None] | None,
) -> CleanupReport:
    """Make a key, empty the project, delete the key and the project; again while the server still finds something."""
    with arguments_of("delete_with_cleanup"):
        check_bool("dry_run", dry_run)
        check_bool("lift_protection", lift)
        check_function("progress", progress, optional=True)
        patience = Patience(check_seconds("timeout", timeout))
    project = admin.projects.describe(project_id=project_id)
    report = CleanupReport(project=project, dry_run=dry_run, contents=[], deleted=False, steps=[])
    delete_left(admin, keys_named(admin, project_id=project_id, name=name_tags.empties(project_id)))
    while True:
        try:
            _empty_with_a_key(admin, report, lift=lift, patience=patience, progress=progress)
            if dry_run:
                return report
            admin.projects.delete(project_id=project_id)
        except FailedPreconditionError:
            if not patience.wait():
                raise
        except NotFoundError:
            if dry_run:
                raise
            return evolve(report, deleted=True, steps=[*report.steps, f"somebody else deleted project {project_id}"])
        else:
            return evolve(report, deleted=True, steps=[*report.steps, f"deleted project {project_id}"])


def _empty_with_a_key(
    admin: Admin,
    report: CleanupReport,
    *,
    lift: bool,
    patience: Patience,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Empty the project; with another key where somebody, such as a run beside this one, deleted the one in use."""
    while True:
        with temporary_key(admin, project_id=report.project.id, name=name_tags.empties(report.project.id)) as made:
            keyed = admin.with_options(api_key=made.value)
            new, lost = Patience(_NEW_KEY), False
            while not lost:
                try:
                    return _empty(keyed, report, lift=lift, patience=patience, progress=progress)
                except UnauthorizedError:
                    lost = is_gone(admin, made.key)
                    if not (patience if lost else new).wait():
                        raise


def _empty(
    keyed: Admin,
    report: CleanupReport,
    *,
    lift: bool,
    patience: Patience,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Ask once for the deletion of each thing, again for what cannot go yet, and wait until all of it is gone."""
    asked: set[str] = set()
    told = set(report.steps)

    def accepted(content: Content) -> None:
        asked.add(str(content))
        if f"deleted {content}" not in told:
            report.steps.append(f"deleted {content}")

    while contents := read_contents(keyed):
        _note(contents, report, progress)
        if report.dry_run:
            return
        _refuse_protected(contents, lift=lift)
        if patience.left <= 0:
            left = ", ".join(map(str, contents))
            message = f"project {report.project.id} still holds {left}"
            raise PineconeTimeoutError(message, operation="delete_with_cleanup", outcome="done")
        todo = [each for each in contents if not each.leaving and str(each) not in asked]
        within = keyed.with_options(timeout=min(keyed.timeout, patience.left))
        before = len(asked)
        delete_contents(within, todo, accepted)
        if len(asked) == before:
            patience.wait()
    _note([], report, progress)


def _note(contents: Sequence[Content], report: CleanupReport, progress: Callable[[Progress], None] | None) -> None:
    known = set(map(str, report.contents))
    report.contents.extend(each for each in contents if str(each) not in known)
    if progress is not None and report.contents:
        total = len(report.contents)
        left = ", ".join(map(str, contents)) or "nothing"
        progress(Progress(done=total - len(contents), total=total, step=f"left: {left}"))


def _refuse_protected(contents: Sequence[Content], *, lift: bool) -> None:
    protected = ", ".join(str(each) for each in contents if each.protected)
    if protected and not lift:
        message = f"deletion protection is on for {protected}: lift it, or pass lift_protection=True"
        raise RefusedError(message, operation="delete_with_cleanup")
