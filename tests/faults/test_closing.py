"""Closing a client while workflows are under way in other threads and tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from time import monotonic

import anyio
import anyio.lowlevel
import pytest

from pinecone_admin import Admin, AsyncAdmin, ClientClosedError
from pinecone_admin.emulator import Emulator
from tests.support.concurrency import PATIENCE


def wait_until_refused(call: Callable[[], object]) -> None:
    """Repeat a call until the client refuses it."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        try:
            call()
        except ClientClosedError:
            return
    raise AssertionError("never refused")


def in_threads(*calls: Callable[[], object]) -> Generator[threading.Thread]:
    """Start each call in a thread when the next one is asked for."""
    for call in calls:
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        yield thread


def test_new_work_is_refused_at_once_and_work_under_way_ends() -> None:
    """Neither a new call nor a new workflow begins while closing waits; the workflow that stores a value completes."""
    emulator = Emulator(seed=1)
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    stored, released, closed = threading.Event(), threading.Event(), threading.Event()
    names: list[str] = []

    def store(_: object) -> None:
        stored.set()
        assert released.wait(PATIENCE)
        names.extend(each.name for each in admin.projects.list())  # a call of the workflow goes on

    def close() -> None:
        admin.close()
        closed.set()

    threads = in_threads(lambda: admin.api_keys.ensure(project_id=project.id, name="k", store=store), close)
    workflow = next(threads)
    assert stored.wait(PATIENCE)
    closer = next(threads)
    wait_until_refused(admin.projects.list)
    with pytest.raises(ClientClosedError):
        admin.projects.ensure(name="new")
    with pytest.raises(ClientClosedError):
        admin.api_keys.temporary(project_id=project.id, roles=["ProjectViewer"]).__enter__()
    assert not closed.is_set()
    released.set()
    for each in (workflow, closer):
        each.join(PATIENCE)
        assert not each.is_alive()
    assert names == ["p"]
    assert [key.name for key in emulator.state.api_keys.values()] == ["k"]
    assert [each.name for each in emulator.state.projects.values()] == ["p"]


def test_a_block_of_another_thread_is_not_waited_for_and_not_ended() -> None:
    """Its key stays, since somebody may use it, and lives as long as its name says."""
    emulator = Emulator(seed=1)
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    began, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def use() -> None:
        try:
            with admin.api_keys.temporary(project_id=project.id, roles=["ProjectViewer"]):
                began.set()
                assert go_on.wait(PATIENCE)
        except BaseException as error:  # noqa: BLE001 - compared below
            errors.append(error)

    thread = next(in_threads(use))
    assert began.wait(PATIENCE)
    admin.close()
    assert len(emulator.state.api_keys) == 1
    go_on.set()
    thread.join(PATIENCE)
    assert ["could not be deleted" in str(each) for each in errors] == [True]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_new_work_of_other_tasks_is_refused_at_once() -> None:
    """The workflow of a task completes while another task waits for the client to close."""
    emulator = Emulator(seed=1)
    admin: AsyncAdmin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    stored, released, closed = anyio.Event(), anyio.Event(), anyio.Event()

    async def store(_: object) -> None:
        stored.set()
        await released.wait()

    async def ensure() -> None:
        await admin.api_keys.ensure(project_id=project.id, name="k", store=store)

    async def close() -> None:
        await admin.aclose()
        closed.set()

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(ensure)
            await stored.wait()
            group.start_soon(close)
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            with pytest.raises(ClientClosedError):
                await admin.projects.list()
            with pytest.raises(ClientClosedError):
                await admin.projects.ensure(name="new")
            assert not closed.is_set()
            released.set()
    assert closed.is_set()
    assert [key.name for key in emulator.state.api_keys.values()] == ["k"]


def test_a_workflow_may_close_its_own_client() -> None:
    """Closing in ``store`` does not wait for the workflow that calls it; the rest of that is refused."""
    emulator = Emulator(seed=1)
    admin: Admin = emulator.admin()
    project = admin.projects.create(name="p")
    with pytest.raises(ClientClosedError):
        admin.api_keys.ensure(project_id=project.id, name="k", store=lambda _: admin.close())
