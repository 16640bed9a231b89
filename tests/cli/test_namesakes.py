"""A create of a name that is taken asks for the name, and is refused where nobody can be asked."""

from __future__ import annotations

import shlex

import click
import pytest

from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.parameters import NewName
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import COMMANDS, example_organization, run
from tests.cli.test_changes import sent_changes, words_of
from tests.cli.test_each import each, exits_of, lines_of

CREATES = [
    spec
    for spec in COMMANDS
    if not spec.is_workflow
    and any(isinstance(param, click.Argument) and isinstance(param.type, NewName) for param in spec.own_params)
]
"""The commands that give a name to something new, and do not look for it."""

each_create = pytest.mark.parametrize("spec", CREATES, ids=lambda spec: spec.full_name)


def words_of_create(spec: Command) -> list[str]:
    """Return the words of an example without its consent, which show a secret, so that they can run again."""
    words = words_of(spec)
    if "--store" in words:
        position = words.index("--store")
        words[position : position + 2] = ["--reveal"]
    return words


def count_creates(emulator: Emulator) -> int:
    """Return how many creates were sent."""
    return sum(name.startswith("create_") for name in sent_changes(emulator))


@each_create
def test_a_script_makes_no_second_thing_of_a_name(spec: Command) -> None:
    """The option --yes is not enough, however often a script runs; --confirm is, and counts as yes."""
    words = words_of_create(spec)
    with example_organization() as emulator:
        ends = [run(*words, "--yes") for _ in range(4)]
        assert [done.exit for done in ends] == [exit_codes.DONE, *[exit_codes.CONFLICT] * 3], ends
        assert count_creates(emulator) == 1
        assert f" {words[2]} exists already: " in ends[1].stderr
        assert "(created 20" in ends[1].stderr
        assert f"run {words[0]} ensure. --yes is not enough for this. Add --confirm {words[2]} to" in ends[1].stderr
        assert ends[1].stderr.endswith(" [PA206]\n")
        other = run(*words, "--confirm", "other")
        assert (other.exit, count_creates(emulator)) == (exit_codes.USAGE, 1)
        made = run(*words, "--confirm", words[2])
        assert (made.exit, count_creates(emulator)) == (exit_codes.DONE, 2)
        # Which of both ensure would take is not known, so it is not advised.
        third = run(*words, "--yes")
        assert f" are called {words[2]} already: " in third.stderr
        assert "ensure" not in third.stderr


@each_create
def test_a_person_is_asked_for_the_name_that_is_taken(spec: Command) -> None:
    """The question comes although --yes is given, says what is there, and creates nothing unless the name is typed."""
    words = words_of_create(spec)
    with example_organization() as emulator:
        assert run(*words, terminal=True, stdin="y\n").exit == exit_codes.DONE
        for options in ([], ["--yes"]):
            for answer in ("y\n", "\n", ""):
                done = run(*words, *options, terminal=True, stdin=answer)
                assert done.exit == exit_codes.INTERRUPTED, done
                assert "exists already: " in done.said.partition("About to: ")[0]
                assert f"Type the name {words[2]} to go on: " in done.said
        assert count_creates(emulator) == 1
        assert run(*words, terminal=True, stdin=f"{words[2]}\n").exit == exit_codes.DONE
        assert count_creates(emulator) == 2


@each_create
def test_a_dry_run_says_that_a_name_is_taken(spec: Command) -> None:
    """It has the sentence of the question in its notes, and the exit code that the run would have there."""
    words = words_of_create(spec)
    with example_organization() as emulator:
        assert "notes" not in run(*words, "--dry-run", "-o", "json").json
        run(*words, "--yes")
        refused = run(*words, "--yes")
        for options, exit_code in (((), refused.exit), (("--confirm", words[2]), exit_codes.DONE)):
            preview = run(*words, "--dry-run", "-o", "json", *options)
            assert (preview.exit, count_creates(emulator)) == (exit_code, 1)
            (note,) = preview.json["notes"]
            assert refused.stderr.startswith(f"error: {note} ")
        assert run(*words, "--dry-run", terminal=True).exit == exit_codes.DONE  # the run would ask


def test_a_row_makes_no_second_thing_of_a_name() -> None:
    """A row is refused if the organization or an earlier row has the name, in a dry run too if it can be seen."""
    words = ("project", "create", "{name}")
    with example_organization() as emulator:
        preview = each(words, "--dry-run", rows="name\nx\nsearch\n")
        assert (exits_of(preview), sent_changes(emulator)) == ([exit_codes.DONE, exit_codes.CONFLICT], [])
        done = each(words, "--yes", "--failed-rows", "left.csv", rows="name\nx\nx\nsearch\ny\n")
        assert exits_of(done) == [exit_codes.DONE, exit_codes.CONFLICT, exit_codes.CONFLICT, exit_codes.DONE]
        message = lines_of(done)[1]["error"]["message"]
        assert message.endswith("To go ahead, run this command by itself, with --confirm x. Nothing was changed.")
        assert "The command each refuses row 2 (line 3), row 3 (line 4). Run that command by itself" in done.stderr
        assert count_creates(emulator) == 2


def test_a_key_of_another_project_or_an_old_key_is_no_namesake() -> None:
    """Names count within a project, and a key that a rotation has replaced has given its name to the new one."""
    with example_organization():
        other = "api-key create reader --project empty --reveal --yes"
        assert run(*other.split()).exit == exit_codes.DONE
        rotate = "api-key rotate reader --project search --keep-old-for 7d --reveal --yes"
        assert run(*rotate.split()).exit == exit_codes.DONE
        refused = run(*["api-key", "create", "reader", "--project", "search", "--reveal", "--yes"])
        assert refused.exit == exit_codes.CONFLICT
        assert refused.stderr.startswith("error: API key reader exists already: ")


@each_create
def test_a_name_that_ensure_would_find_is_taken(spec: Command) -> None:
    """A server may trim a name: ensure finds it then, and a create of the untrimmed name asks, too."""
    words = words_of_create(spec)
    untrimmed = [words[0], words[1], f"{words[2]} ", *words[3:]]
    with example_organization() as emulator:
        assert run(*words, "--yes").exit == exit_codes.DONE
        refused = run(*untrimmed, "--yes")
        assert (refused.exit, count_creates(emulator)) == (exit_codes.CONFLICT, 1)
        assert f", whose name {words[2]} differs only in blanks or in the form of letters." in refused.stderr


def test_a_create_goes_on_if_the_account_may_not_read_what_there_is() -> None:
    """Then the server decides; any other failure of the read ends the command before the create."""
    words = shlex.split("project create search --yes")
    with example_organization() as emulator:
        emulator.faults.add("list_projects", status=403)
        assert run(*words).exit == exit_codes.DONE
        emulator.faults.add("list_projects", status=503, times=None)
        failed = run(*words)
        assert (failed.exit, count_creates(emulator)) == (exit_codes.TRY_LATER, 1)
