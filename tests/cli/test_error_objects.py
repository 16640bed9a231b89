"""With -o json, whatever goes wrong with whatever command is told in objects, without internal names."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from pinecone_admin import operations
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.commands import Command
from tests.cli.command_line import COMMANDS, Run, example_organization, run
from tests.cli.example_runs import ORGANIZATION_FILE
from tests.cli.secret_makers import intercepted
from tests.support.sampling import some_daily

FIELDS = ("message", "problems", "code", "exit", "outcome", "worth_retrying", "status", "request_id", "retry_after")
OPERATIONS = {name for name in vars(operations) if re.fullmatch("[a-z]+(_[a-z]+)+", name)}
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|-N[\w-]{19}")

FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"status": 403},
    "conflict": {"status": 409},
    "limit": {"status": 429, "retry_after": 3600},
    "failure": {"status": 503},
    "proxy": {"status": 404, "body": "html"},
    "lost": {"reset": "after"},
    "truncated": {"truncate": True},
}
CHANGES = ("POST", "PATCH", "PUT", "DELETE")
SCOPES: dict[str, dict[str, Any]] = {
    "each request": {"methods": (None,)},
    "each change": {"methods": CHANGES},
    "each change but the first": {"methods": CHANGES, "skip": 1},
}
SENDING = [spec for spec in COMMANDS if spec.path[0] not in {"emulator", "help", "completion", "explain"}]
REPORTS = {"access", "apply", "api-key rotate-due", "doctor", "each", "inventory", "service-account rotate-due"}
"""Commands that go on after a failure, and tell it in their output, and a warning on standard error."""
STEP = 23
"""One of so many cases runs every day; it has no factor in common with the numbers of faults and of scopes."""


def run_with_fault(spec: Command, fault: dict[str, Any], *, methods: tuple[str | None, ...], skip: int = 0) -> Run:
    """Run the example of a command while requests fail."""
    words = shlex.split(spec.example)[1:]
    position = words.index("--") if "--" in words else len(words)
    with TemporaryDirectory() as folder, chdir(folder), example_organization() as emulator:
        Path("run-tests").write_text("#!/bin/sh\n")
        Path("run-tests").chmod(0o700)
        Path("people.csv").write_text("email\ncarol@example.com\n")
        Path("org.yaml").write_text(ORGANIZATION_FILE)
        emulator.clock.advance(91 * 86_400)
        for method in methods:
            emulator.faults.add("*", method=method, times=None, skip=skip, **fault)
        return run(*words[:position], "-o", "json", *words[position:])


def list_cases() -> Iterator[tuple[Command, str, str]]:
    """Yield all cases."""
    yield from itertools.product(SENDING, FAULTS, SCOPES)


def check(spec: Command, fault: str, scope: str) -> None:
    """Check what a command writes to standard error."""
    case = f"{spec.full_name}, {fault}, {scope}"
    done = run_with_fault(spec, FAULTS[fault], **SCOPES[scope])
    documents: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(len(each) == 1 and each.keys() <= {"error", "warning", "note"} for each in documents), case
    failures = [each["error"] for each in documents if "error" in each]
    if done.exit and (spec.full_name not in REPORTS or not done.stdout):
        assert len(failures) == 1, (case, done)
    for each in failures:
        assert tuple(each) == FIELDS, case
        assert each["exit"] == done.exit, case
        assert each["worth_retrying"] == (done.exit == 7 or (each["exit"] == 125 and each["worth_retrying"])), case
        # If a part was done, the message says how to finish, and the same command could do that part a second time.
        is_told_when = each["worth_retrying"] and each["retry_after"] is not None
        assert ("Try again in 1 hour." in each["message"]) == is_told_when, (case, each)
    for document in documents:
        for message in (next(iter(document.values()))["message"],):
            assert not OPERATIONS.intersection(re.findall(r"[a-z_]+", message)), (case, message)
            repeated = {id for id, count in Counter(ID.findall(message)).items() if count > 1}
            assert repeated <= find_namesakes(message), (case, message)


def find_namesakes(message: str) -> set[str]:
    """Return the ids behind a name that another id has, too; without them, nothing would tell the two apart."""
    ids: dict[str, set[str]] = {}
    for name, id in re.findall(rf"(\S+) \(({ID.pattern})\)", message):
        ids.setdefault(name, set()).add(id)
    return {id for each in ids.values() if len(each) > 1 for id in each}


def test_whatever_fails_is_told_in_objects(stride: Callable[[int], int]) -> None:
    """One error alone with exactly its fields, no name of an operation, and no id twice unless names do not suffice."""
    assert len(OPERATIONS) > 30
    for spec, fault, scope in itertools.islice(list_cases(), 0, None, stride(STEP)):
        check(spec, fault, scope)


@pytest.mark.parametrize(
    "words", some_daily([("--nothing",), ("--profile", "nobody"), ("--env-file", "nowhere")], 3), ids=" ".join
)
def test_what_is_wrong_with_the_command_line_is_one_object(words: tuple[str, ...]) -> None:
    """Before anything is sent, each command writes exactly one document."""
    for spec in SENDING:
        line = shlex.split(spec.example)[1:]
        position = line.index("--") if "--" in line else len(line)
        with example_organization():
            done = run(*line[:position], *words, "-o", "json", *line[position:], env={"PINECONE_CLIENT_ID": None})
        if done.exit:
            error = json.loads(done.stderr)["error"] if spec.full_name != "doctor" or done.stderr else None
            assert error is None or (tuple(error), error["exit"]) == (FIELDS, done.exit), spec.full_name
        else:
            assert spec.path[0] in {"profile", "login"}, spec.full_name


def test_a_problem_with_a_file_has_its_line_and_its_field() -> None:
    """Of one problem as of several, and of the rows of a file."""
    cases = {
        "organization: x\nprojects:\n  - name: a\n    max_pod: 1\n": [(4, "projects[0]")],
        "organization: x\nprojects:\n  - name: a\n    max_pods: x\n    api_keys: 1\n": [
            (4, "projects[0].max_pods"),
            (5, "projects[0].api_keys"),
        ],
        "a: b: c\n": [(1, None)],
    }
    with example_organization():
        for text, places in cases.items():
            Path("org.yaml").write_text(text)
            error = run("plan", "org.yaml", "-o", "json").error
            assert [(each["line"], each["path"]) for each in error["problems"]] == places, error
            assert {tuple(each) for each in error["problems"]} == {("file", "line", "path", "message")}
            assert {each["file"] for each in error["problems"]} == {"org.yaml"}


def test_a_problem_with_a_saved_plan_has_its_field() -> None:
    """The line of a field that does not fit is not known, and its path is."""
    with example_organization():
        Path("org.yaml").write_text("organization: Emulated Organization\nprojects: [{name: more}]\n")
        run("plan", "org.yaml", "--out", "plan.json")
        Path("damaged").write_text(Path("plan.json").read_text().replace('"action": "create"', '"action": "made"'))
        error = run("apply", "damaged", "--yes", "-o", "json").error
    assert [each["path"] for each in error["problems"]] == ["changes[0].action"]
    assert error["message"].startswith("damaged: changes[0].action must be one of 'create',")


DAMAGED: dict[str, list[tuple[str, int | None]]] = {
    "plan FILE": [("organization: x\na: b: c", 2), ("organization: x\nprojects: 1\npeople: 1\n", 2)],
    "apply FILE --yes": [
        ("organization: x\na: b: c", 2),
        *((f'{{"plan_of": "{each}",\n"changes": [', 2) for each in ("apply", "users.offboard_many")),
        ('{"plan_of": "projects.delete_stale",\n"version": 3\n"projects": []}', 3),
        ('{"plan_of": "apply",\n"version": 3, "organization_id": 5}', None),
    ],
    "plan org.yaml --base FILE": [("organization: x\na: b: c", 2)],
    "plan org.yaml --own-client-id x --inventory FILE": [('{\n"taken_at": ', 2), ("{}", None), ("[]", None)],
    "access --inventory FILE": [('{\n"taken_at": ', 2), ("{}", None)],
    "diff FILE": [('{\n"taken_at": ', 2), ("[]", None)],
    "access --waivers FILE": [
        ("- kind: x\n  a: b: c", 2),
        ("kind: x", None),
        ("- {kind: many-owners, reason: x, until: 2027-01-31}\n- {kind: x}\n- 5\n- {kind: y}", 2),
    ],
    "user offboard --dry-run --people FILE": [
        ('email\n"ada@example.com', 2),
        ("name,email\nAda,\nBob,bob@example.com\nEve,\n", 2),
        ("email,e-mail\nada@example.com,bob@example.com\n", 1),
        ("", None),
    ],
    "each FILE -- project describe {name}": [
        ('name\n"search', 2),
        ('\n[{"name": "search"},\n', 3),
        ("name\nsearch,x\nempty\nempty,x\n", 2),
        ("name,name\nsearch,empty\n", None),
    ],
    "send POST /admin/projects --yes --body @FILE": [('{"name":\n', 2)],
}
"""Commands that read a file, with contents that are wrong, and the line of the first problem if it is known."""


def test_whatever_is_wrong_with_a_file_names_it_and_the_line() -> None:
    """For people and as data, of each file that a command reads; nothing is sent. What stands alone is one line."""
    with example_organization() as emulator:
        Path("org.yaml").write_text("organization: Emulated Organization\n")
        for command, contents in DAMAGED.items():
            for text, line in contents:
                Path("damaged").write_text(text)
                words = shlex.split(command.replace("FILE", "damaged"))
                people, scripts = run(*words), run("-o", "json", *words)
                place = "damaged: " if line is None else f"damaged, line {line}"
                assert (people.exit, scripts.exit) == (exit_codes.USAGE, exit_codes.USAGE), (command, people, scripts)
                assert place in people.stderr.splitlines()[0], (command, people)
                problems = scripts.error["problems"]
                assert (problems[0]["file"], problems[0]["line"]) == ("damaged", line), (command, problems)
                lines = people.stderr.splitlines()
                assert len(lines) == (1 if len(problems) == 1 else len(problems) + 1), (command, people)
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} <= {"GET"}


def test_standard_input_is_named_and_read_by_one_option() -> None:
    """Every command that reads a file names standard input for ``-``; two options cannot both read it."""
    with example_organization():
        Path("org.yaml").write_text("organization: Emulated Organization\n")
        inventory, plan = run("inventory").stdout, run("plan", "org.yaml").stdout
        for command, contents in DAMAGED.items():
            if not command.startswith("each"):  # no rows are no mistake
                words = shlex.split(command.replace("@FILE", "-").replace("FILE", "-"))
                empty = run(*words)
                assert (empty.exit, empty.said.startswith("error: Standard input is empty. ")) == (2, True), empty
                damaged = run(*words, stdin=next(filter(None, (text for text, _ in contents))))
                assert (damaged.exit, "tandard input" in damaged.stderr) == (2, True), (command, damaged)
        for line, text in (
            ("plan - --base -", "organization: Emulated Organization"),
            ("diff - -", inventory),
            ("plan org.yaml --own-client-id x --inventory - --base -", inventory),
            ("access --inventory - --waivers -", "[]"),
        ):
            assert run(*line.split(), stdin=text).exit == 2, line
        assert run("plan", "-", stdin=inventory).stderr.startswith("error: Standard input is an inventory, ")
        assert run("plan", "-", stdin=plan).stderr.startswith("error: Standard input is a saved plan. ")
        cut = run("apply", "-", "--yes", stdin=plan.replace('"version": ', '"version": 9'))
        assert cut.stderr.startswith("error: Standard input is a plan of version 9"), cut


def test_no_object_repeats_the_value_of_a_key() -> None:
    """It may have been typed or pasted anywhere: into a file, its name, a cell of a row, or a name that is sent."""
    value = "pcsk_2abcDE_" + "aB3" * 20
    Path(f"{value}.yaml").write_text(
        f"organization: x\nprojects:\n  - name: a\n    {value}: 1\n    max_pods: {value}\n"
    )
    Path("one.yaml").write_text(f"organization: x\nprojects:\n  - name: a\n    max_pods: {value}\n")
    Path("rows.csv").write_text(f"max\n{value}\n{value}\n")

    def interrupt(request: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
        if request.method == "POST":
            os.kill(os.getpid(), signal.SIGINT)
        return handle()

    with example_organization():
        ended = [
            run("plan", f"{value}.yaml", "-o", "json"),
            run("plan", "one.yaml", "-o", "json"),
            run("each", "rows.csv", "-o", "json", "--", "project", "create", "x", "--max-pods", "{max}"),
            run("each", "rows.csv", "--", "project", "create", "x", "--max-pods", "{max}"),
        ]
        with intercepted(interrupt):
            ended.append(run("project", "create", value, "--yes", "-o", "json"))
    for done in ended:
        assert done.exit in {2, 130}
        shown = done.stderr.replace("\\u2026", "…")
        assert "pcsk_…" in shown or "'…' (72 characters)" in shown, done
        assert value not in done.stderr, done
