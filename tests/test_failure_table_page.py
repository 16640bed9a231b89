"""The table of failures on the page about retries says what a call does at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pinecone_admin import Admin, PineconeError, RetryPolicy
from pinecone_admin.testing import emulate
from tests.support.recipes import read_page

FAULTS: Mapping[str, list[dict[str, Any]]] = {
    "not sent": [{"unreachable": True}],
    "429": [{"status": 429}],
    "408, 500, 502, 503, 504": [{"status": status} for status in (408, 500, 502, 503, 504)],
    "sent, but no response": [{"drop": "before"}, {"drop": "after"}, {"reset": "after"}, {"delay": 15}],
    "a 2xx response with an incomplete body": [{"truncate": True}, {"wrong_length": 5}],
    "a 2xx response with more than 4 MiB, or with a body that does not fit the operation": [
        {"status": 200, "body": {"name": "x" * 4_194_304}},
        {"status": 200, "body": "html"},
        {"status": 204, "body": "empty"},
    ],
    "any other 5xx": [{"status": 520}],
    "3xx": [{"status": 302}],
    "403 without an `error.code`": [
        {"status": 403, "body": body} for body in ("html", "empty", {"message": "blocked"})
    ],
    "501, 505, and any other 4xx": [{"status": status} for status in (501, 505, 400, 403, 404, 409, 418)],
}
"""Faults by the beginnings of the rows."""
UNTRIED = "a certificate is refused"
"""The row that needs a network, with which ``faults/`` has its tests."""
POLICY = RetryPolicy(max_attempts=2, backoff=0, attempt_timeout=10)


def read_rows() -> list[list[str]]:
    """Return the cells of the table, without its head."""
    page = read_page("docs/timeouts-and-retries.md")
    lines = page.partition("| failure |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


ROWS = read_rows()


@pytest.mark.parametrize("row", [each for each in ROWS if not each[0].startswith(UNTRIED)], ids=lambda row: row[0][:30])
def test_each_row_is_what_a_call_does(row: list[str]) -> None:
    """A create and another request are sent as often, and end, as their row says."""
    failure, create, others, outcome, worth = row
    (faults,) = [each for name, each in FAULTS.items() if failure.startswith(name)]
    for fault in faults:
        with emulate() as emulator, Admin(retry=POLICY) as admin:
            calls: Mapping[str, tuple[str, Callable[[], object]]] = {
                "create_project": (create, lambda: admin.projects.create(name="search")),
                "list_projects": (others, admin.projects.list),
            }
            for operation, (said, call) in calls.items():
                emulator.faults.add(operation, times=None, **fault)
                with pytest.raises(PineconeError) as caught:
                    call()
                sent = len(emulator.requests.filter(operation))
                ending = (caught.value.outcome, caught.value.worth_retrying)
                assert (sent, ending) == ({"repeated": 2, "final": 1}[said], (outcome, worth == "yes")), fault


def test_each_row_but_one_is_tried() -> None:
    """A new row needs its faults here."""
    untried = [row[0] for row in ROWS if not row[0].startswith(tuple(FAULTS))]
    assert [each.startswith(UNTRIED) for each in untried] == [True]
