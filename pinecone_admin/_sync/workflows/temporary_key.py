# Derived from pinecone_admin/_async/workflows/temporary_key.py by scripts/unasync.py: change that, not this file.
"""Keys that exist as long as a workflow or a caller needs them, and are then deleted, or named if that fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from pinecone_admin._concurrency.clock import current_clock, wait_for_time
from pinecone_admin._concurrency.waiting import start_background_task, watch_cancellation
from pinecone_admin._http.argument_checks import check_timedelta, copy_to_list, set_operation_on_errors, value_error
from pinecone_admin._http.attempt_event import warn
from pinecone_admin._http.operation_checks import check_key_roles, check_operation
from pinecone_admin._sync.workflows.client_state import (
    get_work_in_progress,
    require_server_time,
    server_now,
    server_time,
)
from pinecone_admin._sync.workflows.create_with_secret import delete_left_keys
from pinecone_admin._sync.workflows.run import Run, open_run
from pinecone_admin.errors import ForbiddenError, NotFoundError, PineconeError
from pinecone_admin.models import APIKey, APIKeyRole, APIKeyWithSecret, CreateAPIKeyRequest
from pinecone_admin.operations import create_api_key
from pinecone_admin.workflows import name_tags, retired_keys
from pinecone_admin.workflows.changes import Change, Ref, Settings
from pinecone_admin.workflows.ending import refer_to

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_SHORTEST_TTL = timedelta(minutes=1)
"""Names of temporary keys have minutes."""

KEY_ACCEPTANCE_TIMEOUT = 30.0
"""Seconds during which parts of the service may not accept a new key yet."""

_RETRY_INTERVAL = 60.0
"""Seconds, at most, until a renewal that failed is tried again."""

_OPERATION = "temporary_api_key"


@contextmanager
def temporary_key(
    admin: Admin, *, project_id: str, ttl: timedelta, deleted: list[str]
) -> Generator[tuple[APIKeyWithSecret, TemporaryKey]]:
    """Create a key that may change the contents of a project, then delete it and add its id to ``deleted``."""
    key, failure = TemporaryKey(admin, project_id), None
    try:
        with Run(admin, _OPERATION, dry_run=False) as run:
            name = name_temporary_key(admin, project_id, ttl, run.mark)
            try:
                created = key.create(run, name, ["ControlPlaneEditor"])
            except ForbiddenError:
                if run.steps[-1].state != "rejected":
                    raise  # what was refused is the search for a key whose value was lost
                # Not every plan has ControlPlaneEditor.
                created = key.create(run, name, ["ProjectEditor"])
        yield created, key
    except BaseException as error:
        failure = error
        raise
    finally:
        key.delete(failure)
        deleted.extend(key.ids)


@contextmanager
def renewed_temporary_key(
    admin: Admin, *, project_id: str, roles: Sequence[APIKeyRole], ttl: timedelta
) -> Generator[APIKeyWithSecret]:
    """Create a key whose name says until when it lives, renew that in the background, and then delete it."""
    with set_operation_on_errors(_OPERATION):
        if check_timedelta("ttl", ttl) < _SHORTEST_TTL:
            raise value_error("ttl", "must be at least a minute")
        check_key_roles("roles", roles)
        body = CreateAPIKeyRequest(name="temporary", roles=copy_to_list(roles))
        check_operation(create_api_key(project_id=project_id, body=body))
    failure = None
    with get_work_in_progress(admin).register(watch_cancellation()):
        key = TemporaryKey(admin, project_id)
        try:
            with open_run(admin, _OPERATION) as run:
                overdue = find_overdue_keys(admin, project_id)
                try:
                    delete_left_keys(run, overdue)
                except PineconeError as error:  # no obstacle
                    warn("temporary API keys of earlier runs were not deleted: %s", error)
                # Names are not unique: if a response is lost, only the mark distinguishes the key from those of others.
                new_key = key.create(run, name_temporary_key(admin, project_id, ttl, run.mark), body.roles)
            made_at = current_clock().monotonic()
            keep_alive = partial(
                _keep_alive, admin, new_key.key, ttl=ttl, mark=run.mark, made_at=made_at, ended=key.ended
            )
            start_background_task(keep_alive)
            yield new_key
        except BaseException as error:
            failure = error
            raise
        finally:
            key.delete(failure)


def name_temporary_key(admin: Admin, project_id: str, ttl: timedelta, mark: str) -> str:
    """Return the name of a temporary key that lives from now on, by the server's clock."""
    return name_tags.tag_as_temporary(project_id, retired_keys.time_of_deletion(server_now(admin), ttl), mark)


def find_overdue_keys(admin: Admin, project_id: str) -> list[APIKey]:
    """Return the overdue temporary keys of a project that killed processes left."""
    keys = admin.api_keys.list(project_id=project_id)
    return retired_keys.find_overdue_temporary_keys(keys, require_server_time(admin, operation=_OPERATION))


class TemporaryKey:
    """A key that is deleted at the end of a block, or when the client is closed if the block could not end.

    Args:
        admin: The client.
        project_id: Id of the project.

    Attributes:
        ids: Id of the key, once it is created.
        ended: Set when the key is about to be deleted.
    """

    def __init__(self, admin: Admin, project_id: str) -> None:
        self._admin = admin
        self._work = get_work_in_progress(admin)
        self._project_id = project_id
        self._run: Run | None = None
        self.ids: list[str] = []
        self.ended = threading.Event()
        self._work.add_block(self.delete_at_close)

    def create(self, run: Run, name: str, roles: Sequence[APIKeyRole] | None) -> APIKeyWithSecret:
        """Create the key in a run, which deletes it if that is interrupted or cancelled, or when the block ends."""
        change = Change(
            action="create",
            target=Ref("api_key", None, project=Ref("project", None, self._project_id)),
            settings=Settings(name=name, roles=None if roles is None else tuple(roles)),
        )
        new_key = cast("APIKeyWithSecret", run.create_secret(change))
        self.ids.append(new_key.key.id)
        self._run = run
        return new_key

    def is_deleted(self, key: APIKey) -> bool:
        """Return whether the created key no longer exists."""
        try:
            self._admin.api_keys.describe(api_key_id=key.id)
        except NotFoundError as error:
            return self._run is not None and self._run.shows_deletion(error, refer_to(key))
        return False

    def delete(self, failure: BaseException | None) -> None:
        """Delete the key, unless that is done, and note the deletion on the error that ended the block, if any.

        Raises:
            LeftoverError: It could not be deleted, and no interruption or cancellation led here.
        """
        self.ended.set()
        try:
            if self._run is not None:
                with self._work.register(is_new=False):
                    self._run.undo(failure)
        finally:
            self._work.remove_block(self.delete_at_close)

    def delete_at_close(self) -> None:
        """Delete the key of a block that has not ended; if that fails, log a warning, since the client is closed."""
        try:
            self.delete(None)
        except PineconeError as error:
            warn("%s", error)


def _ends_too_early(admin: Admin, key: APIKey, ttl: timedelta) -> bool:
    """Return whether a new name ends much too early, because this machine was suspended."""
    now, moment = server_time(admin), retired_keys.delete_after(key)
    return now is not None and moment is not None and moment - now < ttl * 2 / 3


def _keep_alive(
    admin: Admin, key: APIKey, *, ttl: timedelta, mark: str, made_at: float, ended: threading.Event
) -> None:
    """Rename a key every third of its ttl, until the end; in a forked child, never."""
    maker, interval, clock = os.getpid(), ttl.total_seconds() / 3, current_clock()
    is_early = _ends_too_early(admin, key, ttl)
    due = made_at if is_early else made_at + interval
    while True:
        wait_for_time(due, ended)
        if ended.is_set() or os.getpid() != maker:
            return
        began, run = clock.monotonic(), Run(admin, _OPERATION, dry_run=False)
        try:
            # Its response has the server's time: the estimate does not know for how long this machine was suspended.
            key = admin.api_keys.describe(api_key_id=key.id)
            name = name_temporary_key(admin, key.project_id, ttl, mark)
            settings, before = Settings(name=name), Settings(name=key.name)
            change = Change(action="update", target=run.refer_to(key), settings=settings, before=before)
            key = cast("APIKey", run.do(change))  # also if the name is the same
            is_early = not is_early and _ends_too_early(admin, key, ttl)  # no two renewals without a pause
            due = began if is_early else began + interval
        except PineconeError as error:
            if ended.is_set():
                return
            warn("temporary API key %s was not renewed: %s", key.id, error)
            if run.shows_deletion(error, run.refer_to(key)):
                return
            due = began + min(interval, _RETRY_INTERVAL)
