"""Every command ends in the exit code that scripts rely on, whatever goes wrong."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest

from pinecone_admin import errors
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.failures import CLIError, describe_failure, exit_of_error
from pinecone_admin.cli.help.explanations import find_explanation
from pinecone_admin.cli.ledger import Ledger
from tests.cli.command_line import COMMANDS, Run, example_organization, retire_key, run
from tests.cli.secret_makers import list_ids

METHOD_COMMANDS = [spec for spec in COMMANDS if not spec.is_by_hand]

# What the server does, and the exit code; None: it depends on whether the command only reads.
FAULTS: dict[str, tuple[dict[str, Any], int | None]] = {
    "400": ({"status": 400}, exit_codes.REFUSED),
    "401": ({"status": 401, "times": None}, exit_codes.IDENTITY),
    "402": ({"status": 402}, exit_codes.NOT_ALLOWED),
    "403": ({"status": 403}, exit_codes.NOT_ALLOWED),
    "404": ({"status": 404}, exit_codes.NOT_FOUND),
    "409": ({"status": 409}, exit_codes.CONFLICT),
    "412": ({"status": 412}, exit_codes.CONFLICT),
    "422": ({"status": 422}, exit_codes.REFUSED),
    "429": ({"status": 429, "times": None, "retry_after": 3600}, exit_codes.TRY_LATER),
    "500": ({"status": 500, "times": None}, None),
    "reset": ({"reset": "after", "times": None}, None),
}
# Each command meets a few of the faults, and each fault a few of the commands; more of them with --all.
STEP, LONG_STEP = 11, 6


def run_with_fault(spec: Command, fault: dict[str, Any]) -> tuple[Run, bool]:
    """Run the example of a command while its main request fails; also return whether that request only reads."""
    words = [*shlex.split(spec.example)[1:], "--output", "json"]
    with example_organization() as emulator:
        retire_key(emulator)
        initial = emulator.dump()
        with TemporaryDirectory() as folder, chdir(folder):  # a secret that is stored is not replaced by the second run
            run(*words)
        sent = [each for each in emulator.requests if each.operation_id != "get_token"]
        main = next((each for each in sent if each.method != "GET"), sent[-1])
        emulator.load(initial)
        emulator.faults.add(main.operation_id, **fault)
        return run(*words), main.method == "GET"


@pytest.mark.parametrize("name", FAULTS)
def test_every_command_ends_in_the_code_of_the_fault(name: str) -> None:
    """A failing request ends in one line, an error object and the same exit code with every command."""
    check_commands(name, STEP)


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_more_commands_end_in_the_code_of_the_fault(name: str, stride: Callable[[int], int]) -> None:
    """As above, with more commands."""
    check_commands(name, stride(LONG_STEP))


def check_commands(name: str, step: int) -> None:
    """Check how every so many commands end when their main request fails."""
    fault, expected = FAULTS[name]
    for spec in METHOD_COMMANDS[list(FAULTS).index(name) % step :: step]:
        done, reads = run_with_fault(spec, fault)
        # A workflow goes on where it can; the names in a list of roles are left out where they cannot be read.
        if done.exit == 0 and (spec.is_workflow or spec.full_name == "role-binding list"):
            assert done.stderr == "", spec.full_name
            continue
        if spec.makes is not None and spec.makes.many and done.exit == exit_codes.PARTLY_DONE:  # its report says what
            assert done.stderr.startswith("warning: "), spec.full_name
            continue
        error = done.error
        assert done.exit == error["exit"], spec.full_name
        assert done.stdout == "", spec.full_name
        assert len(done.stderr.splitlines()) == 2, (spec.full_name, done.stderr)
        assert done.stderr.splitlines()[0] == f"error: {error['message']} [{error['help_code']}]", spec.full_name
        codes = codes_without_response(error, reads=reads) if expected is None else {expected}
        assert done.exit in codes, (spec.full_name, done)
        assert find_explanation(error["help_code"]) is not None, spec.full_name


def codes_without_response(error: dict[str, Any], *, reads: bool) -> set[int]:
    """Return the exit codes that are right if no usable response came."""
    if reads or error["safe_to_retry"]:
        return {exit_codes.TRY_LATER}
    return {exit_codes.UNKNOWN_OUTCOME, exit_codes.PARTLY_DONE}


def test_the_line_of_an_error_ends_in_the_code_that_explains_it() -> None:
    """Each kind of error has the code that fits it; one that says all by itself has none."""
    errors_and_codes: list[tuple[BaseException, str]] = [
        (errors.NotFoundError("m", status_code=404), " [PA205]"),
        (CLIError("m", exit=exit_codes.PARTLY_DONE, help_code="PA603"), " [PA603]"),
        (CLIError("m"), " [PA101]"),
        (click.UsageError("m"), " [PA101]"),
        (FileNotFoundError("m"), " [PA101]"),
        (RuntimeError("a defect"), " [PA100]"),
        (KeyboardInterrupt(), ""),
    ]
    for error, code in errors_and_codes:
        line = describe_failure(error, ledger=Ledger()).line
        assert "\n" not in line
        assert re.findall(r" \[PA\d+\]", line) == [code] * bool(code), line
        assert line.endswith(code)
    interrupted = describe_failure(errors.NotFoundError("m", status_code=404), ledger=Ledger(), is_interrupted=True)
    assert interrupted.line == "error: interrupted; [404] m; nothing was changed [PA205]"
    with example_organization():
        declined = run("project", "create", "x", terminal=True, stdin="n\n")
    assert declined.stderr.endswith("error: You said no. Nothing was changed.\n")


def test_each_class_of_errors_has_an_exit_code() -> None:
    """No error of the library ends in the code of another kind."""
    context: dict[str, Any] = {"status_code": 418}
    assert exit_of_error(errors.ApiError("x", **context)) == exit_codes.REFUSED
    assert exit_of_error(errors.InvalidCredentialsError("x", **context)) == exit_codes.IDENTITY
    assert exit_of_error(errors.TokenError("x", **context)) == exit_codes.IDENTITY
    assert exit_of_error(errors.AmbiguousNameError("x", ids=["1"])) == exit_codes.CONFLICT
    assert exit_of_error(errors.RefusedError("x")) == exit_codes.CONFLICT
    assert exit_of_error(errors.PineconeValueError("x")) == exit_codes.USAGE
    assert exit_of_error(errors.ReadOnlyError("x")) == exit_codes.USAGE
    assert exit_of_error(errors.PineconeConnectionError("x")) == exit_codes.TRY_LATER


def test_what_reads_have_found_has_no_status_and_the_exit_code_of_its_class() -> None:
    """Where no server refused anything, the error object has no status; the class decides on the exit code."""
    binding = "role-binding change-role --user ada@example.com --from OrgBillingAdmin"
    with example_organization():
        for words, code in (
            ("user offboard typo@example.com --yes", exit_codes.NOT_FOUND),
            ("user describe typo@example.com", exit_codes.NOT_FOUND),
            (f"{binding} --to OrgManager --yes", exit_codes.NOT_FOUND),
        ):
            error = run(*words.split(), "--output", "json").error
            assert (error["exit"], error["status"], error["outcome"]) == (code, None, "not_sent"), words
            assert "[" not in error["message"], words
    assert exit_of_error(errors.ForbiddenError("m")) == exit_codes.NOT_ALLOWED
    assert exit_of_error(errors.ForbiddenError("m", status_code=403)) == exit_codes.REFUSED, "a proxy"
    assert exit_of_error(errors.ForbiddenError("m", status_code=403, error_code="C")) == exit_codes.NOT_ALLOWED


def test_an_answer_that_cannot_be_read_is_an_unknown_outcome() -> None:
    """A create whose response is cut off must not be repeated, a read may be."""
    with example_organization() as emulator:
        emulator.faults.add("create_project", status=201, body="truncated", after_change=True)
        emulator.faults.add("list_projects", status=200, body="html", times=None)
        created = run("project", "create", "x", "--yes", "--output", "json")
        listed = run("project", "list", "--output", "json")
    assert (created.exit, created.error["outcome"]) == (exit_codes.UNKNOWN_OUTCOME, "done")
    assert listed.exit == exit_codes.TRY_LATER


def test_the_line_of_an_error_warns_if_its_change_may_have_been_made() -> None:
    """Whoever reads only the line knows that it must not be repeated, whether or not there was a response."""
    faults: tuple[dict[str, Any], ...] = (
        {"status": 500},
        {"reset": "after"},
        {"status": 201, "body": "html"},
        {"truncate": True},
    )
    with example_organization() as emulator:
        for fault in faults:
            emulator.faults.clear()
            emulator.faults.add("create_project", times=None, **fault)
            done = run("project", "create", "x", "--yes")
            assert done.exit == exit_codes.UNKNOWN_OUTCOME, fault
            assert done.stderr.count(" processed") == 1, done.stderr


def test_missing_credentials_are_a_matter_of_identity() -> None:
    """Without credentials, and with wrong ones, the exit code is 3."""
    gone = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
    with example_organization():
        assert run("project", "list", env=gone).exit == exit_codes.IDENTITY
        assert run("project", "list", env={"PINECONE_CLIENT_SECRET": "wrong" * 12}).exit == exit_codes.IDENTITY


def test_exists_answers_no_with_code_4() -> None:
    """Whether a project exists is the output and the exit code."""
    with example_organization():
        found, missing = run("project", "exists", "search"), run("project", "exists", "nothing")
    assert (found.exit, found.json) == (exit_codes.DONE, True)
    assert (missing.exit, missing.json, missing.stderr) == (exit_codes.NOT_FOUND, False, "")


def test_a_refusal_by_another_server_than_the_api_says_nothing_about_roles_or_the_thing() -> None:
    """A host that is not the API is an error of every command, never the answer no or a missing role."""
    project = "00000000-0000-4000-8000-000000000001"
    for words, operation in (
        (("project", "exists", project), "fetch_project"),
        (("project", "exists", "search"), "list_projects"),
        (("project", "describe", project), "fetch_project"),
        (("project", "list"), "list_projects"),
        (("whoami",), "list_organizations"),
    ):
        for status in (403, 404):
            with example_organization() as emulator:
                emulator.faults.add(operation, times=None, status=status, body="html")
                done = run(*words, "--output", "json")
            assert (done.exit, done.stdout) == (exit_codes.REFUSED, ""), (words, done)
            assert "without a message of the API" in done.stderr


def test_a_command_that_fails_on_differences_shows_them_and_changes_nothing() -> None:
    """With --if-different fail, also in a dry run, the result says what differs, and the exit code is 8."""
    cases = (
        ("project", "ensure", "search", "--max-pods", "1"),
        ("api-key", "ensure", "reader", "--project", "search", "--role", "ProjectEditor", "--reveal"),
        ("service-account", "ensure", "ci", "--role", "OrgMember", "--reveal"),
        ("invite", "ensure", "bob@example.com", "--role", "OrgManager"),
    )
    with example_organization() as emulator:
        for words in cases:
            failed = run(*words, "--if-different", "fail", "--yes")
            preview = run(*words, "--if-different", "fail", "--dry-run")
            reported = run(*words, "--yes")
            assert (failed.exit, preview.exit, reported.exit) == (exit_codes.FINDINGS, exit_codes.FINDINGS, 0), words
            assert failed.stderr.endswith("failed on 1 difference\n")
            assert "it differs, and was left as it is: " in reported.stderr
            assert "left as it is" not in failed.stderr + preview.stderr
            assert failed.json["differences"] == preview.json["would_do"]["differences"] == reported.json["differences"]
        same = run("project", "ensure", "search", "--max-pods", "0", "--if-different", "fail", "--yes")
        assert (same.exit, same.stderr) == (0, "")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}


def test_whatever_differs_and_is_left_is_said_beside_a_query() -> None:
    """A query leaves the differences out of the output; standard error has them, and not those that were changed."""
    with example_organization():
        for words in (
            ("project", "ensure", "search", "--force-encryption-with-cmek"),
            ("api-key", "ensure", "reader", "--project", "search", "--role", "ProjectEditor", "--store", "exec:cat"),
            ("service-account", "ensure", "ci", "--role", "OrgMember", "--store", "exec:cat"),
            ("invite", "ensure", "bob@example.com", "--role", "OrgManager"),
        ):
            left = run(*words, "--yes", "--query", "created", "--output", "raw")
            changed = run(*words, "--yes", "--if-different", "update")
            assert (left.exit, left.stdout, changed.exit) == (0, "false\n", 0), (words, left, changed)
            assert "it differs, and was left as it is: " in left.stderr
            assert "left as it is" not in changed.stderr
        granted = run("user", "ensure", "bob@example.com", "--role", "OrgMember", "--role", "OrgBillingAdmin", "--yes")
        more = run("user", "ensure", "bob@example.com", "--role", "OrgMember", "--yes")
        assert ("left as it is" in granted.stderr, "left as it is" in more.stderr) == (False, True), (granted, more)
        run("project", "provision", "p", "--key-role", "DataPlaneEditor", "--store", "exec:cat", "--yes")
        again = run(
            "project",
            "provision",
            "p",
            "--key-role",
            "DataPlaneViewer",
            "--store",
            "exec:cat",
            "--yes",
            "--query",
            "created",
        )
        assert "it differs, and was left as it is: roles: found" in again.stderr


def test_the_other_roles_of_an_invite_that_is_sent_again_are_said() -> None:
    """An expired invite carries the roles that it had, unless they are to be updated."""
    words = ("invite", "ensure", "bob@example.com", "--role", "OrgManager", "--yes", "--query", "created")
    with example_organization() as emulator:
        emulator.clock.advance(60 * 24 * 3600)
        sent = run(*words)
        emulator.clock.advance(60 * 24 * 3600)
        updated = run(*words, "--if-different", "update", "--revoke-unlisted")
    assert (sent.stdout.strip(), updated.stdout.strip()) == ("true", "true")
    assert "its roles differ, and were left as they are: role_bindings: found" in sent.stderr
    assert updated.stderr == ""


def test_a_place_that_can_never_take_the_secret_is_not_worth_retrying() -> None:
    """Nothing is made, and the exit code says that the command line, or the file, is to be corrected."""
    Path("used.env").write_text("KEY=pcsk_other\n")
    Path("used.env").chmod(0o600)
    for words in (
        ("project", "provision", "acme", "--key-role", "DataPlaneEditor"),
        ("api-key", "ensure", "k", "--project", "search"),
        ("service-account", "ensure", "x", "--role", "OrgMember"),
    ):
        with example_organization() as emulator:
            before = list_ids(emulator)
            done = run(*words, "--store", "env-file:used.env#KEY", "--yes", "-o", "json")
            assert list_ids(emulator) == before, words
        assert (done.exit, done.error["outcome"], done.error["worth_retrying"]) == (exit_codes.USAGE, "not_sent", False)


def test_a_create_that_was_undone_because_its_store_failed_is_safe_to_repeat() -> None:
    """The exit code, the outcome and both answers about a repeat agree, and nothing of it remains."""
    with example_organization() as emulator:
        before = set(emulator.state.api_keys)
        done = run("api-key", "create", "k", "--project", "search", "--store", "exec:false", "--yes", "-o", "json")
        assert set(emulator.state.api_keys) == before
    told = {name: done.error[name] for name in ("exit", "outcome", "safe_to_retry", "worth_retrying", "help_code")}
    assert told == {
        "exit": exit_codes.TRY_LATER,
        "outcome": "undone",
        "safe_to_retry": True,
        "worth_retrying": True,
        "help_code": "PA603",
    }
