"""scripts/confidence.py: each cell of the page has its proof, and nothing in it is typed by hand."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import rule_pages

import confidence
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.rule_catalogue import RULES, RULES_BY_NOUN
from tests.compat import test_official_versions
from tests.compat.official_operations import CLIENTS
from tests.support import driven
from tests.support.driven import CONFORMANCE, read_driven, record_statuses, require_driven

ROOT = Path(__file__).resolve().parents[2]
TITLES = {noun: each.title for noun, each in rule_pages.PAGES.items()}
OPERATIONS = confidence.read_operations()


def render(recorded: dict[str, str] | None = None, proofs: dict[str, str] | None = None) -> str:
    """Return the page with dates of recordings and proofs."""
    return confidence.render_page(OPERATIONS, read_driven(), recorded or {}, proofs or {}, TITLES)


def read_table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its header."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip("`") for cell in row] for row in rows[2:]]


def list_tests(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_operation_and_refusal_of_the_document_has_a_row() -> None:
    """The tables have the operations of the API document in its order, and each of its refusals."""
    assert [row[0] for row in read_table(render(), "Operations")] == [each.id for each in dispatch.ADMIN_ROUTES]
    refusals = [(row[0], int(row[1])) for row in read_table(render(), "Refusals")]
    assert refusals == [(each.id, status) for each in OPERATIONS for status in each.refusals]


def test_every_refusal_that_counts_is_driven_by_a_test() -> None:
    """A test of that name exists for each status, and fails as soon as it does not drive the status any more."""
    content = read_driven()
    proofs = {test for found in content["tests"].values() for test in found.values()} | {CONFORMANCE}
    for test in proofs:
        path, _, name = test.partition("::")
        assert name.partition("[")[0] in list_tests(ROOT / path), f"{test}: run scripts/rule_pages.py --observe"
        proven = driven.list_proven(content, test)
        require_driven(test, proven)
        for pair in proven:
            with pytest.raises(AssertionError, match=re.escape(str(pair))):
                require_driven(test, proven - {pair})
    table = read_table(render(), "Refusals")
    counted = [row for row in table if row[2] != "none"]
    named = [f"{content['tests'][row[0]][row[1]]}".partition("[")[0] for row in counted]
    assert [f"tests/emulator/{row[2]}" for row in counted] == named
    assert Counter(row[0] for row in counted) == {
        row[0]: int(row[3].split()[0]) for row in read_table(render(), "Operations") if row[3][0] != "0"
    }
    assert [row for row in table if row[3] == "yes" and row[2] == "none"] == []


def test_responses_of_faults_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of a rule is recorded, and one that a fault injects is not."""
    seen: driven.Driven = set()
    monkeypatch.setattr(dispatch, "handle", record_statuses(dispatch.handle, seen))
    emulator = Emulator()
    with emulator.admin() as admin:
        assert not admin.projects.exists(project_id="4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60")
        emulator.faults.add("create_project", status=403, body={"status": 403, "error": {"code": "X", "message": "y"}})
        with pytest.raises(Exception, match="y"):
            admin.projects.create(name="search")
    assert seen == {("get_token", 200), ("fetch_project", 404)}


def test_proof_is_the_test_that_tells_most() -> None:
    """Of tests that drive a refusal, one about refusals is chosen; statuses that no document lists do not count."""
    observed = [
        ("tests/emulator/test_emulate.py::test_a", [["create_project", 403], ["create_project", 418]]),
        ("tests/emulator/test_emulator_access.py::test_b", [["create_project", 403], ["create_project", 200]]),
        ("tests/emulator/test_emulator_refusals.py::test_c[1]", [["create_project", 403]]),
        (CONFORMANCE, [["create_project", 401]]),
    ]
    content = confidence.choose_proofs(OPERATIONS, observed)
    assert content["tests"] == {
        "create_project": {"403": observed[2][0], "200": observed[1][0], "401": CONFORMANCE},
    }
    assert content["conformance"] == {"create_project": [401]}


def test_every_client_of_the_table_is_required_by_a_test() -> None:
    """The tests of official clients require just the operations that the table has, with the version that is locked."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/compat").glob("test_*.py"))
    required = set(re.findall(r'== (?:operations|\{TOKEN_OPERATION, \*)?.*CLIENTS\["(\w+)"\]', source))
    required |= set(re.findall(r'operations = CLIENTS\["(\w+)"\]', source))
    (mark,) = test_official_versions.test_official_sdk_before_9.pytestmark  # type: ignore[attr-defined]
    required |= {f"P{getattr(each, 'values', [each])[0]}" for each in mark.args[1]}
    assert required == set(CLIENTS)
    for row in read_table(render(), "Operations"):
        assert row[1].split() == [name for name, (_, called) in CLIENTS.items() if row[0] in called]
    assert all(version in render() for version, _ in CLIENTS.values())


def test_contract_is_validated_where_a_test_has_a_success() -> None:
    """An operation has a validated response if a test proves a success, and no without one."""
    content = json.loads(json.dumps(read_driven()))
    assert {row[2] for row in read_table(render(), "Operations")} == {"validated"}
    content["tests"]["fetch_user"] = {"404": content["tests"]["fetch_user"]["404"]}
    page = confidence.render_page(OPERATIONS, content, {}, {}, TITLES)
    assert [row[0] for row in read_table(page, "Operations") if row[2] == "no"] == ["fetch_user"]


def test_recording_of_the_service_shows_its_operations(tmp_path: Path) -> None:
    """The last recording of the service with a success dates an operation; other services and refusals do not."""

    def write(name: str, service: str, date: str, path: str, status: int) -> None:
        exchange: Any = {"rule": "", "request": {"method": "GET", "path": path}, "response": {"status": status}}
        lines = [{"recording": 1, "service": service, "date": date}, exchange, {"rules": {}}]
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))

    write("a.jsonl", rule_pages.SERVICE, "2026-10-01", "/admin/users/<uuid:1>", 200)
    write("b.jsonl", rule_pages.SERVICE, "2026-09-01", "/admin/users/<uuid:1>", 200)
    write("c.jsonl", rule_pages.SERVICE, "2026-10-01", "/admin/projects", 403)
    write("d.jsonl", "loopback", "2026-11-01", "/admin/users/<uuid:1>", 200)
    recorded = confidence.read_recorded(tmp_path)
    assert recorded == {"fetch_user": "2026-10-01"}
    cells = {row[0]: row[4] for row in read_table(render(recorded), "Operations")}
    assert (cells.pop("fetch_user"), set(cells.values())) == ("2026-10-01", {"no"})


def test_every_rule_is_counted_once() -> None:
    """The rows of the nouns add up to the rules, and a proof moves a rule to the proven ones."""
    for proofs in ({}, {"uuids": "2026-10-01", "version-header": "2026-10-01"}):
        table = read_table(render(proofs=proofs), "Rules")
        counts = [[int(cell) for cell in row[1:]] for row in table]
        assert counts[-1] == [sum(column) for column in zip(*counts[:-1], strict=True)]
        assert (counts[-1][0], counts[-1][-1], len(table)) == (len(proofs), len(RULES), len(RULES_BY_NOUN) + 1)
        assert all(sum(row[:-1]) == row[-1] for row in counts)
        bases: Counter[str] = Counter(rule.source.basis for name, rule in RULES.items() if name not in proofs)
        assert counts[-1][1:-1] == [bases[basis] for basis in confidence.BASES]


def test_line_of_the_readme_has_the_sums_of_the_page() -> None:
    """The README has what the page adds up to."""
    line = " ".join(confidence.describe_in_short(OPERATIONS, read_driven(), {}).split())
    assert line in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    page = render()
    driven_refusals = sum(row[2] != "none" for row in read_table(page, "Refusals"))
    total = read_table(page, "Rules")[-1]
    for words in (
        f"call {len(OPERATIONS)} of {len(OPERATIONS)} operations",
        f"lists {len(read_table(page, 'Refusals'))} error responses",
        f"tests cause {driven_refusals} of them",
        f"Of {total[6]} rules, {total[1]} are proven",
        f"{total[2]} are published, {total[3]} are published in part, {total[4]} are observed",
        f"and {total[5]} are assumed",
    ):
        assert words in line
