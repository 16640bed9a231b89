"""The tokens of a retry budget: shared by threads, and not by processes."""

from __future__ import annotations

import os
import threading
import warnings

from pinecone_admin._http.retry_budget import RetryBudget
from tests.support.concurrency import PATIENCE, wait_for_child


def test_threads_never_spend_more_than_there_is() -> None:
    """However many threads ask at once, no more tokens are granted than there are, and none is lost."""
    budget, granted, start = RetryBudget(), list[bool](), threading.Barrier(16)

    def spend() -> None:
        start.wait(PATIENCE)
        for _ in range(100):
            granted.append(budget.spend("api.example", 5, budget=500))

    threads = [threading.Thread(target=spend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 1600
    while sum(granted) < 100:  # at the last tokens, all who asked may have been refused
        granted.append(budget.spend("api.example", 5, budget=500))
        assert granted[-1]
    assert not budget.spend("api.example", 5, budget=500)
    assert sum(granted) == 100


def test_a_refund_gives_back_no_more_than_was_spent() -> None:
    """Tokens are never more than the budget, and those of another host stay as they are."""
    budget = RetryBudget()
    assert budget.spend("a.example", 5, budget=10)
    assert budget.spend("b.example", 10, budget=10)
    budget.refund("a.example", 100)
    assert budget.spend("a.example", 10, budget=10)
    assert not budget.spend("a.example", 1, budget=10)
    assert not budget.spend("b.example", 1, budget=10)


def test_a_forked_child_has_its_own_tokens() -> None:
    """A child begins with all tokens, and what it spends is not missing to its parent."""
    budget = RetryBudget()
    assert budget.spend("api.example", 5, budget=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process may have threads
        child = os.fork()
        if not child:
            os._exit(0 if budget.spend("api.example", 5, budget=5) else 1)
    assert wait_for_child(child) == 0
    assert not budget.spend("api.example", 1, budget=5)
    budget.refund("api.example", 5)
    assert budget.spend("api.example", 5, budget=5)
