"""What the records of changes say: of a create that was lost and found, and of changes that remain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager
from contextvars import Context
from types import coroutine

import pytest

from generated_client.types import Operation
from pinecone_admin._concurrency.attempts import Attempt
from pinecone_admin._http.call_state import raising_404s
from pinecone_admin.errors import Outcome, PineconeError
from pinecone_admin.models import CreateProjectRequest, CreateRoleBindingRequest, RoleBinding, UpdateAPIKeyRequest
from pinecone_admin.operations import create_project, create_role_binding, update_api_key
from pinecone_admin.workflows.change_operations import read_change
from pinecone_admin.workflows.sent_changes import (
    LeaveOutChanges,
    marking_undo,
    note_found,
    record_change,
    reporting_remaining_changes,
)


def grant_to(user_id: str) -> Operation[RoleBinding]:
    """Return the operation that makes a user an owner."""
    body = CreateRoleBindingRequest(
        principal_type="user", principal_id=user_id, resource_type="organization", role="OrgOwner"
    )
    return create_role_binding(body=body)


def fail(operation: Operation[object], outcome: Outcome) -> None:
    """Record a change whose call fails."""
    record_change(operation, read_change(operation)).note_error(PineconeError("failed", outcome=outcome))


def test_what_is_found_belongs_to_the_lost_create_of_the_same_thing() -> None:
    """Neither the refused repetition nor the create of another thing, which may be in progress, gets its id."""
    with reporting_remaining_changes() as changes:
        for outcome in ("unknown", "rejected"):
            fail(grant_to("zoe"), outcome)
            fail(create_project(body=CreateProjectRequest(name="shop")), outcome)
        fail(grant_to("dan"), "unknown")
        fail(create_project(body=CreateProjectRequest(name="blog")), "unknown")
        note_found(grant_to("zoe"), "binding-1")
        note_found(create_project(body=CreateProjectRequest(name="shop")), "project-1")
    assert [each.found for each in changes] == ["binding-1", "project-1", None, None, None, None]


@pytest.mark.parametrize(("keys", "verb"), [(["key-1", "key-1"], "was"), (["key-1", "key-2"], "were")])
def test_two_changes_of_one_thing_are_named_once(keys: list[str], verb: str) -> None:
    """The verb fits the names."""

    def rename_all() -> None:
        for key in keys:
            renaming = update_api_key(api_key_id=key, body=UpdateAPIKeyRequest(name="reader"))
            record_change(renaming, read_change(renaming)).note_result(renaming, None)
        raise PineconeError("failed")

    with pytest.raises(PineconeError) as caught, reporting_remaining_changes():
        rename_all()
    names = ", ".join(f"update_api_key {each}" for each in dict.fromkeys(keys))
    assert caught.value.__notes__ == [f"{names} {verb} done"]


@pytest.mark.parametrize("enter", [raising_404s, marking_undo, reporting_remaining_changes, LeaveOutChanges, Attempt])
def test_a_block_of_a_coroutine_can_end_in_another_context(enter: Callable[[], AbstractContextManager[object]]) -> None:
    """An event loop that is closed, or the garbage collector, closes a coroutine in its own context."""

    @coroutine
    def wait() -> Generator[None, None, None]:
        yield

    async def work(pause: Callable[[], Awaitable[None]]) -> None:
        with enter():
            await pause()

    working = work(wait)
    Context().run(working.send, None)
    working.close()
