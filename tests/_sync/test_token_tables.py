# Derived from tests/_async/test_token_tables.py by scripts/unasync.py: change that, not this file.
"""The tables of the token provider, row by row: what is left of a token, cooldowns after failures, and odd answers."""

from __future__ import annotations

import base64
import json
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import Admin, ClientClosedError, PineconeConnectionError, TokenError
from pinecone_admin.auth.provider import TokenProvider
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, check_promises, raises
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport, token_response
from tests.support.together import (
    PATIENCE,
    run_concurrently,
    run_with_action,
    wait_for_event,
    wait_for_exchanges,
)

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
DOWN = ScriptedResponse(403)
"""An endpoint that fails, and at which no second attempt is made."""


def current(admin: Admin) -> str:
    """Give the text of the token that a call gets now, once no exchange is under way any more."""
    value = (admin.token()).value
    wait_for_exchanges()
    return value


# What is left of a token: lifetime, and seconds after which it is looked at. Windows scale with the lifetime; the one
# of the refresh in the background is shortened by a random share of up to a fifth.


@pytest.mark.parametrize(("lifetime", "age"), [(1800, 0), (1800, 1499), (86_400, 86_099), (100, 74), (5, 3.7)])
def test_left_more_than_300_s_or_a_quarter(
    lifetime: int, age: float, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """The token is served, and nothing else is done."""
    script = ScriptedTransport(tokens=[token_response(1, expires_in=lifetime)])
    admin = make_client(script)
    admin.token()
    clock.advance(age)
    assert [current(admin), current(admin)] == ["token-1", "token-1"]
    assert len(script.exchanges) == 1


def test_every_token_has_a_share_of_its_own(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """From nothing to a fifth, so that what started together does not refresh together."""
    admin = make_client(ScriptedTransport())
    shares: list[float] = []
    for _ in range(40):
        current(admin)
        tokens = admin._shared.token_source
        assert isinstance(tokens, TokenProvider)
        assert tokens._current is not None
        shares.append(tokens._current.jitter)
        clock.advance(1800)
    assert 0 <= min(shares) < 0.1 < max(shares) <= 0.2
    assert len(set(shares)) > 30


BELOW = [(1800, 1561), (1800, 1769), (86_400, 86_161), (86_400, 86_369), (100, 81), (100, 89.9), (5, 4.1), (5, 4.49)]


@pytest.mark.parametrize("answer", [None, DOWN])
@pytest.mark.parametrize(("lifetime", "age"), BELOW)
def test_left_less_than_that(
    lifetime: int,
    age: float,
    answer: ScriptedResponse | None,
    make_client: Callable[..., Admin],
    clock: VirtualClock,
) -> None:
    """The old token is served while another one is fetched in the background, and after that where that failed."""
    script = ScriptedTransport(tokens=[token_response(1, expires_in=lifetime), answer or token_response(2)])
    admin = make_client(script)
    admin.token()
    clock.advance(age)
    assert current(admin) == "token-1"
    assert len(script.exchanges) == 2
    assert current(admin) == ("token-2" if answer is None else "token-1")
    assert len(script.exchanges) == 2


@pytest.mark.parametrize("answer", [None, DOWN])
@pytest.mark.parametrize(("lifetime", "age"), [(1800, 1770), (1800, 1799), (86_400, 86_370), (100, 90), (5, 4.5)])
def test_left_at_most_30_s_or_a_tenth(
    lifetime: int,
    age: float,
    answer: ScriptedResponse | None,
    make_client: Callable[..., Admin],
    clock: VirtualClock,
) -> None:
    """The refresh is waited for; where it fails, the old token is served while it lives."""
    script = ScriptedTransport(tokens=[token_response(1, expires_in=lifetime), answer or token_response(2)])
    admin = make_client(script)
    admin.token()
    clock.advance(age)
    expected = "token-2" if answer is None else "token-1"
    assert [current(admin), current(admin)] == [expected, expected]
    assert len(script.exchanges) == 2


@pytest.mark.parametrize("age", [1800, 99_999, None])
def test_left_nothing_or_no_token(age: float | None, make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """The exchange is waited for, and its failure raised."""
    script = ScriptedTransport(tokens=[DOWN] if age is None else [token_response(1), DOWN])
    admin = make_client(script, lazy=True)
    if age is not None:
        admin.token()
        clock.advance(age)
    with raises(TokenError):
        admin.token()
    clock.advance(1)
    assert current(admin) == f"token-{2 if age is None else 3}"


# Cooldowns: seconds after each failure in a row within which nobody asks again.


def check_cooldown(admin: Admin, script: ScriptedTransport, clock: VirtualClock, rests: list[int]) -> None:
    """Expect the remembered error until the time is over, and then one exchange."""
    for number, rest in enumerate(rests, 1):
        with pytest.raises(TokenError) as first:
            admin.token()
        assert len(script.exchanges) == number
        clock.advance(rest - 0.01)
        with pytest.raises(TokenError) as again:
            admin.token()
        assert (type(again.value), str(again.value)) == (type(first.value), str(first.value))
        assert len(script.exchanges) == number
        clock.advance(0.01)


@pytest.mark.parametrize(
    "answer", [DOWN, ScriptedResponse(400), token_response(1, expires_in=0), ScriptedResponse(200, b"<html>")]
)
def test_transient_1_to_30_s_doubling(
    answer: ScriptedResponse, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Whatever is no token and no word on the credentials counts as transient."""
    script = ScriptedTransport(tokens=[answer] * 9)
    check_cooldown(make_client(script, lazy=True), script, clock, [1, 2, 4, 8, 16, 30, 30])


@pytest.mark.parametrize(("header", "rest"), [("45", 45), ("60", 60), ("3600", 60), ("2", 2), ("0", 1)])
def test_retry_after_up_to_60_s(header: str, rest: int, make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """What the endpoint asks for takes the place of the doubling, from one second on."""
    script = ScriptedTransport(tokens=[ScriptedResponse(403, headers={"retry-after": header})] * 9)
    check_cooldown(make_client(script, lazy=True), script, clock, [rest] * 3)


@pytest.mark.parametrize(
    "answer",
    [
        ScriptedResponse(401),
        ScriptedResponse(400, {"error": "invalid_client"}),
        ScriptedResponse(401, headers={"retry-after": "9"}),
    ],
)
def test_wrong_credentials_1_to_60_s_doubling(
    answer: ScriptedResponse, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Credentials that are not accepted will hardly be soon."""
    script = ScriptedTransport(tokens=[answer] * 9)
    check_cooldown(make_client(script, lazy=True), script, clock, [1, 2, 4, 8, 16, 32, 60, 60])


@pytest.mark.parametrize("answer", [ScriptedResponse(401), DOWN])
def test_a_cooldown_belongs_to_credentials(
    answer: ScriptedResponse, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """New ones go through at once and begin anew at one second."""
    script = ScriptedTransport(tokens=[answer] * 5)
    secrets = ["one"]
    admin = make_client(script, lazy=True, client_id="id", client_secret=lambda: secrets[0])
    for secret, advance, exchanges in (
        ("one", 1.0, 1), ("one", 1.99, 2), ("one", 0, 2), ("two", 0.99, 3), ("two", 0.01, 3), ("two", 0, 4),
    ):  # fmt: skip
        secrets[0] = secret
        with pytest.raises(TokenError):
            admin.token()
        assert len(script.exchanges) == exchanges
        clock.advance(advance)


def test_a_success_ends_a_cooldown(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """After it the first failure counts as the first again."""
    script = ScriptedTransport(tokens=[DOWN, DOWN, token_response(3), DOWN])
    admin = make_client(script, lazy=True)
    for rest in (1, 2):
        with raises(TokenError):
            admin.token()
        clock.advance(rest)
    assert current(admin) == "token-3"
    clock.advance(1800)
    with raises(TokenError):
        admin.token()
    clock.advance(1)
    assert current(admin) == "token-5"


# Odd answers and odd moments.


def jwt(**claims: object) -> str:
    """Make a token that says of itself when it expires."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def check_lifetime(make_client: Callable[..., Admin], fields: dict[str, Any], seconds: float) -> None:
    """Expect that a token is used for so long."""
    token = make_client(ScriptedTransport(tokens=[token_response(1, **fields)])).token()
    assert token.expires_at == NOW + seconds


def check_refused(
    make_client: Callable[..., Admin], answer: ScriptedResponse, message: str, clock: VirtualClock
) -> None:
    """Expect an error that shows nothing of the answer, and a token at the next exchange."""
    script = ScriptedTransport(tokens=[answer])
    admin = make_client(script, lazy=True)
    with raises(TokenError, match=message) as caught:
        admin.token()
    assert (caught.value.body, caught.value.status_code, len(script.exchanges)) == ("", 200, 1)
    clock.advance(1)
    assert current(admin) == "token-2"


# What the token says of its own expiry → seconds that it is used for; five minutes come with a warning.
MISSING: dict[str, tuple[str, float]] = {
    "no JWT": ("token-1", 300),
    "a JWT": (jwt(exp=NOW + 900), 900),
    "a JWT with a fraction": (jwt(exp=NOW + 900.5), 900.5),
    "a JWT without expiry": (jwt(sub="x"), 300),
    "a JWT with a strange one": (jwt(exp="soon"), 300),
    "a JWT for a year": (jwt(exp=NOW + 31_536_000), 86_400),
    "two dots and no JWT": ("a.!!.c", 300),
}


@pytest.mark.parametrize("expires_in", [..., None])
@pytest.mark.parametrize(("token", "seconds"), MISSING.values(), ids=MISSING)
def test_expires_in_missing_or_null(
    token: str,
    seconds: float,
    expires_in: object,
    make_client: Callable[..., Admin],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The expiry is what a JWT says of itself, else five minutes and a warning, which does not show the token."""
    check_lifetime(make_client, {"expires_in": expires_in, "access_token": token}, seconds)
    assert len(caplog.records) == (seconds == 300)
    assert token not in caplog.text


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_in": 0}, {"expires_in": -5}, {"expires_in": -(10**400)}, {"expires_in": "0"},
        {"expires_in": ..., "access_token": jwt(exp=NOW - 1)}, {"expires_in": ..., "access_token": jwt(exp=NOW)},
    ],
    ids=str,
)  # fmt: skip
def test_expires_in_zero_or_negative(
    fields: dict[str, Any], make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """It is a transient failure, and the token never used."""
    check_refused(make_client, token_response(1, **fields), "has already expired", clock)


# expires_in → seconds, and whether with a warning.
NUMBERS: dict[str, tuple[object, float, bool]] = {
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


@pytest.mark.parametrize(("expires_in", "seconds", "warned"), NUMBERS.values(), ids=NUMBERS)
def test_expires_in_text_fraction_bool_nan_or_huge(
    expires_in: object,
    seconds: float,
    warned: bool,
    make_client: Callable[..., Admin],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Text and fractions are accepted; a bool, NaN and words count as missing; a day is the most."""
    check_lifetime(make_client, {"expires_in": expires_in}, seconds)
    assert len(caplog.records) == warned


def test_expires_in_beats_a_jwt(make_client: Callable[..., Admin]) -> None:
    """The expiry that a JWT states is asked only where the answer has none."""
    check_lifetime(make_client, {"expires_in": 60, "access_token": jwt(exp=NOW + 900)}, 60)


def test_lifetime_of_5_s(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """There is one exchange at a time, and one for every 3.75 to 4 seconds of use; the windows are further up."""
    script = ScriptedTransport(tokens=[token_response(number, expires_in=5) for number in range(1, 30)])
    admin = make_client(script, lazy=True)
    assert run_concurrently(20, admin.token) == [admin.token()] * 20
    assert len(script.exchanges) == 1
    for _ in range(400):
        clock.advance(0.1)
        current(admin)
    assert 10 <= len(script.exchanges) <= 12


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", None, ...])
def test_token_type_bearer_or_missing(token_type: object, make_client: Callable[..., Admin]) -> None:
    """It is accepted in any case, and what else the answer says does not matter."""
    check_lifetime(make_client, {"token_type": token_type, "scope": "all", "refresh_token": "r"}, 1800)


@pytest.mark.parametrize("token_type", ["mac", "", "Bearer ", 5, ["Bearer"]])
def test_token_type_of_another_kind(token_type: object, make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """It is an error."""
    check_refused(make_client, token_response(1, token_type=token_type), "token_type is not Bearer", clock)


# Answer → what the error says.
NO_TOKENS: dict[str, tuple[ScriptedResponse, str]] = {
    "HTML": (ScriptedResponse(200, f"<html>{SECRET}".encode()), "is no JSON object"),
    "a list": (ScriptedResponse(200, [SECRET]), "is no JSON object"),
    "a string": (ScriptedResponse(200, SECRET), "is no JSON object"),
    "null": (ScriptedResponse(200, b"null"), "is no JSON object"),
    "truncated": (ScriptedResponse(200, b'{"access_token": "' + SECRET.encode()), "is no JSON object"),
    "empty": (ScriptedResponse(200), "is no JSON object"),
    "gzip": (ScriptedResponse(200, b"\x1f\x8b\x08\x00", {"content-encoding": "gzip"}), "is no JSON object"),
    "a captive page": (
        ScriptedResponse(200, b"<html>", {"set-cookie": SECRET, "location": SECRET}),
        "is no JSON object",
    ),
    "no token": (token_response(1, access_token=...), "no usable access_token"),
    "an empty token": (token_response(1, access_token=""), "no usable access_token"),
    "a token of the wrong kind": (token_response(1, access_token=5), "no usable access_token"),
    "a token with a line break": (token_response(1, access_token=f"{SECRET}\nx"), "no usable access_token"),
    "a token beyond ASCII": (token_response(1, access_token=f"{SECRET}é"), "no usable access_token"),
}


@pytest.mark.parametrize(("answer", "message"), NO_TOKENS.values(), ids=NO_TOKENS)
def test_html_list_string_truncated_or_captive_page(
    answer: ScriptedResponse, message: str, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """The error has a type, and shows neither body nor headers, which could hold a token."""
    check_refused(make_client, answer, message, clock)


def test_the_longest_answer(make_client: Callable[..., Admin]) -> None:
    """64 KiB are read, and not a byte more."""
    body = json.dumps(token_response(1).body).encode()
    admin = make_client(ScriptedTransport(tokens=[ScriptedResponse(200, body.ljust(64 * 1024))]))
    assert current(admin) == "token-1"
    with raises(PineconeConnectionError):
        make_client(ScriptedTransport(tokens=[ScriptedResponse(200, body.ljust(64 * 1024 + 1))]), lazy=True).token()


def test_secret_rotated_underneath(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """Credentials are read afresh at each exchange; update_secret adopts a new one, and the old token is given up."""
    script = ScriptedTransport()
    secrets = iter(["one", "two"])
    admin = make_client(script, lazy=True, client_id="id", client_secret=lambda: next(secrets))
    for _ in range(2):
        current(admin)
        clock.advance(1800)
    admin.update_secret("three")
    current(admin)
    admin.update_secret("four")
    assert current(admin) == "token-4"
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == [
        "one", "two", "three", "four",
    ]  # fmt: skip


def test_fork(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A child keeps the token; lock and exchange of its parent are none of its business; its jitter is its own."""
    answer = threading.Event()

    def exchange(_: httpx.Request) -> ScriptedResponse:
        assert answer.wait(PATIENCE)
        return token_response(2)

    admin = make_client(ScriptedTransport(tokens=[token_response(1), exchange]))
    admin.token()
    tokens: Any = admin._shared.token_source
    clock.advance(1600)
    assert (admin.token()).value == "token-1"  # and the refresh has begun
    jitter, lock = tokens._current.jitter, tokens._lock
    with lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is dangerous is the point
        child = os.fork()
        if not child:
            mine = tokens._current
            kept = mine.token.value == "token-1" and mine.jitter != jitter and 0 <= mine.jitter <= 0.2
            os._exit(0 if kept and tokens._lock is not lock and tokens._pending is None else 1)
    answer.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    wait_for_exchanges()
    assert current(admin) == "token-2"


@pytest.mark.parametrize("left", [0, 20])
def test_close(left: float, make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """Whoever waits for the exchange gets an error at once, the late token is dropped, and none is asked for again."""
    asked, answer = threading.Event(), threading.Event()

    def exchange(_: httpx.Request) -> ScriptedResponse:
        asked.set()
        late.append(answer.wait(PATIENCE))
        return token_response(1)

    late: list[bool] = []
    script = ScriptedTransport(tokens=[token_response(0), exchange])
    admin = make_client(script)
    admin.token()
    clock.advance(1800 - left)

    def close() -> None:
        wait_for_event(asked)
        admin.close()

    try:
        result = run_with_action(lambda: admin.projects.create(name="x"), close)
        assert not late
    finally:
        answer.set()
    assert isinstance(result, ClientClosedError)
    assert (result.outcome, result.operation) == ("not_sent", "create_project")
    check_promises(result)
    wait_for_exchanges()
    with raises(ClientClosedError):
        admin.token()
    tokens: Any = admin._shared.token_source
    with raises(ClientClosedError):
        tokens.get(deadline=clock.monotonic() + 60)
    assert len(script.exchanges) == 2
