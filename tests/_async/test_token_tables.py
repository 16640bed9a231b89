"""The token provider: refresh windows, cooldowns after failures, and unusual token responses."""

from __future__ import annotations

import base64
import json
import os
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from pinecone_admin import AsyncAdmin, ClientClosedError, PineconeConnectionError, TokenError
from pinecone_admin.auth.token_provider import TokenProvider
from tests.support.clock import VirtualClock
from tests.support.concurrency import (
    async_fetch_token,
    async_run_concurrently,
    async_run_with_action,
    async_wait_for_event,
    wait_for_child,
    wait_for_exchanges,
)
from tests.support.errors import SECRET, check_promises, raises
from tests.support.scripted_transport import HeldResponse, ScriptedResponse, ScriptedTransport, token_response

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
FORBIDDEN = ScriptedResponse(403)
"""A failure of the token endpoint that is not retried."""


# Each case is a lifetime and an age in seconds. Windows scale with the lifetime; that
# of the refresh in the background is shortened by a random share of up to a fifth.


@pytest.mark.parametrize(("lifetime", "age"), [(1800, 0), (1800, 1499), (86_400, 86_099), (100, 74), (5, 3.7)])
async def test_left_more_than_300_s_or_a_quarter(
    lifetime: int, age: float, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A token is served without an exchange while more than 300 s or a quarter of its lifetime is left."""
    script = ScriptedTransport(tokens=[token_response(1, expires_in=lifetime)])
    admin = make_client(script)
    await admin.token()
    clock.advance(age)
    assert [await async_fetch_token(admin), await async_fetch_token(admin)] == ["token-1", "token-1"]
    assert len(script.exchanges) == 1


async def test_every_token_has_its_own_jitter(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """Each token shortens its refresh window by its own random share of up to a fifth."""
    admin = make_client(ScriptedTransport())
    shares: list[float] = []
    for _ in range(40):
        await async_fetch_token(admin)
        tokens = admin._shared.token_source
        assert isinstance(tokens, TokenProvider)
        assert tokens._current is not None
        shares.append(tokens._current.jitter)
        clock.advance(1800)
    assert 0 <= min(shares) < 0.1 < max(shares) <= 0.2
    assert len(set(shares)) > 30


# Lifetime, age → whether a call waits for the refresh.
REFRESHES: list[tuple[int, float, bool]] = [
    *((1800, age, False) for age in (1561, 1769)),
    *((86_400, age, False) for age in (86_161, 86_369)),
    *((100, age, False) for age in (81, 89.9)),
    *((5, age, False) for age in (4.1, 4.49)),
    *((1800, age, True) for age in (1770, 1799)),
    (86_400, 86_370, True),
    (100, 90, True),
    (5, 4.5, True),
]


@pytest.mark.parametrize(("lifetime", "age", "waits"), REFRESHES)
async def test_left_less_than_300_s_or_a_quarter(
    lifetime: int, age: float, waits: bool, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Calls wait for the refresh in the last 30 s or tenth only, and get the old token if the refresh fails."""
    for response, refreshed in ((token_response(2), "token-2"), (FORBIDDEN, "token-1")):
        script = ScriptedTransport(tokens=[token_response(1, expires_in=lifetime), response])
        admin = make_client(script)
        await admin.token()
        clock.advance(age)
        assert await async_fetch_token(admin) == (refreshed if waits else "token-1")
        assert len(script.exchanges) == 2
        assert await async_fetch_token(admin) == refreshed
        assert len(script.exchanges) == 2


@pytest.mark.parametrize("age", [1800, 99_999, None])
async def test_left_nothing_or_no_token(
    age: float | None, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A call without a valid token waits for the exchange, and raises if the exchange fails."""
    script = ScriptedTransport(tokens=[FORBIDDEN] if age is None else [token_response(1), FORBIDDEN])
    admin = make_client(script, lazy=True)
    if age is not None:
        await admin.token()
        clock.advance(age)
    with raises(TokenError):
        await admin.token()
    clock.advance(1)
    assert await async_fetch_token(admin) == f"token-{2 if age is None else 3}"


# Cooldowns: seconds after each consecutive failure without another exchange.


TRANSIENT = [1, 2, 4, 8, 16, 30, 30]
WRONG_CREDENTIALS = [1, 2, 4, 8, 16, 32, 60, 60]
COOLDOWNS: dict[str, tuple[ScriptedResponse, list[int]]] = {
    "403": (FORBIDDEN, TRANSIENT),
    "400": (ScriptedResponse(400), TRANSIENT),
    "expired": (token_response(1, expires_in=0), TRANSIENT),
    "HTML": (ScriptedResponse(200, b"<html>"), TRANSIENT),
    # A Retry-After of 1 s to 60 s replaces the cooldown.
    **{
        f"{status}, Retry-After {header}": (ScriptedResponse(status, headers={"retry-after": header}), [cooldown] * 3)
        for status in (401, 403)
        for header, cooldown in (("45", 45), ("60", 60), ("3600", 60), ("2", 2), ("0", 1))
    },
    "401": (ScriptedResponse(401), WRONG_CREDENTIALS),
    "invalid_client": (ScriptedResponse(400, {"error": "invalid_client"}), WRONG_CREDENTIALS),
}


@pytest.mark.parametrize(("response", "cooldowns"), COOLDOWNS.values(), ids=COOLDOWNS)
async def test_an_error_is_repeated_until_its_cooldown_ends(
    response: ScriptedResponse, cooldowns: list[int], make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The error of a failed exchange is repeated until the cooldown ends, and one exchange follows."""
    script = ScriptedTransport(tokens=[response] * 9)
    admin = make_client(script, lazy=True)
    for number, cooldown in enumerate(cooldowns, 1):
        with pytest.raises(TokenError) as first:
            await admin.token()
        assert len(script.exchanges) == number
        clock.advance(cooldown - 0.01)
        with pytest.raises(TokenError) as again:
            await admin.token()
        assert (type(again.value), str(again.value)) == (type(first.value), str(first.value))
        assert len(script.exchanges) == number
        clock.advance(0.01)


@pytest.mark.parametrize("response", [ScriptedResponse(401), FORBIDDEN])
async def test_a_cooldown_belongs_to_credentials(
    response: ScriptedResponse, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Other credentials are exchanged at once, and their cooldown starts at 1 s."""
    script = ScriptedTransport(tokens=[response] * 5)
    secrets = ["one"]
    admin = make_client(script, lazy=True, client_id="id", client_secret=lambda: secrets[0])
    for secret, advance, exchanges in (
        ("one", 1.0, 1), ("one", 1.99, 2), ("one", 0, 2), ("two", 0.99, 3), ("two", 0.01, 3), ("two", 0, 4),
    ):  # fmt: skip
        secrets[0] = secret
        with pytest.raises(TokenError):
            await admin.token()
        assert len(script.exchanges) == exchanges
        clock.advance(advance)


async def test_a_success_ends_a_cooldown(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """A successful exchange resets the cooldown to 1 s."""
    script = ScriptedTransport(tokens=[FORBIDDEN, FORBIDDEN, token_response(3), FORBIDDEN])
    admin = make_client(script, lazy=True)
    for cooldown in (1, 2):
        with raises(TokenError):
            await admin.token()
        clock.advance(cooldown)
    assert await async_fetch_token(admin) == "token-3"
    clock.advance(1800)
    with raises(TokenError):
        await admin.token()
    clock.advance(1)
    assert await async_fetch_token(admin) == "token-5"


# Unusual token responses and unusual moments.


def make_jwt(**claims: object) -> str:
    """Return a JWT with these claims."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


async def check_lifetime(make_client: Callable[..., AsyncAdmin], fields: dict[str, Any], seconds: float) -> None:
    """Check how many seconds a token is valid."""
    token = await make_client(ScriptedTransport(tokens=[token_response(1, **fields)])).token()
    assert token.expires_at == datetime.fromtimestamp(NOW + seconds, UTC)


async def check_rejected(
    make_client: Callable[..., AsyncAdmin], response: ScriptedResponse, message: str, clock: VirtualClock
) -> None:
    """Check that the error hides the response, and that the next exchange returns a token."""
    script = ScriptedTransport(tokens=[response])
    admin = make_client(script, lazy=True)
    with raises(TokenError, match=message) as caught:
        await admin.token()
    assert (caught.value.body, caught.value.status_code, len(script.exchanges)) == ("", 200, 1)
    clock.advance(1)
    assert await async_fetch_token(admin) == "token-2"


# Token → its lifetime in seconds; a lifetime of five minutes comes with a warning.
JWT_LIFETIMES: dict[str, tuple[str, float]] = {
    "no JWT": ("token-1", 300),
    "a JWT": (make_jwt(exp=NOW + 900), 900),
    "a JWT with a fraction": (make_jwt(exp=NOW + 900.5), 900.5),
    "a JWT without expiry": (make_jwt(sub="x"), 300),
    "a JWT with a strange one": (make_jwt(exp="soon"), 300),
    "a JWT for a year": (make_jwt(exp=NOW + 31_536_000), 86_400),
    "two dots and no JWT": ("a.!!.c", 300),
}


@pytest.mark.parametrize("expires_in", [..., None])
@pytest.mark.parametrize(("token", "seconds"), JWT_LIFETIMES.values(), ids=JWT_LIFETIMES)
async def test_expires_in_missing_or_null(
    token: str,
    seconds: float,
    expires_in: object,
    make_client: Callable[..., AsyncAdmin],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without expires_in, the expiry is that of the JWT, or five minutes with a warning that hides the token."""
    await check_lifetime(make_client, {"expires_in": expires_in, "access_token": token}, seconds)
    assert len(caplog.records) == (seconds == 300)
    assert token not in caplog.text


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_in": 0}, {"expires_in": -5}, {"expires_in": -(10**400)}, {"expires_in": "0"},
        {"expires_in": ..., "access_token": make_jwt(exp=NOW - 1)},
        {"expires_in": ..., "access_token": make_jwt(exp=NOW)},
    ],
    ids=str,
)  # fmt: skip
async def test_expires_in_zero_or_negative(
    fields: dict[str, Any], make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A token that has already expired is a transient failure, and is never used."""
    await check_rejected(make_client, token_response(1, **fields), "has already expired", clock)


# expires_in → lifetime in seconds, and whether a warning is logged.
EXPIRES_IN: dict[str, tuple[object, float, bool]] = {
    "a number": (1800, 1800, False),
    "text": ("1800", 1800, False),
    "a fraction": (1800.7, 1800.7, False),
    "huge": (10**9, 86_400, False),
    "beyond a float": (10**400, 86_400, False),
    "infinite": (float("inf"), 86_400, False),
    "a bool": (True, 300, True),
    "NaN": (float("nan"), 300, True),
    "words": ("soon", 300, True),
    "a list": ([1800], 300, True),
}


@pytest.mark.parametrize(("expires_in", "seconds", "warned"), EXPIRES_IN.values(), ids=EXPIRES_IN)
async def test_expires_in_text_fraction_bool_nan_or_huge(
    expires_in: object,
    seconds: float,
    warned: bool,
    make_client: Callable[..., AsyncAdmin],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Numeric text and fractions are accepted, other values count as missing, and a day is the maximum."""
    await check_lifetime(make_client, {"expires_in": expires_in}, seconds)
    assert len(caplog.records) == warned


async def test_expires_in_overrides_a_jwt(make_client: Callable[..., AsyncAdmin]) -> None:
    """The expiry of a JWT is used only where expires_in is missing."""
    await check_lifetime(make_client, {"expires_in": 60, "access_token": make_jwt(exp=NOW + 900)}, 60)


async def test_lifetime_of_5_s(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """A token of 5 s is refreshed every 3.75 s to 4 s, by one exchange at a time."""
    script = ScriptedTransport(tokens=[token_response(number, expires_in=5) for number in range(1, 30)])
    admin = make_client(script, lazy=True)
    assert await async_run_concurrently(20, admin.token) == [await admin.token()] * 20
    assert len(script.exchanges) == 1
    for _ in range(400):
        clock.advance(0.1)
        await async_fetch_token(admin)
    assert 10 <= len(script.exchanges) <= 12


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", None, ...])
async def test_token_type_bearer_or_missing(token_type: object, make_client: Callable[..., AsyncAdmin]) -> None:
    """A token_type of Bearer in any case, null or missing is accepted, and further fields are ignored."""
    await check_lifetime(make_client, {"token_type": token_type, "scope": "all", "refresh_token": "r"}, 1800)


@pytest.mark.parametrize("token_type", ["mac", "", "Bearer ", 5, ["Bearer"]])
async def test_token_type_of_another_kind(
    token_type: object, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A token_type other than Bearer is a TokenError."""
    await check_rejected(make_client, token_response(1, token_type=token_type), "token_type is not Bearer", clock)


# Response → pattern of the message.
UNUSABLE: dict[str, tuple[ScriptedResponse, str]] = {
    "HTML": (ScriptedResponse(200, f"<html>{SECRET}".encode()), "is not a JSON object"),
    "a list": (ScriptedResponse(200, [SECRET]), "is not a JSON object"),
    "a string": (ScriptedResponse(200, SECRET), "is not a JSON object"),
    "null": (ScriptedResponse(200, b"null"), "is not a JSON object"),
    "truncated": (ScriptedResponse(200, b'{"access_token": "' + SECRET.encode()), "is not a JSON object"),
    "empty": (ScriptedResponse(200), "is not a JSON object"),
    "gzip": (ScriptedResponse(200, b"\x1f\x8b\x08\x00", {"content-encoding": "gzip"}), "is not a JSON object"),
    "a captive page": (
        ScriptedResponse(200, b"<html>", {"set-cookie": SECRET, "location": SECRET}),
        "is not a JSON object",
    ),
    "no token": (token_response(1, access_token=...), "no usable access_token"),
    "an empty token": (token_response(1, access_token=""), "no usable access_token"),
    "a token of the wrong kind": (token_response(1, access_token=5), "no usable access_token"),
    "a token with a line break": (token_response(1, access_token=f"{SECRET}\nx"), "no usable access_token"),
    "a token beyond ASCII": (token_response(1, access_token=f"{SECRET}é"), "no usable access_token"),
}


@pytest.mark.parametrize(("response", "message"), UNUSABLE.values(), ids=UNUSABLE)
async def test_html_list_string_truncated_or_captive_page(
    response: ScriptedResponse, message: str, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A response without a usable token is a TokenError that hides body and headers."""
    await check_rejected(make_client, response, message, clock)


async def test_the_longest_token_response(make_client: Callable[..., AsyncAdmin]) -> None:
    """A token response of more than 64 KiB raises."""
    body = json.dumps(token_response(1).body).encode()
    admin = make_client(ScriptedTransport(tokens=[ScriptedResponse(200, body.ljust(64 * 1024))]))
    assert await async_fetch_token(admin) == "token-1"
    with raises(PineconeConnectionError):
        await make_client(
            ScriptedTransport(tokens=[ScriptedResponse(200, body.ljust(64 * 1024 + 1))]), lazy=True
        ).token()


async def test_rotated_secret(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """Credentials are read at each exchange. update_secret discards the token, and replaces a callable for good."""
    script = ScriptedTransport()
    secrets = iter(["one", "two"])
    admin = make_client(script, lazy=True, client_id="id", client_secret=lambda: next(secrets))
    for _ in range(2):
        await async_fetch_token(admin)
        clock.advance(1800)
    admin.update_secret("three")
    await async_fetch_token(admin)
    admin.update_secret("four")
    assert await async_fetch_token(admin) == "token-4"
    clock.advance(1800)
    assert await async_fetch_token(admin) == "token-5"
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == [
        "one", "two", "three", "four", "four",
    ]  # fmt: skip


# <async only>
async def test_waiter_cancelled(make_client: Callable[..., AsyncAdmin]) -> None:
    """An exchange completes for later callers after its waiters are cancelled."""
    held = HeldResponse(token_response(1))
    script = ScriptedTransport(tokens=[held])
    admin = make_client(script, lazy=True)
    with anyio.move_on_after(0.01) as scope:
        await async_run_concurrently(10, admin.token)
    assert scope.cancelled_caught
    held.release()
    assert await async_fetch_token(admin) == "token-1"
    assert len(script.exchanges) == 1


# </async only>
async def test_fork(make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """A forked child keeps the token, and has its own lock, jitter and pending exchange."""
    held = HeldResponse(token_response(2))
    admin = make_client(ScriptedTransport(tokens=[token_response(1), held]))
    await admin.token()
    tokens: Any = admin._shared.token_source
    clock.advance(1600)
    assert (await admin.token()).value == "token-1"  # and the refresh has started
    jitter, lock = tokens._current.jitter, tokens._lock
    with lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what this tests
        child = os.fork()
        if not child:
            mine = tokens._current
            kept = mine.token.value == "token-1" and mine.jitter != jitter and 0 <= mine.jitter <= 0.2
            os._exit(0 if kept and tokens._lock is not lock and tokens._pending is None else 1)
    held.release()
    assert wait_for_child(child) == 0
    wait_for_exchanges()
    assert await async_fetch_token(admin) == "token-2"


@pytest.mark.parametrize("left", [0, 20])
async def test_close(left: float, make_client: Callable[..., AsyncAdmin], clock: VirtualClock) -> None:
    """Closing fails a waiting call at once, and drops the late token."""
    held = HeldResponse(token_response(1))
    script = ScriptedTransport(tokens=[token_response(0), held])
    admin = make_client(script)
    await admin.token()
    clock.advance(1800 - left)

    async def close() -> None:
        await async_wait_for_event(held.arrived)
        await admin.aclose()

    try:
        result = await async_run_with_action(lambda: admin.projects.create(name="x"), close)
        assert not held.was_sent
    finally:
        held.release()
    assert isinstance(result, ClientClosedError)
    assert (result.outcome, result.operation) == ("not_sent", "create_project")
    check_promises(result)
    wait_for_exchanges()
    with raises(ClientClosedError):
        await admin.token()
    tokens: Any = admin._shared.token_source
    with raises(ClientClosedError):
        await tokens.async_get_token(deadline=clock.monotonic() + 60)
    assert len(script.exchanges) == 2
