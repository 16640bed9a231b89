#!/usr/bin/env python3
"""Measure this client and the official SDK under the same faults in one run.

Usage: tests/faults/reliability_report.py [--creates N] [--exact] [--shape]

Needs the development environment, which scripts/test creates, and pip, which installs botocore into an environment that
is removed again. Takes some minutes and uses loopback only. Prints JSON, which scripts/evidence keeps. Exits with
status 1 if a figure of this client that must be 0 is not. --exact measures only the load of this client during an
outage, which is equal in every run. --shape prints what is measured and how, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import trustme
from attrs import asdict, define, field, frozen
from pinecone import Admin as OfficialAdmin
from pinecone._internal import http_client as official_http

from pinecone_admin import RetryPolicy
from pinecone_admin._concurrency.clock import SystemClock, use_clock
from tests.faults import canaries
from tests.faults.canaries import KEY, SECRET, SecretSearch
from tests.faults.cases import (
    FAULTS,
    Certificates,
    ClientKind,
    Fault,
    make_certificates,
    run_failing_server,
    send_and_close,
)
from tests.faults.clients import AnyClient, run_in_threads
from tests.faults.clock import RunningClock
from tests.faults.random_creates import CALLERS, EMULATED_FAULTS, count_inside_emulate, count_over_sockets
from tests.faults.random_creates import FAULTS as RANDOM_FAULTS
from tests.faults.server import Action, RequestContext, Server, respond_after, send_project, send_response

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 4
TIMEOUT = 1.0
"""Seconds per attempt, for all clients."""
MAX_SECONDS_OF_CREATES = 150.0
"""Seconds until creates under random faults stop."""
CALLS_IN_OUTAGE = 1000
BOTOCORE = "botocore==1.44.8"
# Its arguments are the URL of the server and how many calls to make; it waits in no time.
BOTOCORE_PROGRAM = f"""
import sys, time
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

time.sleep = lambda seconds: None
retries = {{"mode": "standard", "total_max_attempts": {ATTEMPTS}}}
client = botocore.session.Session().create_client(
    "sts", "us-east-1", endpoint_url=sys.argv[1], aws_access_key_id="a", aws_secret_access_key="b",
    config=Config(retries=retries),
)
for _ in range(int(sys.argv[2])):
    try:
        client.get_caller_identity()
    except ClientError:
        pass
"""
CALL_DEADLINE = 6.0
"""Seconds until a call has exceeded the timeouts of all its attempts."""

CALLS: dict[str, Callable[[Any], Any]] = {
    "GET": lambda admin: admin.projects.describe(project_id="thing"),
    "POST": lambda admin: admin.projects.create(name="thing"),
    "PATCH": lambda admin: admin.projects.update(project_id="thing", name="other"),
    "DELETE": lambda admin: admin.projects.delete(project_id="thing"),
}
ENDPOINT_FAILURES: dict[str, Action] = {
    "FIN": send_and_close(b"", process=False),
    "RST": send_and_close(b"", RequestContext.reset, process=False),
    "garbage": send_and_close(b"garbage\r\n\r\n", process=False),
    "429": send_response(429),
    "500": send_response(500),
    "503": send_response(503),
    "302": send_response(302),
    "HTML": send_response(200, b"<html>"),
    "no token": send_response(200, b"{}"),
    "401": send_response(401),
}


# The rows of the page, and whether their figures must be 0.
ROWS = {
    "fault cases": False,
    "requests seen by the server": False,
    "POSTs processed twice": True,
    "creates under random faults": False,
    "creates processed twice under random faults": True,
    "calls that outlived their timeout": True,
    "tokens issued for 50 expiries under 100 threads": False,
    "calls that failed with a valid token": True,
    "forks": False,
    "deadlocks in forked children": True,
    "crossed responses": True,
    "other errors in children and parents": False,
    "places searched for secrets": False,
    "secrets found": True,
}
API_KEY = {
    "id": "k", "name": "n", "project_id": "p", "roles": ["ProjectEditor"], "created_at": "2026-01-01T00:00:00Z"
}  # fmt: skip


class Subject(Protocol):
    """A client under test, with a sync interface."""

    admin: Any

    def run_call(self, ask: Callable[[], Any]) -> Any:
        """Call a function and return its result or its error."""
        ...

    def close(self) -> None:
        """Close the client."""
        ...


class OfficialClient:
    """The official SDK with our timeout, set through private attributes because it has no option for it."""

    def __init__(self, **options: Any) -> None:
        official_http.get_budget_registry()._reset()  # else one case would use up the retries of the next
        self.admin: Any = OfficialAdmin(**options)
        http = self.admin._http  # the timeout has no public option
        object.__setattr__(http._config, "timeout", TIMEOUT)
        http._default_timeout_extensions["timeout"] = httpx.Timeout(TIMEOUT).as_dict()

    def run_call(self, ask: Callable[[], Any]) -> Any:
        """Call a function and return its result or its error."""
        try:
            return ask()
        except Exception as exc:  # noqa: BLE001 - whatever it raises
            return exc

    def close(self) -> None:
        """Close the client."""
        self.admin.close()


@frozen
class Column:
    """A client that is measured: one column of the table.

    Attributes:
        title: Name in the table.
        forks: Name in tests/faults/forks.py.
        client_kind: How to run our client; None means the official SDK.
    """

    title: str
    forks: str
    client_kind: ClientKind | None

    def make_client(self, certificates: Certificates, **options: Any) -> Subject:
        """Return a client with four attempts, which fetches its token at once, as the official SDK does."""
        eager = {name: value for name, value in options.items() if name != "lazy"}
        if self.client_kind is None:
            return OfficialClient(**eager)
        policy = RetryPolicy(max_attempts=ATTEMPTS, attempt_timeout=TIMEOUT, backoff=0.05)
        return AnyClient(self.client_kind, ssl_verify=certificates.client, retry=policy, **eager)


COLUMNS = (
    Column("`Admin`", "ours", "sync"),
    Column("`AsyncAdmin`, asyncio", "asyncio", "asyncio"),
    Column("`AsyncAdmin`, trio", "trio", "trio"),
    Column(f"official SDK {version('pinecone')}", "official", None),
)


@frozen
class Case:
    """A call under a fault that occurs a number of times, or for ever if times is None."""

    fault: Fault
    verb: str
    times: int | None


@frozen
class Outage:
    """The requests of many calls that all fail, and how many of the calls were sent as often as allowed."""

    requests: int
    complete_calls: int


@define
class Figures:
    """The figures of one client.

    Attributes:
        rows: Figures by the name of the row.
        posts: For each fault, how often a create was sent and processed, and what the caller got.
        outage: The cost of calls during an outage of the API.
    """

    rows: dict[str, int] = field(factory=dict[str, int])
    posts: dict[str, str] = field(factory=dict[str, str])
    outage: Outage = Outage(0, 0)

    def add(self, name: str, count: int) -> None:
        """Add to a figure."""
        self.rows[name] = self.rows.get(name, 0) + count


@contextmanager
def run_token_endpoint(server: Server) -> Generator[dict[str, Any], None, None]:
    """Run a working token endpoint, and yield the arguments of a client of the server."""
    with Server() as tokens:
        yield tokens.client_options | {"host": server.url}


def call_once(subject: Subject, verb: str = "GET") -> object:
    """Make one call and return its result or its error."""
    return subject.run_call(lambda: CALLS[verb](subject.admin))


def measure_faults(column: Column, certificates: Certificates, figures: Figures) -> None:
    """Measure every verb under every fault, transient and permanent."""
    cases = [
        Case(fault, verb, times) for fault in FAULTS if fault.reaches_server for verb in CALLS for times in (None, 1)
    ]
    with use_clock(RunningClock()):
        for case in cases:
            if not case.fault.slow:
                measure_fault(case, column, certificates, figures)
    with use_clock(SystemClock()), ThreadPoolExecutor(8) as threads:
        slow = [case for case in cases if case.fault.slow]
        list(threads.map(lambda case: measure_fault(case, column, certificates, figures), slow))


def measure_fault(case: Case, column: Column, certificates: Certificates, figures: Figures) -> None:
    """Measure one call under a fault."""
    fault, verb = case.fault, case.verb
    with run_failing_server(fault, certificates, times=case.times) as server, run_token_endpoint(server) as arguments:
        subject = column.make_client(certificates, **arguments)
        results: list[object] = []
        thread = threading.Thread(target=lambda: results.append(call_once(subject, verb)))
        thread.start()
        thread.join(CALL_DEADLINE)
        outlived = thread.is_alive()
        sent = fault.count_attempts(server, verb)
        server.stop()
        thread.join()
        subject.close()
    processed = sum(count for (each, _), count in server.processed.items() if each == verb)
    figures.add("fault cases", 1)
    figures.add("requests seen by the server", sent)
    figures.add("calls that outlived their timeout", outlived)
    if verb == "POST":
        figures.add("POSTs processed twice", processed > 1)
        if case.times is None:
            figures.posts[fault.name] = f"{sent}/{processed} {describe_result(results[0])}"


def measure_random_creates(column: Column, certificates: Certificates, figures: Figures, count: int) -> None:
    """Make creates under random faults, half of them over sockets and half inside ``emulate()``."""
    for place in (count_over_sockets, count_inside_emulate):
        with use_clock(RunningClock()):
            deadline = time.monotonic() + MAX_SECONDS_OF_CREATES
            found = place(partial(column.make_client, certificates), count // 2, seed=0, deadline=deadline)
        figures.add("creates under random faults", found.made)
        figures.add("creates processed twice under random faults", found.repeated)


def describe_result(result: object) -> str:
    """Return what the caller gets, as Markdown."""
    if not isinstance(result, Exception):
        return "success"
    outcome = getattr(result, "outcome", None)
    return f"`{type(result).__name__}`" + (f" {outcome}" if outcome else "")


def measure_token_expiries(column: Column, certificates: Certificates, figures: Figures) -> None:
    """Let a hundred threads find an expired token, fifty times."""
    clock = RunningClock()
    with Server(token_actions=[respond_after(0.005)]) as server, use_clock(clock):
        subject = column.make_client(certificates, **server.client_options)
        call_once(subject)
        before = server.tokens_issued
        for _ in range(50):
            pass_time(subject, clock, 1801)
            run_in_threads(100, lambda: call_once(subject))
        subject.close()
        figures.add("tokens issued for 50 expiries under 100 threads", server.tokens_issued - before)


def pass_time(subject: Subject, clock: RunningClock, seconds: float) -> None:
    """Advance the clock that our client was made with; the official SDK has its own, so its token expires."""
    if isinstance(subject, OfficialClient):
        subject.admin._http._deadline = 0.0
    else:
        clock.advance(seconds)


def measure_endpoint_outages(column: Column, certificates: Certificates, figures: Figures) -> None:
    """Call while the token endpoint is down and the token has 250 or 20 seconds left."""
    for failure in ENDPOINT_FAILURES.values():
        for left in (250, 20):
            clock = RunningClock()
            with Server() as api, Server() as tokens, use_clock(clock):
                subject = column.make_client(certificates, **tokens.client_options | {"host": api.url})
                assert not isinstance(call_once(subject), Exception)
                tokens.token_actions = [failure]
                pass_time(subject, clock, 1800 - left)
                result = call_once(subject)
                figures.add("calls that failed with a valid token", isinstance(result, Exception))
                time.sleep(0.05)  # for refreshes in the background
                subject.close()


def measure_forks(column: Column, figures: Figures) -> None:
    """Fork two hundred times while the client is in use."""
    command = [sys.executable, "-m", "tests.faults.forks", column.forks, "200"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    counts: dict[str, int] = json.loads(done.stdout)
    figures.add("forks", counts["forks"])
    figures.add("deadlocks in forked children", counts["deadlocks"])
    figures.add("crossed responses", counts["crossed"] + counts["parent_crossed"])
    figures.add("other errors in children and parents", counts["errors"] + counts["parent_errors"])


def count_outage(requests_by_call: Sequence[int]) -> Outage:
    """Return the figures of calls, given how often each was sent."""
    return Outage(sum(requests_by_call), sum(requests == ATTEMPTS for requests in requests_by_call))


def measure_outage(column: Column, certificates: Certificates, figures: Figures) -> None:
    """Make calls while the API is down."""
    with (
        Server(api_actions=[send_response(503)]) as server,
        run_token_endpoint(server) as arguments,
        use_clock(RunningClock()),
    ):
        subject = column.make_client(certificates, **arguments)
        sent = [0]
        for _ in range(CALLS_IN_OUTAGE):
            call_once(subject)
            sent.append(server.count_requests("GET"))
        subject.close()
    figures.outage = count_outage([after - before for before, after in pairwise(sent)])


def measure_botocore(folder: Path) -> Outage:
    """Make calls with botocore in its standard mode, in an environment made for it, while the server is down."""
    python = str(folder / "bin/python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", BOTOCORE]
    subprocess.run(install, check=True)
    ids: list[str] = []

    def refuse(context: RequestContext) -> None:
        ids.append(context.request.headers["amz-sdk-invocation-id"])
        send_response(503, b"<Response/>")(context)

    with Server(api_actions=[refuse]) as server:
        command = [python, "-c", BOTOCORE_PROGRAM, server.url, str(CALLS_IN_OUTAGE)]
        subprocess.run(command, check=True)
    return count_outage(list(Counter(ids).values()))


def search_secrets(column: Column, certificates: Certificates, figures: Figures) -> None:
    """Search errors, values, stacks and logs for canaries."""
    search = SecretSearch()
    with search.logs("logs"):
        for scene in list_secret_scenes():
            search_call(column, certificates, search, scene)
    figures.add("places searched for secrets", search.places)
    figures.add("secrets found", len(search.found))


class Scene(NamedTuple):
    """A token endpoint, an API, and a call to it."""

    tokens: Action
    step: Action
    ask: Callable[[Any], Any] = lambda admin: admin.projects.list()


def list_secret_scenes() -> Iterator[Scene]:
    """Yield scenes with a token endpoint or an API that fails or echoes secrets."""
    refused = '{"error": "access_denied", "error_description": "ECHOED is wrong"}'
    for tokens in (
        canaries.send_secret_in_body(401, refused),
        canaries.send_secret_in_body(200, '{"got": "ECHOED"}'),
        send_and_close(b""),
        send_response(500),
    ):
        yield Scene(tokens, send_project)
    message = '{"error": {"code": "X", "message": "bad ECHOED"}}'
    for step in (
        send_project,
        send_response(401),
        send_response(503),
        send_and_close(b""),
        canaries.send_secret_in_body(400, message),
    ):
        yield Scene(canaries.issue_canary_token, step)
    for key in (API_KEY, {"id": 1}):  # the second one does not fit the API document
        step = send_response(201, json.dumps({"key": key, "value": KEY}).encode())
        yield Scene(canaries.issue_canary_token, step, lambda admin: admin.api_keys.create(project_id="p", name="n"))


def search_call(column: Column, certificates: Certificates, search: SecretSearch, scene: Scene) -> None:
    """Search everything that one call leaves behind."""
    with Server(token_actions=[scene.tokens], api_actions=[scene.step]) as server, use_clock(RunningClock()):
        try:
            subject = column.make_client(certificates, **server.client_options | {"client_secret": SECRET})
        except Exception as exc:  # noqa: BLE001 - the official SDK fetches its token at once
            search.error("construction", exc)
            return
        result = subject.run_call(lambda: scene.ask(subject.admin))
        if isinstance(result, Exception):
            search.error("call", result)
        else:
            search.value("result", result)
        search.value("client", subject.admin)
        search.pickle("client", subject.admin)
        search.objects("client", subject.admin)
        search.stacks("stacks")
        subject.close()


def measure_client(column: Column, certificates: Certificates, creates: int, *, exact: bool) -> Figures:
    """Return all figures of one client, or those that are equal in every run."""
    figures = Figures(rows=dict.fromkeys(ROWS, 0))
    if exact:
        measure_outage(column, certificates, figures)
        return figures
    measure_random_creates(column, certificates, figures, creates)
    for step in (measure_outage, measure_faults, measure_token_expiries, measure_endpoint_outages, search_secrets):
        step(column, certificates, figures)
    measure_forks(column, figures)
    return figures


def describe_shape(creates: int) -> dict[str, Any]:
    """Return what is measured and how."""
    return {
        "columns": [column.title for column in COLUMNS],
        "rows": {row: {"must_be_zero": must_be_zero} for row, must_be_zero in ROWS.items()},
        "verbs": list(CALLS),
        "faults": [fault.name for fault in FAULTS if fault.reaches_server],
        "attempts": ATTEMPTS,
        "attempt_timeout": TIMEOUT,
        "callers": CALLERS,
        "random_faults": len(RANDOM_FAULTS),
        "emulated_faults": len(EMULATED_FAULTS),
        "call_deadline": CALL_DEADLINE,
        "endpoint_failures": len(ENDPOINT_FAILURES),
        "calls_in_outage": CALLS_IN_OUTAGE,
        "botocore": BOTOCORE,
        "creates": creates,
    }


@contextmanager
def trust_authority(authority: trustme.CA) -> Generator[None, None, None]:
    """Let the official SDK trust the authority, and hide other settings in the environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(file))
        for name in list(os.environ):
            if name.startswith("PINECONE_") or name.lower().endswith("_proxy"):
                del os.environ[name]
        os.environ["SSL_CERT_FILE"] = str(file)
        yield


def main() -> int:
    """Measure, print the figures, and check those that must be 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=int, default=20_000, help="creates under random faults, for each client")
    parser.add_argument("--exact", action="store_true", help="measure only the load during an outage")
    parser.add_argument("--shape", action="store_true", help="print what is measured and how, and measure nothing")
    options = parser.parse_args()
    shape = describe_shape(options.creates)
    if options.shape:
        print(json.dumps({"shape": shape}))
        return 0
    authority = trustme.CA()
    certificates = make_certificates(authority)
    official_http._retry_sleep = lambda _: None  # the seam that it offers for tests
    measured: dict[str, Figures] = {}
    outages: dict[str, Outage] = {}
    if not options.exact:
        with tempfile.TemporaryDirectory() as folder:
            outages[f"{BOTOCORE.replace('==', ' ')}, standard mode"] = measure_botocore(Path(folder) / "botocore")
    with trust_authority(authority):
        for column in COLUMNS[:-1] if options.exact else COLUMNS:
            started = time.monotonic()
            measured[column.title] = measure_client(column, certificates, options.creates, exact=options.exact)
            print(f"{column.title}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    outages |= {title: figures.outage for title, figures in measured.items()}
    figures: dict[str, Any] = {"outages": {title: asdict(outage) for title, outage in outages.items()}}
    if not options.exact:
        figures["rows"] = {title: each.rows for title, each in measured.items()}
        figures["creates"] = {title: each.posts for title, each in measured.items() if each.posts}
    versions = {name: version(name) for name in ("httpx", "httpcore", "pinecone")}
    print(json.dumps({"shape": shape, "figures": figures, "rounds": 1, "n": options.creates, "versions": versions}))
    ours = [each for title, each in measured.items() if title != COLUMNS[-1].title]
    wrong = [row for row, must_be_zero in ROWS.items() if must_be_zero for each in ours if each.rows[row]]
    if wrong:
        print(f"not 0: {', '.join(wrong)}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
