"""Callbacks for secrets and progress: awaited by AsyncAdmin, and rejected where nothing would await them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import anyio.lowlevel
import pytest

from pinecone_admin import (
    ClientClosedError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    SecretNotStoredError,
)
from pinecone_admin._concurrency.waiting import async_call_store, async_read_store, read_store
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import ReadableStore
from pinecone_admin.workflows.name_tags import tag_as_unfinished
from tests.support.fault_injection import FaultyTransport

Vault = list[Any]


async def store_async(vault: Vault, made: Any) -> None:
    """Store a secret, as an asynchronous client of a vault does."""
    vault.append(made)


class AsyncStore:
    """An object with an asynchronous __call__."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def __call__(self, made: Any) -> None:
        """Store the secret."""
        self._vault.append(made)


STORES: dict[str, Callable[[Vault], Any]] = {
    "partial": lambda vault: partial(store_async, vault),
    "object": AsyncStore,
    "lambda": lambda vault: lambda made: store_async(vault, made),
}
WORKFLOWS: dict[str, Callable[[Any, dict[str, str], Any], Any]] = {
    "ensure key": lambda admin, ids, store: admin.api_keys.ensure(project_id=ids["project"], name="new", store=store),
    "ensure account": lambda admin, _, store: admin.service_accounts.ensure(name="new", store=store),
    "provision": lambda admin, _, store: admin.projects.provision(name="new", key_roles=["ProjectEditor"], store=store),
    "rotate key": lambda admin, ids, store: admin.api_keys.rotate(api_key_id=ids["key"], store=store),
    "rotate account": lambda admin, ids, store: admin.service_accounts.rotate(
        service_account_id=ids["account"], store=store
    ),
}
each_store = pytest.mark.parametrize("store", STORES.values(), ids=list(STORES))
each_workflow = pytest.mark.parametrize("run_workflow", WORKFLOWS.values(), ids=list(WORKFLOWS))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every asynchronous test on both event loops."""
    return str(request.param)


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with an empty organization."""
    return Emulator(seed=1)


def create_records(emulator: Emulator) -> dict[str, str]:
    """Create a project with a key, and a service account; return their ids."""
    with emulator.admin() as admin:
        project = admin.projects.create(name="p").id
        key = admin.api_keys.create(project_id=project, name="k").key.id
        return {"project": project, "key": key, "account": admin.service_accounts.create(name="a").service_account.id}


def list_ids(emulator: Emulator) -> set[str]:
    """Return the ids of all records."""
    state = emulator.state
    return {*state.projects, *state.api_keys, *(account.id for account in state.service_accounts.listing)}


@each_store
@each_workflow
@pytest.mark.anyio
async def test_an_awaitable_store_is_awaited(run_workflow: Any, store: Any, emulator: Emulator) -> None:
    """AsyncAdmin awaits what a store callback returns."""
    ids = create_records(emulator)
    vault: Vault = []
    await run_workflow(emulator.async_admin(), ids, store(vault))
    (made,) = vault
    secrets = {each.value for each in emulator.state.api_keys.values()}
    secrets |= {each.client_secret for each in emulator.state.service_accounts.listing}
    assert (getattr(made, "value", None) or made.client_secret) in secrets


@each_workflow
def test_the_sync_client_rejects_a_coroutine_function(run_workflow: Any, emulator: Emulator) -> None:
    """Admin rejects a coroutine function before any request, because nothing would await it."""
    ids = create_records(emulator)
    transport = FaultyTransport(emulator)
    for store in (partial(store_async, []), AsyncStore([])):
        with pytest.raises(PineconeTypeError, match="synchronous function"):
            run_workflow(transport.admin(), ids, store)
    assert transport.requests == []


@each_workflow
def test_the_sync_client_treats_an_awaitable_as_a_failed_store(run_workflow: Any, emulator: Emulator) -> None:
    """In Admin, a store callback that returns an awaitable counts as failed."""
    ids = create_records(emulator)
    before = list_ids(emulator)
    with pytest.raises((PineconeTypeError, SecretNotStoredError)) as caught:
        run_workflow(emulator.admin(), ids, lambda made: store_async([], made))
    assert list_ids(emulator) == before
    is_left = isinstance(caught.value, SecretNotStoredError)  # a rotation cannot be taken back
    assert caught.value.outcome == ("done" if is_left else "undone")
    if isinstance(caught.value, SecretNotStoredError):
        assert caught.value.secret.reveal() in {each.client_secret for each in emulator.state.service_accounts.listing}


@each_workflow
@pytest.mark.parametrize(
    "kind", [PineconeValueError, PineconeTypeError, ReadOnlyError, ClientClosedError, RefusedError]
)
def test_an_error_of_the_store_does_not_say_that_nothing_was_sent(
    run_workflow: Any, kind: type[PineconeError], emulator: Emulator
) -> None:
    """An error of this package that a store raises comes after a create or a rotation, whatever it says itself."""
    ids = create_records(emulator)

    def fail(_: object) -> None:
        raise kind("the vault refused it")

    with pytest.raises(PineconeError) as caught:
        run_workflow(emulator.admin(), ids, fail)
    assert caught.value.outcome == ("done" if isinstance(caught.value, SecretNotStoredError) else "undone")


@pytest.mark.anyio
async def test_progress_must_be_a_plain_function(emulator: Emulator) -> None:
    """Both clients reject a coroutine function for progress before any request."""
    progress: Any = partial(store_async, [])
    transport = FaultyTransport(emulator)
    with emulator.admin() as admin, pytest.raises(PineconeTypeError, match="progress must be a synchronous function"):
        admin.inventory(progress=progress)
    with pytest.raises(PineconeTypeError, match="progress must be a synchronous function"):
        await emulator.async_admin(transport=transport).inventory(progress=progress)
    with pytest.raises(PineconeTypeError, match="progress must be a synchronous function"):
        await emulator.async_admin(transport=transport).projects.delete_with_cleanup(project_id="p", progress=progress)
    assert transport.requests == []


class AsyncVault(ReadableStore):
    """A store whose secrets can be read only by an asynchronous client."""

    def __call__(self, made: object, /) -> None:
        """Keep nothing."""

    async def read(self, made: object, /) -> str | None:
        """Find nothing."""


@pytest.mark.filterwarnings("error")
def test_the_sync_client_refuses_a_store_that_cannot_be_read_at_once(emulator: Emulator) -> None:
    """A ``read`` whose result has to be awaited raises before anything is changed, since nothing would await it."""
    with emulator.admin() as admin:
        left = admin.service_accounts.create(name=tag_as_unfinished("robot")).service_account
        transport = FaultyTransport(emulator)
        with pytest.raises(PineconeTypeError, match="store must have a synchronous read"):
            transport.admin().service_accounts.ensure(name="robot", store=AsyncVault())
    assert {request.partition(" ")[0] for request in transport.requests} == {"GET"}
    assert left.id in emulator.state.service_accounts


@pytest.mark.anyio
@each_workflow
async def test_a_forgotten_await_is_not_taken_for_success(run_workflow: Callable[..., Any], emulator: Emulator) -> None:
    """What awaiting a store gives must not be awaitable again: it has stored nothing yet."""
    ids, vault = create_records(emulator), Vault()
    before = set(emulator.state.api_keys)

    async def store(made: Any) -> object:
        return store_async(vault, made)

    async with emulator.async_admin() as admin:
        with pytest.raises((PineconeTypeError, SecretNotStoredError)) as caught:
            await run_workflow(admin, ids, store)
    error = caught.value.__cause__ if isinstance(caught.value, SecretNotStoredError) else caught.value
    assert "store must await what it calls" in str(error)
    assert (vault, set(emulator.state.api_keys)) == ([], before)


@pytest.mark.anyio
async def test_a_forgotten_await_in_a_read_is_refused(emulator: Emulator) -> None:
    """Nothing is awaited twice, also where a store is read."""
    with emulator.admin() as creator:
        creator.service_accounts.create(name=tag_as_unfinished("robot"))

    async def find() -> None: ...

    class Store(ReadableStore):
        def __call__(self, _: object) -> None: ...

        async def read(self, _: object) -> Any:
            return find()

    async with emulator.async_admin() as admin:
        with pytest.raises(PineconeTypeError, match="not coroutine"):
            await admin.service_accounts.ensure(name="robot", store=Store())


@each_workflow
@pytest.mark.anyio
async def test_an_awaited_store_that_raises_generator_exit_fails_as_any_other(
    run_workflow: Callable[[Any, dict[str, str], Any], Any], emulator: Emulator
) -> None:
    """It does not pass for the end of the workflow, which would undo nothing."""
    ids = create_records(emulator)
    keys = {key.name for key in emulator.state.api_keys.values()}

    async def store(_: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise GeneratorExit

    async with emulator.async_admin() as admin:
        with pytest.raises((RuntimeError, SecretNotStoredError)):
            await run_workflow(admin, ids, store)
    assert {key.name for key in emulator.state.api_keys.values()} == keys


def test_a_workflow_that_is_closed_while_it_stores_ends_with_generator_exit() -> None:
    """It can await nothing, so it must not begin to undo; the coroutine of its caller ends as any other."""

    class Pause:
        def __await__(self) -> Generator[None]:
            yield

    async def store(_: object) -> None:
        await Pause()

    storing = async_call_store(store, "secret")
    storing.send(None)
    with pytest.raises(GeneratorExit):
        storing.throw(GeneratorExit)


def test_a_read_that_raises_generator_exit_fails_as_any_other() -> None:
    """Awaited or not, it does not pass for the end of the workflow."""

    def read(_: object) -> None:
        raise GeneratorExit

    async def read_later(_: object) -> None:
        raise GeneratorExit

    with pytest.raises(RuntimeError):
        read_store(read, "key")
    for each in (read, read_later):
        with pytest.raises(RuntimeError):
            async_read_store(each, "key").send(None)
