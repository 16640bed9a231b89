"""What has no twin in text between sync and async: time, waiting, and which event loop one is in.

Also the one place that acts on the real clock; the rest of the package takes its time from ``current_clock``. What
only async needs is imported where it is used, so that the sync client loads no event loop.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import copy_context
from functools import cached_property
from importlib import import_module
from inspect import isawaitable, iscoroutine
from itertools import islice
from typing import Generic, Protocol, Self, TypeVar, overload
from weakref import WeakKeyDictionary

import httpcore

from pinecone_admin.errors import PineconeTypeError

_T = TypeVar("_T")
_R = TypeVar("_R")


POLL = 0.1
"""Seconds after which a wait looks again whether the client was closed."""


class Clock(Protocol):
    """Time and the passing of it, in seconds."""

    def monotonic(self) -> float:
        """Give a time that never runs backwards."""
        ...

    def wall(self) -> float:
        """Give the seconds since the epoch."""
        ...

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Block until the seconds are over or the event is set."""
        ...

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Wait as ``sleep`` does; cancellation ends it at once."""
        ...


class SystemClock:
    """The time of this machine."""

    def monotonic(self) -> float:
        """Give ``time.monotonic``."""
        return time.monotonic()

    def wall(self) -> float:
        """Give ``time.time``."""
        return time.time()

    def sleep(self, seconds: float, until: threading.Event) -> None:
        """Look at the event ten times a second: waiting on it takes a lock that a fork could leave held."""
        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:
            time.sleep(min(left, POLL))

    async def async_sleep(self, seconds: float, until: threading.Event) -> None:
        """Look at the event ten times a second, since any thread may set it."""
        import anyio  # noqa: PLC0415 - see the top

        end = self.monotonic() + seconds
        while not until.is_set() and (left := end - self.monotonic()) > 0:  # noqa: ASYNC110 - no task waits on it
            await anyio.sleep(min(left, POLL))


_clock: Clock = SystemClock()


def current_clock() -> Clock:
    """Give the clock that clients made now will keep."""
    return _clock


@contextmanager
def use_clock(clock: Clock) -> Generator[None, None, None]:
    """Give another clock to the clients that are made meanwhile."""
    global _clock  # noqa: PLW0603 - clients are made deep inside the code under test
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


def connect_now(first_token: Callable[[], object]) -> None:
    """Fetch the first token while the client is made, so that wrong credentials fail there."""
    first_token()


def connect_later(first_token: Callable[[], object]) -> None:
    """Leave the first token to the first call: a constructor cannot wait."""


def start_thread(work: Callable[[], None]) -> bool:
    """Begin work in a daemon thread; tells whether there could be one, which is not so when the interpreter ends."""
    try:
        threading.Thread(target=work, name="pinecone-admin-token", daemon=True).start()
    except (RuntimeError, MemoryError):
        return False
    return True


def wait_for(future: Future[_T], seconds: float) -> bool:
    """Wait until a future is done, at most for the seconds; tells whether it is."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return done.wait(max(0.0, seconds))


async def async_wait_for(future: Future[_T], seconds: float) -> bool:
    """Wait as ``wait_for`` does, without a thread of its own and without blocking the loop."""
    import anyio  # noqa: PLC0415 - see the top

    done = anyio.Event()
    wake = _waker(done.set)
    future.add_done_callback(lambda _: wake())
    with anyio.move_on_after(max(0.0, seconds)):
        await done.wait()
    return future.done()


def _waker(call: Callable[[], None]) -> Callable[[], None]:
    """Make a function that calls into the current loop from any thread; it does nothing once the loop is closed."""
    import asyncio  # noqa: PLC0415 - see the top

    loop = running_loop()
    schedule = loop.call_soon_threadsafe if isinstance(loop, asyncio.AbstractEventLoop) else loop.run_sync_soon  # type: ignore[attr-defined]

    def wake() -> None:
        with suppress(RuntimeError):
            schedule(call)

    return wake


def running_loop() -> object:
    """Give the event loop one is in: asyncio's, or the token of trio's."""
    import asyncio  # noqa: PLC0415 - see the top

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - whoever runs in trio has it

        return trio.lowlevel.current_trio_token()


def addresses(host: str) -> list[str]:
    """Look a host up, so that each of its addresses can be tried in turn."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise httpcore.ConnectError(str(exc)) from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def async_addresses(host: str) -> list[str]:
    """Leave it to the backend, which tries all addresses at once."""
    return [host]


class PerLoop(Generic[_T]):
    """One value for each process and event loop, made when it is first asked for."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[object, tuple[int, _T]] = WeakKeyDictionary()

    def get(self) -> _T:
        """Give the value of this process and loop."""
        loop = running_loop()
        process, value = self._values.get(loop, (None, None))
        if value is None or process != os.getpid():
            self._drop_closed_loops()
            value = self._make()
            self._values[loop] = (os.getpid(), value)
        return value

    def _drop_closed_loops(self) -> None:
        # A pool refers to its loop, so the weak key alone never lets go of it.
        for loop in [reference() for reference in self._values.keyrefs()]:  # a copy: other threads add loops meanwhile
            if getattr(loop, "is_closed", bool)():
                self._values.pop(loop, None)

    def take(self) -> _T | None:
        """Give the value of this process and loop away, if there is one."""
        process, value = self._values.pop(running_loop(), (None, None))
        return value if process == os.getpid() else None


class PerProcess(Generic[_T]):
    """One value for each process; the twin of ``PerLoop`` where there is no loop."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: dict[int, _T] = {}

    def get(self) -> _T:
        """Give the value of this process; a dict's ``setdefault`` needs no lock that a fork could leave held."""
        value = self._values.get(os.getpid())
        return value if value is not None else self._values.setdefault(os.getpid(), self._make())

    def take(self) -> _T | None:
        """Give the value of this process away, if there is one."""
        return self._values.pop(os.getpid(), None)


class made_once(cached_property[_T]):  # noqa: N801 - a decorator, named as its base is
    """A ``cached_property`` without the lock that it has before Python 3.12, which a fork could leave held."""

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> _T: ...

    def __get__(self, instance: object, owner: type | None = None) -> Self | _T:
        """Give the value of an instance; made by two threads at once, the first one's is kept."""
        if instance is None:
            return self
        assert self.attrname is not None  # noqa: S101 - a class names what is in it
        kept: _T = vars(instance).setdefault(self.attrname, self.func(instance))
        return kept


def hang_up(stream: httpcore.NetworkStream) -> None:
    """End a connection for the thread that reads from it, too: it would not notice that another one closes it."""
    with suppress(OSError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def async_hang_up(stream: httpcore.AsyncNetworkStream) -> None:
    """Leave it to closing, which a task that reads does notice."""


def bound_reads(stream: httpcore.NetworkStream, left: Callable[[float | None], float | None]) -> None:
    """Bound TLS within the TLS of a proxy: httpcore makes many reads of one, and gives each of them the whole time."""
    outer = stream.get_extra_info("socket")
    if not isinstance(outer, ssl.SSLSocket):
        return
    receive = outer.recv

    def receive_in_time(buflen: int = 1024, flags: int = 0) -> bytes:
        outer.settimeout(left(outer.gettimeout()))
        return receive(buflen, flags)

    outer.recv = receive_in_time  # type: ignore[method-assign]


def async_bound_reads(stream: httpcore.AsyncNetworkStream, left: Callable[[float | None], float | None]) -> None:
    """Leave it to the backend, which times all reads of one together."""


class Slots:
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
            if self._has_come(turn):
                self.release()
            raise
        return self._has_come(turn)

    def _has_come(self, turn: threading.Event) -> bool:
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


class AsyncSlots:
    """So many can be taken at once, in one event loop; the twin of ``Slots``."""

    def __init__(self, count: int) -> None:
        import anyio  # noqa: PLC0415 - see the top

        self._free = anyio.Semaphore(count)

    async def acquire(self, seconds: float) -> bool:
        """Take one, within the seconds; tells whether there was one."""
        import anyio  # noqa: PLC0415 - see the top

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


class Patience:
    """Waits that double, from half a second to eight, until a deadline.

    Args:
        seconds: From now to the deadline.
    """

    def __init__(self, seconds: float) -> None:
        self._clock = current_clock()
        self._deadline = self._clock.monotonic() + seconds
        self._next = 0.5

    @property
    def left(self) -> float:
        """The seconds until the deadline, 0 when it is over."""
        return max(0.0, self._deadline - self._clock.monotonic())

    def wait(self) -> bool:
        """Wait once more; tells whether there is time left to look again."""
        self._clock.sleep(self._step(), _never)
        return self.left > 0

    async def async_wait(self) -> bool:
        """Do as ``wait`` does."""
        await self._clock.async_sleep(self._step(), _never)
        return self.left > 0

    def _step(self) -> float:
        step, self._next = self._next, min(8.0, 2 * self._next)
        return min(step, self.left)


_never = threading.Event()


def pause(seconds: float) -> None:
    """Wait for a while."""
    current_clock().sleep(seconds, _never)


async def async_pause(seconds: float) -> None:
    """Do as ``pause`` does."""
    await current_clock().async_sleep(seconds, _never)


def in_parallel(
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


async def async_in_parallel(
    work: Callable[[_T], Awaitable[_R]], items: Iterable[_T], *, limit: int, deliver: Callable[[_T, _R], object]
) -> None:
    """Do as ``in_parallel`` does with tasks; an exception, or cancellation, cancels those under way."""
    import anyio  # noqa: PLC0415 - see the top

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


def hand_over(store: Callable[[_T], object], secret: _T) -> None:
    """Have a secret stored, and refuse a store that has not done so when it comes back."""
    promise = store(secret)
    if isawaitable(promise):
        if iscoroutine(promise):
            promise.close()
        raise PineconeTypeError("store must be a plain function: nothing awaits what this one gave")


async def async_hand_over(store: Callable[[_T], object], secret: _T) -> None:
    """Have a secret stored, and await the store where it gives something to await."""
    promise = store(secret)
    if isawaitable(promise):
        await promise


def shielded(seconds: float) -> AbstractContextManager[object]:  # noqa: ARG001 - its twin needs them
    """Let what has to be cleaned up be cleaned up; nothing cancels a thread."""
    return nullcontext()


def async_shielded(seconds: float) -> AbstractContextManager[object]:
    """Let what has to be cleaned up be cleaned up, for at most the seconds, also while the task is cancelled."""
    import anyio  # noqa: PLC0415 - see the top

    return anyio.move_on_after(seconds, shield=True)


_LOADED_WHEN_USED = (
    "encodings.idna", "cattrs", "cattrs.cols", "cattrs.gen", "dateutil.parser", "generated_client.api",
    "pinecone_admin.{world}.api_keys", "pinecone_admin.{world}.invites", "pinecone_admin.{world}.organizations",
    "pinecone_admin.{world}.projects", "pinecone_admin.{world}.role_bindings",
    "pinecone_admin.{world}.service_accounts", "pinecone_admin.{world}.users",
)  # fmt: skip


def _load_before_fork() -> None:
    """Load it all: a child would wait for ever for a module that another thread was importing at that moment."""
    for world in ("_sync", "_async"):
        if f"pinecone_admin.{world}.client" in sys.modules:
            for name in _LOADED_WHEN_USED:
                import_module(name.format(world=world))
    if "pinecone_admin._async.client" in sys.modules:
        for backend in ("asyncio", "trio"):
            with suppress(ImportError):  # not everybody has trio
                import_module(f"anyio._backends._{backend}")


os.register_at_fork(before=_load_before_fork)
