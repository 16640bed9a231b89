"""Recordings of the conformance checks: nothing of an organization is in them, and a replay shows what differs."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from attrs import evolve

from pinecone_admin import on_organization
from pinecone_admin.emulator import Clock, Emulator, serving
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from tests.conformance import __main__ as conformance
from tests.conformance import recording as recordings
from tests.conformance import vocabulary
from tests.conformance.__main__ import main
from tests.conformance.audit import LeakError
from tests.conformance.playback import recheck
from tests.conformance.recording import PRODUCTION, RecordingTransport, read_recording
from tests.conformance.replay import Axis, replay
from tests.conformance.sanitizer import Sanitizer
from tests.conformance.service import AccountCredentials, Service
from tests.support.sampling import some_daily

ROOT = Path(__file__).resolve().parents[2]
WRITE = ("--write", "--mail-to", "invited-by-nobody@quillhaven.test")

NAMES = ("Quillhaven ledger", 'Zephyrine/7 "blue"', "straße-ΔΩ", "OrgOwner", "nobody", "name", "conformance", "abc")
"""Names of projects. Some are words that a recording has, too."""

PEOPLE = (("Ottoline.Vex@quillhaven.test", "Ottoline Vex"), ("nobody@quillhaven.test", "renamed"))


def make_organization(clock: Clock | None = None) -> Emulator:
    """Return an emulator with values that can be looked for."""
    emulator = Emulator(seed=5, clock=clock)
    emulator.state.organization.name = "Quillhaven Research"
    for email, name in PEOPLE:
        emulator.add_user(email, name=name, roles=["OrgManager"])
    with emulator.admin() as admin:
        for name in NAMES:
            project = admin.projects.create(name=name)
            admin.api_keys.create(project_id=project.id, name=f"{name} key", roles=["DataPlaneViewer", "ProjectViewer"])
        admin.service_accounts.create(name="Quillhaven deployer")
        for name in ("expired", "pending"):
            admin.invites.create(email=f"{name}.vex@quillhaven.test", role_bindings=[on_organization("OrgMember")])
            emulator.clock.advance(5 * 24 * 3600)
    return emulator


def keep(response: httpx.Response) -> httpx.Response:
    """Return a response as it is."""
    return response


class Recorded:
    """A run against an emulator, with its recording."""

    def __init__(
        self,
        path: Path,
        *arguments: str,
        emulator: Emulator | None = None,
        differ: Callable[[httpx.Response], httpx.Response] = keep,
    ) -> None:
        self.path = path
        self.emulator = emulator or make_organization(Clock(ticking=True))
        self.sent: list[str] = []
        self.recorder: Any = None
        handle = self.emulator.transport.handle_request

        def start(options: Any, account: AccountCredentials) -> RecordingTransport:
            arguments = recordings.list_arguments(account, options.mail_to)
            recorder = RecordingTransport(self.emulator.transport, options.oauth_url, arguments)
            self.recorder = recorder
            return recorder

        def handle_and_keep(request: httpx.Request) -> httpx.Response:
            response = differ(handle(request))
            headers = [*request.headers.items(), *response.headers.items()]
            self.sent += [str(request.url), request.content.decode(), response.text, *(f"{n}: {v}" for n, v in headers)]
            return response

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conformance, "_start_recording", start)
            patch.setattr(self.emulator.transport, "handle_request", handle_and_keep)
            patch.setenv("PINECONE_CLIENT_ID", self.emulator.client_id)
            patch.setenv("PINECONE_CLIENT_SECRET", self.emulator.client_secret)
            self.status = main(["--record", str(path), "--patience", "0", *arguments])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return a recorded run with all checks."""
    return Recorded(tmp_path_factory.mktemp("recording") / "all.jsonl", *WRITE)


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return a recorded run with the checks that only read."""
    return Recorded(tmp_path_factory.mktemp("recording") / "read.jsonl")


def find_values(texts: list[str]) -> set[str]:
    """Return the ids, secrets, client ids and emails in what was sent and received."""
    joined = "\n".join(unquote(each) for each in texts)
    forms = (
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"pcsk_\w+",
        r"eyJ[\w.-]+",
        r"(?<![\w-])[A-Za-z0-9_-]{64}(?![\w-])",
        r"(?<![\w-])[A-Za-z0-9]{32}(?![\w-])",
        r"[\w.-]+@[\w-]+\.[\w.]+",
        r"20\d\d-\d\d-\d\dT[\d:.]+Z",
        r"-N[A-Za-z0-9_-]{10,}",
    )
    return {value for form in forms for value in re.findall(form, joined)}


def spell(value: str) -> set[str]:
    """Return the spellings of a value that could be in a file."""
    encoded = b64encode(value.encode()).decode().rstrip("=")
    return {value.casefold(), quote(value).casefold(), json.dumps(value)[1:-1].casefold(), encoded.casefold()}


@pytest.mark.long
def test_no_value_is_in_a_recording(recorded: Recorded) -> None:
    """Of some hundred exchanges with all that they brought, the recording has no id, secret, address, time or name."""
    text = recorded.path.read_text(encoding="utf-8").casefold()
    assert (recorded.status, text.count("\n") > 400) == (0, True)
    own = {"4f6a1e0c-8f2b-4c1a-9d3e-1b2c3d4e5f60", "0" * 32, "nobody@example.com"}  # constants of the checks
    values = {each for each in find_values(recorded.sent) if each not in own and "xxx" not in each}
    assert len(values) > 400
    values |= {"Quillhaven", "Ottoline", "Zephyrine", "straße", "vex", *(name for name in NAMES[:3])}
    assert {value for value in values for spelling in spell(value) if spelling in text} == set()


def test_names_that_are_words_are_replaced_by_position(recorded: Recorded) -> None:
    """A project named as a role is replaced where it is a name, and the role stays where it is a role."""
    lines = read_recording(recorded.path).lines
    (projects, *_) = [each for each in lines if each["request"]["path"] == "/admin/projects"]
    names = [each["name"] for each in projects["response"]["json"]["data"]]
    assert len(names) == len(NAMES)
    assert all(re.fullmatch(r"<name:\d+>", each) for each in names)
    bindings = [each for each in lines if each["request"]["path"] == "/admin/role-bindings"]
    assert "OrgOwner" in {each["role"] for each in bindings[0]["response"]["json"]["data"]}


def test_recording_has_what_the_rules_are_about(recorded: Recorded) -> None:
    """Codes, known messages, lengths of secrets, times since the start and equal values are in the recording."""
    text = recorded.path.read_text(encoding="utf-8")
    for known in (
        '"code": "ALREADY_EXISTS"',
        '"code": "OUT_OF_RANGE"',
        '"message": "API Key \'<text:',
        " pcsk_6_63>",
        '"<email:2|upper>"',
        f'"name": "{"x" * 512}"',
        "<time:+6048",
        '"expires_at": "<time before:',
        '"expires_at": "<time after:',
    ):
        assert known in text, known
    first = json.loads(text.splitlines()[0])
    assert (first["service"], first["version"]) == (PRODUCTION, "2026-07")


# Six and more mistakes of the sanitizer


def keep_domain(self: Sanitizer, kind: str, value: str) -> str:
    """Keep the domain of an email."""
    replaced = Sanitizer._number(self, kind, value)
    return f"{replaced}@{value.partition('@')[2]}" if kind == "email" else replaced


def name_in_placeholder(self: Sanitizer, kind: str, value: str) -> str:
    """Write the first letters of a name into its placeholder."""
    replaced = Sanitizer._number(self, kind, value)
    return replaced.replace(">", f" {value[:4]}>") if kind == "name" else replaced


VALUE = " holds a value of the organization"
STRANGE = " is neither a placeholder nor a known word"

MISTAKES: dict[str, tuple[str, Callable[..., Any], str]] = {
    "names": (
        "_replace",
        lambda self, name, value: value if name == "name" else Sanitizer._replace(self, name, value),
        "response.json.data[0].name" + VALUE,
    ),
    "an email in upper case": (
        "_find_in_other_case",
        lambda _, value: value if "@" in value and value.isupper() else None,
        "request.query.email" + VALUE,
    ),
    "messages": ("message", lambda _, text: text, "response.json.error.message"),
    "what varies in messages": ("_varying_part", lambda _, text: text, "response.json.error.message"),
    "ids in paths": ("path_part", lambda _, part: part, "request.path" + VALUE),
    "headers": ("response_header", lambda _, _name, value: value, "response.headers.x-pinecone-request-id" + VALUE),
    "the access token": ("request_header", lambda _, _name, value: value, "request.headers.authorization" + VALUE),
    "domains of emails": ("_number", keep_domain, "response.json.data[0].email"),
    "a name in its placeholder": ("_number", name_in_placeholder, "response.json.data[0].name" + STRANGE),
    "times": ("_replace_time", lambda _, value, _moment: value, "response.json.data[0].created_at" + VALUE),
    "a name that is a word elsewhere": (
        "received",
        lambda self, name, value: value if value == "OrgOwner" else Sanitizer.received(self, name, value),
        "response.json.data[3].name" + STRANGE,
    ),
    "a form": ("_read_request_body", lambda _, body, **_form: {"client_id": body.decode()}, "client_id" + VALUE),
}
"""Mistakes of the sanitizer: the method, its wrong version, and the place that the audit names."""


@pytest.mark.parametrize("kept", some_daily(MISTAKES, 4))
def test_mistake_of_the_sanitizer_is_found(recorded: Recorded, kept: str) -> None:
    """The audit finds each mistake, and names the place without the value."""
    method, mistake, place = MISTAKES[kept]
    with pytest.raises(LeakError, match=r"^line \d+, ") as caught:
        recorded.recorder.sanitize(type("Mistaken", (Sanitizer,), {method: mistake}))
    assert place in str(caught.value)
    assert not any(each in str(caught.value) for each in find_values(recorded.sent))


def test_names_of_fields_are_replaced() -> None:
    """A field that no document has is in the recording without its name, and a mistake with it is found."""
    emulator = make_organization()
    emulator.faults.add("list_projects", status=200, body={"data": [], "Quillhaven ledger": {"size": 1}})
    recorder = RecordingTransport(emulator.transport, PRODUCTION + TOKEN_PATH, [])
    with httpx.Client(transport=recorder, base_url=PRODUCTION) as http:
        account = AccountCredentials(emulator.client_id, emulator.client_secret)
        Service(http, "https://login.pinecone.io/oauth/token", account).get("/admin/projects")
    *_, line = recorder.sanitize()
    assert line["response"]["json"] == {"data": [], "<field:1>": {"<field:2>": 1}}
    with pytest.raises(LeakError, match="the name of a field, holds a value"):
        recorder.sanitize(type("Mistaken", (Sanitizer,), {"key": lambda _, name: name}))


def test_nothing_is_written_after_a_mistake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the audit finds something, the exit status is 2, one line names the place, and there is no file."""
    monkeypatch.setattr(Sanitizer, "path_part", lambda _, part: part)
    run = Recorded(tmp_path / "leaking.jsonl")
    assert (run.status, list(tmp_path.iterdir())) == (2, [])
    assert re.fullmatch(r"nothing was recorded, because line \d+, request.path .*\n", capsys.readouterr().err)


def differ_from_the_emulator(response: httpx.Response) -> httpx.Response:
    """Return a response as of a service that differs from the emulator in many ways."""
    headers = {**response.headers, "content-encoding": "gzip", "cf-ray": "Quillhaven-1", "set-cookie": "a=Quillhaven"}
    text = response.text
    for pattern, other in (
        ('"max_pods":0', '"max_pods":1,"region":"quillhaven-east","tags":{"Quillhaven":"Vex"}'),
        ('"code":"(?:NOT_FOUND|OUT_OF_RANGE)","message":"', '"code":"UNEXPECTED","message":"Quillhaven says '),
        (r'"created_at":"([^"]+?)(?:\.\d+)?Z"', r'"created_at":"\1.123456789+00:00"'),
        ('"support_tier":"Enterprise"', '"support_tier":"Quillhaven","trial_ends":"0001-01-01T00:00:00+14:00"'),
    ):
        text = re.sub(pattern, other, text)
    if text.startswith('{"data":[') and '"principal_type"' in text:
        bindings = json.loads(text)
        bindings["data"] = [each for each in bindings["data"] if each["principal_type"] != "api_key"]
        text = json.dumps(bindings)
    if response.status_code == 405:
        text, headers["content-type"] = "<html>Quillhaven</html>", "text/html; charset=UTF-8"
    content = gzip.compress(text.encode()) if text else b""
    headers["content-length"] = str(len(content))
    return httpx.Response(response.status_code, headers=headers, content=content)


def test_service_that_differs_is_recorded_and_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Compressed, malformed and unknown responses are recorded without their values, and a replay lists differences."""
    run = Recorded(tmp_path / "other.jsonl", *WRITE, differ=differ_from_the_emulator)
    assert run.status == 1, capsys.readouterr().err
    text = run.path.read_text(encoding="utf-8")
    assert not re.search("quillhaven|vex|cf-ray|region|0001-01", text, re.IGNORECASE)
    for known in (
        '"code": "UNEXPECTED", "message": "<message:',
        '"<field:1>": "<text:',
        '"text": "<text:',
        "/html",
    ):
        assert known in text
    result = replay(read_recording(run.path))
    assert {each.axis for each in result.differences} >= {Axis.CODE, Axis.FIELDS, Axis.VALUES, Axis.HEADERS}
    assert not {each.axis for each in result.differences} & {Axis.STATUS, Axis.NULLABILITY}


def test_account_that_may_read_little_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lists that the account may not see are recorded as refused."""

    def refuse(response: httpx.Response) -> httpx.Response:
        if response.text.startswith('{"data":[') and '"email"' in response.text:
            return httpx.Response(403, json={"status": 403, "error": {"code": "PERMISSION_DENIED", "message": "Vex"}})
        return response

    run = Recorded(tmp_path / "little.jsonl", differ=refuse)
    assert run.status == 1, capsys.readouterr().err
    (users, *_) = [each for each in read_recording(run.path).lines if each["request"]["path"] == "/admin/users"]
    assert users["response"]["json"] == {
        "status": 403,
        "error": {"code": "PERMISSION_DENIED", "message": "<message:1>"},
    }


def make_random_organization(random: Random) -> Emulator:
    """Return an emulator with names that are words of recordings or parts of messages, or contain a number."""
    # Not the names that are too long for the checks: where they are allowed, a replay could not tell them from others.
    constants = [each for each in sorted(vocabulary.read_constants()) if "\0" not in each and len(each) < 41]
    words = (
        *vocabulary.read_message_words(),
        *constants,
        *sorted(vocabulary.read_route_words()),
        *("<uuid:1>", "<name:2>", "'", '"', "\\", "\u2028", "0", "1", "é", "a", "%41", "2026-07-01T00:00:00Z"),
        *("Bearer nobody", "limit must be from 1 to 100, not '0'", "application/json", "conformance-deadbeef"),
    )

    def make_name(most: int) -> str:
        name = random.choice(words)[: most - 14]
        return f"{name} Q{random.randrange(10**11):011}" if random.random() < 0.3 else name

    emulator = Emulator(seed=random.randrange(1000), clock=Clock(ticking=True))
    emulator.state.organization.name = make_name(80)
    for number in range(random.randrange(4)):
        emulator.add_user(f"Q{random.randrange(10**11):011}-{number}@Quill.test", name=make_name(80))
    with emulator.admin() as admin:
        for _ in range(random.randrange(5)):
            project = admin.projects.create(name=make_name(80))
            for _ in range(random.randrange(3)):
                admin.api_keys.create(project_id=project.id, name=make_name(80))
        for _ in range(random.randrange(3)):
            admin.service_accounts.create(name=make_name(40))
    emulator.clock.advance(random.choice([0, 3, 400_000, 4_000_000]))
    return emulator


def require_recording_without_values(seeds: Iterable[int], folder: Path) -> None:
    """Require that organizations with any names are recorded without values, and replayed without differences."""
    for seed in seeds:
        run = Recorded(folder / f"{seed}.jsonl", *WRITE, emulator=make_random_organization(Random(seed)))
        assert run.status == 0, seed
        text = run.path.read_text(encoding="utf-8")
        assert not re.search(r"Q\d{11}|Quill\.test", text, re.IGNORECASE), seed
        result = replay(read_recording(run.path))
        assert (result.differences, result.skipped) == ([], []), seed


@pytest.mark.long
def test_names_of_any_words_block_nothing(tmp_path: Path) -> None:
    """Names that a recording has as words neither stop a recording nor change what it means."""
    require_recording_without_values(range(2), tmp_path)


@pytest.mark.long(60)
def test_names_of_any_words_block_nothing_with_many_seeds(tmp_path: Path) -> None:
    """The same for many organizations."""
    require_recording_without_values(range(2, 42), tmp_path)


# Replays


def test_replay_of_a_recording_differs_nowhere(recorded: Recorded, read_only: Recorded) -> None:
    """The emulator returns what a recording of it has, whatever its ids, and every axis is compared."""
    for run in (recorded, read_only):
        result = replay(read_recording(run.path))
        assert (result.differences, result.skipped) == ([], [])
        assert all(result.compared[axis] > 30 for axis in Axis)


Change = Callable[[Any], Any]


def change_body(operation: str, change: Change, status: int | None = None) -> Callable[[str, Response], Response]:
    """Return what changes the document of the responses of an operation."""

    def change_response(called: str, response: Response) -> Response:
        if called != operation or not response.body or response.status != (status or response.status):
            return response
        document = json.loads(response.body)
        changed = change(document)
        return evolve(response, body=json.dumps(document if changed is None else changed).encode())

    return change_response


def change_answer(operation: str, returned: int, /, **fields: Any) -> Callable[[str, Response], Response]:
    """Return what changes the responses of an operation that have a status."""

    def change_response(called: str, response: Response) -> Response:
        return evolve(response, **fields) if (called, response.status) == (operation, returned) else response

    return change_response


def drop_header(_: str, response: Response) -> Response:
    """Leave out the request id."""
    return evolve(response, headers={"content-type": "application/json"} if response.body else {})


def repeat_id(document: Any) -> None:
    """Return the same id for every key."""
    document["key"]["id"] = "5eed0000-0000-4000-8000-00000000abcd"


MUTANTS: dict[str, tuple[Axis, Callable[[str, Response], Response]]] = {
    "201 for a project": (Axis.STATUS, change_answer("create_project", 200, status=201)),
    "a code": (Axis.CODE, change_body("fetch_project", lambda d: d["error"].update(code="GONE"), 404)),
    "a code of the token endpoint": (Axis.CODE, change_body("get_token", lambda d: d.update(error="no"), 401)),
    "a missing field": (Axis.FIELDS, change_body("fetch_user", lambda d: d.pop("email") and None, 200)),
    "a new field": (Axis.FIELDS, change_body("create_project", lambda d: d.update(region="eu"), 200)),
    "a body of a deletion": (Axis.FIELDS, change_answer("delete_api_key", 202, body=b"{}")),
    "a number as a string": (Axis.TYPES, change_body("create_project", lambda d: d.update(max_pods="0"), 200)),
    "an id of another form": (Axis.TYPES, change_body("create_project", lambda d: d.update(id="p-1"), 200)),
    "a secret of another length": (
        Axis.TYPES,
        change_body("create_service_account", lambda d: d.update(client_secret="s" * 40), 201),
    ),
    "a key of another prefix": (
        Axis.TYPES,
        change_body("create_api_key", lambda d: d.update(value=d["value"].replace("pcsk", "pckey")), 200),
    ),
    "a time without a zone": (
        Axis.TYPES,
        change_body("fetch_organization", lambda d: d.update(created_at="yesterday"), 200),
    ),
    "a list in place of an object": (Axis.TYPES, change_body("list_organizations", lambda d: d["data"], 200)),
    "null": (Axis.NULLABILITY, change_body("fetch_invite", lambda d: d.update(expires_at=None), 200)),
    "not null": (Axis.NULLABILITY, change_body("create_invite", lambda d: d.update(processed_at=d["created_at"]), 200)),
    "a role": (Axis.VALUES, change_body("create_role_binding", lambda d: d.update(role="ProjectEditor"), 200)),
    "a name that is not the one that was sent": (
        Axis.VALUES,
        change_body("update_service_account", lambda d: d.update(name="other"), 200),
    ),
    "one id for two keys": (Axis.VALUES, change_body("create_api_key", repeat_id, 200)),
    "a reference to another principal": (
        Axis.VALUES,
        change_body("create_role_binding", lambda d: d.update(principal_id=d["id"]), 200),
    ),
    "a shorter list": (Axis.VALUES, change_body("list_projects", lambda d: d.update(data=d["data"][1:]), 200)),
    "an invite for two weeks": (
        Axis.VALUES,
        change_body("create_invite", lambda d: d.update(expires_at="2026-07-15T00:00:00Z"), 200),
    ),
    "another text": (
        Axis.VALUES,
        change_body("fetch_project", lambda d: d["error"].update(message="There is no such project"), 404),
    ),
    "another order of a list": (Axis.ORDER, change_body("list_users", lambda d: d["data"].reverse(), 200)),
    "another order of roles": (
        Axis.ORDER,
        change_body("list_project_api_keys", lambda d: [each["roles"].reverse() for each in d["data"]] and None, 200),
    ),
    "a rotation that changes no time": (
        Axis.ORDER,
        change_body(
            "rotate_service_account_secret",
            lambda d: d["service_account"].update(updated_at=d["service_account"]["created_at"]),
            200,
        ),
    ),
    "no request id": (Axis.HEADERS, drop_header),
    "another type of content": (
        Axis.HEADERS,
        change_answer("list_projects", 200, headers={"content-type": "text/plain", "x-pinecone-request-id": "1"}),
    ),
}


@pytest.mark.parametrize("mutant", some_daily(MUTANTS, 5))
def test_mutant_of_the_emulator_is_noticed(recorded: Recorded, mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of a response is noticed on its axis."""
    axis, change = MUTANTS[mutant]
    handle = dispatch.handle

    def handle_and_change(request: Request, *arguments: Any) -> Response:
        return change(dispatch.operation_id(request), handle(request, *arguments))

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "handle", handle_and_change)
        result = replay(read_recording(recorded.path))
    assert axis in {each.axis for each in result.differences}


def test_replay_reports_each_axis(read_only: Recorded, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The command prints each difference with its line and a count for each axis, and exits with 1 if there is one."""
    assert main(["--replay", str(read_only.path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if line] == list(Axis)
    text = read_only.path.read_text(encoding="utf-8")
    changed = tmp_path / "changed.jsonl"
    changed.write_text(
        text.replace('"plan": "Enterprise"', '"plan": "Platinum"', 3).replace('"max_pods": 0', '"max_pods": 0.5', 1)
    )
    assert main(["--replay", str(changed)]) == 2  # no such plan
    assert "cannot replay" in capsys.readouterr().err
    changed.write_text(text.replace('"code": "OUT_OF_RANGE"', '"code": "INVALID_ARGUMENT"', 1))
    assert main(["--replay", str(changed)]) == 1
    assert re.search(
        r"^line \d+, GET /admin/\S+, error.code: code: OUT_OF_RANGE$", capsys.readouterr().out, re.MULTILINE
    )


def test_request_that_needs_a_missing_value_is_not_sent(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request with an id that the emulator has never returned is listed as not sent, and the exit status is 1."""
    handle = dispatch.handle

    def refuse_keys(request: Request, *arguments: Any) -> Response:
        is_creation = dispatch.operation_id(request) == "create_api_key"
        return dispatch.json_response(500, {}, {}) if is_creation else handle(request, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "handle", refuse_keys)
        assert main(["--replay", str(recorded.path)]) == 1
    assert re.search(r"not sent, because the emulator has returned no <uuid:\d+>", capsys.readouterr().out)


# The command


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("file.json", "the name of a recording ends in .jsonl"),
        ("missing/file.jsonl", "cannot write to"),
        (str(conformance.REPORTS / "emulator.jsonl"), "is for recordings of https://api.pinecone.io"),
    ],
)
def test_unsuitable_file_is_refused_before_the_first_request(
    record: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording that could not be written, or does not belong there, is refused before anything is sent."""
    monkeypatch.setenv("PINECONE_CLIENT_ID", "a")
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "b")
    assert main(["--host", "http://127.0.0.1:9", "--record", str(tmp_path / record)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("text", ["", "{}\n", '{"recording": 1}\n{"rule": ""}\n', "no JSON\n"])
def test_other_file_is_no_recording(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no recording, or not whole, is refused in one line."""
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    assert main(["--replay", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a proxy in the environment."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)


@pytest.mark.usefixtures("proxies")
def test_recording_goes_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a recording as without, requests are sent through the proxy that the environment names."""
    monkeypatch.setenv("PINECONE_CLIENT_ID", "a")
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "b")
    for extra in (["--reports", str(tmp_path)], ["--record", str(tmp_path / "r.jsonl")]):
        assert main(["--host", "https://api.invalid", "--oauth-url", "https://login.invalid/oauth/token", *extra]) == 2
        assert "Connection refused" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_verdicts_follow_from_the_recorded_responses(recorded: Recorded, read_only: Recorded, tmp_path: Path) -> None:
    """The checks pass with the recorded responses, and a verdict that these do not have is found out."""
    for run in (recorded, read_only):
        recording = read_recording(run.path)
        assert recheck(recording) == {rule: each for rule, each in recording.verdicts.items() if each != "skipped"}
    text = recorded.path.read_text(encoding="utf-8")
    for change, other, rule in (
        ('"code": "OUT_OF_RANGE"', '"code": "INVALID_ARGUMENT"', "limit-range"),
        (" pcsk_6_63>", " other>", "key-value"),
        ('"max_pods": 0', '"max_pods": 1', "max-pods"),
        ('"expires_at": "<time:+6048', '"expires_at": "<time:+5048', "invite-lifetime"),
        ('"rule": "paged-lists"', '"rule": "whole-lists"', "paged-lists"),
    ):
        changed = tmp_path / f"{rule}.jsonl"
        changed.write_text(text.replace(change, other), encoding="utf-8")
        recording = read_recording(changed)
        assert (recording.verdicts[rule], recheck(recording)[rule]) == ("same", "DIFFERS")


def test_change_that_took_effect_with_a_delay_is_proven(recorded: Recorded) -> None:
    """A rule is proven by a token that was revoked at the second request, and not by one that never was."""
    recording = read_recording(recorded.path)
    (revoked,) = [
        number
        for number, line in enumerate(recording.lines)
        if (line["rule"], line["response"]["status"], line["request"]["method"]) == ("account-tokens", 401, "GET")
    ]
    accepted = {**recording.lines[revoked], "response": recording.lines[1]["response"]}
    lines = [*recording.lines[:revoked], accepted, *recording.lines[revoked:]]
    assert recheck(evolve(recording, lines=lines))["account-tokens"] == "same"
    del lines[revoked + 1]
    assert recheck(evolve(recording, lines=lines))["account-tokens"] == "DIFFERS"


@pytest.mark.long
def test_one_command_writes_one_file(tmp_path: Path) -> None:
    """scripts/record only reads, writes one file to the current folder, and prints the verdicts."""
    emulator = make_organization()
    before = emulator.dump() | {"tokens": []}
    emulator.requests.clear()
    with serving(emulator) as url:
        credentials = {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": emulator.client_secret}
        done = subprocess.run(
            [ROOT / "scripts/record", "kit.jsonl", "--host", url, "--oauth-url", url + TOKEN_PATH],
            env={**os.environ, **credentials, "PINECONE_ADMIN_VENV": sys.prefix},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.name for each in tmp_path.iterdir()] == ["kit.jsonl"]
    assert re.search(r"^Recorded \d+ requests in \S+/kit\.jsonl\.$", done.stdout, re.MULTILINE)
    assert emulator.dump() | {"tokens": []} == before
    assert {each.method for each in emulator.requests if each.operation_id != "get_token"} == {"GET"}
    assert replay(read_recording(tmp_path / "kit.jsonl")).differences == []
    usage = subprocess.run([ROOT / "scripts/record"], capture_output=True, text=True, check=False)
    assert (usage.returncode, usage.stderr.partition(":")[0]) == (2, "Usage")


@pytest.mark.parametrize(
    "schema",
    [
        {"x-enum": ["Free", "Paid"]},
        {"enum": ["Free", "Paid"]},
        {"$ref": "#/components/schemas/Plan"},
        {"allOf": [{"$ref": "#/components/schemas/Plan"}], "nullable": True},
        {"type": "array", "items": {"anyOf": [{"enum": ["Free"]}, {"enum": ["Paid", 3]}]}},
    ],
)
def test_values_that_any_document_lists_are_words(schema: Any) -> None:
    """The values of a field are found, however an adopted document lists them."""
    resource = {"properties": {"kind": {"enum": ["other"]}}}
    document = {"components": {"schemas": {"Plan": {"enum": ["Free", "Paid"]}, "Resource": resource}}}
    assert list(vocabulary._list_values(document, schema)) == ["Free", "Paid"]
    assert list(vocabulary._list_values(document, {"$ref": "#/components/schemas/Resource"})) == []


# The files in docs/conformance


def test_committed_recordings_are_of_the_service_and_replay() -> None:
    """Only recordings and reports of Pinecone's service are in docs/conformance, and the emulator replays each."""
    for path in conformance.REPORTS.iterdir():
        if path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))["service"] == PRODUCTION
        elif path.suffix == recordings.SUFFIX:
            recording = read_recording(path)
            assert recording.is_proof
            assert str(replay(recording)).startswith("\n"), f"the emulator differs from {path.name}"
        else:
            assert path.name == "README.md"
