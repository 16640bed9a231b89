"""Delete the keys that rotations have replaced, and temporary keys that a killed process left, once they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._async.workflows.change_log import AsyncChangeLog, update_key
from pinecone_admin._async.workflows.client_state import require_server_time, runs_workflow, server_time
from pinecone_admin._async.workflows.create_with_secret import (
    delete_if_exists,
    delete_leftover_keys,
    describe_leftover_key,
)
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import check_bool, check_identifier, set_operation_on_errors
from pinecone_admin.errors import NotFoundError
from pinecone_admin.models import APIKey
from pinecone_admin.workflows import name_tags, retired_keys
from pinecone_admin.workflows.reports import KeptKey, RetiredKeys
from pinecone_admin.workflows.sent_changes import IgnoreGone, is_gone
from pinecone_admin.workflows.steps import Step, StepAction, describe_key_step

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

CONCURRENCY = 16
"""How many projects are read at once."""


@runs_workflow
async def delete_retired_keys(admin: AsyncAdmin, *, project_id: str | None, dry_run: bool) -> RetiredKeys:
    """Delete the retired and temporary keys of a project, or of all projects."""
    with set_operation_on_errors("delete_retired"):
        check_bool("dry_run", dry_run)
        if project_id is not None:
            check_identifier("project_id", project_id)
    names = {each.id: each.name for each in await admin.projects.list()} if project_id is None else {project_id: None}
    reports: dict[str, RetiredKeys] = {}

    async def clean_project(each: str) -> RetiredKeys:
        try:
            keys = await admin.api_keys.list(project_id=each)
            return (await clean_keys(admin, each, keys, AsyncChangeLog(dry_run=dry_run, project=names[each])))[0]
        except NotFoundError as error:
            if project_id is not None or not is_gone(error):
                raise
            return RetiredKeys(dry_run=dry_run, deleted=[], kept=[], steps=[])  # the project was deleted meanwhile

    limit = min(CONCURRENCY, admin.max_connections)
    await async_run_in_parallel(clean_project, list(names), limit=limit, deliver=reports.__setitem__)
    parts = [reports[each] for each in names]
    return RetiredKeys(
        dry_run=dry_run,
        deleted=[key for part in parts for key in part.deleted],
        kept=[key for part in parts for key in part.kept],
        steps=[step for part in parts for step in part.steps],
    )


async def clean_keys(
    admin: AsyncAdmin, project_id: str, keys: list[APIKey], changes: AsyncChangeLog
) -> tuple[RetiredKeys, list[APIKey]]:
    """Finish the renames of rotations among the keys of a project, and delete those that are retired and due.

    Returns:
        The report, and the keys that are left.
    """
    deleted: list[APIKey] = []
    kept: list[KeptKey] = []
    keys = await _rename(admin, keys, retired_keys.find_successors_to_rename(keys), changes)
    for each in retired_keys.sort_retired(keys):
        now = require_server_time(admin, operation="delete_retired")
        reason, old = retired_keys.reason_to_keep(each, keys, now), each
        if reason is None and not changes.dry_run:
            # Read again: the successor may have been deleted, or the key renamed, since the list was read.
            keys = await admin.api_keys.list(project_id=project_id)
            old = next((key for key in keys if key.id == each.id), each)
            reason = retired_keys.reason_to_keep(old, keys, now)
        if reason is None:
            keys = await delete_retired_key(admin, old, keys, changes)
            deleted.append(old)
        else:
            moment = retired_keys.delete_after(each)
            assert moment is not None  # noqa: S101 - only such keys are sorted
            kept.append(KeptKey(key=old, delete_after=moment, reason=reason))
            changes.record(describe_retired("keep", old, reason=reason))
    return RetiredKeys(dry_run=changes.dry_run, deleted=deleted, kept=kept, steps=changes.steps), keys


async def delete_retired_key(
    admin: AsyncAdmin, old: APIKey, keys: Sequence[APIKey], changes: AsyncChangeLog
) -> list[APIKey]:
    """Delete a retired key, and return the other keys.

    Those that earlier rotations left, and that are due, go before it; the others refer to its successor from now on.
    """
    keys = await delete_leftover_candidates(admin, old, keys, changes)
    now = server_time(admin)
    for each in [*([] if now is None else retired_keys.find_due_ancestors(old, keys, now)), old]:
        keys = await _rename(admin, keys, retired_keys.rename_predecessors(each, keys), changes)
        delete = partial(delete_if_exists, admin.api_keys.delete, api_key_id=each.id)
        await changes.apply(describe_retired("delete", each), delete, preview=None)
        keys = [key for key in keys if key.id != each.id]
    return keys


async def delete_leftover_candidates(
    admin: AsyncAdmin, old: APIKey, keys: Sequence[APIKey], changes: AsyncChangeLog
) -> list[APIKey]:
    """Delete the keys that interrupted rotations of an old key left, and return the other keys."""
    leftovers = [key for key in keys if retired_keys.is_candidate(key, old)]
    planned = list(map(describe_leftover_key, leftovers))
    changes.record(*(planned if changes.dry_run else await delete_leftover_keys(admin, leftovers)))
    return [key for key in keys if key not in leftovers]


def describe_retired(action: StepAction, old: APIKey, *, reason: str | None = None) -> Step:
    """Return a step that is done to a key that was replaced, by the name that it had before."""
    return describe_key_step(action, evolve(old, name=name_tags.original_name(old.name)), reason=reason)


async def _rename(
    admin: AsyncAdmin, keys: Sequence[APIKey], finals: Mapping[str, APIKey], changes: AsyncChangeLog
) -> list[APIKey]:
    """Rename some of the keys, and return them all as they are then, without those that were deleted meanwhile."""
    left: list[APIKey] = []
    for key in keys:
        with IgnoreGone():
            left.append(await update_key(admin, key, finals.get(key.id, key), changes))
    return left
