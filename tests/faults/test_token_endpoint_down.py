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
from tests.faults.cases import WORLDS, World, closing, ending, resetting, silent
from tests.faults.clients import Client
from tests.faults.clock import RunningClock
from tests.faults.server import TOKEN_PATH, Action, Exchange, Server, answer, head, mint, welcome
from tests.support.together import PATIENCE, wait_until

LIFETIME = 1800


def token(**changes: object) -> Action:
    """Answer with something like a token."""
    fields = {"access_token": "x", "token_type": "Bearer", "expires_in": 1800} | changes
    return answer(200, json.dumps(fields).encode())


WAYS: dict[str, Action] = {
    "FIN": ending(b"", process=False),
    "RST": ending(b"", Exchange.reset, process=False),
    "hang": ending(b"", Exchange.hang, process=False),
    "garbage": ending(b"\x00garbage\r\n\r\n", process=False),
    "truncated": ending(head(200, 99) + b'{"access_token": "x', process=False),
    "captive page": answer(200, b"<html>Log in</html>"),
    "redirect": answer(302, b"", "Location: https://elsewhere.example/"),
    "429": answer(429),
    "500": answer(500),
    "503 with Retry-After": answer(503, b"", "Retry-After: 3"),
    "503 with a long Retry-After": answer(503, b"", "Retry-After: 25"),
    "expired token": token(expires_in=0),
    "no token": answer(200, b"{}"),
    "another kind of token": token(token_type="MAC"),
    "wrong credentials": answer(401, b'{"error": "access_denied"}'),
}
SLOW = ("hang", "silent")
LEFT = (250, 100, 20, 0)
GREETINGS = {"FIN at once": closing, "RST at once": resetting, "silent": silent}


class Down:
    """An API that is well, and a token endpoint that goes down and comes back on the same port.

    Args:
        world: The kind of client.
        timeout: Seconds that a call has.
    """

    def __init__(self, world: World, timeout: float = 30.0) -> None:
        self.api = Server().start()
        self.tokens = Server().start()
        self.client = Client(
            world,
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
        elif way in GREETINGS:
            self.tokens.greetings = [GREETINGS[way]]
        else:
            self.tokens.tokens = [WAYS[way]]

    def recover(self) -> None:
        """Bring it back."""
        self.tokens.greetings, self.tokens.tokens = [welcome], [mint]
        self.tokens.start()

    def settle(self) -> None:
        """Wait for an exchange in the background."""
        provider = self.client.admin._shared.token_source
        assert isinstance(provider, TokenProvider)
        pending = provider._pending
        if pending is not None:
            pending.future.result(PATIENCE)

    def __enter__(self) -> Self:
        assert self.client.token() == "token-1"
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.api.stop()
        self.tokens.stop()


@pytest.fixture(params=WORLDS)
def down(request: pytest.FixtureRequest, clock: RunningClock) -> Iterator[Down]:
    """Make a client with a token, in time that stands still."""
    clock.hold()
    with Down(request.param) as down:
        yield down


@pytest.mark.parametrize("way", [way for way in ("refused", *GREETINGS, *WAYS) if way not in SLOW])
def test_the_endpoint_is_down(way: str) -> None:
    """No call fails while the token has time left; none is sent without one; within 31 seconds all is well again."""
    for world, left in product(WORLDS, LEFT):
        clock = RunningClock()
        clock.hold()
        with use_clock(clock), Down(world) as down:
            go_down_and_recover(way, left, down, clock)


@pytest.mark.parametrize("way", SLOW)
def test_the_endpoint_takes_its_time(way: str) -> None:
    """The same holds where only timeouts end an exchange; all cases wait at once."""
    clocks = [RunningClock() for _ in range(len(WORLDS) * len(LEFT))]
    with ExitStack() as stack:
        cases: list[tuple[str, int, Down, RunningClock]] = []
        for (world, left), clock in zip(product(WORLDS, LEFT), clocks, strict=True):
            with use_clock(clock):
                cases.append((way, left, stack.enter_context(Down(world, timeout=4.0)), clock))
        with ThreadPoolExecutor(len(cases)) as threads:
            for done in [threads.submit(go_down_and_recover, *case) for case in cases]:
                done.result()


def go_down_and_recover(way: str, left: int, down: Down, clock: RunningClock) -> None:
    """Take the endpoint down with some time left, call, bring it back, and call."""
    down.fail(way)
    clock.advance(LIFETIME - left)
    for _ in range(3):
        called = len(down.api.requests)
        result = down.client.describe()
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
        assert down.client.describe() == "x"
        down.settle()
    assert down.api.requests[-1].headers["authorization"] == f"Bearer token-{down.tokens.minted}"
    assert down.tokens.minted == (1 if way == "refused" else 2)  # that one counts from its return


@pytest.mark.parametrize("world", WORLDS)
def test_a_hanging_endpoint_leaves_time_for_the_call(world: World, clock: RunningClock) -> None:
    """With 20 seconds left a call waits for the refresh, but not so long that none of its own timeout remains."""
    with Down(world, timeout=4.0) as down:
        down.fail("silent")
        clock.advance(LIFETIME - 20)
        assert down.client.describe() == "x"


@pytest.mark.parametrize("way", ["500", "wrong credentials", "captive page"])
def test_failures_cool_down(way: str, down: Down, clock: RunningClock) -> None:
    """A hundred calls in a row while the endpoint is down cost one exchange, and the remembered error."""
    down.fail(way)
    clock.advance(LIFETIME)
    first = down.client.describe()
    seen = down.tokens.exchanges
    errors = [down.client.describe() for _ in range(100)]
    assert {(type(error), str(error)) for error in errors} == {(type(first), str(first))}
    assert down.tokens.exchanges == seen
    clock.advance(2.1)
    down.client.describe()
    assert down.tokens.exchanges > seen


def test_new_credentials_do_not_cool_down(clock: RunningClock) -> None:
    """After wrong credentials the next secret that a callable gives, or update_secret, goes through at once."""
    clock.hold()
    secrets = ["first"]

    def check(exchange: Exchange) -> None:
        known = json.loads(exchange.request.body)["client_secret"] in {"second", "third"}
        (mint if known else answer(401, b"{}"))(exchange)

    with Server(tokens=[check]) as server, Admin(**server.client | {"client_secret": lambda: secrets[0]}) as admin:
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
        Server(tokens=[Exchange.hang, mint]) as server,
        Admin(**server.client) as admin,
        ThreadPoolExecutor(1) as threads,
    ):
        waiting = threads.submit(admin.token)
        wait_until(lambda: server.exchanges)
        admin.update_secret("new")
        hurried = admin.with_options(timeout=PATIENCE)
        assert [hurried.token().value, waiting.result(PATIENCE).value] == ["token-1", "token-1"]
        assert server.exchanges == 2
