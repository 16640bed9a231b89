"""Threads, shared results, and protection from cancellation."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from inspect import isasyncgen, isawaitable, iscoroutine, isgenerator
from itertools import starmap
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar

from pinecone_admin._concurrency.locks import acquire_in_steps, make_held_lock, start_thread
from pinecone_admin._concurrency.sharing import PerProcess, running_loop
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import ClientClosedError, PineconeTypeError

_T = TypeVar("_T")

_RAISED_EXIT = "store raised GeneratorExit"


def fetch_first_token(first_token: Callable[[], object]) -> None:
    """Fetch the first token while the client is constructed, so that wrong credentials fail early."""
    first_token()


def skip_first_token(first_token: Callable[[], object]) -> None:
    """Do nothing: an async constructor cannot wait, so ``async with`` or the first call fetches the token."""


def start_daemon_thread(work: Callable[[], object], name: str = "pinecone-admin-token") -> bool:
    """Run the work in a daemon thread; return whether one could be started.

    None can be started while the interpreter shuts down, or if the system has no thread left.
    """
    try:
        start_thread(threading.Thread(target=work, name=name, daemon=True).start)
    except (RuntimeError, MemoryError):
        return False
    return True


BACKGROUND = "pinecone-admin-work"
"""Name of threads and tasks that work beside the caller."""


def start_background_task(work: Callable[[], object]) -> None:
    """Do something beside the caller, in a daemon thread; work that must end with the caller finds out itself."""
    start_daemon_thread(partial(copy_context().run, work), BACKGROUND)


_tasks: set[object] = set()
"""Tasks in progress, to which asyncio has weak references only."""


def async_start_background_task(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Async version of ``start_background_task``, in a task of this event loop.

    It belongs to no task group of the caller, which would have to be left in the task that has entered it; pytest, for
    example, runs both halves of a fixture in different tasks.
    """
    import asyncio  # noqa: PLC0415 - see the package

    loop = running_loop()
    if isinstance(loop, asyncio.AbstractEventLoop):
        task = loop.create_task(work(), name=BACKGROUND)
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    else:
        import trio  # noqa: PLC0415 - installed if a trio loop is running

        trio.lowlevel.spawn_system_task(work, context=copy_context())


class SharedResult(Generic[_T]):
    """A result that threads and tasks wait for. The first result that is set counts.

    Unlike a Future, it is made of what is written in C, so that Ctrl-C and forks cannot leave it locked.
    """

    def __init__(self) -> None:
        self._results: list[_T] = []
        self._wakers: deque[Callable[[], object]] = deque()

    def set(self, result: _T) -> None:
        """Set the result, unless there is one, and wake all who wait."""
        self._results.append(result)
        while self._wakers:
            with suppress(IndexError):  # another thread sets it, too
                self._wakers.popleft()()

    def get(self) -> _T:
        """Return the result, which must be set."""
        return self._results[0]

    def wait(self, seconds: float) -> bool:
        """Wait at most the seconds; return whether the result is set."""
        wakeup = make_held_lock()
        self._wakers.append(wakeup.release)
        # Only after the waker is listed: a ``set`` that did not find it has already added its result.
        if not self._results:
            acquire_in_steps(wakeup, seconds)
        return bool(self._results)

    async def async_wait(self, seconds: float) -> bool:
        """Async version of ``wait``, which uses no thread and does not block the event loop."""
        import anyio  # noqa: PLC0415 - see the package

        woken = anyio.Event()
        self._wakers.append(_make_loop_waker(woken.set))
        if not self._results:  # as above
            with anyio.move_on_after(max(0.0, seconds)):
                await woken.wait()
        return bool(self._results)


def _make_loop_waker(call: Callable[[], None]) -> Callable[[], None]:
    """Return a function that lets any thread run ``call`` in this event loop; a no-op once the loop is closed."""
    import asyncio  # noqa: PLC0415 - see the package

    loop = running_loop()
    schedule = loop.call_soon_threadsafe if isinstance(loop, asyncio.AbstractEventLoop) else loop.run_sync_soon  # type: ignore[attr-defined]

    def wake() -> None:
        with suppress(RuntimeError):
            schedule(call)

    return wake


COMPLETION_TIMEOUT = 10.0
"""Seconds that a change may still take once its workflow or command is interrupted or cancelled."""

UNDO_TIMEOUT = 30.0
"""Seconds for undoing everything that a workflow has created."""

WORK_TIMEOUT = COMPLETION_TIMEOUT + UNDO_TIMEOUT
"""Seconds for which closing a client waits for workflows: a rollback waits for the last create before it undoes."""

_own_work = ContextVar[frozenset[SharedResult[None]]]("pinecone_admin_work", default=frozenset())
_own_blocks = ContextVar[frozenset[object]]("pinecone_admin_blocks", default=frozenset())


class WorkInProgress:
    """Work of this process that must end before a client is closed, since it may have to undo something."""

    def __init__(self) -> None:
        self._ends = PerProcess(dict[SharedResult[None], Callable[[], object]])
        self._blocks = PerProcess(dict[object, object])
        self._is_closing = False

    def refuse_new(self) -> None:
        """Refuse work that is not part of work in progress from now on, since the client is being closed."""
        self._is_closing = True

    def refuses_caller(self) -> bool:
        """Return whether the caller must begin nothing: the client is being closed, and this is no work in progress."""
        return self._is_closing and _own_work.get().isdisjoint(self._ends.get().keys())

    @contextmanager
    def register(self, must_end: Callable[[], object] = lambda: True, *, is_new: bool = True) -> Generator[None]:
        """Count the block as work in progress.

        Args:
            must_end: Returns whether closing waits for its end.
            is_new: Whether it is refused while the client is being closed, unless it is part of work in progress.

        Raises:
            ClientClosedError: It is refused.
        """
        ends, end = self._ends.get(), SharedResult[None]()
        own = _own_work.get() & ends.keys()
        # In this order, whoever begins to close afterwards finds it.
        ends[end] = must_end
        if is_new and self._is_closing and not own:
            del ends[end]
            raise ClientClosedError("the client is being closed")
        _own_work.set(own | {end})
        try:
            yield
        finally:
            del ends[end]
            end.set(None)

    def add_block(self, end: _T) -> _T:
        """Note that a block of the caller has begun, for which ``end`` does what is left when the client is closed.

        An interruption at the edge of a ``with`` can come after the block has begun, and before anything ends it.
        """
        blocks = self._blocks.get()
        _own_blocks.set((_own_blocks.get() & blocks.keys()) | {end})
        blocks[end] = None
        return end

    def remove_block(self, end: object) -> None:
        """Note that a block has ended."""
        self._blocks.get().pop(end, None)

    def find_own_blocks(self) -> list[Any]:
        """Return the ``end`` of each block of the caller that has not ended, the latest first."""
        own = _own_blocks.get()
        return [end for end in reversed(list(self._blocks.get())) if end in own]

    def wait(self, seconds: float) -> None:
        """Wait at most the seconds for the end of all work but that of the caller, which waits for this call."""
        deadline = monotonic() + seconds
        for end in self._find_others():
            end.wait(max(0.0, deadline - monotonic()))

    async def async_wait(self, seconds: float) -> None:
        """Async version of ``wait``."""
        import anyio.lowlevel  # noqa: PLC0415 - see the package

        with async_shield_from_cancellation(seconds):
            for _ in range(2):  # a task that has just been cancelled begins to undo; trio may run it after this one
                await anyio.lowlevel.checkpoint()
            for end in self._find_others():
                await end.async_wait(inf)

    def _find_others(self) -> list[SharedResult[None]]:
        own = _own_work.get()
        return [end for end, must_end in list(self._ends.get().items()) if end not in own and must_end()]


def watch_cancellation() -> Callable[[], object]:
    """Return a function that returns False: a thread is never cancelled."""
    return bool


def async_watch_cancellation() -> Callable[[], object]:
    """Return a function that tells whether this task is cancelled from now on; trio does not show that to others."""
    import asyncio  # noqa: PLC0415 - see the package

    task = asyncio.current_task() if isinstance(running_loop(), asyncio.AbstractEventLoop) else None
    if task is None:
        return bool
    before = task.cancelling()
    return lambda: task.cancelling() > before


def call_store(store: Callable[[_T], object], secret: _T) -> None:
    """Call ``store`` with a secret.

    Raises:
        PineconeTypeError: It returned something that has to be run, so it may have stored nothing yet.
    """
    result = _begin(store, secret)
    if isawaitable(result):
        _close_coroutine(result)
        raise PineconeTypeError(Name("store"), " must be a synchronous function: its result is not awaited")
    _check_has_run(result)


async def async_call_store(store: Callable[[_T], object], secret: _T) -> None:
    """Call ``store`` with a secret, and await its result if it is awaitable.

    Raises:
        PineconeTypeError: It returned something else that has to be run, so it may have stored nothing yet.
    """
    result = _begin(store, secret)
    _check_has_run(await _await_result(result) if isawaitable(result) else result)


async def _await_result(promise: Awaitable[_T]) -> _T:
    try:
        return await promise
    except GeneratorExit as error:
        # If this coroutine is closed, it is raised here, and no frame follows. It can then await nothing.
        if error.__traceback__ is None or error.__traceback__.tb_next is None:
            raise
        raise RuntimeError(_RAISED_EXIT) from error


def has_to_be_run(result: object) -> bool:
    """Return whether a function has returned before its work is done: as an awaitable, lazily, or as a Future.

    Cursors of databases are iterators, too, and what made them has run.
    """
    return isawaitable(result) or _is_lazy(result) or _is_future(result)


def _is_lazy(result: object) -> bool:
    return isgenerator(result) or isasyncgen(result) or isinstance(result, map | filter | zip | starmap)


def _is_future(result: object) -> bool:
    # Who has made a Future has imported the module, which takes a while.
    futures = sys.modules.get("concurrent.futures")
    return futures is not None and isinstance(result, futures.Future)


def _begin(function: Callable[[_T], object], argument: _T) -> object:
    """Call ``store``, or its ``read``."""
    try:
        return function(argument)
    except GeneratorExit as error:  # it would be taken for the end of the workflow itself, which undoes nothing
        raise RuntimeError(_RAISED_EXIT) from error


def _check_has_run(result: object) -> None:
    """Refuse what ``store`` returned, or what was awaited, if it has to be run, which nobody does."""
    if isawaitable(result):
        _close_coroutine(result)
        raise PineconeTypeError(Name("store"), " must await what it calls: its result is awaitable again")
    if _is_future(result):
        raise PineconeTypeError(Name("store"), " must not return a Future: its result is not waited for")
    if isgenerator(result) or isasyncgen(result):
        raise PineconeTypeError(Name("store"), " must not be a generator function: its result is not iterated over")
    if _is_lazy(result):
        kind = type(result).__name__
        raise PineconeTypeError(Name("store"), f" must not return a lazy {kind}: its result is not iterated over")


def _close_coroutine(result: object) -> None:
    """Close a coroutine that is not awaited, of which Python would warn."""
    if iscoroutine(result):
        result.close()


def read_store(read: Callable[[_T], object], thing: _T) -> str | None:
    """Return the secret that ``read`` finds in a store, or None if the store has none.

    Raises:
        PineconeTypeError: It returned an awaitable, or something else that is neither a text nor None.
    """
    found = _begin(read, thing)
    if isawaitable(found):
        _close_coroutine(found)
        raise PineconeTypeError(Name("store"), " must have a synchronous read: its result is not awaited")
    return _check_found(found)


async def async_read_store(read: Callable[[_T], object], thing: _T) -> str | None:
    """Return the secret that ``read`` finds in a store, or None if the store has none; await it if it is awaitable.

    Raises:
        PineconeTypeError: It returned something that is neither a text nor None.
    """
    found = _begin(read, thing)
    return _check_found(await _await_result(found) if isawaitable(found) else found)


def _check_found(found: object) -> str | None:
    """Return what was found in a store without blanks around it, which a file may add; nothing but blanks is None."""
    if found is not None and not isinstance(found, str):
        _close_coroutine(found)
        # The value is not shown, because it may be the secret in another form.
        raise PineconeTypeError(
            Name("store"), f" must have a read that returns a str or None, not {type(found).__name__}"
        )
    return None if found is None else found.strip() or None


def shield_from_cancellation(seconds: float) -> AbstractContextManager[object]:  # noqa: ARG001 - the async one needs it
    """Return a context manager that does nothing: a thread is never cancelled."""
    return nullcontext()


def async_shield_from_cancellation(seconds: float) -> AbstractContextManager[object]:
    """Return a context manager that shields cleanup from cancellation, for at most the seconds."""
    import anyio  # noqa: PLC0415 - see the package

    return anyio.move_on_after(seconds, shield=True)


def complete_if_interrupted(call: Callable[[], _T], seconds: float) -> _T:
    """Call a function that must not stop halfway; if Ctrl-C interrupts it, wait for its end, and raise then.

    If Ctrl-C comes before the call has begun, it never begins, and there is nothing to wait for.

    Args:
        call: Function that records its own result, which the caller does not get if it is interrupted.
        seconds: How long the call may still take once it is interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()  # Ctrl-C is raised in the main thread only
    context, results, errors = copy_context(), list[_T](), list[BaseException]()
    finished = make_held_lock()
    # The thread that removes the element decides: the thread begins the call, or an interrupt that came first prevents
    # it.
    pending = [call]

    def run() -> None:
        if not _remove_one(pending):
            return
        try:
            results.append(context.run(call))
        except BaseException as exc:  # noqa: BLE001 - raised below, in the thread of the caller
            errors.append(exc)
        finished.release()

    try:
        if not start_daemon_thread(run, "pinecone-admin-call"):
            run()
        acquire_in_steps(finished, inf)
    except BaseException:
        # Starting a thread takes a while on a busy machine, and may have been what was interrupted.
        has_begun = not _remove_one(pending)
        if has_begun and not results and not errors:
            acquire_in_steps(finished, seconds)
        raise
    if errors:
        raise errors.pop()  # a list that kept it would hold its frames
    return results[0]


def _remove_one(elements: list[_T]) -> bool:
    """Remove an element; return False if there is none. Only one of several threads removes the last one."""
    try:
        elements.pop()
    except IndexError:
        return False
    return True


async def async_complete_if_interrupted(call: Callable[[], Awaitable[_T]], seconds: float) -> _T:
    """Async version of ``complete_if_interrupted``, for cancellation; after the seconds, the call is cancelled too."""
    import anyio  # noqa: PLC0415 - see the package
    import anyio.lowlevel  # noqa: PLC0415 - as above

    await anyio.lowlevel.checkpoint_if_cancelled()
    results, errors = list[_T](), list[BaseException]()
    done, shield = anyio.Event(), anyio.CancelScope(shield=True)

    async def run() -> None:
        with shield:
            try:
                results.append(await call())
            except BaseException as exc:
                if is_own_cancellation(exc):
                    raise
                errors.append(exc)  # raised below, outside the group, which would wrap it
            finally:
                done.set()

    # In a separate task, because no scope shields a task from its own ``cancel()`` in asyncio.
    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            await done.wait()
        except BaseException:
            with anyio.move_on_after(seconds, shield=True):
                await done.wait()
            shield.cancel()
            raise
    if errors:
        raise errors.pop()
    return results[0]


def is_own_cancellation(error: BaseException) -> bool:
    """Return whether an exception is the cancellation of a scope around the caller, which ends there.

    In asyncio, there are others: whoever awaits a Future that somebody cancels gets a CancelledError, too.
    """
    import anyio  # noqa: PLC0415 - see the package

    return isinstance(error, anyio.get_cancelled_exc_class()) and anyio.current_effective_deadline() == -inf


def call_within(seconds: float, call: Callable[[], _T], otherwise: Callable[[], _T]) -> _T:  # noqa: ARG001 - a thread cannot leave a call
    """Call a function. Its thread cannot leave it, so it takes as long as it takes."""
    return call()


async def async_call_within(seconds: float, call: Callable[[], Awaitable[_T]], otherwise: Callable[[], _T]) -> _T:
    """Await the result of a function; if that takes longer than the seconds, cancel it and return ``otherwise()``."""
    import anyio  # noqa: PLC0415 - see the package

    with anyio.move_on_after(seconds):
        return await call()
    return otherwise()
