"""When a token is exchanged, shared, kept and given up; the tables of windows and of odd answers are apart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from tests.support.scripted_transport import ScriptedFailure, ScriptedResponse, ScriptedTransport, Step, token_response
from tests.support.together import (
    PATIENCE,
    async_run_concurrently,
    async_run_with_action,
    async_wait_for_event,
    wait_for_exchanges,
)

pytestmark = pytest.mark.anyio

DOWN = ScriptedFailure(httpx.ConnectError("refused"))


async def served(admin: AsyncAdmin) -> str:
    """Give the number of the token that a call gets now."""
    value = (await admin.token()).value.removeprefix("token-")
    wait_for_exchanges()
    return value


@pytest.mark.parametrize("expired", [False, True])
async def test_many_callers_make_one_exchange(
    expired: bool, make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """However many wait, cold or with an expired token, one exchange serves them all."""
    count, arrived, everybody = 50, [0], threading.Event()

    def exchange(_: httpx.Request) -> ScriptedResponse:
        if not expired or len(script.exchanges) > 1:
            assert everybody.wait(PATIENCE)
        return token_response(len(script.exchanges))

    script = ScriptedTransport(tokens=[exchange, exchange])
    admin = make_client(script, lazy=True)
    if expired:
        await admin.token()
        clock.advance(1801)

    async def call() -> str:
        arrived[0] += 1
        if arrived[0] == count:
            everybody.set()
        return (await admin.token()).value

    expected = f"token-{1 + expired}"
    assert await async_run_concurrently(count, call) == [expected] * count
    assert len(script.exchanges) == 1 + expired


async def test_a_fresh_token_needs_no_lock(make_client: Callable[..., AsyncAdmin]) -> None:
    """Whatever somebody else does with the lock, a call that needs no exchange is not held up."""
    admin = make_client(ScriptedTransport())
    token = await admin.token()
    tokens: Any = admin._shared.token_source
    with tokens._lock, ThreadPoolExecutor(1) as others:
        assert others.submit(tokens.get, deadline=0).result(PATIENCE) == token


async def test_many_callers_share_one_failure(make_client: Callable[..., AsyncAdmin]) -> None:
    """Each gets an error of its own, and nobody asks again for what was just refused."""
    script = ScriptedTransport(tokens=[ScriptedResponse(401) for _ in range(50)])
    admin = make_client(script, lazy=True)
    results = await async_run_concurrently(20, admin.token)
    assert {type(result) for result in results} == {InvalidCredentialsError}
    assert len({id(result) for result in results}) == 20
    assert len(script.exchanges) == 1


async def test_a_lifetime_counts_from_before_the_exchange(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """A slow answer costs lifetime."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(50)
        return token_response(1, expires_in=100)

    admin = make_client(ScriptedTransport(tokens=[slow]), lazy=True)
    started = clock.wall()
    assert (await admin.token()).expires_at == started + 100
    clock.advance(41)
    assert await served(admin) == "2"


async def test_a_clock_set_back_changes_nothing_and_one_set_forward_costs_one_exchange(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The age is the larger of what both clocks say, so that a suspended machine does not use an old token."""
    script = ScriptedTransport()
    admin = make_client(script)
    await admin.token()
    clock.shift_wall(-3600)
    assert await served(admin) == "1"
    clock.shift_wall(3600 + 1800)
    assert await served(admin) == "2"
    assert await served(admin) == "2"
    assert len(script.exchanges) == 2


# How the endpoint fails: the steps of one exchange, with its repeats.
OUTAGES: dict[str, list[Step]] = {
    "refused": [DOWN] * 3,
    "reset": [ScriptedFailure(httpx.ReadError("reset"))] * 3,
    "timeout": [ScriptedFailure(httpx.ReadTimeout("slow"))] * 3,
    "500": [ScriptedResponse(500)] * 3,
    "503": [ScriptedResponse(503, b"<html>")] * 3,
    "429": [ScriptedResponse(429)] * 3,
    "403": [ScriptedResponse(403)],
    "captive page": [ScriptedResponse(200, b"<html>Log in")],
    "empty": [ScriptedResponse(200)],
    "expired": [token_response(9, expires_in=0)],
}


@pytest.mark.parametrize("steps", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize("left", [230, 100, 20])
async def test_the_old_token_is_served_while_it_lives(
    left: int, steps: list[Step], make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """An endpoint that is down is no error before the token has expired, and forgotten soon after it is up again."""
    script = ScriptedTransport(tokens=[token_response(1), *steps])
    admin = make_client(script)
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
    steps: list[Step], make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """The failure is raised, remembered for a moment, and over within 31 s of the endpoint's recovery."""
    script = ScriptedTransport(tokens=[token_response(1), *steps])
    admin = make_client(script)
    await admin.token()
    clock.advance(1800)
    for _ in range(3):
        with pytest.raises(PineconeError) as caught:
            await admin.projects.list()
        assert caught.value.outcome == "not_sent"
    assert len(script.exchanges) == 1 + len(steps)
    clock.advance(31)
    assert (await admin.token()).value != "token-1"


# Answer → attempts, error.
EXCHANGES: dict[str, tuple[Step, int, type[PineconeError]]] = {
    **{str(status): (ScriptedResponse(status), 3, TokenError) for status in (408, 429, 500, 502, 503, 504)},
    **{str(status): (ScriptedResponse(status), 1, TokenError) for status in (301, 400, 403, 404, 501)},
    "401": (ScriptedResponse(401), 1, InvalidCredentialsError),
    **{
        code: (ScriptedResponse(400, {"error": code}), 1, InvalidCredentialsError)
        for code in ("access_denied", "invalid_client", "unauthorized_client")
    },
    "refused": (DOWN, 3, PineconeConnectionError),
    "reset": (ScriptedFailure(httpx.ReadError("reset")), 3, PineconeConnectionError),
    "timeout": (ScriptedFailure(httpx.ReadTimeout("slow")), 3, PineconeTimeoutError),
    "redirect": (ScriptedResponse(307, headers={"location": "https://evil.example/token"}), 1, TokenError),
    "too large": (ScriptedResponse(200, b'{"access_token": "x"}' + b" " * 65_536), 1, PineconeConnectionError),
}


@pytest.mark.parametrize(("step", "attempts", "kind"), EXCHANGES.values(), ids=EXCHANGES)
async def test_an_exchange_is_tried_three_times_where_that_may_help(
    step: Step, attempts: int, kind: type[PineconeError], make_client: Callable[..., AsyncAdmin]
) -> None:
    """Network failures, 408, 429, 500 and 502 to 504 are repeated; a refusal is not, and a redirect not followed."""
    script = ScriptedTransport(tokens=[step] * 5)
    with raises(kind) as caught:
        await make_client(script, lazy=True).token()
    assert len(script.exchanges) == attempts
    assert (caught.value.attempts, caught.value.outcome) == (attempts, "not_sent")
    assert caught.value.operation == "get_token"
    script = ScriptedTransport(tokens=[step])
    if attempts == 3:
        assert await served(make_client(script)) == "2"


async def test_an_exchange_ends_with_the_time_of_the_call(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Repeats that would come too late are left out."""

    def slow(_: httpx.Request) -> ScriptedResponse:
        clock.advance(6)
        return ScriptedResponse(503)

    script = ScriptedTransport(tokens=[slow] * 3)
    with pytest.raises(PineconeError):
        await make_client(script, lazy=True, timeout=10).token()
    wait_for_exchanges()
    assert len(script.exchanges) == 2


async def test_whoever_waits_too_long_is_told_for_which_host(make_client: Callable[..., AsyncAdmin]) -> None:
    """A wait for a token ends with the time of the call, also where the exchange goes on for others."""
    answer = threading.Event()

    def hang(_: httpx.Request) -> ScriptedResponse:
        answer.wait(PATIENCE)
        return token_response(1)

    admin = make_client(ScriptedTransport(tokens=[hang]), lazy=True)
    try:
        with raises(PineconeTimeoutError, match="no token in time from login.pinecone.io") as caught:
            await admin.with_options(timeout=0.01).projects.create(name="x")
    finally:
        answer.set()
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    assert await served(admin) == "1"


async def test_an_endpoint_that_echoes_the_secret_brings_it_into_no_error(
    make_client: Callable[..., AsyncAdmin],
) -> None:
    """Of its answer an error holds the status, a code of the standard, and headers that cannot hold a secret."""
    headers = {"retry-after": "9", "x-request-id": "r-1", "x-echo": SECRET}
    for code, shown in (("access_denied", "401 access_denied"), (SECRET, "401")):
        body = {"error": code, "error_description": f"bad secret {SECRET}"}
        with raises(InvalidCredentialsError) as caught:
            await make_client(ScriptedTransport(tokens=[ScriptedResponse(401, body, headers)]), lazy=True).token()
        assert str(caught.value).startswith(f"get_token: [{shown}] ")
        assert (caught.value.retry_after, caught.value.request_id) == (9.0, "r-1")


class Api:
    """An API that accepts some tokens only."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.script = ScriptedTransport(self._answer)

    def _answer(self, request: httpx.Request) -> ScriptedResponse:
        token = request.headers["authorization"].removeprefix("Bearer token-")
        return ScriptedResponse(body={"data": []}) if token in self.accepted else ScriptedResponse(401)


async def test_a_permanent_401_costs_one_exchange_in_30_seconds(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Within them the 401 is raised as it is; after them one more is tried."""
    api = Api()
    admin = make_client(api.script)
    for seconds, exchanges in ((0, 2), (10, 2), (19.9, 2), (0.2, 3), (29.9, 3), (0.2, 4)):
        clock.advance(seconds)
        with raises(UnauthorizedError):
            await admin.projects.list()
        assert len(api.script.exchanges) == exchanges


async def test_a_rejected_token_that_is_no_longer_current_costs_no_exchange(
    make_client: Callable[..., AsyncAdmin], clock: VirtualClock
) -> None:
    """Where another caller has a new one already, the request is sent again with that."""
    script = ScriptedTransport()
    admin = make_client(script, timeout=9999)
    await admin.token()

    def late(request: httpx.Request) -> ScriptedResponse:
        if request.headers["authorization"] != "Bearer token-1":
            return ScriptedResponse(body={"data": []})
        clock.advance(1561)
        refreshed.append(admin._shared.token_source.get(deadline=clock.monotonic() + 60))  # type: ignore[union-attr]
        wait_for_exchanges()
        return ScriptedResponse(401)

    refreshed: list[object] = []
    script._steps = [late]
    assert await admin.projects.list() == []
    assert [request.headers["authorization"][-1] for request in script.requests] == ["1", "2"]
    assert len(script.exchanges) == 2


async def test_a_failed_exchange_after_a_401_is_raised(make_client: Callable[..., AsyncAdmin]) -> None:
    """The error says why there is no other token, and the call can be repeated."""
    script = ScriptedTransport(ScriptedResponse(401), tokens=[token_response(1), ScriptedResponse(403)])
    with raises(TokenError) as caught:
        await make_client(script).projects.create(name="x")
    assert (caught.value.status_code, caught.value.safe_to_retry) == (403, True)


async def test_the_same_token_again_is_not_sent_again(make_client: Callable[..., AsyncAdmin]) -> None:
    """An endpoint that caches gives no fresh token, so a repeat is useless."""
    script = ScriptedTransport(ScriptedResponse(401), tokens=[token_response(1), token_response(1)])
    with raises(UnauthorizedError):
        await make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 2)


async def test_a_new_secret_is_used_at_once(make_client: Callable[..., AsyncAdmin]) -> None:
    """update_secret gives the token of the old secret up; the copies of the client share the new one."""
    script = ScriptedTransport(tokens=[ScriptedResponse(401)])
    admin = make_client(script, lazy=True)
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


async def test_a_new_secret_does_not_wait_for_the_exchange_of_the_old_one(
    make_client: Callable[..., AsyncAdmin],
) -> None:
    """Whoever waits gets the token of the new one, and the other is dropped when it comes."""
    asked, answer = threading.Event(), threading.Event()
    late: list[bool] = []

    def exchange(_: httpx.Request) -> ScriptedResponse:
        asked.set()
        late.append(answer.wait(PATIENCE))
        return token_response(1)

    async def update() -> None:
        await async_wait_for_event(asked)
        admin.update_secret("second")

    admin = make_client(ScriptedTransport(tokens=[exchange]), lazy=True)
    try:
        result = await async_run_with_action(admin.token, update)
        assert not late
    finally:
        answer.set()
    assert not isinstance(result, Exception)
    assert result.value == "token-2"
    assert await served(admin) == await served(admin) == "2"


@pytest.mark.parametrize(
    ("secret", "error", "message"),
    [
        ("", PineconeValueError, "client_secret is empty"),
        (f"{SECRET}\n", PineconeValueError, "client_secret has white space"),
        (None, PineconeTypeError, "client_secret must be a str"),
    ],
)
async def test_a_new_secret_is_checked(
    secret: Any, error: type[PineconeValueError], message: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """As the one of the constructor is, and the old one stays in use."""
    admin = make_client(ScriptedTransport())
    with raises(error, match=message):
        admin.update_secret(secret)
    assert await served(admin) == "1"


@pytest.mark.parametrize("identity", [{"access_token": "x"}, {"additional_headers": {"Authorization": "x"}}], ids=str)
async def test_a_client_that_mints_nothing_has_no_secret(
    identity: dict[str, Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """There is nothing to update."""
    with raises(PineconeValueError, match="mints no tokens"):
        make_client(ScriptedTransport(), **identity).update_secret("x")


async def test_a_client_goes_on_after_it_rotated_its_own_secret(emulator: Emulator) -> None:
    """It learns the new secret from the answer, and the tokens of the old one are given up."""
    admin = emulator.async_admin()
    (account,) = await admin.service_accounts.list().to_list()
    rotated = await admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret == emulator.client_secret
    assert len(await admin.service_accounts.list().to_list()) == 1


async def test_a_rotated_secret_stands_in_until_another_one_is_configured(
    emulator: Emulator, clock: VirtualClock
) -> None:
    """A callable that still gives the old secret does no harm, and one that gives another is listened to again."""
    configured = [emulator.client_secret]
    (account,) = emulator.state.service_accounts.listing
    admin = AsyncAdmin(
        client_id=emulator.client_id,
        client_secret=lambda: configured[0],
        transport=emulator.transport,
        oauth_transport=emulator.transport,
    )
    await admin.token()
    rotated = await admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret != configured[0]
    for _ in range(2):
        assert await admin.projects.list() == []
        emulator.state.revoke_tokens(account)
    configured[0] = "neither"
    clock.advance(31)
    with raises(InvalidCredentialsError):
        await admin.projects.list()
    configured[0] = rotated.client_secret
    assert (await admin.token()).value


async def test_a_revoked_token_is_replaced(emulator: Emulator) -> None:
    """A client whose tokens were revoked elsewhere goes on with a fresh one."""
    admin = emulator.async_admin()
    await admin.token()
    (account,) = emulator.state.service_accounts.listing
    emulator.state.revoke_tokens(account)
    assert len(await admin.organizations.list()) == 1


async def test_an_outage_of_the_api_costs_no_exchange(make_client: Callable[..., AsyncAdmin]) -> None:
    """A token is asked for once, however often the request is repeated."""
    script = ScriptedTransport(ScriptedResponse(503))
    with raises(ServiceError):
        await make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (4, 1)
