"""Random faults: no account is opened twice, and every failed create reports a correct outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pinecone_admin import PineconeError
from pinecone_admin.operations import Operation
from tests.faults.cases import ALL_CLIENT_KINDS, CLIENT_KINDS, ClientKind
from tests.faults.clients import AnyClient
from tests.faults.random_creates import FAULTS, Creates, count_inside_emulate, count_over_sockets
from tests.faults.server import Server, send_project
from tests.support.concurrency import PATIENCE
from tests.support.sampling import some_daily

faults = st.lists(st.sampled_from(sorted(FAULTS)), max_size=5)


class AccountMachine(RuleBasedStateMachine):
    """Opens and closes accounts at a server with random faults."""

    client_kind: ClientKind

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.open_accounts: list[str] = []

    @initialize()
    def start(self) -> None:
        """Start without accounts."""
        self.server = Server().start()
        self.client = AnyClient(self.client_kind, **self.server.client_options)

    @rule(faults=faults)
    def open_account(self, faults: list[str]) -> None:
        """Open an account, and check the outcome against the server."""
        self.calls += 1
        path = f"/accounts/{self.calls}"
        error = self.send("POST", path, faults)
        created = self.server.processed["POST", path]
        assert created <= 1
        if error is None:
            self.open_accounts.append(path)
            assert created == 1
        elif error.outcome in {"not_sent", "rejected"}:
            assert created == 0
            assert error.safe_to_retry
        else:
            assert not error.safe_to_retry
            assert error.outcome == "unknown" or created == 1

    @rule(faults=faults, data=st.data())
    def close_account(self, faults: list[str], data: st.DataObject) -> None:
        """Close an account, and check the outcome against the server."""
        if not self.open_accounts:
            return
        path = data.draw(st.sampled_from(self.open_accounts))
        before = self.server.processed["DELETE", path]
        error = self.send("DELETE", path, faults)
        if error is None:
            self.open_accounts.remove(path)
            assert self.server.processed["DELETE", path] > before
        elif error.outcome == "not_sent" or (error.outcome == "rejected" and not before):
            assert self.server.processed["DELETE", path] == before
        elif error.outcome == "done":
            assert self.server.processed["DELETE", path] > before

    def send(self, verb: str, path: str, faults: list[str]) -> PineconeError | None:
        """Send one request under the given faults in turn."""
        past_actions = [send_project] * len(self.server.requests)
        self.server.api_actions = [*past_actions, *(FAULTS[name] for name in faults), send_project]
        operation = Operation(id="account", method=verb, path=path, returns=None)
        result = self.client.run_call(lambda: self.client.admin.send(operation))
        assert result is None or isinstance(result, PineconeError)
        return result

    @invariant()
    def server_creates_at_most_one_account_per_call(self) -> None:
        """The server has at most one account for each call."""
        if self.calls:
            assert sum(count for (verb, _), count in self.server.processed.items() if verb == "POST") <= self.calls

    def teardown(self) -> None:
        """Stop the client and the server."""
        if hasattr(self, "client"):
            self.client.close()
            self.server.stop()


@pytest.mark.parametrize("examples", [10, pytest.param(15, marks=pytest.mark.long)])
@pytest.mark.parametrize("client_kind", some_daily(CLIENT_KINDS, 2))
def test_outcomes_are_correct_under_random_faults(client_kind: ClientKind, examples: int) -> None:
    """A create is processed at most once, and the outcome of each call agrees with the server."""
    run_state_machine_as_test(
        type("AccountMachine", (AccountMachine,), {"client_kind": client_kind}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@pytest.mark.parametrize("count", [150, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize("client_kind", some_daily(ALL_CLIENT_KINDS, 3))
@pytest.mark.parametrize("place", [count_over_sockets, count_inside_emulate])
def test_no_create_is_processed_twice(place: Callable[..., Creates], client_kind: ClientKind, count: int) -> None:
    """Of many creates at once under random faults, none is processed twice, and most are processed."""
    found = place(partial(AnyClient, client_kind), count, seed=count, deadline=time.monotonic() + 4 * PATIENCE)
    assert found.repeated == 0
    assert found.made == count
    assert count / 2 < found.processed < count
