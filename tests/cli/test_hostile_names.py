"""Names that a shell, a spreadsheet, a format or a terminal could change go from a list into ``each`` as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import Run, example_organization, run

NAMES = (
    "-",
    "--",
    "-x",
    "--yes",
    "--help",
    "--confirm=9",
    "-o json",
    "@-",
    "@file",
    "=1+1",
    "=cmd|'/c calc'!A0",
    "+1",
    "+1-2",
    "'=x",
    "''",
    "'",
    '"',
    '"quoted", with a comma',
    "a,b;c",
    "a\nb",
    "a\r\nb",
    "\n",
    "a\tb",
    "\ttab first",
    " ",
    " padded ",
    "two  spaces",
    "{name}",
    "{{",
    "}}",
    "{",
    "{kind}-{name}",
    "[x]",
    "null",
    "true",
    "1e400",
    "007",
    "$(touch x)",
    "`id`",
    "%s %(name)s",
    "~",
    "~/x",
    "../x",
    "a/b?c#d",
    "\\n",
    "\\",
    "Łódź e\u0301",
    "名前",
    "🦕👩\u200d🚀",
    "שלום\u202eolleh",
    "\u200f",
    "\x1b[31mred",
    "\x07\x7f",
    "\ufeffmark",
    "\u2028",
    "#",
    "api-key:x:y",
    "x" * 512,
)


def names_of(done: Run) -> list[str]:
    """Return the names in the results of rows that have all succeeded."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["exit"] for line in lines] == [0] * len(lines), done
    return [line["result"]["name"] for line in lines]


def test_names_of_a_list_in_json_come_back_from_each() -> None:
    """They are the same whether a row finds the project by its name, or by its id, and from a pipe as from a file."""
    assert len(set(NAMES)) >= 50
    with example_organization() as emulator:
        with emulator.admin() as admin:
            for name in NAMES:
                admin.projects.create(name=name)
        listed = run("project", "list", "-o", "json")
        names = [each["name"] for each in listed.json]
        assert {*NAMES} < {*names}
        Path("names.json").write_text(listed.stdout, encoding="utf-8")
        for words in (
            ("project", "describe", "{name}"),
            ("project", "describe", "{id}"),
            ("project", "describe", "--query", "@", "{name}"),
            ("send", "GET", "/admin/projects/{id}"),
        ):
            for file in ("-", "names.json"):
                assert names_of(run("each", file, "--", *words, stdin=listed.stdout)) == names, words
        exists = run("each", "-", "--", "project", "exists", "{name}", stdin=listed.stdout)
        assert [json.loads(line)["result"] for line in exists.stdout.splitlines()] == [True] * len(names)


@pytest.mark.parametrize("words", ["project create {name}", "project ensure {name}"])
def test_names_of_a_list_in_json_are_created_as_they_are(words: str) -> None:
    """A copy of an organization has the same names, and the file of rows that failed keeps them.

    Of names that differ only in the whitespace around them, only the first is created, because a server may trim names:
    ``ensure`` finds it, and a row of ``create`` is refused.
    """
    trimmed = [name.strip() for name in NAMES]
    expected = [name for n, name in enumerate(NAMES) if name.strip() not in trimmed[:n]]
    assert len(expected) == len(NAMES) - 2
    refused = [name for name in NAMES if "create" in words and name not in expected]
    rows = json.dumps([{"name": name} for name in NAMES])
    with example_organization() as emulator:
        emulator.faults.add("create_project", status=422, times=1)
        done = run("each", "-", "--yes", "--failed-rows", "failed.json", "--", *words.split(), stdin=rows)
        assert done.exit == 9
        failed = [each["name"] for each in json.loads(Path("failed.json").read_text(encoding="utf-8"))]
        assert failed == [NAMES[0], *refused]
        Path("again.json").write_text(json.dumps([{"name": NAMES[0]}]), encoding="utf-8")
        assert names_of(run("each", "again.json", "--yes", "--", *words.split())) == [NAMES[0]]
        assert {each.name for each in emulator.state.projects.values()} == {"search", "empty", *expected}


def test_a_name_becomes_the_value_of_an_option_as_it_is() -> None:
    """A name that begins with a dash is no option, and one with braces no placeholder."""
    with example_organization() as emulator:
        project = next(iter(emulator.state.projects))
        rows = json.dumps([{"name": name} for name in NAMES])
        done = run("each", "-", "--yes", "--", "project", "update", project, "--name", "{name}", stdin=rows)
        assert names_of(done) == [*NAMES]
