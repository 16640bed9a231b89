"""A 401 of the API: one exchange, one more attempt, and no storm where the server rejects every token."""

from __future__ import annotations

import pytest

from pinecone_admin import UnauthorizedError
from tests.faults.cases import PATH, WORLDS, World, operation
from tests.faults.clients import Client, in_threads
from tests.faults.clock import RunningClock
from tests.faults.server import Action, Exchange, Server, answer, echo, late


def rejecting(*tokens: str, then: Action = echo) -> Action:
    """Answer 401 to some tokens, or to all where none is named."""

    def act(exchange: Exchange) -> None:
        given = exchange.request.headers["authorization"].removeprefix("Bearer ")
        (answer(401) if given in tokens or not tokens else then)(exchange)

    return act


@pytest.mark.parametrize("world", WORLDS)
def test_a_revoked_token_is_replaced(world: World) -> None:
    """A create whose token was revoked is sent once more with a fresh one, and processed once."""
    with Server(steps=[rejecting("token-1")]) as server, Client(world, **server.client) as client:
        assert client.do(lambda: client.admin.send(operation("POST"))) is None
        assert (server.calls("POST"), server.processed["POST", PATH], server.exchanges) == (2, 1, 2)


@pytest.mark.parametrize("world", WORLDS)
def test_a_permanent_401_is_no_storm(world: World, clock: RunningClock) -> None:
    """Thirty rejected calls cost one more exchange; the next one is thirty seconds later."""
    clock.hold()
    with Server(steps=[rejecting()]) as server, Client(world, **server.client) as client:
        for _ in range(30):
            error = client.describe()
            assert type(error) is UnauthorizedError
            assert error.outcome == "rejected"
        assert (server.calls("GET"), server.exchanges) == (31, 2)
        clock.advance(30.1)
        client.describe()
        assert server.exchanges == 3


def test_threads_with_one_revoked_token() -> None:
    """Fifty threads whose token was revoked cause one exchange, and none of them learns of it."""
    with Server(steps=[rejecting("token-1")], tokens=[late(0.01)]) as server, Client("sync", **server.client) as client:
        assert client.token() == "token-1"
        assert in_threads(50, client.describe) == ["x"] * 50
        assert server.exchanges == 2


@pytest.mark.parametrize("world", WORLDS)
def test_what_follows_a_401_counts(world: World) -> None:
    """A create whose second attempt is lost is not sent a third time, and its outcome is unknown."""
    with Server(steps=[rejecting("token-1", then=answer(503))]) as server, Client(world, **server.client) as client:
        error = client.do(lambda: client.admin.send(operation("POST")))
        assert (error.outcome, error.attempts, error.safe_to_retry) == ("unknown", 2, False)
        assert (server.calls("POST"), server.processed["POST", PATH]) == (2, 1)
