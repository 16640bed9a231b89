"""Work on many items at once, of which only those under way are held."""

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
    """Work on items in threads, and deliver each result here as it comes.

    Args:
        work: What to do with an item; the first exception ends everything once the items under way are finished.
        items: Taken from as workers become free, so that only those under way are held.
        limit: How many are under way at once.
        deliver: Called in this thread with the item and its result.
    """
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait  # noqa: PLC0415 - only who uses it pays

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
    """Do as ``in_parallel`` does with tasks; an exception, or cancellation, cancels those under way."""
    import anyio  # noqa: PLC0415 - see the package

    rest = iter(items)
    failed: list[Exception] = []

    async def one_after_another() -> None:
        try:
            for item in rest:
                result = await work(item)
                if failed:
                    return
                deliver(item, result)
        except Exception as exc:  # noqa: BLE001 - raised below, outside of the group that would wrap it
            failed.append(exc)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(limit):
            group.start_soon(one_after_another)
    if failed:
        raise failed[0]
