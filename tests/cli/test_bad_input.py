"""A mistake on the command line or around it leads to one clear line and the right exit code."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import click
import pytest
from attrs import evolve

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.commands import ROOT, Command, CommonOption
from pinecone_admin.cli.failures import CLIError, spell_parameter
from pinecone_admin.cli.main import main
from pinecone_admin.cli.parameters import PRINCIPALS
from tests.cli.command_line import COMMANDS, Run, example_organization, run


def check_usage(done: Run, *texts: str) -> None:
    """Check that a run ended with exit code 2 and one line that has the texts."""
    assert (done.exit, done.stdout) == (2, ""), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert all(text.lower() in done.stderr.lower() for text in texts), done.stderr
    assert r"\u000" not in done.stderr


def test_words_of_other_programs_run_and_are_in_no_help() -> None:
    """Plurals and the usual verbs mean the commands that do the same; the audit and the errors name those."""
    with example_organization() as emulator:
        for words, meant in (
            ("projects ls", "project list"),
            ("project show search", "project describe search"),
            ("project get search", "project describe search"),
            ("project view search", "project describe search"),
            ("profile get production", "profile show production"),
            ("profile view production", "profile show production"),
            ("keys ls --project search", "api-key list --project search"),
            ("key list", "api-key list"),
            ("api-keys list", "api-key list"),
            ("users ls", "user list"),
            ("role-bindings ls", "role list"),
            ("api GET /admin/projects", "send GET /admin/projects"),
            ("project new x --dry-run", "project create x --dry-run"),
            ("project add x --dry-run", "project create x --dry-run"),
            (
                "user add eve@example.com --role OrgMember --dry-run",
                "user ensure eve@example.com --role OrgMember --dry-run",
            ),
            ("project edit search --max-pods 1 --dry-run", "project update search --max-pods 1 --dry-run"),
            ("project set search --max-pods 1 --dry-run", "project update search --max-pods 1 --dry-run"),
            ("project rm empty --dry-run", "project delete empty --dry-run"),
            ("project remove empty --dry-run", "project delete empty --dry-run"),
        ):
            done, expected = run(*words.split()), run(*meant.split())
            assert (done.exit, done.stdout, done.stderr) == (0, expected.stdout, expected.stderr), words
        assert not [each for each in emulator.requests if each.method != "GET" and each.operation_id != "get_token"]
        assert "All commands: pinecone-admin project --help" in run("project", "x").stderr
    shown = run("--help").stdout + run("project", "--help").stdout + run("user", "--help").stdout
    for word in ("ls", "rm", "get", "view", "new", "edit", "projects", "keys"):
        assert not re.search(rf"^  {word} ", shown, re.MULTILINE)


def test_options_of_other_programs_name_what_does_the_same() -> None:
    """Before any request."""
    check_usage(
        run("project", "delete", "x", "--force"), "There is no --force. Add --yes to go ahead, or --confirm NAME"
    )
    check_usage(run("project", "list", "--quiet"), "There is no --quiet. To skip the question, use --yes.")
    for option, meant in (("--format", "output"), ("--jq", "query"), ("--filter", "query"), ("--debug", "verbose")):
        refused = run("project", "list", option, "x")
        check_usage(refused, f"There is no {option}. ")
        assert f"use --{meant}." in refused.stderr


def test_commands_of_other_programs_name_what_does_the_same() -> None:
    """Also where they have two words, or are an option here."""
    for words, meant in (
        ("auth", "whoami"),
        ("auth login", "login"),
        ("auth status", "whoami"),
        ("auth token", "token"),
        ("config list", "profile"),
        ("status", "doctor"),
        ("version", "--version"),
    ):
        first = words.split()[0]
        check_usage(run(*words.split()), f"There is no command {first}. Did you mean {meant}? All commands: ")
    check_usage(run("project", "version"), "There is no command project version. All commands: ")


def test_what_is_missing_is_asked_for_on_a_terminal() -> None:
    """With the words of its help, in the order of the help; elsewhere, one error names all that is missing."""
    with example_organization() as emulator:
        missing = run("api-key", "create")
        check_usage(missing, "NAME, --project and --store (or --reveal) are missing.")
        stored = run("api-key", "create", "--reveal", "-o", "json").error["message"]
        assert stored.startswith("NAME and --project are missing.")
        check_usage(run("api-key", "create", "k", "--dry-run"), "--project is missing.")
        anybody = "one of --user, --service-account, --api-key and --invite"
        check_usage(run("role", "grant"), f"--role and {anybody} are missing.")
        check_usage(run("role", "change"), f"--from, --to and {anybody} are missing.")
        check_usage(run("role", "change", "--user", "a@example.com"), "--from and --to are missing.")
        check_usage(run("api-key", "rotate-due"), "--older-than, --keep-old-for and --store are missing.")
        assert len(emulator.requests) == 0
        asked = run("api-key", "create", "--dry-run", terminal=True, stdin="k 1\nsearch\n")
        assert asked.exit == 0, asked
        assert "Name of the key, 1 to 80 characters: Name or id of the project: " in asked.stderr
        assert '"k 1"' in run("api-key", "create", "k 1", "--project", "search", "--dry-run").stdout
        given = run("project", "create", terminal=True, stdin="--yes\nn\n")
        assert "About to: project create --yes" in given.stderr
        nothing = run("project", "create", terminal=True, stdin="")
        assert (nothing.exit, "NAME is missing." in nothing.stderr) == (2, True)
        silent = run("project", "create", terminal=True, stdin="x\n", env={"PINECONE_ADMIN_NO_PROMPT": "1"})
        assert (silent.exit, silent.stderr.startswith("error: NAME")) == (2, True)
        assert run("api-key", "create", "--help", terminal=True).exit == 0


def test_nothing_is_asked_if_the_command_is_refused_whatever_is_answered() -> None:
    """Of every command that needs a principal or a place for a secret: on a terminal, it says so at once."""
    makers = [each for each in COMMANDS if each.makes is not None and each.makes.needs_place]
    changers = [each for each in COMMANDS if each.full_name in {"role grant", "role change"}]
    checked = 0
    with example_organization() as emulator:
        for spec in (*makers, *changers):
            if not any(each.required for each in spec.own_params):
                continue
            done = run(*spec.path, terminal=True, stdin="x\n" * 5)
            assert (done.exit, done.said.startswith("error: ")) == (2, True), (spec.full_name, done)
            lack = "Whose role is it?" if spec in changers else "shown only once"
            assert lack in done.said, (spec.full_name, done)
            checked += 1
        assert checked >= 9
        assert len(emulator.requests) == 0
        asked = run("api-key", "create", "--reveal", terminal=True, stdin="k\nsearch\nn\n")
        assert (asked.exit, "Name of the key" in asked.said) == (130, True), asked
        asked = run("role", "grant", "--user", "ada@example.com", terminal=True, stdin="OrgManager\nn\n")
        assert asked.exit == 130, asked


READ_ONLY = {
    "the variable": ((), {"PINECONE_ADMIN_READ_ONLY": "1"}, "PINECONE_ADMIN_READ_ONLY=1"),
    "the variable in a file": (("--env-file", "read-only.env"), {}, "PINECONE_ADMIN_READ_ONLY=1"),
    "the option": (("--read-only",), {}, "--read-only"),
    "the option before the command": (("--read-only",), {}, "--read-only"),
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_read_only_session_is_asked_for_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that can only change something is refused before its questions; its dry run asks them."""
    options, env, reason = READ_ONLY[name]
    monkeypatch.chdir(tmp_path)
    asking = [each for each in COMMANDS if each.effect != "reads" and any(param.required for param in each.own_params)]
    changing = [each for each in asking if each.full_name not in {"send", "each", "run"}]  # which may only read
    with example_organization() as emulator:
        found = {each: value for each, value in os.environ.items() if each.startswith("PINECONE_")}
        lines = [f"{each}={value}\n" for each, value in {**found, "PINECONE_ADMIN_READ_ONLY": "1"}.items()]
        Path("read-only.env").touch(mode=0o600)
        Path("read-only.env").write_text("".join(lines))
        for spec in changing:
            words = (*options, *spec.path) if "before" in name else (*spec.path, *options)
            done = run(*words, terminal=True, stdin="x\n" * 5, env=env)
            assert done.said.startswith(f"error: This session is read-only ({reason})"), (spec.full_name, done)
            assert done.exit == 2
        assert len(changing) >= 25
        assert len(emulator.requests) == 0
        preview = run("project", "create", *options, "--dry-run", terminal=True, stdin="x\n", env=env)
        assert "Name of the project" in preview.said, preview
        read = run("send", *options, terminal=True, stdin="GET\n/admin/projects\n", env=env)
        assert (read.exit, "Path of the API" in read.said) == (0, True), read


def test_words_that_a_command_does_not_take_are_named_before_what_is_missing() -> None:
    """For a binding in the form of ``role revoke``, the error has the options to write in place of it."""
    with example_organization() as emulator:
        check_usage(run("api-key", "create", "a", "b c"), "b c is one word too many.")
        for words, written in (
            (("grant", "user:ada@x.org:search:ProjectViewer"), "--user ada@x.org --role search:ProjectViewer."),
            (("grant", "service_account:ci a:OrgMember"), "--service-account 'ci a' --role OrgMember."),
            (("change", "user:ada@x.org:OrgMember", "--to", "OrgManager"), "--user ada@x.org --from OrgMember."),
        ):
            check_usage(run("role", *words), f"Write the principal and the role as options: {written}")
        for word in ("user:ada@x.org", "user:ada@x.org:Reader", "project:search:OrgMember", "x"):
            check_usage(run("role", "grant", word), f"{word} is one word too many.")
        asked = run("role", "grant", "x", terminal=True, stdin="OrgMember\n")
        assert (asked.exit, asked.stderr.startswith("error: x is one word too many.")) == (2, True), asked
        assert len(emulator.requests) == 0


def test_a_word_too_many_is_told_from_a_name_that_lacks_its_quotes() -> None:
    """Every command with one positional word says so, and how a name with spaces or an option behind -- is written."""
    own = {each: [param for param in each.own_params if isinstance(param, click.Argument)] for each in COMMANDS}
    single = {each: params[0] for each, params in own.items() if [param.nargs for param in params] == [1]}
    assert len(single) > 30
    with example_organization() as emulator:
        for spec, param in single.items():
            path, name = spec.full_name.split(), spell_parameter(param)
            check_usage(
                run(*path, "a", "b"), f"The command takes one {name}. If the name is 'a b', write it in quotes."
            )
            check_usage(run(*path, "a@x.org", "b@x.org"), f"The command takes one {name}. See")
            check_usage(run(*path, "--", "-a", "--output", "json"), "Write options before --.")
        check_usage(run("user", "list", "x"), "x is one word too many. See")
        assert len(emulator.requests) == 0


@pytest.mark.parametrize("option", ["--yes", "--confirm", "--dry-run", "--store", "--reveal", "--out"])
def test_an_option_of_other_commands_is_not_taken_for_a_name(option: str) -> None:
    """A command that lacks it says why, if it can; behind --, the word would become a name."""
    value = [] if option in {"--yes", "--dry-run", "--reveal"} else ["x"]
    lacking = [each for each in COMMANDS if all(option not in param.opts for param in each.params)]
    assert len(lacking) > 5
    with example_organization() as emulator:
        for spec in lacking:
            done = run(*spec.full_name.split(), option, *value)
            if done.exit != 2 or "Write the options of your command after --" in done.stderr:
                continue  # its words are those of another program
            check_usage(done, f"There is no {option}. ")
            assert "after --" not in done.stderr, done
        assert len(emulator.requests) == 0


@pytest.mark.parametrize("noun", PRINCIPALS)
def test_a_list_of_those_who_have_roles_leads_to_the_list_of_roles(noun: str) -> None:
    """Its filters are searched at what has the roles."""
    role = run(noun, "list", "--role", "OrgOwner")
    advice = "To see who has a role, run a command such as pinecone-admin role list --role OrgOwner."
    check_usage(role, f"There is no --role. {advice}")
    place = run(noun, "list", "--on", "search")
    check_usage(
        place, "There is no --on. To see who has a role on a project, run pinecone-admin role list --on PROJECT."
    )


def test_wrong_words_are_usage_errors() -> None:
    """Unknown commands, options and values are named, with what was probably meant."""
    with example_organization() as emulator:
        check_usage(run("projct"), "There is no command projct. Did you mean project?")
        check_usage(run("project", "lst"), "There is no command project lst. Did you mean project list?")
        check_usage(run("project", "obliterate"), "All commands: pinecone-admin project --help.")
        for words, meant in ((("config",), "profile"), (("project", "rename"), "project update")):
            check_usage(run(*words), f"did you mean {meant}?")
        check_usage(run("status"), "did you mean doctor?")
        check_usage(
            run("rotate-due"),
            "There is no command rotate-due. Did you mean api-key rotate-due or service-account rotate-due?",
        )
        check_usage(run("list"), "There is no command list. All commands: pinecone-admin --help.")
        check_usage(run("project", "status"), "There is no command project status.")
        check_usage(run("acces", "login"), "There is no command acces. Did you mean access?")
        check_usage(run("project", "list", "--outptu", "json"), "--outptu", "project list --help")
        check_usage(run("project", "list", "--output", "jsn"), "--output", "did you mean json?")
        check_usage(run("project", "list", "--output"), "--output")
        check_usage(run("project", "list", "extra"), "extra")
        check_usage(run("project", "describe"), "PROJECT")
        check_usage(run("project", "describe", ""), "empty")
        check_usage(run("api-key", "create", "x", "--reveal"), "--project")
        check_usage(run("api-key", "list", "--project", ""), "--project", "empty")
        check_usage(run("api-key", "create", "x", "--project", "search", "--role", "DataPlane", "--reveal"), "--role")
        check_usage(run("project", "create", "x", "--max-pods", "-1"), "--max-pods")
        check_usage(run("project", "create", "x", "--max-pods", "many"), "--max-pods")
        check_usage(run("--nothing"), "--nothing")
        assert len(emulator.requests) == 0


def test_every_choice_suggests_the_nearest_word() -> None:
    """A word that is no choice of an option or argument is answered with the one that is spelt nearly like it."""
    choices = 0
    for command in _list_commands(ROOT):
        for each in command.params:
            if isinstance(each.type, click.Choice):
                choices += 1
                word = str(each.type.choices[-1])
                with pytest.raises((click.BadParameter, CLIError), match=f"Did you mean {word}\\?"):
                    each.type.convert(f"{word}x", each, None)
    assert choices > len(COMMANDS)
    with example_organization() as emulator:
        check_usage(run("access", "--level", "write"), "--level", "did you mean writes?")
        check_usage(run("send", "PACTH", "/admin/projects"), "METHOD", "did you mean PATCH?")
        check_usage(run("emulator", "--plan", "enterprise"), "did you mean Enterprise?")
        check_usage(run("completion", "bsh"), "did you mean bash?")
        check_usage(run("completion"), "SHELL (bash, zsh or fish) is missing.")
        for words, advice in (  # what does not exist, as a thing of the organization
            (("help", "exit-code"), "Did you mean exit-codes?"),
            (("help", "project", "lst"), "Did you mean project list?"),
            (("explain", "many-owner"), "Did you mean many-owners?"),
            (("explain", "PA999"), "To list all codes"),
        ):
            done = run(*words)
            assert (done.exit, done.stdout, advice in done.stderr) == (4, "", True), done
        assert len(emulator.requests) == 0


def _list_commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from _list_commands(command)
        elif command is not None:
            yield command


def test_every_command_names_an_unknown_option() -> None:
    """A misspelt option is an error before anything is sent."""
    with example_organization() as emulator:
        for spec in COMMANDS:
            done = run(*spec.path, "--no-such-option")
            assert done.exit == (spec.fails_with or 2), spec.full_name
            check_usage(evolve(done, exit=2), "--no-such-option")
        assert len(emulator.requests) == 0


def test_an_error_is_an_object_alone_with_json() -> None:
    """With --output json a script finds the same facts for every error, also if the command line cannot be parsed."""
    names = {
        *("message", "problems", "code", "exit", "outcome", "worth_retrying", "status", "request_id", "retry_after")
    }
    with example_organization():
        for words in (["project", "describe", "nothing"], ["project", "lst"], ["project", "list", "--foo"]):
            for output in (["--output", "json"], ["--output=json"], ["-o", "json"], ["-ojson"]):
                done = run(*words, *output)
                assert done.error.keys() == names
                assert done.error["exit"] == done.exit
                assert [*json.loads(done.stderr)] == ["error"]
        assert len(run("project", "describe", "nothing").stderr.splitlines()) == 1
        error = run("project", "delete", "search", "--confirm", "search", "--output", "json").error
    assert (error["status"], error["code"], error["exit"]) == (412, "PA207", 5)
    assert "412 FAILED_PRECONDITION" in error["message"]
    assert error["request_id"]
    assert error["outcome"] == "rejected"


def test_options_of_every_command_work_before_and_after_its_words() -> None:
    """They stand before a noun, before a verb or behind it."""
    with example_organization():
        assert run("--output", "raw", "project", "list").stdout.count("\n") == 2
        assert run("project", "--output", "raw", "list").stdout.count("\n") == 2


def test_an_option_that_takes_one_value_is_given_once() -> None:
    """Every option is refused the second time, except those whose help allows repetition.

    A flag that can only be set may be repeated, too: the second one asks for the same.
    """
    refused = repeatable = 0
    for command in (ROOT, *_list_commands(ROOT)):
        for each in command.params:
            if not isinstance(each, click.Option) or (each.is_flag and not each.secondary_opts):
                continue
            assert each.multiple == ("can be repeated" in str(each.help)), (command.name, each.opts)
            if each.multiple:
                repeatable += 1
                continue
            refused += 1
            for first in (*each.opts, *each.secondary_opts):
                given = [each.opts[-1], *([] if each.is_flag else ["1"] * each.nargs)]
                words = [first, *given[1:], *given]
                with pytest.raises(click.UsageError, match=f"{each.opts[0]} is given twice, and takes one value"):
                    command.make_context("x", words)
    assert refused > 4 * len(COMMANDS)
    assert repeatable >= 5


def test_an_option_is_given_once_on_the_whole_command_line() -> None:
    """The same option before and behind the words of a command is refused before anything is sent."""
    twice = "is given twice, and takes one value"
    with example_organization() as emulator:
        check_usage(run("--output", "raw", "project", "list", "--output", "csv"), f"--output {twice}")
        check_usage(run("-o", "raw", "project", "-ocsv", "list"), f"--output {twice}")
        check_usage(run("--profile=a", "--profile=b", "project", "list"), f"--profile {twice}")
        check_usage(run("project", "create", "x", "--max-pods", "0", "--max-pods", "1", "--yes"), f"--max-pods {twice}")
        assert len(emulator.requests) == 0
        assert run("--read-only", "project", "list", "--read-only").exit == 0
        assert run("project", "create", "x", "--yes", "--yes", "-y").exit == 0
        owners = ("access", "--max-owners", "1")
        assert run(*owners, "--fail-on", "many-owners", "--fail-on", "principal-is-gone").exit == 8
        assert run(*owners, "--fail-on", "principal-is-gone", "--fail-on", "any").exit == 8
        assert run(*owners, "--fail-on", "principal-is-gone").exit == 0


def test_no_command_takes_an_empty_word_for_its_own_thing() -> None:
    """An unset variable of a shell is a usage error of every command, and neither the default nor something gone."""
    checked = 0
    with example_organization() as emulator:
        for spec in COMMANDS:
            arguments = [each for each in spec.own_params if isinstance(each, click.Argument) and each.nargs == 1]
            for argument in arguments:
                given = ["" if each is argument else "GET" for each in arguments]
                behind = ["--", "project", "list"] if spec.full_name == "each" else []
                done = run(*spec.path, *given, *behind)
                check_usage(done, f"error: {spell_parameter(argument)} needs a value, but is empty. See ")
                checked += 1
        assert checked > 45
        check_usage(run("send", "POST", "/x", "--yes", "--body", "@"), "error: --body @ needs the name of a file")
        assert len(emulator.requests) == 0


def test_no_option_takes_an_empty_value_for_nothing() -> None:
    """The empty value of an unset variable is refused. Otherwise a check or a limit would be off without a message."""
    count = 0
    with example_organization() as emulator:
        for spec in COMMANDS:
            own = [each for each in spec.params if not isinstance(each, CommonOption | click.Argument)]
            for name in [each.opts[0] for each in own if not getattr(each, "is_flag", True)]:
                words = shlex.split(spec.example)[1:]
                if name in words:
                    del words[words.index(name) : words.index(name) + 2]
                at = words.index("--") if "--" in words else len(words)
                done = run(*words[:at], name, "", *words[at:])
                assert done.exit == (spec.fails_with or 2), (spec.full_name, name)
                count += 1
        assert run("access", "--fail-on", " , ").exit == 2
        assert run("access", "--fail-on", "any", "--fail-on", "").exit == 2
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}
    assert count > len(COMMANDS)


@pytest.mark.parametrize("name", ["a\nb", "\x1b]0;x\x07", "\udcff", "\u202eevil", "x" * 3000, "'", '"', "--x--", "💥"])
def test_strange_names_end_in_one_printable_line(name: str) -> None:
    """A name that nobody has, or can have, is quoted in an error that drives no terminal."""
    with example_organization():
        for words in (
            ["project", "describe", name],
            ["project", "describe", "--", name],
            ["api-key", "list", "--project", name],
            ["user", "describe", name],
            ["invite", "create", name, "--role", "OrgMember", "--yes"],
            ["invite", "create", "x@example.com", "--role", f"{name}:ProjectViewer", "--yes"],
        ):
            for encoding in ("utf-8", "ascii"):
                done = run(*words, encoding=encoding)
                assert done.exit in {1, 2, 4}, (words, done)
                assert len(done.stderr.splitlines()) == 1
                assert done.stderr.startswith("error: ")
                assert not set(done.stderr) & set("\x1b\x07\r\u202e")


def test_a_project_with_a_strange_name_can_be_made_and_deleted() -> None:
    """The command line accepts what the server accepts."""
    with example_organization():
        for name in ("a\tb", "-", "--yes", "'; rm -rf /", "💥", "a:b"):
            made = run("project", "create", "--yes", "--", name)
            assert made.exit == 0, (name, made)
            assert made.json["name"] == name
            assert run("project", "delete", "--yes", "--", name).exit == 0


def test_an_error_of_the_program_itself_is_one_line() -> None:
    """A defect shows no traceback, and is no usage error."""
    with example_organization() as emulator:
        emulator.faults.add("list_projects", unknown_fields=True)
        assert run("project", "list").exit == 0


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its packages the command says how to install them."""
    monkeypatch.setattr("pinecone_admin.cli.main.find_spec", lambda name: None if name == "rich" else object())
    done = run("--version")
    assert (done.exit, done.stdout) == (2, "")
    assert done.stderr == 'error: These packages are not installed: rich. In a checkout, run pip install ".[cli]".\n'
    error = run("project", "list", "--output", "json").error
    assert (error["exit"], error["outcome"], error["worth_retrying"]) == (2, "not_sent", False)


class BrokenStream(io.StringIO):
    """A stream whose other end is closed."""

    def write(self, _: str) -> int:
        """Fail."""
        raise BrokenPipeError

    def flush(self) -> None:
        """Fail."""
        raise BrokenPipeError


def test_a_stderr_that_is_closed_does_not_end_a_command(tmp_path: Path) -> None:
    """A warning that nobody can read keeps no change from being made, and an error keeps its exit code."""
    with example_organization() as emulator:
        names = ("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL", "PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET")
        env_file = tmp_path / "env"
        env_file.write_text("".join(f"{name}={os.environ[name]}\n" for name in names))
        env_file.chmod(0o644)  # which is worth a warning
        with mock.patch.object(sys, "stderr", BrokenStream()):
            assert main(("project", "create", "docs", "--yes", "--env-file", str(env_file))) == 0
            assert main(("project", "describe", "nothing", "--env-file", str(env_file))) == 4
        assert [each.name for each in emulator.state.projects.values()] == ["search", "empty", "docs"]


def test_a_stdout_that_is_closed_hides_no_error() -> None:
    """An error is written and has its exit code even if nobody reads the output."""
    stderr = io.StringIO()
    with (
        example_organization(),
        mock.patch.multiple(sys, stdout=BrokenStream(), stderr=stderr),
    ):
        assert main(("project", "describe", "nothing")) == 4
        assert "nothing" in stderr.getvalue()
        assert main(("project", "list", "--output", "json")) == 0


def test_a_message_keeps_the_words_that_the_command_line_gave(tmp_path: Path) -> None:
    """A file or a value that is spelt like an argument of a method stays so, and a missing one has its metavar."""
    folder = tmp_path / "plan"
    folder.mkdir()
    for name in ("name", "text", "emails", "name_pattern", "older_than=True"):
        plan = str(folder / name)
        with example_organization():
            for workflow in ("projects.delete_stale", "users.offboard_many", "apply"):
                (folder / name).write_text(f'{{"plan_of": "{workflow}"')
                check_usage(run("apply", plan, "--yes"), f"error: {plan}, line ")
            missing = f"{plan}/x.json"
            check_usage(run("access", "--inventory", missing), f"error: {missing} cannot be read: ")
            check_usage(run("project", "describe", ""), "error: PROJECT needs a value, but is empty.")
            done = run("project", "describe", name)
            assert (
                done.exit,
                f"error: There is no project {quote_name(name)} that this account can see." in done.stderr,
            ) == (
                4,
                True,
            )


def test_addresses_are_called_by_what_gave_them(tmp_path: Path) -> None:
    """An address of an option, a profile, an env file or the environment is named as it is written there."""
    profiles, env_file = tmp_path / "pinecone-admin/profiles.toml", tmp_path / "env"
    profiles.parent.mkdir()
    profiles.touch(mode=0o600)
    urls = ('api-url = "http://example.com"', 'oauth-url = "https://x/y"')
    profiles.write_text("\n".join(["[profiles.p]", 'client-id = "x"', 'secret-command = ["echo", "y"]', *urls]))
    addresses = "PINECONE_CONTROLLER_HOST=http://localhost:1\nPINECONE_OAUTH_URL=http://example.com/x\n"
    env_file.write_text(f"PINECONE_CLIENT_ID=x\nPINECONE_CLIENT_SECRET=y\n{addresses}")
    env_file.chmod(0o600)
    reason = "which exposes the token in transit: use https, or set PINECONE_ADMIN_ALLOW_HTTP=1. ["
    for words, env, exit_code, place in (
        (["profile", "update", "p", "--api-url", "http://example.com"], {}, 2, "--api-url"),
        (["project", "list", "--profile", "p"], {}, 2, "Profile p: api-url"),
        (["project", "list", "--env-file", str(env_file)], {}, 2, f"Env file {env_file}: PINECONE_OAUTH_URL"),
        (["project", "list"], {"PINECONE_CONTROLLER_HOST": "http://example.com"}, 2, "PINECONE_CONTROLLER_HOST"),
    ):
        with example_organization() as emulator:
            done = run(*words, env={"XDG_CONFIG_HOME": str(tmp_path), **env})
            assert done.exit == exit_code, done
            assert done.stderr.startswith(f"error: {place} 'http://example.com"), done
            assert reason in done.stderr, done
            assert len(emulator.requests) == 0


def test_values_that_a_method_refuses_are_called_by_their_options() -> None:
    """A person reads the options and arguments of the command, not those of the method behind it."""
    invite = ("invite", "create", "x@example.com", "--role")
    ensure = ("service-account", "ensure", "x", "--role", "OrgMember", "--revoke-others", "--reveal")
    change = ("role", "change", "--user", "ada@example.com", "--from", "OrgMember")
    with example_organization() as emulator:
        for words, message in (
            ((*invite, "search:ProjectViewer"), "--role needs a role on the organization, such as OrgMember"),
            (("invite", "create", "x", "--role", "OrgMember"), "EMAIL is not an email address: 'x'"),
            (("project", "create", "x" * 513), "NAME must have 1 to 512 characters, not 513"),
            (ensure, "--revoke-others requires --if-different 'update'"),
            ((*change, "--to", "ProjectViewer"), "--to 'ProjectViewer' is not a role for an organization: use one of "),
            (("access", "--max-key-age", "0"), "--max-key-age must be above 0"),
        ):
            changes = words[0] != "access"
            for way in (["--yes"], ["--dry-run"]) if changes else ([],):
                check_usage(run(*words, *way), f"error: {message}")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}


@pytest.mark.parametrize("spec", [each for each in COMMANDS if each.name == "update"], ids=lambda spec: spec.full_name)
def test_an_update_of_nothing_is_refused_before_anything_is_asked(spec: Command) -> None:
    """All commands use one sentence, also without --yes, and name the options that change something."""
    words = shlex.split(spec.example)[1:4]
    with example_organization() as emulator:
        for way in ((), ("--yes",), ("--dry-run",)):
            done = run(*words, *(way if spec.effect == "changes" else ()))
            is_required = spec.full_name == "organization update"
            said = "--name is missing" if is_required else "Nothing to change was given. Add --"
            assert (done.exit, done.stdout, said in done.stderr) == (2, "", True), done
        assert list(emulator.requests) == []


def test_an_option_at_the_end_of_the_line_needs_a_value() -> None:
    """The sentence begins like that on an empty value, for the options of every command, of one, and before both."""
    for words in (("--query",), ("project", "list", "--query"), ("api-key", "list", "--project"), ("login", "--name")):
        check_usage(run(*words), f"error: {words[-1]} needs a value.")


_NAMED = [each for each in COMMANDS if any(param.name == "name_option" for param in each.own_params)]


def test_what_creates_by_name_takes_it_as_an_option() -> None:
    """Every command that creates something with a positional NAME is one of them."""
    creating = {"create", "ensure", "provision"}
    named = {each.full_name for each in COMMANDS if creating & {*each.path} and "name" in each.spellings}
    assert {each.full_name for each in _NAMED} == named
    assert len(named) == 7


@pytest.mark.parametrize("command", _NAMED, ids=lambda each: str(each.full_name))
def test_a_name_is_positional_or_an_option(command: Command) -> None:
    """The created resource is the same for each position of the option. Both positions at once are refused."""
    words = shlex.split(command.example)[1:]
    name = words.pop(len(command.path))
    path, rest = words[: len(command.path)], words[len(command.path) :]
    lines = [[*path, name, *rest], [*path, "--name", name, *rest], [*path, *rest, f"--name={name}"]]
    lines.append([*path, *rest, "--verbose", "--name", name, "--"])
    states = []
    for line in lines:
        Path("writer.key").unlink(missing_ok=True)  # where one of the examples stores a secret
        with example_organization() as emulator:
            assert run(*line).exit == 0
            states.append(re.findall(r"'name': '[^']*'", str(emulator.dump())))
    assert states[1:] == states[:1] * 3
    assert name in str(states[0])
    with example_organization() as emulator:
        check_usage(run(*lines[0], "--name", "other"), "The name is given twice")
        check_usage(run(*lines[0][: len(path)], *rest, "--name", ""), "--name needs a value, but is empty")
        check_usage(run(*lines[1], "--name", "other"), "--name is given twice")
        assert len(emulator.requests) == 0
    own = run(*path, "--help").stdout
    assert "--name " not in own


def test_a_row_takes_a_name_as_an_option(tmp_path: Path) -> None:
    """``each`` fills it as the positional one."""
    rows = tmp_path / "rows.csv"
    rows.write_text("n\n--name\nb\n")
    with example_organization():
        done = run("each", str(rows), "--yes", "--", "project", "create", "--name", "{n}")
        assert done.exit == 0, done.stderr
        assert {"--name", "b"} <= {each["name"] for each in run("project", "list").json}


ROLE_PLACES = {
    "api-key create --role": "api-key create x --project search --role {}",
    "api-key ensure --role": "api-key ensure x --project search --role {}",
    "api-key update --role": "api-key update reader --project search --role {}",
    "invite create --role": "invite create eve@example.com --role {}",
    "invite ensure --role": "invite ensure eve@example.com --role {}",
    "project provision --grant": "project provision x --role ProjectEditor --grant user:ada@example.com:{}",
    "project provision --role": "project provision x --role {}",
    "role change --from": "role change --user ada@example.com --from {} --to OrgOwner",
    "role change --to": "role change --user ada@example.com --from OrgMember --to {}",
    "role describe ROLE-BINDING": "role describe user:ada@example.com:search:{}",
    "role grant --role": "role grant --user ada@example.com --role {}",
    "role list --role": "role list --role {}",
    "role revoke ROLE-BINDING": "role revoke api-key:reader:{}",
    "run --role": "run --project search --role {} -- true",
    "service-account create --role": "service-account create x --role {}",
    "service-account ensure --role": "service-account ensure x --role {}",
    "user ensure --role": "user ensure eve@example.com --role {}",
}
"""A command line for each option and argument that has a role."""


def test_every_place_of_a_role_has_a_command_line() -> None:
    """Those are the parameters that refer to the topic on roles, and the role bindings."""
    found = {
        f"{spec.full_name} {spell_parameter(param)}"
        for spec in COMMANDS
        for param in spec.own_params
        if getattr(param.type, "topic", "") == "roles" or param.name == "role_binding_id"
    }
    assert found == ROLE_PLACES.keys()


@pytest.mark.parametrize("place", ROLE_PLACES)
def test_a_role_that_does_not_exist_is_refused_with_the_option_and_those_that_do(place: str) -> None:
    """The sentence is the same everywhere: the nearest role if one is near, or else all that fit."""
    option = place.rpartition(" ")[2]
    with example_organization() as emulator:
        near = run(*ROLE_PLACES[place].format("ControlPlaneViewr").split())
        far = run(*ROLE_PLACES[place].format("Admin").split())
        assert not emulator.requests
    assert near.exit == far.exit == (125 if place.startswith("run") else 2)
    said = f"error: {option}: there is no role ControlPlaneViewr. Did you mean (PROJECT:)?ControlPlaneViewer. .PA101."
    assert re.fullmatch(said, near.stderr.strip())
    said = f"error: {option}: there is no role Admin. Choose from ([A-Za-z:]+, )*[A-Za-z:]+. .PA101."
    assert re.fullmatch(said, far.stderr.strip())
    assert "ProjectViewer" in far.stderr


@pytest.mark.parametrize("place", [each for each in ROLE_PLACES if each.startswith(("api-key", "run"))])
def test_a_role_that_a_key_cannot_have_is_refused_in_the_same_words(place: str) -> None:
    """Whoever gave a role of users reads which roles a key can have."""
    done = run(*ROLE_PLACES[place].format("ProjectOwner").split())
    assert "--role: an API key cannot have the role ProjectOwner. Choose from ControlPlaneEditor, " in done.stderr


@pytest.mark.parametrize("verb", ["revoke", "describe"])
@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--user", "ada@example.com", "--role", "search:ProjectViewer"), "user:ada@example.com:search:ProjectViewer"),
        (("--role=ProjectViewer", "--user=ada@example.com"), "user:ada@example.com:ProjectViewer"),
        (("--service-account", "ci"), "service-account:ci:ROLE"),
        (("--api-key", "a b", "--role"), "'api-key:a b:ROLE'"),
        (("--invite", "--role", "OrgMember"), "TYPE:WHO:OrgMember"),
    ],
)
def test_a_role_that_is_given_by_options_leads_to_its_word(verb: str, options: Sequence[str], word: str) -> None:
    """As the word leads to the options of grant and change; the word that is advised works."""
    with example_organization():
        done = run("role", verb, *options)
        said = f"Write the principal and the role as one word: {word}."
        assert (done.exit, said in done.stderr, "write it after --" in done.stderr) == (2, True, False), done
        if word.endswith("search:ProjectViewer"):
            assert run("role", verb, word, *(["--yes"] if verb == "revoke" else [])).exit == 0
