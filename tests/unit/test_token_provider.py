"""The wait for a token exchange, and its fallback."""

from __future__ import annotations

import signal
from collections.abc import Generator
from threading import Thread
from unittest.mock import patch

import pytest
from attrs import evolve

from pinecone_admin import Admin
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.auth.token import AccessToken, IssuedToken, expiry_from_timestamp
from pinecone_admin.auth.token_provider import TokenProvider, _ExchangeWait, _PendingExchange
from pinecone_admin.errors import PineconeTimeoutError, TokenError
from tests.support.clock import VirtualClock
from tests.support.concurrency import wait_for_exchanges
from tests.support.scripted_transport import ScriptedTransport

LEFT = 20.0


@pytest.fixture
def clock() -> Generator[VirtualClock, None, None]:
    """Stop the clock."""
    clock = VirtualClock()
    with use_clock(clock):
        yield clock


@pytest.fixture
def current_token(clock: VirtualClock) -> IssuedToken:
    """Return a token that has 20 of its 1,800 seconds left."""
    token = AccessToken(value="old", expires_at=expiry_from_timestamp(clock.wall() + LEFT))
    age = 1800 - LEFT
    return IssuedToken(
        token=token, lifetime=1800, monotonic=clock.monotonic() - age, wall=clock.wall() - age, jitter=0.0
    )


@pytest.fixture
def provider(clock: VirtualClock, current_token: IssuedToken) -> TokenProvider:
    """Return a provider with this token."""
    assert clock
    tokens = Admin(client_id="i", client_secret="s", transport=ScriptedTransport(), lazy=True)._shared.token_source
    assert isinstance(tokens, TokenProvider)
    tokens._current = current_token
    return tokens


def make_wait(clock: VirtualClock, *, age: float = 0.0, fallback: AccessToken | None = None) -> _ExchangeWait:
    """Return the wait for an exchange that is in progress."""
    now = clock.monotonic()
    return _ExchangeWait(_PendingExchange(started_at=now - age, replace_at=now + 120, cache_lock_timeout=1), fallback)


def test_an_exchange_whose_thread_was_not_started_is_replaced(clock: VirtualClock) -> None:
    """Ctrl-C before the thread of an exchange runs leaves the next call no exchange to wait for, which never ends."""
    assert clock
    admin = Admin(client_id="i", client_secret="s", transport=ScriptedTransport(), lazy=True)
    with patch.object(Thread, "start", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        admin.token()
    assert admin.token().value == "token-1"


# Age of the exchange, timeout of the call → seconds to wait.
WAITS = [(0, 60, 10), (0, 8, 4), (3, 8, 1), (4, 8, 0), (90, 60, -80), (0, 0, 0)]


def test_a_wait_with_a_fallback_takes_half_of_the_time(
    provider: TokenProvider, current_token: IssuedToken, clock: VirtualClock
) -> None:
    """A wait with a fallback takes half of the shorter of timeout and lifetime, from the start of the exchange."""
    for age, time, seconds in WAITS:
        waiting = make_wait(clock, age=age, fallback=current_token.token)
        assert provider._wait_timeout(waiting, clock.monotonic() + time) == pytest.approx(seconds)


def test_a_wait_without_a_fallback_takes_all_of_the_time(
    provider: TokenProvider, current_token: IssuedToken, clock: VirtualClock
) -> None:
    """A wait without a fallback takes all of the timeout."""
    deadline = clock.monotonic() + 60
    assert provider._wait_timeout(make_wait(clock, age=50), deadline) == 60
    provider._current = None
    assert provider._wait_timeout(make_wait(clock, age=50, fallback=current_token.token), deadline) == 60


def test_a_wait_falls_back_on_the_current_token(
    provider: TokenProvider, current_token: IssuedToken, clock: VirtualClock
) -> None:
    """A failed or late wait falls back on the old token while that is valid and current."""
    late, failed = make_wait(clock, fallback=current_token.token), make_wait(clock, fallback=current_token.token)
    failed.pending.result.set(TokenError("down", status_code=503))
    assert provider._token_from(late, done=False) == provider._token_from(failed, done=True) == current_token.token
    other = evolve(current_token, token=evolve(current_token.token, value="other"))
    for replacement, seconds in ((None, 0.0), (other, 0.0), (current_token, LEFT)):
        provider._current = replacement
        clock.advance(seconds)
        assert provider._token_from(late, done=False) is None  # so that the provider decides again
        with pytest.raises(TokenError):
            provider._token_from(failed, done=True)


def test_a_late_wait_without_a_fallback_raises(provider: TokenProvider, clock: VirtualClock) -> None:
    """A wait without a fallback raises at the timeout."""
    with pytest.raises(PineconeTimeoutError, match="no token in time"):
        provider._token_from(make_wait(clock), done=False)


@pytest.mark.timeout(60)
def test_a_signal_handler_can_fetch_a_token(provider: TokenProvider, clock: VirtualClock) -> None:
    """A signal handler gets a token while its own thread holds the lock."""
    received: list[str] = []
    before = signal.signal(
        signal.SIGUSR1, lambda *_: received.append(provider.get_token(deadline=clock.monotonic() + 0.01).value)
    )
    try:
        with provider._lock:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    wait_for_exchanges()
    assert received == ["old"]
