"""The statuses of operations that the tests of the emulator drive, and the test that proves each.

`driven.json` beside the tests has one test for each. The test fails if it does not drive the status any more, and
`scripts/rule_pages.py --observe` writes the file again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.messages import Request, Response

FILE = Path(__file__).resolve().parents[1] / "emulator/driven.json"
CONFORMANCE = "tests/emulator/test_emulator_conformance.py::test_emulator_conforms"
OBSERVED = "PINECONE_ADMIN_OBSERVED"
"""The variable with the name of a file. If it is set, each test appends its statuses to the file."""

Driven = set[tuple[str, int]]
"""Pairs of the id of an operation and a status."""


def record_statuses(handle: Callable[..., Response], driven: Driven) -> Callable[..., Response]:
    """Return a handler that adds the operation and the status of each response to a set. Faults do not reach it."""

    def handle_and_record(request: Request, *arguments: Any) -> Response:
        response = handle(request, *arguments)
        if operation := dispatch.operation_id(request):
            driven.add((operation, response.status))
        return response

    return handle_and_record


@cache
def read_driven() -> Any:
    """Return the tests that drive each status, and the statuses that the conformance checks drive."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def require_driven(test: str, driven: Driven) -> None:
    """Require that a test has driven each status that the file names it for.

    Args:
        test: The id of the test.
        driven: The statuses that it has driven.
    """
    if path := os.environ.get(OBSERVED):
        line = json.dumps([test, sorted(driven)]) + "\n"
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line)
        return
    named = list_proven(read_driven(), test)
    assert not named - driven, f"this test drove {sorted(named - driven)} before: run scripts/rule_pages.py --observe"


def list_proven(content: Any, test: str) -> Driven:
    """Return the statuses that a test drives by the content of the file."""
    proven = {
        (operation, int(status))
        for operation, proofs in content["tests"].items()
        for status, proof in proofs.items()
        if proof == test
    }
    if test == CONFORMANCE:
        proven |= {(operation, status) for operation, found in content["conformance"].items() for status in found}
    return proven
