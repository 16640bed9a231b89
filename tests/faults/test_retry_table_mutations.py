"""Suite 6: whichever cell of the table is changed, or whatever is classified otherwise, a case of suite 5 fails."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args

import httpx
import pytest

from pinecone_admin._http import failures, retry_policy
from pinecone_admin._http.failures import Failure
from pinecone_admin._http.retry_policy import RETRY_TABLE, RetryRule
from pinecone_admin._sync import client
from pinecone_admin._sync.transports import retry
from pinecone_admin.errors import Outcome
from tests.faults.cases import FAULTS, FAULTS_BY_NAME, VERBS, Certificates, Fault, check_permanent_fault
from tests.faults.fault_sequences import SEQUENCES, check_sequence

REPRESENTATIVES = {
    Failure.NOT_SENT: "refused",
    Failure.RATE_LIMITED: "429",
    Failure.OVERLOADED: "500",
    Failure.NO_RESPONSE: "FIN",
    Failure.BROKEN_BODY: "body truncated",
    Failure.TOO_LARGE: "200 MB announced",
    Failure.BROKEN_SERVER: "520",
    Failure.UNREACHABLE: "certificate of another host",
    Failure.REDIRECTED: "302",
    Failure.REFUSED: "400",
}
QUICK = [fault for fault in FAULTS if not fault.slow and fault.name != "200 MB in chunks"]
STATUSES = ("408", "500", "502 HTML", "503 Retry-After", "504", "501", "505", "520", "400", "409", "429")


def is_caught(fault: Fault, certificates: Certificates, verbs: tuple[str, ...] = ("PUT", "POST")) -> bool:
    """Tell whether a case fails."""
    for verb in verbs:
        try:
            check_permanent_fault(fault, verb, "sync", certificates)
        except AssertionError:
            return True
    return False


def cells() -> Iterator[tuple[Failure, RetryRule]]:
    """Give every rule with one field changed."""
    for failure, rule in RETRY_TABLE.items():
        yield failure, rule._replace(retry=not rule.retry)
        yield failure, rule._replace(retry_post=not rule.retry_post)
        for outcome in sorted(set(get_args(Outcome)) - {rule.outcome}):
            yield failure, rule._replace(outcome=outcome)


def test_every_failure_has_a_case() -> None:
    """A row that is added needs a fault that shows it."""
    assert set(REPRESENTATIVES) == set(RETRY_TABLE) == set(Failure)


@pytest.mark.parametrize(("failure", "rule"), list(cells()), ids=str)
def test_each_cell(
    failure: Failure, rule: RetryRule, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing one cell of the table makes a case of its row fail."""
    monkeypatch.setattr(retry_policy, "RETRY_TABLE", dict(RETRY_TABLE) | {failure: rule})
    assert is_caught(FAULTS_BY_NAME[REPRESENTATIVES[failure]], certificates)


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_each_classification(fault: Fault, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking a fault for any failure with another rule makes its case fail."""
    originals: dict[str, Callable[..., Failure | None]] = {
        name: getattr(retry, name) for name in ("classify_status", "classify_error")
    }
    seen: list[Failure] = []

    def patch(take_for: Failure | None) -> None:
        for name, original in originals.items():

            def classify(*args: Any, _original: Any = original, **kwargs: Any) -> Failure | None:
                found: Failure | None = _original(*args, **kwargs)
                if found is not None:
                    seen.append(found)
                return found and (take_for or found)

            monkeypatch.setattr(retry, name, classify)

    patch(None)
    check_permanent_fault(fault, "PUT", "sync", certificates)
    for other in Failure:
        if RETRY_TABLE[other] != RETRY_TABLE[seen[0]]:
            patch(other)
            assert is_caught(fault, certificates), other


@pytest.mark.parametrize("name", ["_OVERLOADED", "_NOT_PROCESSED"])
def test_each_status(name: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking a status out of its set, or putting another one in, makes a case fail."""
    statuses: frozenset[int] = getattr(failures, name)
    others = {int(each[:3]) for each in STATUSES} - {429}
    for status in statuses | others:
        monkeypatch.setattr(failures, name, statuses ^ {status})
        is_moot = name == "_NOT_PROCESSED" and (status < 500 or status in failures._OVERLOADED)
        fault = next(FAULTS_BY_NAME[each] for each in STATUSES if each.startswith(str(status)))
        assert is_moot or is_caught(fault, certificates), status


def test_each_unsettling_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking a status out of those that settle nothing, or putting another one in, makes a sequence fail."""
    statuses = retry_policy._UNSETTLING
    for status in statuses | {400, 404, 409}:
        monkeypatch.setattr(retry_policy, "_UNSETTLING", statuses ^ {status})
        assert any(fails(name) for name in SEQUENCES), status


def fails(name: str) -> bool:
    """Tell whether a sequence fails."""
    try:
        check_sequence(SEQUENCES[name])
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb(verb: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting a verb among those that may be repeated, or no longer, makes a case fail."""
    monkeypatch.setattr(client, "IDEMPOTENT", retry_policy.IDEMPOTENT ^ {verb})
    assert is_caught(FAULTS_BY_NAME["FIN"], certificates, (verb,))


KINDS = ("PoolTimeout", "ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol")
SENT = ("ReadTimeout", "WriteTimeout", "ReadError", "WriteError", "CloseError", "RemoteProtocolError", "DecodingError")


class FailingTransport(httpx.BaseTransport):
    """A transport that reports no events, and fails."""

    def __init__(self, error_name: str) -> None:
        self.error: Exception = getattr(httpx, error_name)("made up")
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        """Fail."""
        self.requests += 1
        raise self.error


def posts(error_name: str) -> int:
    """Count the attempts at a POST over a transport that reports no events."""
    transport = FailingTransport(error_name)
    with httpx.Client(transport=retry.RetryTransport(transport)) as client, pytest.raises(httpx.HTTPError):
        client.post("https://api.example/", json={})
    return transport.requests


@pytest.mark.parametrize("error_name", KINDS)
def test_each_kind_that_was_not_sent(error_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without events, only these kinds let a POST be sent again; each of them is listed."""
    assert posts(error_name) == 4
    monkeypatch.setattr(retry, "classify_error", without(error_name))
    assert posts(error_name) == 1


@pytest.mark.parametrize("error_name", SENT)
def test_every_other_kind_counts_as_sent(error_name: str) -> None:
    """A transport that reports no events fails safe: a POST goes out once."""
    assert posts(error_name) == 1


def without(error_name: str) -> Callable[..., Failure]:
    """Make classify_error anew with one error_name less in its tuple."""
    tree = ast.parse(inspect.getsource(failures.classify_error))
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple):
            node.elts = [each for each in node.elts if ast.unparse(each) != f"httpx.{error_name}"]
    namespace = dict(vars(failures))
    exec(compile(tree, "mutant", "exec"), namespace)  # the tuple is local, so the mutant is made from the source
    mutant: Callable[..., Failure] = namespace["classify_error"]
    return mutant
