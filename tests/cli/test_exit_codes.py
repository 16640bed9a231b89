"""Every command ends in the exit code that scripts rely on, whatever goes wrong."""

from __future__ import annotations

import errno
import json
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
from pinecone_admin.cli import exit_codes, failures
from pinecone_admin.cli.commands import Command
from pinecone_admin.cli.failures import (
    BusyError,
    CLIError,
    StoreError,
    WrongPlaceError,
    describe_failure,
    find_exit_code,
    find_exit_code_of_report,
)
from pinecone_admin.cli.help.explanations import find_explanation
from pinecone_admin.cli.ledger import Ledger
from pinecone_admin.workflows.sent_changes import SentChange
from tests.cli.command_line import COMMANDS, Run, example_organization, retire_key, run
from tests.cli.secret_makers import list_ids

METHOD_COMMANDS = [spec for spec in COMMANDS if not spec.takes_session]

# The server's reaction, and the exit code; None: it depends on whether the command only reads.
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
# They read their subject first, and then the names of what it is about.
NAMES_LAST = {"role list", "role describe"}


def run_with_fault(spec: Command, fault: dict[str, Any]) -> tuple[Run, bool]:
    """Run the example of a command while its main request fails; also return whether that request only reads."""
    words = [*shlex.split(spec.example)[1:], "--output", "json"]
    with example_organization(spec) as emulator:
        if emulator.state.projects:
            retire_key(emulator)
        initial = emulator.dump()
        with TemporaryDirectory() as folder, chdir(folder):  # a secret that is stored is not replaced by the second run
            run(*words)
        sent = [each for each in emulator.requests if each.operation_id != "get_token"]
        first = 0 if spec.full_name in NAMES_LAST else -1
        main = next((each for each in sent if each.method != "GET"), sent[first])
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
        if done.exit == 0 and spec.is_workflow:  # it goes on where it can
            assert done.stderr == "", spec.full_name
            continue
        if spec.makes is not None and spec.makes.many and done.stdout:  # its report says what failed
            assert [*json.loads(done.stderr.splitlines()[0])] == ["warning"], spec.full_name
            assert done.exit in {exit_codes.UNKNOWN_OUTCOME, expected or exit_codes.TRY_LATER}, spec.full_name
            continue
        error = done.error
        assert done.exit == error["exit"], spec.full_name
        assert done.stdout == "", spec.full_name
        assert len(done.stderr.splitlines()) == 1, (spec.full_name, done.stderr)
        codes = codes_without_response(error, reads=reads) if expected is None else {expected}
        assert done.exit in codes, (spec.full_name, done)
        assert find_explanation(error["code"]) is not None, spec.full_name


def codes_without_response(error: dict[str, Any], *, reads: bool) -> set[int]:
    """Return the exit codes that are right if no usable response came."""
    if reads or error["outcome"] in {"not_sent", "rejected", "undone"} or error["worth_retrying"]:
        return {exit_codes.TRY_LATER}
    return {exit_codes.UNKNOWN_OUTCOME, exit_codes.PARTLY_DONE}


def test_the_line_of_an_error_ends_in_the_code_that_explains_it() -> None:
    """Each kind of error has the code that fits it; one that says all by itself has none."""
    errors_and_codes: list[tuple[BaseException, str]] = [
        (errors.NotFoundError("m", status_code=404), " [PA205]"),
        (CLIError("m", exit=exit_codes.PARTLY_DONE, help_code="PA603"), " [PA603]"),
        (CLIError("m"), " [PA101]"),
        (CLIError("m", exit=exit_codes.PARTLY_DONE), " [exit-9]"),
        (CLIError("m", cause=BusyError), " [exit-7]"),
        (click.UsageError("m"), " [PA101]"),
        (FileNotFoundError("m"), " [PA101]"),
        (RuntimeError("a defect"), " [PA100]"),
        (KeyboardInterrupt(), ""),
    ]
    for error, code in errors_and_codes:
        line = describe_failure(error, ledger=Ledger()).line
        assert "\n" not in line
        assert re.findall(r" \[(?:PA|exit-)\d+\]", line) == [code] * bool(code), line
        assert line.endswith(code)
    interrupted = describe_failure(errors.NotFoundError("m", status_code=404), ledger=Ledger(), is_interrupted=True)
    assert interrupted.line == "error: Interrupted. M (404). Nothing was changed. [PA205]"
    with example_organization():
        declined = run("project", "create", "x", terminal=True, stdin="n\n")
    assert declined.stderr.endswith("error: You said no. Nothing was changed.\n")


def api_error(kind: type[errors.ApiError], status: int, code: str | None = "C") -> errors.ApiError:
    """Return an error as a response of the API, or without a code of another server, gives it."""
    return kind("x", status_code=status, error_code=code)


def refused_because_of(cause: errors.PineconeError) -> errors.RefusedError:
    """Return the error of a workflow that stopped because of another one."""
    error = errors.RefusedError("x")
    error.__cause__ = cause
    return error


CAUSES: list[tuple[BaseException, int]] = [
    (StoreError("x"), exit_codes.REFUSED),
    (WrongPlaceError("x"), exit_codes.USAGE),
    (BusyError("x"), exit_codes.TRY_LATER),
    (
        errors.SecretNotStoredError("x", service_account_id="a", client_id="c", secret=errors.Masked("")),
        exit_codes.REFUSED,
    ),
    (FileNotFoundError(errno.ENOENT, "x"), exit_codes.USAGE),
    (OSError(errno.ENOSPC, "x"), exit_codes.TRY_LATER),
    (click.UsageError("x"), exit_codes.USAGE),
    (click.Abort(), exit_codes.INTERRUPTED),
    (KeyboardInterrupt(), exit_codes.INTERRUPTED),
    (RuntimeError("a defect"), exit_codes.REFUSED),
    (api_error(errors.ApiError, 418), exit_codes.REFUSED),
    (api_error(errors.BadRequestError, 400), exit_codes.REFUSED),
    (errors.ResponseParsingError("x", path="", raw=errors.Masked("")), exit_codes.REFUSED),
    (errors.PaginationError("x"), exit_codes.REFUSED),
    (errors.PineconeConnectionError("an unknown host", worth_retrying=False), exit_codes.REFUSED),
    (errors.ServiceError("x", status_code=501, worth_retrying=False), exit_codes.REFUSED),
    (errors.PineconeValueError("x"), exit_codes.USAGE),
    (errors.PineconeTypeError("x"), exit_codes.USAGE),
    (errors.ReadOnlyError("x"), exit_codes.USAGE),
    (api_error(errors.InvalidCredentialsError, 401), exit_codes.IDENTITY),
    (api_error(errors.UnauthorizedError, 401), exit_codes.IDENTITY),
    (api_error(errors.TokenError, 400), exit_codes.IDENTITY),
    (errors.TokenError("x", status_code=429, worth_retrying=True), exit_codes.TRY_LATER),
    (errors.TokenError("x", status_code=503, worth_retrying=True), exit_codes.TRY_LATER),
    (api_error(errors.NotFoundError, 404), exit_codes.NOT_FOUND),
    (errors.NotFoundError("x"), exit_codes.NOT_FOUND),
    (api_error(errors.NotFoundError, 404, None), exit_codes.REFUSED),
    (api_error(errors.ConflictError, 409), exit_codes.CONFLICT),
    (api_error(errors.FailedPreconditionError, 412), exit_codes.CONFLICT),
    (errors.AmbiguousNameError("x", ids=["1"]), exit_codes.CONFLICT),
    (errors.RefusedError("x"), exit_codes.CONFLICT),
    (refused_because_of(api_error(errors.ForbiddenError, 403)), exit_codes.NOT_ALLOWED),
    (refused_because_of(errors.RateLimitError("x", status_code=429)), exit_codes.TRY_LATER),
    (refused_because_of(api_error(errors.ConflictError, 409)), exit_codes.CONFLICT),
    (errors.RateLimitError("x", status_code=429), exit_codes.TRY_LATER),
    (errors.ServiceError("x", status_code=500), exit_codes.TRY_LATER),
    (errors.PineconeConnectionError("x"), exit_codes.TRY_LATER),
    (errors.PineconeTimeoutError("x"), exit_codes.TRY_LATER),
    (api_error(errors.PaymentRequiredError, 402), exit_codes.NOT_ALLOWED),
    (api_error(errors.ForbiddenError, 403), exit_codes.NOT_ALLOWED),
    (errors.ForbiddenError("x"), exit_codes.NOT_ALLOWED),
    (api_error(errors.ForbiddenError, 403, None), exit_codes.REFUSED),
]


def test_an_error_has_the_exit_code_of_its_cause() -> None:
    """Only temporary failures have the code 7. Every class of errors has its code."""
    for error, expected in CAUSES:
        assert find_exit_code(error) == expected, repr(error)
        told = CLIError("x", cause=error)
        assert told.exit == expected, repr(error)
        # PA101 explains a wrong argument, whose exit code is 2
        assert (told.help_code == "PA101") <= (told.exit == exit_codes.USAGE), repr(error)
        if isinstance(error, errors.PineconeError):
            assert (find_exit_code(error) == exit_codes.TRY_LATER) <= (
                error.worth_retrying or error.__cause__ is not None
            )


def test_the_help_names_the_failures_of_a_network_that_do_not_pass_by_themselves() -> None:
    """The client repeats no call for a name that does not exist; a look-up that failed for now is a network failure."""
    text = " ".join(run("help", "exit-codes").stdout.split())
    meaning = exit_codes.MEANINGS[exit_codes.REFUSED]
    assert "an unknown host, a refused certificate" in meaning
    assert meaning in text
    for is_passing, expected in ((False, exit_codes.REFUSED), (True, exit_codes.TRY_LATER)):
        assert find_exit_code(errors.PineconeConnectionError("x", worth_retrying=is_passing)) == expected


def test_one_place_fails_on_findings_and_differences() -> None:
    """A command asks the session to do so, which puts a refusal and missing parts first."""
    room = Path(failures.__file__).parent
    chosen = r"exit_codes\.FINDINGS|exit_codes import .*\bFINDINGS"
    found = [path.relative_to(room).as_posix() for path in room.rglob("*.py") if re.search(chosen, path.read_text())]
    # What identify finds out is its result, and not what an option fails on.
    assert sorted(found) == ["calls/identifying.py", "session.py"]


# What is no error: a check that failed, a state, codes that are compared, and an error before click is there.
DECIDE_ALONE = {"calls/identifying.py", "doctor/run.py", "bulk/row_runner.py", "ending.py", "main.py"}


def test_one_table_decides_on_the_code_of_a_cause() -> None:
    """No other module chooses the code of an error; it names the class of the error, or the error itself."""
    words = "REFUSED|USAGE|IDENTITY|NOT_FOUND|CONFLICT|TRY_LATER|NOT_ALLOWED"
    room = Path(failures.__file__).parent
    found = {
        path.relative_to(room).as_posix()
        for path in room.rglob("*.py")
        if re.search(rf"\bexit_codes\.({words})\b|import .*\b({words})\b", path.read_text())
    }
    assert found == {*DECIDE_ALONE, "failures.py"}


# What goes wrong, the code, and the commands: one that reads, writes, is a workflow, plans, reports or makes a secret.
COMMANDS_OF_CLASSES = (
    "project list",
    "project create x --yes",
    "project ensure x --yes",
    "user offboard ada@example.com --yes",
    "user offboard --people people.csv --out people.json",
    "project stale --match search --older-than 1s --yes",
    "plan org.yaml",
    "apply org.yaml --yes",
    "export",
    "api-key create k --project search --store exec:cat --yes",
    "api-key rotate-due --older-than 1s --keep-old-for 0 --store 'exec:cat {name}' --yes",
    "send POST /admin/projects --body '{}' --yes",
)
WRONG_EVERYWHERE: dict[str, tuple[dict[str, str | None], tuple[str, ...], dict[str, Any], int]] = {
    "no credentials": ({"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}, (), {}, exit_codes.IDENTITY),
    "a wrong secret": ({"PINECONE_CLIENT_SECRET": "x" * 64}, (), {}, exit_codes.IDENTITY),
    "a wrong variable": ({"PINECONE_CONTROLLER_HOST": "ftp://x"}, (), {}, exit_codes.USAGE),
    "an empty variable": ({"PINECONE_ACCESS_TOKEN": ""}, (), {}, exit_codes.USAGE),
    "no such profile": ({}, ("--profile", "nobody"), {}, exit_codes.IDENTITY),
    "a missing env file": ({}, ("--env-file", "nowhere"), {}, exit_codes.USAGE),
    "another organization": ({}, ("--expect-organization", "other"), {}, exit_codes.IDENTITY),
    "an option that does not exist": ({}, ("--nothing",), {}, exit_codes.USAGE),
    "a limit of token requests": ({}, (), {"get_token": {"status": 429, "retry_after": 3600}}, exit_codes.TRY_LATER),
    "a failing token endpoint": ({}, (), {"get_token": {"status": 503}}, exit_codes.TRY_LATER),
    "no connection": ({}, (), {"*": {"unreachable": True}}, exit_codes.TRY_LATER),
    "a limit": ({}, (), {"*": {"status": 429, "retry_after": 3600}}, exit_codes.TRY_LATER),
    "a refused token": ({}, (), {"*": {"status": 401}}, exit_codes.IDENTITY),
}


@pytest.mark.parametrize("cause", WRONG_EVERYWHERE)
def test_one_cause_has_one_exit_code_with_every_class_of_command(cause: str, tmp_path: Path) -> None:
    """A command that reads, changes, plans, reports or makes a secret ends with the code of the cause."""
    env, options, faults, expected = WRONG_EVERYWHERE[cause]
    with chdir(tmp_path), example_organization() as emulator:
        Path("people.csv").write_text("email\nada@example.com\n")
        Path("org.yaml").write_text("organization: Emulated Organization\nprojects: [{name: x}]\n")
        emulator.clock.advance(60)
        for line in COMMANDS_OF_CLASSES:
            emulator.faults.clear()
            for operation, fault in faults.items():
                emulator.faults.add(operation, times=None, **fault)
            done = run(*shlex.split(line), *options, env=env)
            assert done.exit == expected, (line, done)
            assert [path.name for path in Path().iterdir() if path.name == "people.json"] == []


def test_a_role_that_is_too_low_has_one_exit_code(tmp_path: Path) -> None:
    """Plans, exports, offboarding and rotations end with 10; reports that were written all the same end with 9."""
    with chdir(tmp_path), example_organization() as emulator:
        Path("people.csv").write_text("email\nada@example.com\n")
        Path("org.yaml").write_text("organization: Emulated Organization\nprojects: [{name: x}]\n")
        account = emulator.add_client(roles=["OrgMember", ("ProjectMember", next(iter(emulator.state.projects)))])
        env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
        emulator.clock.advance(60)
        for line in (
            "project create x --yes",
            "user offboard ada@example.com --yes",
            "user offboard ada@example.com --dry-run",
            "user offboard --people people.csv --out people.json",
            "project stale --match search --older-than 1s --yes",
            "plan org.yaml",
            "apply org.yaml --yes",
            "export",
            "api-key create k --project search --store exec:cat --yes",
            "api-key rotate-due --older-than 1s --keep-old-for 0 --store 'exec:cat {name}' --yes",
        ):
            done = run(*shlex.split(line), env=env)
            assert done.exit == exit_codes.NOT_ALLOWED, (line, done)
        for line in ("access", "inventory"):
            assert run(line, env=env).exit == exit_codes.PARTLY_DONE


def test_several_failures_have_the_code_of_their_cause_if_nothing_was_done() -> None:
    """Of several causes, of one that is not known, and beside work that was done, it is 9.

    A change that may have been made counts as the only change of a command does: 6, or 7 if it can be repeated.
    """
    nothing, something, safe = Ledger(), Ledger(), Ledger()
    something.begin(SentChange("create_project", method="POST", path=""))
    safe.begin(SentChange("delete_project", method="DELETE", path=""))
    assert find_exit_code_of_report(["PA204", "PA204"], nothing) == exit_codes.NOT_ALLOWED
    assert find_exit_code_of_report(["PA209", "PA401"], nothing) == exit_codes.TRY_LATER
    assert find_exit_code_of_report(["PA204", "PA209"], nothing) == exit_codes.PARTLY_DONE
    assert find_exit_code_of_report(["PA204"], nothing, is_anything_done=True) == exit_codes.PARTLY_DONE
    for codes in (["PA401"], ["PA401", "PA401"]):
        assert find_exit_code_of_report(codes, something) == exit_codes.UNKNOWN_OUTCOME
        assert find_exit_code_of_report(codes, safe) == exit_codes.TRY_LATER
    assert find_exit_code_of_report(["PA204", "PA401"], something) == exit_codes.PARTLY_DONE
    assert find_exit_code_of_report([], something) == exit_codes.DONE
    something.note_local_change("create_profile", "x")
    assert find_exit_code_of_report(["PA401"], something) == exit_codes.PARTLY_DONE
    assert find_exit_code_of_report([None], nothing) == exit_codes.PARTLY_DONE


STORE = "--store 'exec:false' --yes"
STORE_EACH = "--store 'exec:false {project} {name}' --yes"
STORES = {
    f"api-key create writer --project search {STORE}": exit_codes.REFUSED,
    f"api-key ensure writer --project search {STORE}": exit_codes.REFUSED,
    f"api-key rotate reader --project search --keep-old-for 0 {STORE}": exit_codes.REFUSED,
    f"service-account create robot --role OrgMember {STORE}": exit_codes.REFUSED,
    f"apply key.yaml {STORE}": exit_codes.REFUSED,
    f"api-key rotate-due --older-than 9s --keep-old-for 0 {STORE_EACH}": exit_codes.PARTLY_DONE,
    f"project provision fresh --role ProjectViewer {STORE}": exit_codes.REFUSED,
    f"apply key-and-project.yaml {STORE}": exit_codes.PARTLY_DONE,
    f"service-account rotate ci {STORE}": exit_codes.PARTLY_DONE,
}


@pytest.mark.parametrize("line", STORES)
def test_a_store_that_fails_ends_with_1_and_beside_work_that_remains_and_in_rotate_due_with_9(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a run is never worth retrying by itself, as the help of the codes and of secrets says."""
    monkeypatch.chdir(tmp_path)
    head = "organization: Emulated Organization\nprojects:\n"
    key = "- {name: search, api_keys: [{name: writer, roles: [ProjectViewer]}]}\n"
    Path("key.yaml").write_text(head + key)
    Path("key-and-project.yaml").write_text(f"{head}- {{name: more}}\n{key}")
    with example_organization() as emulator:
        emulator.clock.advance(60)
        done = run(*shlex.split(line))
    assert done.exit == STORES[line], done
    topics = {name: " ".join(run("help", name).stdout.split()) for name in ("exit-codes", "storing")}
    assert "a failed --store" in topics["exit-codes"]
    assert "api-key rotate-due could not store a secret" in topics["exit-codes"]
    page = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
    assert "Only `api-key rotate-due` exits with 9 in this case" in page
    assert "the exit code is 1, or 9 for rotate-due" in topics["storing"]


def test_what_reads_have_found_has_no_status_and_the_exit_code_of_its_class() -> None:
    """Where no server refused anything, the error object has no status; the class decides on the exit code."""
    binding = "role change --user ada@example.com --from OrgBillingAdmin"
    with example_organization():
        for words, code in (
            ("user offboard typo@example.com --yes", exit_codes.NOT_FOUND),
            ("user describe typo@example.com", exit_codes.NOT_FOUND),
            (f"{binding} --to OrgManager --yes", exit_codes.NOT_FOUND),
        ):
            error = run(*words.split(), "--output", "json").error
            assert (error["exit"], error["status"], error["outcome"]) == (code, None, "not_sent"), words
            assert "[" not in error["message"], words
    assert find_exit_code(errors.ForbiddenError("m")) == exit_codes.NOT_ALLOWED
    assert find_exit_code(errors.ForbiddenError("m", status_code=403)) == exit_codes.REFUSED, "a proxy"
    assert find_exit_code(errors.ForbiddenError("m", status_code=403, error_code="C")) == exit_codes.NOT_ALLOWED


def test_an_answer_that_cannot_be_read_is_an_unknown_outcome() -> None:
    """A create whose response is cut off must not be repeated, a read may be."""
    with example_organization() as emulator:
        emulator.faults.add("create_project", status=201, body="truncated", after_change=True)
        created = run("project", "create", "x", "--yes", "--output", "json")
        emulator.faults.add("list_projects", status=200, body="html", times=None)
        listed = run("project", "list", "--output", "json")
    assert (created.exit, created.error["outcome"]) == (exit_codes.UNKNOWN_OUTCOME, "done")
    assert listed.exit == exit_codes.REFUSED  # it does not pass by itself


def test_the_line_of_an_error_warns_if_its_change_may_have_been_made() -> None:
    """The line alone shows that the command must not be repeated, with and without a response."""
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
            done = run("project", "create", "x", "--confirm", "x")
            assert done.exit == exit_codes.UNKNOWN_OUTCOME, fault
            assert len(re.findall(r"Project x (may have been|was) created", done.stderr)) == 1, done.stderr


UPDATES = [spec for spec in METHOD_COMMANDS if spec.name == "update"]


@pytest.mark.parametrize("spec", UPDATES, ids=lambda spec: spec.full_name)
def test_only_what_can_be_repeated_in_the_same_words_ends_with_7(spec: Command) -> None:
    """A rename that may have been made cannot be repeated by the old name, which would end with 4, but by the id."""
    words = shlex.split(spec.example)[1:]
    renamed = {"--name"} & {*words}
    for by_id in (False, True):
        with example_organization() as emulator:
            noun, name = words[0], words[2]
            place = ("--project", "search") if noun == "api-key" else ()
            id = run(noun, "describe", name, *place).json["id"]
            line = [id if word == name and by_id else word for word in words]
            emulator.faults.add(f"update_{noun.replace('-', '_')}", drop="after", times=None)
            lost = run(*line)
            emulator.faults.clear()
            again = run(*line)
        assert lost.exit == (exit_codes.UNKNOWN_OUTCOME if renamed and not by_id else exit_codes.TRY_LATER), lost
        assert again.exit == (exit_codes.NOT_FOUND if renamed and not by_id else exit_codes.DONE), again


DELETES = [spec for spec in COMMANDS if spec.effect == "deletes" and not spec.is_workflow]


@pytest.mark.parametrize("spec", DELETES, ids=lambda spec: spec.full_name)
def test_a_deletion_whose_response_is_lost_is_not_to_be_repeated_blindly(spec: Command) -> None:
    """By name, by id or by path, the repetition would end with 4, as if what was named had never been there."""
    with example_organization(spec) as emulator:
        organization = emulator.state.organization
        words = [word for word in shlex.split(spec.example)[1:] if word != "--dry-run"]
        if spec.name == "send":
            empty = run("project", "describe", "empty").json["id"]
            words = ["send", "DELETE", f"/admin/projects/{empty}", "--confirm", empty]
        elif spec.path[0] == "organization":
            words += ["--confirm", organization.name]
        for kind in ("project", "api_key", "user", "invite", "service_account", "role_binding", "organization"):
            emulator.faults.add(f"delete_{kind}", drop="after", times=None)
        first = run(*words)
        emulator.faults.clear()
        again = run(*words)
    assert first.exit == exit_codes.UNKNOWN_OUTCOME, first
    assert "Before you run the command again, check what was done" in first.stderr
    assert again.exit != exit_codes.DONE, again


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
            assert "This fails on 1 difference, as you asked: " in failed.stderr
            assert "It exists with other settings, which were not changed (" in reported.stderr
            assert "not changed" not in failed.stderr + preview.stderr
            differences = [preview.json["report"]["differences"]]
            if "--reveal" not in words:  # which has the fields of a new secret alone
                differences += [failed.json["differences"], reported.json["differences"]]
            assert all(each == differences[0] != [] for each in differences)
        same = run("project", "ensure", "search", "--max-pods", "0", "--if-different", "fail", "--yes")
        assert (same.exit, same.stderr) == (0, "")
        assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}


def test_a_table_shows_a_difference_once() -> None:
    """On a terminal, the lines of the result have it, and beside a secret or a query, a line of standard error."""
    with example_organization():
        for words, difference in (
            (("project", "ensure", "search", "--max-pods", "1"), "found 0, wanted 1"),
            (("api-key", "ensure", "reader", "--project", "search", "--role", "ProjectEditor"), "wanted ProjectEditor"),
            (("service-account", "ensure", "ci", "--role", "OrgMember"), "wanted OrgMember"),
            (("invite", "ensure", "bob@example.com", "--role", "OrgManager"), "wanted OrgManager"),
        ):
            places = [["--reveal"], ["--store", "exec:cat"]] if words[0] in {"api-key", "service-account"} else [[]]
            for more in ([], ["--query", "created"], ["--dry-run"], ["--if-different", "fail"]):
                for place in places[-1:] if "--query" in more else places:  # which would leave a secret out
                    done = run(*words, *more, *place, "--yes", terminal=True)
                    assert " ".join(f"{done.stdout} {done.stderr}".split()).count(difference) == 1, done


def test_whatever_differs_and_is_left_is_said_beside_a_query() -> None:
    """A query leaves the differences out of the output; standard error has them, and not those that were changed."""
    with example_organization():
        for words in (
            ("project", "ensure", "search", "--require-cmek"),
            ("api-key", "ensure", "reader", "--project", "search", "--role", "ProjectEditor", "--store", "exec:cat"),
            ("service-account", "ensure", "ci", "--role", "OrgMember", "--store", "exec:cat"),
            ("invite", "ensure", "bob@example.com", "--role", "OrgManager"),
        ):
            left = run(*words, "--yes", "--query", "created", "--output", "raw")
            changed = run(*words, "--yes", "--if-different", "update")
            assert (left.exit, left.stdout, changed.exit) == (0, "false\n", 0), (words, left, changed)
            assert "It exists with other settings, which were not changed (" in left.stderr
            assert "not changed" not in changed.stderr
        granted = run("user", "ensure", "bob@example.com", "--role", "OrgMember", "--role", "OrgBillingAdmin", "--yes")
        more = run("user", "ensure", "bob@example.com", "--role", "OrgMember", "--yes")
        assert (granted.stderr, "There is also OrgBillingAdmin on organization" in more.stderr) == ("", True), more
        assert more.stderr.endswith(", which stay. To revoke them, add --revoke-others.\n")
        invite = ("invite", "ensure", "bob@example.com", "--role", "OrgMember", "--yes", "-o", "table")
        for options, option in (((), "--if-different update --revoke-others"), (("--if-different", "update"), "--rev")):
            kept = run(*invite, *options)
            assert f"To revoke them, add {option}" in kept.stderr
            assert "role_bindings" not in kept.stdout + kept.stderr
        run("project", "provision", "p", "--role", "DataPlaneEditor", "--store", "exec:cat", "--yes")
        again = run(
            "project",
            "provision",
            "p",
            "--role",
            "DataPlaneViewer",
            "--store",
            "exec:cat",
            "--yes",
            "--query",
            "created",
        )
        assert "The API key exists with other settings, which were not changed (roles: found" in again.stderr


def test_a_place_that_can_never_take_the_secret_is_not_worth_retrying() -> None:
    """Nothing is created, and the exit code shows that the command line or the file has a mistake."""
    Path("used.env").write_text("KEY=pcsk_other\n")
    Path("used.env").chmod(0o600)
    for words in (
        ("project", "provision", "acme", "--role", "DataPlaneEditor"),
        ("api-key", "ensure", "k", "--project", "search"),
        ("service-account", "ensure", "x", "--role", "OrgMember"),
    ):
        with example_organization() as emulator:
            before = list_ids(emulator)
            done = run(*words, "--store", "env-file:used.env#KEY", "--yes", "-o", "json")
            assert list_ids(emulator) == before, words
        assert (done.exit, done.error["outcome"], done.error["worth_retrying"]) == (exit_codes.USAGE, "not_sent", False)


def test_a_create_that_was_undone_because_its_store_failed_is_not_worth_retrying() -> None:
    """Nothing of it remains, and the exit code is 1: a nightly job must not make and delete keys for ever."""
    with example_organization() as emulator:
        before = set(emulator.state.api_keys)
        done = run("api-key", "create", "k", "--project", "search", "--store", "exec:false", "--yes", "-o", "json")
        assert set(emulator.state.api_keys) == before
    told = {name: done.error[name] for name in ("exit", "outcome", "worth_retrying", "code")}
    assert told == {
        "exit": exit_codes.REFUSED,
        "outcome": "undone",
        "worth_retrying": False,
        "code": "PA603",
    }


NO_CREDENTIALS = {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}


@pytest.mark.parametrize(
    ("line", "env", "code"),
    [
        ("project list", NO_CREDENTIALS, "exit-3"),
        ("project list --profile x", {}, "exit-3"),
        ("profile use x", {}, "exit-3"),
        ("project list --expect-organization other", {}, "exit-3"),
        ("help nothing", {}, "exit-4"),
        ("explain PA1", {}, "exit-4"),
        ("project describe nothing", {}, "PA205"),
    ],
)
def test_the_code_behind_a_message_explains_that_message(line: str, env: dict[str, str | None], code: str) -> None:
    """What only this machine knows is explained by its exit code: no argument has an invalid value."""
    with example_organization():
        done = run(*line.split(), env=env)
        explained = run("explain", code, "-o", "raw")
    assert done.stderr.endswith(f" [{code}]\n"), done
    assert explained.exit == 0
