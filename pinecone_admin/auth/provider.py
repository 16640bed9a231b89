"""The token that a client mints: one object for both worlds, shared by every call."""

from __future__ import annotations

import copy
import os
import random
import threading
from concurrent.futures import Future
from typing import Any, TypeAlias
from weakref import WeakSet

import httpx
from attrs import define, evolve, field, frozen

from generated_client import models
from pinecone_admin._concurrency import async_wait_for, current_clock, finish, start_thread, wait_for
from pinecone_admin._http.validation import check_text
from pinecone_admin.auth.cache import SafeCache
from pinecone_admin.auth.credentials import Credentials
from pinecone_admin.auth.token import AUDIENCE, AccessToken, Failures, Minted, Use, failed, fingerprint, judge
from pinecone_admin.auth.token_endpoint import Exchange
from pinecone_admin.errors import ClientClosedError, Masked, PineconeError, PineconeTimeoutError

REJECTION_INTERVAL = 30.0
"""Seconds within which no second 401 of the API causes an exchange."""

Flown: TypeAlias = Minted | PineconeError | None
"""What an exchange ended with; None where another one has taken its place."""


@frozen(kw_only=True)
class _Account:
    """Whom a token is for: the client id, and fingerprints of the credentials as configured and as used."""

    client_id: str
    configured: str
    used: str


@frozen
class _Rotated:
    """A secret that a rotation gave, and the fingerprint of the configured credentials that it stands in for."""

    replaced: str
    client_secret: Masked


@define(eq=False, kw_only=True)
class _Flight:
    """An exchange, which begins outside of the lock by whoever comes first.

    Attributes:
        since: Monotonic time at which it was asked for.
        until: Monotonic time from which it counts as hanging, and another one takes its place.
        patience: Seconds to wait for the lock of the cache.
        account: Whom it is for, once that is known.
        landed: What it ended with.
    """

    since: float
    until: float
    patience: float
    account: _Account | None = field(init=False, default=None)
    landed: Future[Flown] = field(init=False, factory=Future[Flown])
    _grounded: threading.Lock = field(init=False, factory=threading.Lock)

    def begins(self) -> bool:
        """Tell whether it is the caller's turn to begin it: only the first one's."""
        return self._grounded.acquire(blocking=False)

    def land(self, result: Flown) -> None:
        """Let everybody who waits have the result."""
        finish(self.landed, result)


@frozen
class _Wait:
    """An exchange to wait for, and the token to serve where it fails or takes too long."""

    flight: _Flight
    fallback: AccessToken | None = None


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
        self._account: _Account | None = None
        self._rotated: _Rotated | None = None
        self._cache = cache
        self._exchange = exchange
        self._clock = current_clock()
        self._current: Minted | None = None
        self._failures: Failures | None = None
        self._rejected_at = float("-inf")
        self._closed = False
        self.forget_process()
        _providers.add(self)

    def forget_process(self) -> None:
        """Drop what belongs to the process before a fork: its lock may be held, and its thread is not here."""
        self._lock = threading.RLock()  # a signal handler may ask while its own thread holds it
        self._in_flight: _Flight | None = None
        self._hanging = 0
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
            step = self._next(rejected, deadline)
            if isinstance(step, AccessToken):
                return step
            done = wait_for(step.flight.landed, self._patience(step, deadline))
            token = self._result(step, done=done)
            if token is not None:
                return token

    async def async_get(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Do as ``get`` does, without blocking the loop."""
        while True:
            step = self._next(rejected, deadline)
            if isinstance(step, AccessToken):
                return step
            done = await async_wait_for(step.flight.landed, self._patience(step, deadline))
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
        account = self._account
        if found is not None and account is not None and found.service_account.client_id == account.client_id:
            self._start_over(self._credentials, _Rotated(account.configured, Masked(found.client_secret)))

    def _start_over(self, credentials: Credentials, rotated: _Rotated | None) -> None:
        with self._lock:
            self._credentials, self._rotated = credentials, rotated
            superseded, self._in_flight = self._in_flight, None
            self._current = self._failures = None
        if superseded is not None:
            superseded.land(None)

    def close(self) -> None:
        """Let every waiter go with ClientClosedError; a late answer is dropped."""
        with self._lock:
            self._closed = True
            waiting, self._in_flight, self._current = self._in_flight, None, None
        if waiting is not None:
            waiting.land(_closed())

    def _next(self, rejected: AccessToken | None, deadline: float) -> AccessToken | _Wait:
        minted, now = self._current, self._clock.monotonic()
        use = judge(minted, monotonic=now, wall=self._clock.wall())
        if rejected is None and minted is not None and use is Use.SERVE:
            return minted.token
        with self._lock:
            if self._closed:
                raise _closed()
            step = self._plan(rejected, now, deadline)
            flight = self._in_flight
        if flight is not None and flight.begins():
            self._begin(flight, deadline)
        return step

    def _plan(self, rejected: AccessToken | None, now: float, deadline: float) -> AccessToken | _Wait:
        """Decide what to serve or to wait for, and ask for the exchange that this needs."""
        minted = self._current
        if rejected is not None and minted is not None and rejected.value == minted.token.value:
            if self._in_flight is None and now - self._rejected_at < REJECTION_INTERVAL:
                return rejected
            self._rejected_at = now
            return _Wait(self._flight(now, deadline))
        use = judge(minted, monotonic=now, wall=self._clock.wall())
        if minted is None or use is Use.WAIT:
            return _Wait(self._flight(now, deadline))
        if use is Use.WAIT_AND_FALL_BACK:
            return _Wait(self._flight(now, deadline), minted.token)
        if use is Use.REFRESH_IN_BACKGROUND and (self._failures is None or now >= self._failures.until):
            self._flight(now, deadline)
        return minted.token

    def _flight(self, now: float, deadline: float) -> _Flight:
        """Join the exchange under way, or make one; called with the lock held."""
        if self._in_flight is not None:
            if now < self._in_flight.until:
                return self._in_flight
            self._hanging += 1
            self._in_flight.land(None)
        # Each one that hangs keeps a thread, so the next one is given twice the time.
        allowed = 2 * self._exchange.timeout * 2**self._hanging
        self._in_flight = _Flight(since=now, until=now + allowed, patience=(deadline - now) / 4)
        return self._in_flight

    def _begin(self, flight: _Flight, deadline: float) -> None:
        if not start_thread(lambda: self._fly(flight, float("inf"))):
            # The call waits for it then, and needs time of its own afterwards.
            now = self._clock.monotonic()
            self._fly(flight, now + (deadline - now) / 2)

    def _fly(self, flight: _Flight, deadline: float) -> None:
        try:
            result = self._mint(flight, deadline)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, sys.exit() too, nobody must wait for ever
            result = PineconeError(f"the token exchange failed with {type(exc).__name__}", operation="get_token")
        with self._lock:
            if self._in_flight is flight:
                self._in_flight, self._hanging = None, 0
                self._note(result, flight.account)
            else:
                result = None
        flight.land(result)

    def _mint(self, flight: _Flight, deadline: float) -> Flown:
        try:
            account, client_secret = self._read_credentials()
        except PineconeError as exc:
            # The frames of its traceback hold the secret.
            return exc.with_traceback(None)
        flight.account = account
        if self._in_flight is not flight:
            return None
        failures, now = self._failures, self._clock.monotonic()
        if failures is not None and failures.credentials == account.used and now < failures.until:
            return failures.error
        if self._cache is None:
            return self._exchange.mint(account.client_id, client_secret, deadline=deadline)
        key = fingerprint(self._exchange.url, AUDIENCE, account.client_id, client_secret.reveal())
        with self._cache.locked(key, flight.patience):
            return self._cached_or_new(key, account.client_id, client_secret, deadline)

    def _note(self, result: Flown, account: _Account | None) -> None:
        if isinstance(result, Minted):
            self._current, self._failures, self._account = result, None, account
        elif result is not None and (self._failures is None or result is not self._failures.error):
            credentials = "" if account is None else account.used
            self._failures = failed(self._failures, result, credentials=credentials, now=self._clock.monotonic())

    def _read_credentials(self) -> tuple[_Account, Masked]:
        """Read them afresh; a secret that a rotation has replaced gives way until something else is configured."""
        client_id, client_secret = self._credentials.read()
        configured = fingerprint(client_id, client_secret)
        secret, rotated = Masked(client_secret), self._rotated
        if rotated is not None and rotated.replaced == configured:
            secret = rotated.client_secret
        used = fingerprint(client_id, secret.reveal())
        return _Account(client_id=client_id, configured=configured, used=used), secret

    def _cached_or_new(
        self, key: str, client_id: str, client_secret: Masked, deadline: float
    ) -> Minted | PineconeError:
        assert self._cache is not None  # noqa: S101 - asked only where there is one
        current = None if self._current is None else self._current.token.value
        found = self._cache.load(key, monotonic=self._clock.monotonic(), wall=self._clock.wall())
        if found is not None and found.token.value != current:
            return found
        result = self._exchange.mint(client_id, client_secret, deadline=deadline)
        if isinstance(result, Minted):
            self._cache.store(key, result)
        return result

    def _result(self, wait: _Wait, *, done: bool) -> AccessToken | None:
        """Give the token of a finished exchange, or None where another one has taken its place."""
        result = wait.flight.landed.result() if done else self._late()
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
        """Give the seconds to wait; where the old token still lives, until half of the call's time has gone into it.

        An exchange that has been under way for longer than that is not waited for at all.
        """
        now, minted = self._clock.monotonic(), self._current
        left = deadline - now
        if wait.fallback is None or minted is None:
            return left
        half = min(left, minted.left(monotonic=now, wall=self._clock.wall())) / 2
        return half - (now - wait.flight.since)

    def _is_alive(self, token: AccessToken) -> bool:
        minted = self._current
        if minted is None or minted.token != token:
            return False
        return minted.left(monotonic=self._clock.monotonic(), wall=self._clock.wall()) > 0


def _closed() -> ClientClosedError:
    return ClientClosedError("the client is closed")


_providers: WeakSet[TokenProvider] = WeakSet()


def _after_fork() -> None:
    for provider in list(_providers):
        provider.forget_process()


os.register_at_fork(after_in_child=_after_fork)
