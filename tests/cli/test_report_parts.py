"""The pure parts of reports: waivers, lists of people, explanations, requests, files, and times."""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import stat
import sys
from datetime import date
from inspect import signature
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

import attrs
import pytest

from pinecone_admin import operations, workflows
from pinecone_admin._text.help_codes import HELP
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls import sending
from pinecone_admin.cli.calls.audit_log import AuditLog
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.help.explanations import FINDINGS, find_explanation, list_explanations
from pinecone_admin.cli.help.topics import TOPICS
from pinecone_admin.cli.output import documents, files
from pinecone_admin.cli.output.files import check_writable, read_text, write_report
from pinecone_admin.cli.output.formats import to_plain
from pinecone_admin.cli.output.progress_display import describe_times, estimate_remaining
from pinecone_admin.cli.plans.plan_files import parse_people
from pinecone_admin.cli.reports.access_report import parse_waivers
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.models import APIKey, Invite, RoleBinding, ServiceAccount, User
from pinecone_admin.workflows import DueRotations, FailedRotation, Waiver
from pinecone_admin.workflows.findings import FindingKind


def test_a_file_of_waivers_has_the_fields_of_waivers() -> None:
    """Each entry of a list in YAML is a waiver; a day may be text or a date with a time."""
    waivers = parse_waivers(
        """
- {kind: many-owners, reason: the board, until: 2026-11-26}
- {kind: key-has-project-editor, key_id: k1, reason: import, until: "2027-01-01"}
- {kind: principal-is-gone, principal_id: u1, project_id: p1, reason: x, until: 2027-01-01T10:00:00Z}
""",
        "w.yaml",
    )
    assert waivers == [
        Waiver(kind="many-owners", reason="the board", until=date(2026, 11, 26)),
        Waiver(kind="key-has-project-editor", key_id="k1", reason="import", until=date(2027, 1, 1)),
        Waiver(kind="principal-is-gone", principal_id="u1", project_id="p1", reason="x", until=date(2027, 1, 1)),
    ]


def test_waivers_that_are_malformed_name_what_is_wrong() -> None:
    """The message about malformed waivers names the entry and what is wrong with it."""
    valid = {"kind": "many-owners", "reason": "x", "until": "2027-01-01"}
    cases: dict[str, object] = {
        "must be a list": valid,
        "waiver 2 must have": [valid, 5],
        "waiver 1 has the field 'ends'": [valid | {"ends": 1}],
        "waiver 1 has no reason": [valid | {"reason": ""}],
        "waiver 1 has no key_id": [valid | {"key_id": None}],
        "waiver 1 has no project_id": [valid | {"project_id": ""}],
        "waiver 1 has no until": [{"kind": "many-owners", "reason": "x"}],
        "waiver 1: kind 'many-owner' is no kind of finding: did you mean many-owners?": [
            valid | {"kind": "many-owner"}
        ],
        "is no kind of finding: there are could-not-be-read": [valid | {"kind": "xyz"}],
        "until must be a day": [valid | {"until": "soon"}],
        "waiver 1: until must be a day such as 2027-01-31, not of type int": [valid | {"until": 5}],
        "waiver 1: key_id must be a str, not int": [valid | {"key_id": 5}],
        "waiver 1: reason must be a str, not list": [valid | {"reason": ["x"]}],
    }
    for message, document in cases.items():
        with pytest.raises(PineconeValueError, match=message.replace("?", r"\?")):
            parse_waivers(json.dumps(document), "w.yaml")
    with pytest.raises(PineconeValueError, match=r"^w.yaml, line [23]: not YAML: "):
        parse_waivers("- kind: many-owners\n  reason: [", "w.yaml")
    with pytest.raises(PineconeValueError, match="'until' is there twice"):
        parse_waivers("- {kind: many-owners, reason: x, until: 2027-01-31, until: 2099-01-31}", "w.yaml")
    for day in ("2027-13-01", "2027-02-29", "2027-01-01T25:00:00Z"):
        with pytest.raises(PineconeValueError, match=f"waiver 1: until must be a day such as 2027-01-31, not '{day}'"):
            parse_waivers(f"- {{kind: many-owners, reason: x, until: {day}}}", "w.yaml")
    (read,) = parse_waivers("- {kind: many-owners, reason: x, until: 2027-01-31T10:00:00Z}", "w.yaml")
    assert read.until == date(2027, 1, 31)


def test_lists_of_people_are_read_however_a_spreadsheet_writes_them() -> None:
    """A column named email, with any separator, or one address in each line, gives the addresses in their order."""
    expected = ["ada@example.com", "bob@example.com"]
    texts = [
        "ada@example.com\n\n# on leave: eve@example.com\n  bob@example.com  \n",
        "name,Email\nAda,ada@example.com\nBob,bob@example.com\n",
        'Name;E-Mail\r\n"Lovelace; Ada";ada@example.com\r\nBob;bob@example.com\r\n',
        "email\tteam\nada@example.com\tx@y\nbob@example.com\n",
        "Ada,ada@example.com\nBob,bob@example.com",
        "# leavers\nticket,email\nHR-12,ada@example.com\n,\n#4711,bob@example.com\n",
        "#,email\n#1,ada@example.com\n#2,bob@example.com\n",
        "# who has left, email\nada@example.com\nbob@example.com\n",
    ]
    for text in texts:
        assert parse_people(text, "people.csv") == expected, text


def test_lists_of_people_that_are_malformed_name_the_line() -> None:
    """Every line without an address, or with several, is named; so is a list without any, or with two columns."""
    two = "line 1: 2 columns may have the addresses, "
    cases = {
        "": ["there is no email address"],
        "email\n": ["there is no email address"],
        "ada@example.com\nbob\neve\n": ["line 2: there is no email address;", "line 3: there is no email address;"],
        "ada@example.com,bob@example.com": ["line 1: there are several email addresses;"],
        "email,name\n,Ada": ["line 2: there is no email address in the column email"],
        "name,email\nAda": ["line 2: there is no email address in the column email"],
        "email\nx@\nada@example.com\ny@": ["line 2: it is not an email", "line 4: it is not an email address: 'y@'"],
        "email,name,Email\nada@example.com,Ada,bob@example.com": [f"{two}email and Email: "],
        "mail;id;e-mail\n;1;bob@example.com": [f"{two}mail and e-mail: "],
        'email\n"ada': ["line 2: not CSV: unexpected end"],
        'email,note\nada@example.com,"unclosed\nbob@example.com,\n': ["line 2: not CSV: unexpected end"],
        'email,note\n,"two\nlines"\n': ["line 2: there is no email address"],
        "HR-12,ada@example.com\n#4711,bob@example.com": ["line 2: it begins with #;"],
        f"email\n{'a' * 200_000}": ["line 2: not CSV: field larger"],
    }
    for text, problems in cases.items():
        with pytest.raises(PineconeValueError) as raised:
            parse_people(text, "people.csv")
        message = raised.value.message
        begin = "people.csv, line " if problems[0].startswith("line ") else "people.csv: "
        assert (message.startswith(begin), all(each in message for each in problems)) == (True, True), message
        assert len(getattr(raised.value, "__notes__", [])) == (0 if len(problems) == 1 else len(problems)), message


def test_every_code_is_explained_for_people_who_do_not_know_python() -> None:
    """Each error, exit code and kind of finding has an explanation that does not speak of Python."""
    explanations = {each.code: each for each in list_explanations()}
    exits = {f"exit-{code}" for code in exit_codes.MEANINGS}
    assert set(explanations) == {*HELP, *exits, *get_args(FindingKind)} == {*HELP, *exits, *FINDINGS}
    for each in explanations.values():
        assert each.meaning
        assert each.remedy
        assert not re.search("[Rr]ead the (message|output)", each.remedy), each.code  # which the reader has seen
        text = " ".join(each)
        for word in ("error.", "()", "with_options", "client open", "callable", "=True", "_"):
            # Variables and codes of the server are in capitals.
            assert word not in re.sub(r"[A-Z]+(_[A-Z]+)+", "", text), (each.code, word)
    assert find_explanation("pa205") == explanations["PA205"]
    assert find_explanation("5") == find_explanation("EXIT-5") == explanations["exit-5"]
    assert find_explanation("5.5") is None


def test_every_record_about_one_thing_is_flat_in_json() -> None:
    """As in the output of the command for one thing; a record of a saved plan is as the plan has it."""
    things = {APIKey, ServiceAccount, User, Invite, RoleBinding}
    nested: set[str] = set()
    for name, kind in inspect.getmembers(workflows, attrs.has):
        attrs.resolve_types(kind)
        types = [each.type for each in attrs.fields(kind) if get_origin(each.type) in {None, UnionType}]
        if any(len({each, *get_args(each)} & things) == 1 for each in types):
            nested.add(name)
    of_reports = {"DueAccountRotations", "OffboardReport"}  # which are about many
    assert nested - of_reports == {*documents.THINGS} - {"Ensured"}


def test_a_failure_about_no_key_has_the_fields_of_one() -> None:
    """They are null, except what is known of the project."""
    failed = FailedRotation(project_id="p1", project_name="search", key=None, reason="no keys", help_code="PA205")
    assert to_plain(DueRotations(dry_run=False, failed=[failed]))["failed"] == [
        {
            "id": None,
            "name": None,
            "project_id": "p1",
            "roles": None,
            "created_at": None,
            "project_name": "search",
            "reason": "no keys",
            "help_code": "PA205",
        }
    ]


def test_pages_of_help_fit_a_terminal_of_80_columns() -> None:
    """Each page about a topic begins with a sentence, and has no line of more than 80 columns."""
    for name, page in TOPICS.items():
        assert page.split("\n")[0].endswith("."), name
        assert page.endswith("\n"), name
        assert max(map(len, page.splitlines())) <= 80, name


def test_requests_are_built_from_what_is_typed() -> None:
    """A path with a query and a JSON body become an operation; what is malformed is named."""
    operation = sending.build_operation("GET", "/admin/users?limit=5&email=ada%40example.com&tag=a&tag=b", None)
    assert operation.path == "/admin/users"
    assert operation.query == {"limit": ["5"], "email": ["ada@example.com"], "tag": ["a", "b"]}
    assert sending.build_operation("POST", "/admin/projects", '{"name": "x"}').body == {"name": "x"}
    cases = [
        (("GET", "admin/users", None), "must begin with a slash"),
        (("GET", "/admin/users?limit", None), "must be like limit=5"),
        (("GET", "/admin/users", "{}"), "a GET request takes no --body"),
    ]
    for arguments, message in cases:
        with pytest.raises(PineconeValueError, match=message):
            sending.build_operation(*arguments)
    with pytest.raises(CLIError, match=r"^org\.json, line 2: not JSON: "):
        sending.build_operation("POST", "/admin/projects", "\n{name: x}", source="org.json")
    assert sending.last_segment("/admin/projects/p1/?x=1") == "p1"


def test_every_operation_that_makes_a_secret_is_known() -> None:
    """The operations whose response holds a secret are those that send does not begin without --reveal."""
    found: set[str] = set()
    for name in dir(operations):
        builder = getattr(operations, name)
        if inspect.isfunction(builder):
            required = [each.name for each in signature(builder).parameters.values() if each.default is each.empty]
            operation = builder(**dict.fromkeys(required, "x"))
            has_secret = "WithSecret" in getattr(operation.returns, "__name__", "")
            assert (sending.find_secret(operation.method, operation.path) is not None) == has_secret, name
            found |= {name} if has_secret else set()
    assert found == {"create_api_key", "create_service_account", "rotate_service_account_secret"}


def test_secrets_in_a_response_are_masked_wherever_they_are() -> None:
    """The fields that hold secrets are masked at any depth, and nothing else is."""
    response = {"key": {"id": "k", "name": "value"}, "value": "pcsk_x", "data": [{"client_secret": "s", "n": 1}]}
    assert sending.mask_secrets(response) == {
        "key": {"id": "k", "name": "value"},
        "value": "***",
        "data": [{"client_secret": "***", "n": 1}],
    }


def test_reports_are_readable_only_by_their_owner_and_complete_or_absent(tmp_path: Path) -> None:
    """A report has mode 0600 whatever was there before, follows a link, and leaves nothing behind when it fails."""
    target = tmp_path / "report"
    target.write_text("old")
    target.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(target)
    write_report(str(link), "new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(CLIError, match="cannot be written"):
        write_report(str(target), "\ud800")
    assert target.read_text() == "new"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "report"]
    check_writable("/dev/null")
    write_report("/dev/null", "to a device")
    reader, writer = os.pipe()  # as in --out >(gpg --encrypt …)
    check_writable(f"/dev/fd/{writer}")
    write_report(f"/dev/fd/{writer}", "to a pipe")
    assert os.read(reader, 100) == b"to a pipe"
    os.close(reader)
    os.close(writer)
    with pytest.raises(CLIError, match="the name of a file"):
        check_writable("-")
    cases = (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "its folder does not exist"),
        (target / "x", "its folder is a file"),
    )
    for path, reason in cases:
        with pytest.raises(CLIError, match=reason):
            check_writable(str(path))
    check_writable(str(target))


def test_links_of_other_users_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that others can write to, a link could lead to a file of this user, which would be overwritten."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("mine")
    link.symlink_to(target)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for write in (check_writable, lambda path: write_report(path, "x")):
        with pytest.raises(CLIError, match="link of another user"):
            write(str(link))
    with pytest.raises(CLIError, match="link of another user"):
        AuditLog(str(link), on_failure=print)
    assert target.read_text() == "mine"


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder and text that is not UTF-8 are named; a byte order mark is skipped."""
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "marked").write_bytes(b"\xef\xbb\xbfemail")
    for name, reason in (("none", "No such file"), (".", "directory"), ("latin", "not UTF-8")):
        with pytest.raises(CLIError, match=f"cannot be read.*{reason}"):
            read_text(str(tmp_path / name), sys.stdin)
    assert read_text(str(tmp_path / "marked"), sys.stdin) == "email"
    assert read_text("-", io.StringIO("typed")) == "typed"
    monkeypatch.setattr(files, "_MAX_CHARACTERS", 4)
    with pytest.raises(CLIError, match="cannot be read, because it is too large"):
        read_text("-", io.StringIO("typed"))


def test_the_remaining_time_is_estimated_once_there_is_something_to_estimate_from() -> None:
    """Five steps are needed for an estimate, and a known total; long times are in minutes."""
    assert estimate_remaining(10, 1, 5) is None
    assert estimate_remaining(10, 3, None) is None
    assert estimate_remaining(10, 5, 15) == 20
    assert describe_times(10, 20) == "10 s, about 20 s left"
    assert describe_times(240.2, None) == "4 min"
