"""The published page covers every fault, and its figures that must be 0 are 0."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinecone_admin._concurrency.clock import use_clock
from tests.faults.cases import FAULTS, Certificates
from tests.faults.clock import RunningClock
from tests.faults.reliability_report import BOTOCORE, COLUMNS, Column, call_once, pass_time
from tests.faults.server import Server

PAGE = (Path(__file__).resolve().parents[2] / "docs/reliability.md").read_text(encoding="utf-8")


def test_page_covers_every_fault() -> None:
    """The table of creates names each fault with a server once; tests/faults/reliability_report.py writes it."""
    rows = re.findall(r"^\| ([^|]+) \| \d/\d ", PAGE, re.MULTILINE)
    listed = [name for row in rows for name in row.split(", ")]
    assert sorted(listed) == sorted(fault.name for fault in FAULTS if fault.reaches_server)


def test_bold_figures_are_zero() -> None:
    """Every figure of this client in a bold row is 0."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| **")]
    assert len(rows) == 7
    for _, *figures, _ in rows:
        assert figures == ["0", "0", "0"]


def test_an_outage_sends_at_most_a_tenth_more() -> None:
    """While the API is down, this client sends at most 1,100 requests for 1,000 calls; others stand beside it."""
    section = PAGE.partition("## Load during an outage")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \| (\d+) \|$", section, re.MULTILINE)
    assert [name for name, _, _ in rows] == [
        *(column.title for column in COLUMNS),
        f"{BOTOCORE.replace('==', ' ')}, standard mode",
    ]
    for _, requests, complete in rows[:3]:
        assert (int(requests.replace(",", "")), int(complete)) == (1100, 33)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.forks)
def test_a_token_expires_when_time_passes(column: Column, certificates: Certificates) -> None:
    """The report can let the token of each client expire, so that the next call fetches another one."""
    clock = RunningClock()
    with Server() as server, use_clock(clock):
        subject = column.make_client(certificates, **server.client_options)
        assert not isinstance(call_once(subject), Exception)
        issued = server.tokens_issued
        pass_time(subject, clock, 1801)
        assert not isinstance(call_once(subject), Exception)
        subject.close()
    assert (issued, server.tokens_issued) == (1, 2)
