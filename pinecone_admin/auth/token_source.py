"""What gives a request its token, and the source that asks for one which somebody else mints."""

from __future__ import annotations

from concurrent.futures import Future
from contextvars import copy_context
from typing import Protocol, TypeAlias

from pinecone_admin._concurrency import (
    AsyncFairSemaphore,
    PerLoop,
    PerProcess,
    async_wait_for_future,
    current_clock,
    set_result_once,
    start_daemon_thread,
    wait_for_future,
)
from pinecone_admin._http.returned_errors import raise_if_error, return_error
from pinecone_admin.auth.credentials import SuppliedToken
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.errors import ClientClosedError, PineconeError, PineconeTimeoutError


class TokenSource(Protocol):
    """Gives the token for a request, and another one where the API rejected it."""

    def get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Give a token; the rejected one again where there is no other."""
        ...

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Do as ``get`` does."""
        ...

    def adopt_rotated_secret(self, result: object) -> None:
        """Look at a decoded answer for a new secret of the account that the tokens are for."""
        ...

    def close(self) -> None:
        """Let every waiter go with an error."""
        ...


TokenResult: TypeAlias = AccessToken | PineconeError
"""What asking for a token ended with."""

CALLABLES_AT_ONCE = 20
"""How many tasks of an event loop ask a callable at once, each in a thread."""


class SuppliedTokenSource:
    """A token that somebody else mints: a callable is asked at each call, and once more after a 401.

    A callable may take its time, so it runs in a thread of its own, in the context of the call that asks: neither the
    event loop nor the end of the call's time waits for it.
    """

    def __init__(self, supplied: SuppliedToken) -> None:
        self._supplied = supplied
        self._clock = current_clock()
        self._semaphores = PerLoop(lambda: AsyncFairSemaphore(CALLABLES_AT_ONCE))
        self._running = PerProcess(set[Future[TokenResult]])
        self._closed = False

    def get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Ask for the token.

        Raises:
            PineconeValueError: The callable raised, or what it gave cannot be a token.
            PineconeTimeoutError: The deadline passed.
            ClientClosedError: The client is closed.
        """
        if not callable(self._supplied.token):
            return raise_if_error(_read_token(self._supplied))
        pending = self._call_in_thread()
        return raise_if_error(
            pending.result() if wait_for_future(pending, self._seconds_left(deadline)) else _timeout_error()
        )

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Do as ``get`` does, without blocking the loop."""
        if not callable(self._supplied.token):
            return raise_if_error(_read_token(self._supplied))
        semaphore = self._semaphores.get()
        if not await semaphore.acquire(self._seconds_left(deadline)):
            raise _timeout_error()
        try:
            pending = self._call_in_thread()
            done = await async_wait_for_future(pending, self._seconds_left(deadline))
        finally:
            semaphore.release()
        return raise_if_error(pending.result() if done else _timeout_error())

    def adopt_rotated_secret(self, result: object) -> None:
        """Hold no secret."""

    def close(self) -> None:
        """Let go whoever waits for the callable."""
        self._closed = True
        for pending in list(self._running.pop() or ()):
            set_result_once(pending, ClientClosedError("the client is closed"))

    def _seconds_left(self, deadline: float) -> float:
        return deadline - self._clock.monotonic()

    def _call_in_thread(self) -> Future[TokenResult]:
        pending, running = Future[TokenResult](), self._running.get()
        running.add(pending)
        pending.add_done_callback(running.discard)
        if self._closed:
            raise ClientClosedError("the client is closed")
        context = copy_context()
        if not start_daemon_thread(lambda: context.run(_run_callable, self._supplied, pending)):
            _run_callable(self._supplied, pending)
        return pending


def _run_callable(supplied: SuppliedToken, pending: Future[TokenResult]) -> None:
    try:
        result = _read_token(supplied)
    except BaseException as exc:  # noqa: BLE001 - whatever it is, sys.exit() too, nobody must wait for ever
        result = PineconeError(f"access_token: the callable failed with {type(exc).__name__}", operation="get_token")
    set_result_once(pending, result)


def _read_token(supplied: SuppliedToken) -> TokenResult:
    value = return_error(supplied.read)
    return value if isinstance(value, PineconeError) else AccessToken(value=value, expires_at=None)


def _timeout_error() -> PineconeError:
    return PineconeTimeoutError("access_token: the callable gave none in time", operation="get_token")
