"""The fair semaphore: permits are granted in order, and never lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from types import FrameType
from unittest.mock import patch

import anyio
import pytest

from pinecone_admin._concurrency.sharing import AsyncFairSemaphore, FairSemaphore
from tests.support.concurrency import PATIENCE, wait_until


def test_permits_are_granted_in_order() -> None:
    """Waiters acquire in the order of their arrival, before a later caller."""
    semaphore, order = FairSemaphore(1), list[int]()
    semaphore.acquire(0)

    def work(number: int) -> None:
        semaphore.acquire(PATIENCE)
        order.append(number)
        semaphore.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_until(lambda: len(semaphore._waiting) > number)  # noqa: B023 - it is called at once
    semaphore.release()
    assert semaphore.acquire(PATIENCE)
    assert order == [0, 1, 2, 3, 4]
    for thread in threads:
        thread.join()


def test_a_timed_out_waiter_is_forgotten() -> None:
    """A permit released after a waiter timed out goes to the next caller."""
    semaphore = FairSemaphore(1)
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0.001)
    semaphore.release()
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0)


@pytest.mark.parametrize("granted", [True, False])
def test_an_interrupted_wait_takes_no_permit(*, granted: bool) -> None:
    """KeyboardInterrupt during a wait leaves the permit to the next caller, even if it was just granted."""
    semaphore = FairSemaphore(1)
    semaphore.acquire(0)

    def acquire(_: threading.Lock, seconds: float) -> bool:
        """Interrupt the wait."""
        assert 0 < seconds <= 1
        if granted:
            semaphore.release()
        raise KeyboardInterrupt

    with (
        patch("pinecone_admin._concurrency.sharing.acquire_in_steps", acquire),
        pytest.raises(KeyboardInterrupt),
    ):
        semaphore.acquire(1)
    if not granted:
        semaphore.release()
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0)


def interrupt_at(number: int) -> Callable[[FrameType, str, object], None]:
    """Return a profile function that raises KeyboardInterrupt where Python would: as a function begins, or returned."""
    remaining = number

    def profile(_: FrameType, event: str, __: object) -> None:
        nonlocal remaining
        if event in {"call", "c_return"}:
            remaining -= 1
            if remaining < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    return profile


@pytest.mark.parametrize("free", [True, False])
def test_an_interrupt_loses_no_permit(*, free: bool) -> None:
    """Wherever KeyboardInterrupt comes in ``acquire``, the permit is free afterwards, or the caller has got it."""
    for number in count():
        semaphore, acquired = FairSemaphore(1), False
        if not free:
            semaphore.acquire(0)
        interrupt = interrupt_at(number)
        try:
            sys.setprofile(interrupt)
            acquired = semaphore.acquire(0)
            sys.setprofile(None)
            break
        except KeyboardInterrupt:
            if not free:
                semaphore.release()
            assert acquired or semaphore.acquire(0)
            assert not semaphore.acquire(0)
    assert number >= (2 if free else 10)
    assert acquired == free


def test_an_interrupted_release_leaves_no_waiter_asleep() -> None:
    """Wherever KeyboardInterrupt comes in ``release``, the waiter has got the permit, or its caller still holds it."""

    def acquire_in_thread(semaphore: FairSemaphore, acquired: list[bool]) -> None:
        acquired.append(semaphore.acquire(PATIENCE))

    for number in count():
        semaphore = FairSemaphore(1)
        semaphore.acquire(0)
        acquired = list[bool]()
        waiter = threading.Thread(target=acquire_in_thread, args=(semaphore, acquired))
        waiter.start()
        wait_until(lambda: bool(semaphore._waiting))  # noqa: B023 - it is called at once
        (turn,) = semaphore._waiting
        interrupt = interrupt_at(number)
        interrupted = False
        try:
            sys.setprofile(interrupt)
            semaphore.release()
            sys.setprofile(None)
        except KeyboardInterrupt:
            interrupted = True
        if not turn.granted:
            semaphore.release()
        waiter.join(PATIENCE / 2)
        assert acquired == [True]
        if not interrupted:
            break
    assert number >= 3


@pytest.mark.timeout(60)
def test_a_signal_handler_can_acquire() -> None:
    """A signal handler acquires a permit while its own thread holds the lock."""
    semaphore, acquired = FairSemaphore(2), list[bool]()
    before = signal.signal(signal.SIGUSR1, lambda *_: acquired.append(semaphore.acquire(0)))
    try:
        with semaphore._lock:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert acquired == [True]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_acquire_and_release(backend: str) -> None:
    """Tasks acquire in order, time out, and leave the permit to the next when cancelled."""

    async def main() -> None:
        semaphore, order = AsyncFairSemaphore(1), list[str]()
        assert await semaphore.acquire(0)
        assert not await semaphore.acquire(0.001)

        async def work(name: str) -> None:
            if await semaphore.acquire(PATIENCE):
                order.append(name)
                semaphore.release()

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.001):
                await work("cancelled")
            for name in ("first", "second"):
                group.start_soon(work, name)
                await anyio.wait_all_tasks_blocked()
            semaphore.release()
            assert await semaphore.acquire(PATIENCE)
        assert order == ["first", "second"]

    run: Callable[..., None] = anyio.run
    run(main, backend=backend)
