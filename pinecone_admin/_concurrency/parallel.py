"""Process many items concurrently, and keep only those in progress in memory."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

_INTERRUPT_PATIENCE = 2.0
"""Seconds to wait for the items in progress after Ctrl-C."""


def run_in_parallel(
    work: Callable[[_T], _R],
    items: Iterable[_T],
    *,
    limit: int,
    deliver: Callable[[_T, _R], object],
    interrupted: threading.Event | None = None,
    patience: float | None = None,
) -> None:
    """Process items in threads, and deliver each result in this thread as soon as it is ready.

    Args:
        work: Function of an item; its first exception is raised once the items in progress are finished.
        items: Items, consumed as workers become free, so that only those in progress are kept.
        limit: Maximum number of items in progress at once.
        deliver: Called in this thread with the item and its result.
        interrupted: Set after Ctrl-C, so that items in progress can end early.
        patience: Seconds to wait for the items in progress after Ctrl-C; by default two.
    """
    from concurrent.futures import FIRST_COMPLETED, wait  # noqa: PLC0415 - loaded only when used

    rest = iter(items)
    running: dict[Future[_R], _T] = {}
    try:
        while True:
            for item in islice(rest, limit - len(running)):
                running[_start_in_thread(work, item)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                deliver(running.pop(future), future.result())
    except Exception:
        wait(running)
        raise
    except BaseException:
        if interrupted is not None:
            interrupted.set()
        wait(running, _INTERRUPT_PATIENCE if patience is None else patience)
        raise


def _start_in_thread(work: Callable[[_T], _R], item: _T) -> Future[_R]:
    """Process an item in a daemon thread: the interpreter would wait for any other at its end, also after Ctrl-C."""
    future = Future[_R]()
    context = copy_context()

    def process() -> None:
        try:
            future.set_result(context.run(work, item))
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits for the result
            future.set_exception(exc)

    threading.Thread(target=process, name="pinecone-admin-workflow", daemon=True).start()
    return future


async def async_run_in_parallel(
    work: Callable[[_T], Awaitable[_R]],
    items: Iterable[_T],
    *,
    limit: int,
    deliver: Callable[[_T, _R], object],
    interrupted: threading.Event | None = None,  # noqa: ARG001 - its twin needs it
    patience: float | None = None,  # noqa: ARG001 - as above
) -> None:
    """Async twin of ``run_in_parallel``, with tasks; an exception or cancellation cancels the items in progress."""
    import anyio  # noqa: PLC0415 - see the package

    rest = iter(items)
    failed: list[Exception] = []

    async def process_items() -> None:
        try:
            for item in rest:
                result = await work(item)
                if failed:
                    return
                deliver(item, result)
        except Exception as exc:  # noqa: BLE001 - raised below, outside the group, which would wrap it
            failed.append(exc)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(limit):
            group.start_soon(process_items)
    if failed:
        raise failed[0]
