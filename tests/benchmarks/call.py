#!/usr/bin/env python3
"""Measure a call of our client beside the official SDK, plain httpx and http.client, and how calls and memory grow.

Usage: tests/benchmarks/call.py [--isolated] [--alone PYTHON] [--quick] [--rows NAME …] [--shape]

Everything runs on loopback: a server in one process, each client in a process of its own, and the rows about importing
in a fresh process each time. The rounds of the clients alternate. Prints JSON, which scripts/evidence keeps. Needs
Linux, pinecone-admin and pinecone; --isolated creates an environment with only these two and their dependencies, and
one with pinecone-admin alone, whose interpreter is PYTHON, measures there and removes them. A whole run takes some
minutes. With --quick it takes some seconds, and the figures mean nothing. --shape prints what is measured and how, and
measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

OURS, OFFICIAL, HTTPX, STDLIB = "ours", "official", "httpx", "http.client"
SDKS = (OURS, OFFICIAL)
ALL = (OURS, OFFICIAL, HTTPX, STDLIB)

SDK_STARTUP = """
client = Admin(client_id="id", client_secret="secret", host=url, oauth_url=url + "/oauth/token")
client.projects.describe(project_id=project)
"""
STARTUP = {
    OURS: ("from pinecone_admin import Admin", SDK_STARTUP),
    OFFICIAL: ("from pinecone import Admin", SDK_STARTUP),
    HTTPX: (
        "import httpx",
        """
client = httpx.Client()
token = client.post(url + "/oauth/token", json={"client_id": "id", "client_secret": "secret"}).json()["access_token"]
client.get(url + "/admin/projects/" + project, headers={"Authorization": "Bearer " + token}).raise_for_status().json()
""",
    ),
    STDLIB: (
        "import http.client, json",
        """
client = http.client.HTTPConnection(url.removeprefix("http://"))
client.request("POST", "/oauth/token", json.dumps({"client_id": "id", "client_secret": "secret"}))
token = json.loads(client.getresponse().read())["access_token"]
client.request("GET", "/admin/projects/" + project, headers={"Authorization": "Bearer " + token})
assert json.loads(client.getresponse().read())["id"] == project
""",
    ),
}
"""For each client, its import, and the rest of a program that gets a token and describes a project."""
STARTUP_PROGRAM = """
import sys, time
url, project = sys.argv[1:]
started = time.process_time()
{load}
with open("/proc/self/statm") as file:
    pages = int(file.read().split()[1])
{call}
responded = time.process_time()
import json, os
figures = {{"response": responded - started, "rss": pages * os.sysconf("SC_PAGE_SIZE")}}
print(json.dumps(figures), flush=True)
os._exit(0)
"""
PROJECT_ID = "3f0d9e52-7c61-4c1c-9f0a-1d2b8d7f6a55"

Figures = Mapping[str, float]


class Measurement(NamedTuple):
    """What is measured in rounds.

    Attributes:
        name: Method of the worker; "startup" starts a fresh process.
        arguments: Its arguments.
        clients: The clients that take part.
        rounds: Number of rounds; one more comes first and does not count, unless it is the only one.
    """

    name: str
    arguments: Mapping[str, int]
    clients: Sequence[str]
    rounds: int


class Row(NamedTuple):
    """A row of the first table, which compares clients.

    Attributes:
        name: Name on the command line.
        title: Title in the table.
        measurement: Where the figures come from.
        figure: Name of the figure.
        unit: Its unit in a table: ms, µs or MB.
        goal: Largest wanted ratio of ours to the other client's.
        other: The client that ours is compared with.
    """

    name: str
    title: str
    measurement: Measurement
    figure: str
    unit: str
    goal: float
    other: str = OFFICIAL


class Count(NamedTuple):
    """A count and the largest wanted one, if any."""

    title: str
    figure: str
    goal: int | None


class Sizes(NamedTuple):
    """How much is measured: the first set is published, the second shows only that everything runs."""

    rounds: int = 15
    growth_rounds: int = 3
    calls: int = 500
    many_calls: int = 2_000
    pages: int = 1_000
    memory_calls: int = 100_000
    bindings: int = 1_000_000
    tasks: Sequence[int] = (1, 10, 100, 1_000)
    threads: Sequence[int] = (1, 8, 32, 128)


QUICK = Sizes(0, 0, 10, 64, 2, 100, 1_000, (1, 10), (1, 8))

COUNTS = (
    Count("calls of its own functions", "calls", 70),
    Count("calls of all functions, with those of httpx, httpcore and h11", "all_calls", None),
    Count("`httpx.Request` and `httpx.Response` objects", "objects", None),
)
OTHER_ROWS = ("own-calls", "growing-tasks", "growing-threads", "memory")


def list_rows(sizes: Sizes) -> list[Row]:
    """Return the rows of the first table."""
    startup = Measurement("startup", {}, ALL, sizes.rounds)
    alone = Measurement("startup_alone", {}, SDKS, sizes.rounds)
    get = Measurement("describe", {"calls": sizes.calls}, ALL, sizes.rounds)
    post = Measurement("create", {"calls": sizes.calls}, ALL, sizes.rounds)
    pages = Measurement("read_pages", {"pages": sizes.pages}, ALL, sizes.rounds)
    threads = Measurement("run_threads", {"threads": 32, "calls": sizes.many_calls}, ALL, sizes.rounds)
    tasks = Measurement("run_tasks", {"tasks": 64, "calls": sizes.many_calls}, (OURS, HTTPX), sizes.rounds)
    return [
        Row("import", "import, over bare Python", startup, "import", "ms", 0.5),
        Row("response", "CPU from import to the first response", startup, "response", "ms", 0.85),
        Row("alone", "the same, each client installed alone", alone, "response", "ms", 0.8),
        Row("rss", "RSS after import", startup, "rss", "MB", 0.7),
        Row("get", "GET", get, "seconds", "µs", 0.8),
        Row("create", "POST, a create", post, "seconds", "µs", 1.15),
        Row("cpu", "CPU of a GET", get, "processor_seconds", "µs", 0.8),
        Row("pages", f"{sizes.pages:,} pages of 100", pages, "seconds", "ms", 1.0),
        Row("threads", "GET from 32 threads on one client", threads, "seconds", "µs", 0.6),
        Row("tasks", "async GET, 64 at once", tasks, "seconds", "µs", 0.3, HTTPX),
    ]


class Lab:
    """A server and the workers, started when they are needed."""

    def __init__(self, url: str, processes: ExitStack, alone: str) -> None:
        self._url = url
        self._alone = alone
        self._processes = processes
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self._measured: dict[tuple[object, ...], list[dict[str, Figures]]] = {}

    def measure(self, measurement: Measurement) -> list[dict[str, Figures]]:
        """Return the figures of each client in each round; the same measurement is made once."""
        name, arguments, clients, rounds = measurement
        key = (name, *arguments.items(), *clients, rounds)
        if key not in self._measured:
            print(f"{name} {json.dumps(arguments)}: {', '.join(clients)}", file=sys.stderr, flush=True)
            measured = [
                {client: self._measure_client(client, name, arguments) for client in rotate(clients, number)}
                for number in range(rounds + 1)
            ]
            self._measured[key] = measured[1:] or measured
        return self._measured[key]

    def measure_fresh(self, client: str, name: str, **arguments: int) -> Figures:
        """Return figures of a worker that has done nothing before."""
        print(f"{name} {json.dumps(arguments)}: {client}", file=sys.stderr, flush=True)
        with run_process(FOLDER / "call_worker.py", client, self._url) as worker:
            return ask_worker(worker, name, arguments)

    def _measure_client(self, client: str, name: str, arguments: Mapping[str, int]) -> Figures:
        if name == "startup":
            return measure_startup(client, self._url)
        if name == "startup_alone":
            return measure_response(client, self._url, self._alone if client == OURS else sys.executable)
        if client not in self._workers:
            worker = run_process(FOLDER / "call_worker.py", client, self._url)
            self._workers[client] = self._processes.enter_context(worker)
        return ask_worker(self._workers[client], name, arguments)


@contextmanager
def open_lab(alone: str) -> Generator[Lab, None, None]:
    """Start the server; stop it and the workers at the end."""
    with run_process(FOLDER / "call_server.py") as server, ExitStack() as processes:
        assert server.stdout is not None  # stdout is piped
        yield Lab(server.stdout.readline().strip(), processes, alone)


@contextmanager
def run_process(program: Path, *arguments: str) -> Generator[subprocess.Popen[str], None, None]:
    """Run a program that stops when its standard input is closed."""
    command = [sys.executable, str(program), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=clean_environment()) as process:
        yield process


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of the clients."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PINECONE_") and not name.lower().endswith("_proxy")
    }


def ask_worker(worker: subprocess.Popen[str], name: str, arguments: Mapping[str, int]) -> Figures:
    """Let a worker measure, and return its figures."""
    assert worker.stdin is not None  # both are piped
    assert worker.stdout is not None
    worker.stdin.write(json.dumps({"name": name, **arguments}) + "\n")
    worker.stdin.flush()
    response = worker.stdout.readline()
    if not response:
        raise SystemExit(f"call.py: the worker failed at {name} {arguments}")
    figures: Figures = json.loads(response)
    return figures


def measure_startup(client: str, url: str) -> Figures:
    """Import a client in one fresh process, import it and make its first call in another; return times and memory."""
    load, _ = STARTUP[client]
    seconds = time_program(load) - time_program("pass")
    return {"import": seconds, **measure_response(client, url, sys.executable)}


def measure_response(client: str, url: str, python: str) -> Figures:
    """Import a client in a fresh process and make its first call; return the processor time and the memory."""
    load, call = STARTUP[client]
    program = STARTUP_PROGRAM.format(load=load, call=call)
    figures: Figures = json.loads(run_program(program, url, PROJECT_ID, python=python))
    return figures


def time_program(program: str) -> float:
    """Return how long a fresh process takes to run a program, from its start to its end."""
    started = time.perf_counter()
    run_program(program)
    return time.perf_counter() - started


def run_program(program: str, *arguments: str, python: str = sys.executable) -> str:
    """Run a program in a fresh process and return its output."""
    command = [python, "-c", program, *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, env=clean_environment(), cwd=FOLDER, text=True, timeout=60, check=True
    )
    return done.stdout


def rotate(clients: Sequence[str], number: int) -> Sequence[str]:
    """Return the clients in another order for each round, so that none always follows the same one."""
    start = number % len(clients)
    return [*clients[start:], *clients[:start]]


def find_median(rounds: Sequence[Mapping[str, Figures]], client: str, figure: str) -> float:
    """Return the median of a figure."""
    return statistics.median(each[client][figure] for each in rounds)


def compare_clients(lab: Lab, row: Row) -> dict[str, Any]:
    """Return the medians of the clients in a row, in seconds or bytes, and the ratio of ours to another one."""
    rounds = lab.measure(row.measurement)
    ratios = [each[OURS][row.figure] / each[row.other][row.figure] for each in rounds]
    return {
        "medians": {client: find_median(rounds, client, row.figure) for client in row.measurement.clients},
        "ratio": statistics.median(ratios),
        "middle_half": find_middle_half(ratios),
    }


def find_middle_half(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile."""
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def measure_growth(lab: Lab, name: str, counts: Sequence[int], clients: Sequence[str], sizes: Sizes) -> dict[str, Any]:
    """Return the calls per second of each client, by the number of tasks or threads."""
    grown: dict[str, Any] = {}
    for count in counts:
        arguments = {name.removeprefix("run_"): count, "calls": max(sizes.many_calls, 2 * count)}
        rounds = lab.measure(Measurement(name, arguments, tuple(clients), sizes.growth_rounds))
        grown[str(count)] = {client: 1 / find_median(rounds, client, "seconds") for client in clients}
    return grown


def measure_other_row(lab: Lab, name: str, sizes: Sizes) -> dict[str, Any]:
    """Return the figures of a row after the first table."""
    if name == "own-calls":
        return {client: lab.measure_fresh(client, "count_own_calls") for client in SDKS}
    if name == "growing-tasks":
        return measure_growth(lab, "run_tasks", sizes.tasks, (OURS, HTTPX), sizes)
    if name == "growing-threads":
        return measure_growth(lab, "run_threads", sizes.threads, (OURS, OFFICIAL, HTTPX), sizes)
    grown = {client: lab.measure_fresh(client, "grow", calls=sizes.memory_calls) for client in SDKS}
    read = {client: lab.measure_fresh(client, "read_all", bindings=sizes.bindings) for client in SDKS}
    return {
        "calls": {client: grown[client]["bytes"] for client in SDKS},
        "bindings": {client: read[client]["bytes"] for client in SDKS},
    }


def describe_shape(names: Sequence[str], sizes: Sizes) -> dict[str, Any]:
    """Return what is measured and how: rows, units, rounds, sizes and goals."""
    compared = {
        row.name: {"title": row.title, "unit": row.unit, "goal": row.goal, "other": row.other}
        for row in list_rows(sizes)
        if row.name in names
    }
    counted = {each.figure: {"title": each.title, "goal": each.goal} for each in COUNTS}
    return {
        "rows": compared | {name: {} for name in OTHER_ROWS if name in names},
        "counts": counted if "own-calls" in names else {},
        "sizes": sizes._asdict(),
    }


@contextmanager
def create_environments() -> Generator[Sequence[str], None, None]:
    """Create an environment with the wheel of this tree and the official SDK, and one with the wheel alone.

    Yield their interpreters, then remove both.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)
    official = next(each for each in project["dependency-groups"]["dev"] if each.startswith("pinecone=="))
    with tempfile.TemporaryDirectory() as folder:
        print(f"creating an environment with pinecone-admin and {official}", file=sys.stderr, flush=True)
        pythons = [f"{folder}/both/bin/python", f"{folder}/alone/bin/python"]
        for python, packages in zip(pythons, ([str(ROOT), official], [str(ROOT)]), strict=True):
            subprocess.run([sys.executable, "-m", "venv", Path(python).parents[1]], check=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
            subprocess.run(install, check=True)
        yield pythons


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    names = [*(row.name for row in list_rows(Sizes())), *OTHER_ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolated", action="store_true", help="measure in environments made for it")
    parser.add_argument("--alone", metavar="PYTHON", default=sys.executable, help="one that has no official SDK")
    parser.add_argument("--quick", action="store_true", help="measure little, to see that everything runs")
    parser.add_argument("--rows", nargs="+", metavar="NAME", choices=names, help=f"only these: {' '.join(names)}")
    parser.add_argument("--shape", action="store_true", help="print what is measured and how, and measure nothing")
    parsed = parser.parse_args(arguments)
    if not Path("/proc/self/statm").exists():
        parser.error("it needs Linux: memory is read from /proc")
    parsed.rows = parsed.rows or names
    return parsed


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print the figures; return the exit status."""
    parsed = parse_arguments(arguments)
    sizes = QUICK if parsed.quick else Sizes()
    shape = describe_shape(parsed.rows, sizes)
    if parsed.shape:
        print(json.dumps({"shape": shape}))
        return 0
    if parsed.isolated:
        given = sys.argv[1:] if arguments is None else arguments
        with create_environments() as (python, alone):
            rest = [each for each in given if each != "--isolated"]
            command = [python, str(FOLDER / "call.py"), "--alone", alone, *rest]
            return subprocess.run(command, check=False).returncode
    with open_lab(parsed.alone) as lab:
        figures = {row.name: compare_clients(lab, row) for row in list_rows(sizes) if row.name in parsed.rows}
        figures |= {name: measure_other_row(lab, name, sizes) for name in OTHER_ROWS if name in parsed.rows}
    versions = {name: version(name) for name in ("httpx", "httpcore", "pinecone")}
    print(json.dumps({"shape": shape, "figures": figures, "rounds": sizes.rounds, "versions": versions}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
