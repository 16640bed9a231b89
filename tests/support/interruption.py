"""Cancel or interrupt a call at a chosen request, as a timeout or Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType

import anyio
import anyio.lowlevel
import httpx
import sniffio

from pinecone_admin.emulator import Emulator
from tests.support.concurrency import PATIENCE
from tests.support.fault_injection import FaultyTransport


class InterruptingTransport(FaultyTransport):
    """Interrupts the call at one request.

    Args:
        emulator: Processes the requests.
        number: The number of the request, from 1; 0 for none.
        after: Whether the call is interrupted once the request is processed, and not before it is sent.

    Attributes:
        interrupt: Interrupts the call; the functions below set it.
    """

    def __init__(self, emulator: Emulator, number: int, *, after: bool) -> None:
        super().__init__(emulator)
        self._number = number
        self._after = after
        self.interrupt: Callable[[], object] = lambda: None

    def trigger(self) -> None:
        """Interrupt the call now."""
        self.interrupt()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and interrupt the call if this is its turn."""
        self._interrupt_at(request, after=False)
        response = super().handle_request(request)
        self._interrupt_at(request, after=True, passed=1)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and interrupt the call if this is its turn."""
        if self._interrupt_at(request, after=False):
            await anyio.lowlevel.checkpoint()
        response = await super().handle_async_request(request)
        if self._interrupt_at(request, after=True, passed=1):
            await anyio.lowlevel.checkpoint()
        return response

    def _interrupt_at(self, request: httpx.Request, *, after: bool, passed: int = 0) -> bool:
        chosen = (
            after is self._after
            and request.url.path != "/oauth/token"
            and len(self.requests) + 1 - passed == self._number
        )
        if chosen:
            self._number = 0
            self.interrupt()
        return chosen


def yield_once() -> None:
    """Do nothing: Ctrl-C is raised at once."""


async def async_yield_once() -> None:
    """Let a cancellation take effect."""
    await anyio.lowlevel.checkpoint()


async def async_run_interruptibly(
    work: Callable[[], Awaitable[object]], arm: Callable[[Callable[[], object]], None], *, by_task: bool
) -> BaseException | None:
    """Run a call, and return the exception of the interruption, or None if the call completed.

    Args:
        work: The call.
        arm: Receives the function that interrupts it.
        by_task: In asyncio, cancel the task, as ``asyncio.timeout`` does, and not a cancel scope of anyio.
    """
    interruption: BaseException | None = None
    task = asyncio.current_task() if by_task and sniffio.current_async_library() == "asyncio" else None
    with anyio.CancelScope() as scope:
        arm(scope.cancel if task is None else task.cancel)
        try:
            await work()
        except anyio.get_cancelled_exc_class() as error:
            interruption = error
            if task is None:
                raise
            task.uncancel()
    return interruption


def run_interruptibly(
    work: Callable[[], object],
    arm: Callable[[Callable[[], object]], None],
    *,
    by_task: bool,  # noqa: ARG001 - the async one needs it
) -> BaseException | None:
    """Sync version of ``async_run_interruptibly``, with Ctrl-C."""
    main, handled = threading.main_thread(), threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        handled.set()
        raise KeyboardInterrupt

    def interrupt() -> None:
        assert main.ident is not None
        signal.pthread_kill(main.ident, signal.SIGINT)
        assert handled.wait(PATIENCE)

    before = signal.signal(signal.SIGINT, handle)
    try:
        arm(interrupt)
        work()
    except KeyboardInterrupt as error:
        return error
    finally:
        signal.signal(signal.SIGINT, before)
    return None
