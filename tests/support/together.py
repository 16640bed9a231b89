"""Several calls at once: tasks in one world, threads in the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio
import anyio.to_thread

_T = TypeVar("_T")

PATIENCE = 30.0
"""Seconds after which a test that waits for something has failed: a busy machine must not come near it."""


async def async_together(count: int, call: Callable[[], Awaitable[_T]]) -> list[_T | Exception]:
    """Run a call in many tasks, and give what each returned or raised."""
    results: list[_T | Exception] = []

    async def one() -> None:
        try:
            results.append(await call())
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            results.append(exc)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return results


def together(count: int, call: Callable[[], _T]) -> list[_T | Exception]:
    """Run a call in many threads, and give what each returned or raised."""
    start = threading.Barrier(count)

    def one() -> _T | Exception:
        start.wait(PATIENCE)
        try:
            return call()
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            return exc

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: one(), range(count)))


async def async_meanwhile(call: Callable[[], Awaitable[_T]], action: Callable[[], Awaitable[None]]) -> _T | Exception:
    """Run a call and an action side by side, and give what the call returned or raised."""
    results: list[_T | Exception] = []

    async def one() -> None:
        results.extend(await async_together(1, call))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        await action()
    return results[0]


def meanwhile(call: Callable[[], _T], action: Callable[[], None]) -> _T | Exception:
    """Do as ``async_meanwhile`` does, with a thread for the call."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(together, 1, call)
        action()
        return running.result(PATIENCE)[0]


async def async_wait(event: threading.Event) -> None:
    """Wait until another thread has set an event."""
    assert await anyio.to_thread.run_sync(event.wait, PATIENCE)


def wait(event: threading.Event) -> None:
    """Wait until another thread has set an event."""
    assert event.wait(PATIENCE)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something has happened that no event tells of."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def settle() -> None:
    """Wait until no token exchange is under way."""
    for thread in threading.enumerate():
        if thread.name == "pinecone-admin-token":
            thread.join(PATIENCE)
