"""A 401 from the API: one token exchange, one more attempt, and no exchange per call if every token is rejected."""

from __future__ import annotations

import pytest

from pinecone_admin import UnauthorizedError
from tests.faults.cases import CLIENT_KINDS, PATH, ClientKind, make_operation
from tests.faults.clients import AnyClient, run_in_threads
from tests.faults.clock import RunningClock
from tests.faults.server import Action, RequestContext, Server, respond_after, send_project, send_response


def reject_tokens(*tokens: str, then: Action = send_project) -> Action:
    """Respond with 401 to some tokens, or to every token if none is named."""

    def act(context: RequestContext) -> None:
        token = context.request.headers["authorization"].removeprefix("Bearer ")
        (send_response(401) if token in tokens or not tokens else then)(context)

    return act


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_revoked_token_is_replaced(client_kind: ClientKind) -> None:
    """A POST with a revoked token is sent once more with a new token, and processed once."""
    with (
        Server(api_actions=[reject_tokens("token-1")]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        assert client.run_call(lambda: client.admin.send(make_operation("POST"))) is None
        assert (server.count_requests("POST"), server.processed["POST", PATH], server.exchanges) == (2, 1, 2)


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_permanent_401_limits_exchanges(client_kind: ClientKind, clock: RunningClock) -> None:
    """Thirty rejected calls cause one more exchange; the next exchange follows after thirty seconds."""
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


def test_threads_replace_revoked_token_once() -> None:
    """Fifty threads with a revoked token cause one exchange, and all their calls succeed."""
    with (
        Server(api_actions=[reject_tokens("token-1")], token_actions=[respond_after(0.01)]) as server,
        AnyClient("sync", **server.client_options) as client,
    ):
        assert client.fetch_token() == "token-1"
        assert run_in_threads(50, client.describe_project) == ["x"] * 50
        assert server.exchanges == 2


@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_failure_after_401_is_not_retried(client_kind: ClientKind) -> None:
    """A POST whose second attempt fails after a 401 is not sent again, and its outcome is unknown."""
    with (
        Server(api_actions=[reject_tokens("token-1", then=send_response(503))]) as server,
        AnyClient(client_kind, **server.client_options) as client,
    ):
        error = client.run_call(lambda: client.admin.send(make_operation("POST")))
        assert (error.outcome, error.attempts, error.safe_to_retry) == ("unknown", 2, False)
        assert (server.count_requests("POST"), server.processed["POST", PATH]) == (2, 1)
