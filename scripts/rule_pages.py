#!/usr/bin/env python3
"""Write docs/emulator-rules.md, a page of rules a noun, docs/emulator-confidence.md and a line of the README.

Usage: rule_pages.py [--check | --observe]

The sources are the catalogue of rules, the permission matrix, the marks of the tests, the conformance checks, the
reports and recordings of conformance runs in docs/conformance, and the names of operations. With --check nothing is
written, and the exit status is 1 if a page differs. With --observe, the tests of the emulator run first, and write the
test that drives each refusal to tests/emulator/driven.json.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confidence import observe_tests, write_confidence
from derived_page import render_table, write_or_check
from pinecone_admin.emulator.api.control_plane import ROUTES
from pinecone_admin.emulator.api.dispatch import ADMIN_ROUTES
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.api.routing import OperationRoute
from pinecone_admin.emulator.api.rule_catalogue import RULES_BY_NOUN, ServerRule
from tests.conformance.__main__ import CHECKS
from tests.conformance.playback import recheck
from tests.conformance.recording import SUFFIX, read_recording

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "docs/emulator-rules.md"
FOLDER = ROOT / "docs/emulator-rules"
TESTS = ROOT / "tests/emulator"
REPORTS = ROOT / "docs/conformance"
SERVICE = "https://api.pinecone.io"

NEVER_RUN = "No check was run against the service yet.\n"

DERIVED = (
    "<!-- Derived by scripts/rule_pages.py from the catalogue of rules, the tests, and the conformance checks. -->\n"
)


class NounPage(NamedTuple):
    """The heading of a page of rules, what they are about, and what people search to find it."""

    title: str
    contents: str
    keywords: str


PAGES = {
    "requests": NounPage(
        "Requests and lists",
        "versions, statuses, ids, pages of lists, and the order of checks",
        "x-pinecone-api-version, next page token, check order",
    ),
    "tokens": NounPage(
        "Tokens", "the token endpoint, its errors and its limits", "token endpoint errors, expires_in, audience"
    ),
    "organizations": NounPage(
        "Organizations", "names, plans, billing and deletion", "delete organization refused, billing status"
    ),
    "projects": NounPage(
        "Projects", "names, quotas, pods, encryption and deletion", "project quota, max_pods, cmek encryption"
    ),
    "api-keys": NounPage(
        "API keys", "values, names, roles and quotas", "api key quota, key prefix, api key roles, pcsk"
    ),
    "people": NounPage(
        "Users and invites",
        "emails, invite mails, quotas and identity providers",
        "invite expires, invite mail limit, user quota",
    ),
    "service-accounts": NounPage(
        "Service accounts", "credentials, names, and what a rotation ends", "service account plan, client id format"
    ),
    "role-bindings": NounPage(
        "Role bindings", "scopes, grants, conflicts and filters", "grant a role, last owner binding, role scopes"
    ),
    "project-contents": NounPage(
        "Contents of a project",
        "indexes, collections, backups, assistants and workspaces",
        "index quota, backup quota, index tags, assistant limits",
    ),
}
"""The page of each noun of the catalogue."""

INTRODUCTION = f"""\
---
keywords: emulator rules, permission matrix, which role may, not emulated, operation ids, roles, role permissions
---

{DERIVED}
# The rules of the emulator

This page is for people who want to check what the [emulator](emulator.md) assumes about Pinecone's service. It lists
the rules that the emulator follows, and shows how well each rule is known. Every rule has tests.

Each rule has a basis:

- *published*: Pinecone's documents or pages state the rule.
- *published in part*: they leave something open, and the source names it.
- *observed*: official tests or clients depend on the rule, or users reported it.
- *assumed*: no source that we could read states the rule.

A source is a place in the API document, or a page below docs.pinecone.io with the day when a copy of the page was read.

Some rules have a conformance check, which can show whether the rule holds for an Admin API. *Passed* is the date of the
last report in `docs/conformance` that shows that the service passed the check. *Proven* is the date of the last
[recording](conformance/README.md) of the service that passed the check. Everybody can replay a recording. *Never* marks
a check that was not run against the service. If a rule has no check, both columns are empty.
"""

MATRIX_INTRODUCTION = """\
## Permissions

The permissions of all roles of a caller add up. The words in the table mean:

- *all*: the caller may do this on every resource.
- *own*: a project role permits this on its project. An organization role permits it on each project where the caller
  also has a role.
- *itself*: the caller may do this only to itself.
- *no*: the role does not permit this.
- **A**: the rule is assumed, because Pinecone's pages do not answer the question.

Pinecone publishes the permissions of organization roles on `admin/organizations/organizations-overview`, of project
roles on `admin/projects/projects-overview`, and of both on `admin/security/manage-rbac`.
"""

UNEMULATED_INTRODUCTION = """\
## Not emulated

These published routes of api.pinecone.io return 501 `UNIMPLEMENTED`. The emulator emulates no hosts except those of
the Admin API and the token endpoint.
"""

OPERATIONS_INTRODUCTION = """\
## Operations

A fault names an operation by its id, or by the method that sends it. The log of requests contains both. Other methods,
such as `projects.ensure`, send several operations.
"""

_COLUMNS = (
    "OrgOwner",
    "OrgManager",
    "OrgBillingAdmin",
    "OrgMember",
    "ProjectOwner",
    "ProjectManager",
    "ProjectMember",
    "ProjectEditor",
)
_REACHES = {"all": "all", "own project": "own", "itself": "itself", "none": "no"}


def main(arguments: Sequence[str]) -> int:
    """Write or check the pages, and return the exit status."""
    if "--observe" in arguments and (status := observe_tests()):
        return status
    tests, dates = find_tests(TESTS), (read_dates(REPORTS), read_proofs(REPORTS))
    FOLDER.mkdir(exist_ok=True)
    pages = {FOLDER / f"{noun}.md": render_page(noun, tests, *dates) for noun in PAGES}
    pages[INDEX] = render_index(is_dated=any(dates))
    titles = {noun: each.title for noun, each in PAGES.items()}
    return max(
        *(write_or_check(page, text, arguments) for page, text in pages.items()),
        write_confidence(arguments, titles, REPORTS, dates[1]),
    )


def find_tests(folder: Path) -> dict[str, list[str]]:
    """Return the tests of each rule, by the marks in the files of a folder."""
    tests: dict[str, list[str]] = {}
    for path in sorted(folder.glob("test_*.py")):
        for name, rules in _find_marks(path):
            for rule in rules:
                tests.setdefault(rule, []).append(f"{path.stem}::{name}")
    return tests


def _find_marks(path: Path) -> Iterator[tuple[str, list[str]]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [each for each in node.decorator_list if isinstance(each, ast.Call)]
            rules = [mark.args for mark in marks if ast.unparse(mark.func) == "pytest.mark.rule"]
            yield node.name, [str(ast.literal_eval(argument)) for arguments in rules for argument in arguments]


def read_dates(folder: Path) -> dict[str, str]:
    """Return the last date on which the service passed the check of each rule, from the reports in a folder."""
    dates: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        if report["service"] == SERVICE:
            held = [rule for rule, verdict in report["rules"].items() if verdict == "same"]
            dates |= {rule: max(report["date"], dates.get(rule, "")) for rule in held}
    return dates


def read_proofs(folder: Path) -> dict[str, str]:
    """Return the date of the last recording of the service in a folder that passed the check of each rule."""
    proofs: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        recording = read_recording(path)
        if recording.is_proof:
            # By the recorded responses: a word in the file alone proves nothing.
            held = [rule for rule, verdict in recheck(recording).items() if verdict == "same"]
            proofs |= {rule: max(recording.date, proofs.get(rule, "")) for rule in held}
    return proofs


def render_index(*, is_dated: bool) -> str:
    """Return the page that says what a rule is, and has what concerns all nouns."""
    routes: list[OperationRoute[Any]] = [*ADMIN_ROUTES, *ROUTES]
    unemulated = [(f"{each.method} {each.path}", f"`{each.id}`") for each in routes if not each.run]
    return "\n".join(
        [
            INTRODUCTION,
            *([] if is_dated else [NEVER_RUN]),
            "## Rules by noun\n",
            *(f"- [{each.title}](emulator-rules/{noun}.md): {each.contents}." for noun, each in PAGES.items()),
            "",
            MATRIX_INTRODUCTION,
            render_table(("to", *_COLUMNS[:-1], "other project roles"), _matrix_rows()),
            OPERATIONS_INTRODUCTION,
            render_table(("method", "id"), _operation_rows()),
            UNEMULATED_INTRODUCTION,
            render_table(("route", "operation"), unemulated),
        ]
    )


def render_page(
    noun: str, tests: Mapping[str, Sequence[str]], passed: Mapping[str, str], proven: Mapping[str, str]
) -> str:
    """Return the page of a noun."""
    checked = dict.fromkeys((each.rule for each in CHECKS), "never")
    rows = [
        (
            *_describe_rule(name, rule, tests[name]),
            *(dates.get(name, checked.get(name, "")) for dates in (passed, proven)),
        )
        for name, rule in RULES_BY_NOUN[noun].items()
    ]
    title, contents, keywords = PAGES[noun]
    header = ("rule", "what holds", "basis", "source", "tests in tests/emulator", "passed", "proven")
    introduction = (
        f"{contents[0].upper()}{contents[1:]}. [The rules of the emulator](../emulator-rules.md) explain the columns.\n"
    )
    return "\n".join(
        [f"---\nkeywords: {keywords}\n---\n", DERIVED, f"# Rules: {title}\n", introduction, render_table(header, rows)]
    )


def _describe_rule(name: str, rule: ServerRule, tests: Sequence[str]) -> tuple[str, ...]:
    text, source = _escape(rule.text), _escape(rule.source.text)
    return f"`{name}`", text, rule.source.basis, source, "<br>".join(f"`{each}`" for each in tests)


def _matrix_rows() -> Iterator[tuple[str, ...]]:
    for row in PERMISSIONS.values():
        cells = [row.cells[role] for role in _COLUMNS]
        yield row.text, *(f"{_REACHES[each.reach]}{'' if each.page else ' **A**'}" for each in cells)


def _operation_rows() -> list[tuple[str, str]]:
    return sorted((f"`{method}`", f"`{operation}`") for operation, method in METHOD_NAMES.items() if method)


def _escape(cell: str) -> str:
    return cell.replace("<label>_<unique>", "&lt;label&gt;_&lt;unique&gt;")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
