"""Suite 2: cancelled waiters, closed loops, one loop after another, several at once, and closing the client."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from pinecone_admin import AccessToken, Admin, AsyncAdmin, ClientClosedError, RetryEvent, RetryPolicy
from pinecone_admin._concurrency import PerLoop, SystemClock, use_clock
from tests.faults.cases import CLIENT_KINDS, Certificates, ClientKind, make_operation, send_and_close, stay_silent
from tests.faults.clients import AnyClient, make_loop_runner, run_in_threads
from tests.faults.server import (
    Action,
    RequestContext,
    Server,
    format_head,
    respond_when_set,
    send_project,
    send_response,
)
from tests.support.together import PATIENCE

HANGING: dict[str, Action] = {
    "before the head": send_and_close(b"", RequestContext.hang),
    "within the head": send_and_close(b"HTTP/1.1 200 OK\r\nConte", RequestContext.hang),
    "within the body": send_and_close(format_head(200, 99) + b"{", RequestContext.hang),
    "within an error body": send_and_close(format_head(503, 99) + b"{", RequestContext.hang),
}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Make a gate that holds the token endpoint, and is open in the end."""
    gate = threading.Event()
    yield gate
    gate.set()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something has happened elsewhere."""
    with anyio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it happens in another thread
            await anyio.sleep(0.002)


async def is_cancelled(call: Callable[[], Awaitable[object]], condition: Callable[[], object]) -> bool:
    """Cancel a call a moment after something has happened; tells whether it had not returned before."""
    returned = False

    async def run() -> None:
        nonlocal returned
        await call()
        returned = True

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await until(condition)
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    return not returned


async def named(admin: AsyncAdmin, name: str) -> None:
    """Ask for a project, and expect that one."""
    project = await admin.projects.describe(project_id=name)
    assert project.id == name


async def twice(admin: AsyncAdmin) -> None:
    """Open a connection, and use it."""
    await named(admin, "first")
    await named(admin, "second")


@pytest.mark.anyio
@pytest.mark.parametrize("cancelled", [{0}, {4}, {9}, {0, 1, 2, 3, 4}, set(range(9))], ids=str)
async def test_a_cancelled_waiter_harms_nobody(cancelled: set[int], gate: threading.Event) -> None:
    """Whichever waiters are cancelled, the others get the token of the one exchange."""
    got: dict[int, AccessToken] = {}
    scopes = [anyio.CancelScope() for _ in range(10)]

    async def wait(number: int) -> None:
        with scopes[number]:
            got[number] = await admin.token()

    with Server(token_actions=[respond_when_set(gate)]) as server:
        async with AsyncAdmin(**server.client_options) as admin, anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(wait, number)
            await until(lambda: server.exchanges)
            for number in cancelled:
                scopes[number].cancel()
            await anyio.sleep(0.01)
            gate.set()
        assert set(got) == set(range(10)) - cancelled
        assert {token.value for token in got.values()} == {"token-1"}
        assert server.exchanges == 1


@pytest.mark.anyio
@pytest.mark.parametrize("where", HANGING)
async def test_cancellation_gives_the_connection_back(where: str) -> None:
    """Wherever a call is cancelled, the only connection of a pool of one is free for the next call."""
    with Server(api_actions=[HANGING[where]] * 5 + [send_project]) as server:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=1) as admin:
            for number in range(5):
                call = partial(named, admin, str(number))
                assert await is_cancelled(call, lambda: len(server.requests) > number)  # noqa: B023 - called at once
            await named(admin, "last")


@pytest.mark.anyio
async def test_cancellation_at_any_moment_leaves_the_pool_whole() -> None:
    """Calls that are cancelled after 0, 0.2, 0.4 … milliseconds leave a pool of two that answers, each its own."""
    with Server(api_actions=[send_project]) as server:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=2) as admin:
            for number in range(50):
                with anyio.move_on_after(number / 5000):
                    await named(admin, f"cancelled-{number}")
                await named(admin, str(number))


@pytest.mark.anyio
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_cancellation_at_any_step_leaves_the_pool_whole(tls: bool, certificates: Certificates) -> None:
    """A call that is cancelled at its first, second, third … step leaves no socket open, and a place for the next."""

    async def describe() -> None:
        with scope:
            await named(admin, "cancelled")

    with Server(tls=certificates.servers["good"] if tls else None) as server:
        options: dict[str, Any] = {"host": server.url, "access_token": "supplied", "ssl_verify": certificates.client}
        for step in range(40):
            async with AsyncAdmin(**options, max_connections=1, timeout=PATIENCE) as admin:
                for _ in range(2):  # a new connection, and one that is used again
                    scope = anyio.CancelScope()
                    async with anyio.create_task_group() as group:
                        group.start_soon(describe)
                        for _ in range(step):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()
                    await named(admin, str(step))
    gc.collect()


@pytest.mark.parametrize("where", HANGING)
def test_a_task_that_is_cancelled_again_while_it_ends(where: str) -> None:
    """Of asyncio even the closing of a connection can be interrupted; the next call gets a new one all the same."""

    async def main() -> None:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=1, timeout=PATIENCE) as admin:
            task = asyncio.ensure_future(named(admin, "cancelled"))
            await until(lambda: server.requests)
            await anyio.sleep(0.02)
            while not task.done():
                task.cancel()
                await asyncio.sleep(0)
            await named(admin, "next")

    with Server(api_actions=[HANGING[where], send_project]) as server:
        asyncio.run(main())
    gc.collect()


@pytest.mark.anyio
async def test_cancellation_within_the_handshake_closes_the_socket(certificates: Certificates) -> None:
    """A server that says nothing to a TLS handshake sees the connection end as soon as the call is cancelled."""
    ended = threading.Event()

    def listen(connection: socket.socket) -> bool:
        stay_silent(connection)
        ended.set()
        return False

    with Server(tls=certificates.servers["good"], connection_actions=[listen]) as server:
        admin = AsyncAdmin(host=server.url, access_token="supplied", ssl_verify=certificates.client)
        assert await is_cancelled(partial(named, admin, "x"), lambda: server.connections)
        assert server.connections == 1
        await until(ended.is_set)
        await admin.aclose()


@pytest.mark.anyio
async def test_cancellation_passes_through_the_wait_for_the_next_attempt() -> None:
    """A Retry-After of half a minute ends at once, and is not followed by another attempt."""
    waits: list[RetryEvent] = []
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        policy = RetryPolicy(on_retry=waits.append)
        async with AsyncAdmin(host=server.url, access_token="supplied", retry=policy) as admin:
            assert await is_cancelled(partial(admin.send, make_operation("POST")), lambda: waits)
        assert server.count_requests("POST") == 1


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "abandoned"])
def test_a_loop_that_closes_under_an_exchange(gate: threading.Event, *, cancel: bool) -> None:
    """The exchange of a closed loop completes without complaint, and another loop uses its token."""
    with Server(token_actions=[respond_when_set(gate)]) as server:
        admin = AsyncAdmin(**server.client_options)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # that a pending task is destroyed is what is tried here
        task = loop.create_task(admin.token())
        loop.run_until_complete(until(lambda: server.exchanges))
        if cancel:
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        gate.set()
        for backend in ("asyncio", "trio"):
            assert anyio.run(admin.token, backend=backend).value == "token-1"
        anyio.run(admin.aclose)
        assert server.exchanges == 1


@pytest.mark.parametrize("backends", ["asyncio asyncio", "trio trio", "asyncio trio asyncio"])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # a loop that ends takes its open connections along
def test_one_loop_after_another(backends: str) -> None:
    """A client that is not closed in between goes on in the next loop, with the same token and its own connections."""
    with Server() as server:
        admin = AsyncAdmin(**server.client_options)
        for backend in backends.split():
            anyio.run(twice, admin, backend=backend)
        anyio.run(admin.aclose)
        assert server.exchanges == 1
        assert server.count_requests("GET") == 2 * len(backends.split())
        del admin
        gc.collect()


def test_three_loops_at_once() -> None:
    """Loops that run at once share the token, never a connection and never an answer."""
    with Server() as server:
        admin = AsyncAdmin(**server.client_options, max_connections=5)

        async def many(backend: str) -> None:
            async def one(number: int) -> None:
                await named(admin, f"{backend}-{number}")

            async with anyio.create_task_group() as group:
                for number in range(50):
                    group.start_soon(one, number)
            await close_connections(admin)

        def run(name: str) -> Callable[[], None]:
            return lambda: anyio.run(many, name, backend=name.split("-", maxsplit=1)[0])

        run_in_threads(0, lambda: None, run("asyncio-1"), run("trio-2"), run("asyncio-3"))
        anyio.run(admin.aclose)
        assert server.exchanges == 1
        assert server.count_requests("GET") == 150
        assert max(server.processed.values()) == 1


async def close_connections(admin: AsyncAdmin) -> None:
    """Close what belongs to this loop, and leave the client open for others."""
    pools = admin._shared.pools
    assert pools is not None
    await pools.aclose()


def test_close_wakes_a_sleeping_retry() -> None:
    """Closing ends a wait of half a minute with ClientClosedError, and nothing more is sent."""
    waits: list[RetryEvent] = []
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        admin = Admin(host=server.url, access_token="supplied", retry=RetryPolicy(on_retry=waits.append))
        with ThreadPoolExecutor() as threads:
            call = threads.submit(admin.send, make_operation("POST"))
            anyio.run(until, lambda: waits)
            admin.close()
            with pytest.raises(ClientClosedError) as caught:
                call.result()
        assert server.count_requests("POST") == 1
        assert caught.value.outcome == "rejected"


@pytest.mark.anyio
async def test_aclose_wakes_a_sleeping_retry() -> None:
    """The async client does the same."""
    errors: list[BaseException] = []
    waits: list[RetryEvent] = []

    async def create() -> None:
        try:
            await admin.send(make_operation("POST"))
        except ClientClosedError as exc:
            errors.append(exc)

    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        admin = AsyncAdmin(host=server.url, access_token="supplied", retry=RetryPolicy(on_retry=waits.append))
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                group.start_soon(create)
                await until(lambda: waits)
                await admin.aclose()
        assert len(errors) == server.count_requests("POST") == 1


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_close_ends_calls_under_way(client_kind: ClientKind) -> None:
    """The call that waits for its answer ends at once, and those that wait for its connection are not sent."""
    with Server(api_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        options = {"host": server.url, "access_token": "supplied", "max_connections": 1}
        with AnyClient(client_kind, **options) as client, ThreadPoolExecutor(3) as threads:
            calls = [
                threads.submit(client.run_call, lambda: client.admin.send(make_operation("POST"))) for _ in range(3)
            ]
            anyio.run(until, lambda: server.requests)
            client.close_admin()
            errors = [call.result(PATIENCE) for call in calls]
        assert server.count_requests("POST") == 1
    assert {type(error) for error in errors} == {ClientClosedError}
    assert sorted(error.outcome for error in errors) == ["not_sent", "not_sent", "unknown"]


@pytest.mark.anyio
async def test_close_lets_waiters_for_a_token_go(gate: threading.Event) -> None:
    """All that wait for a token get ClientClosedError, and the token that comes late is dropped."""
    errors: list[ClientClosedError] = []

    async def wait(ask: Callable[[], Awaitable[Any]]) -> None:
        try:
            await ask()
        except ClientClosedError as exc:
            errors.append(exc)

    with Server(token_actions=[respond_when_set(gate)]) as server:
        admin = AsyncAdmin(**server.client_options)
        async with anyio.create_task_group() as group:
            for ask in (admin.token, lambda: named(admin, "x"), admin.projects.list):
                group.start_soon(wait, ask)
            await until(lambda: server.exchanges)
            await anyio.sleep(0.01)
            await admin.aclose()
        assert len(errors) == 3
        gate.set()
        with pytest.raises(ClientClosedError):
            await admin.token()
        assert not server.requests


def test_close_lets_threads_go(gate: threading.Event) -> None:
    """Threads that wait for a token do the same."""
    with Server(token_actions=[respond_when_set(gate)]) as server:
        admin = Admin(**server.client_options)
        with ThreadPoolExecutor() as threads:
            waiting = [threads.submit(admin.token) for _ in range(10)]
            anyio.run(until, lambda: server.exchanges)
            admin.close()
            for call in waiting:
                with pytest.raises(ClientClosedError):
                    call.result(PATIENCE)


def test_threads_get_their_own_answers() -> None:
    """Fifty threads on five connections get what they asked for at the first attempt, twenty times in a row."""
    with Server() as server:
        for _ in range(20):
            with Admin(**server.client_options, max_connections=5, retry=RetryPolicy(max_attempts=1)) as admin:
                check_threads(admin)
        assert server.exchanges == 20
        assert server.connections <= 20 * 6


def check_threads(admin: Admin) -> None:
    """Ask for another project in each thread."""
    numbers = iter(range(50))

    def ask() -> bool:
        name = str(next(numbers))
        return admin.projects.describe(project_id=name).id == name

    assert all(run_in_threads(50, ask))


def test_a_loop_in_each_thread() -> None:
    """Clients of their own in many short loops leave nothing behind."""
    with Server() as server:

        async def alone() -> str:
            async with AsyncAdmin(**server.client_options) as admin:
                return (await admin.token()).value

        tokens = run_in_threads(
            0, list[str], *[make_loop_runner(backend, 1, alone) for backend in ("asyncio", "trio") * 5]
        )
        assert len({token for each in tokens for token in each}) == server.exchanges == 10


def test_loops_that_come_and_go_in_many_threads() -> None:
    """That threads make and close loops while others look for theirs disturbs nobody."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        values: PerLoop[object] = PerLoop(object)

        async def get() -> object:
            return values.get()

        def come_and_go() -> None:
            for _ in range(200):
                asyncio.run(get())

        run_in_threads(8, come_and_go)
    finally:
        sys.setswitchinterval(before)
