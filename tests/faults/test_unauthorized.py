"""A 401 of the API: one exchange, one more attempt, and no storm where the server rejects every token."""

from __future__ import annotations

import pytest

from pinecone_admin import UnauthorizedError
from tests.faults.cases import CLIENT_KINDS, PATH, ClientKind, make_operation
from tests.faults.clients import AnyClient, run_in_threads
from tests.faults.clock import RunningClock
from tests.faults.server import Action, RequestContext, Server, respond_after, send_project, send_response


def reject_tokens(*tokens: str, then: Action = send_project) -> Action:
    """Answer 401 to some tokens, or to all where none is named."""

    def act(context: RequestContext) -> None:
        token = context.request.headers["authorization"].removeprefix("Bearer ")
        (send_response(401) if token in tokens or not tokens else then)(context)

    return act


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_revoked_token_is_replaced(client_kind: ClientKind) -> None:
    """A create whose token was revoked is sent once more with a fresh one, and processed once."""
    with (
        Server(api_actions=[reject_tokens("token-1")]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None
        assert (server.count_requests("POST"), server.processed["POST", PATH], server.exchanges) == (2, 1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_a_permanent_401_is_no_storm(client_kind: ClientKind, clock: RunningClock) -> None:
    """Thirty rejected calls cost one more exchange; the next one is thirty seconds later."""
    clock.freeze()
    with Server(api_actions=[reject_tokens()]) as server, AnyClient(client_kind, **server.client_options) as client:
        for _ in range(30):
            error = client.describe_project()
            assert type(error) is UnauthorizedError
            assert error.outcome == "rejected"
        assert (server.count_requests("GET"), server.exchanges) == (31, 2)
        clock.advance(30.1)
        client.describe_project()
        assert server.exchanges == 3


def test_threads_with_one_revoked_token() -> None:
    """Fifty threads whose token was revoked cause one exchange, and none of them learns of it."""
    with (
        Server(api_actions=[reject_tokens("token-1")], token_actions=[respond_after(0.01)]) as server,
        AnyClient("sync", **server.client_options) as client,
    ):
        assert client.fetch_token() == "token-1"
        assert run_in_threads(50, client.describe_project) == ["x"] * 50
        assert server.exchanges == 2


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_what_follows_a_401_counts(client_kind: ClientKind) -> None:
    """A create whose second attempt is lost is not sent a third time, and its outcome is unknown."""
    with (
        Server(api_actions=[reject_tokens("token-1", then=send_response(503))]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        error = client.run_call(lambda: client.admin.send(make_operation("POST")))
        assert (error.outcome, error.attempts, error.safe_to_retry) == ("unknown", 2, False)
        assert (server.count_requests("POST"), server.processed["POST", PATH]) == (2, 1)
