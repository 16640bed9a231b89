"""Cancellation and closing: cancelled waiters, closed event loops, several loops at once, and closed clients."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
import uvloop

from pinecone_admin import (
    AccessToken,
    Admin,
    AsyncAdmin,
    AttemptEvent,
    ClientClosedError,
    LeftoverError,
    RetryPolicy,
    on_organization,
)
from pinecone_admin._concurrency.clock import SystemClock, use_clock
from pinecone_admin._concurrency.sharing import PerLoop
from pinecone_admin._concurrency.waiting import WORK_TIMEOUT, async_watch_cancellation
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import ReadableStore
from tests.faults.cases import (
    ALL_CLIENT_KINDS,
    Certificates,
    ClientKind,
    event_loop_options,
    make_operation,
    send_and_close,
    stay_silent,
)
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
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.interruption import InterruptingTransport

HANGING_RESPONSES: dict[str, Action] = {
    "before the head": send_and_close(b"", RequestContext.hang),
    "within the head": send_and_close(b"HTTP/1.1 200 OK\r\nConte", RequestContext.hang),
    "within the body": send_and_close(format_head(200, 99) + b"{", RequestContext.hang),
    "within an error body": send_and_close(format_head(503, 99) + b"{", RequestContext.hang),
}


@pytest.fixture
def event() -> Iterator[threading.Event]:
    """Return an event that delays the token endpoint, and set it at the end."""
    event = threading.Event()
    yield event
    event.set()


async def wait_until_true(condition: Callable[[], object]) -> None:
    """Wait until a condition that another thread changes is true."""
    with anyio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - another thread changes it
            await anyio.sleep(0.002)


async def cancel_call(call: Callable[[], Awaitable[object]], condition: Callable[[], object]) -> bool:
    """Cancel a call shortly after a condition is true, and return whether it was still running."""
    returned = False

    async def run() -> None:
        nonlocal returned
        await call()
        returned = True

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await wait_until_true(condition)
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    return not returned


async def describe_project(admin: AsyncAdmin, name: str) -> None:
    """Describe a project, and check its id."""
    project = await admin.projects.describe(project_id=name)
    assert project.id == name


async def describe_two_projects(admin: AsyncAdmin) -> None:
    """Open a connection, and reuse it."""
    await describe_project(admin, "first")
    await describe_project(admin, "second")


@pytest.mark.anyio
@pytest.mark.parametrize("cancelled", [{0}, {4}, {9}, {0, 1, 2, 3, 4}, set(range(9))], ids=str)
async def test_cancelled_waiters_do_not_affect_others(cancelled: set[int], event: threading.Event) -> None:
    """The remaining waiters get the token of the one exchange, whichever waiters are cancelled."""
    tokens: dict[int, AccessToken] = {}
    scopes = [anyio.CancelScope() for _ in range(10)]

    async def wait(number: int) -> None:
        with scopes[number]:
            tokens[number] = await admin.token()

    with Server(token_actions=[respond_when_set(event)]) as server:
        async with AsyncAdmin(**server.client_options) as admin, anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(wait, number)
            await wait_until_true(lambda: server.exchanges)
            for number in cancelled:
                scopes[number].cancel()
            await anyio.sleep(0.01)
            event.set()
        assert set(tokens) == set(range(10)) - cancelled
        assert {token.value for token in tokens.values()} == {"token-1"}
        assert server.exchanges == 1


@pytest.mark.anyio
@pytest.mark.parametrize("where", HANGING_RESPONSES)
async def test_cancellation_releases_connection(where: str) -> None:
    """A cancelled call releases its connection, so that a pool of one serves the next call."""
    with Server(api_actions=[HANGING_RESPONSES[where]] * 5 + [send_project]) as server:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=1) as admin:
            for number in range(5):
                call = partial(describe_project, admin, str(number))
                assert await cancel_call(call, lambda: len(server.requests) > number)  # noqa: B023 - called at once
            await describe_project(admin, "last")


@pytest.mark.anyio
async def test_pool_survives_cancellation_at_any_time() -> None:
    """A pool of two returns the right responses after calls are cancelled at 0, 0.2, 0.4 … milliseconds."""
    with Server(api_actions=[send_project]) as server:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=2) as admin:
            for number in range(50):
                with anyio.move_on_after(number / 5000):
                    await describe_project(admin, f"cancelled-{number}")
                await describe_project(admin, str(number))


@pytest.mark.anyio
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.long
async def test_pool_survives_cancellation_at_any_checkpoint(
    tls: bool, certificates: Certificates, stride: Callable[[int], int]
) -> None:
    """A call cancelled at any checkpoint leaves no socket open and releases its place in the pool."""

    async def describe() -> None:
        with scope:
            await describe_project(admin, "cancelled")

    with Server(tls=certificates.servers["good"] if tls else None) as server:
        options: dict[str, Any] = {"host": server.url, "access_token": "supplied", "ssl_verify": certificates.client}
        for step in range(tls, 40, stride(2)):
            async with AsyncAdmin(**options, max_connections=1, timeout=PATIENCE) as admin:
                for _ in range(2):  # a new connection, then a reused one
                    scope = anyio.CancelScope()
                    async with anyio.create_task_group() as group:
                        group.start_soon(describe)
                        for _ in range(step):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()
                    await describe_project(admin, str(step))
    gc.collect()


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("where", HANGING_RESPONSES)
def test_repeated_cancellation_releases_connection(
    where: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """A task cancelled again while asyncio closes its connection leaves room for a new connection."""

    async def main() -> None:
        async with AsyncAdmin(host=server.url, access_token="supplied", max_connections=1, timeout=PATIENCE) as admin:
            task = asyncio.ensure_future(describe_project(admin, "cancelled"))
            await wait_until_true(lambda: server.requests)
            await anyio.sleep(0.02)
            while not task.done():
                task.cancel()
                await asyncio.sleep(0)
            await describe_project(admin, "next")

    with (
        Server(api_actions=[HANGING_RESPONSES[where], send_project]) as server,
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        runner.run(main())
    gc.collect()


@pytest.mark.anyio
async def test_cancellation_during_handshake_closes_socket(certificates: Certificates) -> None:
    """A call cancelled during the TLS handshake closes its connection at once."""
    ended = threading.Event()

    def wait_for_close(connection: socket.socket) -> bool:
        stay_silent(connection)
        ended.set()
        return False

    with Server(tls=certificates.servers["good"], connection_actions=[wait_for_close]) as server:
        admin = AsyncAdmin(host=server.url, access_token="supplied", ssl_verify=certificates.client)
        assert await cancel_call(partial(describe_project, admin, "x"), lambda: server.connections)
        assert server.connections == 1
        await wait_until_true(ended.is_set)
        await admin.aclose()


@pytest.mark.anyio
async def test_cancellation_interrupts_retry_wait() -> None:
    """Cancellation interrupts the wait of a Retry-After, and no further attempt follows."""
    waits: list[AttemptEvent] = []
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        async with AsyncAdmin(host=server.url, access_token="supplied", on_attempt=waits.append) as admin:
            assert await cancel_call(partial(admin.send, make_operation("POST")), lambda: waits)
        assert server.count_requests("POST") == 1


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "abandoned"])
def test_exchange_survives_closed_loop(event: threading.Event, *, cancel: bool) -> None:
    """The exchange of a closed event loop completes, and other loops use its token."""
    with Server(token_actions=[respond_when_set(event)]) as server:
        admin = AsyncAdmin(**server.client_options)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # the destroyed pending task is intended
        task = loop.create_task(admin.token())
        loop.run_until_complete(wait_until_true(lambda: server.exchanges))
        if cancel:
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        event.set()
        for backend in ("asyncio", "trio"):
            assert anyio.run(admin.token, backend=backend).value == "token-1"
        anyio.run(admin.aclose)
        assert server.exchanges == 1


@pytest.mark.parametrize("backends", ["asyncio asyncio", "trio trio", "uvloop uvloop", "asyncio trio uvloop asyncio"])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # a loop that ends abandons its open connections
def test_client_works_in_successive_loops(backends: str) -> None:
    """A client that stays open works in the next event loop with the same token and new connections."""
    with Server() as server:
        admin = AsyncAdmin(**server.client_options)
        for client_kind in cast("list[ClientKind]", backends.split()):
            anyio.run(describe_two_projects, admin, **event_loop_options(client_kind))
        anyio.run(admin.aclose)
        with pytest.raises(ClientClosedError):
            anyio.run(admin.token)  # closed for all loops
        assert server.exchanges == 1
        assert server.count_requests("GET") == 2 * len(backends.split())
        del admin
        gc.collect()


def test_concurrent_loops_share_token_only() -> None:
    """Concurrent event loops share the token, but no connections and no responses."""
    with Server() as server:
        admin = AsyncAdmin(**server.client_options, max_connections=5)

        async def describe_many(backend: str) -> None:
            async def describe_one(number: int) -> None:
                await describe_project(admin, f"{backend}-{number}")

            async with anyio.create_task_group() as group:
                for number in range(50):
                    group.start_soon(describe_one, number)
            await close_connections(admin)

        def run(name: str) -> Callable[[], None]:
            return lambda: anyio.run(describe_many, name, backend=name.split("-", maxsplit=1)[0])

        run_in_threads(0, lambda: None, run("asyncio-1"), run("trio-2"), run("asyncio-3"))
        anyio.run(admin.aclose)
        assert server.exchanges == 1
        assert server.count_requests("GET") == 150
        assert max(server.processed.values()) == 1


async def close_connections(admin: AsyncAdmin) -> None:
    """Close the connections of this event loop only."""
    pools = admin._shared.pools
    assert pools is not None
    await pools.aclose()


def test_close_interrupts_retry_wait() -> None:
    """Closing interrupts the wait for a retry with ClientClosedError, and no further attempt follows."""
    waits: list[AttemptEvent] = []
    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        admin = Admin(host=server.url, access_token="supplied", on_attempt=waits.append)
        with ThreadPoolExecutor() as threads:
            call = threads.submit(admin.send, make_operation("POST"))
            anyio.run(wait_until_true, lambda: waits)
            admin.close()
            with pytest.raises(ClientClosedError) as caught:
                call.result()
        assert server.count_requests("POST") == 1
        assert caught.value.outcome == "rejected"


@pytest.mark.anyio
async def test_aclose_interrupts_retry_wait() -> None:
    """Closing an async client interrupts the wait for a retry with ClientClosedError."""
    errors: list[BaseException] = []
    waits: list[AttemptEvent] = []

    async def create() -> None:
        try:
            await admin.send(make_operation("POST"))
        except ClientClosedError as exc:
            errors.append(exc)

    with (
        Server(api_actions=[send_response(429, b"", "Retry-After: 30"), send_project]) as server,
        use_clock(SystemClock()),
    ):
        admin = AsyncAdmin(host=server.url, access_token="supplied", on_attempt=waits.append)
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                group.start_soon(create)
                await wait_until_true(lambda: waits)
                await admin.aclose()
        assert len(errors) == server.count_requests("POST") == 1


@pytest.mark.parametrize("client_kind", ALL_CLIENT_KINDS)
def test_close_interrupts_running_calls(client_kind: ClientKind) -> None:
    """Closing interrupts a call that waits for its response, and calls that wait for its connection are not sent."""
    with Server(api_actions=[send_and_close(b"", RequestContext.hang)]) as server:
        options = {"host": server.url, "access_token": "supplied", "max_connections": 1}
        with AnyClient(client_kind, **options) as client, ThreadPoolExecutor(3) as threads:
            calls = [
                threads.submit(client.run_call, lambda: client.admin.send(make_operation("POST"))) for _ in range(3)
            ]
            anyio.run(wait_until_true, lambda: server.requests)
            client.close_admin()
            errors = [call.result(PATIENCE) for call in calls]
        assert server.count_requests("POST") == 1
    assert {type(error) for error in errors} == {ClientClosedError}
    assert sorted(error.outcome for error in errors) == ["not_sent", "not_sent", "unknown"]


@pytest.mark.anyio
async def test_aclose_interrupts_token_waiters(event: threading.Event) -> None:
    """Closing an async client interrupts all calls that wait for a token, and drops a late token."""
    errors: list[ClientClosedError] = []

    async def wait(call: Callable[[], Awaitable[Any]]) -> None:
        try:
            await call()
        except ClientClosedError as exc:
            errors.append(exc)

    with Server(token_actions=[respond_when_set(event)]) as server:
        admin = AsyncAdmin(**server.client_options)
        async with anyio.create_task_group() as group:
            for call in (admin.token, lambda: describe_project(admin, "x"), admin.projects.list):
                group.start_soon(wait, call)
            await wait_until_true(lambda: server.exchanges)
            await anyio.sleep(0.01)
            await admin.aclose()
        assert len(errors) == 3
        event.set()
        with pytest.raises(ClientClosedError):
            await admin.token()
        assert not server.requests


def test_close_interrupts_threads_waiting_for_token(event: threading.Event) -> None:
    """Closing a client interrupts all threads that wait for a token."""
    with Server(token_actions=[respond_when_set(event)]) as server:
        admin = Admin(**server.client_options)
        with ThreadPoolExecutor() as threads:
            waiting = [threads.submit(admin.token) for _ in range(10)]
            anyio.run(wait_until_true, lambda: server.exchanges)
            admin.close()
            for call in waiting:
                with pytest.raises(ClientClosedError):
                    call.result(PATIENCE)


async def _cancel_and_close(emulator: Emulator, work: Callable[[Any], Any], number: int) -> bool:
    """Cancel work after its request of this number and close the client at once; return whether it was cancelled."""
    transport, interrupted = InterruptingTransport(emulator, number, after=True), anyio.Event()
    admin = transport.async_admin()

    async def close() -> None:  # in a context of its own, as the end of an application is
        await interrupted.wait()
        await admin.aclose()

    async with anyio.create_task_group() as group:
        group.start_soon(close)
        with anyio.CancelScope() as scope:

            def interrupt() -> None:
                scope.cancel()
                interrupted.set()

            transport.interrupt = interrupt
            await work(admin)
        was_cancelled = interrupted.is_set()
        interrupted.set()
    return was_cancelled


def _list_names(emulator: Emulator) -> list[str]:
    state = emulator.state
    things = [*state.projects.values(), *state.api_keys.values(), *state.service_accounts.listing]
    return sorted([*(each.name for each in things), *(each.email for each in state.invites.listing)])


WORKFLOWS: dict[str, Callable[[Any], Any]] = {
    "project": lambda admin: admin.projects.ensure(name="p"),
    "provision": lambda admin: admin.projects.provision(name="p", key_roles=["DataPlaneEditor"], store=str),
    "service account": lambda admin: admin.service_accounts.ensure(
        name="a", role_bindings=[on_organization("OrgMember")], store=str
    ),
    "invite": lambda admin: admin.invites.ensure(email="a@example.com", role_bindings=[on_organization("OrgMember")]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("work", WORKFLOWS.values(), ids=WORKFLOWS)
async def test_closing_waits_until_a_cancelled_workflow_has_undone_what_it_made(work: Callable[[Any], Any]) -> None:
    """At whichever request the client is closed at once after a cancellation, all is undone or complete."""
    whole, number = Emulator(), 1
    before = _list_names(whole)
    assert not await _cancel_and_close(whole, work, 0)
    while await _cancel_and_close(emulator := Emulator(), work, number):
        assert _list_names(emulator) in (before, _list_names(whole)), number
        number += 1
    assert number > 2


@pytest.mark.anyio
async def test_a_temporary_key_whose_block_is_cancelled_as_the_client_is_closed_is_deleted() -> None:
    """The block has not begun to delete its key when the client is closed."""
    emulator = Emulator()
    admin, started = emulator.async_admin(), anyio.Event()
    project = await admin.projects.create(name="p")

    async def use_key() -> None:
        async with admin.api_keys.temporary(project_id=project.id, roles=["DataPlaneEditor"]):
            started.set()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(use_key)
        await started.wait()
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await admin.aclose()
    assert not emulator.state.api_keys


def test_the_block_of_a_temporary_key_in_a_thread_is_not_waited_for() -> None:
    """A thread is never cancelled: a client that another one closes leaves the key, as the docstring says."""
    assert "``api_keys.temporary`` does not count as a workflow" in str(Admin.close.__doc__)
    emulator = Emulator()
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    closing = threading.Thread(target=admin.close, daemon=True)

    def use_key() -> None:
        with admin.api_keys.temporary(project_id=project.id, roles=["DataPlaneEditor"]):
            closing.start()
            closing.join(WORK_TIMEOUT / 2)
            assert not closing.is_alive()

    with pytest.raises(LeftoverError):
        use_key()
    assert len(emulator.state.api_keys) == 1


async def _gather() -> None:
    await asyncio.gather(asyncio.gather(anyio.sleep_forever()))


async def _wait_in_task_groups(depth: int = 3) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_wait_in_task_groups(depth - 1) if depth else anyio.sleep_forever())


async def _clean_up_slowly() -> None:
    try:
        await anyio.sleep_forever()
    finally:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.parametrize("wait", [_gather, _wait_in_task_groups, _clean_up_slowly])
def test_the_key_of_a_cancelled_block_that_takes_a_while_to_end_is_deleted(
    wait: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits for the block, but not for one whose task goes on."""
    emulator = Emulator()

    async def close_after_cancellation() -> list[object]:
        admin = emulator.async_admin()
        project = await admin.projects.create(name="p")
        started = asyncio.Queue[None]()

        async def use_key() -> None:
            async with admin.api_keys.temporary(project_id=project.id, roles=["DataPlaneEditor"]):
                started.put_nowait(None)
                await wait()

        cancelled, other = asyncio.create_task(use_key()), asyncio.create_task(use_key())
        for _ in range(2):
            await started.get()
        await asyncio.sleep(0)  # the tasks within begin to wait
        cancelled.cancel()
        await admin.aclose()
        has_ended = other.done()
        other.cancel()
        return [has_ended, *await asyncio.gather(cancelled, other, return_exceptions=True)]

    has_ended, first, second = asyncio.run(close_after_cancellation())
    assert not has_ended
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, asyncio.CancelledError)
    assert "temporary API key" in caplog.text
    assert len(emulator.state.api_keys) == 1


def test_a_cancellation_that_was_caught_before_the_block_does_not_count() -> None:
    """Closing does not wait for a block of a task that caught a cancellation earlier, and goes on."""

    async def watch() -> list[object]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        is_cancelled = async_watch_cancellation()
        before = is_cancelled()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return [before, is_cancelled()]

    assert asyncio.run(watch()) == [False, True]


@pytest.mark.parametrize("work", WORKFLOWS.values(), ids=WORKFLOWS)
def test_closing_waits_for_workflows_of_other_threads(work: Callable[[Any], Any]) -> None:
    """A workflow completes if another thread closes its client at the same time."""
    transport = InterruptingTransport(Emulator(), 1, after=True)  # each has more to send
    reached, released = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        assert released.wait(PATIENCE)

    transport.interrupt = pause
    with ThreadPoolExecutor(2) as threads:
        admin = transport.admin()
        running = threads.submit(work, admin)
        assert reached.wait(PATIENCE)
        closing = threads.submit(admin.close)
        wait_until(lambda: closing.running() or closing.done())
        futures.wait([closing], timeout=0.2)  # long enough to close, if it does not wait
        has_closed = closing.done()
        released.set()
        assert running.result(PATIENCE)
        closing.result(PATIENCE)
    assert not has_closed
    with pytest.raises(ClientClosedError):
        admin.projects.list()


def test_a_workflow_that_closes_its_client_does_not_wait_for_itself() -> None:
    """A ``store`` or a signal handler can close the client: the work that it interrupts cannot end at the same time."""
    with Emulator().admin() as admin:
        project = admin.projects.create(name="p")
        began = time.monotonic()
        with pytest.raises(ClientClosedError):
            admin.api_keys.ensure(
                project_id=project.id, name="k", roles=["DataPlaneEditor"], store=lambda _: admin.close()
            )
        assert time.monotonic() - began < WORK_TIMEOUT / 2


def test_threads_get_their_own_responses() -> None:
    """Fifty threads on five connections get their own responses on the first attempt."""
    with Server() as server:
        for _ in range(20):
            with Admin(**server.client_options, max_connections=5, retry=RetryPolicy(max_attempts=1)) as admin:
                check_responses_in_threads(admin)
        assert server.exchanges == 20
        assert server.connections <= 20 * 6


def check_responses_in_threads(admin: Admin) -> None:
    """Describe a different project in each thread."""
    numbers = iter(range(50))

    def describe_next() -> bool:
        name = str(next(numbers))
        return admin.projects.describe(project_id=name).id == name

    assert all(run_in_threads(50, describe_next))


def test_loops_in_threads_use_separate_clients() -> None:
    """Clients in short-lived event loops of several threads each fetch their own token."""
    with Server() as server:

        async def fetch_own_token() -> str:
            async with AsyncAdmin(**server.client_options) as admin:
                return (await admin.token()).value

        tokens = run_in_threads(
            0, list[str], *[make_loop_runner(backend, 1, fetch_own_token) for backend in ("asyncio", "trio") * 5]
        )
        assert len({token for each in tokens for token in each}) == server.exchanges == 10


def test_per_loop_values_survive_concurrent_loops() -> None:
    """Threads that create and close event loops do not disturb lookups of values per loop."""
    previous_interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        per_loop: PerLoop[object] = PerLoop(object)

        async def get() -> object:
            return per_loop.get()

        def run_loops() -> None:
            for _ in range(200):
                asyncio.run(get())

        run_in_threads(8, run_loops)
    finally:
        sys.setswitchinterval(previous_interval)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_aclose_closes_every_connection(backend: str) -> None:
    """A client that is closed while its task is cancelled leaves no connection open."""

    async def close_in_cancelled_scope(url: str) -> None:
        with anyio.CancelScope() as scope:
            async with AsyncAdmin(host=url, access_token="supplied") as admin:
                async with anyio.create_task_group() as group:
                    for _ in range(4):
                        group.start_soon(admin.send, make_operation("GET"))
                    await wait_until_true(lambda: len(held) == 4)
                    release.set()
                scope.cancel()

    held: list[RequestContext] = []
    release = threading.Event()

    def hold(context: RequestContext) -> None:
        held.append(context)
        assert release.wait(PATIENCE)
        send_project(context)

    with Server(api_actions=[hold]) as server:
        anyio.run(close_in_cancelled_scope, server.url, backend=backend)
        wait_until(lambda: not server.open_sockets)


@pytest.mark.anyio
async def test_a_store_that_is_cancelled_is_read_before_anything_is_undone() -> None:
    """The scope is cancelled once the vault has the value, so the key that has it is kept."""
    emulator, kept = Emulator(seed=1), dict[str, str]()

    class Vault(ReadableStore):
        async def __call__(self, made: Any, /) -> None:
            kept[made.key.name] = made.value
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        async def read(self, key: Any, /) -> str | None:
            await anyio.lowlevel.checkpoint()
            return kept.get(key.name)

    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    with anyio.CancelScope() as scope:
        await admin.api_keys.ensure(project_id=project.id, name="reader", store=Vault())
    assert scope.cancelled_caught
    assert [each.value for each in emulator.state.api_keys.values()] == [kept["reader"]]
