"""Conformance: black-box checks of any Admin API against the rules, here of the emulator over HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
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
from pinecone_admin.emulator.model import state
from pinecone_admin.emulator.model.records import INVITE_LIFETIME, ProjectRecord
from pinecone_admin.emulator.model.role_bindings import RoleBindingIndex
from tests.conformance import __main__ as conformance
from tests.conformance.__main__ import main
from tests.conformance.registry import CHECKS, Phase
from tests.conformance.service import Service

ROOT = Path(__file__).parents[2]
WRITE = ("--write", "--mail-to", "conformance@example.com")
CHECKED = [each.rule for phase in Phase for each in CHECKS if each.phase is phase]
UNTOLD = {"project-quota", "user-quota"}  # in an organization below its limits

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def url(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the emulator with two users, and set its credentials in the environment."""
    emulator.add_user("named@example.com", name="Nadia")
    emulator.add_user("nameless@example.com")
    monkeypatch.setenv("PINECONE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", emulator.client_secret)
    with serving(emulator) as address:
        yield address


@pytest.fixture
def run_conformance(url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that checks the emulator and returns the exit status and the report."""

    def run(*arguments: str) -> tuple[int, str]:
        addresses = ("--host", url, "--oauth-url", url + TOKEN_PATH)
        status = main([*addresses, "--reports", str(tmp_path), "--patience", "0", *arguments])
        return status, capsys.readouterr().out

    return run


def read_verdicts(report: str) -> dict[str, str]:
    """Return the verdict of each rule in a report."""
    return {rule: verdict for verdict, rule in re.findall(r"^(same|DIFFERS|skipped) +([\w-]+):", report, re.MULTILINE)}


def count_records(emulator: Emulator) -> dict[str, int]:
    """Return the number of records by kind, without tokens."""
    document = emulator.dump()
    return {name: len(value) for name, value in document.items() if isinstance(value, list) and name != "tokens"}


def test_emulator_conforms(emulator: Emulator, run_conformance: Run) -> None:
    """Every check that the plan lets tell passes, and everything created is deleted again."""
    before = count_records(emulator)
    status, report = run_conformance(*WRITE)
    assert read_verdicts(report) == {rule: "skipped" if rule in UNTOLD else "same" for rule in CHECKED}
    assert list(read_verdicts(report)) == CHECKED
    assert f"Rules that are the same: {len(CHECKED) - len(UNTOLD)}; that differ: 0; skipped: {len(UNTOLD)}." in report
    assert status == 0
    assert count_records(emulator) == before | {"invite_mails": 2}


def test_a_reached_limit_is_checked(emulator: Emulator, run_conformance: Run) -> None:
    """The limit of projects is checked in an organization that has reached it, and differs if it exceeds it."""
    for number in range(99):
        emulator.state.add_project(str(number), emulator.clock.now())
    emulator.configure(project_quota=101)
    _, report = run_conformance("--write")
    assert read_verdicts(report)["project-quota"] == "DIFFERS"  # one more could be created
    emulator.configure(project_quota=None)
    _, report = run_conformance("--write")
    assert read_verdicts(report)["project-quota"] == "same"


@pytest.mark.long
def test_reached_limits_of_users_are_checked(emulator: Emulator, run_conformance: Run) -> None:
    """The plan decides on the limit of users and on service accounts."""
    for plan, users, verdict in (("Free", 3, "same"), ("Free", 6, "DIFFERS"), ("Standard", 6, "skipped")):
        emulator.configure(plan=plan)
        while len(emulator.state.users) < users:
            emulator.add_user(f"{len(emulator.state.users)}@example.com")
        _, report = run_conformance("--write")
        assert read_verdicts(report)["user-quota"] == verdict
        assert read_verdicts(report)["plan-service-accounts"] == "same"


def test_run_writes_a_report_that_can_be_committed(
    emulator: Emulator, url: str, run_conformance: Run, tmp_path: Path
) -> None:
    """A report names the service, the date and the verdicts, and no id or secret of the organization."""
    emulator.faults.add("list_users", status=200, body="list", times=None)
    status, output = run_conformance(*WRITE)
    (path,) = tmp_path.iterdir()
    report = json.loads(path.read_text(encoding="utf-8"))
    assert (status, report.pop("rules")) == (1, read_verdicts(output))
    assert report == {"service": url, "version": "2026-07", "date": datetime.now(UTC).date().isoformat()}


def test_report_of_another_service_needs_a_folder(url: str) -> None:
    """Without --reports, a run against an emulator writes nothing to docs/conformance."""
    before = sorted(conformance.REPORTS.iterdir())
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH]) == 0
    assert sorted(conformance.REPORTS.iterdir()) == before


def test_report_that_cannot_be_written_exits_with_status_2(
    url: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A place for reports that is no folder is refused before the first check."""
    (tmp_path / "file").touch()
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, "--reports", str(tmp_path / "file")]) == 2
    captured = capfd.readouterr()
    assert "same" not in captured.out
    assert f"cannot write to {tmp_path / 'file'}: File exists" in captured.err


def test_default_checks_change_nothing(emulator: Emulator, run_conformance: Run) -> None:
    """Without --write, the API gets reads only, and the checks that need more are skipped."""
    before = emulator.dump() | {"tokens": []}
    status, report = run_conformance()
    assert status == 0
    assert emulator.dump() | {"tokens": []} == before
    writes = [each for each in emulator.requests if each.method != "GET"]
    assert {each.operation_id for each in writes} == {"get_token"}
    assert read_verdicts(report)["created"] == read_verdicts(report)["invite-pending"] == "skipped"
    assert "needs --write" in report


def test_no_invite_is_sent_without_mail_to(emulator: Emulator, run_conformance: Run) -> None:
    """Without --mail-to no invite is created."""
    _, report = run_conformance("--write")
    assert "needs --mail-to" in report
    assert not emulator.state.invite_mails


def test_rules_outside_the_plan_are_skipped(emulator: Emulator, run_conformance: Run) -> None:
    """A check that the plan or payment status rules out is skipped with the reason."""
    emulator.configure(plan="Free")
    status, report = run_conformance("--write")
    assert status == 0
    assert "the plan has no service accounts" in report
    assert "there is no room for another project" in report
    emulator.configure(project_quota=0)
    status, report = run_conformance("--write")
    assert (status, read_verdicts(report)["max-pods"]) == (0, "skipped")
    emulator.configure(project_quota=1, payment_status="Suspended")
    status, report = run_conformance("--write")
    assert "the organization's payment status forbids creating" in report
    assert (status, read_verdicts(report)["max-pods"]) == (0, "skipped")


def test_exhausted_mail_limit_skips_invite_checks(emulator: Emulator, run_conformance: Run) -> None:
    """The invite checks are skipped with the reason if no more mails can be sent."""
    emulator.configure(invite_mails_per_hour=0)
    status, report = run_conformance(*WRITE)
    assert "no more invites may be mailed in this hour" in report
    assert (status, read_verdicts(report)["invite-lifetime"]) == (0, "skipped")


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 500}])
def test_failed_preparation_exits_with_status_2(
    emulator: Emulator, url: str, capsys: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    """If the project for the checks cannot be created, the exit status is 2 and one line states the reason."""
    emulator.faults.add("create_project", **fault)
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, *WRITE]) == 2
    captured = capsys.readouterr()
    assert read_verdicts(captured.out)["paged-lists"] == "same"
    assert captured.err.startswith(f"cannot check {url}: ")


@pytest.mark.parametrize(
    "requests", [60, 121, *(pytest.param(each, marks=pytest.mark.long) for each in (120, 122, 180))]
)
def test_interruption_deletes_everything_created(
    emulator: Emulator, url: str, capsys: pytest.CaptureFixture[str], requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption at any request deletes everything created and prints no traceback."""
    before = count_records(emulator)
    send, sent = Service.send, count(1)

    def send_or_interrupt(service: Service, method: str, path: str, **request: Any) -> httpx.Response:
        if next(sent) == requests:
            raise KeyboardInterrupt
        return send(service, method, path, **request)

    monkeypatch.setattr(Service, "send", send_or_interrupt)
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH, *WRITE]) == 2
    assert "interrupted; everything created has been deleted" in capsys.readouterr().err
    assert count_records(emulator) | {"invite_mails": 0} == before


def test_failed_cleanup_is_reported(emulator: Emulator, run_conformance: Run) -> None:
    """A record that cannot be deleted again is reported, and the exit status is 1."""
    emulator.faults.add("delete_invite", drop="before", times=None)
    status, report = run_conformance(*WRITE)
    assert status == 1
    assert re.search(r"^LEFT +/admin/invites/\S+: Server disconnected", report, re.MULTILINE)


def test_malformed_responses_are_differences(emulator: Emulator, run_conformance: Run) -> None:
    """A malformed or missing response is reported as a difference, without a traceback."""
    emulator.faults.add("list_users", status=200, body="list", times=None)
    emulator.faults.add("list_invites", drop="after", times=None)
    status, report = run_conformance()
    assert status == 1
    assert "a response is malformed: " in report
    assert "Server disconnected without sending a response" in report


# Every check can fail


class FailingEmulator(Emulator):
    """An emulator whose responses are all wrong while `failing` is set."""

    failing = False

    def handle(self, request: Request) -> Response:
        """Return status 418 while failing."""
        response = super().handle(request)
        return Response(418, {}, b'{"error": {}}') if self.failing else response


def return_always(value: object) -> Callable[..., object]:
    """Return a function that returns the value for any arguments."""
    return lambda *_: value


def _accept_any_version(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(dispatch, "_read_api_version", return_always("2026-07"))


def _accept_any_limit(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(checks, "page_limit", return_always(100))


class _EqualToAll(str):
    """A string that equals every other."""

    __slots__ = ()

    def __ne__(self, _other: object) -> bool:
        return False


def _accept_any_audience(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(oauth, "AUDIENCE", _EqualToAll())


def _ignore_max_pods(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "_read_max_pods", return_always(1))


def _extend_invites(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(state, "INVITE_LIFETIME", 2 * INVITE_LIFETIME)


def _allow_every_grant(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_grantable", return_always(None))


def _open_permissions(_: pytest.MonkeyPatch, emulator: Emulator) -> None:
    emulator.configure(permissions="open")


def _allow_several_invites(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_free_email", return_always(None))


def _keep_tokens_after_rotation(_: pytest.MonkeyPatch, emulator: Emulator) -> None:
    emulator.configure(rotation_revokes_tokens=False)


def _change_key_prefix(_: pytest.MonkeyPatch, emulator: Emulator) -> None:
    emulator.configure(key_prefix="sk_")


def _respond_with(monkeypatch: pytest.MonkeyPatch, operation: str, status: int) -> None:
    handle = dispatch.handle

    def handle_with_status(request: Request, *arguments: Any) -> Response:
        response = handle(request, *arguments)
        success = dispatch.operation_id(request) == operation and response.status == 200
        return evolve(response, status=status) if success else response

    monkeypatch.setattr(dispatch, "handle", handle_with_status)


def _create_projects_with_201(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    _respond_with(monkeypatch, "create_project", 201)


def _create_invites_with_201(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    _respond_with(monkeypatch, "create_invite", 201)


def _ignore_limit(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    read_page_request = paging.read_page_request
    monkeypatch.setattr(
        paging, "read_page_request", lambda *arguments: evolve(read_page_request(*arguments), limit=100)
    )


def _ignore_role_filter(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    matching = RoleBindingIndex.matching
    monkeypatch.setattr(
        RoleBindingIndex, "matching", lambda self, binding_filter: matching(self, evolve(binding_filter, role=None))
    )


def _require_unique_projects(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    add = state.State.add_project

    def add_unique(self: state.State, name: str, *arguments: Any, **fields: Any) -> ProjectRecord:
        if any(project.name == name for project in self.projects.values()):
            raise Refusal(409, "ALREADY_EXISTS", f"there is a project {name} already")
        return add(self, name, *arguments, **fields)

    monkeypatch.setattr(state.State, "add_project", add_unique)


def _allow_duplicate_bindings(monkeypatch: pytest.MonkeyPatch, _: Emulator) -> None:
    monkeypatch.setattr(operations, "require_unbound", return_always(None))


DEFECTS = [
    (_accept_any_version, "version-header"),
    (_accept_any_limit, "limit-range"),
    (_accept_any_audience, "token-audience"),
    (_ignore_max_pods, "max-pods"),
    (_extend_invites, "invite-lifetime"),
    (_allow_every_grant, "grant-rule"),
    (_open_permissions, "read-role-bindings"),
    (_allow_several_invites, "invite-pending"),
    (_keep_tokens_after_rotation, "rotated-tokens"),
    (_change_key_prefix, "key-value"),
    (_allow_duplicate_bindings, "binding-exists"),
    (_create_projects_with_201, "created"),
    (_create_invites_with_201, "invite-lifetime"),
    (_ignore_limit, "paged-lists"),
    (_ignore_role_filter, "binding-filters"),
    (_require_unique_projects, "names-not-unique"),
]


@pytest.mark.parametrize(("break_rule", "rule"), DEFECTS)
def test_broken_rule_is_reported(
    break_rule: Callable[[pytest.MonkeyPatch, Emulator], None],
    rule: str,
    emulator: Emulator,
    run_conformance: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rule that the emulator breaks is reported with its name and text, and the exit status is 1."""
    break_rule(monkeypatch, emulator)
    monkeypatch.setattr(conformance, "CHECKS", [each for each in CHECKS if each.rule == rule])
    status, report = run_conformance(*WRITE)
    assert status == 1
    assert f"DIFFERS  {rule}: {RULES[rule].text}\n         " in report


@pytest.mark.parametrize(("created_key", "differing"), [(201, []), (202, ["created-key"])])
@pytest.mark.long
def test_status_of_a_created_key_decides_one_check(
    created_key: int, differing: list[str], run_conformance: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A created key may have 200, as the emulator's, or 201; with another status, only the check of that differs."""
    _respond_with(monkeypatch, "create_api_key", created_key)
    _, report = run_conformance(*WRITE)
    assert [rule for rule, verdict in read_verdicts(report).items() if verdict == "DIFFERS"] == differing


OTHER_CHECKS = [each for each in CHECKS if each.rule not in {rule for _, rule in DEFECTS}]


@pytest.mark.parametrize("check", OTHER_CHECKS, ids=[each.rule for each in OTHER_CHECKS])
def test_wrong_responses_fail_every_other_check(
    check: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """If the responses are wrong during a check, the check reports its rule."""
    emulator = FailingEmulator(seed=1)
    emulator.add_user("named@example.com", name="Nadia")

    def run(service: Any) -> None:
        emulator.failing = True
        try:
            check.run(service)
        finally:
            emulator.failing = False

    only = type(check)(check.rule, run, check.phase)
    monkeypatch.setattr("tests.conformance.__main__.CHECKS", [only])
    monkeypatch.setenv("PINECONE_CLIENT_ID", emulator.client_id)
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", emulator.client_secret)
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **options: client(**options | {"transport": emulator.transport}))
    assert main([*WRITE, "--reports", str(tmp_path), "--patience", "0"]) == 1
    assert read_verdicts(capsys.readouterr().out) == {check.rule: "DIFFERS"}


# The command


def test_command_checks_a_service(url: str, tmp_path: Path) -> None:
    """The command checks the service at its URLs with the credentials in the environment."""
    command = [sys.executable, "-m", "tests.conformance", "--host", url, "--oauth-url"]
    arguments = [url + TOKEN_PATH, "--reports", str(tmp_path)]
    process = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=180, check=False)
    assert (process.returncode, process.stderr) == (0, "")
    assert "that differ: 0;" in process.stdout
    assert os.environ["PINECONE_CLIENT_SECRET"] not in process.stdout


def test_terminated_command_deletes_everything_created(emulator: Emulator, url: str) -> None:
    """SIGTERM stops the checks and deletes everything created."""
    before = count_records(emulator)
    emulator.faults.add("rotate_service_account_secret", delay=60)
    command = [sys.executable, "-m", "tests.conformance", "--host", url, "--oauth-url"]
    with subprocess.Popen(
        [*command, url + TOKEN_PATH, "--write"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert any("same     created" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=180)
    assert (process.returncode, error.count("\n")) == (2, 1)
    assert count_records(emulator) == before


@pytest.mark.long
def test_unread_report_deletes_everything_created(emulator: Emulator, url: str) -> None:
    """A closed pipe is reported in one line with exit status 2, and everything created is deleted."""
    before = count_records(emulator)
    command = [sys.executable, "-m", "tests.conformance", "--host", url, "--oauth-url"]
    with subprocess.Popen(
        [*command, url + TOKEN_PATH, "--write"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert any("same     created" in line for line in process.stdout)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == "cannot write the report: Broken pipe\n"
    assert process.returncode == 2
    assert count_records(emulator) == before


@pytest.mark.long
def test_closed_output_leaves_the_exit_status(url: str, tmp_path: Path) -> None:
    """With standard output closed, the exit status reports the result."""
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "tests.conformance"]
    process = subprocess.run(
        [*command, "--host", url, "--oauth-url", url + TOKEN_PATH, "--reports", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        timeout=180,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"--host": "http://127.0.0.1:9"}, "cannot check http://127.0.0.1:9"),
        ({"--host": "nowhere"}, "cannot check nowhere"),
        ({"--oauth-url": "http://127.0.0.1:9/oauth/token"}, "Connection refused"),
    ],
)
def test_unreachable_service_exits_with_status_2(
    url: str, capsys: pytest.CaptureFixture[str], options: dict[str, str], message: str
) -> None:
    """An unreachable service is reported in one line with exit status 2."""
    addresses = {"--host": url, "--oauth-url": url + TOKEN_PATH, **options}
    assert main([word for option in addresses.items() for word in option]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_credentials_are_required(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing and wrong credentials are reported in one line with exit status 2."""
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "wrong")
    assert main(["--host", url, "--oauth-url", url + TOKEN_PATH]) == 2
    assert "401 access_denied" in capsys.readouterr().err
    monkeypatch.delenv("PINECONE_CLIENT_SECRET")
    assert main(["--host", url]) == 2
    assert "PINECONE_CLIENT_SECRET" in capsys.readouterr().err


def test_addresses_come_from_the_variables_of_the_client(
    url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Beside a served emulator, a run without options sends nothing to production."""
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", url)
    monkeypatch.setenv("PINECONE_OAUTH_URL", url + TOKEN_PATH)
    assert main(["--record", str(tmp_path / "trial.jsonl")]) == 0
    assert (tmp_path / "trial.jsonl").exists()
    assert emulator.requests.filter("get_token")


def test_each_check_has_its_own_rule() -> None:
    """Each check has its own rule of the catalogue."""
    assert set(CHECKED) <= set(RULES)
    assert len(set(CHECKED)) == len(CHECKED)
