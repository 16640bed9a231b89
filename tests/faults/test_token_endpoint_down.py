"""Suite 3: the token endpoint is down, in many ways, while the token in use has some time left or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from typing import Self

import pytest

from pinecone_admin import Admin, PineconeError, RetryPolicy
from pinecone_admin._concurrency import use_clock
from pinecone_admin.auth.provider import TokenProvider
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
from tests.support.together import PATIENCE, wait_until

LIFETIME = 1800


def send_token_response(**changes: object) -> Action:
    """Answer with something like a token."""
    fields = {"access_token": "x", "token_type": "Bearer", "expires_in": 1800} | changes
    return send_response(200, json.dumps(fields).encode())


WAYS: dict[str, Action] = {
    "FIN": send_and_close(b"", process=False),
    "RST": send_and_close(b"", RequestContext.reset, process=False),
    "hang": send_and_close(b"", RequestContext.hang, process=False),
    "garbage": send_and_close(b"\x00garbage\r\n\r\n", process=False),
    "truncated": send_and_close(format_head(200, 99) + b'{"access_token": "x', process=False),
    "captive page": send_response(200, b"<html>Log in</html>"),
    "redirect": send_response(302, b"", "Location: https://elsewhere.example/"),
    "429": send_response(429),
    "500": send_response(500),
    "503 with Retry-After": send_response(503, b"", "Retry-After: 3"),
    "503 with a long Retry-After": send_response(503, b"", "Retry-After: 25"),
    "expired token": send_token_response(expires_in=0),
    "no token": send_response(200, b"{}"),
    "another kind of token": send_token_response(token_type="MAC"),
    "wrong credentials": send_response(401, b'{"error": "access_denied"}'),
}
SLOW = ("hang", "silent")
LEFT = (250, 100, 20, 0)
CONNECTION_FAILURES = {"FIN at once": close_on_data, "RST at once": reset_on_data, "silent": stay_silent}


class Down:
    """An API that is well, and a token endpoint that goes down and comes back on the same port.

    Args:
        world: The kind of client.
        timeout: Seconds that a call has.
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
            # The waits of an exchange are skipped, and what is skipped must not use up the time of the token.
            retry=RetryPolicy(attempt_timeout=0.4 * timeout, backoff=0.1, max_retry_after=1.0),
        )

    def fail(self, way: str) -> None:
        """Take the endpoint down."""
        if way == "refused":
            self.tokens.stop()
            self.tokens = Server(bind=self.tokens.address[1])  # refuses connections, and keeps the port from others
        elif way in CONNECTION_FAILURES:
            self.tokens.connection_actions = [CONNECTION_FAILURES[way]]
        else:
            self.tokens.token_actions = [WAYS[way]]

    def recover(self) -> None:
        """Bring it back."""
        self.tokens.connection_actions, self.tokens.token_actions = [accept_requests], [issue_token]
        self.tokens.start()

    def settle(self) -> None:
        """Wait for an exchange in the background."""
        provider = self.client.admin._shared.token_source
        assert isinstance(provider, TokenProvider)
        pending = provider._pending
        if pending is not None:
            pending.future.result(PATIENCE)

    def __enter__(self) -> Self:
        assert self.client.fetch_token() == "token-1"
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.api.stop()
        self.tokens.stop()


@pytest.fixture(params=CLIENT_KINDS)
def down(request: pytest.FixtureRequest, clock: RunningClock) -> Iterator[Down]:
    """Make a client with a token, in time that stands still."""
    clock.freeze()
    with Down(request.param) as down:
        yield down


@pytest.mark.parametrize("way", [way for way in ("refused", *CONNECTION_FAILURES, *WAYS) if way not in SLOW])
def test_the_endpoint_is_down(way: str) -> None:
    """No call fails while the token has time left; none is sent without one; within 31 seconds all is well again."""
    for client_kind, left in product(CLIENT_KINDS, LEFT):
        clock = RunningClock()
        clock.freeze()
        with use_clock(clock), Down(client_kind) as down:
            go_down_and_recover(way, left, down, clock)


@pytest.mark.parametrize("way", SLOW)
def test_the_endpoint_takes_its_time(way: str) -> None:
    """The same holds where only timeouts end an exchange; all cases wait at once."""
    clocks = [RunningClock() for _ in range(len(CLIENT_KINDS) * len(LEFT))]
    with ExitStack() as stack:
        cases: list[tuple[str, int, Down, RunningClock]] = []
        for (client_kind, left), clock in zip(product(CLIENT_KINDS, LEFT), clocks, strict=True):
            with use_clock(clock):
                cases.append((way, left, stack.enter_context(Down(client_kind, timeout=4.0)), clock))
        with ThreadPoolExecutor(len(cases)) as threads:
            for done in [threads.submit(go_down_and_recover, *case) for case in cases]:
                done.result()


def go_down_and_recover(way: str, left: int, down: Down, clock: RunningClock) -> None:
    """Take the endpoint down with some time left, call, bring it back, and call."""
    down.fail(way)
    clock.advance(LIFETIME - left)
    for _ in range(3):
        called = len(down.api.requests)
        result = down.client.describe_project()
        down.settle()
        if left:
            assert result == "x", result
        else:
            assert isinstance(result, PineconeError)
            assert result.outcome == "not_sent"
            assert result.safe_to_retry
            assert isinstance(result, InvalidCredentialsError) == (way == "wrong credentials")
            assert len(down.api.requests) == called
    down.recover()
    clock.advance(31)
    for _ in range(2):
        assert down.client.describe_project() == "x"
        down.settle()
    assert down.api.requests[-1].headers["authorization"] == f"Bearer token-{down.tokens.tokens_issued}"
    assert down.tokens.tokens_issued == (1 if way == "refused" else 2)  # that one counts from its return


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_hanging_endpoint_leaves_time_for_the_call(client_kind: ClientKind, clock: RunningClock) -> None:
    """With 20 seconds left a call waits for the refresh, but not so long that none of its own timeout remains."""
    with Down(client_kind, timeout=4.0) as down:
        down.fail("silent")
        clock.advance(LIFETIME - 20)
        assert down.client.describe_project() == "x"


@pytest.mark.parametrize("way", ["500", "wrong credentials", "captive page"])
def test_failures_cool_down(way: str, down: Down, clock: RunningClock) -> None:
    """A hundred calls in a row while the endpoint is down cost one exchange, and the remembered error."""
    down.fail(way)
    clock.advance(LIFETIME)
    first = down.client.describe_project()
    seen = down.tokens.exchanges
    errors = [down.client.describe_project() for _ in range(100)]
    assert {(type(error), str(error)) for error in errors} == {(type(first), str(first))}
    assert down.tokens.exchanges == seen
    clock.advance(2.1)
    down.client.describe_project()
    assert down.tokens.exchanges > seen


def test_new_credentials_do_not_cool_down(clock: RunningClock) -> None:
    """After wrong credentials the next secret that a callable gives, or update_secret, goes through at once."""
    clock.freeze()
    secrets = ["first"]

    def check(context: RequestContext) -> None:
        known = json.loads(context.request.body)["client_secret"] in {"second", "third"}
        (issue_token if known else send_response(401, b"{}"))(context)

    with (
        Server(token_actions=[check]) as server,
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


def test_a_new_secret_does_not_wait_behind_an_exchange_that_hangs() -> None:
    """The exchange that it replaces has connections of its own, and whoever waited for that one gets the new token."""
    with (
        Server(token_actions=[RequestContext.hang, issue_token]) as server,
        Admin(**server.client_options) as admin,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(admin.token)
        wait_until(lambda: server.exchanges)
        admin.update_secret("new")
        hurried = admin.with_options(timeout=PATIENCE)
        assert [hurried.token().value, waiting.result(PATIENCE).value] == ["token-1", "token-1"]
        assert server.exchanges == 2
