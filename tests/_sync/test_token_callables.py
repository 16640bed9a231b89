# Derived from tests/_async/test_token_callables.py by scripts/unasync.py: change that, not this file.
"""Callables that give credentials or tokens may be slow or hang, and threads may be refused: no call waits for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import httpx
import pytest

from pinecone_admin import Admin, ClientClosedError, PineconeError, PineconeTimeoutError
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport, token_response
from tests.support.together import (
    PATIENCE,
    run_concurrently,
    run_with_action,
    wait_for_event,
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
def test_a_callable_that_hangs_keeps_no_call_beyond_its_time(
    argument: str, vault: Vault, make_client: Callable[..., Admin]
) -> None:
    """The call ends with its timeout, nothing is sent, and once the callable answers all is well."""
    script = ScriptedTransport()
    rest = {} if argument == "access_token" else {"client_id": "id", "client_secret": SECRET}
    admin = make_client(script, lazy=True, **rest | {argument: vault})
    with raises(PineconeTimeoutError) as caught:
        admin.with_options(timeout=0.02).projects.create(name="x")
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    with raises(PineconeTimeoutError):
        admin.with_options(timeout=0.02).token()
    assert script.requests == []
    vault.let_go()
    wait_for_exchanges()
    assert admin.projects.list() == []
    assert len(script.exchanges) == (argument != "access_token")


def test_credentials_that_hang_go_unnoticed_while_the_token_lives(
    vault: Vault, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """The old one is served at once, also where a refresh would be waited for that has long been under way."""
    vault.let_go()
    script = ScriptedTransport(tokens=[token_response(1)])
    admin = make_client(script, client_id="id", client_secret=vault, timeout=200)
    admin.token()
    vault.hang()
    clock.advance(1600)
    assert (admin.token()).value == "token-1"
    clock.advance(175)
    started = time.monotonic()
    for _ in range(3):
        assert (admin.token()).value == "token-1"
    assert time.monotonic() - started < 10  # a wait would take half of what the token has left: 12.5 seconds
    assert (vault.asked, len(script.exchanges)) == (2, 1)


def test_credentials_that_hang_are_asked_for_anew_after_a_while(
    vault: Vault, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """After twice the time of an exchange another one takes its place, each with twice the time of the one before."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=vault, timeout=60)
    hurried = admin.with_options(timeout=0.01)
    for seconds, asked in ((0, 1), (119, 1), (1, 2), (239, 2), (1, 3), (479, 3), (1, 4)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            hurried.token()
        assert vault.asked == asked
    vault.let_go()
    wait_for_exchanges()
    assert (admin.token()).value == "token-1"
    assert len(script.exchanges) == 1
    vault.hang()
    clock.advance(1801)
    for seconds, asked in ((0, 5), (119, 5), (1, 6)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            hurried.token()
        assert vault.asked == asked


def test_whoever_waits_for_credentials_that_hang_gets_the_token_of_the_next_exchange(
    vault: Vault, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A call with more time than the exchange that hangs is not lost with it."""
    asked = threading.Event()

    def secret() -> str:
        return vault() if not asked.is_set() else SECRET

    def replace() -> None:
        wait_for_event(vault.reached)
        asked.set()
        clock.advance(120)
        admin.token()

    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=secret)
    result = run_with_action(admin.with_options(timeout=9999).token, replace)
    assert not isinstance(result, Exception)
    assert (result.value, len(script.exchanges)) == ("token-1", 1)


@pytest.mark.parametrize("argument", ["access_token", "client_secret"])
def test_a_callable_that_ends_its_thread_keeps_nobody_waiting(argument: str, make_client: Callable[..., Admin]) -> None:
    """Not even sys.exit() leaves a call without an answer."""

    def leave() -> str:
        raise SystemExit(SECRET)

    rest = {} if argument == "access_token" else {"client_id": "id"}
    admin = make_client(ScriptedTransport(), lazy=True, timeout=9999, **rest | {argument: leave})
    with raises(PineconeError, match="failed with SystemExit"):
        admin.projects.list()


def test_a_token_callable_knows_the_context_of_its_call(make_client: Callable[..., Admin]) -> None:
    """It can give each request the token of the user that it is for."""
    user = ContextVar("user", default="nobody")
    admin = make_client(ScriptedTransport(), access_token=user.get)

    def ask() -> bool:
        mine = f"user-{len(names)}"
        names.append(mine)
        user.set(mine)
        return (admin.token()).value == mine

    names: list[str] = []
    assert run_concurrently(20, ask) == [True] * 20


def test_a_wait_for_a_token_callable_ends_with_the_client(
    vault: Vault, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Closing lets the call go, what comes late is sent nowhere, and nobody asks again."""

    def close() -> None:
        wait_for_event(vault.reached)
        admin.close()

    script = ScriptedTransport()
    admin = make_client(script, access_token=vault)
    assert isinstance(run_with_action(admin.projects.list, close), ClientClosedError)
    vault.let_go()
    wait_for_exchanges()
    assert script.requests == []
    tokens = admin._shared.token_source
    assert tokens is not None
    with raises(ClientClosedError):
        tokens.get(deadline=clock.monotonic() + 60)
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
def test_without_threads_an_exchange_holds_nobody_up(make_client: Callable[..., Admin]) -> None:
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
        assert (admin.token()).value == "token-1"
    assert [type(error) for error in kept] == [PineconeTimeoutError]
    assert len(script.exchanges) == 1


@pytest.mark.usefixtures("no_threads")
def test_without_threads_an_exchange_takes_half_of_the_calls_time(
    make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """So a token that still lives is served in time although its refresh hangs."""

    def hang(request: httpx.Request) -> ScriptedResponse:
        given.append(request.extensions["timeout"]["read"])
        clock.advance(given[-1])
        raise httpx.ReadTimeout("slow")

    given: list[float] = []
    script = ScriptedTransport(tokens=[token_response(1), hang, token_response(2)])
    admin = make_client(script, timeout=10)
    admin.token()
    clock.advance(1600)
    assert (admin.token()).value == "token-1"
    assert sum(given) == 5
    clock.advance(200)
    assert (admin.token()).value == "token-2"


@pytest.mark.usefixtures("no_threads")
def test_without_threads_a_token_callable_is_asked_on_the_spot(make_client: Callable[..., Admin]) -> None:
    """There is no other place for it."""
    assert (make_client(ScriptedTransport(), access_token=lambda: "given").token()).value == "given"
