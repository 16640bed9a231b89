# Derived from tests/_async/test_workflow_rotate.py by scripts/unasync.py: change that, not this file.
"""Rotation: the new secret is stored before the old one is deleted, wherever both can exist."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from pinecone_admin import (
    Admin,
    InvalidCredentialsError,
    LeftoverError,
    NotFoundError,
    PineconeError,
    PineconeValueError,
    RefusedError,
    ResponseParsingError,
    SecretNotStoredError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows import ReadableStore
from pinecone_admin.workflows.name_tags import tag_as_successor
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError, fail_to_store
from tests.support.steps import describe_steps, list_ids, strip_mark

pytestmark = pytest.mark.anyio


def create_key(admin: Admin, name: str = "reader") -> APIKeyWithSecret:
    """Create a project with a key that is DataPlaneViewer."""
    project = admin.projects.create(name="p")
    return admin.api_keys.create(project_id=project.id, name=name, roles=["DataPlaneViewer"])


def test_a_new_key_takes_the_name_and_the_roles_of_the_old_one(admin: Admin, emulator: Emulator) -> None:
    """The new key has the name and the roles of the old one, and the report has the steps and no secret."""
    old = create_key(admin)
    stored: list[APIKeyWithSecret] = []
    rotation = admin.api_keys.rotate(api_key_id=old.key.id, store=stored.append)
    (key,) = emulator.state.api_keys.values()
    assert (key.name, key.value, emulator.state.roles_of(key)) == ("reader", stored[0].value, ["DataPlaneViewer"])
    assert (rotation.key.id, rotation.key.name, rotation.replaced) == (key.id, "reader", old.key.id)
    assert rotation.delete_after is None
    place = f"in project {old.key.project_id}"
    texts = [*map(strip_mark, describe_steps(rotation.steps))]
    assert texts[1].startswith(f"renamed key reader ({old.key.id}) {place} to '~delete-after:")
    assert [texts[0], *texts[2:]] == [
        f"created key reader ({key.id}) {place} with DataPlaneViewer",
        f"renamed key {tag_as_successor(old.key.id, 'reader')!r} ({key.id}) {place} to reader",
        f"deleted key reader ({old.key.id}) {place}",
    ]
    assert key.value not in repr(rotation)


def test_an_exception_in_store_keeps_the_old_key(admin: Admin, emulator: Emulator) -> None:
    """An exception in the store callback deletes the new key, which a note says, and keeps the old one."""
    old = create_key(admin)
    with pytest.raises(OSError, match="sealed") as caught:
        admin.api_keys.rotate(api_key_id=old.key.id, store=fail_to_store)
    (key,) = emulator.state.api_keys.values()
    assert (key.id, key.name, key.value) == (old.key.id, "reader", old.value)
    doubt, note = caught.value.__notes__
    assert "was stored all the same, it stops working when the key is deleted" in doubt
    assert note.startswith("the new API key ")
    assert note.endswith(f" in project {key.project_id} was deleted")


def test_a_failed_rollback_names_the_new_key(emulator: Emulator) -> None:
    """The error names a new key that is neither stored nor deleted, and the next run deletes it."""
    old = create_key(emulator.admin())
    admin = FaultyTransport(emulator, dict.fromkeys(range(5, 99), InjectedFault.UNAVAILABLE)).admin()
    with raises(LeftoverError) as caught:
        admin.api_keys.rotate(api_key_id=old.key.id, store=fail_to_store)
    (left,) = set(emulator.state.api_keys) - {old.key.id}
    assert left in caught.value.left[0]
    emulator.admin().api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    assert len(emulator.state.api_keys) == 1


def test_a_possibly_stored_key_is_kept_until_another_is_stored(emulator: Emulator) -> None:
    """A key of a killed run, whose value may be stored, exists until the next run has stored its own."""
    old = create_key(emulator.admin())
    vault: list[str] = []
    exists: list[bool] = []

    def store(made: APIKeyWithSecret) -> None:
        vault.append(made.value)
        exists.append(vault[0] in {key.value for key in emulator.state.api_keys.values()})

    with pytest.raises(KilledError):
        (
            FaultyTransport(emulator, {5: InjectedFault.KILL_BEFORE})
            .admin()
            .api_keys.rotate(api_key_id=old.key.id, store=store)
        )
    (left,) = set(emulator.state.api_keys) - {old.key.id}
    rotation = emulator.admin().api_keys.rotate(api_key_id=old.key.id, store=store)
    changes = [each.change for each in rotation.steps]
    assert ("delete", left, "an earlier run left it") in [
        (each.action, each.target.id, each.reason) for each in changes
    ]
    (key,) = emulator.state.api_keys.values()
    assert (vault[-1], exists) == (key.value, [True, True])


def test_a_possibly_stored_key_that_made_room_is_named(emulator: Emulator) -> None:
    """Where the quota has room for no further key and the store fails, a note names the deleted key, perhaps in use."""
    old = create_key(emulator.admin())
    killed = FaultyTransport(emulator, {5: InjectedFault.KILL_BEFORE}).admin()
    with pytest.raises(KilledError):
        killed.api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    (left,) = set(emulator.state.api_keys) - {old.key.id}
    emulator.configure(api_key_quota=2)
    with pytest.raises(OSError, match="sealed") as caught:
        emulator.admin().api_keys.rotate(api_key_id=old.key.id, store=fail_to_store)
    assert strip_mark(caught.value.__notes__[0]) == (
        f"deleted key {tag_as_successor(old.key.id, 'reader')!r} ({left}) in project {old.key.project_id}, which an "
        "earlier run left, to make room; if that run stored its value, the stored value no longer works"
    )
    assert list(emulator.state.api_keys) == [old.key.id]


def test_a_run_killed_after_its_store_is_resumed(
    emulator: Emulator,
) -> None:
    """A run that was killed after it recorded the store is completed without another key."""
    old = create_key(emulator.admin())
    stored: list[APIKeyWithSecret] = []
    with pytest.raises(KilledError):
        (
            FaultyTransport(emulator, {7: InjectedFault.KILL_BEFORE})
            .admin()
            .api_keys.rotate(api_key_id=old.key.id, store=stored.append)
        )
    rotation = emulator.admin().api_keys.rotate(api_key_id=old.key.id, store=stored.append)
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("reader", [made.value for made in stored])
    assert [each.change.action for each in rotation.steps] == ["update", "delete"]
    assert list_ids(rotation.steps) == [key.id, old.key.id]


def test_a_concurrently_deleted_old_key_is_no_error(
    emulator: Emulator,
) -> None:
    """Where others delete the old key during the rotation, the stored new key still gets its name."""
    old = create_key(emulator.admin())
    stored: list[str] = []
    transport = FaultyTransport(emulator)

    def delete() -> None:
        if transport.requests[-1].startswith("PATCH") and old.key.id in emulator.state.api_keys:
            emulator.state.remove_api_key(emulator.state.api_keys[old.key.id])

    transport.before_request = delete
    transport.admin().api_keys.rotate(api_key_id=old.key.id, store=lambda made: stored.append(made.value))
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("reader", stored)


def test_a_key_of_an_unfinished_rotation_is_refused(emulator: Emulator) -> None:
    """Rotating the new key of an unfinished rotation raises."""
    old = create_key(emulator.admin())
    with pytest.raises(KilledError):
        (
            FaultyTransport(emulator, {5: InjectedFault.KILL_BEFORE})
            .admin()
            .api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
        )
    (new,) = set(emulator.state.api_keys) - {old.key.id}
    with raises(RefusedError, match="because another workflow created it"):
        emulator.admin().api_keys.rotate(api_key_id=new, store=lambda _: None)


def test_a_key_without_a_role_is_refused(admin: Admin, emulator: Emulator) -> None:
    """A key without a role is not replaced: a new one would have other roles. Nothing is created."""
    project = admin.projects.create(name="search")
    made = admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"])
    for binding in admin.role_bindings.list(principal_type="api_key", principal_id=made.key.id):
        admin.role_bindings.delete(role_binding_id=binding.id)
    for dry_run in (True, False):
        with raises(RefusedError, match=f"API key {made.key.id} has no role"):
            admin.api_keys.rotate(api_key_id=made.key.id, store=print, dry_run=dry_run)
    assert [*emulator.state.api_keys] == [made.key.id]


@pytest.mark.parametrize("finish", ["", "rotate", "delete_retired", "ensure", "rotate_due"])
def test_an_old_key_that_has_lost_its_roles_stops_no_run(admin: Admin, emulator: Emulator, finish: str) -> None:
    """If somebody revokes its roles once the new value is stored, every run finishes; the new key keeps its own."""
    old, hour = (create_key(admin)).key, timedelta(hours=1)
    transport = FaultyTransport(emulator, {7: InjectedFault.KILL_BEFORE} if finish else {})
    with pytest.raises(KilledError) if finish else nullcontext():
        transport.admin().api_keys.rotate(
            api_key_id=old.id,
            store=lambda _: emulator.state.unbind_all(Principal("api_key", old.id)),
            keep_old_for=hour,
        )
    (new,) = (each for each in emulator.state.api_keys.values() if each.id != old.id)
    assert (new.name == "reader") == (not finish)
    runs: dict[str, Callable[[], object]] = {
        "rotate": lambda: admin.api_keys.rotate(api_key_id=old.id, store=print, keep_old_for=hour),
        "delete_retired": lambda: admin.api_keys.delete_retired(project_id=old.project_id),
        "ensure": lambda: admin.api_keys.ensure(project_id=old.project_id, name="reader"),
        "rotate_due": lambda: admin.api_keys.rotate_due(older_than=hour, keep_old_for=hour, store=print),
    }
    if finish:
        runs[finish]()
    assert (new.name, emulator.state.roles_of(new)) == ("reader", ["DataPlaneViewer"])


def test_an_unknown_key_and_an_invalid_time_raise(admin: Admin) -> None:
    """An unknown key, and a time below 0 or far too long, raise before any change."""
    with raises(NotFoundError):
        admin.api_keys.rotate(api_key_id="nowhere", store=lambda _: None)
    for wrong in (timedelta(seconds=-1), timedelta.max):
        with raises(PineconeValueError, match="keep_old_for"):
            admin.api_keys.rotate(api_key_id="nowhere", store=lambda _: None, keep_old_for=wrong)


def create_account(admin: Admin) -> str:
    """Create a service account, and return its id."""
    made = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")])
    return made.service_account.id


def test_the_new_secret_of_an_account_is_stored(admin: Admin, emulator: Emulator) -> None:
    """Rotating a service account stores its new secret."""
    account_id = create_account(admin)
    stored: list[ServiceAccountWithSecret] = []
    rotated = admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    assert (rotated.id, stored[0].client_secret) == (account_id, account.client_secret)


def test_a_secret_that_was_not_stored_is_on_the_error(
    admin: Admin, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Only ``secret.reveal()`` of the error returns a secret that the store callback failed to store."""
    caplog.set_level(logging.DEBUG)
    account_id = create_account(admin)
    with raises(SecretNotStoredError) as caught:
        admin.service_accounts.rotate(service_account_id=account_id, store=fail_to_store)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    error = caught.value
    assert (error.secret.reveal(), error.service_account_id) == (account.client_secret, account_id)
    assert isinstance(error.__cause__, OSError)
    shown = f"{error!s} {error!r} {error.__dict__} {caplog.text} {caught.getrepr(showlocals=True)}"
    assert account.client_secret not in shown
    assert account.client_secret.encode() not in pickle.dumps(error)


class LateStore(ReadableStore):
    """Stores a secret, or a part of it, and then fails, as if the response of a secret store was lost.

    Args:
        error: What it raises.
        kept: How many characters it stores; None for all.
    """

    def __init__(self, error: BaseException, kept: int | None = None) -> None:
        self._error, self._kept = error, kept
        self.secret: str | None = None

    def __call__(self, made: ServiceAccountWithSecret, /) -> None:
        """Store the secret, and raise."""
        self.secret = made.client_secret[: self._kept]
        raise self._error

    def read(self, _: object, /) -> str | None:
        """Return what is stored."""
        return self.secret


@pytest.mark.parametrize("error", [OSError("no response"), KeyboardInterrupt()])
def test_a_secret_that_a_failed_store_has_all_the_same_is_stored(error: BaseException, admin: Admin) -> None:
    """The exception of the store leaves the call, and its note says that the secret is stored."""
    account_id, store = create_account(admin), LateStore(error)
    with pytest.raises(type(error)) as caught:
        admin.service_accounts.rotate(service_account_id=account_id, store=store)
    assert caught.value.__cause__ is None
    assert caught.value.__notes__ == [f"the new secret of service account {account_id} is stored all the same"]


def test_a_secret_is_not_said_to_be_lost_where_nobody_knows_that(admin: Admin) -> None:
    """Whatever a store that fails has done with it, a message claims neither that it is stored nor that it is not."""
    account_id = create_account(admin)
    late = LateStore(OSError("no response"))
    for store in (fail_to_store, late.__call__, LateStore(OSError("full"), kept=10)):
        with raises(SecretNotStoredError, "may not be stored: store failed"):
            admin.service_accounts.rotate(service_account_id=account_id, store=store)


def test_a_run_over_many_accounts_goes_on_if_a_failed_store_has_the_secret(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The account counts as rotated, and a warning names it, with the failure and without the secret."""
    admin = emulator.admin()
    account_id = create_account(admin)
    store = LateStore(OSError("no response"))
    store.secret = emulator.state.service_accounts[account_id].client_secret
    emulator.clock.advance(2 * 86_400)
    report = admin.service_accounts.rotate_due(older_than=timedelta(days=1), store=store)
    assert [each.id for each in report.rotated] == [account_id]
    assert f"has the new secret of service account {account_id}: no response" in caplog.text
    assert store.secret == emulator.state.service_accounts[account_id].client_secret
    assert store.secret not in caplog.text


def test_a_lost_secret_is_rotated_again(emulator: Emulator) -> None:
    """A secret whose response was lost is rotated again until the timeout."""
    account_id = create_account(emulator.admin())
    stored: list[Any] = []
    admin = FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST, 3: InjectedFault.INTERNAL_ERROR}).admin()
    admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    assert [made.client_secret for made in stored] == [account.client_secret]
    admin = FaultyTransport(emulator, dict.fromkeys(range(2, 99), InjectedFault.INTERNAL_ERROR)).admin()
    with pytest.raises(Exception, match="500"):
        admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)


@pytest.mark.parametrize("later", [InjectedFault.FORBIDDEN, InjectedFault.REQUEST_LOST, InjectedFault.INVALID_JSON])
def test_the_latest_response_that_could_not_be_read_is_on_the_error(emulator: Emulator, later: InjectedFault) -> None:
    """For every result of the repetitions of a rotation, because the valid secret may be in that response."""
    account_id = create_account(emulator.admin())
    faults = {2: InjectedFault.INVALID_JSON, **dict.fromkeys(range(3, 99), later)}
    admin = FaultyTransport(emulator, faults).admin()
    with pytest.raises(PineconeError) as caught:
        admin.service_accounts.rotate(service_account_id=account_id, store=fail_to_store)
    error = caught.value
    assert isinstance(error, ResponseParsingError) == (later is InjectedFault.INVALID_JSON)
    assert isinstance(error, ResponseParsingError) or isinstance(error.__cause__, ResponseParsingError)
    assert "the new one may be in a response that could not be read" in "; ".join(caught.value.__notes__)


def test_an_empty_response_is_said_to_have_no_secret(emulator: Emulator) -> None:
    """The secret is lost then, and nobody looks for it in the error."""
    account_id = create_account(emulator.admin())
    emulator.faults.add("rotate_service_account_secret", times=99, respond=lambda _: {"status": 200, "body": "empty"})
    with pytest.raises(PineconeError) as caught:
        emulator.admin().service_accounts.rotate(service_account_id=account_id, store=fail_to_store)
    assert "was rotated, and the new one is lost" in "; ".join(caught.value.__notes__)


def test_a_client_adopts_the_new_secret_of_its_own_account(admin: Admin, emulator: Emulator) -> None:
    """A client that rotates its own account, and its copies, use the new secret for their next token request."""
    (account,) = emulator.state.service_accounts.listing
    earlier = admin.with_options(timeout=5)
    admin.service_accounts.rotate(service_account_id=account.id, store=lambda _: None, allow_own=True)
    for client in (earlier, admin, admin.with_options(timeout=5)):
        assert client.projects.list() == []


def test_a_client_that_loses_its_own_secret_explains_the_failure(emulator: Emulator) -> None:
    """Where a client loses its own new secret, the lost response is the cause of the error."""
    (account,) = emulator.state.service_accounts.listing
    admin = FaultyTransport(emulator, {1: InjectedFault.RESPONSE_LOST}).admin()
    with raises(InvalidCredentialsError) as caught:
        admin.service_accounts.rotate(service_account_id=account.id, store=lambda _: None, allow_own=True)
    assert getattr(caught.value.__cause__, "outcome", None) == "unknown"


def test_the_secret_of_the_caller_is_rotated_only_if_that_is_allowed(emulator: Emulator) -> None:
    """The message says that a lost response would lock the client out; a token alone shows not whose it is."""
    admin = emulator.admin()
    (own,) = emulator.state.service_accounts.listing
    before, other = own.client_secret, create_account(admin)
    unknown = Admin(access_token=(admin.token()).value, transport=emulator.transport)
    for dry_run in (True, False):
        arguments: dict[str, Any] = {"store": lambda _: None, "dry_run": dry_run}
        with raises(
            RefusedError, match="a lost response would lock this client out: use another account, or allow_own"
        ):
            admin.service_accounts.rotate(service_account_id=own.id, **arguments)
        with raises(RefusedError, match="may be the caller's own, because an access token .*; pass client_id"):
            unknown.service_accounts.rotate(service_account_id=other, **arguments)
        with raises(RefusedError, match="allow_own"):
            unknown.service_accounts.rotate(service_account_id=own.id, client_id=own.client_id, **arguments)
        unknown.service_accounts.rotate(service_account_id=other, client_id=own.client_id, **arguments)
    assert own.client_secret == before
    admin.service_accounts.rotate(service_account_id=own.id, store=lambda _: None, allow_own=True)
    assert own.client_secret != before


@pytest.mark.parametrize(
    ("operation", "fault", "works"),
    [
        ("update_api_key", {"status": 503}, "still works"),
        ("delete_api_key", {"status": 403}, "still works"),
        ("delete_api_key", {"status": 503}, "may still work"),
        ("delete_api_key", {"drop": "after"}, "may still work"),
    ],
)
def test_an_error_without_overlap_says_first_whether_the_old_key_works(
    emulator: Emulator, operation: str, fault: dict[str, Any], works: str
) -> None:
    """The old key was to be deleted, so whoever replaces one that leaked learns first that it may still work."""
    admin = emulator.admin()
    old = create_key(admin)
    emulator.faults.add(operation, times=None, **fault)
    with pytest.raises(PineconeError) as caught:
        admin.api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    assert caught.value.__notes__[0] == f"the old key, API key {old.key.id}, {works}"


def test_the_old_key_still_works_if_its_deletion_was_not_sent(emulator: Emulator) -> None:
    """Whatever ends the rotation before, the note is certain."""
    old = create_key(emulator.admin())
    transport = FaultyTransport(emulator)

    def stop() -> None:
        if transport.requests[-1].startswith("PATCH"):
            raise KilledError

    transport.before_request = stop
    with pytest.raises(KilledError) as caught:
        transport.admin().api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    assert caught.value.__notes__[0] == f"the old key, API key {old.key.id}, still works"


def test_an_old_key_that_somebody_deletes_is_not_kept(emulator: Emulator) -> None:
    """The report of a rotation with an overlap shows that, and no time until which both keys work."""
    admin = emulator.admin()
    old = create_key(admin)

    def delete_old(_: object) -> None:
        emulator.state.remove_api_key(emulator.state.api_keys[old.key.id])

    rotation = admin.api_keys.rotate(api_key_id=old.key.id, keep_old_for=timedelta(days=1), store=delete_old)
    assert (rotation.delete_after, rotation.steps[-1].state) == (None, "skipped")
    assert rotation.steps[-1].change.reason == "it was already deleted"


def test_a_new_key_or_account_that_somebody_deletes_is_not_said_to_be_kept(emulator: Emulator) -> None:
    """Its secret is stored, and nothing of it remains."""
    admin, state = emulator.admin(), emulator.state
    project = admin.projects.create(name="p")

    def delete_key(made: APIKeyWithSecret) -> None:
        state.remove_api_key(state.api_keys[made.key.id])

    def delete_account(made: ServiceAccountWithSecret) -> None:
        state.remove_service_account(state.service_accounts[made.service_account.id])

    with raises(NotFoundError) as caught:
        admin.api_keys.ensure(project_id=project.id, name="reader", store=delete_key)
    (note,) = caught.value.__notes__
    assert (caught.value.outcome, caught.value.safe_to_retry) == ("undone", True)
    assert note.endswith("is stored, but somebody deleted the key")
    with raises(NotFoundError) as caught:
        admin.service_accounts.ensure(name="robot", store=delete_account)
    (note,) = caught.value.__notes__
    assert caught.value.outcome == "undone"
    assert note.endswith("is stored, but somebody deleted the account")


def test_a_lost_deletion_of_a_new_key_leaves_the_outcome_unknown(emulator: Emulator) -> None:
    """Nobody knows whether the key remains; the error names the workflow."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    emulator.faults.add("delete_api_key", drop="after", times=None)
    with raises(LeftoverError) as caught:
        admin.api_keys.ensure(project_id=project.id, name="reader", store=fail_to_store)
    assert (caught.value.outcome, caught.value.operation) == ("unknown", "ensure_api_key")
    assert not emulator.state.api_keys


@pytest.mark.parametrize("keep_old_for", [timedelta(0), timedelta(hours=1)])
def test_a_list_that_is_behind_does_not_show_that_the_old_key_was_deleted(
    emulator: Emulator, keep_old_for: timedelta
) -> None:
    """A key that no list shows yet is rotated, and kept as long as was requested."""
    admin = FaultyTransport(emulator, list_delay=3.0).admin()
    project = admin.projects.create(name="search")
    old = (admin.api_keys.create(project_id=project.id, name="reader")).key
    stored: list[APIKeyWithSecret] = []
    rotation = admin.api_keys.rotate(api_key_id=old.id, store=stored.append, keep_old_for=keep_old_for)
    assert rotation.key.name == "reader"
    assert (old.id in emulator.state.api_keys) == bool(keep_old_for) == (rotation.delete_after is not None)
