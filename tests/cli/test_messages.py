"""The messages of the command line: each is provoked by a command, and its text is stated here."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import signal
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from attrs import frozen

import pinecone_admin.cli
from pinecone_admin import Admin, on_organization
from pinecone_admin.cli.output import progress
from pinecone_admin.cli.session import Session
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import name_tags
from tests.cli.command_line import Run, example_organization, make_deletable, run
from tests.cli.secret_makers import intercepted, words_of
from tests.support.concurrency import wait_until

ORGANIZATION = "organization: Emulated Organization\n"
NOT_SIGNED_IN: dict[str, str | None] = dict.fromkeys(
    ("PINECONE_CLIENT_ID", "PINECONE_CLIENT_SECRET", "PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")
)


@frozen(kw_only=True)
class World:
    """The setting of a message."""

    emulator: Emulator
    admin: Admin

    def project(self, name: str) -> str:
        """Return the id of a project."""
        return self.admin.projects.describe_by_name(name=name).id

    def add_keys(self, *names: str) -> None:
        """Create API keys in the project ``empty``."""
        for name in names:
            self.admin.api_keys.create(project_id=self.project("empty"), name=name)

    def fail(self, operation: str, **fault: Any) -> None:
        """Let each request of an operation fail."""
        self.emulator.faults.add(operation, times=None, **fault)

    def act_as_editor(self) -> dict[str, str | None]:
        """Return the environment of an account that may only edit the project ``search``."""
        account = self.emulator.add_client(roles=["OrgMember", ("ProjectEditor", self.project("search"))])
        return {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}


Provoke = Callable[[World], Run]
MESSAGES: dict[str, tuple[str, Provoke]] = {}


def says(number: str, text: str) -> Callable[[Provoke], Provoke]:
    """Add a row to the table: what a command writes, where ``*`` stands for an id, a path or a time.

    Args:
        number: The number of the row, and a letter if there are several.
        text: The text.
    """

    def add(provoke: Provoke) -> Provoke:
        MESSAGES[number] = text, provoke
        return provoke

    return add


def write(name: str, text: str) -> str:
    """Write a private file, and return its name."""
    path = Path(name)
    path.touch(mode=0o600)
    path.write_text(text)
    return name


def line(text: str, **options: Any) -> Provoke:
    """Return what runs a command line."""
    return lambda _: run(*shlex.split(text), **options)


def delete_organization(**options: Any) -> Provoke:
    """Return what runs the deletion of an organization that the server would delete."""

    def provoke(world: World) -> Run:
        make_deletable(world.emulator)
        return run("organization", "delete", "Emulated Organization", **options)

    return provoke


def _simple() -> Iterator[tuple[str, str, Provoke]]:
    yield (
        "1",
        (
            "Nobody can be asked here, since there is no terminal. Add --yes to go ahead, or --dry-run to "
            "see what would happen."
        ),
        line("project create docs"),
    )
    yield "2", "Add --confirm 'Emulated Organization' to go ahead", delete_organization()
    yield "4", "You said no. Nothing was changed.", line("project create docs", stdin="n\n", terminal=True)
    yield (
        "4b",
        "You did not type 'Emulated Organization'. Nothing was changed.",
        delete_organization(stdin="Acme\n", terminal=True),
    )
    yield (
        "5",
        "--confirm q3 does not match: the project is called empty. Nothing was changed.",
        line("project delete empty --confirm q3"),
    )
    yield (
        "6",
        (
            "The secret is shown only once. Say where it should go with --store (for example --store "
            "env-file:.env#PINECONE_API_KEY), or print it with --reveal."
        ),
        line("api-key create writer --project search --yes"),
    )
    yield (
        "9",
        (
            "--store: K_team-ml is not the name of a variable, which has letters, digits and underscores. Name it "
            "K_team_ml, for example."
        ),
        line("api-key create writer --project search --yes --store env-file:.env#K_team-ml"),
    )
    yield (
        "10",
        (
            "--store file:same.key is one place for all keys, and each would replace the one before. Put {scope} and "
            "{name} in it, for example --store 'file:{scope}-{name}.key'. Nothing was changed."
        ),
        line("api-key rotate-due --older-than 90d --keep-old-for 7d --store file:same.key --yes"),
    )
    yield (
        "16",
        "There is no project serch that this account can see. Did you mean search?",
        line("project describe serch"),
    )
    yield (
        "18",
        "There is no command projct. Did you mean project? All commands: pinecone-admin --help.",
        line("projct list"),
    )
    yield (
        "19",
        "There is no --quiet. To skip the question, use --yes. For less output, use -o raw.",
        line("project delete empty --quiet"),
    )
    yield (
        "21",
        "Whose role is it? Give one of --user, --service-account, --api-key and --invite.",
        line("role grant --role OrgMember --yes"),
    )
    yield (
        "22",
        (
            "--project says where an API key is. For a role on a project, write --role PROJECT:ROLE, such as --role "
            "search:ProjectEditor."
        ),
        line("role grant --user ada@example.com --project search --role OrgMember --yes"),
    )
    yield (
        "23",
        ("ProjectEditor is a role on a project, so say which one: --role search:ProjectEditor, for example."),
        line("role grant --user ada@example.com --role ProjectEditor --yes"),
    )
    yield (
        "24",
        "--keep-old-for x: write a number with a unit, such as 90s, 30m, 12h, 7d or 2w.",
        line("api-key rotate reader --keep-old-for x --reveal --yes"),
    )
    yield (
        "27",
        ("You are not signed in. Run pinecone-admin login, or set PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET."),
        line("project list", env={**NOT_SIGNED_IN, "HOME": "/nowhere"}),  # without a saved profile
    )
    yield (
        "28",
        (
            "Two accounts are named: PINECONE_ADMIN_PROFILE and PINECONE_CLIENT_ID are both set. Unset one, "
            "or choose with --profile."
        ),
        line("project list", env={"PINECONE_ADMIN_PROFILE": "p"}),
    )
    yield "29", "There is no profile x. The only one is called production.", line("project list --profile x")
    yield (
        "30",
        (
            "Profile production does not say where its secret is. Sign in again: pinecone-admin login --name "
            "production --overwrite."
        ),
        line("project list --profile production"),
    )
    yield (
        "31",
        ("You expected organization A, but this account belongs to 'Emulated Organization' (*). Nothing was changed."),
        line("project create docs --yes --expect-organization A"),
    )
    yield (
        "33",
        (
            "This session is read-only (PINECONE_ADMIN_READ_ONLY=1), and the command could change something. "
            "Nothing was changed."
        ),
        line("project create docs --yes", env={"PINECONE_ADMIN_READ_ONLY": "1"}),
    )
    yield (
        "33b",
        "This session is read-only (--read-only), and the command could change something. Nothing was changed.",
        line("project create docs --yes --read-only", env={"PINECONE_ADMIN_READ_ONLY": "1"}),
    )
    none = "The options select none of the API keys that this account can see."
    yield "58", none, line("api-key list --project empty", terminal=True)
    yield "58b", "The query x selects nothing.", line("project list --query x")


MESSAGES |= {number: (text, provoke) for number, text, provoke in _simple()}


@says(
    "3",
    "Project empty has 2 API keys, which would be deleted with it: b, b2. --yes is not enough for this. Add "
    "--confirm empty to go ahead",
)
def _(world: World) -> Run:
    world.add_keys("b", "b2")
    return run("project", "delete", "empty", "--yes")


NEW_SECRETS = (
    f"{ORGANIZATION}projects:\n- name: search\n  api_keys: [{{name: reader2, roles: [DataPlaneViewer]}}]\n"
    "service_accounts: [{name: robot, roles: [OrgMember]}]\n"
)


@says(
    "7",
    "This makes 2 secrets, for service account robot and key search/reader2. Say where they should go, for example "
    "--store 'file:{scope}-{name}.key'. Nothing was changed.",
)
def _(_: World) -> Run:
    return run("apply", write("org.yaml", NEW_SECRETS), "--yes")


@says(
    "8",
    "--store: service account robot has no project, so {project} is empty. Use {scope} in place of {project}: --store "
    "'file:{scope}-{name}.key'. Nothing was changed.",
)
def _(_: World) -> Run:
    return run("apply", write("org.yaml", NEW_SECRETS), "--yes", "--store", "file:{project}-{name}.key")


ENV_STORE = ("--store", "env-file:.env#PINECONE_API_KEY", "--yes")


@says(
    "11",
    ".env already has a value for PINECONE_API_KEY, perhaps the only copy of it. Choose another name, or remove that "
    "line first. Nothing was changed.",
)
def _(_: World) -> Run:
    write(".env", "PINECONE_API_KEY=x\n")
    return run("api-key", "create", "writer", "--project", "search", *ENV_STORE)


@says(
    "12",
    "PINECONE_API_KEY in .env exists, and --store replaces its value. Nothing shows whether it is that of this key.",
)
def _(_: World) -> Run:
    write(".env", "PINECONE_API_KEY=pcsk_abc\n")
    return run("api-key", "rotate", "reader", "--keep-old-for", "7d", *ENV_STORE)


@says(
    "15",
    "Project docs (*) was created. Only the result could not be shown. Do not run the command again. See it with: "
    "pinecone-admin project describe docs.",
)
def _(_: World) -> Run:
    return run("project", "create", "docs", "--yes", "--query", "abs(name)")


@says("17", "2 projects are called x. Use an id instead: * (created * UTC) or * (created * UTC).")
def _(world: World) -> Run:
    for _ in range(2):
        world.admin.projects.create(name="x")
    return run("project", "describe", "x")


@says("20", "each writes one line of JSON per row, so -o has no place here. Leave it out.")
def _(_: World) -> Run:
    return run("each", write("rows.csv", "name\nx\n"), "-o", "csv", "--", "project", "exists", "{name}")


@says(
    "25",
    "The token endpoint limits requests at the moment (429 too_many_requests, request *). Nothing was changed. "
    "Try again in 30 seconds.",
)
def _(world: World) -> Run:
    world.fail("get_token", status=429, headers={"retry-after": "30"})
    return run("project", "list")


@says(
    "26",
    "The client id and secret were not accepted (401 access_denied, request *). Perhaps the secret was rotated. Set "
    "PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET in the environment to the present ones of a service account.",
)
def _(world: World) -> Run:
    world.fail("get_token", status=401)
    return run("project", "list")


@says(
    "32",
    "PINECONE_CONTROLLER_HOST is set in your shell but not in env file env, so the file would act on production. Add "
    "PINECONE_CONTROLLER_HOST to the file, or unset it.",
)
def _(_: World) -> Run:
    write("env", "PINECONE_CLIENT_ID=x\nPINECONE_CLIENT_SECRET=y\n")
    return run("project", "list", "--env-file", "env")


@says(
    "34",
    "This account cannot see everything: the API keys of project search and the role bindings are hidden. A plan would "
    "make them again, so it is refused. Use an account with OrgOwner.",
)
def _(world: World) -> Run:
    return run("plan", write("org.yaml", ORGANIZATION), env=world.act_as_editor())


@says(
    "35",
    "This account cannot see everything: the API keys of project search and the role bindings are hidden. An export "
    "would lack them. Use an account with OrgOwner.",
)
def _(world: World) -> Run:
    return run("export", env=world.act_as_editor())


@says(
    "36",
    "This account cannot see everything: the role bindings are hidden. Nobody can be removed safely. Use an account "
    "with OrgOwner.",
)
def _(world: World) -> Run:
    return run("user", "offboard", "ada@example.com", "--yes", env=world.act_as_editor())


@says("37", "Not shown: the API keys of project search, which this account may not see.")
def _(world: World) -> Run:
    return run("access", env=world.act_as_editor())


@says("39", "bad.yaml has 2 problems.")
def _(_: World) -> Run:
    return run("plan", write("bad.yaml", "organization: no\nprojects:\n"))


@says("40", "plan.json is a saved plan. Carry it out with: pinecone-admin apply plan.json.")
def _(_: World) -> Run:
    run("plan", write("org.yaml", ORGANIZATION), "--out", "plan.json")
    return run("plan", "plan.json")


@says("42", "This plan is for organization A, and the account belongs to *. Nothing was changed.")
def _(_: World) -> Run:
    run("plan", write("org.yaml", f"{ORGANIZATION}projects: [{{name: docs}}]"), "--out", "plan.json")
    plan = {**json.loads(Path("plan.json").read_text()), "organization_id": "A"}
    return run("apply", write("other.json", json.dumps(plan)), "--yes")


@says(
    "43",
    "This removes 2 keys: b, b2. --yes is not enough for this. Add --confirm 2 to go ahead, or --dry-run to see "
    "what would happen.",
)
def _(world: World) -> Run:
    world.add_keys("b", "b2")
    keys = "[{name: b, absent: true}, {name: b2, absent: true}]"
    return run("apply", write("org.yaml", f"{ORGANIZATION}projects: [{{name: empty, api_keys: {keys}}}]"), "--yes")


@says(
    "44",
    "apply needs --confirm for this plan. 5 of 8 people would be deleted or lose every role, which is more than a "
    "third. If that is right, add --confirm 5.",
)
def _(world: World) -> Run:
    for number in range(5):
        world.emulator.add_user(f"p{number}@example.com", roles=["OrgMember"])
    people = ", ".join(f"{{email: p{number}@example.com, absent: true}}" for number in range(5))
    return run("plan", write("org.yaml", f"{ORGANIZATION}people: [{people}]"))


NO_OWNER = "people: [{email: owner@example.com, absent: true}]"


@says("45", "User owner@example.com (*) is the last user who is an OrgOwner: make another user an OrgOwner first.")
def _(_: World) -> Run:
    return run("apply", write("org.yaml", f"{ORGANIZATION}{NO_OWNER}"), "--confirm", "1")


@says(
    "46",
    "1 step failed, and 1 that needs it did not run. Fix what the lines above say, then run the command again with "
    "another --out.",
)
def _(world: World) -> Run:
    world.fail("create_project", status=403)
    projects = "projects: [{name: docs, api_keys: [{name: k, roles: [DataPlaneViewer]}]}]"
    options = ("--yes", "--store", "file:{name}.key", "--out", "report.json")
    return run("apply", write("org.yaml", f"{ORGANIZATION}{projects}"), *options)


@says(
    "53",
    "This plan cannot be applied. User owner@example.com (*) is the last user who is an OrgOwner: make another user an "
    "OrgOwner first. Remove that entry from reports in plan.json to go on with the others.",
)
def _(_: World) -> Run:
    people = write("people.csv", "email\nowner@example.com\nada@example.com\n")
    return run("user", "offboard", "--people", people, "--out", "plan.json")


NEW_KEY = f"{ORGANIZATION}projects: [{{name: search, api_keys: [{{name: k, roles: [DataPlaneViewer]}}]}}]"


@says(
    "41",
    "Something changed since the plan was made, and it would no longer do what it shows: create key k in project "
    "search (*) with DataPlaneViewer: the project is now named found. Make a new plan. Nothing was changed.",
)
def _(_: World) -> Run:
    run("plan", write("org.yaml", NEW_KEY), "--out", "plan.json")
    run("project", "update", "search", "--name", "found", "--yes")
    return run("apply", "plan.json", "--yes", "--store", "file:k.key")


def _rotate(*options: str) -> Run:
    return run("api-key", "rotate", "reader", *options, "--store", "file:reader.key", "--yes", "--output", "table")


DENIED = httpx.Response(403, json={"status": 403, "error": {"code": "FORBIDDEN", "message": "not permitted"}})


def refuse_deletions(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Refuse to delete anything."""
    return DENIED if request.method == "DELETE" else handle()


@says("13", "The new value of key writer could not be kept anywhere, and is lost. Rotate the key again. *.")
def _(_: World) -> Run:
    create = words_of("api-key create", "--store", "exec:false")
    file = str(Path(write("file", "")).absolute())  # in which nothing can be created
    with intercepted(refuse_deletions), mock.patch.object(tempfile, "tempdir", file):
        return run(*create, env={"XDG_STATE_HOME": file})


@says(
    "14",
    "The new secret of service account ci could not be stored, so it is in *, which only you can read. Store it, then "
    "delete the file.",
)
def _(_: World) -> Run:
    return run("service-account", "rotate", "ci", "--store", "exec:false", "--yes")


@says(
    "38",
    "Line 3: projects[0], project q1: it requires its own encryption key, and that cannot be turned off. "
    "Remove force_encryption_with_cmek, or set it to true.",
)
def _(world: World) -> Run:
    world.admin.projects.create(name="q1", force_encryption_with_cmek=True)
    file = f"{ORGANIZATION}projects:\n- {{name: q1, force_encryption_with_cmek: false}}\n"
    return run("plan", write("org.yaml", file), "--output", "table")


@says("48", "search/reader: the old key stays at least until * UTC.")
def _(_: World) -> Run:
    _rotate("--keep-old-for", "7d")
    return run("api-key", "delete-retired", "--yes", "--output", "table")


@says("49", "search/reader: replaced; the new value is in reader.key, the old key is deleted.")
def _(_: World) -> Run:
    return _rotate("--keep-old-for", "0")


@says(
    "51",
    "API key reader (*) was not rotated, because another run has begun to rotate it, and created key *. Run this again "
    "when the other run has ended.",
)
def _(world: World) -> Run:
    project = world.project("search")
    (old,) = world.admin.api_keys.list(project_id=project)
    begun: list[str] = []

    def begin(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST" and not begun:
            begun.append(name_tags.tag_as_successor(old.id, old.name, "0" * 8))
            world.admin.api_keys.create(project_id=project, name=begun[0], roles=["DataPlaneViewer"])
        return handle()

    with intercepted(begin):
        return _rotate("--keep-old-for", "7d")


@contextmanager
def noted() -> Generator[list[str]]:
    """Return the lines for people that commands write meanwhile."""
    lines: list[str] = []
    notify = Session.notify

    def note(session: Session, text: str, **how: Any) -> None:
        notify(session, text, **how)
        lines.append(text)

    with mock.patch.object(Session, "notify", note):
        yield lines


def interrupt_change(*words: str) -> Run:
    """Run a command, and interrupt it once while its first change waits for a response."""

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST" and not lines:
            os.kill(os.getpid(), signal.SIGINT)
            wait_until(lambda: len(lines) > 0)
        return handle()

    with noted() as lines, intercepted(interrupt):
        return run(*words, notice_after=0.0)


@says("54", "Interrupted. Nothing was changed.")
def _(_: World) -> Run:
    def interrupt(_: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        os.kill(os.getpid(), signal.SIGINT)
        return handle()

    with intercepted(interrupt):
        return run("project", "list")


@says(
    "54b",
    "Interrupted. Waiting for the response that shows whether API key writer was created.\n"
    "Deleting API key writer, which was just made. Ctrl-C again leaves it.\n",
)
def _(_: World) -> Run:
    return interrupt_change(*words_of("api-key create", "--reveal"))


@says(
    "55",
    "Interrupted. The new secret is still being stored, so that it is not lost. This takes up to 5 s.",
)
def _(_: World) -> Run:
    ready, script = Path("ready"), Path("store.sh")
    script.write_text("#!/bin/sh\ntouch ready\nwhile test -e ready; do sleep 0.01; done\ncat >/dev/null\n")
    script.chmod(0o700)

    def interrupt() -> None:
        wait_until(ready.exists)
        os.kill(os.getpid(), signal.SIGINT)
        wait_until(lambda: len(lines) > 0)
        ready.unlink()

    with noted() as lines:
        thread = threading.Thread(target=interrupt)
        thread.start()
        done = run(*words_of("api-key create", "--store", "exec:./store.sh"), notice_after=0.0)
        thread.join()
    return done


@says("56", "Interrupted. What had been done was taken back.")
def _(_: World) -> Run:
    return interrupt_change(*words_of("api-key create", "--reveal"))


@says("57", "* of *. The API limits requests; next try in 24 s.")
def _(world: World) -> Run:
    timers: list[threading.Timer] = []
    show_wait = Session.show_wait

    def make_timer(_: float, show: Callable[[], None]) -> threading.Timer:
        timers.append(threading.Timer(3600.0, show))
        return timers[-1]

    def show(session: Session, reason: str, seconds: float) -> None:
        show_wait(session, reason, seconds)
        timers[-1].function()  # as if a second had passed

    world.emulator.faults.add("list_role_bindings", status=429, retry_after=24)
    with mock.patch.object(progress, "Timer", make_timer), mock.patch.object(Session, "show_wait", show):
        done = run("inventory", terminal=True, env={"TERM": "xterm-256color"})
    return Run(done.exit, done.stdout, re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", done.stderr))


@says("47", "Left out: 1 old key of finished rotations in project search (reader).")
def _(_: World) -> Run:
    _rotate("--keep-old-for", "7d")
    return run("export")


@says(
    "50",
    "The old key works at least until * UTC, and is deleted by the next rotate-due or delete-retired after that. Its "
    "id is *.",
)
def _(_: World) -> Run:
    return _rotate("--keep-old-for", "7d")


@says("52", "The server refused to remove user ada@example.com (*): *")
def _(world: World) -> Run:
    error = {"error": {"code": "ABORTED", "message": "the provider decides"}, "status": 409}
    world.fail("delete_user", status=409, body=error)
    return run("user", "offboard", "ada@example.com", "--yes")


@says(
    "63",
    "The server refused: * (412 FAILED_PRECONDITION, request *). To delete what the project contains first, add "
    "--with-contents.",
)
def _(_: World) -> Run:
    return run("project", "delete", "search", "--confirm", "search")


@says("59", "1 of 2 rows failed: row 2 (line 3). It is in rest.csv, to run again.")
def _(_: World) -> Run:
    rows = write("rows.csv", "name\nsearch\nnothing\n")
    return run("each", rows, "--failed-rows", "rest.csv", "--", "project", "describe", "{name}")


@says("60", "plan.json exists. Add --overwrite to replace it, or choose another name.")
def _(_: World) -> Run:
    return run("plan", write("org.yaml", ORGANIZATION), "--out", write("plan.json", "x"))


@says(
    "61",
    "Project docs may have been created. Before you run the command again, check what was done: pinecone-admin "
    "project list.",
)
def _(world: World) -> Run:
    world.fail("create_project", reset="after")
    return run("project", "create", "docs", "--yes")


@says(
    "61b",
    "API key k may have been created. If the key exists, its value cannot be read any more, so delete the key. Before "
    "you run the command again, check what was done: pinecone-admin api-key list.",
)
def _(world: World) -> Run:
    world.fail("create_api_key", reset="after")
    return run("api-key", "create", "k", "--project", "search", "--reveal", "--yes")


@says("61c", "* may have been rotated, and then the new one is lost* Rotate the secret again to get a new one.*")
def _(world: World) -> Run:
    world.admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")])
    world.fail("rotate_service_account_secret", reset="after")
    return run("service-account", "rotate", "robot", "--reveal", "--yes")


@says("62", "The API limits requests at the moment: * (429 RESOURCE_EXHAUSTED, request *). Try again in 1 hour.")
def _(world: World) -> Run:
    world.fail("list_projects", status=429, headers={"retry-after": "3600"})
    return run("project", "list")


@pytest.mark.parametrize("number", list(MESSAGES))
def test_a_message_is_sentences_that_name_what_happened_and_what_to_do(number: str) -> None:
    """The command of each row writes its text, and no id twice, no name of an operation and no chain of semicolons."""
    text, provoke = MESSAGES[number]
    with example_organization() as emulator, emulator.admin() as admin:
        done = provoke(World(emulator=emulator, admin=admin))
        operations = {str(each.operation_id) for each in emulator.requests}
    pattern = ".*?".join(map(re.escape, text.split("*")))
    assert re.search(pattern, done.stderr) or re.search(pattern, done.stdout), done
    for each in done.stderr.splitlines():
        assert each.count("; ") <= 1, each
        assert not [name for name in operations if "_" in name and name in each], each
        ids: list[str] = re.findall(r"[\da-f]{8}-[\da-f-]{27}", each)
        assert len(ids) == len(set(ids)), each


DIFFERENCES = {
    "2": "The name is in the option alone; a dry run is offered, as everywhere.",
    "3": "The words are those of every command that deletes more than what was named.",
    "7": "{scope} tells keys of one name in two projects apart, and {kind} does not.",
    "8": "The placeholder is that of the other message.",
    "10": "It is refused before the keys are listed, so nothing knows their number.",
    "12": "A dry run has the same line, and replaces nothing.",
    "13": "The reason is named, because somebody can remove it.",
    "15": "The project has its id, since another one may have the name; the command must not be run again.",
    "17": "The glossary has created, and ids have dates with a time.",
    "22": "It shows which part is the project.",
    "24": "It names every unit.",
    "25": "The glossary has token endpoint; the status and the request are for a report to the vendor.",
    "26": "As in 25; credentials of the environment are set there, and login would not change them.",
    "30": "Without --overwrite, the command in the advice would refuse the name.",
    "34": "Each part that is hidden is named.",
    "35": "Each part that is hidden is named.",
    "36": "It begins as the messages of plan and export do.",
    "38": "It is a note, since the rest of the file can be carried out; a line may have several settings.",
    "41": "The step and its reason are one line.",
    "42": "The account may belong to several organizations.",
    "43": "People who lose every role count, and they are not deleted.",
    "44": "The limit is more than a third, and the number is that of all removals.",
    "45": "It names the person whose deletion would leave no owner.",
    "47": "A file cannot have old keys, so export counts them.",
    "48": "A date has its year: a rotation in December keeps a key into the next one.",
    "50": "delete-retired takes the id, and the name is that of the new key.",
    "51": "A key of the other run shows that it has begun, and not that it still goes on.",
    "52": "Nothing is read after the refusal, so nothing shows that the person still has access.",
    "53": "It has the reason in the words of every refusal for the last owner.",
    "54b": "Until the response to the create is there, nothing can be deleted, and the line says so.",
}
"""Why a message has other words than its design, by the number of its row."""


def test_every_reason_for_other_words_is_about_a_message() -> None:
    """A reason whose message is gone goes, too."""
    assert DIFFERENCES.keys() <= MESSAGES.keys()


_WRITERS = {"CLIError", "UsageError", "identity_error", "notify", "warn", "StoreError"}


def _list_templates() -> Iterator[tuple[str, str]]:
    """Yield the literal texts of messages in the code of the command line, each with its place."""
    folder = Path(pinecone_admin.cli.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "func", None) if isinstance(node, ast.Call) else None
            called = getattr(name, "attr", getattr(name, "id", None))
            if not isinstance(node, ast.Call) or called not in _WRITERS or not node.args:
                continue
            match node.args[0]:
                case ast.Constant(value=str() as text):
                    yield f"{path.name}:{node.lineno}", text
                case ast.JoinedStr(values=values):
                    parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in values)
                    yield f"{path.name}:{node.lineno}", "".join(map(str, parts))
                case _:
                    pass


def test_every_text_of_a_message_begins_a_sentence_and_chains_no_clauses() -> None:
    """A text begins with a capital, or with what is typed, such as an option or the name of a command."""
    templates = [*_list_templates()]
    assert len(templates) > 100
    typed = re.compile(r"[A-Z{\-.\d]|(?:apply|each|run|send|login)\b")
    assert [each for each in templates if each[1] and not typed.match(each[1])] == []
    assert [each for each in templates if each[1].count("; ") > 0] == []
