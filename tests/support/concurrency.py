"""Concurrent calls: tasks in async tests, threads in sync tests."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio
import anyio.to_thread

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._concurrency.waiting import BACKGROUND

_T = TypeVar("_T")

PATIENCE = 120.0
"""Seconds until a wait fails the test; long enough that a busy machine never reaches it."""


async def async_run_concurrently(count: int, call: Callable[[], Awaitable[_T]]) -> list[_T | Exception]:
    """Run a call in many tasks, and return what each returned or raised."""
    results: list[_T | Exception] = []

    async def run_one() -> None:
        try:
            results.append(await call())
        except Exception as exc:  # noqa: BLE001 - the test inspects it
            results.append(exc)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(run_one)
    return results


def run_concurrently(count: int, call: Callable[[], _T]) -> list[_T | Exception]:
    """Run a call in many threads, and return what each returned or raised."""
    start = threading.Barrier(count)

    def run_one() -> _T | Exception:
        start.wait(PATIENCE)
        try:
            return call()
        except Exception as exc:  # noqa: BLE001 - the test inspects it
            return exc

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: run_one(), range(count)))


async def async_run_with_action(
    call: Callable[[], Awaitable[_T]], action: Callable[[], Awaitable[None]]
) -> _T | Exception:
    """Run a call and an action concurrently, and return what the call returned or raised."""
    results: list[_T | Exception] = []

    async def run_one() -> None:
        results.extend(await async_run_concurrently(1, call))

    async with anyio.create_task_group() as group:
        group.start_soon(run_one)
        await action()
    return results[0]


def run_with_action(call: Callable[[], _T], action: Callable[[], None]) -> _T | Exception:
    """Run a call in a thread and an action in this one, and return what the call returned or raised."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_concurrently, 1, call)
        action()
        return running.result(PATIENCE)[0]


async def async_wait_for_event(event: threading.Event) -> None:
    """Wait until another thread sets an event."""
    assert await anyio.to_thread.run_sync(event.wait, PATIENCE)


def wait_for_event(event: threading.Event) -> None:
    """Wait until another thread sets an event."""
    assert event.wait(PATIENCE)


async def async_wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that no event signals."""
    with anyio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - as it says
            await anyio.sleep(0.001)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that no event signals."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def wait_for_child(process_id: int) -> int:
    """Return the exit code of a forked child, which is killed if it does not end in time.

    A child that goes on keeps the pipe of pytest-xdist open, which would then never see that the worker has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not (ended := os.waitpid(process_id, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(process_id, signal.SIGKILL)
        time.sleep(0.001)
    return os.waitstatus_to_exitcode(ended[1])


async def async_wait_for_background() -> None:
    """Wait until no work goes on beside the test; trio does not list such tasks, and this returns at once."""
    await async_wait_until(lambda: all(task.name != BACKGROUND for task in anyio.get_running_tasks()))


def wait_for_background() -> None:
    """Wait until no work goes on beside the test."""
    wait_until(lambda: all(thread.name != BACKGROUND for thread in threading.enumerate()))


async def async_fetch_token(admin: AsyncAdmin) -> str:
    """Return the token that a call gets now, once no exchange is in progress."""
    value = (await admin.token()).value
    wait_for_exchanges()
    return value


def fetch_token(admin: Admin) -> str:
    """Return the token that a call gets now, once no exchange is in progress."""
    value = admin.token().value
    wait_for_exchanges()
    return value


def wait_for_exchanges() -> None:
    """Wait until no token exchange is in progress."""
    for thread in threading.enumerate():
        if thread.name == "pinecone-admin-token":
            thread.join(PATIENCE)
