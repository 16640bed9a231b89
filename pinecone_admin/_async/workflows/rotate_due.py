"""Rotate the API keys that are old enough, one after another, and finish what earlier rotations left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from pinecone_admin._async.workflows.absence import shows_deletion
from pinecone_admin._async.workflows.client_state import limit_parallel_requests, require_server_time
from pinecone_admin._async.workflows.create_with_secret import Store
from pinecone_admin._async.workflows.delete_retired import clean_keys
from pinecone_admin._async.workflows.rotate import replace_key
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import (
    async_check_function,
    check_identifier,
    check_timedelta,
    set_operation_on_errors,
)
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin._text.printable import mask_key_values
from pinecone_admin.errors import (
    ForbiddenError,
    PineconeError,
)
from pinecone_admin.models import APIKey, APIKeyWithSecret
from pinecone_admin.workflows.changes import Ref, Step
from pinecone_admin.workflows.due_keys import DueKeys, find_due_keys, find_rotatable_keys
from pinecone_admin.workflows.ending import ends_everything, has_failed
from pinecone_admin.workflows.plans import find_help_code
from pinecone_admin.workflows.readable_store import SecretOwner, StoreByName
from pinecone_admin.workflows.reports import DueRotations, FailedRotation
from pinecone_admin.workflows.retired_keys import UNFINISHED, find_orphans, find_successors_to_rename
from pinecone_admin.workflows.roles import date_keys_by_bindings
from pinecone_admin.workflows.sent_changes import add_note, read_reason

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

_OPERATION = "rotate_due"

_ORPHANED = (
    "it was to replace a key that no longer exists, and its value may not be stored: rename it if the value is, and "
    "delete it otherwise"
)


async def rotate_due_keys(
    run: AsyncRun,
    *,
    older_than: timedelta,
    keep_old_for: timedelta,
    store: Store[APIKeyWithSecret],
    project_id: str | None,
    begin: Callable[[DueRotations], object] | None = None,
) -> DueRotations:
    """Read the keys, decide which are due, and then clean up and rotate in one project after another.

    Before the first change, ``begin`` gets the report, which has all that was done at the end, also after an
    interruption. Without it, notes of the error have that.
    """
    with set_operation_on_errors("rotate_due"):
        check_timedelta("older_than", older_than)
        check_timedelta("keep_old_for", keep_old_for, allow_zero=True)
        async_check_function("store", store)
        if project_id is not None:
            check_identifier("project_id", project_id)
    admin = run.admin
    projects = (
        await admin.projects.list() if project_id is None else [await admin.projects.describe(project_id=project_id)]
    )
    listed = await _list_keys(admin, [project.id for project in projects])
    keys = {id: each for id, each in listed.items() if not isinstance(each, PineconeError)}
    now = require_server_time(admin, operation="rotate_due")
    dates = await _read_dates_of_bindings(admin, keys, project_id)
    found = {id: find_due_keys(each, dates, now=now, older_than=older_than) for id, each in keys.items()}
    names = {project.id: project.name for project in projects}
    problems = _find_problems(store, found, names)
    due = AsyncDueRun(admin, store, keep_old_for, DueRotations(dry_run=run.dry_run), names, problems)
    if begin is not None:
        begin(due.report)
    try:
        for id, each in listed.items():
            if isinstance(each, PineconeError):
                due.add_error(id, None, each)
            else:
                await due.process_project(id, each, found[id])
    except BaseException as error:
        done = [step for step in due.report.steps if not has_failed(step)]
        for line in (*done, *due.report.failed) if begin is None else ():
            add_note(error, str(line))
        raise
    return due.report


async def _list_keys(admin: AsyncAdmin, project_ids: Sequence[str]) -> dict[str, list[APIKey] | PineconeError]:
    """Return the keys of each project, or why they cannot be listed. A project that was deleted since has none."""
    listed: dict[str, list[APIKey] | PineconeError] = {}

    async def list_project(each: str) -> list[APIKey] | PineconeError:
        try:
            return await admin.api_keys.list(project_id=each)
        except PineconeError as error:
            if ends_everything(error):
                raise
            return [] if await shows_deletion(admin, error, Ref("project", None, each)) else error

    limit = limit_parallel_requests(admin)
    await async_run_in_parallel(list_project, project_ids, limit=limit, deliver=listed.__setitem__)
    return {each: listed[each] for each in project_ids}


async def _read_dates_of_bindings(
    admin: AsyncAdmin, keys: Mapping[str, Sequence[APIKey]], project_id: str | None
) -> Mapping[str, datetime]:
    """Return the dates of the oldest role bindings. They are read only if a key has no creation date."""
    rotatable = (key for listed in keys.values() for key in find_rotatable_keys(listed))
    if all(plausible_date(key.created_at) is not None for key in rotatable):
        return {}
    with suppress(ForbiddenError):  # then their age is unknown, as the report says
        bindings = await admin.role_bindings.list(
            principal_type="api_key",
            resource_type=None if project_id is None else "project",
            resource_id=project_id,
        )
        return date_keys_by_bindings(bindings)
    return {}


def _find_problems(
    store: Store[APIKeyWithSecret], found: Mapping[str, DueKeys], names: Mapping[str, str]
) -> Mapping[str, str]:
    """Return why new values could not be stored, by the ids of their keys."""
    if not isinstance(store, StoreByName):  # it does not know before it is called
        return {}
    due = [key for each in found.values() for key in each.due]
    others = [key for each in found.values() for key in (*each.unknown_age, *each.young)]
    owners = [_describe_owner(key, names[key.project_id]) for key in due]
    taken = [_describe_owner(key, names[key.project_id]) for key in others]
    problems = list(store.find_problems(owners, taken))
    # Keys that could not be listed may have the same names, and so the same places.
    if unlisted := [each._replace(project=name) for id, name in names.items() if id not in found for each in owners]:
        further = store.find_problems(owners, [*taken, *unlisted])
        problems = [known or _mention_unlisted_keys(reason) for known, reason in zip(problems, further, strict=True)]
    return {key.id: reason for key, reason in zip(due, problems, strict=True) if reason is not None}


def _describe_owner(key: APIKey, project: str) -> SecretOwner:
    return SecretOwner("api_key", project, key.name)


def _mention_unlisted_keys(reason: str | None) -> str | None:
    doubt = "this is so if a project whose keys could not be listed has such a key"
    return None if reason is None else f"{reason}; {doubt}"


@frozen
class AsyncDueRun:
    """One run, which goes on after a failure in a project or of a key.

    Attributes:
        admin: The client.
        store: Stores the values of new keys.
        keep_old_for: How long both keys work.
        report: The report so far.
        names: The names of the projects, by their ids.
        problems: Why the new values of keys could not be stored, by the ids of these keys, which are not rotated.
    """

    admin: AsyncAdmin
    store: Store[APIKeyWithSecret]
    keep_old_for: timedelta
    report: DueRotations
    names: Mapping[str, str]
    problems: Mapping[str, str]

    async def process_project(self, project_id: str, keys: list[APIKey], found: DueKeys) -> None:
        """Finish rotations, delete retired keys that are due, and rotate keys, in this order."""
        self.report.unknown_age.extend(found.unknown_age)
        name, unnamed = self.names[project_id], find_successors_to_rename(keys)
        run = AsyncRun(self.admin, _OPERATION, dry_run=self.report.dry_run, project=name)
        try:
            keys = await clean_keys(run, project_id, keys, deleted=self.report.deleted, kept=self.report.kept)
        except PineconeError as error:
            if ends_everything(error):
                raise
            self.add_error(project_id, None, error)
            return
        finally:
            self.report.steps.extend(run.steps)
        self.report.finished.extend(key for key in keys if key.id in unnamed)
        for old in found.due:
            if old.id in self.problems:
                self.add_failure(project_id, old, self.problems[old.id])
                continue
            await self._rotate(old, name, keys)
        for orphan in find_orphans(keys):
            self.add_failure(project_id, orphan, _ORPHANED)
        for each in found.unfinished:
            self.add_failure(project_id, each, UNFINISHED)

    async def _rotate(self, old: APIKey, project: str, keys: Sequence[APIKey]) -> None:
        steps: list[Step] = []
        with ExitStack() as selected:  # until the key is in the report
            try:
                store = self.store
                if isinstance(store, StoreByName):
                    store = selected.enter_context(store.select(_describe_owner(old, project)))
                async with AsyncRun(self.admin, _OPERATION, dry_run=self.report.dry_run, project=project) as run:
                    steps = run.steps
                    rotation = await replace_key(
                        run, old, keys, store=store, keep_old_for=self.keep_old_for, repetition="run this again"
                    )
            except Exception as error:  # whatever a store raises must not stop the other rotations
                if ends_everything(error):
                    raise
                self.add_error(old.project_id, old, error)
                return
            finally:
                self.report.steps.extend(steps)
            self.report.rotated.append(rotation)

    def add_failure(self, project_id: str, key: APIKey | None, reason: str, *, help_code: str | None = None) -> None:
        """Add a key that is not rotated, or a project where nothing more is done, to the report."""
        name, reason = self.names[project_id], mask_key_values(reason)
        self.report.failed.append(
            FailedRotation(project_id=project_id, project_name=name, key=key, reason=reason, help_code=help_code)
        )

    def add_error(self, project_id: str, key: APIKey | None, error: Exception) -> None:
        """Add the error that prevents the rotation of a key, or further work in a project, to the report."""
        self.add_failure(project_id, key, read_reason(error), help_code=find_help_code(error))
