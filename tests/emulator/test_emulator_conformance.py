"""Conformance: black-box checks that hold any Admin API against the rules, here the emulator over HTTP."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api import checks, dispatch, oauth, operations, paging
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.emulator.api.refusals import Refusal
from pinecone_admin.emulator.api.rule_catalogue import RULES
from pinecone_admin.emulator.conformance.__main__ import main
from pinecone_admin.emulator.conformance.registry import CHECKS, Phase
from pinecone_admin.emulator.conformance.service import Service
from pinecone_admin.emulator.model import state
from pinecone_admin.emulator.model.records import ProjectRecord
from pinecone_admin.emulator.model.role_bindings import RoleBindingIndex

ROOT = Path(__file__).parents[2]
WRITE = ("--write", "--mail-to", "conformance@example.com")
CHECKED = [each.rule for each in CHECKS]

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def url(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the emulator, with somebody in it, and put its credentials into the environment."""
    emulator.add_user("named@example.com", name="Nadia")
    emulator.add_user("nameless@example.com")
    monkeypatch.setenv("PINECONE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", emulator.client_secret)
    with serving(emulator) as address:
        yield address


@pytest.fixture
def conformance(url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that checks the emulator, and gives the exit status and the report."""

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["--host", url, "--oauth-url", url + TOKEN_PATH, "--patience", "0", *arguments])
        return status, capsys.readouterr().out

    return run


def verdicts(report: str) -> dict[str, str]:
    """Return what a report says of each rule."""
    return {rule: verdict for verdict, rule in re.findall(r"^(same|DIFFERS|skipped) +([\w-]+):", report, re.MULTILINE)}


def populated(emulator: Emulator) -> dict[str, int]:
    """Count what there is of everything but tokens."""
    document = emulator.dump()
    return {name: len(value) for name, value in document.items() if isinstance(value, list) and name != "tokens"}


def test_emulator_conforms(emulator: Emulator, conformance: Run) -> None:
    """Every check passes, and whatever was created is deleted again."""
    before = populated(emulator)
    status, report = conformance(*WRITE)
    assert set(verdicts(report).values()) == {"same"}
    assert list(verdicts(report)) == CHECKED
    assert f"{len(CHECKED)} rules are the same, 0 differ, 0 were skipped" in report
    assert status == 0
    assert populated(emulator) == before | {"invite_mails": 2}


def test_reading_changes_nothing(emulator: Emulator, conformance: Run) -> None:
    """Without --write nothing but tokens is asked for that could change anything, and the rest is skipped."""
    before = emulator.dump() | {"tokens": []}
    status, report = conformance()
    assert status == 0
    assert emulator.dump() | {"tokens": []} == before
    writes = [each for each in emulator.requests if each.method not in {"GET", "PUT"}]
    assert {each.operation_id for each in writes} == {"get_token"}
    assert [each.status for each in emulator.requests if each.method == "PUT"] == [405]
    assert verdicts(report)["created"] == verdicts(report)["invite-pending"] == "skipped"
    assert "needs --write" in report


def test_nobody_is_mailed_unasked(emulator: Emulator, conformance: Run) -> None:
    """Without --mail-to no invite is created."""
    _, report = conformance("--write")
    assert "needs --mail-to" in report
    assert not emulator.state.invite_mails


def test_small_plan_is_checked_as_far_as_it_goes(emulator: Emulator, conformance: Run) -> None:
    """What the plan does not have is skipped with its reason, and is no difference."""
    emulator.configure(plan="Free")
    status, report = conformance("--write")
    assert status == 0
    assert "the plan has no service accounts" in report
    assert "there is no room for another project" in report
    emulator.configure(project_quota=0)
    status, report = conformance("--write")
    assert (status, verdicts(report)["max-pods"]) == (0, "skipped")
    emulator.configure(project_quota=1, payment_status="Suspended")
    status, report = conformance("--write")
    assert "the organization's payment status forbids creating" in report
    assert (status, verdicts(report)["max-pods"]) == (0, "skipped")


def test_used_up_mail_limit_is_no_difference(emulator: Emulator, conformance: Run) -> None:
    """Where no more mails may be sent, the checks of invites are skipped with that reason."""
    emulator.configure(invite_mails_per_hour=0)
    status, report = conformance(*WRITE)
    assert "no more invites may be mailed in this hour" in report
    assert (status, verdicts(report)["invite-lifetime"]) == (0, "skipped")


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 500}])
def test_checks_that_cannot_be_prepared_are_no_success(
    emulator: Emulator, url: str, capsys: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    """Where the project to work in cannot be created, the status is 2, and one line says why."""
    emulator.faults.add("create_project", **fault)
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, *WRITE]) == 2
    told = capsys.readouterr()
    assert verdicts(told.out)["paged-lists"] == "same"
    assert told.err.startswith(f"cannot check {url}: ")


@pytest.mark.parametrize("requests", [60, 120, 121, 122, 180])
def test_interruption_leaves_nothing(
    emulator: Emulator, url: str, capsys: pytest.CaptureFixture[str], requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts the checks, wherever that is, finds nothing of theirs left, and no traceback."""
    before = populated(emulator)
    send, sent = Service.send, count(1)

    def interrupted(service: Service, method: str, path: str, **request: Any) -> httpx.Response:
        if next(sent) == requests:
            raise KeyboardInterrupt
        return send(service, method, path, **request)

    monkeypatch.setattr(Service, "send", interrupted)
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, *WRITE]) == 2
    assert "interrupted; everything created has been deleted" in capsys.readouterr().err
    assert populated(emulator) | {"invite_mails": 0} == before


def test_what_cannot_be_cleaned_up_is_told(emulator: Emulator, conformance: Run) -> None:
    """Something that cannot be deleted again is named for whoever runs it, and the status is 1."""
    emulator.faults.add("delete_invite", drop="before", times=None)
    status, report = conformance(*WRITE)
    assert status == 1
    assert re.search(r"^LEFT +/admin/invites/\S+: Server disconnected", report, re.MULTILINE)


def test_answers_of_another_form_are_differences(emulator: Emulator, conformance: Run) -> None:
    """A success that is no document of the API is a difference, and no traceback."""
    emulator.faults.add("list_users", status=200, body="list", times=None)
    emulator.faults.add("list_invites", drop="after", times=None)
    status, report = conformance()
    assert status == 1
    assert "a response is malformed: " in report
    assert "Server disconnected without sending a response" in report


# Each check can fail


class Broken(Emulator):
    """An emulator whose answers, from a moment on, are all wrong."""

    wrong = False

    def handle(self, request: Request) -> Response:
        """Answer with a status of its own."""
        response = super().handle(request)
        return Response(418, {}, b'{"error": {}}') if self.wrong else response


def always(value: object) -> Callable[..., object]:
    """Return a function that gives a value, whatever it is given."""
    return lambda *_: value


def _unversioned(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(dispatch, "_require_api_version", always(None))


def _any_limit(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(checks, "page_limit", always(100))


class _Anything(str):
    """Differs from nothing."""

    __slots__ = ()

    def __ne__(self, _other: object) -> bool:
        return False


def _lax_audience(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(oauth, "AUDIENCE", _Anything())


def _pods_for_all(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "_read_max_pods", always(1))


def _longer_invites(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(state, "INVITE_LIFETIME", 2 * state.INVITE_LIFETIME)


def _anybody_grants(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_caller_holds", always(None))


def _several_invites(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_free_email", always(None))


def _immortal_tokens(_: pytest.MonkeyPatch, emulator: Emulator) -> None:
    emulator.configure(rotation_revokes_tokens=False)


def _other_prefix(_: pytest.MonkeyPatch, emulator: Emulator) -> None:
    emulator.configure(key_prefix="sk_")


def _created(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    handle = dispatch.handle

    def handled(request: Request, *arguments: Any) -> Response:
        answer = handle(request, *arguments)
        success = dispatch.operation_id(request) == operation and answer.status == 200
        return evolve(answer, status=201) if success else answer

    monkeypatch.setattr(dispatch, "handle", handled)


def _projects_with_201(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    _created(monkeypatch, "create_project")


def _invites_with_201(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    _created(monkeypatch, "create_invite")


def _whole_pages(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    window = paging.read_page_request
    monkeypatch.setattr(paging, "read_page_request", lambda *arguments: evolve(window(*arguments), limit=100))


def _any_role(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    matching = RoleBindingIndex.matching
    monkeypatch.setattr(RoleBindingIndex, "matching", lambda self, wanted: matching(self, evolve(wanted, role=None)))


def _unique_projects(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    add = state.State.add_project

    def add_unique(self: state.State, name: str, *arguments: Any, **fields: Any) -> ProjectRecord:
        if any(project.name == name for project in self.projects.values()):
            raise Refusal(409, "ALREADY_EXISTS", f"there is a project {name} already")
        return add(self, name, *arguments, **fields)

    monkeypatch.setattr(state.State, "add_project", add_unique)


def _duplicate_bindings(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_unbound", always(None))


BROKEN = [
    (_unversioned, "version-header"),
    (_any_limit, "limit-range"),
    (_lax_audience, "token-audience"),
    (_pods_for_all, "max-pods"),
    (_longer_invites, "invite-lifetime"),
    (_anybody_grants, "grant-rule"),
    (_several_invites, "invite-pending"),
    (_immortal_tokens, "rotated-tokens"),
    (_other_prefix, "key-value"),
    (_duplicate_bindings, "binding-exists"),
    (_projects_with_201, "created"),
    (_invites_with_201, "invite-lifetime"),
    (_whole_pages, "paged-lists"),
    (_any_role, "binding-filters"),
    (_unique_projects, "names-not-unique"),
]


@pytest.mark.parametrize(("break_rule", "rule"), BROKEN)
def test_rule_broken_on_purpose_is_reported(
    break_rule: Callable[[pytest.MonkeyPatch, Emulator], None],
    rule: str,
    emulator: Emulator,
    conformance: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rule that the emulator breaks is reported by its name and what it says, and the status is 1."""
    break_rule(monkeypatch, emulator)
    status, report = conformance(*WRITE)
    assert status == 1
    assert f"DIFFERS  {rule}: {RULES[rule]}\n         " in report


OTHERS = [each for each in CHECKS if each.rule not in {rule for _, rule in BROKEN}]


@pytest.mark.parametrize("check", OTHERS, ids=[each.rule for each in OTHERS])
def test_each_other_check_can_fail(
    check: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the answers are wrong while a rule is checked, that rule is reported, and the others are not."""
    emulator = Broken(seed=1)
    emulator.add_user("named@example.com", name="Nadia")

    def run(service: Any) -> None:
        emulator.wrong = True
        try:
            check.run(service)
        finally:
            emulator.wrong = False

    only = type(check)(check.rule, run, check.phase)
    monkeypatch.setattr("pinecone_admin.emulator.conformance.__main__.CHECKS", [only])
    monkeypatch.setenv("PINECONE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", emulator.client_secret)
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **options: client(transport=emulator.transport, **options))
    assert main([*WRITE, "--patience", "0"]) == 1
    assert verdicts(capsys.readouterr().out) == {check.rule: "DIFFERS"}


# The command


def test_command_runs_and_tells(url: str) -> None:
    """The command checks a service by its addresses, with the credentials of the environment."""
    command = [sys.executable, "-m", "pinecone_admin.emulator.conformance", "--host", url, "--oauth-url"]
    done = subprocess.run(
        [*command, url + TOKEN_PATH], capture_output=True, text=True, cwd=ROOT, timeout=180, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 differ" in done.stdout
    assert os.environ["PINECONE_CLIENT_SECRET"] not in done.stdout


def test_terminated_command_leaves_nothing(emulator: Emulator, url: str) -> None:
    """A CI that gives up and sends SIGTERM finds nothing left, either."""
    before = populated(emulator)
    emulator.faults.add("rotate_service_account_secret", delay=60)
    command = [sys.executable, "-m", "pinecone_admin.emulator.conformance", "--host", url, "--oauth-url"]
    with subprocess.Popen(
        [*command, url + TOKEN_PATH, "--write"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert any("same     created" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=180)
    assert (process.returncode, error.count("\n")) == (2, 1)
    assert populated(emulator) == before


def test_report_that_nobody_reads_leaves_nothing(emulator: Emulator, url: str) -> None:
    """Whoever pipes it into head gets one line and status 2, and what was created is deleted again."""
    before = populated(emulator)
    command = [sys.executable, "-m", "pinecone_admin.emulator.conformance", "--host", url, "--oauth-url"]
    with subprocess.Popen(
        [*command, url + TOKEN_PATH, "--write"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert any("same     created" in line for line in process.stdout)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == "cannot write the report: Broken pipe\n"
    assert process.returncode == 2
    assert populated(emulator) == before


def test_report_without_an_output_is_its_status(url: str) -> None:
    """Where the output is closed, the exit status tells enough."""
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "pinecone_admin.emulator.conformance"]
    done = subprocess.run(
        [*command, "--host", url, "--oauth-url", url + TOKEN_PATH],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "http://127.0.0.1:9"], "cannot check http://127.0.0.1:9"),
        (["--host", "nowhere"], "cannot check nowhere"),
        (["--oauth-url", "http://127.0.0.1:9/oauth/token"], "Connection refused"),
    ],
)
def test_service_that_is_not_there(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """A service that cannot be reached is one line and status 2."""
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_credentials_are_needed(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing and wrong credentials are one line and status 2."""
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "wrong")
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH]) == 2
    assert "401 access_denied" in capsys.readouterr().err
    monkeypatch.delenv("PINECONE_CLIENT_SECRET")
    assert main(["--host", url]) == 2
    assert "PINECONE_CLIENT_SECRET" in capsys.readouterr().err


def test_checks_name_rules() -> None:
    """Each check is of a rule of the catalogue, one for each rule, and those that read come first."""
    assert set(CHECKED) <= set(RULES)
    assert len(set(CHECKED)) == len(CHECKED)
    assert [each.phase for each in CHECKS] == sorted((each.phase for each in CHECKS), key=list(Phase).index)
