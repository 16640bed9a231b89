"""Calls that are completed although their caller is cancelled or interrupted, and rollbacks that need it."""

from __future__ import annotations

import _thread
import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._concurrency import locks
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._concurrency.waiting import async_complete_if_interrupted, complete_if_interrupted
from pinecone_admin.emulator import Emulator
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.fault_injection import FaultyTransport
from tests.support.interruption import run_interruptibly


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_result_and_an_error_are_passed_on() -> None:
    """Without an interruption, the result or the error of the call is that of the function, in both worlds."""

    async def fail() -> None:
        raise OSError("sealed")

    async def succeed() -> int:
        return 5

    assert await async_complete_if_interrupted(succeed, 1.0) == complete_if_interrupted(lambda: 5, 1.0) == 5
    with pytest.raises(OSError, match="sealed"):
        await async_complete_if_interrupted(fail, 1.0)
    with pytest.raises(ZeroDivisionError):
        complete_if_interrupted(lambda: 1 // 0, 1.0)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancelled_call_is_completed_within_its_time() -> None:
    """A call that ends in time after the cancellation is completed; one that does not is cancelled, too."""
    completed: list[str] = []

    async def call(name: str, until: anyio.Event) -> None:
        scope.cancel()
        await until.wait()
        completed.append(name)

    for name, seconds in (("in time", 30.0), ("late", 0.01)):
        until = anyio.Event()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                if name == "in time":
                    group.start_soon(_set_when_cancelled, until)
                await async_complete_if_interrupted(lambda name=name, until=until: call(name, until), seconds)  # type: ignore[misc]
        assert scope.cancelled_caught
    assert completed == ["in time"]


async def _set_when_cancelled(event: anyio.Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        event.set()


async def await_cancelled_future(_: object = None) -> None:
    """Wait for a result that somebody else has cancelled."""
    shared = asyncio.get_running_loop().create_future()
    shared.cancel("shared")
    await shared


def test_a_cancellation_from_within_a_call_leaves_as_itself() -> None:
    """If a call awaits what somebody else has cancelled, that exception is raised."""
    with pytest.raises(asyncio.CancelledError, match="shared"):
        asyncio.run(async_complete_if_interrupted(await_cancelled_future, 0.01))


def test_a_cancellation_from_within_parallel_work_leaves_as_itself() -> None:
    """The same holds for work in parallel: it does not end as if everything had been delivered."""
    run = async_run_in_parallel(await_cancelled_future, range(9), limit=2, deliver=print)
    with pytest.raises(asyncio.CancelledError, match="shared"):
        asyncio.run(run)


@pytest.mark.parametrize("number", [2, 4, 5])
def test_a_cancellation_from_within_a_request_leaves_the_workflow_as_itself(number: int) -> None:
    """Such an exception from a transport is not replaced either, and has notes on what was done."""
    emulator = Emulator(seed=1)

    class Transport(FaultyTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await super().handle_async_request(request)
            if len(self.requests) == number:
                await await_cancelled_future()
            return response

    async def provision() -> None:
        admin = Transport(emulator).async_admin()
        await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=print)

    with pytest.raises(asyncio.CancelledError, match="shared") as caught:
        asyncio.run(provision())
    assert caught.value.__notes__


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancelled_caller_starts_no_call() -> None:
    """A call is not started after a cancellation."""
    started: list[int] = []

    async def call() -> None:
        started.append(1)

    with anyio.CancelScope() as scope:
        scope.cancel()
        await async_complete_if_interrupted(call, 30.0)
    assert started == []


def test_an_interrupted_call_is_awaited_for_its_time_only() -> None:
    """After Ctrl-C, the main thread waits for a call that hangs no longer than its time."""
    never = threading.Event()
    armed: list[Callable[[], object]] = []

    def call() -> None:
        armed[0]()
        never.wait(30)

    interruption = run_interruptibly(lambda: complete_if_interrupted(call, 0.01), armed.append, by_task=False)
    never.set()
    assert isinstance(interruption, KeyboardInterrupt)


def test_ctrl_c_just_before_the_wait_is_handled_during_it() -> None:
    """A signal that comes between the last check for signals and the wait ends no wait: the next step handles it."""
    handled = threading.Event()
    in_time: list[bool] = []
    places: list[tuple[str, int]] = []

    def main_rests() -> bool:
        """Tell whether the main thread was at the same place of its wait each of the last ten times."""
        frame = sys._current_frames()[threading.main_thread().ident or 0]
        places.append((frame.f_code.co_name, frame.f_lasti))
        return frame.f_code.co_filename == locks.__file__ and len(places) > 10 and len({*places[-10:]}) == 1

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        handled.set()
        raise KeyboardInterrupt

    def call() -> None:
        wait_until(main_rests)
        _thread.interrupt_main()  # it marks the signal as received, without a signal that would end a wait
        in_time.append(handled.wait(PATIENCE))

    before = signal.signal(signal.SIGINT, handle)
    try:
        with pytest.raises(KeyboardInterrupt):
            complete_if_interrupted(call, PATIENCE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert in_time == [True]


def test_another_thread_makes_the_call_itself() -> None:
    """Another thread than the main one starts no thread, because it cannot be interrupted."""
    made_by: list[threading.Thread] = []
    thread = threading.Thread(
        target=lambda: complete_if_interrupted(lambda: made_by.append(threading.current_thread()), 1)
    )
    thread.start()
    thread.join()
    assert made_by == [thread]


class HeldTransport(FaultyTransport):
    """Holds the response to each POST until the caller has been cancelled, or for ever.

    Args:
        emulator: Processes the requests.
        for_ever: Whether there is never a response.
    """

    def __init__(self, emulator: Emulator, *, for_ever: bool = False) -> None:
        super().__init__(emulator)
        self._for_ever = for_ever
        self.release = asyncio.Event()
        self.on_hold: Callable[[], object] = lambda: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and hold the response to a POST."""
        response = await super().handle_async_request(request)
        if request.method == "POST" and request.url.path != "/oauth/token":
            self.on_hold()
            asyncio.get_running_loop().call_later(0.02, self.release.set)
            await (asyncio.Event() if self._for_ever else self.release).wait()
        return response


async def provision_in_time(transport: HeldTransport) -> BaseException:
    """Provision a tenant with a timeout that ends it during its first create, and return the cancellation."""
    admin: AsyncAdmin = transport.async_admin()
    await admin.token()

    async def provision() -> None:
        async with asyncio.timeout(None) as limit:
            # However busy the machine is, the time ends during the create.
            transport.on_hold = lambda: limit.reschedule(asyncio.get_running_loop().time())
            await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=print)

    with pytest.raises(TimeoutError) as caught:
        await provision()
    assert caught.value.__cause__ is not None
    return caught.value.__cause__


def test_a_timeout_of_asyncio_undoes_what_was_being_created() -> None:
    """A project whose creation was in progress is deleted when ``asyncio.timeout`` ends, and a note says so."""
    emulator = Emulator(seed=1)

    async def run() -> None:
        cancellation = await provision_in_time(HeldTransport(emulator))
        (note,) = cancellation.__notes__
        assert note.startswith("project ")
        assert note.endswith(" was deleted")

    asyncio.run(run())
    assert not emulator.state.projects


def test_a_creation_without_a_response_is_given_up_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A create without a response does not block a cancelled workflow, and a note says what may exist."""
    monkeypatch.setattr("pinecone_admin._async.workflows.run.COMPLETION_TIMEOUT", 0.01)

    async def run() -> None:
        cancellation = await provision_in_time(HeldTransport(Emulator(seed=1), for_ever=True))
        assert cancellation.__notes__ == ["project tenant may exist: the outcome of its creation is unknown"]

    asyncio.run(run())


def test_a_second_cancellation_does_not_stop_the_undoing() -> None:
    """A task that is cancelled again during its rollback still deletes everything."""
    emulator = Emulator(seed=1)
    transport = FaultyTransport(emulator)

    async def run() -> None:
        admin = transport.async_admin()
        task = asyncio.current_task()
        assert task is not None

        def cancel_again() -> None:
            if transport.requests[-1].startswith("DELETE"):
                task.cancel()

        async def store(_: Any) -> None:
            transport.before_request = cancel_again
            task.cancel()
            await asyncio.sleep(0)

        with pytest.raises(asyncio.CancelledError):
            await admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=store)

    asyncio.run(run())
    assert not emulator.state.projects


def test_ctrl_c_in_a_store_undoes_and_notes_it() -> None:
    """A KeyboardInterrupt in the store of the sync client deletes key and project, and its notes say so."""
    emulator = Emulator(seed=1)
    admin: Admin = emulator.admin()

    def store(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        admin.projects.provision(name="tenant", key_roles=["ProjectViewer"], store=store)
    on_the_value, *undone = caught.value.__notes__
    assert on_the_value == "if the new value was stored all the same, it stops working when the key is deleted"
    assert [note.split()[:2] for note in undone] == [["the", "new"], ["project", "tenant"]]
    assert not emulator.state.projects
