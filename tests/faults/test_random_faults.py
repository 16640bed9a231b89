"""Suite 5, stateful: a bank in which no account is opened twice, and none without anybody knowing of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pinecone_admin import PineconeError
from pinecone_admin.operations import Operation
from tests.faults.cases import CHUNKED, CLIENT_KINDS, ClientKind, send_and_close
from tests.faults.clients import AnyClient
from tests.faults.server import Action, RequestContext, Server, format_head, send_project, send_response

FAULTS: dict[str, Action] = {
    "FIN unprocessed": send_and_close(b"", process=False),
    "FIN": send_and_close(b""),
    "RST": send_and_close(b"", RequestContext.reset),
    "head truncated": send_and_close(b"HTTP/1.1 201 Cr"),
    "garbage": send_and_close(b"garbage\r\n\r\n"),
    "body truncated": send_and_close(format_head(201, 99) + b"{"),
    "chunks truncated": send_and_close(CHUNKED + b"5\r\n{}"),
    "408": send_response(408),
    "429": send_response(429),
    "503 processed": send_response(503),
    "520 processed": send_response(520),
    "501": send_response(501),
    "401": send_response(401),
    "409": send_response(409),
}
faults = st.lists(st.sampled_from(sorted(FAULTS)), max_size=5)


class AccountMachine(RuleBasedStateMachine):
    """Opens and closes accounts at a server that fails in every way."""

    client_kind: ClientKind

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.opened: list[str] = []

    @initialize()
    def start(self) -> None:
        """Begin with no account."""
        self.server = Server().start()
        self.client = AnyClient(self.client_kind, **self.server.client_options)

    @rule(faults=faults)
    def open(self, faults: list[str]) -> None:
        """Open an account: success means one, a sure failure none, and anything else is said."""
        self.calls += 1
        path = f"/accounts/{self.calls}"
        error = self.call("POST", path, faults)
        made = self.server.processed["POST", path]
        assert made <= 1
        if error is None:
            self.opened.append(path)
            assert made == 1
        elif error.outcome in {"not_sent", "rejected"}:
            assert made == 0
            assert error.safe_to_retry
        else:
            assert not error.safe_to_retry
            assert error.outcome == "unknown" or made == 1

    @rule(faults=faults, data=st.data())
    def close(self, faults: list[str], data: st.DataObject) -> None:
        """Close an account: success means that it is gone, and a sure failure that it is there."""
        if not self.opened:
            return
        path = data.draw(st.sampled_from(self.opened))
        before = self.server.processed["DELETE", path]
        error = self.call("DELETE", path, faults)
        if error is None:
            self.opened.remove(path)
            assert self.server.processed["DELETE", path] > before
        elif error.outcome == "not_sent":
            assert self.server.processed["DELETE", path] == before
        elif error.outcome == "done":
            assert self.server.processed["DELETE", path] > before

    def call(self, verb: str, path: str, faults: list[str]) -> PineconeError | None:
        """Send one request, which meets the faults one after another."""
        past = [send_project] * len(self.server.requests)
        self.server.api_actions = [*past, *(FAULTS[name] for name in faults), send_project]
        operation = Operation(id="account", method=verb, path=path, returns=None)
        result = self.client.run_call(lambda: self.client.admin.send(operation))
        assert result is None or isinstance(result, PineconeError)
        return result

    @invariant()
    def creations_are_not_more_than_calls(self) -> None:
        """However often a request failed, the bank holds no more accounts than were asked for."""
        if self.calls:
            assert sum(count for (verb, _), count in self.server.processed.items() if verb == "POST") <= self.calls

    def teardown(self) -> None:
        """Stop everything."""
        if hasattr(self, "client"):
            self.client.close()
            self.server.stop()


@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("client_kind", CLIENT_KINDS)
def test_bank(client_kind: ClientKind, examples: int) -> None:
    """Creations never exceed calls, and every creation without success is known to be unknown or done."""
    run_state_machine_as_test(
        type("AccountMachine", (AccountMachine,), {"client_kind": client_kind}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
