"""A file that a command writes is made again by the same command, or is a record, which no command replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.example_runs import ORGANIZATION_FILE

PLAN_STALE = ("project", "stale", "--name", "*", "--older-than", "1s", "--yes")
RECORDS: Mapping[tuple[str, str], Sequence[Sequence[str]]] = {
    ("apply", "--report"): [
        ("apply", "org.yaml", "--store", "file:{project}-{name}.key", "--yes"),
        ("apply", "org.yaml", "--dry-run"),
    ],
    ("each", "--failed"): [("each", "people.csv", "--confirm", "1", "--", "project", "delete", "{email}")],
    ("project stale", "--save"): [PLAN_STALE],
    ("user offboard", "--save"): [
        ("user", "offboard", "--from", "people.csv"),
        ("user", "offboard", "--plan", "plan.json", "--yes"),
        ("user", "offboard", "ada@example.com", "--yes"),
        ("user", "offboard", "ada@example.com", "--dry-run"),
    ],
}
"""Command lines that write what no command can make again once its changes are made, by command and option."""

MADE_AGAIN: Mapping[tuple[str, str], Sequence[str]] = {
    ("access", "--csv"): ("access",),
    ("access", "--html"): ("access",),
    ("access", "--markdown"): ("access",),
    ("inventory", "--save"): ("inventory",),
    ("plan", "--markdown"): ("plan", "org.yaml"),
    ("plan", "--save"): ("plan", "org.yaml"),
}
"""The other command lines that write a file: what is there now."""

OF_A_SERVER = {("emulator", "--state"), ("emulator", "--ca-file")}
"""The emulator goes on from its state, and makes a certificate at each start."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Serve the organization of the examples to commands that run in a folder with files for them."""
    Path("org.yaml").write_text(ORGANIZATION_FILE)
    Path("people.csv").write_text("email\nada@example.com\n")
    with example_organization() as emulator:
        assert run("user", "offboard", "--from", "people.csv", "--save", "plan.json").exit == 0
        yield emulator


def test_every_option_that_writes_a_file_says_if_it_must_be_new() -> None:
    """The help of each option for a record, and of no other, asks for a new file."""
    helps = {
        (spec.full_name, each.opts[0]): str(each.help)
        for spec in COMMANDS
        for each in spec.own_params
        if isinstance(each, click.Option) and each.metavar == "FILE" and re.search(r"\b[Ww]rite\b", str(each.help))
    }
    assert helps.keys() == RECORDS.keys() | MADE_AGAIN.keys() | OF_A_SERVER
    assert {option for option, text in helps.items() if "new file" in text} == RECORDS.keys()


def _add_file(words: Sequence[str], option: str, file: str) -> list[str]:
    position = words.index("--") if "--" in words else len(words)
    return [*words[:position], option, file, *words[position:]]


@pytest.mark.parametrize(("name", "option"), RECORDS)
def test_a_record_is_never_replaced(emulator: Emulator, name: str, option: str) -> None:
    """A file that exists is refused before any request and stays as it is; an empty one, as of mktemp, is used."""
    before = len(emulator.requests)
    for words in RECORDS[name, option]:
        Path("former").write_text("what was there")
        done = run(*_add_file(words, option, "former"))
        assert (done.exit, done.stdout, Path("former").read_text()) == (2, "", "what was there"), words
        assert "cannot write former: it exists" in done.stderr
        assert "give another name" in done.stderr
    assert len(emulator.requests) == before
    Path("former").write_text("")
    done = run(*_add_file(RECORDS[name, option][0], option, "former"))
    assert Path("former").read_text() != "", done.stderr


@pytest.mark.usefixtures("emulator")
def test_what_is_made_again_is_replaced() -> None:
    """What only shows what is there now is replaced, as by a job of every night."""
    for (_, option), words in MADE_AGAIN.items():
        Path("former").write_text("what was there")
        assert run(*_add_file(words, option, "former")).exit == 0
        assert "what was there" not in Path("former").read_text()


@pytest.mark.usefixtures("emulator")
def test_the_plan_of_people_who_are_gone_is_kept() -> None:
    """The same lines run again, once the people are gone, leave what they had in the first plan and report."""
    remove = ("user", "offboard", "--plan", "plan.json", "--yes", "--save", "report.json")
    assert run(*remove).exit == 0
    kept = [Path(name).read_bytes() for name in ("plan.json", "report.json")]
    assert run("user", "offboard", "--from", "people.csv", "--save", "plan.json").exit == 2
    assert run(*remove).exit == 2
    assert [Path(name).read_bytes() for name in ("plan.json", "report.json")] == kept
