# Derived from tests/_async/test_tokens.py by scripts/unasync.py: change that, not this file.
"""Token exchanges: when they take place, who shares them, and when a token is discarded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from pinecone_admin import (
    Admin,
    InvalidCredentialsError,
    NotFoundError,
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
from tests.support.concurrency import (
    PATIENCE,
    fetch_token,
    run_concurrently,
    run_with_action,
    wait_for_event,
    wait_for_exchanges,
)
from tests.support.errors import SECRET, raises
from tests.support.scripted_transport import (
    HeldResponse,
    ScriptedFailure,
    ScriptedResponse,
    ScriptedTransport,
    Step,
    delay,
    token_response,
)

pytestmark = pytest.mark.anyio

REFUSED = ScriptedFailure(httpx.ConnectError("refused"))


@pytest.mark.parametrize("expired", [False, True])
def test_concurrent_callers_share_one_exchange(
    expired: bool, make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """One exchange serves all concurrent callers, without a token or with an expired one."""
    count, arrived, all_waiting = 50, [0], threading.Event()

    def exchange(_: httpx.Request) -> ScriptedResponse:
        if not expired or len(script.exchanges) > 1:
            assert all_waiting.wait(PATIENCE)
        return token_response(len(script.exchanges))

    script = ScriptedTransport(tokens=[exchange, exchange])
    admin = make_client(script, lazy=True)
    if expired:
        admin.token()
        clock.advance(1801)

    def call() -> str:
        arrived[0] += 1
        if arrived[0] == count:
            all_waiting.set()
        return (admin.token()).value

    expected = f"token-{1 + expired}"
    assert run_concurrently(count, call) == [expected] * count
    assert len(script.exchanges) == 1 + expired


def test_a_valid_token_is_served_without_the_lock(make_client: Callable[..., Admin]) -> None:
    """A call that needs no exchange does not wait for the lock."""
    admin = make_client(ScriptedTransport())
    token = admin.token()
    tokens: Any = admin._shared.token_source
    with tokens._lock, ThreadPoolExecutor(1) as others:
        assert others.submit(tokens.get_token, deadline=0).result(PATIENCE) == token


def test_concurrent_callers_share_one_failure(make_client: Callable[..., Admin]) -> None:
    """Concurrent callers of a failed exchange each get their own error, and start no other exchange."""
    script = ScriptedTransport(tokens=[ScriptedResponse(401) for _ in range(50)])
    admin = make_client(script, lazy=True)
    results = run_concurrently(20, admin.token)
    assert {type(result) for result in results} == {InvalidCredentialsError}
    assert len({id(result) for result in results}) == 20
    assert len(script.exchanges) == 1


def test_a_lifetime_starts_before_the_exchange(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """The lifetime of a token starts when its exchange starts."""
    slow = delay(clock, 50, token_response(1, expires_in=100))
    admin = make_client(ScriptedTransport(tokens=[slow]), lazy=True)
    started = clock.wall()
    assert (admin.token()).expires_at == datetime.fromtimestamp(started + 100, UTC)
    clock.advance(41)
    assert fetch_token(admin) == "token-2"


def test_the_age_of_a_token_is_the_larger_of_two_clocks(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A wall clock set back changes nothing; one set forward causes an exchange."""
    script = ScriptedTransport()
    admin = make_client(script)
    admin.token()
    clock.shift_wall(-3600)
    assert fetch_token(admin) == "token-1"
    clock.shift_wall(3600 + 1800)
    assert fetch_token(admin) == "token-2"
    assert fetch_token(admin) == "token-2"
    assert len(script.exchanges) == 2


# Failure of the token endpoint → the steps of one exchange, with its retries.
OUTAGES: dict[str, list[Step]] = {
    "refused": [REFUSED] * 3,
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
def test_the_old_token_is_served_until_it_expires(
    left: int, steps: list[Step], make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """While the token endpoint fails, the old token is served; the failure is forgotten within 61 s."""
    script = ScriptedTransport(tokens=[token_response(1), *steps])
    admin = make_client(script)
    admin.token()
    clock.advance(1800 - left)
    for _ in range(3):
        assert fetch_token(admin) == "token-1"
    before = len(script.exchanges)
    clock.advance(61)
    fetch_token(admin)
    assert fetch_token(admin) != "token-1"
    assert len(script.exchanges) <= before + 1


@pytest.mark.parametrize("steps", OUTAGES.values(), ids=OUTAGES)
def test_an_expired_token_is_never_served(
    steps: list[Step], make_client: Callable[..., Admin], clock: VirtualClock
) -> None:
    """Once the token has expired, a failed exchange raises; a recovered endpoint is used within 31 s."""
    script = ScriptedTransport(tokens=[token_response(1), *steps])
    admin = make_client(script)
    admin.token()
    clock.advance(1800)
    for _ in range(3):
        with pytest.raises(PineconeError) as caught:
            admin.projects.list()
        assert caught.value.outcome == "not_sent"
    assert len(script.exchanges) == 1 + len(steps)
    clock.advance(31)
    assert (admin.token()).value != "token-1"


# Response → attempts, error.
EXCHANGES: dict[str, tuple[Step, int, type[PineconeError]]] = {
    **{str(status): (ScriptedResponse(status), 3, TokenError) for status in (408, 429, 500, 502, 503, 504)},
    **{str(status): (ScriptedResponse(status), 1, TokenError) for status in (301, 400, 403, 404, 501)},
    "401": (ScriptedResponse(401), 1, InvalidCredentialsError),
    **{
        code: (ScriptedResponse(400, {"error": code}), 1, InvalidCredentialsError)
        for code in ("access_denied", "invalid_client", "unauthorized_client")
    },
    "refused": (REFUSED, 3, PineconeConnectionError),
    "reset": (ScriptedFailure(httpx.ReadError("reset")), 3, PineconeConnectionError),
    "timeout": (ScriptedFailure(httpx.ReadTimeout("slow")), 3, PineconeTimeoutError),
    "redirect": (ScriptedResponse(307, headers={"location": "https://evil.example/token"}), 1, TokenError),
    "too large": (ScriptedResponse(200, b'{"access_token": "x"}' + b" " * 65_536), 1, PineconeConnectionError),
}


@pytest.mark.parametrize(("step", "attempts", "kind"), EXCHANGES.values(), ids=EXCHANGES)
def test_a_transient_exchange_failure_is_retried_twice(
    step: Step, attempts: int, kind: type[PineconeError], make_client: Callable[..., Admin]
) -> None:
    """A network failure, 408, 429, 500, 502, 503 or 504 is retried twice, and any other failure not at all."""
    script = ScriptedTransport(tokens=[step] * 5)
    with raises(kind) as caught:
        make_client(script, lazy=True).token()
    assert len(script.exchanges) == attempts
    assert (caught.value.attempts, caught.value.outcome) == (attempts, "not_sent")
    assert caught.value.operation == "get_token"
    script = ScriptedTransport(tokens=[step])
    if attempts == 3:
        assert fetch_token(make_client(script)) == "token-2"


def test_an_exchange_ends_by_the_deadline(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """An exchange is not retried beyond the deadline of its call."""
    script = ScriptedTransport(tokens=[delay(clock, 6, ScriptedResponse(503))] * 3)
    with pytest.raises(PineconeError):
        make_client(script, lazy=True, timeout=10).token()
    wait_for_exchanges()
    assert len(script.exchanges) == 2


def test_a_wait_for_a_token_times_out(make_client: Callable[..., Admin]) -> None:
    """A wait for a token ends at the timeout of its call, with an error that names the host."""
    held = HeldResponse(token_response(1))
    admin = make_client(ScriptedTransport(tokens=[held]), lazy=True)
    try:
        with raises(PineconeTimeoutError, match="no token in time from login.pinecone.io") as caught:
            admin.with_options(timeout=0.01).projects.create(name="x")
    finally:
        held.release()
    assert (caught.value.outcome, caught.value.operation) == ("not_sent", "create_project")
    assert fetch_token(admin) == "token-1"


def test_an_echoed_secret_is_in_no_error(
    make_client: Callable[..., Admin],
) -> None:
    """An error of the token endpoint has its status, a standard code and safe headers, and nothing else."""
    headers = {"retry-after": "9", "x-request-id": "r-1", "x-echo": SECRET}
    for code, shown in (("access_denied", "401 access_denied"), (SECRET, "401")):
        body = {"error": code, "error_description": f"bad secret {SECRET}"}
        with raises(InvalidCredentialsError) as caught:
            make_client(ScriptedTransport(tokens=[ScriptedResponse(401, body, headers)]), lazy=True).token()
        assert str(caught.value).startswith(f"get_token: [{shown}] ")
        assert (caught.value.retry_after, caught.value.request_id) == (9.0, "r-1")


class SelectiveApi:
    """An API that accepts only some tokens."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = set(accepted)
        self.script = ScriptedTransport(self._respond)

    def _respond(self, request: httpx.Request) -> ScriptedResponse:
        token = request.headers["authorization"].removeprefix("Bearer token-")
        return ScriptedResponse(body={"data": []}) if token in self.accepted else ScriptedResponse(401)


def test_a_permanent_401_causes_one_exchange_in_30_s(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A 401 within 30 s of an exchange for a 401 is raised without another exchange."""
    api = SelectiveApi()
    admin = make_client(api.script)
    for seconds, exchanges in ((0, 2), (10, 2), (19.9, 2), (0.2, 3), (29.9, 3), (0.2, 4)):
        clock.advance(seconds)
        with raises(UnauthorizedError):
            admin.projects.list()
        assert len(api.script.exchanges) == exchanges


def test_a_rejected_old_token_causes_no_exchange(make_client: Callable[..., Admin], clock: VirtualClock) -> None:
    """A request whose token was replaced during the request is retried with the current token."""
    script = ScriptedTransport()
    admin = make_client(script, timeout=9999)
    admin.token()

    def replace_token_first(request: httpx.Request) -> ScriptedResponse:
        if request.headers["authorization"] != "Bearer token-1":
            return ScriptedResponse(body={"data": []})
        clock.advance(1561)
        refreshed.append(admin._shared.token_source.get_token(deadline=clock.monotonic() + 60))  # type: ignore[union-attr]
        wait_for_exchanges()
        return ScriptedResponse(401)

    refreshed: list[object] = []
    script._steps = [replace_token_first]
    assert admin.projects.list() == []
    assert [request.headers["authorization"][-1] for request in script.requests] == ["1", "2"]
    assert len(script.exchanges) == 2


def test_a_failed_exchange_after_a_401_is_raised(make_client: Callable[..., Admin]) -> None:
    """A failed exchange after a 401 is raised, and the call is safe to retry."""
    script = ScriptedTransport(ScriptedResponse(401), tokens=[token_response(1), ScriptedResponse(403)])
    with raises(TokenError) as caught:
        make_client(script).projects.create(name="x")
    assert (caught.value.status_code, caught.value.safe_to_retry) == (403, True)


def test_an_unchanged_token_is_not_sent_again(make_client: Callable[..., Admin]) -> None:
    """A request is not retried with the token that the API just rejected."""
    script = ScriptedTransport(ScriptedResponse(401), tokens=[token_response(1), token_response(1)])
    with raises(UnauthorizedError):
        make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (1, 2)


def test_a_new_secret_is_used_at_once(make_client: Callable[..., Admin]) -> None:
    """update_secret discards the current token, for the client and for its copies."""
    script = ScriptedTransport(tokens=[ScriptedResponse(401)])
    admin = make_client(script, lazy=True)
    with raises(InvalidCredentialsError):
        admin.token()
    admin.update_secret("second")
    assert fetch_token(admin) == "token-2"
    admin.with_options(timeout=9).update_secret("third")
    assert fetch_token(admin) == "token-3"
    assert [json.loads(exchange.content)["client_secret"] for exchange in script.exchanges] == [
        SECRET,
        "second",
        "third",
    ]


def test_a_new_secret_replaces_a_pending_exchange(
    make_client: Callable[..., Admin],
) -> None:
    """A call that waits gets the token of the new secret, and the late token of the old one is dropped."""
    held = HeldResponse(token_response(1))

    def update() -> None:
        wait_for_event(held.arrived)
        admin.update_secret("second")

    admin = make_client(ScriptedTransport(tokens=[held]), lazy=True)
    try:
        result = run_with_action(admin.token, update)
        assert not held.was_sent
    finally:
        held.release()
    assert not isinstance(result, Exception)
    assert result.value == "token-2"
    assert fetch_token(admin) == fetch_token(admin) == "token-2"


@pytest.mark.parametrize(
    ("secret", "error", "message"),
    [
        ("", PineconeValueError, "client_secret is empty"),
        (f"{SECRET}\n", PineconeValueError, "client_secret has leading or trailing whitespace"),
        (None, PineconeTypeError, "client_secret must be a str"),
    ],
)
def test_an_invalid_new_secret_raises(
    secret: Any, error: type[PineconeValueError], message: str, make_client: Callable[..., Admin]
) -> None:
    """An invalid new secret raises, and the old secret remains in use."""
    admin = make_client(ScriptedTransport())
    with raises(error, match=message):
        admin.update_secret(secret)
    assert fetch_token(admin) == "token-1"


@pytest.mark.parametrize("identity", [{"access_token": "x"}, {"additional_headers": {"Authorization": "x"}}], ids=str)
def test_update_secret_needs_client_credentials(identity: dict[str, Any], make_client: Callable[..., Admin]) -> None:
    """update_secret raises for a client without client credentials."""
    with raises(PineconeValueError, match="does not exchange credentials"):
        make_client(ScriptedTransport(), **identity).update_secret("x")


def test_a_client_adopts_its_own_rotated_secret(emulator: Emulator) -> None:
    """A client that rotates its own secret adopts it from the response."""
    admin = emulator.admin()
    (account,) = admin.service_accounts.list().to_list()
    rotated = admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret == emulator.client_secret
    assert len(admin.service_accounts.list().to_list()) == 1


def test_a_rotated_secret_overrides_the_callable_until_it_changes(emulator: Emulator, clock: VirtualClock) -> None:
    """A rotated secret replaces that of a callable until the callable returns a different one."""
    configured = [emulator.client_secret]
    (account,) = emulator.state.service_accounts.listing
    admin = Admin(
        client_id=emulator.client_id,
        client_secret=lambda: configured[0],
        transport=emulator.transport,
        oauth_transport=emulator.transport,
    )
    admin.token()
    rotated = admin.service_accounts.rotate_secret(service_account_id=account.id)
    assert rotated.client_secret != configured[0]
    for _ in range(2):
        assert admin.projects.list() == []
        emulator.state.revoke_tokens(account)
    configured[0] = "neither"
    clock.advance(31)
    with raises(InvalidCredentialsError):
        admin.projects.list()
    configured[0] = rotated.client_secret
    assert (admin.token()).value


def test_a_client_that_deleted_its_own_account_is_told_so(emulator: Emulator, clock: VirtualClock) -> None:
    """Each later error of the identity names the deletion in one note; those before it, and others, do not."""
    admin = emulator.admin()
    other = (admin.service_accounts.create(name="other")).service_account
    admin.service_accounts.delete(service_account_id=other.id)
    assert admin.projects.list() == []
    (own,) = admin.service_accounts.list().to_list()
    with raises(NotFoundError) as missing:
        admin.service_accounts.delete(service_account_id=other.id)
    assert missing.value.__notes__ == []
    emulator.faults.add("delete_service_account", drop="after")
    with raises(InvalidCredentialsError) as lost:  # the second attempt, after the first one was done
        admin.service_accounts.delete(service_account_id=own.id)
    found: list[UnauthorizedError] = [lost.value]
    for _ in range(2):
        with pytest.raises(UnauthorizedError) as refused:
            admin.projects.list()
        found.append(refused.value)
        clock.advance(31)
    ids = f"{other.id}, {own.id}"
    note = f"this client sent the deletion of service account {ids}: if its own is among them, this may be why"
    assert [error.__notes__ for error in found] == [[note]] * 3
    emulator.faults.add("list_projects", status=401)
    with pytest.raises(UnauthorizedError) as foreign:
        admin.with_options(api_key="pcsk_none").projects.list()
    assert foreign.value.__notes__ == []


def test_a_revoked_token_is_replaced(emulator: Emulator) -> None:
    """A client whose token was revoked exchanges for a fresh one."""
    admin = emulator.admin()
    admin.token()
    (account,) = emulator.state.service_accounts.listing
    emulator.state.revoke_tokens(account)
    assert len(admin.organizations.list()) == 1


def test_an_outage_of_the_api_causes_no_exchange(make_client: Callable[..., Admin]) -> None:
    """Retries of a request share one token."""
    script = ScriptedTransport(ScriptedResponse(503))
    with raises(ServiceError):
        make_client(script).projects.list()
    assert (len(script.requests), len(script.exchanges)) == (4, 1)
