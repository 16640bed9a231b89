"""The interface of token sources, and the source of supplied tokens; token_provider.py has that of exchanged ones."""

from __future__ import annotations

from contextvars import copy_context
from typing import Protocol, TypeAlias

from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.sharing import AsyncFairSemaphore, PerLoop, PerProcess
from pinecone_admin._concurrency.waiting import SharedResult, start_daemon_thread
from pinecone_admin._http.returned_errors import raise_if_error, return_error
from pinecone_admin.auth.credentials import SuppliedToken
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.errors import ClientClosedError, PineconeError, PineconeTimeoutError


class TokenSource(Protocol):
    """Gives each request its token, and another one after the API rejected it."""

    @property
    def client_id(self) -> str | None:
        """Client id of the account of the tokens, or None if it is not known."""
        ...

    def get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token; the rejected one again if there is no other."""
        ...

    async def async_get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Async version of ``get_token``."""
        ...

    def adopt_rotated_secret(self, result: object) -> None:
        """Use the new secret from now on if a decoded response has one for the service account of this client."""
        ...

    def close(self) -> None:
        """End every wait for a token with ClientClosedError."""
        ...


TokenResult: TypeAlias = AccessToken | PineconeError
"""A token, or the error that is raised instead."""

MAX_CONCURRENT_CALLABLES = 20
"""Maximum number of tasks of an event loop that run a callable at once, each in a thread."""


class SuppliedTokenSource:
    """Source of a token supplied by the caller; a callable is called for each call, and once more after a 401.

    A callable may be slow, so it runs in its own thread, in the context of the call. There, it neither blocks the event
    loop nor delays the timeout of the call.
    """

    def __init__(self, supplied: SuppliedToken) -> None:
        self._supplied = supplied
        self._clock = current_clock()
        self._semaphores = PerLoop(lambda: AsyncFairSemaphore(MAX_CONCURRENT_CALLABLES))
        self._running = PerProcess(set[SharedResult[TokenResult]])
        self._closed = False
        self.client_id: str | None = None

    def get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Return the supplied token.

        Raises:
            TokenError: The callable raised.
            PineconeValueError: Its result cannot be a token.
            PineconeTimeoutError: The deadline passed.
            ClientClosedError: The client is closed.
        """
        if not callable(self._supplied.token):
            return raise_if_error(_read_token(self._supplied))
        pending = self._call_in_thread()
        return raise_if_error(pending.get() if pending.wait(self._seconds_left(deadline)) else _timeout_error())

    async def async_get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Async version of ``get_token``, which does not block the event loop."""
        if not callable(self._supplied.token):
            return raise_if_error(_read_token(self._supplied))
        semaphore = self._semaphores.get()
        if not await semaphore.acquire(self._seconds_left(deadline)):
            raise _timeout_error()
        try:
            pending = self._call_in_thread()
            done = await pending.async_wait(self._seconds_left(deadline))
        finally:
            semaphore.release()
        return raise_if_error(pending.get() if done else _timeout_error())

    def adopt_rotated_secret(self, result: object) -> None:
        """Do nothing: a supplied token has no client secret."""

    def close(self) -> None:
        """End every wait for the callable with ClientClosedError."""
        self._closed = True
        for pending in list(self._running.pop() or ()):
            pending.set(ClientClosedError("the client is closed"))

    def _seconds_left(self, deadline: float) -> float:
        return deadline - self._clock.monotonic()

    def _call_in_thread(self) -> SharedResult[TokenResult]:
        pending, running = SharedResult[TokenResult](), self._running.get()
        running.add(pending)
        # Checked after the result is registered: a ``close`` in between ends it, a ``close`` before is seen here.
        if self._closed:
            raise ClientClosedError("the client is closed")
        context = copy_context()

        def run() -> None:
            context.run(_run_callable, self._supplied, pending)
            running.discard(pending)

        if not start_daemon_thread(run):
            run()  # without a thread, as during the shutdown of the interpreter, the callable runs in this one
        return pending


def _run_callable(supplied: SuppliedToken, pending: SharedResult[TokenResult]) -> None:
    try:
        result = _read_token(supplied)
    except BaseException as exc:  # noqa: BLE001 - even after sys.exit() no caller must wait forever
        result = PineconeError(f"access_token: the callable failed with {type(exc).__name__}", operation="get_token")
    pending.set(result)


def _read_token(supplied: SuppliedToken) -> TokenResult:
    value = return_error(supplied.read)
    return value if isinstance(value, PineconeError) else AccessToken(value=value, expires_at=None)


def _timeout_error() -> PineconeError:
    return PineconeTimeoutError("access_token: the callable returned no token in time", operation="get_token")
