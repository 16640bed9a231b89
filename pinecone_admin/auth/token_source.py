"""What gives a request its token, and the source that asks for one which somebody else mints."""

from __future__ import annotations

from concurrent.futures import Future
from contextvars import copy_context
from typing import Protocol, TypeAlias

from pinecone_admin._concurrency import (
    AsyncSlots,
    PerLoop,
    PerProcess,
    async_wait_for,
    current_clock,
    finish,
    start_thread,
    wait_for,
)
from pinecone_admin.auth.credentials import Bearer
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

    def learn(self, answer: object) -> None:
        """Look at a decoded answer for a new secret of the account that the tokens are for."""
        ...

    def close(self) -> None:
        """Let every waiter go with an error."""
        ...


Given: TypeAlias = AccessToken | PineconeError
"""What asking for a token ended with."""

ASKED_AT_ONCE = 20
"""How many tasks of an event loop ask a callable at once, each in a thread."""


class BearerSource:
    """A token that somebody else mints: a callable is asked at each call, and once more after a 401.

    A callable may take its time, so it runs in a thread of its own, in the context of the call that asks: neither the
    event loop nor the end of the call's time waits for it.
    """

    def __init__(self, bearer: Bearer) -> None:
        self._bearer = bearer
        self._clock = current_clock()
        self._turns = PerLoop(lambda: AsyncSlots(ASKED_AT_ONCE))
        self._asked = PerProcess(set[Future[Given]])
        self._closed = False

    def get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Ask for the token.

        Raises:
            PineconeValueError: The callable raised, or what it gave cannot be a token.
            PineconeTimeoutError: The deadline passed.
            ClientClosedError: The client is closed.
        """
        if not callable(self._bearer.token):
            return _given(_read(self._bearer))
        answer = self._ask()
        return _given(answer.result() if wait_for(answer, self._left(deadline)) else _late())

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Do as ``get`` does, without blocking the loop."""
        if not callable(self._bearer.token):
            return _given(_read(self._bearer))
        turns = self._turns.get()
        if not await turns.acquire(self._left(deadline)):
            raise _late()
        try:
            answer = self._ask()
            done = await async_wait_for(answer, self._left(deadline))
        finally:
            turns.release()
        return _given(answer.result() if done else _late())

    def learn(self, answer: object) -> None:
        """Hold no secret."""

    def close(self) -> None:
        """Let go whoever waits for the callable."""
        self._closed = True
        for answer in list(self._asked.take() or ()):
            finish(answer, ClientClosedError("the client is closed"))

    def _left(self, deadline: float) -> float:
        return deadline - self._clock.monotonic()

    def _ask(self) -> Future[Given]:
        answer, asked = Future[Given](), self._asked.get()
        asked.add(answer)
        answer.add_done_callback(asked.discard)
        if self._closed:
            raise ClientClosedError("the client is closed")
        context = copy_context()
        if not start_thread(lambda: context.run(_answer, self._bearer, answer)):
            _answer(self._bearer, answer)
        return answer


def _answer(bearer: Bearer, answer: Future[Given]) -> None:
    try:
        given = _read(bearer)
    except BaseException as exc:  # noqa: BLE001 - whatever it is, sys.exit() too, nobody must wait for ever
        given = PineconeError(f"access_token: the callable failed with {type(exc).__name__}", operation="get_token")
    finish(answer, given)


def _read(bearer: Bearer) -> Given:
    try:
        return AccessToken(value=bearer.read(), expires_at=None)
    except PineconeError as exc:
        # The frames of its traceback hold the token.
        return exc.with_traceback(None)


def _given(given: Given) -> AccessToken:
    if isinstance(given, PineconeError):
        raise given
    return given


def _late() -> PineconeError:
    return PineconeTimeoutError("access_token: the callable gave none in time", operation="get_token")
