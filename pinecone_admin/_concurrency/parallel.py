"""Process many items concurrently, and keep only those in progress in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def run_in_parallel(
    work: Callable[[_T], _R], items: Iterable[_T], *, limit: int, deliver: Callable[[_T, _R], object]
) -> None:
    """Process items in threads, and deliver each result in this thread as soon as it is ready.

    Args:
        work: Function of an item; its first exception is raised once the items in progress are finished.
        items: Items, consumed as workers become free, so that only those in progress are kept.
        limit: Maximum number of items in progress at once.
        deliver: Called in this thread with the item and its result.
    """
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait  # noqa: PLC0415 - loaded only when used

    rest = iter(items)
    with ThreadPoolExecutor(limit, "pinecone-admin-workflow") as pool:
        running: dict[Future[_R], _T] = {}
        while True:
            for item in islice(rest, limit - len(running)):
                running[pool.submit(copy_context().run, work, item)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                deliver(running.pop(future), future.result())


async def async_run_in_parallel(
    work: Callable[[_T], Awaitable[_R]], items: Iterable[_T], *, limit: int, deliver: Callable[[_T, _R], object]
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
