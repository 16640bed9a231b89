"""Fetch, keep and refresh the token of a client; shared by the sync and async clients.

When a token is refreshed is decided by ``decide_action`` in token.py.
"""

from __future__ import annotations

import copy
import os
import random
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakSet

import httpx
from attrs import evolve

from generated_client import models
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.locks import ensure_released
from pinecone_admin._concurrency.waiting import SharedResult, start_daemon_thread
from pinecone_admin._http.argument_checks import check_secret_text
from pinecone_admin._http.returned_errors import return_error
from pinecone_admin.auth.credentials import Credentials
from pinecone_admin.auth.token import (
    AUDIENCE,
    AccessToken,
    ExchangeFailures,
    IssuedToken,
    TokenAction,
    count_failure,
    decide_action,
    fingerprint,
)
from pinecone_admin.auth.token_endpoint import TokenEndpoint
from pinecone_admin.errors import ClientClosedError, Masked, PineconeError, PineconeTimeoutError

if TYPE_CHECKING:
    from pinecone_admin.auth.cache import GuardedCache

REJECTION_INTERVAL = 30.0
"""Seconds after a 401 from the API. Within them, another 401 causes no exchange."""

ExchangeResult: TypeAlias = IssuedToken | PineconeError | None
"""Result of an exchange; None if another exchange has replaced it."""


class _Account(NamedTuple):
    """The account of a token: client id, and fingerprints of the credentials as configured and as used."""

    client_id: str
    configured_fingerprint: str
    used_fingerprint: str


class _RotatedSecret(NamedTuple):
    """A secret from a rotation, and the fingerprint of the configured credentials that it replaces."""

    replaced_fingerprint: str
    client_secret: Masked


class _PendingExchange:
    """An exchange that is requested or in progress. The one caller that claims it starts it, after releasing the lock.

    Attributes:
        started_at: Monotonic time when it was requested.
        replace_at: Monotonic time when it counts as hanging, so that another exchange replaces it.
        cache_lock_timeout: Seconds to wait for the lock of the cache.
        account: Account of the token, once the credentials are read.
        result: Its result.
    """

    account: _Account | None = None

    def __init__(self, *, started_at: float, replace_at: float, cache_lock_timeout: float) -> None:
        self.started_at = started_at
        self.replace_at = replace_at
        self.cache_lock_timeout = cache_lock_timeout
        self.result = SharedResult[ExchangeResult]()
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Return True to the first caller only, which must start the exchange."""
        return self._claimed.acquire(blocking=False)


class _ExchangeWait(NamedTuple):
    """An exchange to wait for, and the token to use if it fails or takes too long."""

    pending: _PendingExchange
    fallback: AccessToken | None = None


class TokenProvider:
    """Token source that shares one token among threads, event loops and forked children, with one exchange at a time.

    The lock is never held during I/O: the exchange runs in its own thread, and all callers wait for its result.

    Args:
        credentials: Client id and secret, read again for each exchange.
        endpoint: Token endpoint that issues a token for them.
        cache: Cache that shares tokens with other processes, or None.
    """

    def __init__(self, *, credentials: Credentials, endpoint: TokenEndpoint, cache: GuardedCache | None = None) -> None:
        self._credentials = credentials
        self._account: _Account | None = None
        self._rotated: _RotatedSecret | None = None
        self._cache = cache
        self._endpoint = endpoint
        self._clock = current_clock()
        self._current: IssuedToken | None = None
        self._failures: ExchangeFailures | None = None
        self._rejected_at = float("-inf")
        self._closed = False
        self.reset_after_fork()
        _providers.add(self)

    def reset_after_fork(self) -> None:
        """Replace the lock, which may be held, and drop the exchange, whose thread does not exist in the child."""
        self._lock = threading.RLock()  # a signal handler may need a token while its own thread holds it
        self._pending: _PendingExchange | None = None
        self._hanging = 0
        # A new jitter, so that parent and children do not refresh at the same moment.
        if self._current is not None:
            self._current = evolve(self._current, jitter=random.uniform(0.0, 0.2))  # noqa: S311

    @property
    def client_id(self) -> str | None:
        """Client id of the account of the tokens, or None before the credentials were read."""
        return None if self._account is None else self._account.client_id

    def get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token that the API should accept.

        Args:
            deadline: Monotonic end of the wait.
            rejected: Token that the API refused with a 401, if any.

        Raises:
            TokenError: The token endpoint refused, or its response is not a usable token.
            PineconeConnectionError: The token endpoint cannot be reached.
            PineconeTimeoutError: The deadline passed.
            ClientClosedError: The client is closed.
        """
        while True:
            step = self._next_step(rejected, deadline)
            if isinstance(step, AccessToken):
                return step
            done = step.pending.result.wait(self._wait_timeout(step, deadline))
            token = self._token_from(step, done=done)
            if token is not None:
                return token

    async def async_get_token(self, *, deadline: float, rejected: AccessToken | None = None) -> AccessToken:
        """Async version of ``get_token``, which does not block the event loop."""
        while True:
            step = self._next_step(rejected, deadline)
            if isinstance(step, AccessToken):
                return step
            done = await step.pending.result.async_wait(self._wait_timeout(step, deadline))
            token = self._token_from(step, done=done)
            if token is not None:
                return token

    def update_secret(self, client_secret: str) -> None:
        """Use another client secret from now on, and drop the current token.

        Raises:
            PineconeValueError: The secret is empty or cannot be a credential.
            PineconeTypeError: The secret is not a str.
            ClientClosedError: The client is closed.
        """
        if self._closed:
            raise _closed_error()
        check_secret_text("client_secret", client_secret)
        client_id = self._credentials.client_id
        self._replace_credentials(Credentials(client_id=client_id, client_secret=client_secret), None)

    def adopt_rotated_secret(self, result: object) -> None:
        """Adopt the new secret if a decoded response has one for the account of this client."""
        # Looked up by name because an older API document may lack the model.
        found: Any = result if isinstance(result, getattr(models, "ServiceAccountWithSecret", ())) else None
        account = self._account
        if found is not None and account is not None and found.service_account.client_id == account.client_id:
            self._replace_credentials(
                self._credentials, _RotatedSecret(account.configured_fingerprint, Masked(found.client_secret))
            )

    def _replace_credentials(self, credentials: Credentials, rotated: _RotatedSecret | None) -> None:
        with ensure_released(self._lock), self._lock:
            self._credentials, self._rotated = credentials, rotated
            superseded, self._pending = self._pending, None
            self._current = self._failures = None
        if superseded is not None:
            superseded.result.set(None)

    def close(self) -> None:
        """End every wait with ClientClosedError; a result that arrives later is dropped."""
        with ensure_released(self._lock), self._lock:
            self._closed = True
            waiting, self._pending, self._current = self._pending, None, None
        if waiting is not None:
            waiting.result.set(_closed_error())

    def _next_step(self, rejected: AccessToken | None, deadline: float) -> AccessToken | _ExchangeWait:
        # Fast path without the lock, since nearly every request finds a fresh token, as ``decide_action`` would.
        issued, now = self._current, self._clock.monotonic()
        if (
            rejected is None
            and issued is not None
            and now - issued.monotonic < issued.fresh_for
            and self._clock.wall() - issued.wall < issued.fresh_for
        ):
            return issued.token
        with ensure_released(self._lock), self._lock:
            if self._closed:
                raise _closed_error()
            step = self._decide_step(rejected, now, deadline)
            pending = self._pending
        try:
            if pending is not None and pending.claim():
                self._start_exchange(pending, deadline)
        except BaseException:
            self._abandon_exchange(pending)
            raise
        return step

    def _abandon_exchange(self, pending: _PendingExchange | None) -> None:
        """Let the callers that wait for an exchange start another: Ctrl-C may have come before its thread started."""
        with ensure_released(self._lock), self._lock:
            if self._pending is pending:
                self._pending = None
        if pending is not None:
            pending.result.set(None)

    def _decide_step(self, rejected: AccessToken | None, now: float, deadline: float) -> AccessToken | _ExchangeWait:
        """Return the token to serve or the exchange to wait for; called with the lock held."""
        issued = self._current
        if rejected is not None and issued is not None and rejected.value == issued.token.value:
            if self._pending is None and now - self._rejected_at < REJECTION_INTERVAL:
                return rejected
            self._rejected_at = now
            return _ExchangeWait(self._join_or_create_exchange(now, deadline))
        action = decide_action(issued, monotonic=now, wall=self._clock.wall())
        if issued is None or action is TokenAction.WAIT:
            return _ExchangeWait(self._join_or_create_exchange(now, deadline))
        if action is TokenAction.WAIT_AND_FALL_BACK:
            return _ExchangeWait(self._join_or_create_exchange(now, deadline), issued.token)
        if action is TokenAction.REFRESH_IN_BACKGROUND and (self._failures is None or now >= self._failures.retry_at):
            self._join_or_create_exchange(now, deadline)
        return issued.token

    def _join_or_create_exchange(self, now: float, deadline: float) -> _PendingExchange:
        """Return the exchange in progress, or a new one; called with the lock held."""
        if self._pending is not None:
            if now < self._pending.replace_at:
                return self._pending
            self._hanging += 1
            self._pending.result.set(None)
        # Each exchange that hangs keeps a thread, so the next one gets twice the time before it is replaced.
        allowed = 2 * self._endpoint.timeout * 2**self._hanging
        self._pending = _PendingExchange(
            started_at=now, replace_at=now + allowed, cache_lock_timeout=(deadline - now) / 4
        )
        return self._pending

    def _start_exchange(self, pending: _PendingExchange, deadline: float) -> None:
        if self._clock.is_emulated(self._endpoint.url):
            # A simulator of asyncio decides the order of tasks, and not that of threads. As in a separate thread, the
            # exchange has no context variables of the call, because other calls use its token.
            Context().run(self._run_exchange, pending, float("inf"))
        elif not start_daemon_thread(lambda: self._run_exchange(pending, float("inf"))):
            # No thread can be started, so the exchange runs in this one. It gets half of the call's remaining time; the
            # API request needs the rest.
            now = self._clock.monotonic()
            Context().run(self._run_exchange, pending, now + (deadline - now) / 2)

    def _run_exchange(self, pending: _PendingExchange, deadline: float) -> None:
        try:
            result = self._obtain_token(pending, deadline)
        except BaseException as exc:  # noqa: BLE001 - even after sys.exit() no caller must wait forever
            result = PineconeError(f"the token exchange failed with {type(exc).__name__}", operation="get_token")
        with ensure_released(self._lock), self._lock:
            if self._pending is pending:
                self._pending, self._hanging = None, 0
                self._record_result(result, pending.account)
            else:
                result = None
        pending.result.set(result)

    def _obtain_token(self, pending: _PendingExchange, deadline: float) -> ExchangeResult:
        credentials = return_error(self._read_credentials)
        if isinstance(credentials, PineconeError):
            return credentials
        account, client_secret = credentials
        pending.account = account
        if self._pending is not pending:
            return None
        failures, now = self._failures, self._clock.monotonic()
        if (
            failures is not None
            and failures.credentials_fingerprint == account.used_fingerprint
            and now < failures.retry_at
        ):
            return failures.error
        if self._cache is None:
            return self._endpoint.exchange_credentials(account.client_id, client_secret, deadline=deadline)
        key = fingerprint(self._endpoint.url, AUDIENCE, account.client_id, client_secret.reveal())
        with self._cache.hold_lock(key, pending.cache_lock_timeout):
            return self._load_or_exchange(key, account.client_id, client_secret, deadline)

    def _record_result(self, result: ExchangeResult, account: _Account | None) -> None:
        if isinstance(result, IssuedToken):
            self._current, self._failures, self._account = result, None, account
        elif result is not None and (self._failures is None or result is not self._failures.error):
            used = "" if account is None else account.used_fingerprint
            self._failures = count_failure(
                self._failures, result, credentials_fingerprint=used, now=self._clock.monotonic()
            )

    def _read_credentials(self) -> tuple[_Account, Masked]:
        """Return the account and the secret to use: a rotated one until other credentials are configured."""
        client_id, client_secret = self._credentials.read()
        configured = fingerprint(client_id, client_secret)
        secret, rotated = Masked(client_secret), self._rotated
        if rotated is not None and rotated.replaced_fingerprint == configured:
            secret = rotated.client_secret
        used = fingerprint(client_id, secret.reveal())
        return _Account(client_id=client_id, configured_fingerprint=configured, used_fingerprint=used), secret

    def _load_or_exchange(
        self, key: str, client_id: str, client_secret: Masked, deadline: float
    ) -> IssuedToken | PineconeError:
        assert self._cache is not None  # noqa: S101 - called only with a cache
        current = None if self._current is None else self._current.token.value
        found = self._cache.load(key, monotonic=self._clock.monotonic(), wall=self._clock.wall())
        # An exchange is due, so the current token is not good enough, even if the cache has it.
        if found is not None and found.token.value != current:
            return found
        result = self._endpoint.exchange_credentials(client_id, client_secret, deadline=deadline)
        if isinstance(result, IssuedToken):
            self._cache.store(key, result)
        return result

    def _token_from(self, wait: _ExchangeWait, *, done: bool) -> AccessToken | None:
        """Return the token after a wait, raise its error, or return None if there must be another wait."""
        result = wait.pending.result.get() if done else self._timeout_error()
        if result is None:
            return None
        if isinstance(result, IssuedToken):
            return result.token
        if wait.fallback is not None:
            if self._is_still_valid(wait.fallback):
                return wait.fallback
            if not done:
                return None  # the old token expired or was replaced, and the call still has time
        raise copy.copy(result)  # each caller raises its own copy, since raising sets the traceback

    def _timeout_error(self) -> PineconeError:
        host = httpx.URL(self._endpoint.url).host
        return PineconeTimeoutError(f"no token in time from {host}", operation="get_token")

    def _wait_timeout(self, wait: _ExchangeWait, deadline: float) -> float:
        """Return the seconds to wait for an exchange.

        If there is a valid token, an exchange gets at most half of the remaining time of the call and of that token.
        The result may be negative, which means no wait.
        """
        now, issued = self._clock.monotonic(), self._current
        left = deadline - now
        if wait.fallback is None or issued is None:
            return left
        half = min(left, issued.seconds_left(monotonic=now, wall=self._clock.wall())) / 2
        return half - (now - wait.pending.started_at)

    def _is_still_valid(self, token: AccessToken) -> bool:
        issued = self._current
        if issued is None or issued.token != token:
            return False
        return issued.seconds_left(monotonic=self._clock.monotonic(), wall=self._clock.wall()) > 0


def _closed_error() -> ClientClosedError:
    return ClientClosedError("the client is closed")


_providers: WeakSet[TokenProvider] = WeakSet()


def _after_fork() -> None:
    for provider in list(_providers):
        provider.reset_after_fork()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
