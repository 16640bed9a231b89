"""Rotate: the new secret is stored before the old one goes, wherever two can live side by side."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    InvalidCredentialsError,
    LeftoverError,
    NotFoundError,
    PineconeValueError,
    RefusedError,
    SecretNotStoredError,
    on_organization,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError

pytestmark = pytest.mark.anyio


def meeting(emulator: Emulator, faults: dict[int, InjectedFault]) -> AsyncAdmin:
    """Make a client whose requests meet fates, by their numbers."""
    return AsyncAdmin(**FaultyTransport(emulator, faults).client_options)


async def a_key(admin: AsyncAdmin, name: str = "reader") -> APIKeyWithSecret:
    """Make a project with a key that is no editor."""
    project = await admin.projects.create(name="p")
    return await admin.api_keys.create(project_id=project.id, name=name, roles=["DataPlaneViewer"])


def failing(_: object) -> None:
    """Fail, as a vault that is sealed does."""
    raise OSError("the vault is sealed")


async def test_a_new_key_takes_the_name_and_the_roles_of_the_old_one(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The report says what was done, in order, and shows no secret."""
    old = await a_key(admin)
    stored: list[APIKeyWithSecret] = []
    rotation = await admin.api_keys.rotate(api_key_id=old.key.id, store=stored.append)
    (key,) = emulator.state.api_keys.values()
    assert (key.name, key.value, emulator.state.roles_of(key)) == ("reader", stored[0].value, ["DataPlaneViewer"])
    assert (rotation.key.id, rotation.key.name, rotation.replaced) == (key.id, "reader", old.key.id)
    assert rotation.steps == [
        f"created key {key.id}",
        "stored its value",
        f"renamed key {key.id} to 'reader'",
        f"deleted key {old.key.id}",
    ]
    assert key.value not in repr(rotation)


async def test_both_keys_work_until_the_grace_is_over(
    admin: AsyncAdmin, emulator: Emulator, clock: VirtualClock
) -> None:
    """Whoever still has the old value has the time to take up the new one."""
    old = await a_key(admin)
    during: list[int] = []
    clock.on_sleep = lambda: during.append(len(emulator.state.api_keys))
    await admin.api_keys.rotate(api_key_id=old.key.id, store=lambda _: None, grace=300.0)
    assert (clock.slept, during, len(emulator.state.api_keys)) == ([300.0], [2], 1)


async def test_the_old_key_stays_where_the_new_one_cannot_be_stored(admin: AsyncAdmin, emulator: Emulator) -> None:
    """The new one goes, which a note says, and nothing else has changed."""
    old = await a_key(admin)
    with pytest.raises(OSError, match="sealed") as caught:
        await admin.api_keys.rotate(api_key_id=old.key.id, store=failing)
    (key,) = emulator.state.api_keys.values()
    assert (key.id, key.name, key.value) == (old.key.id, "reader", old.value)
    (note,) = caught.value.__notes__
    assert note.endswith(f" of project {key.project_id} was deleted again")


async def test_a_new_key_that_can_be_neither_stored_nor_deleted_is_named(emulator: Emulator) -> None:
    """And the next run clears it."""
    old = await a_key(emulator.async_admin())
    admin = meeting(emulator, dict.fromkeys(range(5, 99), InjectedFault.UNAVAILABLE))
    with raises(LeftoverError) as caught:
        await admin.api_keys.rotate(api_key_id=old.key.id, store=failing)
    (left,) = set(emulator.state.api_keys) - {old.key.id}
    assert left in caught.value.left[0]
    await emulator.async_admin().api_keys.rotate(api_key_id=old.key.id, store=lambda _: None)
    assert len(emulator.state.api_keys) == 1


async def test_a_value_that_may_be_stored_is_not_thrown_away_before_another_is(emulator: Emulator) -> None:
    """A run that died after its store leaves a live key behind until the next run has stored its own."""
    old = await a_key(emulator.async_admin())
    vault: list[str] = []
    alive: list[bool] = []

    def store(made: APIKeyWithSecret) -> None:
        vault.append(made.value)
        alive.append(vault[0] in {key.value for key in emulator.state.api_keys.values()})

    with pytest.raises(KilledError):
        await meeting(emulator, {5: InjectedFault.KILL_BEFORE}).api_keys.rotate(api_key_id=old.key.id, store=store)
    (left,) = set(emulator.state.api_keys) - {old.key.id}
    rotation = await emulator.async_admin().api_keys.rotate(api_key_id=old.key.id, store=store)
    assert f"deleted key {left}, which an earlier run left" in rotation.steps
    (key,) = emulator.state.api_keys.values()
    assert (vault[-1], alive) == (key.value, [True, True])


async def test_a_run_that_died_after_its_store_was_confirmed_is_finished_without_another_key(
    emulator: Emulator,
) -> None:
    """The old key's name says that the value of the new one is stored."""
    old = await a_key(emulator.async_admin())
    vault: list[str] = []

    def store(made: APIKeyWithSecret) -> None:
        vault.append(made.value)

    with pytest.raises(KilledError):
        await meeting(emulator, {6: InjectedFault.KILL_BEFORE}).api_keys.rotate(api_key_id=old.key.id, store=store)
    rotation = await emulator.async_admin().api_keys.rotate(api_key_id=old.key.id, store=store)
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("reader", vault)
    assert rotation.steps == [f"renamed key {key.id} to 'reader'", f"deleted key {old.key.id}"]


async def test_an_old_key_that_somebody_deletes_meanwhile_does_not_leave_the_new_one_unfinished(
    emulator: Emulator,
) -> None:
    """Its value is stored, so it gets the name."""
    old = await a_key(emulator.async_admin())
    stored: list[str] = []
    transport = FaultyTransport(emulator)

    def delete() -> None:
        if transport.requests[-1].startswith("PATCH") and old.key.id in emulator.state.api_keys:
            emulator.state.remove_api_key(emulator.state.api_keys[old.key.id])

    transport.before_request = delete
    await AsyncAdmin(**transport.client_options).api_keys.rotate(
        api_key_id=old.key.id, store=lambda made: stored.append(made.value)
    )
    (key,) = emulator.state.api_keys.values()
    assert (key.name, [key.value]) == ("reader", stored)


async def test_rotating_all_keys_of_a_project_leaves_those_of_a_rotation_under_way_alone(emulator: Emulator) -> None:
    """Whoever lists the keys and rotates each is told which one is not to be rotated."""
    old = await a_key(emulator.async_admin())
    with pytest.raises(KilledError):
        await meeting(emulator, {5: InjectedFault.KILL_BEFORE}).api_keys.rotate(
            api_key_id=old.key.id, store=lambda _: None
        )
    (new,) = set(emulator.state.api_keys) - {old.key.id}
    with raises(RefusedError, match="under way"):
        await emulator.async_admin().api_keys.rotate(api_key_id=new, store=lambda _: None)


async def test_a_key_that_is_not_there_and_a_grace_that_is_no_time_are_errors(admin: AsyncAdmin) -> None:
    """Before anything changes."""
    with raises(NotFoundError):
        await admin.api_keys.rotate(api_key_id="nowhere", store=lambda _: None)
    with raises(PineconeValueError, match="grace"):
        await admin.api_keys.rotate(api_key_id="nowhere", store=lambda _: None, grace=-1.0)


async def an_account(admin: AsyncAdmin) -> str:
    """Make a service account, and give its id."""
    made = await admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")])
    return made.service_account.id


async def test_the_new_secret_of_an_account_is_stored(admin: AsyncAdmin, emulator: Emulator) -> None:
    """And the old one is dead by then: the server has no time in which both work."""
    account_id = await an_account(admin)
    stored: list[ServiceAccountWithSecret] = []
    rotated = await admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    assert (rotated.id, stored[0].client_secret) == (account_id, account.client_secret)


async def test_a_secret_that_was_not_stored_comes_with_the_error_and_shows_only_when_asked_for(
    admin: AsyncAdmin, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the only copy there is."""
    caplog.set_level(logging.DEBUG)
    account_id = await an_account(admin)
    with raises(SecretNotStoredError) as caught:
        await admin.service_accounts.rotate(service_account_id=account_id, store=failing)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    error = caught.value
    assert (error.secret.reveal(), error.service_account_id) == (account.client_secret, account_id)
    assert isinstance(error.__cause__, OSError)
    shown = f"{error!s} {error!r} {error.__dict__} {caplog.text} {caught.getrepr(showlocals=True)}"
    assert account.client_secret not in shown
    assert account.client_secret.encode() not in pickle.dumps(error)


async def test_a_secret_that_was_lost_with_the_answer_is_rotated_again(emulator: Emulator) -> None:
    """Until the time is over."""
    account_id = await an_account(emulator.async_admin())
    stored: list[Any] = []
    admin = meeting(emulator, {1: InjectedFault.RESPONSE_LOST, 2: InjectedFault.INTERNAL_ERROR})
    await admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)
    account = emulator.state.service_accounts.get(account_id)
    assert account is not None
    assert [made.client_secret for made in stored] == [account.client_secret]
    admin = meeting(emulator, dict.fromkeys(range(1, 99), InjectedFault.INTERNAL_ERROR))
    with pytest.raises(Exception, match="500"):
        await admin.service_accounts.rotate(service_account_id=account_id, store=stored.append)


async def test_a_client_goes_on_with_the_new_secret_of_its_own_account(admin: AsyncAdmin, emulator: Emulator) -> None:
    """Its next call exchanges the new one."""
    (account,) = emulator.state.service_accounts.listing
    await admin.service_accounts.rotate(service_account_id=account.id, store=lambda _: None)
    assert await admin.projects.list() == []


async def test_a_client_whose_own_new_secret_was_lost_says_how_it_came_to_that(emulator: Emulator) -> None:
    """It cannot call any more; the first failure is the cause of the second."""
    (account,) = emulator.state.service_accounts.listing
    admin = meeting(emulator, {1: InjectedFault.RESPONSE_LOST})
    with raises(InvalidCredentialsError) as caught:
        await admin.service_accounts.rotate(service_account_id=account.id, store=lambda _: None)
    assert getattr(caught.value.__cause__, "outcome", None) == "unknown"
