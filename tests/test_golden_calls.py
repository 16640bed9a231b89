"""Golden record of calls of both clients: what they send, return, raise and log.

The record, ``golden_calls.txt``, has the success of each public method, and of all calls with a fault or a bad argument
those that show an error class, an outcome or a kind of log line first. To record the same calls anew, run
``python -m tests.test_golden_calls``; with ``--choose``, to choose calls anew, too. Review the diff.
"""

from __future__ import annotations

import difflib
import inspect
import json
import logging
import random
import re
import sys
import threading
from collections.abc import Awaitable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import attrs
import httpx
import pytest
from attrs import define, field, frozen

from pinecone_admin import Admin, AsyncAdmin, on_organization, on_project, to_dict
from pinecone_admin._concurrency.clock import use_clock
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.operations import fetch_project
from pinecone_admin.workflows import Change, ChangePlan, DesiredState, Ref
from tests.support.clock import VirtualClock
from tests.support.resources import PLAIN, add_second, create_resources, fill_ids
from tests.support.sampling import some_daily

GOLDEN = Path(__file__).with_name("golden_calls.txt")
SECTIONS = ("client", *NAMESPACES)
CONSTRUCTOR = "Admin"

Client: TypeAlias = Admin | AsyncAdmin
Arguments: TypeAlias = dict[str, Any]

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "400": {"status": 400},
    "404": {"status": 404},
    "500": {"status": 500},
    "lost response": {"drop": "after"},
}
HOSTILE = ("", "a\x00b", "a\ud800", "x" * 10_000, True, -1, b"x", ["x"])
# They send requests in parallel, in an order that varies between runs.
PARALLEL = {
    "projects.delete_with_cleanup",
    "projects.delete_stale",
    "users.offboard_many",
    "client.inventory",
    "client.plan",
    "client.apply",
}

# They send several requests of one operation at once, all of which get the fault: otherwise, the record would vary.
CONCURRENT = {"users.offboard_many"}


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Records each request and forwards it to the emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.requests: list[httpx.Request] = []
        self.threads: set[threading.Thread] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Record and forward a request."""
        self.requests.append(request)
        self.threads.add(threading.current_thread())
        return self._emulator.transport.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Record and forward a request."""
        self.requests.append(request)
        return await self._emulator.transport.handle_async_request(request)


@define
class World:
    """An organization with one resource of each kind, and a client of it."""

    emulator: Emulator
    recorder: Recorder
    client: Client
    ids: dict[str, str] = field(factory=dict[str, str])


@frozen
class RecordedCall:
    """One call to make.

    Attributes:
        method: Method, such as ``projects.create``, ``client.token`` for one of the client itself, or ``Admin``.
        title: What distinguishes this call.
        faults: Faults to add, by operation.
        changes: Arguments that replace valid ones.
    """

    method: str
    title: str
    faults: Mapping[str, Mapping[str, Any]] = field(factory=dict[str, Mapping[str, Any]])
    changes: Arguments = field(factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.method}: {self.title}"


def valid_arguments(method: str, ids: Mapping[str, str]) -> Arguments:
    """Return valid arguments for a method."""
    roles = [
        on_organization("OrgMember"),
        {"resource_type": "project", "resource_id": ids["project"], "role": "ProjectEditor"},
    ]
    binding = {"principal_type": "user", "principal_id": ids["user"], "resource_type": "project"}
    binding |= {"resource_id": ids["project"]}
    file = {"organization": ids["organization"], "projects": [{"name": "search"}, {"name": "new"}]}
    plan = ChangePlan(
        organization_id=ids["organization"],
        organization="Emulated Organization",
        client_id="none",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        package_version="0",
        source="org.yaml",
        digest="",
        commit=None,
        changes=[Change(action="create", target=Ref("project", "new"), cause="change")],
        refusals=[],
        not_listed=[],
        unfinished=[],
        kept=[],
        notes=[],
    )
    arguments: dict[str, Arguments] = {
        "client.plan": {
            "desired": DesiredState.from_dict(file),
            "base": None,
            "client_id": None,
            "commit": "c0ffee",
        },
        "client.apply": {
            "plan": plan,
            "store": None,
            "drift": False,
            "allow_removals": None,
            "allow_own": False,
            "client_id": None,
        },
        "client.send": {"operation": fetch_project(project_id=ids["project"])},
        "client.inventory": {"concurrency": 1, "progress": None},
        "client.token": {},
        "client.update_secret": {"client_secret": "s" * 64},
        "client.with_options": {
            "timeout": 5.0,
            "retry": None,
            "additional_headers": {"x-team": "search"},
            "read_only": True,
        }
        | {"api_key": "pcsk_made_up"},
        "client.close": {},
        "organizations.list": {},
        "organizations.describe": {"organization_id": ids["organization"]},
        "organizations.update": {"organization_id": ids["organization"], "name": "renamed"},
        "organizations.delete": {"organization_id": ids["organization"]},
        "projects.list": {},
        "projects.create": {"name": "new ü", "max_pods": 0, "force_encryption_with_cmek": False},
        "projects.ensure": {"name": "new", "max_pods": 1, "force_encryption_with_cmek": False}
        | {"on_difference": "report", "dry_run": False},
        "projects.describe": {"project_id": ids["project"]},
        "projects.describe_by_name": {"name": "search"},
        "projects.exists": {"project_id": ids["project"], "name": None},
        "projects.update": {
            "project_id": ids["project"],
            "name": "found",
            "max_pods": 0,
            "force_encryption_with_cmek": True,
        },
        "projects.provision": {"name": "tenant", "key_roles": ["DataPlaneEditor"], "store": [].append}
        | {"bindings": [{"principal_type": "user", "principal_id": ids["user"], "role": "ProjectViewer"}]}
        | {"dry_run": False},
        "projects.delete": {"project_id": ids["project"]},
        "projects.delete_with_cleanup": {"project_id": ids["full project"], "dry_run": False}
        | {"time_limit": timedelta(seconds=60)}
        | {"lift_protection": True, "progress": [].append},
        "projects.delete_stale": {"name_pattern": "s*", "older_than": timedelta(days=1), "plan": None}
        | {"concurrency": 1, "progress": None},
        "api_keys.list": {"project_id": ids["project"]},
        "api_keys.create": {"project_id": ids["project"], "name": "k", "roles": ["ProjectViewer"]},
        "api_keys.ensure": {"project_id": ids["project"], "name": "k", "roles": ["ProjectViewer"], "store": [].append}
        | {"on_difference": "report", "dry_run": False},
        "api_keys.describe_by_name": {"project_id": ids["project"], "name": "k"},
        "api_keys.delete_retired": {"project_id": ids["project"], "dry_run": False},
        "api_keys.identify": {"value": "pcsk_label_x", "project_ids": []},
        "api_keys.temporary": {"project_id": ids["project"], "roles": ["ProjectViewer"], "ttl": timedelta(hours=1)},
        "api_keys.rotate_due": {"older_than": timedelta(days=1), "keep_old_for": timedelta(hours=1)}
        | {"store": [].append, "project_id": ids["project"], "dry_run": False},
        "api_keys.describe": {"api_key_id": ids["key"]},
        "api_keys.update": {"api_key_id": ids["key"], "name": "k", "roles": ["ProjectViewer"]},
        "api_keys.delete": {"api_key_id": ids["key"]},
        "api_keys.rotate": {"api_key_id": ids["key"], "store": [].append, "keep_old_for": timedelta(hours=1)}
        | {"dry_run": False},
        "users.list": {"email": "ada@example.com", "limit": 5, "pagination_token": None},
        "users.describe": {"user_id": ids["user"]},
        "users.describe_by_email": {"email": "ADA@example.com"},
        "users.ensure": {
            "email": "ADA@example.com",
            "role_bindings": roles,
            "revoke_unlisted": False,
            "dry_run": False,
        },
        "users.delete": {"user_id": ids["user"]},
        "users.offboard": {"email": "Ada@example.com", "dry_run": False},
        "users.offboard_many": {"emails": ["Ada@example.com"], "plan": None},
        "invites.list": {"limit": 5, "pagination_token": None},
        "invites.create": {"email": "new@example.com", "role_bindings": roles},
        "invites.ensure": {"email": "new@example.com", "role_bindings": roles, "on_difference": "report"}
        | {"revoke_unlisted": False, "dry_run": False},
        "invites.describe": {"invite_id": ids["invite"]},
        "invites.describe_by_email": {"email": "BAO@example.com"},
        "invites.delete": {"invite_id": ids["invite"]},
        "invites.resend": {"invite_id": ids["invite"]},
        "service_accounts.list": {"limit": 5, "pagination_token": None},
        "service_accounts.create": {"name": "ci", "role_bindings": roles},
        "service_accounts.ensure": {"name": "ci", "role_bindings": roles, "store": [].append}
        | {"on_difference": "report", "revoke_unlisted": False, "client_id": None, "dry_run": False},
        "service_accounts.describe": {"service_account_id": ids["account"]},
        "service_accounts.describe_by_name": {"name": "batch"},
        "service_accounts.update": {"service_account_id": ids["account"], "name": "ci"},
        "service_accounts.delete": {"service_account_id": ids["account"]},
        "service_accounts.rotate_secret": {"service_account_id": ids["account"]},
        "service_accounts.rotate": {"service_account_id": ids["account"], "store": [].append}
        | {"allow_own": False, "client_id": None, "dry_run": False},
        "service_accounts.rotate_due": {"older_than": timedelta(days=1), "store": [].append, "names": None}
        | {"client_id": None, "allow_unreadable": True, "dry_run": False},
        "role_bindings.list": binding | {"role": "ProjectViewer", "limit": 5, "pagination_token": None},
        "role_bindings.create": binding | {"role": "ProjectEditor"},
        "role_bindings.ensure": binding | {"role": "ProjectEditor", "dry_run": False},
        "role_bindings.describe": {"role_binding_id": ids["binding"]},
        "role_bindings.delete": {"role_binding_id": ids["binding"]},
        "role_bindings.change_role": binding
        | {"from_role": "ProjectViewer", "to_role": "ProjectEditor"}
        | {"allow_own": False, "client_id": None, "dry_run": False},
    }
    if method in arguments:
        return arguments[method]
    return fill_ids(method, ids)


def public_methods(section: str) -> list[str]:
    """List the public methods of the client or of a namespace, from the classes themselves."""
    kind = Admin if section == "client" else getattr(Admin, section)
    return [f"{section}.{name}" for name, member in vars(kind).items() if callable(member) and name[0] != "_"]


async def maybe_await(value: Any) -> Any:
    """Return a value, awaited if it is awaitable; read a paginator to its end, and enter and leave a context."""
    if type(value).__name__ == "_GeneratorContextManager":
        with value as made:
            return made
    if type(value).__name__ == "_AsyncGeneratorContextManager":
        async with value as made:
            return made
    if hasattr(value, "to_list"):
        value = value.to_list()
    return await value if isinstance(value, Awaitable) else value


async def make_world(kind: type[Client], options: Arguments | None = None) -> World:
    """Create the same organization each time."""
    random.seed(0)
    emulator = Emulator(seed=1, clock=Clock(datetime(2026, 1, 1, tzinfo=UTC)))
    recorder = Recorder(emulator)
    identity = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    given: Arguments = {**identity, "transport": recorder, "oauth_transport": recorder, **(options or {})}
    with use_clock(VirtualClock()):
        world = World(emulator, recorder, kind(**given))
        if options is None:
            await populate(world)
    return world


async def populate(world: World) -> None:
    """Create one resource of each kind in the organization."""
    admin: Any = world.client
    project = await maybe_await(admin.projects.create(name="search"))
    full = await maybe_await(admin.projects.create(name="full"))
    for contents, name in (("assistants", "helper"), ("backups", "b1")):
        world.emulator.hold(full.id, contents, name)
    world.emulator.hold(full.id, "indexes", "kept", protected=True)
    user = world.emulator.add_user("ada@example.com", roles=["OrgMember", ("ProjectViewer", project.id)])
    key = await maybe_await(admin.api_keys.create(project_id=project.id, name="reader"))
    roles = [on_organization("OrgMember")]
    invite = await maybe_await(admin.invites.create(email="bao@example.com", role_bindings=roles))
    account = await maybe_await(
        admin.service_accounts.create(name="batch", role_bindings=[on_project(project.id, "ProjectEditor")])
    )
    bindings = await maybe_await(admin.role_bindings.list(principal_type="user", principal_id=user.id))
    world.ids |= {
        "organization": world.emulator.organization_id,
        "project": project.id,
        "full project": full.id,
        "user": user.id,
        "key": key.key.id,
        "invite": invite.id,
        "account": account.service_account.id,
        "binding": bindings[-1].id,
    }
    arguments = {"account": "service_account", "key": "api_key", "binding": "role_binding"}
    world.ids |= {f"{arguments.get(name, name)}_id": id for name, id in world.ids.items()}
    world.recorder.requests.clear()
    world.emulator.requests.clear()


async def make_call(world: World, case: RecordedCall) -> tuple[list[str], list[str]]:
    """Make one call, and return its record and the ids of the operations that it sent."""
    owner, _, name = case.method.partition(".")
    if owner in PLAIN:  # only then, so that ids in the other sections stay
        with world.emulator.admin() as admin:
            create_resources(admin, world.ids, [owner])
        world.emulator.requests.clear()
    add_second(world.emulator, case.method, world.ids)
    with use_clock(VirtualClock()):  # a fresh one, so that no call depends on the calls before it
        for operation, fault in case.faults.items():
            world.emulator.faults.add(operation, times=40 if case.method in CONCURRENT else 4, **fault)
        target: Any = world.client if owner == "client" else getattr(world.client, owner)
        if not hasattr(target, name):
            name = f"a{name}"  # aclose
        arguments = valid_arguments(case.method, world.ids) | case.changes
        with recorded_log() as log:
            try:
                outcome = format_result(await maybe_await(getattr(target, name)(**arguments)))
            except Exception as error:  # noqa: BLE001 - any error belongs in the record
                outcome = format_error(error)
        if case.method not in PARALLEL:
            parallel = [thread for thread in world.recorder.threads if thread.name == "pinecone-admin-workflow"]
            assert len(parallel) <= 1, f"add {case.method} to PARALLEL"
        requests = [format_request(request) for request in world.recorder.requests]
        # Long values, and what distinguishes a temporary key, or the run that gave a temporary name.
        varying = r"(x{20})x{20,}|\b(Bearer )[\w.-]{60,}|(temporary |~(?:makes|rotates):[0-9a-f]{8}:m)[0-9a-f]{8}\b"
        lines = [re.sub(varying, r"\1\2\3...", line) for line in [*requests, *log, *outcome]]
        if case.method in PARALLEL:
            varying = r"(request.id\W+)[0-9a-f-]{36}|\d+( ms)"
            lines = sorted({sort_changes(re.sub(varying, r"\1...\2", line)) for line in lines})
        operations = list(dict.fromkeys(entry.operation_id for entry in world.emulator.requests))
        return lines, sorted(operations) if case.method in PARALLEL else operations


def sort_changes(line: str) -> str:
    """Return a line with the changes that a note names in the order of their names."""
    return re.sub(r"\w+ [\w-]+(, \w+ [\w-]+)+(?= were )", lambda match: ", ".join(sorted(match[0].split(", "))), line)


@contextmanager
def recorded_log() -> Iterator[list[str]]:
    """Collect the log lines of the package from DEBUG upwards, without those of the emulator."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith("pinecone_admin.emulator"):
                lines.append(f"log {record.levelname} {record.name}: {record.getMessage()}")

    logger, handler = logging.getLogger("pinecone_admin"), Handler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def format_request(request: httpx.Request) -> str:
    """Format a request as one line."""
    headers = "; ".join(f"{name.decode()}: {value.decode()}" for name, value in request.headers.raw)
    return f"sent {request.method} {request.url} [{headers}] {request.read().decode()!a}"


def format_result(result: object) -> list[str]:
    """Format the result of a method."""
    return [f"returned {type(result).__name__} {json.dumps(to_plain(result))}"]


def to_plain(result: object) -> object:
    """Convert a result to JSON types."""
    if isinstance(result, list):
        return [to_plain(each) for each in result]
    return to_dict(result) if attrs.has(type(result)) else repr(result)


def format_error(error: BaseException) -> list[str]:
    """Format everything that a caller can see of an error."""
    lines = [f"raised {type(error).__name__} {str(error)!a}"]
    public = {
        name: value
        for name, value in vars(error).items()
        if value is not None and name != "_parts" and (name != "__notes__" or value)
    }
    lines += [f"  {name} = {value!a}" for name, value in sorted(public.items())]
    if error.__cause__ is not None:
        lines.append(f"  cause {type(error.__cause__).__name__} {str(error.__cause__)!a}")
    return lines


async def make_client(kind: type[Client], changes: Arguments) -> list[str]:
    """Construct a client with one invalid argument, and return the record."""
    try:
        world = await make_world(kind, {"lazy": True, **changes})
    except Exception as error:  # noqa: BLE001 - any error belongs in the record
        return format_error(error)
    return format_result(world.client)


def abbreviate(value: object) -> str:
    """Return a hostile value as ASCII, cut to 20 characters if it is long."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:20]}... ({len(text)} characters)"


async def list_cases(section: str) -> list[RecordedCall]:
    """List the calls of a section that could be recorded: each method with success, faults and bad arguments."""
    cases: list[RecordedCall] = []
    for method in public_methods(section):
        cases.append(success := RecordedCall(method, "success"))
        world = await make_world(Admin)
        _, operations = await make_call(world, success)
        arguments = valid_arguments(method, world.ids)
        cases += [
            RecordedCall(method, f"{operation} {name}", faults={operation: fault})
            for operation in operations
            for name, fault in FAULTS.items()
        ]
        cases += [
            RecordedCall(method, f"{argument}={abbreviate(value)}", changes={argument: value})
            for argument in arguments
            for value in HOSTILE
        ]
    if section == "client":
        cases += [
            RecordedCall(CONSTRUCTOR, f"{argument}={abbreviate(value)}", changes={argument: value})
            for argument in inspect.signature(Admin).parameters
            for value in HOSTILE
        ]
    return cases


async def record_calls(kind: type[Client], cases: Sequence[RecordedCall]) -> list[list[str]]:
    """Make calls, and return their records."""
    records: list[list[str]] = []
    for case in cases:
        if case.method == CONSTRUCTOR:
            records.append(await make_client(kind, case.changes))
        else:
            records.append((await make_call(await make_world(kind), case))[0])
    return records


def list_features(record: Sequence[str]) -> set[str]:
    """List what a record shows: kinds of log lines, and its error class with cause, status and outcome."""
    logs = {re.sub(r"/[\w/{}.-]+|[0-9a-f-]{36}|\d+ ms", "", line) for line in record if line.startswith("log ")}
    error = [line.split("'")[0] for line in record if line.startswith("raised ")]
    error += [line for line in record if re.match(r"  (outcome|status_code|error_code|safe_to_retry) = ", line)]
    error += [line.split("'")[0] for line in record if line.startswith("  cause ")]
    return logs | {"\n".join(error)}


def format_section(section: str, *, chosen: Container[str] | None, seen: set[str]) -> str:
    """Return the record of the chosen calls of a section, or of those that show what is not in ``seen``.

    A call that differs between the clients is recorded twice.
    """
    cases = anyio.run(list_cases, section)
    if chosen is not None:
        cases = [case for case in cases if str(case) in chosen]
    sync, other = (anyio.run(record_calls, kind, cases) for kind in (Admin, AsyncAdmin))
    parts: list[str] = []
    for case, lines, others in zip(cases, sync, other, strict=True):
        features = list_features(lines) | list_features(others)
        if chosen is None and case.title != "success" and features <= seen:
            continue
        seen |= features
        if lines == others:
            parts += [f"== {case}", *lines]
        else:
            parts += [f"== {case} (sync)", *lines, f"== {case} (async)", *others]
    return abbreviate_headers(section, parts)


def abbreviate_headers(section: str, lines: list[str]) -> str:
    """Replace headers that many requests share by a short name."""
    names: dict[str, str] = {}

    def shorten(match: re.Match[str]) -> str:
        length = re.search(r"; content-length: \d+", match[1], re.IGNORECASE)
        own = match[1].replace(length[0], "") if length else match[1]
        name = names.setdefault(own, f"H{len(names) + 1}")
        return f" [{name}{length[0] if length else ''}]"

    body = [re.sub(r" \[(Host:[^\]]*)\]", shorten, line) for line in lines]
    heads = [f"{name} = {headers}" for headers, name in names.items()]
    return "\n".join([f"#### {section}", *heads, *body]) + "\n"


def read_golden_section(section: str) -> str:
    """Return a section of the golden file, or nothing if it has none of the name."""
    text = GOLDEN.read_text(encoding="utf-8")
    found = re.search(rf"^#### {section}\n.*?(?=^#### |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "PINECONE_ACCESS_TOKEN",
        "PINECONE_CONTROLLER_HOST",
        "PINECONE_OAUTH_URL",
        "PINECONE_ADMIN_ALLOW_HTTP",
    ):
        monkeypatch.delenv(name, raising=False)


def list_recorded(section: str) -> set[str]:
    """List the calls that the golden file has of a section, and the success of each of its methods."""
    titles = re.findall(r"^== (.*)$", read_golden_section(section), re.MULTILINE)
    successes = {f"{method}: success" for method in public_methods(section)}
    return {re.sub(r" \((a?sync)\)$", "", title) for title in titles} | successes


@pytest.mark.parametrize("section", some_daily(SECTIONS, 2))
def test_calls_are_as_recorded(section: str) -> None:
    """Requests, results, errors and log lines of recorded calls, and of each method's success, are as recorded."""
    recorded = list_recorded(section)
    expected, found = read_golden_section(section), format_section(section, chosen=recorded, seen=set())
    changes = list(difflib.unified_diff(expected.splitlines(), found.splitlines(), "golden", "now", lineterm="", n=1))
    assert changes == [], "\n".join([*changes[:200], "if it is as wanted: python -m tests.test_golden_calls"])


if __name__ == "__main__":
    choose = "--choose" in sys.argv
    seen: set[str] = set()
    sections = [format_section(each, chosen=None if choose else list_recorded(each), seen=seen) for each in SECTIONS]
    GOLDEN.write_text("".join(sections), encoding="utf-8")
