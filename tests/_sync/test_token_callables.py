# Derived from tests/_async/test_token_callables.py by scripts/unasync.py: change that, not this file.
"""Callables for credentials and tokens that are slow or hang, and interpreters that refuse threads."""

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
from tests.support.concurrency import (
    PATIENCE,
    run_concurrently,
    run_with_action,
    wait_for_event,
    wait_for_exchanges,
)
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport, token_response

pytestmark = pytest.mark.anyio


class SecretCallable:
    """A callable that returns a secret, at once or when it is released, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered, self._released = threading.Event(), threading.Event()

    def __call__(self) -> str:
        """Return the secret."""
        self.calls += 1
        self.entered.set()
        assert self._released.wait(PATIENCE)
        return SECRET

    def block(self) -> None:
        """Make further calls wait."""
        self.entered.clear()
        self._released.clear()

    def unblock(self) -> None:
        """Let every call return."""
        self._released.set()


@pytest.fixture
def secret_callable() -> Generator[SecretCallable, None, None]:
    """Return a callable that blocks until the end of the test."""
    secret_callable = SecretCallable()
    yield secret_callable
    secret_callable.unblock()


@pytest.mark.parametrize("argument", ["access_token", "client_id", "client_secret"])
def test_a_blocked_callable_times_the_call_out(
    argument: str, secret_callable: SecretCallable, make_client: Callable[..., Admin]
) -> None:
    """A call whose callable blocks raises at its timeout, and a later call succeeds once it returns."""
    script = ScriptedTransport()
    rest = {} if argument == "access_token" else {"client_id": "id", "client_secret": SECRET}
    admin = make_client(script, lazy=True, **rest | {argument: secret_callable})
    with raises(PineconeTimeoutError) as caught:
        admin.with_options(timeout=0.02).projects.create(name="x")
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    with raises(PineconeTimeoutError):
        admin.with_options(timeout=0.02).token()
    assert script.requests == []
    secret_callable.unblock()
    wait_for_exchanges()
    assert admin.projects.list() == []
    assert len(script.exchanges) == (argument != "access_token")


def test_a_valid_token_is_served_while_credentials_block(
    secret_callable: SecretCallable, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A token that has not expired is served at once while its refresh blocks."""
    secret_callable.unblock()
    script = ScriptedTransport(tokens=[token_response(1)])
    admin = make_client(script, client_id="id", client_secret=secret_callable, timeout=200)
    admin.token()
    secret_callable.block()
    clock.advance(1600)
    assert (admin.token()).value == "token-1"
    clock.advance(175)
    started = time.monotonic()
    for _ in range(3):
        assert (admin.token()).value == "token-1"
    assert time.monotonic() - started < 10  # a wait would take half of the remaining lifetime: 12.5 seconds
    assert (secret_callable.calls, len(script.exchanges)) == (2, 1)


def test_a_blocked_exchange_is_replaced_after_a_while(
    secret_callable: SecretCallable, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A new exchange replaces a blocked one after twice its time, which doubles with each replacement."""
    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=secret_callable, timeout=60)
    impatient = admin.with_options(timeout=0.01)
    for seconds, calls in ((0, 1), (119, 1), (1, 2), (239, 2), (1, 3), (479, 3), (1, 4)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            impatient.token()
        assert secret_callable.calls == calls
    secret_callable.unblock()
    wait_for_exchanges()
    assert (admin.token()).value == "token-1"
    assert len(script.exchanges) == 1
    secret_callable.block()
    clock.advance(1801)
    for seconds, calls in ((0, 5), (119, 5), (1, 6)):
        clock.advance(seconds)
        with raises(PineconeTimeoutError):
            impatient.token()
        assert secret_callable.calls == calls


def test_a_waiter_gets_the_token_of_the_replacement(
    secret_callable: SecretCallable, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """A call that waits for a blocked exchange gets the token of the exchange that replaces it."""
    replaced = threading.Event()

    def secret() -> str:
        return secret_callable() if not replaced.is_set() else SECRET

    def replace() -> None:
        wait_for_event(secret_callable.entered)
        replaced.set()
        clock.advance(120)
        admin.token()

    script = ScriptedTransport()
    admin = make_client(script, lazy=True, client_id="id", client_secret=secret)
    result = run_with_action(admin.with_options(timeout=9999).token, replace)
    assert not isinstance(result, Exception)
    assert (result.value, len(script.exchanges)) == ("token-1", 1)


@pytest.mark.parametrize("argument", ["access_token", "client_secret"])
def test_a_callable_that_exits_its_thread_fails_the_call(argument: str, make_client: Callable[..., Admin]) -> None:
    """A callable that raises SystemExit fails the call at once."""

    def leave() -> str:
        raise SystemExit(SECRET)

    rest = {} if argument == "access_token" else {"client_id": "id"}
    admin = make_client(ScriptedTransport(), lazy=True, timeout=9999, **rest | {argument: leave})
    with raises(PineconeError, match="failed with SystemExit"):
        admin.projects.list()


def test_a_token_callable_runs_in_the_context_of_its_call(make_client: Callable[..., Admin]) -> None:
    """A token callable sees the context variables of the call, and can return the token of its user."""
    user = ContextVar("user", default="nobody")
    admin = make_client(ScriptedTransport(), access_token=user.get)

    def ask() -> bool:
        mine = f"user-{len(names)}"
        names.append(mine)
        user.set(mine)
        return (admin.token()).value == mine

    names: list[str] = []
    assert run_concurrently(20, ask) == [True] * 20


def test_closing_ends_a_wait_for_a_token_callable(
    secret_callable: SecretCallable, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Closing the client ends the wait for a token callable; a late token is never sent."""

    def close() -> None:
        wait_for_event(secret_callable.entered)
        admin.close()

    script = ScriptedTransport()
    admin = make_client(script, access_token=secret_callable)
    assert isinstance(run_with_action(admin.projects.list, close), ClientClosedError)
    secret_callable.unblock()
    wait_for_exchanges()
    assert script.requests == []
    tokens = admin._shared.token_source
    assert tokens is not None
    with raises(ClientClosedError):
        tokens.get_token(deadline=clock.monotonic() + 60)
    assert secret_callable.calls == 1


@pytest.fixture
def refuse_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse token threads, as an interpreter that shuts down or a system at its limit does."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "pinecone-admin-token":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("refuse_threads")
def test_without_threads_an_exchange_holds_no_lock(make_client: Callable[..., Admin]) -> None:
    """Without threads, the first caller runs the exchange without the lock, and others time out on their own."""
    kept: list[BaseException | None] = []

    def exchange(_: httpx.Request) -> ScriptedResponse:
        tokens = admin._shared.token_source
        assert tokens is not None
        impatient = others.submit(tokens.get_token, deadline=0)
        kept.append(impatient.exception(PATIENCE))
        return token_response(1)

    script = ScriptedTransport(tokens=[exchange])
    admin = make_client(script, lazy=True)
    with ThreadPoolExecutor(1) as others:
        assert (admin.token()).value == "token-1"
    assert [type(error) for error in kept] == [PineconeTimeoutError]
    assert len(script.exchanges) == 1


@pytest.mark.usefixtures("refuse_threads")
def test_without_threads_an_exchange_has_half_of_the_timeout(
    make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Without threads, a refresh that blocks takes half of the timeout, and the valid token is served in time."""

    def block(request: httpx.Request) -> ScriptedResponse:
        given.append(request.extensions["timeout"]["read"])
        clock.advance(given[-1])
        raise httpx.ReadTimeout("slow")

    given: list[float] = []
    script = ScriptedTransport(tokens=[token_response(1), block, token_response(2)])
    admin = make_client(script, timeout=10)
    admin.token()
    clock.advance(1600)
    assert (admin.token()).value == "token-1"
    assert sum(given) == 5
    clock.advance(200)
    assert (admin.token()).value == "token-2"


@pytest.mark.usefixtures("refuse_threads")
def test_without_threads_a_token_callable_runs_inline(make_client: Callable[..., Admin]) -> None:
    """Without threads, a token callable runs in the thread of the caller."""
    assert (make_client(ScriptedTransport(), access_token=lambda: "given").token()).value == "given"
