"""The published figures that must be 0 are 0, and the program that measures them can let time pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinecone_admin._concurrency.clock import use_clock
from tests.faults.cases import Certificates
from tests.faults.clock import RunningClock
from tests.faults.reliability_report import COLUMNS, Column, call_once, pass_time
from tests.faults.server import Server

RECORD = json.loads((Path(__file__).resolve().parents[2] / "docs/figures.json").read_text("utf-8"))["faults"]
OURS = [column.title for column in COLUMNS[:-1]]


def test_figures_that_must_be_zero_are_zero() -> None:
    """Every figure of this client in a bold row of the page is 0."""
    bold = [row for row, each in RECORD["shape"]["rows"].items() if each["must_be_zero"]]
    assert len(bold) == 7
    assert {RECORD["figures"]["rows"][column][row] for column in OURS for row in bold} == {0}


def test_an_outage_sends_at_most_a_tenth_more() -> None:
    """While the API is down, this client sends at most 1,100 requests for 1,000 calls."""
    assert all(RECORD["figures"]["outages"][column]["requests"] <= 1100 for column in OURS)


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
