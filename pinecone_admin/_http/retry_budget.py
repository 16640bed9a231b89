"""The retries that a client may still send, so that an outage does not multiply its load."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import repeat

from pinecone_admin._concurrency.sharing import PerProcess


class RetryBudget:
    """The points that retries have spent, for each host. ``RetryPolicy.budget`` is the limit.

    Threads and event loops share it; a forked child begins with an unspent one. There is no lock, because a deque is
    written in C: Ctrl-C, a signal handler and a fork find it whole. Of callers that ask for the last points at the same
    moment, all may be refused, but never more are granted than there are.
    """

    def __init__(self) -> None:
        # Each element is a point.
        self._spent: PerProcess[dict[str, deque[None]]] = PerProcess(dict)

    def spend(self, host: str, points: int, *, budget: int) -> bool:
        """Spend points for a retry; return False, and spend nothing, if that is more than is left of the budget."""
        spent = self._spent.get().setdefault(host, deque())
        spent.extend(repeat(None, points))
        is_granted = len(spent) <= budget
        if not is_granted:
            _remove(spent, points)
        return is_granted

    def refund(self, host: str, points: int) -> None:
        """Refund points after a success, at most those that are spent."""
        spent = self._spent.get().get(host)
        if spent:
            _remove(spent, points)


def _remove(spent: deque[None], points: int) -> None:
    with suppress(IndexError):
        for _ in range(points):
            spent.pop()
