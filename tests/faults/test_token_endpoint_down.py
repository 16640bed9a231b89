"""An unavailable token endpoint, in many ways, while the current token is valid or expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from typing import Self

import pytest

from pinecone_admin import Admin, PineconeError, RetryPolicy
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin.auth.token_provider import TokenProvider
from pinecone_admin.errors import InvalidCredentialsError
from tests.faults.cases import CLIENT_KINDS, ClientKind, close_on_data, reset_on_data, send_and_close, stay_silent
from tests.faults.clients import AnyClient
from tests.faults.clock import RunningClock
from tests.faults.server import (
    TOKEN_PATH,
    Action,
    RequestContext,
    Server,
    accept_requests,
    format_head,
    issue_token,
    send_response,
)
from tests.support.concurrency import PATIENCE, wait_until
from tests.support.sampling import some_daily

LIFETIME = 1800


def send_token_response(**changes: object) -> Action:
    """Send a token response with changed fields."""
    fields = {"access_token": "x", "token_type": "Bearer", "expires_in": 1800} | changes
    return send_response(200, json.dumps(fields).encode())


RESPONSE_FAILURES: dict[str, Action] = {
    "FIN": send_and_close(b"", process=False),
    "RST": send_and_close(b"", RequestContext.reset, process=False),
    "hang": send_and_close(b"", RequestContext.hang, process=False),
    "garbage": send_and_close(b"\x00garbage\r\n\r\n", process=False),
    "truncated": send_and_close(format_head(200, 99) + b'{"access_token": "x', process=False),
    "captive portal": send_response(200, b"<html>Log in</html>"),
    "redirect": send_response(302, b"", "Location: https://elsewhere.example/"),
    "429": send_response(429),
    "500": send_response(500),
    "503 with Retry-After": send_response(503, b"", "Retry-After: 3"),
    "503 with a long Retry-After": send_response(503, b"", "Retry-After: 25"),
    "expired token": send_token_response(expires_in=0),
    "no token": send_response(200, b"{}"),
    "another token type": send_token_response(token_type="MAC"),
    "wrong credentials": send_response(401, b'{"error": "access_denied"}'),
}
SLOW_FAILURES = ("hang", "silent")
SECONDS_LEFT = (250, 100, 20, 0)
CONNECTION_FAILURES = {"FIN at once": close_on_data, "RST at once": reset_on_data, "silent": stay_silent}


class Outage:
    """An available API, and a token endpoint that fails and recovers on the same port.

    Args:
        client_kind: The kind of client.
        timeout: Timeout of a call in seconds.
    """

    def __init__(self, client_kind: ClientKind, timeout: float = 30.0) -> None:
        self.api = Server().start()
        self.tokens = Server().start()
        self.client = AnyClient(
            client_kind,
            host=self.api.url,
            oauth_url=self.tokens.url + TOKEN_PATH,
            client_id="id",
            client_secret="secret",
            timeout=timeout,
            # The clock skips the waits of an exchange; short waits keep the token from expiring meanwhile.
            retry=RetryPolicy(attempt_timeout=0.4 * timeout, backoff=0.1, max_retry_after=1.0),
        )

    def fail(self, failure: str) -> None:
        """Make the token endpoint fail."""
        if failure == "refused":
            self.tokens.stop()
            self.tokens = Server(bind=self.tokens.address[1])  # reserves the port but refuses connections
        elif failure in CONNECTION_FAILURES:
            self.tokens.connection_actions = [CONNECTION_FAILURES[failure]]
        else:
            self.tokens.token_actions = [RESPONSE_FAILURES[failure]]

    def recover(self) -> None:
        """Make the token endpoint available again."""
        self.tokens.connection_actions, self.tokens.token_actions = [accept_requests], [issue_token]
        self.tokens.start()

    def wait_for_exchange(self) -> None:
        """Wait for an exchange in the background."""
        provider = self.client.admin._shared.token_source
        assert isinstance(provider, TokenProvider)
        pending = provider._pending
        if pending is not None:
            assert pending.result.wait(PATIENCE)

    def __enter__(self) -> Self:
        assert self.client.fetch_token() == "token-1"
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.api.stop()
        self.tokens.stop()


@pytest.fixture(params=CLIENT_KINDS)
def outage(request: pytest.FixtureRequest, clock: RunningClock) -> Iterator[Outage]:
    """Return a client with a token and a frozen clock."""
    clock.freeze()
    with Outage(request.param) as outage:
        yield outage


@pytest.mark.parametrize(
    "failure",
    some_daily(
        [each for each in ("refused", *CONNECTION_FAILURES, *RESPONSE_FAILURES) if each not in SLOW_FAILURES], 3
    ),
)
def test_calls_survive_token_endpoint_outage(failure: str) -> None:
    """Calls succeed while the token is valid, none is sent without one, and they succeed within 31 s of recovery."""
    for client_kind, seconds_left in product(CLIENT_KINDS, SECONDS_LEFT):
        clock = RunningClock()
        clock.freeze()
        with use_clock(clock), Outage(client_kind) as outage:
            check_outage(failure, seconds_left, outage, clock)


@pytest.mark.parametrize("failure", SLOW_FAILURES)
@pytest.mark.long
def test_calls_survive_hanging_token_endpoint(failure: str) -> None:
    """Calls survive an outage in which each token request ends only by its timeout."""
    clocks = [RunningClock() for _ in range(len(CLIENT_KINDS) * len(SECONDS_LEFT))]
    with ExitStack() as stack:
        cases: list[tuple[str, int, Outage, RunningClock]] = []
        for (client_kind, seconds_left), clock in zip(product(CLIENT_KINDS, SECONDS_LEFT), clocks, strict=True):
            with use_clock(clock):
                cases.append((failure, seconds_left, stack.enter_context(Outage(client_kind, timeout=4.0)), clock))
        with ThreadPoolExecutor(len(cases)) as threads:
            for future in [threads.submit(check_outage, *case) for case in cases]:
                future.result()


def check_outage(failure: str, seconds_left: int, outage: Outage, clock: RunningClock) -> None:
    """Check calls during an outage with some seconds left for the token, and after recovery."""
    outage.fail(failure)
    clock.advance(LIFETIME - seconds_left)
    for _ in range(3):
        requests_before = len(outage.api.requests)
        result = outage.client.describe_project()
        outage.wait_for_exchange()
        if seconds_left:
            assert result == "x", result
        else:
            assert isinstance(result, PineconeError)
            assert result.outcome == "not_sent"
            assert result.safe_to_retry
            assert isinstance(result, InvalidCredentialsError) == (failure == "wrong credentials")
            assert len(outage.api.requests) == requests_before
    outage.recover()
    clock.advance(31)
    for _ in range(2):
        assert outage.client.describe_project() == "x"
        outage.wait_for_exchange()
    assert outage.api.requests[-1].headers["authorization"] == f"Bearer token-{outage.tokens.tokens_issued}"
    assert outage.tokens.tokens_issued == (1 if failure == "refused" else 2)  # a new server counts from 0


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_hanging_token_endpoint_leaves_time_for_call(client_kind: ClientKind, clock: RunningClock) -> None:
    """A call that waits for a refresh keeps enough of its timeout for its own request."""
    with Outage(client_kind, timeout=4.0) as outage:
        outage.fail("silent")
        clock.advance(LIFETIME - 20)
        assert outage.client.describe_project() == "x"


@pytest.mark.parametrize("failure", ["500", "wrong credentials", "captive portal"])
def test_failed_exchange_is_not_repeated_at_once(failure: str, outage: Outage, clock: RunningClock) -> None:
    """A hundred calls during an outage cause one exchange and raise the same error."""
    outage.fail(failure)
    clock.advance(LIFETIME)
    first = outage.client.describe_project()
    exchanges_before = outage.tokens.exchanges
    errors = [outage.client.describe_project() for _ in range(100)]
    assert {(type(error), str(error)) for error in errors} == {(type(first), str(first))}
    assert outage.tokens.exchanges == exchanges_before
    clock.advance(2.1)
    outage.client.describe_project()
    assert outage.tokens.exchanges > exchanges_before


def test_new_credentials_are_exchanged_at_once(clock: RunningClock) -> None:
    """A new secret from a callable or update_secret is exchanged at once after wrong credentials."""
    clock.freeze()
    secrets = ["first"]

    def check_secret(context: RequestContext) -> None:
        known = json.loads(context.request.body)["client_secret"] in {"second", "third"}
        (issue_token if known else send_response(401, b"{}"))(context)

    with (
        Server(token_actions=[check_secret]) as server,
        Admin(**server.client_options | {"client_secret": lambda: secrets[0]}) as admin,
    ):
        for _ in range(3):
            with pytest.raises(InvalidCredentialsError):
                admin.token()
        assert server.exchanges == 1
        secrets[0] = "second"
        assert admin.token().value == "token-1"
        admin.update_secret("third")
        assert admin.token().value == "token-2"
        assert server.exchanges == 3


def test_new_secret_replaces_hanging_exchange() -> None:
    """A new secret replaces a hanging exchange, and calls that wait for the old exchange get the new token."""
    with (
        Server(token_actions=[RequestContext.hang, issue_token]) as server,
        Admin(**server.client_options) as admin,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(admin.token)
        wait_until(lambda: server.exchanges)
        admin.update_secret("new")
        impatient = admin.with_options(timeout=PATIENCE)
        assert [impatient.token().value, waiting.result(PATIENCE).value] == ["token-1", "token-1"]
        assert server.exchanges == 2
