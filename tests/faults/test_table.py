"""Suite 5: every verb meets every fault in every world, and the server counts what the page says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.cases import FAULTS, PATH, VERBS, WORLDS, Certificates, Fault, World, check, failing, meet

QUICK = tuple(fault for fault in FAULTS if not fault.slow)
SLOW = tuple(fault for fault in FAULTS if fault.slow)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", QUICK, ids=str)
def test_a_fault_that_stays(fault: Fault, verb: str, world: World, certificates: Certificates) -> None:
    """Attempts, error, outcome and safe_to_retry are the page's, and a POST is processed at most once."""
    check(fault, verb, world, certificates)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("fault", SLOW, ids=str)
def test_a_fault_that_only_a_timeout_ends(fault: Fault, world: World, certificates: Certificates) -> None:
    """The same holds where the server keeps the connection; all verbs wait at once."""
    with ThreadPoolExecutor(len(VERBS)) as threads:
        for done in [threads.submit(check, fault, verb, world, certificates) for verb in VERBS]:
            done.result()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", [fault for fault in QUICK if fault.reachable], ids=str)
def test_a_fault_that_goes_away(fault: Fault, verb: str, world: World, certificates: Certificates) -> None:
    """The caller never learns of a fault after which the request is sent again, not even of a lost answer to DELETE."""
    with failing(fault, certificates, times=1) as server:
        result = meet(fault, verb, world, certificates, server)
    if verb == "HEAD" and fault.in_body:
        assert (result, server.calls(verb)) == (None, 1)
    elif fault.row.tries_again(verb):
        assert (result, fault.seen(server, verb)) == (None, 2)
    else:
        assert (type(result), fault.seen(server, verb)) == (fault.error, 1)
    assert verb != "POST" or server.processed[verb, PATH] <= 1
