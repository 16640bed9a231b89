"""Work that others wait for: threads of our own, futures, places in a queue, and what cancellation must not touch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractContextManager, nullcontext, suppress
from inspect import isawaitable, iscoroutine
from typing import TypeVar

from pinecone_admin._concurrency.per_loop import running_loop
from pinecone_admin.errors import PineconeTypeError

_T = TypeVar("_T")


def fetch_token_now(first_token: Callable[[], object]) -> None:
    """Fetch the first token while the client is made, so that wrong credentials fail there."""
    first_token()


def fetch_token_later(first_token: Callable[[], object]) -> None:
    """Leave the first token to the first call: a constructor cannot wait."""


def start_daemon_thread(work: Callable[[], None]) -> bool:
    """Begin work in a daemon thread; tells whether there could be one, which is not so when the interpreter ends."""
    try:
        threading.Thread(target=work, name="pinecone-admin-token", daemon=True).start()
    except (RuntimeError, MemoryError):
        return False
    return True


def set_result_once(future: Future[_T], result: _T) -> None:
    """Let everybody who waits have the result; the first one counts."""
    with suppress(InvalidStateError):
        future.set_result(result)


def wait_for_future(future: Future[_T], seconds: float) -> bool:
    """Wait until a future is done, at most for the seconds; tells whether it is."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return done.wait(max(0.0, seconds))


async def async_wait_for_future(future: Future[_T], seconds: float) -> bool:
    """Wait as ``wait_for`` does, without a thread of its own and without blocking the loop."""
    import anyio  # noqa: PLC0415 - see the package

    done = anyio.Event()
    wake = _make_loop_waker(done.set)
    future.add_done_callback(lambda _: wake())
    with anyio.move_on_after(max(0.0, seconds)):
        await done.wait()
    return future.done()


def _make_loop_waker(call: Callable[[], None]) -> Callable[[], None]:
    """Make a function that calls into the current loop from any thread; it does nothing once the loop is closed."""
    import asyncio  # noqa: PLC0415 - see the package

    loop = running_loop()
    schedule = loop.call_soon_threadsafe if isinstance(loop, asyncio.AbstractEventLoop) else loop.run_sync_soon  # type: ignore[attr-defined]

    def wake() -> None:
        with suppress(RuntimeError):
            schedule(call)

    return wake


class FairSemaphore:
    """So many can be taken at once; who waits longest is next, which ``threading.Semaphore`` does not care about."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.RLock()  # a signal handler may ask while its own thread holds it

    def acquire(self, seconds: float) -> bool:
        """Take one, within the seconds; tells whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait(seconds)
        except BaseException:
            if self._is_granted(turn):
                self.release()
            raise
        return self._is_granted(turn)

    def _is_granted(self, turn: threading.Event) -> bool:
        with self._lock:
            if not turn.is_set():
                self._waiting.remove(turn)
            return turn.is_set()

    def release(self) -> None:
        """Give one back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class AsyncFairSemaphore:
    """So many can be taken at once, in one event loop; the twin of ``Slots``."""

    def __init__(self, count: int) -> None:
        import anyio  # noqa: PLC0415 - see the package

        self._free = anyio.Semaphore(count)

    async def acquire(self, seconds: float) -> bool:
        """Take one, within the seconds; tells whether there was one."""
        import anyio  # noqa: PLC0415 - see the package

        with suppress(anyio.WouldBlock):
            self._free.acquire_nowait()
            return True
        with anyio.move_on_after(seconds):
            await self._free.acquire()
            return True
        return False

    def release(self) -> None:
        """Give one back."""
        self._free.release()


def call_store(store: Callable[[_T], object], secret: _T) -> None:
    """Have a secret stored, and refuse a store that has not done so when it comes back."""
    promise = store(secret)
    if isawaitable(promise):
        if iscoroutine(promise):
            promise.close()
        raise PineconeTypeError("store must be a plain function: nothing awaits what this one gave")


async def async_call_store(store: Callable[[_T], object], secret: _T) -> None:
    """Have a secret stored, and await the store where it gives something to await."""
    promise = store(secret)
    if isawaitable(promise):
        await promise


def shield_from_cancellation(seconds: float) -> AbstractContextManager[object]:  # noqa: ARG001 - its twin needs them
    """Let what has to be cleaned up be cleaned up; nothing cancels a thread."""
    return nullcontext()


def async_shield_from_cancellation(seconds: float) -> AbstractContextManager[object]:
    """Let what has to be cleaned up be cleaned up, for at most the seconds, also while the task is cancelled."""
    import anyio  # noqa: PLC0415 - see the package

    return anyio.move_on_after(seconds, shield=True)
