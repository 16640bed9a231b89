# Derived from pinecone_admin/_async/workflows/find_or_create.py by scripts/unasync.py: change that, not this file.
"""Find something, and create it only if it does not exist.

It searches, creates if nothing is found, and searches again if the response to the create is lost. Two calls that
ensure the same project at the same moment can still create two: names are not unique, and the API has no idempotency
key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from attrs import frozen

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin._sync.workflows.create_with_secret import may_have_been_processed, poll_until_listed
from pinecone_admin._sync.workflows.rollback import Deletion, Rollback
from pinecone_admin.errors import ConflictError, PineconeError
from pinecone_admin.workflows.sent_changes import MAY_BE_OF_OTHERS
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_T = TypeVar("_T")


class Created(NamedTuple, Generic[_T]):
    """What was found or created.

    Attributes:
        value: It; None if a dry run would create it.
        is_new: Whether it did not exist before, as far as this call has seen.
        is_certain: Whether that is certain: after a lost response, what has appeared may be of somebody else.
    """

    value: _T | None
    is_new: bool
    is_certain: bool = True


@frozen(kw_only=True)
class Ensurable(Generic[_T]):
    """Something that can be found or created.

    Attributes:
        description: What it is.
        step: Returns the step of the creation, given what was created, or None in a dry run.
        find: Returns it, or None; called again after a lost response, and then finds only what was not known before.
        create: Creates it.
        undo: Returns the description of what was created, and how to delete it; None if it cannot be undone.
        is_unique: Whether the server refuses a second one, so that the create may be repeated.
        is_missing: Whether the caller has just read that it does not exist.
    """

    description: str
    step: Callable[[_T | None], Step]
    find: Callable[[], _T | None]
    create: Callable[[], _T]
    undo: Callable[[_T], tuple[str, Deletion]] | None
    is_unique: bool
    is_missing: bool = False

    def find_or_create(self, admin: Admin, changes: ChangeLog, rollback: Rollback) -> Created[_T]:
        """Return the thing, and whether this call created it.

        Raises:
            PineconeError: The create failed, or its response was lost and nothing new appeared before the deadline.
        """
        if changes.dry_run:
            found = self.find()
            created = Created(found, is_new=found is None)
        else:
            created = self._create_unless_found(admin, rollback)
        if created.is_new:
            changes.record(self.step(created.value))
        return created

    def _create_unless_found(self, admin: Admin, rollback: Rollback) -> Created[_T]:
        backoff = PollBackoff(admin.timeout)
        lost_response: PineconeError | None = None
        found = None if self.is_missing else self.find()
        while found is None:
            try:
                if self.is_unique or lost_response is None:
                    made = rollback.create(self.description, self.create, self.undo)
                    return Created(made, is_new=True)
            except ConflictError as error:
                # ABORTED does not say that it exists, so that there is nothing to wait for.
                if error.error_code == "ABORTED" or (found := poll_until_listed(self.find)) is None:
                    raise
                break
            except PineconeError as error:
                if not may_have_been_processed(error):
                    raise
                lost_response = error
            if not backoff.wait():
                assert lost_response is not None  # noqa: S101 - otherwise the create would have returned
                raise lost_response
            found = self.find()
        if lost_response is not None and self.undo is not None:
            described, _ = self.undo(found)
            rollback.adopt(f"{described} {MAY_BE_OF_OTHERS}")
        return Created(found, is_new=lost_response is not None, is_certain=lost_response is None)
