"""The formats of the output say the same, and none of them can be forged by a name."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from contextlib import chdir
from errno import ENOSPC
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from jmespath.functions import Functions
from rich.cells import cell_len

from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.output.formats import STREAMS, render_value
from pinecone_admin.cli.output.tables import format_fields
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.cli.command_line import COMMANDS, Run, example_organization, run
from tests.cli.example_runs import run_examples
from tests.cli.secret_makers import ROTATES_ACCOUNT, live_secrets, words_of

LISTS = [spec for spec in COMMANDS if spec.path[-1] == "list" and not spec.takes_session]
READS = [spec for spec in COMMANDS if spec.effect == "reads" and not spec.takes_session]
HOSTILE = '=1+1\x1b[31m\r\nprojéct \u202e\U0001f600, "x"'


def run_as(output: str, words: list[str], **options: Any) -> Run:
    """Run a command line with a format."""
    done = run(*words, "--output", output, **options)
    assert (done.exit, done.stderr) in {(0, ""), (4, "")}, done
    return done


def test_json_yaml_csv_and_raw_say_the_same() -> None:
    """Each command that reads writes the same values in every format."""
    with example_organization():
        for spec in READS:
            words = shlex.split(spec.example)[1:]
            value = run_as("json", words).json
            assert yaml.safe_load(run_as("yaml", words).stdout) == value, spec.full_name
            items = value if isinstance(value, list) else [value]
            rows = list(csv.DictReader(io.StringIO(run_as("csv", words).stdout)))
            raw = run_as("raw", words).stdout.splitlines()
            if isinstance(value, bool):
                assert (rows, raw) == ([{"value": "true"}], ["true"])
            else:
                assert [row["id"] for row in rows] == raw == [item["id"] for item in items], spec.full_name
                assert [list(row) for row in rows] == [list(item) for item in items]
                assert all(
                    row.get("name", "") == (item.get("name") or "") for row, item in zip(rows, items, strict=True)
                )


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.full_name))
def test_json_has_an_option_of_its_own(spec: Command) -> None:
    """``--json`` is ``-o json`` on every command, for its output and its errors; no help has it."""
    with example_organization():
        wrong = run(*spec.path, "--json", "--no-such-option")
        assert (wrong.exit, wrong.error["exit"]) in {(2, 2), (125, 125)}
        assert wrong == run(*spec.path, "-o", "json", "--no-such-option")
        other = run(*spec.path, "--json", "-o", "csv", "x")
        assert "--output is given twice" in other.error["message"]
        assert re.search(r"--json\b", run(*spec.path, "--help").stdout) is None
        if spec in READS:
            words = shlex.split(spec.example)[1:]
            assert run(*words, "--json", terminal=True) == run(*words, "-o", "json", terminal=True)


def test_json_may_stand_before_the_command() -> None:
    """As every option of all commands does; what follows ``--`` belongs to another command."""
    with example_organization():
        assert run("--json", "project", "list", terminal=True).json[0]["name"] == "search"
        assert run("project", "--json", "describe", "none").error["exit"] == 4
        assert run("project", "describe", "none", "--", "--json").stderr.startswith("error: ")


def test_a_table_has_everything_that_a_person_needs_in_80_columns() -> None:
    """No id and no name is cut off, and no line is longer than the terminal."""
    with example_organization():
        for spec in LISTS:
            words = shlex.split(spec.example)[1:]
            items = run_as("json", words).json
            table = run(*words, terminal=True, env={"NO_COLOR": "1"})
            assert table.exit == 0
            assert all(item["id"] in table.stdout for item in items), spec.full_name
            assert all(item.get("name", item["id"]) in table.stdout for item in items if item.get("name")), (
                spec.full_name
            )
            plain = re.sub("\x1b\\[[0-9]*m", "", table.stdout)
            assert max(map(len, plain.splitlines())) <= 80, spec.full_name


def test_the_default_is_a_table_on_a_terminal_and_json_elsewhere() -> None:
    """A script needs no option to get JSON."""
    with example_organization():
        assert run("project", "list").json[0]["name"] == "search"
        assert "NAME" in run("project", "list", terminal=True).stdout.splitlines()[0]


def test_an_empty_list_is_empty_in_every_format() -> None:
    """Scripts need no special case; people are told."""
    with example_organization():
        words = ["api-key", "list", "--project", "empty"]
        assert {output: run_as(output, words).stdout for output in STREAMS} == {
            "csv": "",
            "json": "[]\n",
            "raw": "",
            "yaml": "[]\n",
        }
        filtered = [
            run(*words, terminal=True),
            run("user", "list", "--email", "nobody@example.com", terminal=True),
            run("role", "list", "--role", "OrgManager", terminal=True),
            run("role", "list", "--on", "empty", terminal=True),
        ]
    with emulate(Emulator(seed=0)):
        shown = run("api-key", "list", "--limit", "3", terminal=True)
    assert (shown.stdout, shown.stderr) == ("", "There are no API keys that this account can see.\n")
    kinds = ("API keys", "users", "roles", "roles")
    assert [(each.stdout, each.stderr) for each in filtered] == [
        ("", f"The options select none of the {kind} that this account can see.\n") for kind in kinds
    ]


def test_a_query_selects_part_of_the_output() -> None:
    """--query is JMESPath over what JSON would show, in every format."""
    with example_organization():
        assert run("project", "list", "--query", "[].name").json == ["search", "empty"]
        assert run("project", "list", "--query", "[].name", "-o", "raw").stdout == "search\nempty\n"
        assert run("project", "list", "--query", "[0].{a: name, b: max_pods}", "-o", "csv").stdout == "a,b\nsearch,0\n"
        assert run("project", "list", "--query", "[].name", terminal=True).stdout == "search\nempty\n"
        table = run("project", "list", "--query", "[].{Project: name}", terminal=True).stdout
        assert "PROJECT" in table
        missing = run("project", "list", "--query", "missing")
        assert (missing.json, missing.stderr) == (None, "The query missing selects nothing.\n")


def test_a_table_says_if_a_query_selects_nothing() -> None:
    """Such as one with a misspelt field: a table shows nothing then. A script reads an empty list as before."""
    with example_organization():
        words = ("project", "list", "--query", "[].nam")
        shown, piped = run(*words, terminal=True), run(*words)
        assert (shown.exit, shown.stdout, shown.stderr) == (0, "", "The query [].nam selects nothing.\n")
        assert (piped.exit, piped.json, piped.stderr) == (0, [], "")


def test_a_query_gives_its_columns_to_csv_raw_and_tables() -> None:
    """Whatever a query makes has a column for each of its parts; a thing that it finds has its id as the raw value."""
    with example_organization():
        ids = [each["id"] for each in run("project", "list").json]
        keys = run("api-key", "list", "--output", "raw").stdout
        for query, heading in (
            ("[].[name, id]", "name,id"),
            ("[].{name: name, id: id}", "name,id"),
            ("sort_by([].{name: name, id: id}, &name) | reverse(@)", "name,id"),
            ("[?name].[name, a.b.id || id]", "name,2"),
            ("[].[name, id] | [*].[[0], [1]]", "1,2"),
            ("@ | [*].[name, @.id]", "name,2"),
        ):
            words = ["project", "list", "--query", query]
            raw, table = run_as("csv", words).stdout, run_as("table", words).stdout
            assert raw == f"{heading}\nsearch,{ids[0]}\nempty,{ids[1]}\n", query
            assert run_as("raw", words).stdout == f"search\t{ids[0]}\nempty\t{ids[1]}\n", query
            assert table.splitlines()[0].split() == heading.upper().split(","), query
        one = ["project", "describe", "search", "--query", "[name, max_pods]"]
        assert run_as("raw", one).stdout == "search\t0\n"
        assert run_as("csv", one).stdout == "name,max_pods\nsearch,0\n"
        found = ["project", "list", "--query", "[?name=='empty']"]
        assert run_as("raw", found).stdout == f"{ids[1]}\n"
        assert run_as("raw", ["api-key", "list", "--query", "[].[roles, id]"]).stdout == f'["DataPlaneViewer"]\t{keys}'
        assert run_as("raw", ["project", "list", "--query", "[].[name]"]).stdout == "search\nempty\n"


def test_a_wrong_query_is_found_before_anything_is_sent() -> None:
    """What is no JMESPath ends with exit code 2; what does not fit the result does, too."""
    with example_organization() as emulator:
        wrong = run("project", "create", "x", "--yes", "--query", "[)")
        assert (wrong.exit, wrong.stdout, len(emulator.requests)) == (2, "", 0)
        short = run("project", "list", "--query", "[")
        assert short.stderr.endswith("Invalid jmespath expression: Incomplete expression. [PA101]\n"), short
        unfit = run("project", "list", "--query", "to_number(@.a.b) && abs('x')")
        assert (unfit.exit, unfit.stdout) == (0, "null\n")
        unfit = run("project", "list", "--query", "abs('x')")
        assert (unfit.exit, unfit.stdout) == (2, "")
        assert unfit.stderr.startswith("error: --query")


def test_a_query_that_can_give_no_json_is_found_before_anything_is_sent() -> None:
    """Whatever can be known of the expression alone ends with exit code 2 and one line, and changes nothing."""
    too_deep = ("[" * 150 + "@" + "]" * 150, "[" * 5000, "!" * 5000 + "a", "abs(" * 2000 + "@" + ")" * 2000)
    expressions = ("&x", "[&x]", "{a: &x}", "x || &y", "x | &y", "not_null(&x)", "to_array(&x)", "map(&(&x), @)")
    numbers = ("`Infinity`", "`NaN`", "[`-1e999`]", '`[{"a": 1e999}]`', f"`{'9' * 5000}`")
    functions = ("nothing(@)", "length()", "abs(`1`, `2`)", "sort_by(@)", "[?nothing(@)]")
    constants = ("to_number('inf')", "a || to_number('nan')", "ceil(to_number('1e999'))", f"to_number('{'9' * 5000}')")
    damaged = ("", " ", "[)", "a" * 100_000 + "[", "`\\ud800", "a[1:2:0", "\udcff", "\x00", "a\n.b\n\x1b[")
    with example_organization() as emulator:
        for query in (*too_deep, *expressions, *numbers, *functions, *constants, *damaged):
            done = run("project", "create", "x", "--yes", "--query", query)
            assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), (query[:50], done)
            assert len(done.stderr) <= 500, query[:50]
            assert done.stderr.startswith("error: --query"), query[:50]
        assert len(emulator.requests) == 0
        for query in ("sort_by(@, &name)[].name", "map(&name, @)", "max_by(@, &name).name", "[?length(name) > `1`].id"):
            assert run("project", "list", "--query", query).exit == 0, query


def test_a_query_that_fails_on_the_result_is_one_line() -> None:
    """An error of any kind in the library, and a value that JSON lacks, end with exit code 2 in every format."""
    infinite = "to_number(join('', ['1', '{}']))"  # only the result of such a call is known
    failing = (
        infinite.format("e999"),
        f"sum([{infinite.format('9' * 4000)}, `1.5`])",
        f"ceil({infinite.format('e999')})",
        f"[{infinite.format('e999')}]",
        "sort(@)",
        "join(',', @)",
        "sort_by(@, &missing.x)",
    )
    with example_organization():
        for query in failing:
            for output in ("json", "yaml", "csv", "raw", "table"):
                done = run("project", "list", "--query", query, "--output", output)
                lines = done.stderr.splitlines()
                said = done.error["message"] if output == "json" else lines[0].removeprefix("error: ")
                assert (done.exit, done.stdout, said[:9]) == (2, "", "--query: "), (query[:50], done)
                assert len(lines) == 1, query[:50]
                assert len(said) <= 500, query[:50]


def test_no_error_of_a_query_quotes_a_value() -> None:
    """Whatever function of JMESPath does not fit a token or a new secret, the error does not show it."""
    failed = 0
    with example_organization() as emulator:
        for name, function in getattr(Functions, "FUNCTION_TABLE").items():  # noqa: B009 - set by its metaclass
            for wrapped in ("{}", "[`1`, {}]"):
                others = ["&@" if "expref" in each["types"] else None for each in function["signature"]]
                revealed = f"{name}({', '.join(other or wrapped for other in others)})"
                secret = "contains(client_secret, 'placeholder') && client_secret || "
                for words, start, field in (
                    (["token", "--reveal"], "", "access_token"),
                    (words_of(ROTATES_ACCOUNT, "--reveal"), secret, "client_secret"),
                ):
                    before = live_secrets(emulator)
                    query = start + revealed.format(*[field] * len(others))
                    done = run(*words, "--query", query)
                    values = {*(live_secrets(emulator) - before), *emulator.state.tokens}
                    assert not any(value in done.stderr for value in values), done
                    assert "placeholder0" not in done.stderr
                    failed += done.exit != 0
    assert failed > 40


def test_a_result_that_cannot_be_written_is_no_reason_to_repeat_the_change() -> None:
    """After a change, a query that does not fit and a full disk end with exit code 6, without a change with 2 and 7."""
    changes = (
        ["project", "create", "x"],
        ["project", "ensure", "y"],
        ["project", "delete", "y"],
        ["user", "offboard", "ada@example.com"],
        ["send", "POST", "/admin/projects", "--body", '{"name": "z"}'],
    )
    with example_organization():
        for words in changes:
            dry = run(*words, "--dry-run", "--query", "abs('x')", "-o", "json")
            done = run(*words, "--yes", "--query", "abs('x')", "-o", "json")
            assert (dry.exit, dry.error["outcome"]) == (2, "not_sent"), words
            assert (done.exit, done.error["outcome"], done.error["worth_retrying"]) == (6, "done", False), words
            assert "Only the result could not be shown." in done.stderr
        full_disk = OSError(ENOSPC, "No space left on device")
        with mock.patch("pinecone_admin.cli.output.writing.render_value", side_effect=full_disk):
            full = run("project", "create", "v", "--yes")
            read = run("project", "describe", "v")
    assert (full.exit, read.exit) == (6, 7)
    assert re.fullmatch(
        r"error: The output cannot be written: No space left on device\. Project v \([\w-]+\) was created\. Only the "
        r"result could not be shown\. Do not run the command again\. See it with: .* \[exit-6\]\n",
        full.stderr,
    )


def test_limit_is_the_number_of_things() -> None:
    """--limit shows at most so many, and asks for no further pages."""
    with example_organization() as emulator:
        for number in range(250):
            emulator.add_user(f"user{number}@example.com")
        emulator.requests.clear()
        for limit, pages in ((1, 1), (100, 1), (101, 2), (1000, 3)):
            done = run("user", "list", "--limit", str(limit))
            assert len(done.json) == min(limit, 252)
            assert len(emulator.requests.filter("users.list")) == pages
            emulator.requests.clear()
        assert len(run("project", "list", "--limit", "1").json) == 1
        assert run("user", "list", "--limit", "0").exit == 2
        assert run("user", "list", "--limit", "x").exit == 2


def test_names_cannot_forge_lines_or_drive_a_terminal() -> None:
    """Control characters are shown by their codes in every format, and formulas are no formulas in CSV."""
    with example_organization() as emulator, emulator.admin() as admin:
        project = admin.projects.create(name=HOSTILE)
        for output in ("table", *STREAMS):
            for words in (
                ["project", "list"],
                ["project", "describe", project.id],
                ["project", "list", "--query", "[].name"],
            ):
                for encoding in ("utf-8", "ascii"):
                    text = run_as(output, words, encoding=encoding).stdout
                    assert not set(text) & set("\x1b\r\u202e"), (output, words)
        listed = run_as("json", ["project", "list"]).json
        assert listed[-1]["name"] == HOSTILE
        assert yaml.safe_load(run_as("yaml", ["project", "list"]).stdout) == listed
        assert len(run_as("raw", ["project", "list", "--query", "[].name"]).stdout.splitlines()) == len(listed)
        (*_, row) = csv.reader(io.StringIO(run_as("csv", ["project", "list"]).stdout))
        assert row[1].startswith("'=1+1")


def test_a_csv_table_has_every_field_of_a_list() -> None:
    """A field that the first thing lacks, such as the name of a user, is still a column."""
    with example_organization():
        table = run_as("csv", ["send", "GET", "/admin/users", "--query", "data"]).stdout
    assert [row["name"] for row in csv.DictReader(io.StringIO(table))] == ["", "Ada"]


def test_ids_that_look_like_formulas_stay_ids_in_csv() -> None:
    """The id of an organization may start with a dash, and is still the id; a name in a column ``id`` is a name."""
    with example_organization() as emulator, emulator.admin() as admin:
        (row,) = csv.DictReader(io.StringIO(run_as("csv", ["organization", "list"]).stdout))
        admin.projects.create(name="=1+1")
        names = run_as("csv", ["project", "list", "--query", "[].{id: name}"]).stdout.splitlines()
    assert row["id"] == emulator.organization_id
    assert names[-1] == "'=1+1"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_that_lacks_a_character_gets_its_code(encoding: str) -> None:
    """Output never fails for its encoding, and JSON stays JSON."""
    name = "Łódź 🙂"
    with example_organization() as emulator, emulator.admin() as admin:
        admin.projects.create(name=name)
        assert run("project", "list", encoding=encoding).json[-1]["name"] == name
        assert yaml.safe_load(run_as("yaml", ["project", "list"], encoding=encoding).stdout)[-1]["name"] == name
        for output in ("table", "csv", "raw"):
            run_as(output, ["project", "list"], encoding=encoding)
        missing = run("project", "describe", f"{name}?", encoding=encoding)
        assert missing.exit == 4


def test_no_color_leaves_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR, the output of no example has one on a terminal: neither colours nor bold text."""
    with example_organization():
        assert "\x1b[1m" in run("project", "list", terminal=True).stdout
        assert "\x1b" not in run("project", "list", "--output", "table").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert [each.spec.full_name for each in run_examples.__wrapped__(terminal=True) if "\x1b" in each.done.stdout] == []


def test_secrets_are_masked_unless_they_are_revealed() -> None:
    """The value of a key is not in the output of any other command."""
    with example_organization() as emulator:
        done = run("api-key", "create", "x", "--project", "search", "--reveal", "--yes")
        value = done.json["value"]
        assert value.startswith("pcsk_")
        emulator.requests.clear()
        for spec in READS:
            assert value not in run(*shlex.split(spec.example)[1:]).stdout


def test_raw_gives_scripts_the_value_they_want() -> None:
    """A new key's value, a thing's id, and each field that is asked for."""
    with example_organization():
        key = run("api-key", "create", "x", "--project", "search", "--reveal", "--yes", "--output", "raw").stdout
        assert key.startswith("pcsk_")
        assert len(key.splitlines()) == 1
        ensured = run("project", "ensure", "search", "--yes", "--output", "raw").stdout
        described = run("project", "describe", "search", "--output", "raw").stdout
        assert ensured == described == run("project", "describe", "search", "--query", "id", "-o", "raw").stdout


@pytest.mark.long
def test_no_line_in_a_pipe_ends_with_blanks(tmp_path: Path, stride: Callable[[int], int]) -> None:
    """Every command writes lines that are as long as their content, to both streams, as a table and in another format.

    Only tables are padded: of the other formats, each command is run with one.
    """
    saved = str(tmp_path / "inventory.json")
    waivers = tmp_path / "waivers"
    waivers.write_text("- {kind: service-account-without-roles, reason: new, until: 2999-01-01}")
    step = stride(len(STREAMS))
    done = {
        f"{each.spec.full_name} -o {output}": each.done
        for first, output in enumerate(STREAMS)
        for each in run_examples("--output", output, first=first % step, step=step)
    }
    done |= {f"{each.spec.full_name} -o table": each.done for each in run_examples("--output", "table")}
    with example_organization() as emulator:
        run("inventory", "--out", saved)
        emulator.add_user("a@example.com")
        for words in (
            ["access", "--waivers", str(waivers)],
            ["diff", saved],
            ["user", "list", "--query", "[].{id: id, name: name}"],
            ["user", "list", "--query", "[].{name: id, id: name}"],
            ["user", "offboard", "ada@example.com", "--dry-run"],
            ["doctor", "--expect-organization", "another"],
        ):
            done[" ".join(words)] = run(*words, "--output", "table")
    padded = {
        (words, line[-80:])
        for words, each in done.items()
        for line in (each.stdout + each.stderr).split("\n")
        if line != line.rstrip()
    }
    assert padded == set()
    assert len(done) >= 2 * len(run_examples("--output", "table"))
    assert {each.exit for each in done.values()} <= {0, 1, 2, 125}


def test_values_of_any_shape_are_rendered() -> None:
    """Nothing that JSON can express makes a format fail."""
    for value in (None, True, 0, "x", [], {}, [[1, 2], {"a": None}], {"a": {"b": ["c", {"d": 1}]}, "e": []}):
        for output in STREAMS:
            text = "".join(render_value(value, output))
            if output == "json":
                assert json.loads(text) == value
            if output == "yaml":
                assert yaml.safe_load(text) == value


def test_a_table_shows_where_the_items_of_a_list_begin() -> None:
    """Between two objects of several fields is an empty line; words, and objects of one field, need none."""
    items = [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]
    document = {"data": items, "ids": [{"id": "1"}, {"id": "2"}]}
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in format_fields(document)]
    assert lines == ["data", "  id    1", "  name  a", "", "  id    2", "  name  b", "ids", "  id  1", "  id  2"]


def test_ensure_writes_a_thing_as_create_does() -> None:
    """The fields of the thing have the same paths, and what was done is beside them; so for a changed role."""
    outcome = ["created", "differences", "steps"]
    with example_organization():
        for noun, *words in (
            ("project", "a"),
            ("api-key", "a", "--project", "search"),
            ("service-account", "a", "--role", "OrgMember"),
            ("invite", "eve@example.com", "--role", "OrgMember"),
            ("role", "--user", "ada@example.com", "--role", "search:ProjectEditor"),
        ):
            is_secret = noun in {"api-key", "service-account"}
            store = ["--store", "exec:cat"] if is_secret else []
            verb = "grant" if noun == "role" else "ensure"
            first, second = (run(noun, verb, *words, "--yes", *store).json for _ in range(2))
            if noun not in {"invite", "role"}:
                created = run(noun, "create", *words, "--confirm", words[0], *store).json
                assert first.keys() == {*created, *outcome}, noun
            assert (first["created"], second["created"], first["id"]) == (True, False, second["id"]), noun
            if is_secret:
                words[0] = "b"
                first, second = (run(noun, "ensure", *words, "--yes", "--reveal").json for _ in range(2))
                created = run(noun, "create", *words, "--confirm", words[0], "--reveal").json
                assert first.keys() == {*created, "created", "differences"}
                assert list(second) == list(first)
        change = ("--from", "search:ProjectViewer", "--to", "ProjectOwner", "--yes")
        changed = run("role", "change", "--user", "ada@example.com", *change).json
    assert changed["role"] == "ProjectOwner"
    assert changed["steps"][-1]["change"]["roles"][0]["role"] == "ProjectViewer"


def test_the_columns_of_csv_are_those_that_the_help_names() -> None:
    """Nested fields, lists and the two reports are written as ``help csv`` says, in any organization."""
    page = " ".join(run("help", "csv").stdout.split())
    with example_organization() as emulator:
        for words, columns in (
            (["inventory"], "kind, id, name and project_id"),
            (["access"], "principal_type, principal_id, principal, project_id, project, level and roles"),
        ):
            assert f"{words[0]} has {columns}" in page
            heading, first, *_ = run(*words, "--output", "csv").stdout.splitlines()
            assert heading == columns.replace(" and ", ",").replace(" ", "")
            assert emulator.organization_id in first or "OrgOwner" in first
        role = run("role", "list", "--limit", "1")
        assert run("role", "list", "--output", "csv").stdout.splitlines()[0].split(",") == list(role.json[0])
        rotate = ("api-key", "rotate", "reader", "--project", "search", "--keep-old-for", "0", "--store", "exec:cat")
        (row,) = csv.DictReader(io.StringIO(run(*rotate, "--yes", "--output", "csv").stdout))
        differing = ("project", "ensure", "search", "--max-pods", "2", "--yes")
        (difference,) = csv.DictReader(io.StringIO(run(*differing, "--output", "csv").stdout))
    assert row["roles"] == "DataPlaneViewer"
    actions = [each["change"]["action"] for each in json.loads(row["steps"])]
    assert actions == ["create", "update", "update", "delete"]
    assert json.loads(difference["differences"]) == [{"setting": "max_pods", "found": 0, "wanted": 2}]


def test_the_columns_of_csv_do_not_depend_on_what_is_absent(tmp_path: Path) -> None:
    """A finding without a waiver and an invite without a user have the columns of others, once and in their place."""
    waivers, people = tmp_path / "waivers", tmp_path / "people"
    people.write_text("bob@example.com\nada@example.com\n")
    without, with_roles = (
        f"{{kind: service-account-{each}, reason: x, until: 2999-01-01}}"
        for each in ("without-roles", "owns-organization")
    )
    csv_of = partial(run_as, "csv")
    with example_organization():
        plan = csv_of(["user", "offboard", "--people", str(people), "--dry-run", "--query", "report.reports"])
        reviews = []
        for each in ("", without, f"{without}, {with_roles}"):
            waivers.write_text(f"[{each}]")
            reviews.append(csv_of(["access", "--waivers", str(waivers), "--query", "findings"]))
        removals = [
            [csv_of(["user", "offboard", f"{name}@example.com", mode]) for name in ("ada", "bob")]
            for mode in ("--dry-run", "--yes")
        ]
    for runs in (reviews, *removals, [plan]):
        (columns,) = {each.stdout.splitlines()[0] for each in runs}
        names = columns.split(",")
        assert not [each for each in names if any(other.startswith(f"{each}.") for other in names)], columns
    assert columns.startswith("email,dry_run,user.id,user.email,user.name,invites")
    assert [review.stdout.count("2999-01-01") for review in reviews] == [0, 1, 2]


def test_lists_are_tables_in_80_columns_and_whole_in_wider_ones() -> None:
    """Role bindings show names, and as many ids as there is room for, and say what is missing; dates are shortened."""
    wide, plain = {"COLUMNS": "190", "NO_COLOR": "1"}, {"NO_COLOR": "1"}
    with example_organization():
        listed = run("role", "list").json
        cut, whole = (run("role", "list", terminal=True, env=env) for env in (plain, wide))
        narrow, full = cut.stdout, whole.stdout
        invites = run("invite", "list", terminal=True, env=plain).stdout.splitlines()
        blocks = run("role", "list", terminal=True, env={"COLUMNS": "40"}).stdout
    assert len(narrow.splitlines()) == len(full.splitlines()) == len(listed) + 1
    assert cut.stderr == "There is no room for all ids; a wider terminal or --output json shows all.\n"
    assert whole.stderr == ""
    for each in listed:
        ids = [each["id"], each["principal_id"], each["resource_id"]]
        assert [id in narrow for id in ids] == [False, False, False]
        assert [id in full for id in ids] == [id in blocks for id in ids] == [True, True, True]
        for text in (narrow, full, blocks):
            assert each["principal_name"] in text
            assert each["resource_type"] == "organization" or each["resource_name"] in text
    assert re.fullmatch(r"bob@example\.com +pending +\d{4}-\d\d-\d\d +\S{36}", invites[1])


def test_a_table_names_the_columns_that_it_has_no_room_for() -> None:
    """A list that leaves a column out says so on stderr, below its rows."""
    with example_organization():
        narrow, full = (
            run("user", "list", terminal=True, env={"COLUMNS": columns, "NO_COLOR": "1"}) for columns in ("60", "170")
        )
    assert narrow.said == "There is no room for NAME; a wider terminal or --output json shows all."
    assert max(map(len, narrow.stderr.splitlines())) <= 60
    assert full.stderr == ""


def test_keys_that_a_rotation_keeps_are_rows_of_the_table_in_80_columns() -> None:
    """The long name that the old key has gets no table stacked: its tag is cut off where there is no room for it."""
    rotate = ("api-key", "rotate", "reader", "--keep-old-for", "7d", "--store", "exec:cat", "--yes")
    with example_organization():
        assert run(*rotate).exit == 0
        names = [each["name"] for each in run("api-key", "list").json]
        for words in (("api-key", "list"), ("api-key", "list", "--project", "search")):
            for columns, shown in (("80", "reader (old)"), ("170", max(names, key=len))):
                done = run(*words, terminal=True, env={"COLUMNS": columns, "NO_COLOR": "1"})
                (row,) = [line for line in done.stdout.splitlines() if shown in line]
                assert f"{shown}  " in row
                note = "Names of old and unfinished keys are shortened, such as reader (old)"
                assert (note in done.said) is (columns == "80")


@pytest.mark.parametrize("name", ["tenant-" + "x" * 60 + "-eu", "東" * 40 + "京"])
def test_a_long_name_is_cut_in_the_middle_on_a_terminal_and_nowhere_else(name: str) -> None:
    """Its beginning and its end stay, so does the id, and stderr says so; a pipe gets all columns, however long."""
    words = ("project", "list")
    with example_organization() as emulator, emulator.admin() as admin:
        project = admin.projects.create(name=name)
        shown = run(*words, terminal=True)
        piped = run(*words, "--output", "table")
        tiny = run(*words, terminal=True, env={"COLUMNS": "50"})
    row = re.sub("\x1b\\[[0-9]*m", "", shown.stdout.splitlines()[-1])
    assert row.startswith(name[:5])
    assert name.endswith(row.partition("…")[2].split()[0])
    assert row.endswith(f" UTC  {project.id}")
    assert cell_len(row) == 80
    assert shown.stderr == "Long names are cut in the middle; a wider terminal or --output json shows all.\n"
    assert piped.stdout.splitlines()[0].split() == ["NAME", "CREATED", "ID"]
    assert (name in piped.stdout, piped.stderr) == (True, "")
    assert name in tiny.stdout


def test_texts_are_wrapped_in_their_column() -> None:
    """A table whose last column holds sentences stays a table, unless a word has no room there."""
    done = run("explain", terminal=True, env={"NO_COLOR": "1", "COLUMNS": "80"})
    heading, first, *lines = re.sub(r"\x1b\[\d+m", "", done.stdout).splitlines()
    assert heading.split() == ["CODE", "MEANING"]
    assert first.startswith("PA100  ")
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith(" " * heading.index("MEANING")) for line in lines)
    narrow = run("explain", terminal=True, env={"NO_COLOR": "1", "COLUMNS": "40"}).stdout
    assert "meaning" in narrow.splitlines()[1]


def test_two_roles_of_a_person_do_not_turn_the_access_table_into_blocks() -> None:
    """In 80 columns, the roles take two lines of their column; they have less room than a sentence needs."""
    with example_organization() as emulator:
        emulator.add_user("somebody@example.com", roles=["OrgOwner", "OrgMember"])
        for columns, heading in (("80", "PROJECT"), ("60", "project")):
            done = run("access", terminal=True, env={"NO_COLOR": "1", "COLUMNS": columns})
            _, head, *lines = re.sub(r"\x1b\[\d+m", "", done.stdout).splitlines()
            assert head.split()[0] == heading
            if columns == "80":
                row = next(number for number, line in enumerate(lines) if "somebody@example.com" in line)
                assert (lines[row].split()[-1], lines[row + 1].split()) == ("OrgOwner,", ["OrgMember"])
                assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_an_error_is_wrapped_between_words_on_a_terminal_and_nowhere_else(columns: int) -> None:
    """No word and no id is cut at any width; a pipe gets one line."""
    with example_organization() as emulator:
        (key,) = emulator.state.api_keys
        for words in (("project", "describe", "nothing"), ("api-key", "delete", key, "--yes"), ("user", "offboard")):
            emulator.faults.clear()
            emulator.faults.add("delete_api_key", status=503, times=None)
            piped = run(*words)
            shown = run(*words, terminal=True, env={"COLUMNS": str(columns)})
            (line,) = piped.stderr.splitlines()
            ids = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")
            assert ids.sub("ID", shown.said) == ids.sub("ID", line), words
            assert all(len(each) <= columns or " " not in each for each in shown.stderr.splitlines()), words


SENTENCES = (
    "explain 9",
    "explain PA101",
    "user offboard ada@example.com --dry-run",
    "project ensure search --max-pods 2 --yes",
    "project delete search --dry-run",
    "role grant --user ada@example.com --role search:ProjectViewer --yes",
    "api-key rotate reader --project search --keep-old-for 7d --store file:reader.key --yes",
    "plan org.yaml",
    "apply org.yaml --yes",
    "diff before.json",
)
"""Commands whose output for people is sentences, and no table."""


def _run_sentences(words: str, **options: Any) -> str:
    """Return the output of a command in a new organization, whose ids are always the same, with zeros for digits."""
    with example_organization():
        assert run("inventory", "--out", "before.json", "--overwrite").exit == 0
        assert run("project", "create", "a project with a name of many words", "--yes").exit == 0
        Path("reader.key").unlink(missing_ok=True)
        return re.sub(r"\d", "0", run(*words.split(), **options).stdout)


@pytest.mark.parametrize("words", SENTENCES)
def test_sentences_are_wrapped_between_words_on_a_terminal_and_nowhere_else(words: str, tmp_path: Path) -> None:
    """Standard output as standard error; in a pipe, nothing is wrapped."""
    file = "organization: Emulated Organization\nprojects: [{name: a project of this file with many words}]\n"
    with chdir(tmp_path):
        Path("org.yaml").write_text(file)
        piped = _run_sentences(f"{words} --output table")
        for columns in ("40", "80"):
            shown = _run_sentences(words, terminal=True, env={"COLUMNS": columns, "NO_COLOR": "1"})
            assert [each for each in shown.splitlines() if len(each) > int(columns) and " " in each.strip()] == []
            assert shown.split() == piped.split()
        narrow = _run_sentences(words, terminal=True, env={"COLUMNS": "40", "NO_COLOR": "1"})
        assert len(narrow.splitlines()) > len(piped.splitlines())
