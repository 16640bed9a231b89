"""Decisions about tokens at their exact bounds."""

from __future__ import annotations

import json
import math
from threading import Event

import httpx
import pytest

from pinecone_admin._http.buffered_messages import BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin.auth.cache import parse_cache_entry
from pinecone_admin.auth.token import (
    AccessToken,
    IssuedToken,
    TokenAction,
    cooldown_seconds,
    count_failure,
    decide_action,
    expiry_from_timestamp,
    fingerprint,
)
from pinecone_admin.auth.token_response import error_from_exchange
from pinecone_admin.errors import InvalidCredentialsError, PineconeConnectionError, TokenError


def make_token(lifetime: float, jitter: float = 0.0) -> IssuedToken:
    """Return a token issued at 1000 on the monotonic clock and 5000 on the wall clock."""
    token = AccessToken(value="t", expires_at=expiry_from_timestamp(5000 + lifetime))
    return IssuedToken(token=token, lifetime=lifetime, monotonic=1000.0, wall=5000.0, jitter=jitter)


# Lifetime, jitter, seconds left → action; a bound belongs to the later window.
BOUNDS: list[tuple[float, float, float, TokenAction]] = [
    (1800, 0.0, 300.001, TokenAction.USE),
    (1800, 0.0, 300, TokenAction.REFRESH_IN_BACKGROUND),
    (1800, 0.2, 240.001, TokenAction.USE),
    (1800, 0.2, 240, TokenAction.REFRESH_IN_BACKGROUND),
    (1800, 0.1, 270, TokenAction.REFRESH_IN_BACKGROUND),
    (1800, 0.0, 30.001, TokenAction.REFRESH_IN_BACKGROUND),
    (1800, 0.2, 30, TokenAction.WAIT_AND_FALL_BACK),
    (1800, 0.0, 0.001, TokenAction.WAIT_AND_FALL_BACK),
    (1800, 0.0, 0, TokenAction.WAIT),
    (1800, 0.0, -1, TokenAction.WAIT),
    (80, 0.0, 20.001, TokenAction.USE),
    (80, 0.0, 20, TokenAction.REFRESH_IN_BACKGROUND),
    (80, 0.0, 8.001, TokenAction.REFRESH_IN_BACKGROUND),
    (80, 0.0, 8, TokenAction.WAIT_AND_FALL_BACK),
]


@pytest.mark.parametrize(("lifetime", "jitter", "left", "action"), BOUNDS)
def test_refresh_windows(lifetime: float, jitter: float, left: float, action: TokenAction) -> None:
    """The clock with the larger age decides whether a token is served, refreshed or waited for."""
    token = make_token(lifetime, jitter)
    age = lifetime - left
    assert decide_action(token, monotonic=1000 + age, wall=5000 + age) is action
    assert decide_action(token, monotonic=1000 + age, wall=0) is action
    assert decide_action(token, monotonic=1000, wall=5000 + age) is action


def test_no_token() -> None:
    """Without a token, a call waits."""
    assert decide_action(None, monotonic=0, wall=0) is TokenAction.WAIT


def test_cooldowns() -> None:
    """Cooldowns double from 1 s to 30 s, or 60 s for credentials; a Retry-After is limited to 60 s."""
    counts = [1, 2, 3, 5, 6, 7, 8, 2000]
    assert [cooldown_seconds(n, rejected=False, retry_after=None) for n in counts] == [1, 2, 4, 16, 30, 30, 30, 30]
    assert [cooldown_seconds(n, rejected=True, retry_after=None) for n in counts] == [1, 2, 4, 16, 32, 60, 60, 60]
    for rejected in (False, True):
        waits = [cooldown_seconds(5, rejected=rejected, retry_after=s) for s in (0, 1, 1.5, 60, 61)]
        assert waits == [1, 1, 1.5, 60, 60]


def test_failures_are_counted_by_credentials() -> None:
    """Failures are counted separately for each credentials."""
    first = count_failure(None, TokenError("x", status_code=403), credentials_fingerprint="a", now=10)
    second = count_failure(first, PineconeConnectionError("y"), credentials_fingerprint="a", now=20)
    other = count_failure(second, InvalidCredentialsError("z", status_code=401), credentials_fingerprint="b", now=30)
    assert [(each.number, each.retry_at) for each in (first, second, other)] == [(1, 11), (2, 22), (1, 31)]


def test_a_fingerprint_depends_on_its_parts() -> None:
    """A fingerprint depends on where a part ends."""
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert len(fingerprint("secret")) == 64


# Changes to a cache entry → seconds left at wall time 5000, or None where it is invalid.
ENTRIES: list[tuple[dict[str, object], float | None]] = [
    ({}, 1000),
    ({"expires_at": 5000}, 0),
    ({"expires_at": 4999}, -1),
    ({"expires_at": 6800}, 1800),
    ({"expires_at": 6830}, 1800),
    ({"expires_at": 6830.001}, 0),
    ({"lifetime": 80, "expires_at": 5088}, 80),
    ({"lifetime": 80, "expires_at": 5088.001}, 0),
    ({"lifetime": 86_400, "expires_at": 91_400}, 86_400),
    ({"lifetime": 86_400.001, "expires_at": 91_400}, None),
    ({"lifetime": 0}, None),
    ({"lifetime": 0.001, "expires_at": 5000}, 0),
    ({"lifetime": True, "expires_at": 5000}, None),
    ({"lifetime": math.nan}, None),
    ({"expires_at": -math.inf}, None),
    ({"expires_at": 10**400}, None),
    ({"expires_at": "6000"}, None),
    ({"access_token": None}, None),
    ({"access_token": "a b"}, None),
    ({"access_token": "token\n"}, None),
]


@pytest.mark.parametrize(("changes", "left"), ENTRIES)
def test_parse_cache_entry(changes: dict[str, object], left: float | None) -> None:
    """A valid cache entry yields its token, and tolerates a clock that is 30 s ahead."""
    entry = json.dumps({"access_token": "t", "expires_at": 6000, "lifetime": 1800} | changes).encode()
    found = parse_cache_entry(entry, monotonic=1000, wall=5000)
    if left is None:
        assert found is None
    else:
        assert found is not None
        assert found.seconds_left(monotonic=1000, wall=5000) == pytest.approx(left)
        assert found.seconds_left(monotonic=1000, wall=0) == pytest.approx(left)


# Status, code → whether the credentials are invalid.
REFUSALS = [
    (401, None, True),
    (401, "server_error", True),
    (400, "invalid_client", True),
    (400, "access_denied", True),
    (400, "unauthorized_client", True),
    (400, "invalid_request", False),
    (403, "access_denied", False),
    (500, "invalid_client", False),
]


@pytest.mark.parametrize(("status", "code", "blamed"), REFUSALS)
def test_refusals(status: int, code: str | None, blamed: bool) -> None:
    """A 401, and a 400 whose code blames the credentials, are an InvalidCredentialsError."""
    body = json.dumps({"error": code}).encode()
    call = CallState(deadline=1, idempotent=True, path_template="/x", endpoint="login.example.com", closed=Event())
    response = BufferedResponse(status, httpx.Headers(), body, {})
    error = error_from_exchange(response, call=call, wall=0)
    assert isinstance(error, InvalidCredentialsError) == blamed
    assert (error.status_code, error.error_code, error.outcome) == (status, code, "not_sent")
