"""Every verb under every fault with every kind of client: the server counts what the documented table says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from tests.faults.cases import (
    ALL_CLIENT_KINDS,
    CLIENT_KINDS,
    FAULTS,
    PATH,
    VERBS,
    Certificates,
    ClientKind,
    Fault,
    call_failing_server,
    check_permanent_fault,
    run_failing_server,
)
from tests.faults.fault_sequences import SEQUENCES, check_sequence
from tests.support.sampling import some_daily

QUICK_FAULTS = tuple(fault for fault in FAULTS if not fault.slow)
SLOW_FAULTS = tuple(fault for fault in FAULTS if fault.slow)
CALLS = tuple(product(VERBS, CLIENT_KINDS))
CALLS_ON_ALL_LOOPS = tuple(product(VERBS, ALL_CLIENT_KINDS))
Calls = Sequence[tuple[str, ClientKind]]


def sample_calls(calls: Calls, fault: Fault, step: int) -> Calls:
    """Return every so many calls: each verb with some kinds of clients, which differ from one fault to the next."""
    return calls[FAULTS.index(fault) % step :: step]


@pytest.mark.parametrize("fault", some_daily(QUICK_FAULTS, 2), ids=str)
def test_permanent_fault_follows_table(fault: Fault, certificates: Certificates, stride: Callable[[int], int]) -> None:
    """Attempts, error and outcome under a permanent fault follow the table, and a POST is processed at most once."""
    # The name lookup of uvloop is its own and cannot be replaced.
    calls = sample_calls(CALLS_ON_ALL_LOOPS, fault, stride(3)) if fault.dns_error is None else CALLS
    for verb, client_kind in calls:
        check_permanent_fault(fault, verb, client_kind, certificates)


@pytest.mark.long
@pytest.mark.parametrize("fault", SLOW_FAULTS, ids=str)
def test_permanent_timeout_follows_table(
    fault: Fault, certificates: Certificates, stride: Callable[[int], int]
) -> None:
    """The table also holds if the server keeps the connection open, so that only a timeout ends each call."""
    calls = sample_calls(CALLS_ON_ALL_LOOPS, fault, stride(3))
    with ThreadPoolExecutor(len(calls)) as threads:
        for future in [
            threads.submit(check_permanent_fault, fault, verb, client_kind, certificates) for verb, client_kind in calls
        ]:
            future.result()


@pytest.mark.parametrize("fault", some_daily([each for each in QUICK_FAULTS if each.reaches_server], 2), ids=str)
def test_transient_fault_is_hidden_by_retry(
    fault: Fault, certificates: Certificates, stride: Callable[[int], int]
) -> None:
    """A retry hides a transient fault from the caller, including a lost response to DELETE."""
    for verb, client_kind in sample_calls(CALLS, fault, stride(2)):
        check_transient_fault(fault, verb, client_kind, certificates)


def check_transient_fault(fault: Fault, verb: str, client_kind: ClientKind, certificates: Certificates) -> None:
    """Check attempts and result of a request under a fault that occurs once."""
    with run_failing_server(fault, certificates, times=1) as server:
        result = call_failing_server(fault, verb, client_kind, certificates, server)
    if verb == "HEAD" and fault.in_body:
        assert (result, server.count_requests(verb)) == (None, 1)
    elif fault.rule.is_retried(verb):
        assert (result, fault.count_attempts(server, verb)) == (None, 2)
    else:
        assert (type(result), fault.count_attempts(server, verb)) == (fault.error, 1)
    assert verb != "POST" or server.processed[verb, PATH] <= 1


@pytest.mark.parametrize("name", SEQUENCES)
def test_definite_response_resolves_ambiguity(name: str) -> None:
    """An ambiguous attempt stays ambiguous until a definite response, and a repeated DELETE succeeds on 404."""
    check_sequence(SEQUENCES[name])
