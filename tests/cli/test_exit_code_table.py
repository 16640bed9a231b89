"""The table of causes and classes of commands: a cause ends in one exit code, whatever the command does."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import field, frozen

from pinecone_admin.cli import exit_codes
from pinecone_admin.emulator import Emulator
from tests.cli.command_line import CTRL_C, Run, example_organization, run
from tests.cli.secret_makers import InterruptionAt
from tests.support.sampling import some_daily

ORGANIZATION_FILE = """\
organization: Emulated Organization
projects:
  - name: x
    api_keys: [{name: k, roles: [DataPlaneViewer]}]
"""

CLASSES = {
    "list": "project list",
    "describe": "project describe search",
    "create": "project create x --yes",
    "update": "project update search --name other --yes",
    "delete": "api-key delete reader --project search --yes",
    "ensure": "project ensure x --yes",
    "make a secret": "api-key create k --project search --store 'exec:cat' --yes",
    "rotate": "api-key rotate reader --project search --keep-old-for 0 --store 'exec:cat' --yes",
    "rotate-due": "api-key rotate-due --older-than 1s --keep-old-for 0 --store 'exec:cat {name}' --yes",
    "apply": "apply org.yaml --store 'exec:cat {project} {name}' --yes",
    "plan": "plan org.yaml",
    "export": "export",
    "offboard": "user offboard ada@example.com --yes",
    "offboard many": "user offboard --people people.csv --out people.json",
    "stale": "project stale --match search --older-than 1s --yes",
    "access": "access",
    "inventory": "inventory",
    "each": "each rows.csv --yes -- project create '{name}'",
    "run": "run --project search --role DataPlaneViewer --yes -- true",
    "doctor": "doctor",
    "send": 'send POST /admin/projects --body \'{"name": "x"}\' --yes',
    "whoami": "whoami",
    "login": "login --name new --client-id ID --secret-command 'echo SECRET' --api-url http://localhost:1 "
    "--oauth-url http://localhost:1/oauth/token",
}
"""A command of each class."""

CHANGING = {name for name, line in CLASSES.items() if "--yes" in line}
OWN_CODES = {"run": exit_codes.COMMAND_NOT_RUN, "doctor": exit_codes.REFUSED}
"""Commands where every cause is possible: the command was not started, and a check failed."""


@frozen(kw_only=True)
class Cause:
    """Something that goes wrong.

    Attributes:
        exit: The exit code.
        env: Changes of the environment.
        options: Further options.
        fault: The server's reaction to a request.
        operation: With which requests: the name of an operation, ``*`` for all, ``changes``, or ``first change``.
        classes: The classes of commands with this cause.
        others: The exit codes of classes with another one, and why in a comment.
        edit: Changes the words.
    """

    exit: int
    env: Mapping[str, str | None] = field(factory=dict[str, str | None])
    options: tuple[str, ...] = ()
    fault: Mapping[str, Any] = field(factory=dict[str, Any])
    operation: str = "*"
    classes: Collection[str] = tuple(CLASSES)
    others: Mapping[str, int] = field(factory=dict[str, int])
    edit: Callable[[str], str] = str


LIMIT = {"status": 429, "retry_after": 3600}
NO_CREDENTIALS = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
NAMED = {"describe", "update", "delete", "make a secret", "rotate", "offboard", "run"}

DAILY_STEP = 4
"""Step from a class of commands that a cause meets every day to the next one."""

CAUSES = {
    "a wrong word": Cause(exit=exit_codes.USAGE, options=("--nothing",), others={"doctor": exit_codes.USAGE}),
    "a wrong variable": Cause(
        exit=exit_codes.USAGE, env={"PINECONE_CONTROLLER_HOST": "ftp://x"}, classes=CLASSES.keys() - {"login"}
    ),
    "a file that is missing": Cause(
        exit=exit_codes.USAGE,
        classes=("apply", "plan", "offboard many", "each"),
        edit=lambda line: line.replace("org.", "no.").replace("people.csv", "no.csv").replace("rows.", "no."),
    ),
    "--read-only": Cause(exit=exit_codes.USAGE, env={"PINECONE_ADMIN_READ_ONLY": "1"}, classes=CHANGING),
    "no credentials": Cause(exit=exit_codes.IDENTITY, env=NO_CREDENTIALS, classes=CLASSES.keys() - {"login"}),
    "no such profile": Cause(
        exit=exit_codes.IDENTITY,
        options=("--profile", "nobody"),
        classes=CLASSES.keys() - {"login"},
        others={"doctor": exit_codes.REFUSED},
    ),
    "another organization": Cause(
        exit=exit_codes.IDENTITY,
        options=("--expect-organization", "other"),
    ),
    "a 401 of the token endpoint": Cause(exit=exit_codes.IDENTITY, fault={"status": 401}, operation="get_token"),
    "a 401 of the API": Cause(exit=exit_codes.IDENTITY, fault={"status": 401}),
    "a 429 of the token endpoint": Cause(exit=exit_codes.TRY_LATER, fault=LIMIT, operation="get_token"),
    "a 503 of the token endpoint": Cause(exit=exit_codes.TRY_LATER, fault={"status": 503}, operation="get_token"),
    "a 429 of the API": Cause(exit=exit_codes.TRY_LATER, fault=LIMIT),
    "a 503 of the API": Cause(
        exit=exit_codes.TRY_LATER,
        fault={"status": 503},
        others={"send": exit_codes.UNKNOWN_OUTCOME},  # its first request is a create
    ),
    "no network": Cause(exit=exit_codes.TRY_LATER, fault={"unreachable": True}),
    "a name that nothing has": Cause(
        exit=exit_codes.NOT_FOUND,
        classes=NAMED,
        edit=lambda line: line.replace("search", "nothing").replace("reader", "nothing").replace("ada@", "no@"),
    ),
    "a 404 of the API": Cause(
        exit=exit_codes.NOT_FOUND,
        fault={"status": 404},
        # If the account cannot see the organization, a message shows that.
        others={"whoami": exit_codes.DONE, "login": exit_codes.DONE},
    ),
    "a 404 of a proxy": Cause(exit=exit_codes.REFUSED, fault={"status": 404, "body": "html"}),
    "a 403 of a proxy": Cause(
        exit=exit_codes.REFUSED,
        fault={"status": 403, "body": "html"},
        others={"send": exit_codes.UNKNOWN_OUTCOME},  # its first request is a create
    ),
    "a 403 of a proxy for changes": Cause(
        exit=exit_codes.UNKNOWN_OUTCOME,
        fault={"status": 403, "body": "html"},
        operation="changes",
        classes=CHANGING,
    ),
    "a conflict": Cause(exit=exit_codes.CONFLICT, fault={"status": 409}, operation="changes", classes=CHANGING),
    "a refused change": Cause(exit=exit_codes.REFUSED, fault={"status": 422}, operation="changes", classes=CHANGING),
    "a 403 for changes, as of a quota": Cause(
        exit=exit_codes.NOT_ALLOWED, fault={"status": 403}, operation="changes", classes=CHANGING
    ),
    "a bill that is not paid": Cause(
        exit=exit_codes.NOT_ALLOWED, fault={"status": 402}, operation="changes", classes=CHANGING
    ),
    "a 403 for all": Cause(
        exit=exit_codes.NOT_ALLOWED,
        fault={"status": 403},
        others={"whoami": exit_codes.DONE, "login": exit_codes.DONE},
    ),
    "a create whose response is lost": Cause(
        exit=exit_codes.UNKNOWN_OUTCOME,
        fault={"reset": "after"},
        operation="changes",
        classes=("create", "make a secret", "rotate", "each", "send", "rotate-due", "apply", "stale", "run"),
    ),
    "a store that fails": Cause(
        exit=exit_codes.REFUSED,
        classes=("make a secret", "rotate", "rotate-due", "apply"),
        edit=lambda line: line.replace("exec:cat", "exec:false"),
        others=dict.fromkeys(("rotate-due", "apply"), exit_codes.PARTLY_DONE),
    ),
    "a place that cannot be used": Cause(
        exit=exit_codes.USAGE,
        classes=("make a secret", "rotate", "apply"),
        edit=lambda line: line.replace("exec:cat", "file:/nowhere/{kind}/{name}").replace(" {project} {name}", ""),
    ),
}


@contextmanager
def prepared(cause: Cause) -> Generator[Emulator, None, None]:
    """Prepare an organization, files, and what goes wrong."""
    with TemporaryDirectory() as folder, chdir(folder), example_organization() as emulator:
        Path("people.csv").write_text("email\nada@example.com\n")
        Path("rows.csv").write_text("name\nx1\nx2\n")
        Path("org.yaml").write_text(ORGANIZATION_FILE)
        emulator.clock.advance(60)
        if cause.fault:
            methods = ("POST", "PATCH", "PUT", "DELETE") if cause.operation == "changes" else (None,)
            operation = cause.operation if cause.operation == "get_token" else "*"
            for method in methods:
                emulator.faults.add(operation, method=method, times=None, **cause.fault)
        yield emulator


def run_line(emulator: Emulator, line: str, *options: str, env: Mapping[str, str | None], **terminal: Any) -> Run:
    """Run a command line with further options."""
    words = [
        word.replace("SECRET", emulator.client_secret).replace("ID", emulator.client_id) for word in shlex.split(line)
    ]
    position = words.index("--") if "--" in words else len(words)
    if line.startswith("login"):
        env = {**env, **NO_CREDENTIALS}
    return run(*words[:position], *options, *words[position:], env=env, **terminal)


def list_cases() -> Iterator[Any]:
    """Yield each cause with a few of its classes, the next one with others, and among the long tests with the rest."""
    for first, (name, cause) in enumerate(CAUSES.items()):
        classes = sorted(cause.classes)
        few = classes[first % min(DAILY_STEP, len(classes)) :: DAILY_STEP]
        yield pytest.param(name, few, id=name)
        if rest := [each for each in classes if each not in few]:
            yield pytest.param(name, rest, id=f"{name} and the other classes", marks=pytest.mark.long)


@pytest.mark.parametrize(("name", "classes"), [*list_cases()])
def test_a_cause_ends_in_one_code_with_every_class_of_command(name: str, classes: list[str]) -> None:
    """The code is that of the cause; reports have that of a part, and run and doctor their own."""
    cause = CAUSES[name]
    for each in classes:
        with prepared(cause) as emulator:
            done = run_line(emulator, cause.edit(CLASSES[each]), *cause.options, env=cause.env)
            assert done.exit == cause.others.get(each, OWN_CODES.get(each, cause.exit)), (each, done)
            assert not Path("people.json").exists() or not done.exit, each


@pytest.mark.parametrize("name", some_daily(CLASSES, 2))
def test_an_interrupted_command_ends_with_130(name: str) -> None:
    """At each of its first requests, and also if the answer to its question is no."""
    for number in range(1, 4):
        interruption = InterruptionAt(number, after=True)
        with prepared(Cause(exit=0)) as emulator, interruption.armed():
            done = run_line(emulator, CLASSES[name], env={})
        assert done.exit == (exit_codes.INTERRUPTED if interruption.was_sent else exit_codes.DONE), done
    if name in CHANGING:
        for answer in ("n\n", "\n", "", CTRL_C):
            with prepared(Cause(exit=0)) as emulator:
                done = run_line(emulator, CLASSES[name].replace(" --yes", ""), env={}, terminal=True, stdin=answer)
                assert not [each for each in emulator.requests if each.method != "GET" and "oauth" not in each.path]
            assert done.exit == exit_codes.INTERRUPTED, done


PARTLY: dict[str, dict[str, Any]] = {
    "rotate-due": {"operation": "create_api_key", "skip": 1},
    "apply": {"operation": "create_api_key"},
    "each": {"operation": "create_project", "skip": 1},
    "access": {"operation": "list_invites"},
    "inventory": {"operation": "list_invites"},
}
"""One part of a command of each class that fails with 403."""


@pytest.mark.parametrize("name", PARTLY)
def test_a_part_that_fails_ends_with_9(name: str) -> None:
    """Changes remain, and a report lacks the unread parts."""
    with prepared(Cause(exit=0)) as emulator:
        with emulator.admin() as admin:
            admin.api_keys.create(project_id=admin.projects.describe_by_name(name="search").id, name="second")
        emulator.clock.advance(60)
        emulator.faults.add(status=403, **PARTLY[name])
        done = run_line(emulator, CLASSES[name], env={})
    assert done.exit == exit_codes.PARTLY_DONE, done


FINDINGS = (
    "access --fail-on any",
    "diff before.json --fail-on-change",
    "plan org.yaml --fail-on-change",
    "project ensure search --max-pods 7 --if-different fail --yes",
    "api-key identify",
)


@pytest.mark.parametrize("line", FINDINGS)
def test_findings_end_with_8_where_they_are_asked_for(line: str) -> None:
    """A review, a comparison, a plan, a difference, and a value that is not accepted."""
    with prepared(Cause(exit=0)) as emulator:
        run("inventory", "--out", "before.json")
        with emulator.admin() as admin:
            admin.projects.create(name="new")
        done = run_line(emulator, line, env={}, stdin=f"pcsk_{'x' * 60}\n")
    assert done.exit == exit_codes.FINDINGS, done
