"""Mutations of the retry table and of failure classification: a test case detects each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import httpx
import pytest

from pinecone_admin._http import retry_policy
from pinecone_admin._http.retry_policy import RETRY_TABLE, Failure, RetryRule
from pinecone_admin._sync import sender
from pinecone_admin._sync.transports import retry
from pinecone_admin.errors import Outcome
from tests.faults.cases import FAULTS, FAULTS_BY_NAME, VERBS, Certificates, Fault, check_permanent_fault
from tests.faults.fault_sequences import SEQUENCES, check_sequence

REPRESENTATIVES = {
    Failure.NOT_SENT: "refused",
    Failure.RATE_LIMITED: "429",
    Failure.TRANSIENT_STATUS: "500",
    Failure.NO_RESPONSE: "FIN",
    Failure.INCOMPLETE_BODY: "body truncated",
    Failure.BODY_TOO_LARGE: "200 MB announced",
    Failure.SERVER_ERROR: "520",
    Failure.CANNOT_CONNECT: "certificate of another host",
    Failure.REDIRECT: "302",
    Failure.FOREIGN_REFUSAL: "403 HTML",
    Failure.CLIENT_ERROR: "400",
}
QUICK_FAULTS = [fault for fault in FAULTS if not fault.slow and fault.name != "200 MB in chunks"]
STATUSES = ("408", "500", "502 HTML", "503 Retry-After", "504", "501", "505", "520", "400", "409", "429")


def detects_mutation(fault: Fault, certificates: Certificates, verbs: tuple[str, ...] = ("PUT", "POST")) -> bool:
    """Return whether a case fails."""
    for verb in verbs:
        try:
            check_permanent_fault(fault, verb, "sync", certificates)
        except AssertionError:
            return True
    return False


def list_mutated_rules() -> Iterator[tuple[Failure, RetryRule]]:
    """Yield every rule with one field changed."""
    for failure, rule in RETRY_TABLE.items():
        yield failure, rule._replace(retry_other=not rule.retry_other)
        yield failure, rule._replace(retry_post=not rule.retry_post)
        yield failure, rule._replace(worth_retrying=not rule.worth_retrying)
        for outcome in sorted(set(get_args(Outcome)) - {rule.outcome}):
            yield failure, rule._replace(outcome=outcome)


def test_every_failure_has_a_fault() -> None:
    """Every row of the retry table has a representative fault."""
    assert set(REPRESENTATIVES) == set(RETRY_TABLE) == set(Failure)


@pytest.mark.parametrize(("failure", "rule"), list(list_mutated_rules()), ids=str)
def test_changed_cell_is_detected(
    failure: Failure, rule: RetryRule, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed cell of the table makes a case of its row fail."""
    monkeypatch.setattr(retry_policy, "RETRY_TABLE", dict(RETRY_TABLE) | {failure: rule})
    assert detects_mutation(FAULTS_BY_NAME[REPRESENTATIVES[failure]], certificates)


@pytest.mark.parametrize("fault", QUICK_FAULTS, ids=str)
def test_changed_classification_is_detected(
    fault: Fault, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault classified as a failure with another rule makes its case fail."""
    originals: dict[str, Callable[..., Failure]] = {
        name: getattr(retry, name) for name in ("classify_status", "classify_error")
    }
    original_failures: list[Failure] = []

    def patch(replacement: Failure | None) -> None:
        for name, original in originals.items():

            def classify(*args: Any, _original: Callable[..., Failure] = original, **kwargs: Any) -> Failure:
                failure = _original(*args, **kwargs)
                original_failures.append(failure)
                return replacement or failure

            monkeypatch.setattr(retry, name, classify)

    patch(None)
    check_permanent_fault(fault, "PUT", "sync", certificates)
    for other in Failure:
        if RETRY_TABLE[other] != RETRY_TABLE[original_failures[0]]:
            patch(other)
            assert detects_mutation(fault, certificates), other


@pytest.mark.parametrize("name", ["_TRANSIENT_STATUSES", "_NOT_PROCESSED"])
def test_changed_status_set_is_detected(name: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status added to or removed from its set makes a case fail."""
    statuses: frozenset[int] = getattr(retry_policy, name)
    others = {int(each[:3]) for each in STATUSES} - {429}
    for status in statuses | others:
        monkeypatch.setattr(retry_policy, name, statuses ^ {status})
        has_no_effect = name == "_NOT_PROCESSED" and (status < 500 or status in retry_policy._TRANSIENT_STATUSES)
        fault = next(FAULTS_BY_NAME[each] for each in STATUSES if each.startswith(str(status)))
        assert has_no_effect or detects_mutation(fault, certificates), status


def test_changed_ambiguous_status_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status added to or removed from the statuses that leave an outcome ambiguous makes a sequence fail."""
    statuses = retry_policy._ACCESS_STATUSES
    for status in statuses | {400, 409}:
        monkeypatch.setattr(retry_policy, "_ACCESS_STATUSES", statuses ^ {status})
        assert any(sequence_fails(name) for name in SEQUENCES), status


def test_changed_unsettled_verb_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb added to or removed from those that a refusal does not settle makes a sequence fail."""
    verbs = retry_policy._NOT_SETTLED_BY_REFUSAL
    for verb in ("PUT", "DELETE", "PATCH"):
        monkeypatch.setattr(retry_policy, "_NOT_SETTLED_BY_REFUSAL", verbs ^ {verb})
        assert any(sequence_fails(name) for name in SEQUENCES), verb


def sequence_fails(name: str) -> bool:
    """Return whether a sequence fails."""
    try:
        check_sequence(SEQUENCES[name])
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("verb", VERBS)
def test_changed_idempotent_verbs_are_detected(
    verb: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verb added to or removed from the idempotent verbs makes a case fail."""
    monkeypatch.setattr(sender, "IDEMPOTENT_METHODS", retry_policy.IDEMPOTENT_METHODS ^ {verb})
    assert detects_mutation(FAULTS_BY_NAME["FIN"], certificates, (verb,))


TRANSPORT_ERRORS = (
    "PoolTimeout",
    "ConnectError",
    "ConnectTimeout",
    "ProxyError",
    "UnsupportedProtocol",
    "ReadTimeout",
    "WriteTimeout",
    "ReadError",
    "WriteError",
    "CloseError",
    "RemoteProtocolError",
    "DecodingError",
)


class FailingTransport(httpx.BaseTransport):
    """A transport that raises an error and reports no trace events."""

    def __init__(self, error_name: str) -> None:
        self.error: Exception = getattr(httpx, error_name)("simulated")
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        """Raise the error."""
        self.requests += 1
        raise self.error


def count_post_attempts(error_name: str) -> int:
    """Return the number of attempts of a POST over a transport that reports no trace events."""
    transport = FailingTransport(error_name)
    with httpx.Client(transport=retry.RetryTransport(transport)) as client, pytest.raises(httpx.HTTPError):
        client.post("https://api.example/", json={})
    return transport.requests


@pytest.mark.parametrize("error_name", TRANSPORT_ERRORS)
def test_post_without_trace_events_is_sent_once(error_name: str) -> None:
    """A transport that reports no events may raise any error after it has sent the request."""
    assert count_post_attempts(error_name) == 1
