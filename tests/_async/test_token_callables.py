"""Callables that give credentials or tokens may be slow or hang, and threads may be refused: no call waits for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import anyio
import anyio.lowlevel
import httpx
import pytest

from pinecone_admin import AsyncAdmin, ClientClosedError, PineconeError, PineconeTimeoutError
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport, token_response
from tests.support.together import (
    PATIENCE,
    async_run_concurrently,
    async_run_with_action,
    async_wait_for_event,
    wait_for_exchanges,
)

pytestmark = pytest.mark.anyio


class Vault:
    """Gives a text, at once or when it is let go; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        """Give the text."""
        self.asked += 1
        self.reached.set()
        assert self._open.wait(PATIENCE)
        return SECRET

    def hang(self) -> None:
        """Give nothing until further notice."""
        self.reached.clear()
        self._open.clear()

    def let_go(self) -> None:
        """Give it to whoever waits, and from now on at once."""
        self._open.set()


@pytest.fixture
def vault() -> Generator[Vault, None, None]:
    """Make a vault that hangs, and lets everybody go in the end."""
    vault = Vault()
    yield vault
    vault.let_go()


@pytest.mark.parametrize("argument", ["access_token", "client_id", "client_secret"])
async def test_a_callable_that_hangs_keeps_no_call_beyond_its_time(
    argument: str, vault: Vault, make_client: Callable[..., AsyncAdmin]
) -> None:
    """The call ends with its timeout, nothing is sent, and once the callable answers all is well."""
    script = ScriptedTransport()
    rest = {} if argument == "access_token" else {"client_id": "id", "client_secret": SECRET}
    admin = make_client(script, lazy=True, **rest | {argument: vault})
    with raises(PineconeTimeoutError) as caught:
        await admin.with_options(timeout=0.02).projects.create(name="x")
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    with raises(PineconeTimeoutError):
        await admin.with_options(timeout=0.02).token()
    assert script.requests == []
    vault.let_go()
    wait_for_exchanges()
    assert await admin.projects.list() == []
    assert len(script.exchanges) == (argument != "access_token")


async def test_credentials_that_hang_go_unnoticed_while_the_token_lives(
    vault: Vault, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The old one is served at once, also where a refresh would be waited for that has long been under way."""
    vault.let_go()
    script = ScriptedTransport(tokens=[token_response(1)])
    admin = make_client(script, client_id="id", client_secret=vault, timeout=200)
    await admin.token()
    vault.hang()
    clock.advance(1600)
    assert (await admin.token()).value == "token-1"
    clock.advance(175)
    started = time.monotonic()
    for _ in range(3):
        assert (await admin.token()).value == "token-1"
    assert time.monotonic() - started < 10  # a wait would take half of what the token has left: 12.5 seconds
    assert (vault.asked, len(script.exchanges)) == (2, 1)


async def test_credentials_that_hang_are_asked_for_anew_after_a_while(
    vault: Vault, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """After twice the time of an exchange another one takes its place, each with twice the time of the one before."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=vault, timeout=60)
    hurried = admin.with_options(timeout=0.01)
    for seconds, asked in ((0, 1), (119, 1), (1, 2), (239, 2), (1, 3), (479, 3), (1, 4)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            await hurried.token()
        assert vault.asked == asked
    vault.let_go()
    wait_for_exchanges()
    assert (await admin.token()).value == "token-1"
    assert len(script.exchanges) == 1
    vault.hang()
    clock.advance(1801)
    for seconds, asked in ((0, 5), (119, 5), (1, 6)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            await hurried.token()
        assert vault.asked == asked


async def test_whoever_waits_for_credentials_that_hang_gets_the_token_of_the_next_exchange(
    vault: Vault, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A call with more time than the exchange that hangs is not lost with it."""
    asked = threading.Event()

    def secret() -> str:
        return vault() if not asked.is_set() else SECRET

    async def replace() -> None:
        await async_wait_for_event(vault.reached)
        asked.set()
        clock.advance(120)
        await admin.token()

    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=secret)
    result = await async_run_with_action(admin.with_options(timeout=9999).token, replace)
    assert not isinstance(result, Exception)
    assert (result.value, len(script.exchanges)) == ("token-1", 1)


@pytest.mark.parametrize("argument", ["access_token", "client_secret"])
async def test_a_callable_that_ends_its_thread_keeps_nobody_waiting(
    argument: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Not even sys.exit() leaves a call without an answer."""

    def leave() -> str:
        raise SystemExit(SECRET)

    rest = {} if argument == "access_token" else {"client_id": "id"}
    admin = make_client(ScriptedTransport(), lazy=True, timeout=9999, **rest | {argument: leave})
    with raises(PineconeError, match="failed with SystemExit"):
        await admin.projects.list()


# <async only>
async def test_a_slow_token_callable_does_not_block_the_loop(make_client: Callable[..., AsyncAdmin]) -> None:
    """It can wait for something that another task of the same loop does."""
    done = threading.Event()

    def token() -> str:
        assert done.wait(PATIENCE)
        return "given"

    async def go_on() -> None:
        await anyio.lowlevel.checkpoint()
        done.set()

    admin = make_client(ScriptedTransport(), access_token=token)
    assert await async_run_with_action(admin.projects.list, go_on) == []


async def test_a_token_callable_takes_few_threads_and_none_of_the_callers(
    vault: Vault, make_client: Callable[..., AsyncAdmin]
) -> None:
    """However many tasks ask, it runs twenty times at once; the callers' own limit is left alone."""

    async def watch() -> None:
        while vault.asked < 20:  # noqa: ASYNC110 - it happens in other threads
            await anyio.sleep(0.001)
        await anyio.sleep(0.02)
        assert vault.asked == 20
        vault.let_go()

    anyio.to_thread.current_default_thread_limiter().total_tokens = 1
    admin = make_client(ScriptedTransport(), access_token=vault)
    results = await async_run_with_action(lambda: async_run_concurrently(200, admin.token), watch)
    assert not isinstance(results, Exception)
    assert len(results) == vault.asked == 200


async def test_a_cancelled_wait_for_a_token_callable_frees_its_turn(
    vault: Vault, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Whoever gives up leaves room for the next, even where the callable never answers."""
    admin = make_client(ScriptedTransport(), access_token=vault)
    for _ in range(30):
        with anyio.move_on_after(0.001) as scope:
            await admin.token()
        assert scope.cancelled_caught
    vault.let_go()
    assert (await admin.token()).value == SECRET


# </async only>
async def test_a_token_callable_knows_the_context_of_its_call(make_client: Callable[..., AsyncAdmin]) -> None:
    """It can give each request the token of the user that it is for."""
    user = ContextVar("user", default="nobody")
    admin = make_client(ScriptedTransport(), access_token=user.get)

    async def ask() -> bool:
        mine = f"user-{len(names)}"
        names.append(mine)
        user.set(mine)
        return (await admin.token()).value == mine

    names: list[str] = []
    assert await async_run_concurrently(20, ask) == [True] * 20


async def test_a_wait_for_a_token_callable_ends_with_the_client(
    vault: Vault, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Closing lets the call go, what comes late is sent nowhere, and nobody asks again."""

    async def close() -> None:
        await async_wait_for_event(vault.reached)
        await admin.aclose()

    script = ScriptedTransport()
    admin = make_client(script, access_token=vault)
    assert isinstance(await async_run_with_action(admin.projects.list, close), ClientClosedError)
    vault.let_go()
    wait_for_exchanges()
    assert script.requests == []
    tokens = admin._shared.token_source
    assert tokens is not None
    with raises(ClientClosedError):
        await tokens.async_get(deadline=clock.monotonic() + 60)
    assert vault.asked == 1


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse threads, as an interpreter does that is ending, or a system at its limit."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "pinecone-admin-token":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
async def test_without_threads_an_exchange_holds_nobody_up(make_client: Callable[..., AsyncAdmin]) -> None:
    """The first caller makes it, and the lock is free meanwhile: whoever has no time to wait for it need not."""
    kept: list[BaseException | None] = []

    def exchange(_: httpx.Request) -> ScriptedResponse:
        tokens = admin._shared.token_source
        assert tokens is not None
        hurried = others.submit(tokens.get, deadline=0)
        kept.append(hurried.exception(PATIENCE))
        return token_response(1)

    script = ScriptedTransport(tokens=[exchange])
    admin = make_client(script, lazy=True)
    with ThreadPoolExecutor(1) as others:
        assert (await admin.token()).value == "token-1"
    assert [type(error) for error in kept] == [PineconeTimeoutError]
    assert len(script.exchanges) == 1


@pytest.mark.usefixtures("no_threads")
async def test_without_threads_an_exchange_takes_half_of_the_calls_time(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """So a token that still lives is served in time although its refresh hangs."""

    def hang(request: httpx.Request) -> ScriptedResponse:
        given.append(request.extensions["timeout"]["read"])
        clock.advance(given[-1])
        raise httpx.ReadTimeout("slow")

    given: list[float] = []
    script = ScriptedTransport(tokens=[token_response(1), hang, token_response(2)])
    admin = make_client(script, timeout=10)
    await admin.token()
    clock.advance(1600)
    assert (await admin.token()).value == "token-1"
    assert sum(given) == 5
    clock.advance(200)
    assert (await admin.token()).value == "token-2"


@pytest.mark.usefixtures("no_threads")
async def test_without_threads_a_token_callable_is_asked_on_the_spot(make_client: Callable[..., AsyncAdmin]) -> None:
    """There is no other place for it."""
    assert (await make_client(ScriptedTransport(), access_token=lambda: "given").token()).value == "given"
