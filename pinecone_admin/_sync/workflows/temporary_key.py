# Derived from pinecone_admin/_async/workflows/temporary_key.py by scripts/unasync.py: change that, not this file.
"""A key that exists as long as a workflow needs it, and is then deleted, or named if that fails."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.waiting import shield_from_cancellation
from pinecone_admin._sync.workflows.create_with_secret import (
    create_key_with_value,
    delete_and_report,
    delete_leftover_keys,
    list_keys_named,
)
from pinecone_admin._sync.workflows.rollback import marking_undo
from pinecone_admin.errors import ForbiddenError, LeftoverError, NotFoundError, PineconeError
from pinecone_admin.models import APIKey, APIKeyWithSecret

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_DELETION_TIMEOUT = 30.0
"""Seconds for deleting the key, even if the workflow was cancelled."""


@contextmanager
def temporary_key(admin: Admin, *, project_id: str, name: str) -> Generator[APIKeyWithSecret]:
    """Create a key that may change the contents of a project, and then delete it."""
    made = _create_temporary_key(admin, project_id=project_id, name=name)
    failure: BaseException | None = None
    try:
        yield made
    except BaseException as error:
        failure = error
        raise
    finally:
        description = f"temporary API key {made.key.id} of project {project_id}"
        in_time = False
        with shield_from_cancellation(_DELETION_TIMEOUT):
            delete_and_report(failure, description, admin.api_keys.delete, api_key_id=made.key.id)
            in_time = True
        if not in_time:
            raise LeftoverError(f"{description} could not be deleted in time", left=[description]) from failure


def _create_temporary_key(admin: Admin, *, project_id: str, name: str) -> APIKeyWithSecret:
    """Create the key; if that is interrupted or cancelled, delete it, since the server may have created it."""
    try:
        try:
            return create_key_with_value(admin, project_id=project_id, name=name, roles=["ControlPlaneEditor"])
        except ForbiddenError:  # not every plan has ControlPlaneEditor
            return create_key_with_value(admin, project_id=project_id, name=name, roles=["ProjectEditor"])
    except PineconeError:
        raise
    except BaseException:
        with (
            shield_from_cancellation(_DELETION_TIMEOUT),
            marking_undo(),
            suppress(PineconeError),
        ):  # the next run deletes a key that remains
            delete_leftover_keys(admin, list_keys_named(admin, project_id=project_id, name=name))
        raise


def is_deleted(admin: Admin, key: APIKey) -> bool:
    """Return whether a key no longer exists."""
    try:
        admin.api_keys.describe(api_key_id=key.id)
    except NotFoundError:
        return True
    return False
