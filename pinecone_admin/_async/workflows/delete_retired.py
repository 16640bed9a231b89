"""Delete the keys that rotations have replaced, and temporary keys that a killed process left, once they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from pinecone_admin._async.workflows.absence import shows_deletion
from pinecone_admin._async.workflows.client_state import limit_parallel_requests, require_server_time, server_time
from pinecone_admin._async.workflows.create_with_secret import delete_left_keys, update_key
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._http.argument_checks import check_identifier, set_operation_on_errors
from pinecone_admin.errors import PineconeError
from pinecone_admin.models import APIKey
from pinecone_admin.workflows import name_tags, retired_keys
from pinecone_admin.workflows.changes import Change, Ref
from pinecone_admin.workflows.ending import ends_everything
from pinecone_admin.workflows.reports import KeptKey, RetiredKeys
from pinecone_admin.workflows.sent_changes import add_note, read_reason


async def delete_retired_keys(run: AsyncRun, *, project_id: str | None) -> RetiredKeys:
    """Delete the retired and temporary keys of a project, or of all projects.

    Of several projects, one that fails does not stop the others: the first failure is raised after them.
    """
    with set_operation_on_errors("delete_retired"):
        if project_id is not None:
            check_identifier("project_id", project_id)
    admin, dry_run = run.admin, run.dry_run
    names = {each.id: each.name for each in await admin.projects.list()} if project_id is None else {project_id: None}
    reports: dict[str, RetiredKeys] = {}
    failures: dict[str, PineconeError] = {}

    async def clean_project(each: str) -> RetiredKeys:
        part = AsyncRun(admin, run.operation, dry_run=dry_run, project=names[each])
        report = RetiredKeys(dry_run=dry_run, deleted=[], kept=[], steps=part.steps)
        try:
            keys = await admin.api_keys.list(project_id=each)
            async with part:
                await clean_keys(part, each, keys, deleted=report.deleted, kept=report.kept)
        except PineconeError as error:
            if project_id is not None or ends_everything(error):
                raise
            if not await shows_deletion(admin, error, Ref("project", None, each)):
                failures[each] = error
        return report

    limit = limit_parallel_requests(admin)
    await async_run_in_parallel(clean_project, list(names), limit=limit, deliver=reports.__setitem__)
    if failures:
        (place, error), *others = [
            (Ref("project", names[each], each), failures[each]) for each in names if each in failures
        ]
        add_note(error, f"this was in {place}")
        for other, reason in others:
            add_note(error, f"in {other}: {read_reason(reason)}")
        raise error
    parts = [reports[each] for each in names]
    return RetiredKeys(
        dry_run=dry_run,
        deleted=[key for part in parts for key in part.deleted],
        kept=[key for part in parts for key in part.kept],
        steps=[step for part in parts for step in part.steps],
    )


async def clean_keys(
    run: AsyncRun, project_id: str, keys: list[APIKey], *, deleted: list[APIKey], kept: list[KeptKey]
) -> list[APIKey]:
    """Finish the renames of rotations among the keys of a project, and delete those that are retired and due.

    Args:
        run: The run.
        project_id: Id of the project.
        keys: The keys of the project.
        deleted: Gets the deleted keys, also before an error.
        kept: Gets the kept keys, also before an error.

    Returns:
        The keys that are left.
    """
    keys = await _rename(run, keys, retired_keys.find_successors_to_rename(keys))
    for each in retired_keys.sort_retired(keys):
        now = require_server_time(run.admin, operation="delete_retired")
        reason, old = retired_keys.reason_to_keep(each, keys, now), each
        if reason is None and not run.dry_run:
            # Read again: the successor may have been deleted, or the key renamed, since the list was read.
            keys = await run.admin.api_keys.list(project_id=project_id)
            old = next((key for key in keys if key.id == each.id), each)
            reason = retired_keys.reason_to_keep(old, keys, now)
        if reason is None:
            keys = await delete_retired_key(run, old, keys)
            if run.steps[-1].state != "skipped":  # otherwise, somebody else has deleted it
                deleted.append(old)
        else:
            moment = retired_keys.delete_after(old) or retired_keys.delete_after(each)  # it may have another name now
            assert moment is not None  # noqa: S101 - only such keys are sorted
            kept.append(KeptKey(key=old, delete_after=moment, reason=reason, is_due=moment <= now))
            run.skip(Change(action="delete", target=refer_to_retired(run, old)), reason)
    return keys


async def delete_retired_key(run: AsyncRun, old: APIKey, keys: Sequence[APIKey]) -> list[APIKey]:
    """Delete a retired key, and return the other keys.

    Those that earlier rotations left, and that are due, go before it; the others refer to its successor from now on.
    """
    leftovers = [key for key in keys if retired_keys.is_unfinished_successor(key, old)]
    await delete_left_keys(run, leftovers)
    left, now = [key for key in keys if key not in leftovers], server_time(run.admin)
    for each in [*([] if now is None else retired_keys.find_due_ancestors(old, left, now)), old]:
        left = await _rename(run, left, retired_keys.rename_predecessors(each, left))
        await run.do(Change(action="delete", target=refer_to_retired(run, each)))
        left = [key for key in left if key.id != each.id]
    return left


def refer_to_retired(run: AsyncRun, old: APIKey) -> Ref:
    """Return the reference to a key that was replaced, by the name that it had before."""
    return run.refer_to(evolve(old, name=name_tags.original_name(old.name)))


async def _rename(run: AsyncRun, keys: Sequence[APIKey], finals: Mapping[str, APIKey]) -> list[APIKey]:
    """Rename some of the keys, and return them all as they are then, without those that somebody has deleted since."""
    left: list[APIKey] = []
    for key in keys:
        async with run.ignore_gone(run.refer_to(key)):
            left.append(await update_key(run, key, finals.get(key.id, key)))
    return left
