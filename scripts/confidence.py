"""The page docs/emulator-confidence.md and a line of the README: how well the emulator is known.

The sources are the API document, the catalogue of rules, the recordings in docs/conformance, the operations that
official clients call in tests/compat, and tests/emulator/driven.json, which the tests of the emulator write.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from attrs import frozen

from derived_page import render_table, write_or_check
from generation.api_document import iter_operations, parse_document
from pinecone_admin._text.counts import count_noun
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.rule_catalogue import RULES_BY_NOUN
from tests.compat.official_operations import CLIENTS
from tests.conformance.recording import SUFFIX, read_recording
from tests.support.driven import CONFORMANCE, FILE, OBSERVED

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/emulator-confidence.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- Begin: scripts/rule_pages.py -->\n", "<!-- End: scripts/rule_pages.py -->\n"

_TELLING = ("refusals", "access", "resources", "lists", "wire", "rules", "permissions", "control")
"""The files of tests that are searched first for a proof."""

BASES = ("published", "published in part", "observed", "assumed")

INTRODUCTION = """\
---
keywords: confidence, proven, how well is the emulator known, official clients, refusals, coverage of the api
---

<!-- Derived by scripts/rule_pages.py from the API document, the rules, the tests and the recordings. -->

# How well the emulator is known

This page is for you if you decide how far to trust the [emulator](emulator.md). It shows, for each operation and each
rule, what supports it. The tests check each cell.

## Operations

- **Official clients**: the tests in `tests/compat` run Pinecone's own clients, which call the operation with success.
  P7 to P10 are the Python SDKs {python}. T9 is the TypeScript SDK {typescript}.
- **Contract**: a test validates successful responses of the operation against the API document.
  `tests/emulator/driven.json` names the test.
- **Refusals**: of the refusals that the API document lists for the operation, the number that tests cause. A refusal
  counts only if a rule of the emulator returns it. Injected faults do not count.
- **Recorded**: the day of the last [recording](conformance/README.md) of Pinecone's service with a success.
"""

REFUSALS_INTRODUCTION = """\
## Refusals

The API document lists {documented} refusals, which are error responses with a 4xx status. Each is a pair of an
operation and a status. Tests cause {driven} of them.

You can run the conformance checks against any Admin API, and they cause {conformance} of these refusals. For this, they
use only ids that do not exist, resources that the same run has created, and updates that change nothing. So they do not
cause refusals that need a real user, an owner, a plan or a hundred mails.
"""

RULES_INTRODUCTION = """\
## Rules

Each [rule](emulator-rules.md) is proven by a recording of the service, or has one of four other bases.
"""


@frozen
class Operation:
    """An operation of the API document.

    Args:
        id: The id.
        success: The status of a success.
        refusals: The statuses of the refusals that the document lists.
    """

    id: str
    success: int
    refusals: Sequence[int]


def write_confidence(
    arguments: Sequence[str], titles: Mapping[str, str], reports: Path, proofs: Mapping[str, str]
) -> int:
    """Write or check the page and the line of the README, and return the exit status.

    Args:
        arguments: The arguments of the command.
        titles: The title of the page of each noun.
        reports: The folder of the recordings.
        proofs: The date of the proof of each proven rule.
    """
    driven = json.loads(FILE.read_text(encoding="utf-8"))
    operations = read_operations()
    page = render_page(operations, driven, read_recorded(reports), proofs, titles)
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    line = describe_in_short(operations, driven, proofs)
    readme = f"{before}{BEGIN}{line}{END}{rest.partition(END)[2]}"
    return max(write_or_check(PAGE, page, arguments), write_or_check(README, readme, arguments))


def read_operations() -> list[Operation]:
    """Return the operations of the API document."""
    document = parse_document((ROOT / "openapi/admin.yaml").read_bytes(), "openapi/admin.yaml")
    found: list[Operation] = []
    for _, _, operation in iter_operations(document):
        statuses = [int(status) for status in operation["responses"] if status.isdigit()]
        refusals = [status for status in statuses if 400 <= status < 500]  # noqa: PLR2004 — client errors
        found.append(Operation(operation["operationId"], min(statuses, default=200), refusals))
    return found


def read_recorded(folder: Path) -> dict[str, str]:
    """Return the date of the last recording of the service in a folder with a success of each operation."""
    dates: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        recording = read_recording(path)
        for line in recording.lines if recording.is_proof else ():
            if line["response"]["status"] < 300:  # noqa: PLR2004 — a success
                request = Request(line["request"]["method"], line["request"]["path"])
                operation = dispatch.operation_id(request)
                dates[operation] = max(recording.date, dates.get(operation, ""))
    return dates


# The page


def render_page(
    operations: Sequence[Operation],
    driven: Any,
    recorded: Mapping[str, str],
    proofs: Mapping[str, str],
    titles: Mapping[str, str],
) -> str:
    """Return the page."""
    counts = count_refusals(operations, driven)
    python = ", ".join(version for name, (version, _) in CLIENTS.items() if name.startswith("P"))
    introduction = INTRODUCTION.format(python=python, typescript=CLIENTS["T9"][0])
    header = ("operation", "official clients", "contract", "refusals", "recorded")
    refusals = ("operation", "status", "test in tests/emulator", "conformance")
    return "\n".join(
        [
            introduction,
            render_table(header, [_describe_operation(each, driven, recorded) for each in operations]),
            REFUSALS_INTRODUCTION.format_map(counts),
            render_table(refusals, [row for each in operations for row in _list_refusals(each, driven)]),
            RULES_INTRODUCTION,
            render_table(("rules", "proven", *BASES, "all"), _count_rules(proofs, titles)),
        ]
    )


def count_refusals(operations: Iterable[Operation], driven: Any) -> Counter[str]:
    """Return how many refusals are documented, driven by tests, and driven by conformance checks."""
    counts: Counter[str] = Counter()
    for each in operations:
        counts["documented"] += len(each.refusals)
        counts["driven"] += sum(str(status) in driven["tests"].get(each.id, {}) for status in each.refusals)
        counts["conformance"] += sum(status in driven["conformance"].get(each.id, ()) for status in each.refusals)
    return counts


def _describe_operation(operation: Operation, driven: Any, recorded: Mapping[str, str]) -> tuple[str, ...]:
    tests = driven["tests"].get(operation.id, {})
    clients = " ".join(name for name, (_, called) in CLIENTS.items() if operation.id in called)
    contract = "validated" if any(status.startswith("2") for status in tests) else "no"
    count = sum(str(status) in tests for status in operation.refusals)
    return (
        f"`{operation.id}`",
        clients,
        contract,
        f"{count} of {len(operation.refusals)}",
        recorded.get(operation.id, "no"),
    )


def _list_refusals(operation: Operation, driven: Any) -> Iterator[tuple[str, ...]]:
    for status in operation.refusals:
        test = driven["tests"].get(operation.id, {}).get(str(status))
        shown = f"`{test.removeprefix('tests/emulator/').partition('[')[0]}`" if test else "none"
        is_checked = status in driven["conformance"].get(operation.id, ())
        yield f"`{operation.id}`", str(status), shown, "yes" if is_checked else "no"


def _count_rules(proofs: Mapping[str, str], titles: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    total: Counter[str] = Counter()
    for noun, rules in RULES_BY_NOUN.items():
        counts = Counter("proven" if name in proofs else rule.source.basis for name, rule in rules.items())
        total += counts
        yield _describe_counts(f"[{titles[noun]}](emulator-rules/{noun}.md)", counts)
    yield _describe_counts("all", total)


def _describe_counts(name: str, counts: Counter[str]) -> tuple[str, ...]:
    return name, *(str(counts[basis]) for basis in ("proven", *BASES)), str(counts.total())


def describe_in_short(operations: Sequence[Operation], driven: Any, proofs: Mapping[str, str]) -> str:
    """Return the line of the README."""
    refusals = count_refusals(operations, driven)
    rules = [rule for found in RULES_BY_NOUN.values() for rule in found.items()]
    bases = Counter("proven" if name in proofs else rule.source.basis for name, rule in rules)
    called = set.union(*(called for _, called in CLIENTS.values())) & {each.id for each in operations}
    text = (
        f"- **Confidence.** Official clients call {len(called)} of {count_noun(len(operations), 'operation')} of the "
        f"emulator, and accept its responses. The API document lists "
        f"{count_noun(refusals['documented'], 'error response')} with a 4xx status, "
        f"and tests cause {refusals['driven']} of them. Of {count_noun(len(rules), 'rule')}, {bases['proven']} are "
        f"proven by recordings of the service, {bases['published']} are published, {bases['published in part']} are "
        f"published in part, {bases['observed']} are observed, and {bases['assumed']} are assumed "
        "([all of them](docs/emulator-confidence.md))."
    )
    return fill(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) + "\n"


# The tests that drive a status


def observe_tests() -> int:
    """Run the tests of the emulator, write the test that drives each status, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "observed.jsonl"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not long", "tests/emulator"]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {OBSERVED: str(path)}, check=False)
        if done.returncode:
            return done.returncode
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    text = json.dumps(choose_proofs(read_operations(), lines), indent=1, sort_keys=True) + "\n"
    FILE.write_text(text, encoding="utf-8")
    return 0


def _rank(test: str) -> int:
    """Return how far behind others a test comes: those that are about refusals are easiest to understand."""
    return next((rank for rank, word in enumerate(_TELLING) if f"/test_emulator_{word}" in test), len(_TELLING))


def choose_proofs(operations: Iterable[Operation], observed: Iterable[tuple[str, Sequence[Sequence[Any]]]]) -> Any:
    """Return a test that drives each documented status, and the statuses that the conformance checks drive."""
    wanted = {(each.id, status) for each in operations for status in (*each.refusals, each.success)}
    # Clients in the field accept only 200 for a created key, where the document has 201.
    wanted |= {("create_api_key", 200)}
    tests: dict[str, dict[str, str]] = {}
    checked: dict[str, list[int]] = {}
    for test, driven in sorted(observed, key=lambda each: (_rank(each[0]), each[0])):
        for operation, status in sorted(map(tuple, driven)):
            if (operation, status) in wanted:
                tests.setdefault(operation, {}).setdefault(str(status), test)
                if test == CONFORMANCE:
                    checked.setdefault(operation, []).append(status)
    return {"tests": tests, "conformance": checked}
