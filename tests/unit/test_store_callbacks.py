"""What a caller gives to keep secrets or to hear of progress: awaited by AsyncAdmin, refused where nothing would."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pinecone_admin import Admin, PineconeTypeError, SecretNotStoredError
from pinecone_admin.emulator import Emulator
from tests.support.fault_injection import FaultyTransport

Vault = list[Any]


async def keep(vault: Vault, made: Any) -> None:
    """Store a secret as a client of a vault does that is asynchronous, too."""
    vault.append(made)


class Keeper:
    """An object that stores when it is called, asynchronously."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def __call__(self, made: Any) -> None:
        """Store."""
        self._vault.append(made)


STORES: dict[str, Callable[[Vault], Any]] = {
    "partial": lambda vault: partial(keep, vault),
    "object": Keeper,
    "lambda": lambda vault: lambda made: keep(vault, made),
}
TAKERS: dict[str, Callable[[Any, dict[str, str], Any], Any]] = {
    "ensure key": lambda admin, ids, store: admin.api_keys.ensure(project_id=ids["project"], name="new", store=store),
    "ensure account": lambda admin, _, store: admin.service_accounts.ensure(name="new", store=store),
    "provision": lambda admin, _, store: admin.projects.provision(name="new", key_roles=["ProjectEditor"], store=store),
    "rotate key": lambda admin, ids, store: admin.api_keys.rotate(api_key_id=ids["key"], store=store),
    "rotate account": lambda admin, ids, store: admin.service_accounts.rotate(
        service_account_id=ids["account"], store=store
    ),
}
each_store = pytest.mark.parametrize("store", STORES.values(), ids=list(STORES))
each_taker = pytest.mark.parametrize("take", TAKERS.values(), ids=list(TAKERS))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every asynchronous test in both kinds of event loop."""
    return str(request.param)


@pytest.fixture
def emulator() -> Emulator:
    """Make an organization with nothing in it."""
    return Emulator(seed=1)


def filled(emulator: Emulator) -> dict[str, str]:
    """Make a project with a key, and an account; give their ids."""
    with emulator.admin() as admin:
        project = admin.projects.create(name="p").id
        key = admin.api_keys.create(project_id=project, name="k").key.id
        return {"project": project, "key": key, "account": admin.service_accounts.create(name="a").service_account.id}


def things(emulator: Emulator) -> set[str]:
    """Give the ids of what there is."""
    state = emulator.state
    return {*state.projects, *state.api_keys, *(account.id for account in state.service_accounts.listing)}


@each_store
@each_taker
@pytest.mark.anyio
async def test_a_store_that_gives_something_to_await_is_awaited(take: Any, store: Any, emulator: Emulator) -> None:
    """So that it has the secret before anything builds on that."""
    ids = filled(emulator)
    vault: Vault = []
    await take(emulator.async_admin(), ids, store(vault))
    (made,) = vault
    secrets = {each.value for each in emulator.state.api_keys.values()}
    secrets |= {each.client_secret for each in emulator.state.service_accounts.listing}
    assert (getattr(made, "value", None) or made.client_secret) in secrets


@each_taker
def test_a_coroutine_function_is_no_store_for_the_synchronous_client(take: Any, emulator: Emulator) -> None:
    """Nothing would await it, and the secret be lost: it is refused before anything is sent."""
    ids = filled(emulator)
    transport = FaultyTransport(emulator)
    for store in (partial(keep, []), Keeper([])):
        with pytest.raises(PineconeTypeError, match="plain function"):
            take(Admin(**transport.client_options), ids, store)
    assert transport.requests == []


@each_taker
def test_a_store_that_turns_out_to_need_awaiting_has_failed(take: Any, emulator: Emulator) -> None:
    """What was made goes again, as where any store fails; the secret of an account that was rotated can be had."""
    ids = filled(emulator)
    before = things(emulator)
    with pytest.raises((PineconeTypeError, SecretNotStoredError)) as caught:
        take(emulator.admin(), ids, lambda made: keep([], made))
    assert things(emulator) == before
    if isinstance(caught.value, SecretNotStoredError):
        assert caught.value.secret.reveal() in {each.client_secret for each in emulator.state.service_accounts.listing}


@pytest.mark.anyio
async def test_progress_is_told_to_plain_functions_only(emulator: Emulator) -> None:
    """Nothing awaits it, in either world."""
    progress: Any = partial(keep, [])
    transport = FaultyTransport(emulator)
    with emulator.admin() as admin, pytest.raises(PineconeTypeError, match="progress must be a plain function"):
        admin.inventory(progress=progress)
    with pytest.raises(PineconeTypeError, match="progress must be a plain function"):
        await emulator.async_admin(transport=transport).inventory(progress=progress)
    with pytest.raises(PineconeTypeError, match="progress must be a plain function"):
        await emulator.async_admin(transport=transport).projects.delete_with_cleanup(project_id="p", progress=progress)
    assert transport.requests == []
