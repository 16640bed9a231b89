"""How long a call waits for an exchange, and what it gets where that does not come in time."""

from __future__ import annotations

import signal
from collections.abc import Generator

import pytest
from attrs import evolve

from pinecone_admin import Admin
from pinecone_admin._concurrency import use_clock
from pinecone_admin.auth.provider import TokenProvider, _ExchangeWait, _PendingExchange
from pinecone_admin.auth.token import AccessToken, IssuedToken
from pinecone_admin.errors import PineconeTimeoutError, TokenError
from tests.support.clock import VirtualClock
from tests.support.scripted_transport import ScriptedTransport
from tests.support.together import wait_for_exchanges

LEFT = 20.0


@pytest.fixture
def clock() -> Generator[VirtualClock, None, None]:
    """Let time stand still."""
    clock = VirtualClock()
    with use_clock(clock):
        yield clock


@pytest.fixture
def current(clock: VirtualClock) -> IssuedToken:
    """Make a token that has 20 of its 1,800 seconds left."""
    token = AccessToken(value="old", expires_at=clock.wall() + LEFT)
    age = 1800 - LEFT
    return IssuedToken(
        token=token, lifetime=1800, monotonic=clock.monotonic() - age, wall=clock.wall() - age, jitter=0.0
    )


@pytest.fixture
def provider(clock: VirtualClock, current: IssuedToken) -> TokenProvider:
    """Make a provider that has it."""
    assert clock
    tokens = Admin(client_id="i", client_secret="s", transport=ScriptedTransport(), lazy=True)._shared.token_source
    assert isinstance(tokens, TokenProvider)
    tokens._current = current
    return tokens


def wait(clock: VirtualClock, *, age: float = 0.0, fallback: AccessToken | None = None) -> _ExchangeWait:
    """Make the wait for an exchange that has been under way for a while."""
    now = clock.monotonic()
    return _ExchangeWait(_PendingExchange(started_at=now - age, until=now + 120, cache_lock_timeout=1), fallback)


# Age of the exchange, time of the call → seconds.
WAITS = [(0, 60, 10), (0, 8, 4), (3, 8, 1), (4, 8, 0), (90, 60, -80), (0, 0, 0)]


def test_half_of_the_time_goes_into_a_wait_that_can_fall_back(
    provider: TokenProvider, current: IssuedToken, clock: VirtualClock
) -> None:
    """Of the call's or the old token's, whichever is less, and counted from the beginning of the exchange."""
    for age, time, seconds in WAITS:
        waiting = wait(clock, age=age, fallback=current.token)
        assert provider._wait_timeout(waiting, clock.monotonic() + time) == pytest.approx(seconds)


def test_all_of_the_time_goes_into_a_wait_that_cannot(
    provider: TokenProvider, current: IssuedToken, clock: VirtualClock
) -> None:
    """After a 401, or where the old token was given up meanwhile."""
    deadline = clock.monotonic() + 60
    assert provider._wait_timeout(wait(clock, age=50), deadline) == 60
    provider._current = None
    assert provider._wait_timeout(wait(clock, age=50, fallback=current.token), deadline) == 60


def test_the_old_token_is_what_a_wait_falls_back_on(
    provider: TokenProvider, current: IssuedToken, clock: VirtualClock
) -> None:
    """Where the exchange failed and where it is late, while the token lives and is still the current one."""
    late, failed = wait(clock, fallback=current.token), wait(clock, fallback=current.token)
    failed.pending.resolve(TokenError("down", status_code=503))
    assert provider._token_from(late, done=False) == provider._token_from(failed, done=True) == current.token
    other = evolve(current, token=evolve(current.token, value="other"))
    for gone, seconds in ((None, 0.0), (other, 0.0), (current, LEFT)):
        provider._current = gone
        clock.advance(seconds)
        assert provider._token_from(late, done=False) is None  # and so it looks again what there is to do
        with pytest.raises(TokenError):
            provider._token_from(failed, done=True)


def test_without_a_fallback_a_wait_that_is_late_is_an_error(provider: TokenProvider, clock: VirtualClock) -> None:
    """The time of the call is over."""
    with pytest.raises(PineconeTimeoutError, match="no token in time"):
        provider._token_from(wait(clock), done=False)


@pytest.mark.timeout(60)
def test_a_signal_handler_asks_for_a_token_too(provider: TokenProvider, clock: VirtualClock) -> None:
    """Also where the signal comes while its own thread holds the lock, and nobody else can take it."""
    given: list[str] = []
    before = signal.signal(
        signal.SIGUSR1, lambda *_: given.append(provider.get(deadline=clock.monotonic() + 0.01).value)
    )
    try:
        with provider._lock:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    wait_for_exchanges()
    assert given == ["old"]
