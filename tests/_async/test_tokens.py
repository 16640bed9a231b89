"""When a token is exchanged, refreshed, served, given up."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    AsyncAdmin,
    InvalidCredentialsError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    PineconeTypeError,
    PineconeValueError,
    ServiceError,
    TokenError,
    UnauthorizedError,
)
from pinecone_admin.emulator import Emulator
from tests.support.clock import VirtualClock
from tests.support.errors import SECRET, raises
from tests.support.script import Answer, Failure, Script, Step, token_answer
from tests.support.together import PATIENCE, async_together, settle

pytestmark = pytest.mark.anyio

DOWN = Failure(httpx.ConnectError("refused"))


async def served(admin: AsyncAdmin) -> str:
    """Give the number of the token that a call gets now."""
    value = (await admin.token()).value.removeprefix("token-")
    settle()
    return value


@pytest.mark.parametrize("expired", [False, True])
async def test_many_callers_make_one_exchange(
    expired: bool, connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """However many wait, cold or with an expired token, one exchange serves them all."""
    count, arrived, everybody = 50, [0], threading.Event()

    def exchange(_: httpx.Request) -> Answer:
        if not expired or len(script.exchanges) > 1:
            assert everybody.wait(PATIENCE)
        return token_answer(len(script.exchanges))

    script = Script(tokens=[exchange, exchange])
    admin = connect(script, lazy=True)
    if expired:
        await admin.token()
        clock.advance(1801)

    async def call() -> str:
        arrived[0] += 1
        if arrived[0] == count:
            everybody.set()
        return (await admin.token()).value

    expected = f"token-{1 + expired}"
    assert await async_together(count, call) == [expected] * count
    assert len(script.exchanges) == 1 + expired


async def test_many_callers_share_one_failure(connect: Callable[..., AsyncAdmin]) -> None:
    """Each gets an error of its own, and nobody asks again for what was just refused."""
    script = Script(tokens=[Answer(401) for _ in range(50)])
    admin = connect(script, lazy=True)
    results = await async_together(20, admin.token)
    assert {type(result) for result in results} == {InvalidCredentialsError}
    assert len({id(result) for result in results}) == 20
    assert len(script.exchanges) == 1


# Lifetime, seconds after the first token → what is served then: the old one, the old one while a new one is fetched,
# or the new one. The refresh window is shortened by a random share of up to a fifth.
WINDOWS: list[tuple[int, float, str]] = [
    (1800, 0, "old"),
    (1800, 1499, "old"),
    (1800, 1561, "background"),
    (1800, 1769, "background"),
    (1800, 1771, "new"),
    (1800, 1800, "new"),
    (1800, 99_999, "new"),
    (86_400, 86_099, "old"),
    (86_400, 86_161, "background"),
    (86_400, 86_371, "new"),
    (100, 74, "old"),
    (100, 81, "background"),
    (100, 91, "new"),
    (5, 3.7, "old"),
    (5, 4.1, "background"),
    (5, 4.6, "new"),
]


@pytest.mark.parametrize(("lifetime", "age", "then"), WINDOWS)
async def test_a_token_is_refreshed_in_time(
    lifetime: int, age: float, then: str, connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """In the background while there is time, waited for at the end, in windows that scale with its lifetime."""
    script = Script(tokens=[token_answer(1, expires_in=lifetime)])
    admin = connect(script)
    await admin.token()
    clock.advance(age)
    assert await served(admin) == ("2" if then == "new" else "1")
    assert len(script.exchanges) == (1 if then == "old" else 2)
    assert await served(admin) == ("1" if then == "old" else "2")
    assert len(script.exchanges) == (1 if then == "old" else 2)


async def test_a_lifetime_counts_from_before_the_exchange(
    connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A slow answer costs lifetime."""

    def slow(_: httpx.Request) -> Answer:
        clock.advance(50)
        return token_answer(1, expires_in=100)

    admin = connect(Script(tokens=[slow]), lazy=True)
    started = clock.wall()
    assert (await admin.token()).expires_at == started + 100
    clock.advance(41)
    assert await served(admin) == "2"


async def test_a_clock_set_back_changes_nothing_and_one_set_forward_costs_one_exchange(
    connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The age is the larger of what both clocks say, so that a suspended machine does not use an old token."""
    script = Script()
    admin = connect(script)
    await admin.token()
    clock.set_wall(-3600)
    assert await served(admin) == "1"
    clock.set_wall(3600 + 1800)
    assert await served(admin) == "2"
    assert await served(admin) == "2"
    assert len(script.exchanges) == 2


# How the endpoint fails: the steps of one exchange, with its repeats.
OUTAGES: dict[str, list[Step]] = {
    "refused": [DOWN] * 3,
    "reset": [Failure(httpx.ReadError("reset"))] * 3,
    "timeout": [Failure(httpx.ReadTimeout("slow"))] * 3,
    "500": [Answer(500)] * 3,
    "503": [Answer(503, b"<html>")] * 3,
    "429": [Answer(429)] * 3,
    "403": [Answer(403)],
    "captive page": [Answer(200, b"<html>Log in")],
    "empty": [Answer(200)],
    "expired": [token_answer(9, expires_in=0)],
}


@pytest.mark.parametrize("steps", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize("left", [230, 100, 20])
async def test_the_old_token_is_served_while_it_lives(
    left: int, steps: list[Step], connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """An endpoint that is down is no error before the token has expired, and forgotten soon after it is up again."""
    script = Script(tokens=[token_answer(1), *steps])
    admin = connect(script)
    await admin.token()
    clock.advance(1800 - left)
    for _ in range(3):
        assert await served(admin) == "1"
    before = len(script.exchanges)
    clock.advance(61)
    await served(admin)
    assert await served(admin) != "1"
    assert len(script.exchanges) <= before + 1


@pytest.mark.parametrize("steps", OUTAGES.values(), ids=OUTAGES)
async def test_an_expired_token_is_never_served(
    steps: list[Step], connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The failure is raised, remembered for a moment, and over within 31 s of the endpoint's recovery."""
    script = Script(tokens=[token_answer(1), *steps])
    admin = connect(script)
    await admin.token()
    clock.advance(1800)
    for _ in range(3):
        with pytest.raises(PineconeError) as caught:
            await admin.projects.list()
        assert caught.value.outcome == "not_sent"
    assert len(script.exchanges) == 1 + len(steps)
    clock.advance(31)
    assert (await admin.token()).value != "token-1"


# Failure, how often it comes → seconds for which nobody asks again after each.
COOLDOWNS: dict[str, tuple[Step, list[int]]] = {
    "transient": (Answer(403), [1, 2, 4, 8, 16, 30, 30]),
    "wrong credentials": (Answer(401), [1, 2, 4, 8, 16, 32, 60, 60]),
    "wrong credentials by code": (Answer(400, {"error": "invalid_client"}), [1, 2, 4]),
    "retry-after": (Answer(403, headers={"retry-after": "45"}), [45, 45]),
    "a retry-after of nothing": (Answer(403, headers={"retry-after": "0"}), [1, 1]),
    "a long retry-after": (Answer(403, headers={"retry-after": "3600"}), [60, 60]),
}


@pytest.mark.parametrize(("step", "rests"), COOLDOWNS.values(), ids=COOLDOWNS)
async def test_failures_cool_down(
    step: Step, rests: list[int], connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Meanwhile the remembered error is raised without a request; then one exchange is tried, not before."""
    script = Script(tokens=[step] * 20)
    admin = connect(script, lazy=True)
    for number, rest in enumerate(rests, 1):
        with pytest.raises(TokenError) as first:
            await admin.token()
        assert len(script.exchanges) == number
        clock.advance(rest - 0.01)
        with pytest.raises(TokenError) as again:
            await admin.token()
        assert (type(again.value), str(again.value)) == (type(first.value), str(first.value))
        assert len(script.exchanges) == number
        clock.advance(0.01)


async def test_new_credentials_go_through_at_once(connect: Callable[..., AsyncAdmin]) -> None:
    """A cooldown belongs to the credentials that failed, so a secret that was corrected underneath is not held up."""
    script = Script(tokens=[Answer(401)])
    secrets = iter(["wrong", "right"])
    admin = connect(script, lazy=True, client_id="id", client_secret=lambda: next(secrets))
    with raises(InvalidCredentialsError):
        await admin.token()
    assert (await admin.token()).value == "token-2"


# Answer → attempts, error.
EXCHANGES: dict[str, tuple[Step, int, type[PineconeError]]] = {
    **{str(status): (Answer(status), 3, TokenError) for status in (408, 429, 500, 502, 503, 504)},
    **{str(status): (Answer(status), 1, TokenError) for status in (301, 400, 403, 404, 501)},
    "401": (Answer(401), 1, InvalidCredentialsError),
    **{
        code: (Answer(400, {"error": code}), 1, InvalidCredentialsError)
        for code in ("access_denied", "invalid_client", "unauthorized_client")
    },
    "refused": (DOWN, 3, PineconeConnectionError),
    "reset": (Failure(httpx.ReadError("reset")), 3, PineconeConnectionError),
    "timeout": (Failure(httpx.ReadTimeout("slow")), 3, PineconeTimeoutError),
    "redirect": (Answer(307, headers={"location": "https://evil.example/token"}), 1, TokenError),
    "too large": (Answer(200, b'{"access_token": "x"}' + b" " * 65_536), 1, TokenError),
}


@pytest.mark.parametrize(("step", "attempts", "kind"), EXCHANGES.values(), ids=EXCHANGES)
async def test_an_exchange_is_tried_three_times_where_that_may_help(
    step: Step, attempts: int, kind: type[PineconeError], connect: Callable[..., AsyncAdmin]
) -> None:
    """Network failures, 408, 429, 500 and 502 to 504 are repeated; a refusal is not, and a redirect not followed."""
    script = Script(tokens=[step] * 5)
    with raises(kind) as caught:
        await connect(script, lazy=True).token()
    assert len(script.exchanges) == attempts
    assert (caught.value.attempts, caught.value.outcome) == (attempts, "not_sent")
    assert caught.value.operation == "get_token"
    script = Script(tokens=[step])
    if attempts == 3:
        assert await served(connect(script)) == "2"


async def test_an_exchange_ends_with_the_time_of_the_call(
    connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Repeats that would come too late are left out."""

    def slow(_: httpx.Request) -> Answer:
        clock.advance(6)
        return Answer(503)

    script = Script(tokens=[slow] * 3)
    with pytest.raises(PineconeError):
        await connect(script, lazy=True, timeout=10).token()
    settle()
    assert len(script.exchanges) == 2


async def test_whoever_waits_too_long_is_told_for_which_host(connect: Callable[..., AsyncAdmin]) -> None:
    """A wait for a token ends with the time of the call, also where the exchange goes on for others."""
    answer = threading.Event()

    def hang(_: httpx.Request) -> Answer:
        answer.wait(PATIENCE)
        return token_answer(1)

    admin = connect(Script(tokens=[hang]), lazy=True)
    try:
        with raises(PineconeTimeoutError, match="no token in time from login.pinecone.io") as caught:
            await admin.with_options(timeout=0.01).projects.create(name="x")
    finally:
        answer.set()
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    assert await served(admin) == "1"


def jwt(**claims: object) -> str:
    """Make a token that says of itself when it expires."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


NOW = 1_700_000_000

# Fields of the answer → seconds that the token is used for, whether with a warning.
LIFETIMES: dict[str, tuple[dict[str, Any], float, bool]] = {
    "a number": ({"expires_in": 1800}, 1800, False),
    "text": ({"expires_in": "1800"}, 1800, False),
    "a fraction": ({"expires_in": 1800.7}, 1800.7, False),
    "a small one": ({"expires_in": 5}, 5, False),
    "huge": ({"expires_in": 10**9}, 86_400, False),
    "beyond a float": ({"expires_in": 10**400}, 86_400, False),
    "infinite": ({"expires_in": float("inf")}, 86_400, False),
    "missing": ({"expires_in": ...}, 300, True),
    "null": ({"expires_in": None}, 300, True),
    "a bool": ({"expires_in": True}, 300, True),
    "NaN": ({"expires_in": float("nan")}, 300, True),
    "words": ({"expires_in": "soon"}, 300, True),
    "a list": ({"expires_in": [1800]}, 300, True),
    "missing, a JWT": ({"expires_in": ..., "access_token": jwt(exp=NOW + 900)}, 900, False),
    "null, a JWT": ({"expires_in": None, "access_token": jwt(exp=NOW + 900.5)}, 900.5, False),
    "a JWT that says otherwise": ({"expires_in": 60, "access_token": jwt(exp=NOW + 900)}, 60, False),
    "a JWT without expiry": ({"expires_in": ..., "access_token": jwt(sub="x")}, 300, True),
    "a JWT with a strange one": ({"expires_in": ..., "access_token": jwt(exp="soon")}, 300, True),
    "no JWT after all": ({"expires_in": ..., "access_token": "a.!!.c"}, 300, True),
    "no token_type": ({"token_type": ...}, 1800, False),
    "token_type null": ({"token_type": None}, 1800, False),
    "bearer in small letters": ({"token_type": "bearer"}, 1800, False),
    "BEARER in capitals": ({"token_type": "BEARER"}, 1800, False),
    "more fields": ({"scope": "all", "refresh_token": "r"}, 1800, False),
}


@pytest.mark.parametrize(("fields", "seconds", "warned"), LIFETIMES.values(), ids=LIFETIMES)
async def test_a_lifetime_is_read_from_what_there_is(
    fields: dict[str, Any],
    seconds: float,
    warned: bool,
    connect: Callable[..., AsyncAdmin],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number or its text, else what a JWT says of itself, else five minutes and a warning; a day at most."""
    caplog.set_level(logging.WARNING)
    token = await connect(Script(tokens=[token_answer(1, **fields)])).token()
    assert token.expires_at == NOW + seconds
    assert bool(caplog.records) is warned
    assert token.value not in caplog.text


# Answer → what the error says.
NO_TOKENS: dict[str, tuple[Answer, str]] = {
    "zero": (token_answer(1, expires_in=0), "has already expired"),
    "negative": (token_answer(1, expires_in=-5), "has already expired"),
    "far below zero": (token_answer(1, expires_in=-(10**400)), "has already expired"),
    "an expired JWT": (token_answer(1, expires_in=..., access_token=jwt(exp=NOW - 1)), "has already expired"),
    "another type": (token_answer(1, token_type="mac"), "token_type is not Bearer"),
    "a type of the wrong kind": (token_answer(1, token_type=5), "token_type is not Bearer"),
    "no token": (token_answer(1, access_token=...), "no usable access_token"),
    "an empty token": (token_answer(1, access_token=""), "no usable access_token"),
    "a token of the wrong kind": (token_answer(1, access_token=5), "no usable access_token"),
    "a token with a line break": (token_answer(1, access_token=f"{SECRET}\nx"), "no usable access_token"),
    "a token beyond ASCII": (token_answer(1, access_token=f"{SECRET}é"), "no usable access_token"),
    "HTML": (Answer(200, f"<html>{SECRET}".encode()), "is no JSON object"),
    "a list": (Answer(200, [SECRET]), "is no JSON object"),
    "a string": (Answer(200, SECRET), "is no JSON object"),
    "null": (Answer(200, b"null"), "is no JSON object"),
    "truncated": (Answer(200, b'{"access_token": "' + SECRET.encode()), "is no JSON object"),
    "empty": (Answer(200), "is no JSON object"),
    "gzip": (Answer(200, b"\x1f\x8b\x08\x00", {"content-encoding": "gzip"}), "is no JSON object"),
}


@pytest.mark.parametrize(("answer", "message"), NO_TOKENS.values(), ids=NO_TOKENS)
async def test_an_answer_without_a_usable_token_is_an_error(
    answer: Answer, message: str, connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """It is never used nor kept, its body never shown, and the next exchange may do better."""
    script = Script(tokens=[answer])
    admin = connect(script, lazy=True)
    with raises(TokenError, match=message) as caught:
        await admin.token()
    assert (caught.value.body, caught.value.status_code, len(script.exchanges)) == ("", 200, 1)
    clock.advance(1)
    assert await served(admin) == "2"


async def test_an_endpoint_that_echoes_the_secret_brings_it_into_no_error(connect: Callable[..., AsyncAdmin]) -> None:
    """Of its answer an error holds the status, a code of the standard, and headers that cannot hold a secret."""
    headers = {"retry-after": "9", "x-request-id": "r-1", "x-echo": SECRET}
    for code, shown in (("access_denied", "401 access_denied"), (SECRET, "401")):
        body = {"error": code, "error_description": f"bad secret {SECRET}"}
        with raises(InvalidCredentialsError) as caught:
            await connect(Script(tokens=[Answer(401, body, headers)]), lazy=True).token()
        assert str(caught.value).startswith(f"get_token: [{shown}] ")
        assert (caught.value.retry_after, caught.value.request_id) == (9.0, "r-1")


class Api:
    """An API that accepts some tokens only."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.script = Script(self._answer)

    def _answer(self, request: httpx.Request) -> Answer:
        token = request.headers["authorization"].removeprefix("Bearer token-")
        return Answer(body={"data": []}) if token in self.accepted else Answer(401)


async def test_a_permanent_401_costs_one_exchange_in_30_seconds(
    connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Within them the 401 is raised as it is; after them one more is tried."""
    api = Api()
    admin = connect(api.script)
    for seconds, exchanges in ((0, 2), (10, 2), (19.9, 2), (0.2, 3), (29.9, 3), (0.2, 4)):
        clock.advance(seconds)
        with raises(UnauthorizedError):
            await admin.projects.list()
        assert len(api.script.exchanges) == exchanges


async def test_a_rejected_token_that_is_no_longer_current_costs_no_exchange(
    connect: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Where another caller has a new one already, the request is sent again with that."""
    script = Script()
    admin = connect(script, timeout=9999)
    await admin.token()

    def late(request: httpx.Request) -> Answer:
        if request.headers["authorization"] != "Bearer token-1":
            return Answer(body={"data": []})
        clock.advance(1561)
        refreshed.append(admin._shared.tokens.get(deadline=clock.monotonic() + 60))  # type: ignore[union-attr]
        settle()
        return Answer(401)

    refreshed: list[object] = []
    script._steps = [late]
    assert await admin.projects.list() == []
    assert [request.headers["authorization"][-1] for request in script.requests] == ["1", "2"]
    assert len(script.exchanges) == 2


async def test_a_failed_exchange_after_a_401_is_raised(connect: Callable[..., AsyncAdmin]) -> None:
    """The error says why there is no other token, and the call can be repeated."""
    script = Script(Answer(401), tokens=[token_answer(1), Answer(403)])
    with raises(TokenError) as caught:
        await connect(script).projects.create(name="x")
    assert (caught.value.status_code, caught.value.safe_to_retry) == (403, True)


async def test_the_same_token_again_is_not_sent_again(connect: Callable[..., AsyncAdmin]) -> None:
    """An endpoint that caches gives no fresh token, so a repeat is useless."""
    script = Script(Answer(401), tokens=[token_answer(1), token_answer(1)])
    with raises(UnauthorizedError):
        await connect(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 2)


async def test_a_new_secret_is_used_at_once(connect: Callable[..., AsyncAdmin]) -> None:
    """update_secret gives the token of the old secret up; the copies of the client share the new one."""
    script = Script(tokens=[Answer(401)])
    admin = connect(script, lazy=True)
    with raises(InvalidCredentialsError):
        await admin.token()
    admin.update_secret("second")
    assert await served(admin) == "2"
    admin.with_options(timeout=9).update_secret("third")
    assert await served(admin) == "3"
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == [
        SECRET,
        "second",
        "third",
    ]


@pytest.mark.parametrize(
    ("secret", "error", "message"),
    [
        ("", PineconeValueError, "client_secret is empty"),
        (f"{SECRET}\n", PineconeValueError, "client_secret has white space"),
        (None, PineconeTypeError, "client_secret must be a str"),
    ],
)
async def test_a_new_secret_is_checked(
    secret: Any, error: type[PineconeValueError], message: str, connect: Callable[..., AsyncAdmin]
) -> None:
    """As the one of the constructor is, and the old one stays in use."""
    admin = connect(Script())
    with raises(error, match=message):
        admin.update_secret(secret)
    assert await served(admin) == "1"


@pytest.mark.parametrize("identity", [{"access_token": "x"}, {"additional_headers": {"Authorization": "x"}}], ids=str)
async def test_a_client_that_mints_nothing_has_no_secret(
    identity: dict[str, Any], connect: Callable[..., AsyncAdmin]
) -> None:
    """There is nothing to update."""
    with raises(PineconeValueError, match="mints no tokens"):
        connect(Script(), **identity).update_secret("x")


async def test_a_client_goes_on_after_it_rotated_its_own_secret(emulator: Emulator) -> None:
    """It learns the new secret from the answer, and the tokens of the old one are given up."""
    admin = emulator.async_admin()
    (account,) = await admin.service_accounts.list().to_list()
    rotated = await admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret == emulator.client_secret
    assert len(await admin.service_accounts.list().to_list()) == 1


async def test_a_revoked_token_is_replaced(emulator: Emulator) -> None:
    """A client whose tokens were revoked elsewhere goes on with a fresh one."""
    admin = emulator.async_admin()
    await admin.token()
    (account,) = emulator.state.service_accounts.listing
    emulator.state.revoke_tokens(account)
    assert len(await admin.organizations.list()) == 1


async def test_an_outage_of_the_api_costs_no_exchange(connect: Callable[..., AsyncAdmin]) -> None:
    """A token is asked for once, however often the request is repeated."""
    script = Script(Answer(503))
    with raises(ServiceError):
        await connect(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (4, 1)
