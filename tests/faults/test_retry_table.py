"""Suite 5: every verb meets every fault in every world, and the server counts what the page says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from tests.faults.cases import (
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

QUICK = tuple(fault for fault in FAULTS if not fault.slow)
SLOW = tuple(fault for fault in FAULTS if fault.slow)
CASES = tuple(product(VERBS, CLIENT_KINDS))


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_that_stays(fault: Fault, certificates: Certificates) -> None:
    """Attempts, error, outcome and safe_to_retry are the page's, and a POST is processed at most once."""
    for verb, client_kind in CASES:
        check_permanent_fault(fault, verb, client_kind, certificates)


@pytest.mark.parametrize("fault", SLOW, ids=str)
def test_a_fault_that_only_a_timeout_ends(fault: Fault, certificates: Certificates) -> None:
    """The same holds where the server keeps the connection; all verbs in all worlds wait at once."""
    with ThreadPoolExecutor(len(CASES)) as threads:
        for done in [
            threads.submit(check_permanent_fault, fault, verb, client_kind, certificates) for verb, client_kind in CASES
        ]:
            done.result()


@pytest.mark.parametrize("fault", [fault for fault in QUICK if fault.reaches_server], ids=str)
def test_a_fault_that_goes_away(fault: Fault, certificates: Certificates) -> None:
    """The caller never learns of a fault after which the request is sent again, not even of a lost answer to DELETE."""
    for verb, client_kind in CASES:
        check_once(fault, verb, client_kind, certificates)


def check_once(fault: Fault, verb: str, client_kind: ClientKind, certificates: Certificates) -> None:
    """Meet a fault that goes away after the first attempt."""
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
def test_one_fault_after_another(name: str) -> None:
    """An ambiguous attempt stays ambiguous until a later answer settles it, and a delete that is lost is a delete."""
    check_sequence(SEQUENCES[name])
