"""Suite 5: every verb meets every fault in every world, and the server counts what the page says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from tests.faults.cases import FAULTS, PATH, VERBS, WORLDS, Certificates, Fault, World, check, failing, meet
from tests.faults.fault_sequences import SEQUENCES, check_sequence

QUICK = tuple(fault for fault in FAULTS if not fault.slow)
SLOW = tuple(fault for fault in FAULTS if fault.slow)
CASES = tuple(product(VERBS, WORLDS))


@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_that_stays(fault: Fault, certificates: Certificates) -> None:
    """Attempts, error, outcome and safe_to_retry are the page's, and a POST is processed at most once."""
    for verb, world in CASES:
        check(fault, verb, world, certificates)


@pytest.mark.parametrize("fault", SLOW, ids=str)
def test_a_fault_that_only_a_timeout_ends(fault: Fault, certificates: Certificates) -> None:
    """The same holds where the server keeps the connection; all verbs in all worlds wait at once."""
    with ThreadPoolExecutor(len(CASES)) as threads:
        for done in [threads.submit(check, fault, verb, world, certificates) for verb, world in CASES]:
            done.result()


@pytest.mark.parametrize("fault", [fault for fault in QUICK if fault.reachable], ids=str)
def test_a_fault_that_goes_away(fault: Fault, certificates: Certificates) -> None:
    """The caller never learns of a fault after which the request is sent again, not even of a lost answer to DELETE."""
    for verb, world in CASES:
        check_once(fault, verb, world, certificates)


def check_once(fault: Fault, verb: str, world: World, certificates: Certificates) -> None:
    """Meet a fault that goes away after the first attempt."""
    with failing(fault, certificates, times=1) as server:
        result = meet(fault, verb, world, certificates, server)
    if verb == "HEAD" and fault.in_body:
        assert (result, server.calls(verb)) == (None, 1)
    elif fault.row.tries_again(verb):
        assert (result, fault.seen(server, verb)) == (None, 2)
    else:
        assert (type(result), fault.seen(server, verb)) == (fault.error, 1)
    assert verb != "POST" or server.processed[verb, PATH] <= 1


@pytest.mark.parametrize("name", SEQUENCES)
def test_one_fault_after_another(name: str) -> None:
    """An ambiguous attempt stays ambiguous until a later answer settles it, and a delete that is lost is a delete."""
    check_sequence(SEQUENCES[name])
