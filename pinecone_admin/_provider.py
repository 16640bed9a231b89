"""Where the bearer token of a request comes from: one object for both worlds, shared by every call of a client."""

from __future__ import annotations

import copy
import json
import logging
import os
import random
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Protocol, TypeAlias
from weakref import WeakSet

import httpx
from attrs import define, evolve, field, frozen

from generated_client import models
from generated_client.types import API_VERSION
from pinecone_admin._cache import SafeCache
from pinecone_admin._config import Bearer, Credentials, check_text
from pinecone_admin._errors import from_exception, without
from pinecone_admin._primitives import Clock, async_wait_for, current_clock, wait_for
from pinecone_admin._retry import CALL, Call
from pinecone_admin._token import (
    AUDIENCE,
    MAX_ANSWER,
    AccessToken,
    Answer,
    Minted,
    Unusable,
    Use,
    cooldown,
    fingerprint,
    judge,
    read_answer,
    refusal,
)
from pinecone_admin.errors import (
    ClientClosedError,
    InvalidCredentialsError,
    Masked,
    PineconeError,
    PineconeTimeoutError,
    TokenError,
)

_log = logging.getLogger("pinecone_admin")

REJECTION_INTERVAL = 30.0
"""Seconds within which no second 401 of the API causes an exchange."""


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


class BearerSource:
    """A token that somebody else mints: a callable is asked at each call, and once more after a 401."""

    def __init__(self, bearer: Bearer) -> None:
        self._bearer = bearer

    def get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:  # noqa: ARG002
        """Ask for the token."""
        token = _read_bearer(self._bearer)
        if isinstance(token, PineconeError):
            raise token
        return token

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Ask for the token."""
        return self.get(deadline=deadline, rejected=rejected)

    def learn(self, answer: object) -> None:
        """Hold no secret."""

    def close(self) -> None:
        """Hold nothing."""


def _read_bearer(bearer: Bearer) -> AccessToken | PineconeError:
    try:
        return AccessToken(value=bearer.read(), expires_at=None)
    except PineconeError as exc:
        # The frames of its traceback hold the token.
        return exc.with_traceback(None)


@frozen(kw_only=True)
class Exchange:
    """Trades credentials for a token at the token endpoint.

    Attributes:
        url: Address of the endpoint.
        agent: User-Agent, the same as for the API.
        transport: Retrying transport to send with.
        timeout: Seconds for all attempts.
        clock: Where the time comes from.
        closed: Set once the client is closed.
    """

    url: str
    agent: str
    transport: httpx.BaseTransport
    timeout: float
    clock: Clock
    closed: threading.Event

    def mint(self, client_id: str, client_secret: Masked) -> Minted | PineconeError:
        """Ask for a token; a failure is returned, so that no traceback passes through frames that hold the secret."""
        monotonic, wall = self.clock.monotonic(), self.clock.wall()
        call = Call(
            deadline=monotonic + self.timeout,
            idempotent=True,
            label=httpx.URL(self.url).path,
            closed=self.closed,
        )
        try:
            response = self.transport.handle_request(self._request(client_id, client_secret, call))
            response = without(response, client_secret.reveal())
            body = _read(response)
        except Exception as exc:  # noqa: BLE001 - whatever a transport raises means no token
            call.outcome = "not_sent"
            return from_exception(exc, operation="get_token", call=call, host=httpx.URL(self.url).host)
        if not response.is_success:
            error = refusal(status=response.status_code, headers=response.headers, body=body, wall=wall)
            return _attributed(error, call.attempts)
        answer = read_answer(body, wall=wall)
        if isinstance(answer, Unusable):
            error = TokenError(
                answer.problem,
                status_code=response.status_code,
                outcome="not_sent",
                headers=dict(response.headers),
            )
            return _attributed(error, call.attempts)
        return self._minted(answer, monotonic, wall)

    def _request(self, client_id: str, client_secret: Masked, call: Call) -> httpx.Request:
        body = {
            "client_id": client_id,
            "client_secret": client_secret.reveal(),
            "grant_type": "client_credentials",
            "audience": AUDIENCE,
        }
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": self.agent,
            "x-pinecone-api-version": API_VERSION,
        }
        return httpx.Request(
            "POST", self.url, headers=headers, content=json.dumps(body).encode(), extensions={CALL: call}
        )

    def _minted(self, answer: Answer, monotonic: float, wall: float) -> Minted:
        if answer.assumed:
            _log.warning("the token endpoint gave no usable expires_in: the token is used for %d s", answer.lifetime)
        return Minted(
            token=AccessToken(value=answer.token, expires_at=wall + answer.lifetime),
            lifetime=answer.lifetime,
            monotonic=monotonic,
            wall=wall,
            jitter=random.uniform(0.0, 0.2),  # noqa: S311 - spreads load, guards nothing
        )


def _read(response: httpx.Response) -> bytes:
    body = b"".join(response.stream)  # type: ignore[arg-type]
    response.close()
    return body if len(body) <= MAX_ANSWER else b""


def _attributed(error: TokenError, attempts: int) -> TokenError:
    error.operation, error.attempts = "get_token", attempts
    return error


Flown: TypeAlias = Minted | PineconeError | None
"""What an exchange ended with; None where the credentials changed under way."""


@define(kw_only=True)
class _Failures:
    """Failed exchanges in a row with the same credentials."""

    credentials: str
    count: int = 0
    error: PineconeError
    until: float = 0.0


@frozen
class _Rotated:
    """A secret that a rotation gave, and the fingerprint of the configured credentials that it stands in for."""

    replaced: str
    client_secret: Masked


@frozen
class _Wait:
    """An exchange to wait for, and the token to serve where it fails."""

    exchange: Future[Flown]
    fallback: AccessToken | None = field(default=None)


class TokenProvider:
    """Keeps one token for any number of threads, event loops and forked children, with one exchange at a time.

    The lock is never held during I/O: the exchange runs in a thread of its own, and everybody waits for its future.

    Args:
        credentials: Client id and secret, read afresh at each exchange.
        exchange: Trades them for a token.
        cache: Shares tokens with other processes, where there is one.
    """

    def __init__(self, *, credentials: Credentials, exchange: Exchange, cache: SafeCache | None = None) -> None:
        self._credentials = credentials
        self._client_id: str | None = None
        self._configured = ""
        self._used = ""
        self._rotated: _Rotated | None = None
        self._cache = cache
        self._exchange = exchange
        self._clock = current_clock()
        self._current: Minted | None = None
        self._failures: _Failures | None = None
        self._rejected_at = float("-inf")
        self._closed = False
        self.forget_process()
        _providers.add(self)

    def forget_process(self) -> None:
        """Drop what belongs to the process before a fork: its lock may be held, and its thread is not here."""
        self._lock = threading.RLock()
        self._in_flight: Future[Flown] | None = None
        if self._current is not None:
            self._current = evolve(self._current, jitter=random.uniform(0.0, 0.2))  # noqa: S311

    def get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Give a token that should be accepted.

        Args:
            deadline: Monotonic time until which to wait.
            rejected: The token that the API answered 401 to.

        Raises:
            TokenError: The token endpoint refused, or answered something else than a token.
            PineconeConnectionError: It cannot be reached.
            PineconeTimeoutError: The deadline passed.
            ClientClosedError: The client is closed.
        """
        while True:
            step = self._next(rejected)
            if isinstance(step, AccessToken):
                return step
            done = wait_for(step.exchange, self._patience(step, deadline))
            token = self._result(step, done=done)
            if token is not None:
                return token

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Do as ``get`` does, without blocking the loop."""
        while True:
            step = self._next(rejected)
            if isinstance(step, AccessToken):
                return step
            done = await async_wait_for(step.exchange, self._patience(step, deadline))
            token = self._result(step, done=done)
            if token is not None:
                return token

    def update_secret(self, client_secret: str) -> PineconeError | None:
        """Use another secret from now on; a problem is returned, so that no traceback holds the secret."""
        if self._closed:
            return _closed()
        try:
            check_text("client_secret", client_secret)
        except PineconeError as exc:
            return exc.with_traceback(None)
        self._start_over(evolve(self._credentials, client_secret=client_secret), None)
        return None

    def learn(self, answer: object) -> None:
        """Adopt the new secret where the account that was rotated is the one that this client runs on."""
        # Looked up by name: an older API document may lack it.
        found: Any = answer if isinstance(answer, getattr(models, "ServiceAccountWithSecret", ())) else None
        if found is not None and found.service_account.client_id == self._client_id:
            rotated = _Rotated(self._configured, Masked(found.client_secret))
            self._start_over(self._credentials, rotated)

    def _start_over(self, credentials: Credentials, rotated: _Rotated | None) -> None:
        with self._lock:
            self._credentials, self._rotated = credentials, rotated
            superseded, self._in_flight = self._in_flight, None
            self._current = self._failures = None
        if superseded is not None:
            _finish(superseded, None)

    def close(self) -> None:
        """Let every waiter go with ClientClosedError; a late answer is dropped."""
        with self._lock:
            self._closed = True
            waiting, self._in_flight, self._current = self._in_flight, None, None
        if waiting is not None:
            _finish(waiting, _closed())

    def _next(self, rejected: AccessToken | None) -> AccessToken | _Wait:
        minted, monotonic = self._current, self._clock.monotonic()
        use = judge(minted, monotonic=monotonic, wall=self._clock.wall())
        if rejected is None and minted is not None and use is Use.SERVE:
            return minted.token
        with self._lock:
            if self._closed:
                raise _closed()
            minted = self._current
            if rejected is not None and minted is not None and rejected.value == minted.token.value:
                return self._after_rejection(rejected, monotonic)
            use = judge(minted, monotonic=monotonic, wall=self._clock.wall())
            return self._step(minted, use, monotonic)

    def _after_rejection(self, rejected: AccessToken, monotonic: float) -> AccessToken | _Wait:
        if self._in_flight is None and monotonic - self._rejected_at < REJECTION_INTERVAL:
            return rejected
        self._rejected_at = monotonic
        return _Wait(self._flight())

    def _step(self, minted: Minted | None, use: Use, monotonic: float) -> AccessToken | _Wait:
        if minted is None or use is Use.WAIT:
            return _Wait(self._flight())
        if use is Use.WAIT_AND_FALL_BACK:
            return _Wait(self._flight(), minted.token)
        if use is Use.REFRESH_IN_BACKGROUND and not (self._failures and monotonic < self._failures.until):
            self._flight()
        return minted.token

    def _flight(self) -> Future[Flown]:
        """Join the exchange under way, or start one; called with the lock held."""
        if self._in_flight is not None:
            return self._in_flight
        flight = self._in_flight = Future[Flown]()
        thread = threading.Thread(target=self._fly, args=(flight,), name="pinecone-admin-token", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is shutting down and starts no threads; the lock lets its own thread in again.
            self._fly(flight)
        return flight

    def _fly(self, flight: Future[Flown]) -> None:
        try:
            result = self._mint()
        except Exception as exc:  # noqa: BLE001 - whatever it is, nobody must wait for ever
            result = PineconeError(f"the token exchange failed with {type(exc).__name__}", operation="get_token")
        with self._lock:
            superseded = self._in_flight is not flight
            if not superseded:
                self._in_flight = None
                self._note(result)
        _finish(flight, None if superseded else result)

    def _mint(self) -> Minted | PineconeError:
        try:
            client_id, client_secret = self._read_credentials()
        except PineconeError as exc:
            # The frames of its traceback hold the secret.
            return exc.with_traceback(None)
        credentials = self._used = fingerprint(client_id, client_secret.reveal())
        failures, now = self._failures, self._clock.monotonic()
        if failures is not None and failures.credentials == credentials and now < failures.until:
            return failures.error
        return self._cached_or_new(client_id, client_secret)

    def _note(self, result: Minted | PineconeError) -> None:
        if isinstance(result, Minted):
            self._current, self._failures = result, None
        elif self._failures is None or result is not self._failures.error:
            self._failures = _after(self._failures, self._used, result, self._clock.monotonic())

    def _read_credentials(self) -> tuple[str, Masked]:
        """Read them afresh; a secret that a rotation has replaced gives way until something else is configured."""
        client_id, client_secret = self._credentials.read()
        self._client_id, self._configured = client_id, fingerprint(client_id, client_secret)
        if self._rotated is not None and self._rotated.replaced == self._configured:
            return client_id, self._rotated.client_secret
        return client_id, Masked(client_secret)

    def _cached_or_new(self, client_id: str, client_secret: Masked) -> Minted | PineconeError:
        if self._cache is None:
            return self._exchange.mint(client_id, client_secret)
        key = fingerprint(self._exchange.url, AUDIENCE, client_id, client_secret.reveal())
        with self._cache.locked(key):
            current = None if self._current is None else self._current.token.value
            found = self._cache.load(key, monotonic=self._clock.monotonic(), wall=self._clock.wall())
            if found is not None and found.token.value != current:
                return found
            result = self._exchange.mint(client_id, client_secret)
            if isinstance(result, Minted):
                self._cache.store(key, result)
            return result

    def _result(self, wait: _Wait, *, done: bool) -> AccessToken | None:
        """Give the token of a finished exchange, or None where another one has taken its place."""
        result = wait.exchange.result() if done else self._late()
        if result is None:
            return None
        if isinstance(result, Minted):
            return result.token
        if wait.fallback is not None:
            if self._is_alive(wait.fallback):
                return wait.fallback
            if not done:
                return None  # the old token has ended or was replaced, and the time of the call is not over
        raise copy.copy(result)  # every waiter raises one of its own

    def _late(self) -> PineconeError:
        host = httpx.URL(self._exchange.url).host
        return PineconeTimeoutError(f"no token in time from {host}", operation="get_token")

    def _patience(self, wait: _Wait, deadline: float) -> float:
        """Give the seconds to wait: where the old token still lives, half of the call's time is left to use it."""
        now, minted = self._clock.monotonic(), self._current
        left = deadline - now
        if wait.fallback is None or minted is None:
            return left
        return min(left / 2, minted.left(monotonic=now, wall=self._clock.wall()) / 2)

    def _is_alive(self, token: AccessToken) -> bool:
        minted = self._current
        if minted is None or minted.token != token:
            return False
        return minted.left(monotonic=self._clock.monotonic(), wall=self._clock.wall()) > 0


def _after(failures: _Failures | None, credentials: str, error: PineconeError, now: float) -> _Failures:
    repeated = failures is not None and failures.credentials == credentials
    count = failures.count + 1 if failures is not None and repeated else 1
    rest = cooldown(
        count,
        credentials=isinstance(error, InvalidCredentialsError),
        retry_after=error.retry_after if isinstance(error, TokenError) else None,
    )
    return _Failures(credentials=credentials, count=count, error=error, until=now + rest)


def _finish(flight: Future[Flown], result: Flown) -> None:
    with suppress(InvalidStateError):  # closed meanwhile
        flight.set_result(result)


def _closed() -> ClientClosedError:
    return ClientClosedError("the client is closed")


_providers: WeakSet[TokenProvider] = WeakSet()


def _after_fork() -> None:
    for provider in list(_providers):
        provider.forget_process()


os.register_at_fork(after_in_child=_after_fork)
