"""Process many items concurrently, and keep only those in progress in memory."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from itertools import islice
from typing import Generic, TypeVar

from pinecone_admin._concurrency.locks import STEP, acquire_in_steps, make_held_lock, start_thread
from pinecone_admin._concurrency.waiting import is_own_cancellation

_T = TypeVar("_T")
_R = TypeVar("_R")

_INTERRUPT_TIMEOUT = 2.0
"""Seconds to wait for the items in progress after Ctrl-C."""


def run_in_parallel(
    work: Callable[[_T], _R],
    items: Iterable[_T],
    *,
    limit: int,
    deliver: Callable[[_T, _R], object],
    interrupted: threading.Event | None = None,
    interrupt_timeout: float | None = None,
) -> None:
    """Process items in threads, and deliver each result in this thread as soon as it is ready.

    Args:
        work: Function of an item; its first exception is raised once the items in progress are finished.
        items: Items, consumed as workers become free, so that only those in progress are kept.
        limit: Maximum number of items in progress at once.
        deliver: Called in this thread with the item and its result.
        interrupted: Set after Ctrl-C, so that items in progress can end early.
        interrupt_timeout: Seconds to wait for the items in progress after Ctrl-C; by default two.
    """
    rest = iter(items)
    done: deque[_Worker[_T, _R]] = deque()
    wakeup = make_held_lock()
    running: set[_Worker[_T, _R]] = set()
    try:
        while True:
            for item in islice(rest, limit - len(running)):
                worker = _Worker(work, item, done, wakeup)
                running.add(worker)
                worker.start()
            if not running:
                return
            while not done:
                acquire_in_steps(wakeup, math.inf)
            worker = done.popleft()
            running.remove(worker)
            deliver(worker.item, worker.result())
    except Exception:
        _join(running)
        raise
    except BaseException:
        if interrupted is not None:
            interrupted.set()
        _join(running, _INTERRUPT_TIMEOUT if interrupt_timeout is None else interrupt_timeout)
        raise


class _Worker(Generic[_T, _R]):
    """Processes one item in a thread: a daemon, because at its end the interpreter waits for all other threads.

    It uses no Future: Ctrl-C during ``wait`` can leave the lock of a Future held, so that the worker never ends.
    """

    def __init__(
        self,
        work: Callable[[_T], _R],
        item: _T,
        done: deque[_Worker[_T, _R]],
        wakeup: threading.Lock,
    ) -> None:
        self.item = item
        self._thread = threading.Thread(target=self._process, name="pinecone-admin-workflow", daemon=True)
        self._context = copy_context()
        self._work = work
        self._done = done
        self._wakeup = wakeup
        self._outcome: list[_R] = []
        self._error: BaseException | None = None

    def start(self) -> None:
        """Process the item in the thread, or in this one if none can be started."""
        try:
            start_thread(self._thread.start)
        except (RuntimeError, MemoryError):
            self._thread.run()

    def _process(self) -> None:
        try:
            self._outcome.append(self._context.run(self._work, self.item))
        except BaseException as exc:  # noqa: BLE001 - raised by result
            self._error = exc
        self._done.append(self)
        with suppress(RuntimeError):  # another worker has released it
            self._wakeup.release()

    def result(self) -> _R:
        """Return the result of a worker that is done, or raise its exception."""
        if self._error is not None:
            raise self._error
        return self._outcome[0]

    def join(self, deadline: float) -> None:
        """Wait until the thread has ended, if it was started, or the deadline has passed; in steps: see ``locks``."""
        while self._thread.is_alive() and (left := deadline - time.monotonic()) > 0:
            self._thread.join(min(left, STEP))


def _join(workers: Iterable[_Worker[_T, _R]], seconds: float = math.inf) -> None:
    """Wait until all workers have ended, at most for the given seconds."""
    deadline = time.monotonic() + seconds
    for worker in workers:
        worker.join(deadline)


async def async_run_in_parallel(
    work: Callable[[_T], Awaitable[_R]],
    items: Iterable[_T],
    *,
    limit: int,
    deliver: Callable[[_T, _R], object],
    interrupted: threading.Event | None = None,  # noqa: ARG001 - the async one needs it
    interrupt_timeout: float | None = None,  # noqa: ARG001 - as above
) -> None:
    """Async version of ``run_in_parallel``, with tasks; an exception or cancellation cancels the items in progress."""
    import anyio  # noqa: PLC0415 - see the package

    rest = iter(items)
    failed: list[BaseException] = []

    async def process_items() -> None:
        try:
            for item in rest:
                result = await work(item)
                if failed:
                    return
                deliver(item, result)
        except BaseException as exc:
            if is_own_cancellation(exc):
                raise
            failed.append(exc)  # raised below, outside the group, which would wrap it
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(limit):
            group.start_soon(process_items)
    if failed:
        # No exception replaces an interruption, which may have come while the others ended.
        raise next((each for each in failed if not isinstance(each, Exception)), failed[0])
