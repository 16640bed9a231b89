"""``each`` runs a command for each row of a file: one client, one token, and a separate run for each row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from subprocess import PIPE
from typing import Any
from unittest import mock

import httpx
import pytest

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.bulk.row_files import RowFile
from pinecone_admin.emulator import Emulator, serving
from tests.cli.command_line import COMMANDS, Run, example_organization, fill, limit_file_size, run, save_profile
from tests.cli.secret_makers import intercepted, live_secrets
from tests.support.concurrency import PATIENCE

EXISTS = ("project", "exists", "{name}")
CREATE = ("project", "create", "{name}")


def each(words: Sequence[str], *options: str, rows: str = "", file: str = "rows.csv", **facts: Any) -> Run:
    """Run a command for rows, which are written to a file first."""
    if rows:
        Path(file).write_text(rows, encoding="utf-8", newline="")
    return run("each", file, *options, "--", *words, **facts)


def lines_of(done: Run) -> list[dict[str, Any]]:
    """Return the lines of stdout."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def exits_of(done: Run) -> list[int]:
    """Return the exit codes of the rows, in the order of the rows."""
    return [line["exit"] for line in sorted(lines_of(done), key=lambda line: line["row"])]


def changes_of(emulator: Emulator) -> int:
    """Return how many requests were sent that may change something."""
    return sum(request.method != "GET" and request.operation_id != "get_token" for request in emulator.requests)


def count_requests(emulator: Emulator, operation: str) -> int:
    """Return how many requests of an operation were sent."""
    return sum(request.operation_id == operation for request in emulator.requests)


def names_of(emulator: Emulator) -> set[str]:
    """Return the names of the projects."""
    return {project.name for project in emulator.state.projects.values()}


FORMATS = {
    "csv": "name,max_pods\nsearch,0\nnothing,0\n",
    "semicolons": "name;max_pods\r\nsearch;0\r\nnothing;0\r\n",
    "tabs": "\ufeffname\tmax_pods\nsearch\t0\nnothing\t0\n",
    "list": '\n[{"name": "search", "max_pods": 0},\n {"name": "nothing", "max_pods": 0}]',
    "lines": '{"name": "search", "max_pods": 0}\n\n{"name": "nothing", "max_pods": 0}\n',
}

LINES = {"csv": 3, "semicolons": 3, "tabs": 3, "list": 3, "lines": 3}
"""The line of the second row."""


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_gives_a_line_for_each_row_and_is_written_again(form: str) -> None:
    """A line has the number, the exit code and the result; rows that failed are written in the format that they had."""
    with example_organization():
        done = each(EXISTS, "--failed-rows", "failed", rows=FORMATS[form])
        assert lines_of(done) == [{"row": 1, "exit": 0, "result": True}, {"row": 2, "exit": 4, "result": False}]
        said = f"1 of 2 rows answered no: row 2 (line {LINES[form]}). It is in failed, to run again.\n"
        assert (done.exit, done.stderr) == (9, said)
        assert Path("failed").stat().st_mode & 0o777 == 0o600
        again = each(("project", "create", "{name}", "--max-pods", "{max_pods}"), "--yes", file="failed")
        assert [(line["row"], line["result"]["name"]) for line in lines_of(again)] == [(1, "nothing")]
        piped = each(EXISTS, file="-", stdin=FORMATS[form])
        assert (piped.exit, exits_of(piped)) == (0, [0, 0])


def test_rows_share_one_token_and_names_are_looked_up_once() -> None:
    """For any number of rows, there is one token request, and each list is read once."""
    rows = "who,project\n" + "ada@example.com,search\n" * 5
    grant = ("role", "grant", "--user", "{who}", "--role", "{project}:ProjectEditor")
    with example_organization() as emulator:
        done = each(grant, "--dry-run", rows=rows)
        assert exits_of(done) == [0] * 5
        sent = {
            operation: count_requests(emulator, operation) for operation in ("get_token", "list_projects", "list_users")
        }
        assert sent == {"get_token": 1, "list_projects": 1, "list_users": 1}


def test_a_secret_of_the_caller_is_obtained_once(tmp_path: Path) -> None:
    """The command of a profile runs once, and standard input is read once, whatever the number of rows."""
    script = tmp_path / "secret.sh"
    with example_organization() as emulator:
        script.write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\necho {emulator.client_secret}\n")
        script.chmod(0o700)
        addresses = ("--api-url", "http://localhost:1", "--oauth-url", "http://localhost:1/oauth/token")
        assert save_profile("p", "--secret-command", str(script), *addresses, client_id=emulator.client_id).exit == 0
        done = each(EXISTS, "--profile", "p", "--concurrency", "3", rows="name\n" + "search\n" * 6)
        assert (done.exit, (tmp_path / "runs").read_text()) == (0, "run\n")
        secret = f"{emulator.client_secret}\n"
        piped = each(EXISTS, "--client-secret-stdin", stdin=secret, env={"PINECONE_CLIENT_SECRET": None})
        assert (piped.exit, exits_of(piped)) == (0, [0] * 6)


def test_a_name_means_what_has_it_when_its_row_runs() -> None:
    """A row that renames, deletes or creates leaves no stale name for the next ones."""
    with example_organization() as emulator:
        search, empty = (
            next(each.id for each in emulator.state.projects.values() if each.name == name)
            for name in ("search", "empty")
        )
        renamed = each(
            ("project", "update", "{old}", "--name", "{new}"),
            "--yes",
            rows="old,new\nsearch,x\nempty,search\nsearch,y\n",
        )
        assert exits_of(renamed) == [0, 0, 0]
        assert (emulator.state.projects[search].name, emulator.state.projects[empty].name) == ("x", "y")
        deleted = each(("project", "delete", "{name}"), "--confirm", "3", rows="name\ny\ny\nx\n")
        assert exits_of(deleted) == [0, 4, 5]
        with emulator.admin() as admin:
            ids = [admin.projects.create(name=name).id for name in ("other", "twin", "twin")]
        deleted = each(("project", "delete", "{name}"), "--confirm", "4", rows=f"name\nother\n{ids[1]}\ntwin\ntwin\n")
        assert exits_of(deleted) == [0, 0, 0, 4]
        emulator.requests.clear()
        each(("project", "delete", "{name}"), "--confirm", "2", rows="name\nnothing\nnobody\n")
        assert count_requests(emulator, "list_projects") == 1


HOSTILE = [
    "--yes",
    "-x",
    "--",
    "a b",
    "$(touch x)",
    "'",
    '"',
    "=1+1",
    "'=x",
    "a,b\nc",
    "{name}",
    "{{",
    "Łódź",
    "\u202e",
]


def test_a_value_is_one_word_whatever_it_is() -> None:
    """No value becomes an option, a second word or a placeholder, and a file of failed rows keeps each as it is."""
    Path("rows.json").write_text(json.dumps([{"--role": value} for value in HOSTILE]))
    with example_organization() as emulator:
        done = each(("project", "exists", "{--role}"), "--failed-rows", "failed.json", file="rows.json")
        assert exits_of(done) == [4] * len(HOSTILE)
        assert [row["--role"] for row in json.loads(Path("failed.json").read_text())] == HOSTILE
        for value in HOSTILE:
            emulator.requests.clear()
            made = each(("project", "create", "{--role}"), "--yes", file="-", stdin=json.dumps({"--role": value}))
            assert made.exit == (0 if count_requests(emulator, "create_project") == 1 else 1), (value, made)
            assert names_of(emulator) <= {"search", "empty", *HOSTILE}
    assert not Path("x").exists()


def test_a_value_that_begins_with_a_dash_is_the_value_of_its_option() -> None:
    """It does not become an option there either. The same holds for a word that begins with a dash itself."""
    with example_organization() as emulator:
        for value in ("--dry-run", "-", "-x", "a-b"):
            done = each(("project", "update", "search", "--name", "{new}"), "--yes", rows=f"new\n{value}\n")
            assert (done.exit, names_of(emulator)) == (0, {value, "empty"})
            back = each(("project", "update", "{old}", "--name=search"), "--yes", rows=f"old\n{value}\n")
            assert (back.exit, names_of(emulator)) == (0, {"search", "empty"})
        assert each(("project", "update", "search", "--name=-{new}"), "--yes", rows="new\nx\n").exit == 0
        assert names_of(emulator) == {"-x", "empty"}


REFUSED = [
    (["token", "--reveal", "{name}"], "token cannot be run for each row"),
    (["each", "x.csv", "--", *EXISTS], "each cannot be run"),
    (["run", "{name}"], "run cannot be run"),
    (["apply", "{name}"], "apply cannot be run"),
    (["emulator", "--state", "{name}"], "emulator cannot be run"),
    (["profile", "remove", "{name}"], "profile cannot be run for each row"),
    (["profiles", "rm", "{name}"], "profile cannot be run for each row"),
    (["logout", "{name}"], "profile cannot be run for each row"),
    (["service-account", "ensure", "{name}", "--own-client-id", "{name}"], "--own-client-id takes no placeholder"),
    (["login", "--name", "{name}", "--client-id", "x", "--secret-command", "op"], "login cannot be run for each row"),
    ([*CREATE, "-y"], "--yes is for all rows, so put it before --"),
    ([*CREATE, "--confirm", "1"], "--confirm is for all rows, so put it before --"),
    ([*CREATE, "-oraw"], "each writes one line of JSON per row, so -o has no place here. Leave it out."),
    ([*CREATE, "--output", "json"], "each writes one line of JSON per row, so -o has no place here. Leave it out."),
    ([*CREATE, "--query", "{name}"], "--query takes no placeholder such as {name}"),
    ([*CREATE, "--profile", "{name}"], "--profile takes no placeholder such as {name}"),
    ([*CREATE, "--profile", "p", "--profile", "q"], "--profile is given twice"),
    ([*CREATE, "--help"], "--help is for all rows, so put it before --"),
    ([*CREATE, "-h"], "--help is for all rows, so put it before --"),
    (["--yes", *CREATE], "--yes is for all rows, so put it before --"),
    ([*CREATE, "--failed-rows", "x.csv"], "--failed-rows is for all rows, so put it before --"),
    ([*CREATE, "--concurrency=2"], "--concurrency is for all rows, so put it before --"),
    (["project", "--yes", "create", "{name}"], "--yes is for all rows, so put it before --"),
    (["project", "{name}"], "the words of a command have no placeholders"),
    (["user", "offboard", "--people", "-", "--out", "{name}"], "'-' would read standard input"),
    (["send", "POST", "/x/{name}", "--body", "@-"], "'@-' would read standard input"),
    (["project"], "Write the words of a command"),
    (["project", "creat", "{name}"], "Did you mean project create?"),
    (["project", "create", "search"], "no placeholder"),
    (["project", "create", "{name}", "more"], "more is one word too many."),
    (["project", "create", "--max-pods", "{name}"], "NAME"),
    (["project", "create", "{name}", "--max-pods", "many"], "--max-pods"),
    (["project", "create", "{name}", "--no-such-option"], "--no-such-option"),
    (["project", "create", "{nam}"], "There is no column nam for {nam}. Did you mean name?"),
    (["project", "create", "{name"], "has a single brace"),
    (["project", "create", "{}{name}"], "has a single brace"),
    (
        ["api-key", "create", "{name}", "--project", "search"],
        "Say where the secrets should go, for example --store 'file:{name}.key'.",
    ),
    (["api-key", "create", "{name}", "--project", "search", "--reveal"], "The secrets of rows cannot be shown."),
    (
        ["api-key", "create", "{name}", "--project", "search", "--store", "file:k"],
        "is one place for the secrets of all rows",
    ),
    (["api-key", "rotate-due", "--older-than", "{name}"], "api-key rotate-due cannot be run for each row"),
    (
        ["api-key", "create", "{name}", "--project", "search", "--store", "{name}:k"],
        "--store: write env-file:PATH#NAME",
    ),
    (["send", "POST", "/admin/projects", "--body", '{"name": "{name}"}'], "--body takes no placeholder such as {name}"),
]


@pytest.mark.parametrize(("words", "text"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_rows_cannot_have_is_refused_before_the_first_one(words: list[str], text: str) -> None:
    """One line says what is wrong, and nothing is sent."""
    with example_organization() as emulator:
        done = each(words, "--yes", rows="name\nx\n")
        assert (done.exit, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done
        assert text in done.stderr
        assert len(emulator.requests) == 0


def test_a_command_that_asks_although_it_only_reads_is_for_no_row() -> None:
    """The one question for all rows comes before changes of the organization only, and before temporary keys."""
    asks = [command for command in COMMANDS if any(param.name == "yes" for param in command.params)]
    local = [command for command in asks if command.effect == "reads" and not command.makes_temporary_keys]
    assert local
    for command in local:
        done = each((*command.path, "{name}"), rows="name\nx\n")
        assert (done.exit, f"{command.path[0]} cannot be run for each row" in done.stderr) == (2, True), done


def test_options_that_do_not_fit_are_refused_before_the_first_row() -> None:
    """Formats, queries with placeholders, standard input that is wanted twice, and a file that is read and written."""
    cases = [
        (
            ("--output", "csv"),
            "rows.csv",
            "each writes one line of JSON per row, so -o has no place here. Leave it out.",
        ),
        (("--query", "[?name=='{name}']"), "rows.csv", "--query takes no placeholder such as {name}"),
        (("--client-secret-stdin",), "-", "tandard input has the rows"),
        (("--failed-rows", "rows.csv"), "rows.csv", "rows.csv exists. Add --overwrite"),
        (("--failed-rows", "no/such/folder"), "rows.csv", "its folder does not exist"),
        (("--concurrency", "0"), "rows.csv", "from 1 to 20"),
        ((), "missing.csv", "missing.csv cannot be read: No such file or directory"),
    ]
    Path("rows.csv").write_text("name\nx\n")
    with example_organization() as emulator:
        for options, file, text in cases:
            done = each(EXISTS, *options, file=file)
            assert (done.exit, done.stdout) == (2, ""), options
            assert text in done.stderr
        assert "only for commands that change nothing" in each(CREATE, "--yes", "--concurrency", "2").stderr
        assert len(emulator.requests) == 0


DAMAGED = {
    "name,name\nx,y\n": "2 columns are named 'name'",
    ",\nx,y\n": "no header",
    'name\nx\n"y\n': "unexpected end of data",
    'name\nx\n"y"z\n': "expected after",
    "name\nx\ny,z\n": "rows.csv, line 3 (row 2): The row has 2 cells, and the header has 1. Nothing was changed.",
    f"name\n{'x' * 200_000}\n": "field larger than field limit",
    f"name\n{'x' * (1 << 20)}\n": "a line has more than",
    '[{"name": "x"}, {"name": ]': "rows.csv, line 1: not JSON: ",
    '[{"name": "x"}, {"name": "y", "name": "z"}]': "rows.csv, line 1 (row 2): The row has the column 'name' twice.",
    '{"name": "x"}\n{"name": "y", "name": "z"}\n': "rows.csv, line 2 (row 2): The row has the column 'name' twice.",
    '[{"name": "x"}, 5]': "rows.csv, line 1 (row 2): The row is not a JSON object.",
    '[{"name": "x"},\n\n {"nam": "y"}]': "line 3 (row 2): There is no column name for {name}. Did you mean nam?",
    "[" * 100_000: "nested too deeply",
    '\n{"name": "x"}\n\nname\n': "rows.csv, line 4 (row 2): The row is not a JSON object.",
    'name,other\nx,"a\nb"\n\ny\n': "rows.csv, line 5 (row 2): The row has 1 cell, and the header has 2.",
}


@pytest.mark.parametrize("text", DAMAGED, ids=[f"{number} {text}" for number, text in enumerate(DAMAGED.values())])
def test_a_damaged_file_is_refused_before_the_first_row(text: str) -> None:
    """A file that can be read twice is checked whole, so that no part of it runs alone."""
    with example_organization() as emulator:
        done = each(CREATE, "--yes", rows=text)
        assert (done.exit, done.stdout) == (2, ""), done
        assert DAMAGED[text] in done.stderr
        assert len(done.stderr) < 600
        assert len(emulator.requests) == 0


WRONG = {
    (EXISTS, '{"name": null}'): "The value of column name is null",
    (EXISTS, '{"name": 1e400}'): "The value of column name is too large, or not a number",
    (EXISTS, '{"name": -1e400}'): "The value of column name is too large",
    (EXISTS, '{"name": NaN}'): "The value of column name is too large, or not a number",
    (EXISTS, '{"name": ["x"]}'): "The value of column name is not text",
    (EXISTS, '{"name": "a\\u0000b"}'): "The value of column name has a character that cannot be typed",
    (EXISTS, '{"nam": "x"}'): "There is no column name for {name}. Did you mean nam?",
    (("project", "describe", "{name}"), '{"name": ""}'): "PROJECT needs a value, but is empty.",
    (("project", "update", "search", "--name", "{name}"), '{"name": ""}'): "--name needs a value, but is empty.",
    (("project", "create", "x", "--max-pods", "{name}"), '{"name": "many"}'): "--max-pods many: write a whole number",
    (("service-account", "create", "x", "--role", "{name}", "--store", "file:{name}"), '{"name": "Org"}'): "--role: ",
    (("api-key", "list", "--{name}"), '{"name": "x"}'): "There is no --",
    (("user", "ensure", "{name}", "--role", "OrgMember"), '{"name": "ada"}'): "EMAIL is not an email address: 'ada'.",
    (("invite", "create", "{name}", "--role", "OrgMember"), '{"name": "ada"}'): "EMAIL is not an email address: 'ada'.",
    (("project", "create", "{name}"), f'{{"name": "{"x" * 513}"}}'): "NAME must have 1 to 512 characters, not 513.",
    (("project", "update", "a", "--name", "{name}"), f'{{"name": "{"x" * 513}"}}'): "--name must have 1 to 512",
    (("api-key", "ensure", "{name}", "--project", "a", "--store", "file:{name}"), f'{{"name": "{"x" * 81}"}}'): (
        "NAME must have 1 to 80 characters, not 81."
    ),
    (("service-account", "update", "a", "--name", "{name}"), f'{{"name": "{"ü" * 41}"}}'): (
        "--name must have 1 to 80 UTF-8 bytes, not 82."
    ),
    (
        ("project", "ensure", "fine", "--if-different", "{name}"),
        '{"name": "maybe"}',
    ): "--if-different maybe: there is no such value.",
    (("send", "POST", "/admin/projects", "--body", "{name}"), '{"name": "-"}'): "--body takes no placeholder",
    (("send", "POST", "/admin/projects", "--body", "@{name}"), '{"name": "-"}'): "would read standard input",
    (("access", "--inventory", "{name}"), '{"name": "-"}'): "--inventory: '-' would read standard input",
}


@pytest.mark.parametrize(("words", "row"), WRONG, ids=[f"{' '.join(words)} {row}" for words, row in WRONG])
def test_a_row_that_is_wrong_refuses_the_file_and_fails_in_a_stream(words: tuple[str, ...], row: str) -> None:
    """Of a file, nothing is run, and its line is named; a stream goes row by row."""
    text = WRONG[words, row]
    fine = '{"name": "fine"}' if "--role" not in words else '{"name": "OrgMember"}'
    with example_organization() as emulator:
        done = each(words, "--yes", rows=f"{row}\n", file="one")
        assert (done.exit, done.stdout, len(emulator.requests)) == (2, "", 0), done
        assert text in done.stderr
        is_template = "takes no" in text or "There is no --" in text  # of which no row can be right
        assert is_template or done.stderr.startswith("error: one, line 1 (row 1): "), done.stderr
        piped = each(words, "--yes", file="-", stdin=f"{row}\n{fine}\n")
        if not is_template:
            assert (exits_of(piped)[0], text in lines_of(piped)[0]["error"]["message"]) == (2, True), piped


def test_all_rows_that_are_wrong_are_named_before_the_first_one_runs() -> None:
    """Each has a line with the reason, also where JSON is asked for; rows that are right do not run either."""
    rows = "name,max_pods\na,1\nb,many\n,3\nd\n\ne,5\nf,-1\n"
    words = ("project", "create", "{name}", "--max-pods", "{max_pods}")
    with example_organization() as emulator:
        for way in ("--yes", "--dry-run"):
            done = each(words, way, "--failed-rows", "failed.csv", rows=rows)
            assert (done.exit, done.stdout, len(emulator.requests)) == (2, "", 0), done
            help_line = "write a whole number from 0. See pinecone-admin project create --help"
            assert done.stderr.splitlines() == [
                f"rows.csv, line 3 (row 2): --max-pods many: {help_line}.",
                "rows.csv, line 4 (row 3): NAME needs a value, but is empty. See pinecone-admin project create --help.",
                "rows.csv, line 5 (row 4): The row has 1 cell, and the header has 2.",
                f"rows.csv, line 8 (row 6): --max-pods -1: {help_line}.",
                "error: rows.csv: 4 of 6 rows are wrong. Nothing was changed. [PA101]",
            ]
            listed = each(words, way, "-o", "json", rows=rows).error
            assert [(each["file"], each["line"]) for each in listed["problems"]] == [
                ("rows.csv", line) for line in (3, 4, 5, 8)
            ]
            assert (
                listed["problems"][1]["message"]
                == "row 3: NAME needs a value, but is empty. See pinecone-admin project create --help."
            )
        assert not Path("failed.csv").exists()


@pytest.mark.parametrize("form", ["lines", "list"])
def test_a_row_of_json_is_written_again_as_it_was(form: str) -> None:
    """A number that Python cannot hold, one in another spelling, and any other text keep their letters."""
    texts = ['{"name": "x", "n": 1e400}', '{"name":"y","n":1.50,"m":-0}', '{"name": "\\u00e9é", "n": [1E2, "]}"]}']
    rows = "\n".join(texts) if form == "lines" else f"[{', '.join(texts)}]"
    with example_organization():
        done = each(EXISTS, "--failed-rows", "failed", rows=rows, file="rows")
        assert (exits_of(done), done.exit) == ([4, 4, 4], 4)
        again = Path("failed").read_text(encoding="utf-8")
        assert again == ("\n".join(texts) + "\n" if form == "lines" else "[\n" + ",\n".join(texts) + "\n]\n")
        assert exits_of(each(EXISTS, file="failed")) == [4, 4, 4]


def test_a_file_in_another_encoding_is_refused() -> None:
    """UTF-8 is asked for, in a file as on standard input."""
    Path("latin.csv").write_bytes(b"name\n\xe9\n")
    with example_organization():
        assert "latin.csv cannot be read, because it is not UTF-8 text." in each(EXISTS, file="latin.csv").stderr
        piped = each(EXISTS, file="-", stdin="name\né\n", encoding="latin-1")
        assert "standard input cannot be read, because it is not UTF-8 text." in piped.stderr


def test_options_of_every_command_stand_on_either_side_of_the_dashes(tmp_path: Path) -> None:
    """Behind the command they hold for all rows, too."""
    log = tmp_path / "audit.jsonl"
    rows = "name\nx\ny\n"
    with example_organization() as emulator:
        planned = each([*CREATE, "--dry-run"], rows=rows)
        assert [line["result"]["would_do"][0]["change"]["target"]["name"] for line in lines_of(planned)] == ["x", "y"]
        refused = each([*CREATE, "--read-only"], "--yes", rows=rows)
        assert (refused.exit, "This session is read-only" in refused.stderr) == (2, True)
        other = each([*CREATE, "--expect-organization", "other"], "--yes", rows=rows)
        assert (other.exit, changes_of(emulator)) == (3, 0)
        made = each([*CREATE, "--audit-log", str(log), "--query", "name", "-v", "-v"], "--yes", "-v", rows=rows)
        assert [line["result"] for line in lines_of(made)] == ["x", "y"]
        assert (made.stderr.count(": POST /admin/projects"), len(log.read_text().splitlines())) == (2, 2)
        twice = each([*CREATE, "--query", "name"], "--yes", "--query", "id", rows=rows)
        assert (twice.exit, "--query is given twice" in twice.stderr) == (2, True)


def test_options_before_the_dashes_hold_for_all_rows(tmp_path: Path) -> None:
    """A dry run sends reads, a read-only session refuses, another organization ends it, and the log has each change."""
    rows = "name\nx\ny\n"
    log = tmp_path / "audit.jsonl"
    with example_organization() as emulator:
        planned = each(CREATE, "--dry-run", rows=rows)
        assert [line["result"]["would_do"][0]["change"]["target"]["name"] for line in lines_of(planned)] == ["x", "y"]
        ensured = each(("project", "ensure", "{name}"), "--dry-run", rows=rows)
        assert [line["result"]["dry_run"] for line in lines_of(ensured)] == [True, True]
        for reason, options, env in (
            ("--read-only", ["--read-only"], {}),
            ("PINECONE_ADMIN_READ_ONLY=1", [], {"PINECONE_ADMIN_READ_ONLY": "1"}),
        ):
            refused = each(CREATE, "--yes", *options, rows=rows, env=env)
            assert (refused.exit, refused.stdout) == (2, "")
            assert f"This session is read-only ({reason}), " in refused.stderr
        assert (each(EXISTS, "--read-only", rows=rows).exit, each(EXISTS, "--dry-run", rows=rows).exit) == (4, 4)
        other = each(CREATE, "--yes", "--expect-organization", "other", rows=rows)
        assert (other.exit, other.stdout) == (3, "")
        assert "2 rows did not run." in other.stderr
        assert "You expected organization other" in other.stderr
        assert changes_of(emulator) == 0
        made = each(CREATE, "--yes", "--audit-log", str(log), "--query", "name", "--verbose", rows=rows)
        assert [line["result"] for line in lines_of(made)] == ["x", "y"]
        requests = [line.partition(": 2")[0] for line in made.stderr.splitlines() if "/admin/" in line]
        assert requests == [
            line for row in (1, 2) for line in ("GET /admin/projects", f"Row {row}: POST /admin/projects")
        ]
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        assert [(entry["operation"], entry["status"], bool(entry["request_id"])) for entry in entries] == [
            ("create_project", 200, True)
        ] * 2


def test_a_secret_goes_to_the_place_of_its_row(tmp_path: Path) -> None:
    """Each has its own place, which no value can lead elsewhere. No secret is in the output."""
    words = ("api-key", "create", "{name}", "--project", "search", "--store", f"file:{tmp_path}/{{place}}.key")
    with example_organization() as emulator:
        before = live_secrets(emulator)
        for value in ("../up", "..", "-x", "", "ONE"):
            for way in ("--yes", "--dry-run"):
                done = each(words, way, rows=f"name,place\nk1,one\nk2,{value}\n")
                assert (done.exit, done.stdout, changes_of(emulator)) == (2, "", 0), done
                said = (
                    "is one place for row 1 and row 2, and each"
                    if value == "ONE"
                    else f"(row 2): --store: {quote_name(value)} "
                )
                assert said in done.stderr, done.stderr
        done = each(words, "--yes", rows="name,place\nk1,one\nk2,two\n")
        assert exits_of(done) == [0, 0]
        new = live_secrets(emulator) - before
        assert {path.read_text() for path in tmp_path.iterdir()} == new
        assert len(new) == 2
        assert not any(secret in done.stdout + done.stderr for secret in new)


@pytest.mark.parametrize("order", [1, -1])
def test_a_place_means_the_same_in_all_rows(tmp_path: Path, order: int) -> None:
    """A row of JSON that lacks a column of a place, or alone has it, is wrong, whichever row is first."""
    words = ("api-key", "create", "{n}", "--project", "search", "--store", f"file:{tmp_path}/{{name}}.key")
    lines = ['{"n": "a", "name": "x"}\n', '{"n": "b"}\n'][::order]
    with example_organization() as emulator:
        for way in ("--yes", "--dry-run"):
            done = each(words, way, rows="".join(lines), file="rows")
            assert (done.exit, done.stdout, changes_of(emulator)) == (2, "", 0), done
            said = "only one of row 1 and row 2 has a column name, so {name} would not mean the same"
            assert f"error: rows, line 2 (row 2): --store: {said} in both." in done.stderr
        assert each(words, "--yes", rows='{"n": "a"}\n{"n": "b", "other": 1}\n', file="rows").exit == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.key", "b.key"}


def test_two_names_of_a_file_are_one_place(tmp_path: Path) -> None:
    """A link would let one row replace the value that another one has just stored."""
    (tmp_path / "one").touch(mode=0o600)
    (tmp_path / "link").symlink_to("one")
    words = ("api-key", "rotate", "{name}", "--project", "search", "--keep-old-for", "7d")
    with example_organization() as emulator:
        create = ("api-key", "create", "{name}", "--project", "search", "--store", f"file:{tmp_path}/{{name}}.key")
        assert each(create, "--yes", rows="name\nk1\nk2\n").exit == 0
        before = live_secrets(emulator)
        store = ("--store", f"file:{tmp_path}/{{place}}")
        done = each((*words, *store), "--yes", rows="name,place\nk1,one\nk2,link\n")
        assert (done.exit, done.stdout, live_secrets(emulator)) == (2, "", before)
        assert f"--store file:{tmp_path}/one is one place for row 1 and row 2, and each would replace" in done.stderr
        # Of rows that can be read only once, each is checked before it runs.
        rows = "name,place\nk1,one\nk2,link\n"
        done = each((*words, *store), "--yes", file="-", stdin=rows)
        assert exits_of(done) == [0, 2]
        assert "is one place for two secrets of this run" in lines_of(done)[1]["error"]["message"]
        assert live_secrets(emulator) - before == {(tmp_path / "one").read_text()}


@pytest.mark.parametrize(("form", "value"), [("file:{place}/k", "~"), ("env-file:.env#{place}", ".other#NAME")])
def test_a_value_does_not_lead_to_another_file(form: str, value: str) -> None:
    """A tilde would be the home folder, and a number sign would end the path elsewhere."""
    words = ("api-key", "create", "{name}", "--project", "search", "--store", form)
    with example_organization() as emulator:
        done = each(words, "--yes", rows=f"name,place\nk,{value}\n")
        assert (done.exit, changes_of(emulator)) == (2, 0)
        said = "is not the name of a variable" if "#" in value else "begins with ~, so it cannot stand for {place}"
        assert done.stderr.startswith("error: rows.csv, line 2 (row 1): --store: ")
        assert said in done.stderr, done.stderr


def test_a_value_is_one_word_of_a_command_that_stores(tmp_path: Path) -> None:
    """The command is split into words before a value is filled in; what is not plain in a shell is refused."""
    script = tmp_path / "store.sh"
    script.write_text('#!/bin/sh\ncat > /dev/null\nprintf "%s|" "$@" >> "$0.out"\n')
    script.chmod(0o700)
    words = ("api-key", "create", "{name}", "--project", "search", "--store", f"exec:{script} 'k {{name}}' end")
    with example_organization():
        done = each(words, "--yes", rows="name\na.b\nc_1-d@é+\n")
        refused = [
            each(words, "--yes", rows=f'name\n"k{unsafe}x"\n') for unsafe in ("; $(x)", "'", " ", "#", "=", "%", ":")
        ]
    assert (done.exit, done.stderr) == (0, "")
    assert Path(f"{script}.out").read_text() == "k a.b|end|k c_1-d@é+|end|"
    assert {(each.exit, each.stdout) for each in refused} == {(2, "")}
    assert "contains a space, so it cannot stand for {name}" in refused[2].stderr


def test_a_person_is_asked_once_and_sees_the_first_commands() -> None:
    """The question has the number of rows; standard input, which cannot be shown first, needs --yes."""
    rows = "name\n" + "".join(f"p {number}\n" for number in range(12))
    with example_organization() as emulator:
        declined = each(CREATE, rows=rows, terminal=True, stdin="n\n")
        assert (declined.exit, declined.stdout, changes_of(emulator)) == (130, "", 0)
        shown = declined.stderr.splitlines()
        assert shown[:11] == [*(f"project create 'p {number}'" for number in range(10)), "… and 2 more."]
        assert shown[11] == "About to: project create, for 12 rows of rows.csv"
        assert shown[12].startswith("In organization 'Emulated Organization' (")
        agreed = each(CREATE, rows=rows, terminal=True, stdin="y\n")
        assert (agreed.exit, agreed.stderr.count("Go on?"), len(lines_of(agreed))) == (0, 1, 12)
        silent = each(CREATE, rows=rows)
        assert (silent.exit, silent.stdout) == (2, "")
        assert "Add --yes to go ahead" in silent.stderr
        piped = each(CREATE, file="-", stdin=rows, terminal=True)
        assert (piped.exit, "can be read only once" in piped.stderr) == (2, True)
        assert each(EXISTS, file="-", stdin=rows).exit == 0
        deleting = each(("project", "delete", "{name}"), rows=rows, terminal=True, stdin="n\n")
        assert "About to: project delete, for 12 rows of rows.csv\n" in deleting.stderr
        assert deleting.stderr.count("12 rows") == 1
        lost = each(("service-account", "rotate", "{name}", "--store", "file:{name}"), rows=rows, terminal=True)
        assert "The old secret stops working within seconds.\nAbout to: service-account rotate, for" in lost.stderr
        for kept, is_deleted in (("0", True), ("0d", True), ("{name}", True), ("{name}d", True), ("7d", False)):
            words = ("api-key", "rotate", "{name}", "--project", "search", "--store", "file:{name}")
            old = each((*words, "--keep-old-for", kept), rows="name\n0\n", terminal=True)
            said = "The old key is deleted as soon as the new value is stored or shown.\nAbout to: api-key rotate, for"
            assert (said in old.stderr) is is_deleted, old
        fixed = each((*CREATE, "--require-cmek"), rows=rows, terminal=True)
        assert "--require-cmek cannot be undone." in fixed.stderr
        none = each(CREATE, rows="name\n")
        assert (none.exit, none.stdout, none.stderr) == (0, "", "There are no rows.\n")
        env_file = Path("e.env")
        env_file.touch(mode=0o600)
        env_file.write_text("PINECONE_CLIENT_ID=x\nPINECONE_CLIENT_SECRET=y\n")
        ended = each(("project", "describe", "{name}", "--env-file", "e.env"), rows=rows)
        assert (ended.exit, ended.stderr.partition("\n")[0]) == (2, "12 rows did not run."), ended


DELETIONS: list[tuple[Sequence[str], str]] = [
    (("user", "delete", "{who}"), "who\nada@example.com\n"),
    (("user", "offboard", "{who}"), "who\nada@example.com\n"),
    (("project", "delete", "{name}"), "name\nempty\nsearch\n"),
    (("project", "delete", "--with-contents", "{name}"), "name\nempty\n"),
    (("api-key", "delete", "reader", "--project", "{name}"), "name\nsearch\n"),
    (("role", "revoke", "user:{who}:search:ProjectViewer"), "who\nada@example.com\n"),
    (("send", "DELETE", "/admin/{path}"), "path\nx\n"),
    (("send", "{method}", "/admin/projects/x"), "method\nGET\n"),
]


@pytest.mark.parametrize(("words", "rows"), DELETIONS, ids=[" ".join(words) for words, _ in DELETIONS])
def test_deletions_want_the_number_of_rows_before_the_first_one(words: Sequence[str], rows: str) -> None:
    """--yes and another number are not enough; nothing is sent before; a dry run compares the number, too."""
    number = rows.count("\n") - 1
    with example_organization() as emulator:
        for options in (("--yes",), (), ("--yes", "--confirm", str(number - 1))[: 1 + 2 * (number > 1)]):
            refused = each(words, *options, rows=rows)
            assert (refused.exit, refused.stdout, changes_of(emulator)) == (2, "", 0), refused
            if "--confirm" not in options:
                assert f"Add --confirm {number} to go ahead, or --dry-run to see" in refused.stderr
        for answer in ("y", str(number + 1), ""):
            asked = each(words, "--yes", rows=rows, terminal=True, stdin=f"{answer}\n")
            assert (asked.exit, f"Type the number {number}" in asked.stderr, asked.stdout) == (130, True, "")
        piped = each(words, "--yes", file="-", stdin=rows)
        assert (piped.exit, "Add --confirm N, the number of rows" in piped.stderr) == (2, True)
        in_row = each([*words, "--confirm", "{who}"], "--confirm", str(number), rows=rows)
        assert (in_row.exit, "--confirm is for all rows, so put it before --" in in_row.stderr) == (2, True)
        assert changes_of(emulator) == 0
        if number > 1:
            preview = each(words, "--dry-run", "--confirm", "1", rows=rows)
            assert (preview.exit, preview.stdout) == (2, "")
        done = each(words, "--confirm", str(number + 3), rows=rows)  # it is a ceiling, so that a second run passes
        assert len(exits_of(done)) == number
        assert 2 not in exits_of(done), done.stdout
        assert words[0] == "send" or changes_of(emulator) > 0


def test_the_number_is_a_ceiling_for_rows_that_cannot_be_counted_first() -> None:
    """The rows beyond it are refused, and written to the file of those that did not run."""
    with example_organization() as emulator:
        done = each(
            ("project", "delete", "{name}"),
            "--confirm",
            "1",
            "--failed-rows",
            "left",
            file="-",
            stdin="name\nempty\nsearch\n",
        )
        assert (done.exit, exits_of(done), names_of(emulator)) == (9, [0, 2], {"search"})
        assert "--confirm 1 allows no further row. Nothing was changed." in lines_of(done)[1]["error"]["message"]
        assert Path("left").read_text() == "name\nsearch\n"


def test_a_number_is_refused_where_nothing_is_deleted() -> None:
    """A script must not think that a number counted."""
    with example_organization():
        done = each(CREATE, "--yes", "--confirm", "1", rows="name\nx\n")
        assert (done.exit, done.stderr) == (
            2,
            "error: project create deletes nothing, so --confirm has no place here. Leave it out. [PA101]\n",
        )


def test_no_number_covers_the_account_that_the_command_uses() -> None:
    """A row that deletes it, or revokes a role of it, is refused; it is done by itself, with its name."""
    with example_organization() as emulator:
        own = next(each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
        done = each(("service-account", "delete", "{name}"), "--confirm", "2", rows=f"name\n{own.name}\nci\n")
        assert exits_of(done) == [2, 0]
        message = lines_of(done)[0]["error"]["message"]
        own_account = "This is the account you are using. Its credentials will stop working."
        assert message.startswith(f"{own_account} To go ahead, run this command by itself")
        assert f"--confirm {own.name}" in message
        change = (
            "role",
            "change",
            "--service-account",
            "{id}",
            "--from",
            "OrgOwner",
            "--to",
            "OrgManager",
        )
        assert exits_of(each(change, "--yes", rows=f"id\n{own.id}\n")) == [2]
        assert own.id in emulator.state.service_accounts


def test_a_row_that_no_run_does_is_named_beside_the_file_that_has_it() -> None:
    """``--failed-rows`` keeps it, and the summary says that its command is run by itself; other rows are run again."""
    words, alone = ("service-account", "delete", "{name}"), "The command each refuses row 1 (line 2). Run"
    with example_organization() as emulator:
        own = next(each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
        rows = f"name\n{own.name}\nnobody\n"
        both = each(words, "--confirm", "2", "--failed-rows", "both.csv", rows=rows)
        other = each(words, "--confirm", "1", "--failed-rows", "other.csv", rows="name\nnobody\n")
        assert Path("both.csv").read_text() == rows
    assert f"These 2 rows are in both.csv, to run again. {alone}" in both.stderr
    assert "Run that command by itself, as the error shows." in both.stderr
    assert "It is in other.csv, to run again.\n" in other.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("service-account", "delete", "{account}"),
        ("service-account", "rotate", "{account}", "--store", "file:{account}.json"),
        ("role", "revoke", "{role}"),
        ("role", "change", "--service-account", "{account}", "--from", "OrgOwner", "--to", "OrgManager"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("by_id", [False, True], ids=["name", "id"])
def test_a_dry_run_refuses_the_rows_that_the_run_refuses(words: tuple[str, ...], *, by_id: bool) -> None:
    """A row about the account that the command uses has the exit code and the message of the run."""
    with example_organization() as emulator:
        own = next(each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
        account = own.id if by_id else own.name
        (binding,) = (each.id for each in emulator.state.role_bindings if each.principal.id == own.id)
        role = binding if by_id else f"service-account:{own.name}:OrgOwner"
        consent = ("--confirm", "1") if words[1] in {"delete", "revoke"} else ("--yes",)
        rows = f"account,role\n{account},{role}\n"
        preview = each(words, *consent, "--dry-run", rows=rows)
        done = each(words, *consent, rows=rows)
        assert (preview.exit, exits_of(preview), done.exit) == (2, [2], 2)
        assert lines_of(preview) == lines_of(done)
        assert "account you are using" in lines_of(preview)[0]["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("service-account", "delete", "{name}"),
        ("service-account", "rotate", "{name}", "--store", "file:{name}.json"),
        ("role", "revoke", "service-account:{name}:OrgMember"),
        ("role", "change", "--service-account", "{name}", "--from", "OrgMember", "--to", "OrgManager"),
    ],
    ids=" ".join,
)
def test_a_token_alone_takes_nothing_from_a_service_account(words: tuple[str, ...]) -> None:
    """Every row is refused, because any account may be that of the token; with --own-client-id, others are allowed."""
    with example_organization() as emulator:
        with emulator.admin() as admin:
            token = admin.token().value
            ci = next(each for each in admin.service_accounts.list() if each.name == "ci")
            admin.role_bindings.ensure(
                principal_type="service_account",
                principal_id=ci.id,
                resource_type="organization",
                role="OrgMember",
            )
        env = {"PINECONE_ACCESS_TOKEN": token, "PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
        consent = ("--confirm", "1") if words[1] in {"delete", "revoke"} else ("--yes",)
        before = changes_of(emulator)
        refused = each(words, *consent, rows="name\nci\n", env=env)
        assert (exits_of(refused), changes_of(emulator)) == ([5], before), refused.stdout
        assert "may be the account you are using" in lines_of(refused)[0]["error"]["message"]
        allowed = each((*words, "--own-client-id", emulator.client_id), *consent, rows="name\nci\n", env=env)
        assert exits_of(allowed) == [0], allowed.stdout


def test_a_file_of_a_row_is_replaced_only_by_an_option_of_its_command() -> None:
    """``--overwrite`` before the dashes is about the file of rows that failed, and is refused without one."""
    rows, words = "name\nkept\n", ("inventory", "--out", "{name}.json")
    with example_organization():
        assert each(words, rows=rows).exit == 0
        Path("kept.json").write_text("mine")
        Path("failed.csv").touch()
        refused = each(words, "--failed-rows", "failed.csv", "--overwrite", rows=rows)
        assert (refused.exit, Path("kept.json").read_text(), Path("failed.csv").read_text()) == (2, "mine", rows)
        useless = each(words, "--overwrite", rows=rows)
        assert (useless.exit, useless.stdout, "put it after --" in useless.stderr) == (2, "", True)
        assert each((*words, "--overwrite"), rows=rows).exit == 0
    assert Path("kept.json").read_text() != "mine"


def test_what_makes_temporary_keys_asks_once_for_all_rows() -> None:
    """A search for old projects says so in its first line, and needs --yes."""
    words = ("project", "stale", "--match", "{name}", "--older-than", "7d")
    with example_organization():
        silent = each(words, rows="name\na*\nb*\n")
        assert (silent.exit, "temporary API keys" in silent.stderr) == (2, True)
        done = each(words, "--yes", rows="name\na*\nb*\n")
        assert (done.exit, exits_of(done)) == (0, [0, 0])


def test_the_exit_code_is_that_of_all_rows_or_9() -> None:
    """Rows that all fail alike share their code; others, and a part, end in 9."""
    with example_organization():
        assert each(EXISTS, rows="name\nsearch\nempty\n").exit == 0
        assert each(EXISTS, rows="name\nx\ny\n").exit == 4
        assert each(EXISTS, rows="name\nsearch\ny\n").exit == 9
        piped = each(("project", "describe", "{name}"), file="-", stdin='{"name": "x"}\n{"name": null}\n')
        assert (piped.exit, exits_of(piped)) == (9, [4, 2])


def test_a_failure_in_the_middle_stops_nothing_unless_asked() -> None:
    """With --stop-on-error, later rows are not run, and are among those to run again; a rerun completes the job."""
    rows = "name\na\nb\nc\n"
    for options, exits, left in (((), [0, 1, 0], "b\n"), (("--stop-on-error",), [0, 1], "b\nc\n")):
        with example_organization() as emulator:
            emulator.faults.add("create_project", status=422, where=lambda request: request.json["name"] == "b")
            done = each(CREATE, "--yes", "--failed-rows", "failed.csv", *options, rows=rows)
            assert (done.exit, exits_of(done)) == (9, exits)
            assert Path("failed.csv").read_text() == f"name\n{left}"
            emulator.faults.clear()
            Path("left.csv").write_text("name\nold\n")
            assert each(CREATE, "--yes", "--failed-rows", "left.csv", "--overwrite", file="failed.csv").exit == 0
            assert sorted(each.name for each in emulator.state.projects.values()) == ["a", "b", "c", "empty", "search"]
            assert not Path("left.csv").exists()
        Path("failed.csv").unlink()
    said = "1 of 3 rows failed: row 2 (line 3). 1 row did not run. These 2 rows are in failed.csv, to run again."
    assert done.stderr == f"{said}\n"


@pytest.mark.parametrize("form", FORMATS)
def test_a_nightly_job_without_failed_rows_leaves_no_file_of_them(form: str) -> None:
    """The next night needs no ``--overwrite``; a device and a link stay."""
    Path("link").symlink_to("target")
    with example_organization():
        for path in ("failed", "failed", "/dev/null", "link"):
            assert each(EXISTS, "--failed-rows", path, rows=FORMATS[form].replace("nothing", "search")).exit == 0, path
    assert not Path("failed").exists()
    assert (Path("link").is_symlink(), Path("link").read_text()) == (True, "")


def test_rows_of_standard_input_that_were_not_read_are_in_no_file() -> None:
    """Nobody waits for the end of what may have none, and the line says so; at its end, it does not."""
    rows = "name\nsearch\nb\nc\n"
    with example_organization():
        stopped = each(EXISTS, "--stop-on-error", "--failed-rows", "failed.csv", file="-", stdin=rows)
        whole = each(EXISTS, "--failed-rows", "all.csv", file="-", stdin=rows)
    assert stopped.stderr == (
        "1 of 2 rows answered no: row 2 (line 3). It is in failed.csv, to run again. The rest of standard input "
        "was not read.\n"
    )
    no = "2 of 3 rows answered no: row 2 (line 3), row 3 (line 4)."
    assert whole.stderr == f"{no} These 2 rows are in all.csv, to run again.\n"


def test_a_row_whose_change_may_have_been_made_is_named() -> None:
    """It must not be run again blindly, and the last line says so, with the numbers of rows as such."""
    one = "Check first what row 1 (line 2) may have changed. It is in failed.csv, to run again."
    both = "what row 1 (line 2), row 2 (line 3) may have changed. These 2 rows are in failed.csv, to run again."
    for exits, named in (([6, 0, 0], one), ([6, 6, 0], both)):
        with example_organization() as emulator:
            emulator.faults.add("create_project", reset="after", times=exits.count(6))
            done = each(CREATE, "--yes", "--failed-rows", "failed.csv", rows="name\na\nb\nc\n")
            assert exits_of(done) == exits
        Path("failed.csv").unlink()
        assert done.stderr.endswith(f"{named}\n")


@pytest.mark.parametrize("name", ["rows.csv", "rows.json"])
@pytest.mark.parametrize("room", [5, 60])
def test_a_full_disk_takes_neither_an_outcome_nor_a_warning(name: str, room: int) -> None:
    """The line of a row comes, whichever write fails, and the last lines say that the file may lack rows."""
    rows = [{"name": f"{'x' * 40}{number}"} for number in range(3)]
    text = json.dumps(rows) if name.endswith("json") else "".join(["name\n", *(f"{each['name']}\n" for each in rows)])
    with example_organization() as emulator:
        emulator.faults.add("create_project", reset="after", times=1)
        Path(name).write_text(text)
        with limit_file_size(room):
            done = each(CREATE, "--yes", "--stop-on-error", "--failed-rows", "failed.csv", file=name)
    assert exits_of(done) == [6]
    assert lines_of(done)[0]["error"]["outcome"] == "unknown"
    assert "1 of 3 rows failed: row 1 (line" in done.stderr
    assert "2 rows did not run. failed.csv may not have all that is to run again.\n" in done.stderr
    assert "Check first what row 1 (line" in done.stderr
    assert "The output cannot be written" in done.stderr
    assert "rows are in" not in done.stderr


def test_a_row_whose_line_cannot_be_written_is_among_those_to_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of standard output may be full, and that of the file not."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pinecone_admin.cli.bulk.row_runner.write_line", fail)
    with example_organization():
        done = each(EXISTS, "--failed-rows", "failed.csv", rows="name\nx\ny\n")
    assert Path("failed.csv").read_text() == "name\nx\ny\n"
    assert "1 row did not run. These 2 rows are in failed.csv, to run again." in done.stderr


def test_reads_run_at_once() -> None:
    """Each row has its line, in the order of their ends. Shared data is read once."""
    rows = "name\n" + "search\nnothing\n" * 20
    with example_organization() as emulator:
        done = each(("project", "describe", "{name}"), "--concurrency", "8", "--failed-rows", "failed.csv", rows=rows)
        assert exits_of(done) == [0, 4] * 20
        assert (count_requests(emulator, "get_token"), count_requests(emulator, "list_projects")) == (1, 1)
        assert Path("failed.csv").read_text() == "name\n" + "nothing\n" * 20
        stopped = each(EXISTS, "--concurrency", "2", "--stop-on-error", "--failed-rows", "left.csv", rows=rows)
        ran = lines_of(stopped)
        assert len(ran) < 10
        assert len(Path("left.csv").read_text().splitlines()) - 1 == 40 - sum(line["exit"] == 0 for line in ran)


def test_a_request_by_hand_takes_values_as_segments() -> None:
    """A value is one segment of the path or one value of the query; a GET only reads, so that nobody is asked."""
    with example_organization() as emulator:
        done = each(("send", "get", "/admin/users?email={email}"), rows="email\nada@example.com\na+b@example.com\n")
        assert exits_of(done) == [0, 0]
        assert [len(line["result"]["data"]) for line in lines_of(done)] == [1, 0]
        each(("send", "GET", "/admin/projects/{id}"), "--concurrency", "2", rows="id\n../users\nx?limit=1\n")
        paths = {request.path for request in emulator.requests if request.operation_id != "get_token"}
        assert not any(path.endswith("/admin/users") for path in paths - {"/admin/users"})
        assert each(("send", "DELETE", "/admin/projects/{id}"), rows="id\nx\n").exit == 2


def interrupt_row(
    text: bytes, *, times: int = 1
) -> Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]:
    """Return what sends Ctrl-C to this process before a request that has a text in its body."""
    left = [None] * times

    def handle(request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        if left and text in request.read():
            left.pop()
            os.kill(os.getpid(), signal.SIGINT)
        return send()

    return handle


def test_ctrl_c_ends_the_row_and_keeps_the_rest() -> None:
    """The row that was interrupted has its line; what did not run is in the file, and no row whose work is done."""
    with example_organization() as emulator, intercepted(interrupt_row(b'"b"')):
        done = each(CREATE, "--yes", "--failed-rows", "failed.csv", rows="name\na\nb\nc\nd\n")
        assert (done.exit, exits_of(done)) == (130, [0, 130])
        assert names_of(emulator) == {"search", "empty", "a", "b"}
    assert Path("failed.csv").read_text() == "name\nc\nd\n"
    assert done.stderr.splitlines() == [
        "2 rows did not run. These 2 rows are in failed.csv, to run again.",
        "error: Interrupted. The work of 2 rows was carried out.",
    ]


def test_a_row_of_a_workflow_that_was_interrupted_has_not_failed() -> None:
    """The same row goes on with what it began, so that nothing has to be checked first."""
    rows = "email\na@example.com\nb@example.com\nc@example.com\n"
    words = ("invite", "ensure", "{email}", "--role", "OrgMember")
    with example_organization() as emulator:
        with intercepted(interrupt_row(b"b@example.com")):
            done = each(words, "--yes", "--failed-rows", "failed.csv", rows=rows)
        assert exits_of(done) == [0, 130]
        ended, error = done.stderr.splitlines()
        assert ended == (
            "1 of 3 rows was interrupted: row 2 (line 3). 1 row did not run. These 2 rows are in failed.csv, to run "
            "again."
        )
        assert error == (
            "error: Interrupted. The work of 1 row and a part of the work of 1 row was carried out. The same command "
            "with another --failed-rows does what is left."
        )
        assert exits_of(each(words, "--yes", file="failed.csv")) == [0, 0]
        assert count_requests(emulator, "create_invite") == 3


def test_a_row_that_may_have_become_another_is_checked_first() -> None:
    """Once a project is deleted, its name may mean another one, so no line says that the same command does the rest."""

    def interrupt(request: httpx.Request, send: Callable[[], httpx.Response]) -> httpx.Response:
        response = send()
        if request.method == "DELETE" and request.url.path.startswith("/admin/projects/"):
            os.kill(os.getpid(), signal.SIGINT)
        return response

    words = ("project", "delete", "{name}", "--with-contents")
    with example_organization(), intercepted(interrupt):
        done = each(words, "--confirm", "3", rows="name\nnobody\nsearch\nempty\n")
    assert exits_of(done) == [4, 130]
    ended, error = done.stderr.splitlines()[-2:]
    assert ended == (
        "1 of 3 rows failed: row 1 (line 2). 1 of 3 rows was interrupted: row 2 (line 3). Check first what row 2 (line "
        "3) may have changed. 1 row did not run."
    )
    assert error == "error: Interrupted. A part of the work of 1 row was carried out."
    assert "The same command" not in lines_of(done)[1]["error"]["message"]


def test_a_row_that_must_not_be_interrupted_ends_and_no_other_begins(tmp_path: Path) -> None:
    """A signal while a secret is stored counts once that row is done, and a stored secret protects no later row."""
    script = tmp_path / "store.sh"
    words = ("api-key", "create", "{name}", "--project", "search", "--store", f"exec:{script} {{name}}")
    rows = "name\nk1\nk2\nk3\n"
    for row, exits, left in (("k1", [0], "k2\nk3\n"), ("none", [0, 130], "k2\nk3\n")):
        script.write_text(f'#!/bin/sh\ncat > /dev/null\n[ "$1" != {row} ] || kill -INT $PPID\n')
        script.chmod(0o700)
        with example_organization(), intercepted(interrupt_row(b'"k2"' if row == "none" else b"no body has this")):
            done = each(words, "--yes", "--failed-rows", "failed.csv", rows=rows)
        assert (done.exit, exits_of(done)) == (130, exits), (row, done)
        assert Path("failed.csv").read_text() == f"name\n{left}"
        Path("failed.csv").unlink()
        assert done.stderr.endswith("error: Interrupted. The work of 1 row was carried out.\n")


def test_a_closed_pipe_ends_reads_and_no_changes() -> None:
    """A reader of only the first lines stops commands that only read. Changes go on, and their exit code counts."""
    broken = mock.patch("tests.cli.command_line._Stream.write", side_effect=BrokenPipeError)
    rows = "name\na\nb\nc\n"
    with example_organization() as emulator:
        with broken:
            read = each(EXISTS, rows=rows)
            made = each(CREATE, "--yes", rows=rows)
        assert (read.exit, read.stderr, made.exit) == (4, "", 0)
        assert names_of(emulator) == {"search", "empty", "a", "b", "c"}
        assert count_requests(emulator, "list_projects") == 1 + 3  # and one before each create


def test_a_file_of_any_length_is_read_row_by_row() -> None:
    """50,000 rows take no more memory than 1,000, in a file as in a pipe."""
    peaks: list[int] = []
    for number in (1_000, 50_000):
        Path("rows.csv").write_text("name,other\n" + "".join(f"p{each},{'x' * 20}\n" for each in range(number)))
        for is_stream in (False, True):
            with Path("rows.csv").open(encoding="utf-8-sig", newline="") as text:
                tracemalloc.start()
                rows = RowFile(text, name="rows.csv", is_stream=is_stream)
                assert sum(row.values["name"] == f"p{row.number - 1}" for row in rows.rows()) == number
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
    assert max(peaks) < 1_000_000


@pytest.fixture(scope="module")
def served() -> Generator[dict[str, str], None, None]:
    """Serve the organization of the examples; return the environment of its owner."""
    emulator = Emulator(seed=0)
    fill(emulator)
    with serving(emulator):
        yield {
            "PATH": os.environ["PATH"],
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }


def test_rows_of_a_pipe_run_as_they_come_and_ctrl_c_ends_the_wait(served: dict[str, str]) -> None:
    """Each line is written before the next row is there; a signal while nothing comes ends the command."""
    command = [sys.executable, "-m", "pinecone_admin.cli", "each", "-", "--yes", "--", *CREATE]
    with subprocess.Popen(command, env=served, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("name\n")
        for number in (1, 2):
            process.stdin.write(f"piped {number}\n")
            assert json.loads(process.stdout.readline())["row"] == number
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == "error: Interrupted. The work of 2 rows was carried out.\n"
