#!/usr/bin/env python3
"""Measure a served emulator under load: many connections, a large state, and the same load on moto for comparison.

Usage: tests/benchmarks/emulator_load.py [--users N] [--connections N] [--seconds S] [--moto] [--shape]

--moto installs moto into an environment that is removed again; its IAM users are what service accounts are here. Prints
JSON, which scripts/evidence keeps; --shape prints what is measured and how, and measures nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import urlencode, urlsplit

import httpx

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal

MOTO = "moto==5.2.5"
AWS = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x"


DUMPS = 10

Load: TypeAlias = Mapping[str, float]
"""Requests a second, and the median and the 99th percentile of their durations in seconds."""

LOADS = ("reads", "creates", "half of each")


class Server(NamedTuple):
    """A server under load: its name, its URL, and the requests of a read and of the n-th create."""

    name: str
    url: str
    read: bytes
    create: Callable[[int], bytes]


def main() -> None:
    """Measure, and print the figures."""
    options = parse_arguments()
    shape = {name: getattr(options, name) for name in ("users", "connections", "seconds")} | {
        "dumps": DUMPS,
        "moto": MOTO,
    }
    if options.shape:
        print(json.dumps({"shape": shape}))
        return
    loads, costs = measure(options)
    print(json.dumps({"shape": shape, "figures": {"loads": loads, "costs": costs}, "rounds": 1}))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000, help="users in the state (default %(default)s)")
    parser.add_argument("--connections", type=int, default=64, help="at the same time (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="duration of each load (default %(default)s)")
    parser.add_argument("--moto", action="store_true", help=f"measure {MOTO}, too, in an environment made for it")
    parser.add_argument("--shape", action="store_true", help="print what is measured and how, and measure nothing")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> tuple[dict[str, dict[str, Load]], dict[str, float]]:
    """Return the load that each server carries, and what a large state costs in seconds or bytes."""
    costs: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.json"
        file.write_text(json.dumps(make_state(options.users)), encoding="utf-8")
        # The environment is made first: what it leaves for the disk to write must not disturb a server.
        moto = [served_moto(install_moto(Path(folder) / "moto"))] if options.moto else []
        loads = dict(
            measure_server(served, options.connections, options.seconds)
            for served in (served_emulator(), served_emulator(file, costs), *moto)
        )
    return loads, costs


def install_moto(folder: Path) -> str:
    """Create an environment with moto and what its server needs, and return its interpreter."""
    print(f"creating an environment with {MOTO}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MOTO, "flask", "flask-cors"]
    subprocess.run(install, check=True)
    return python


# The servers


@contextmanager
def served_emulator(file: Path | None = None, costs: dict[str, float] | None = None) -> Iterator[Server]:
    """Yield a new emulator, or one that serves a state; then measure what dumps, loading and stopping cost."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "pinecone_admin.emulator", *(("--state", str(file)) if file else ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            line = json.loads(process.stdout.readline())
            if costs is not None:
                costs["start with a state file, until it listens"] = time.perf_counter() - started
                costs["memory, then"] = read_memory(process.pid)
            credentials = {name: line[name] for name in ("client_id", "client_secret")}
            grant = {"grant_type": "client_credentials", "audience": "https://api.pinecone.io/"}
            token = httpx.post(line["oauth_url"], json=credentials | grant).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"}
            path = f"/admin/organizations/{line['organization_id']}"
            name = f"emulator, {'with a large state' if file else 'new'}"
            yield Server(
                name,
                line["host"],
                encode_request("GET", path, headers),
                lambda number: encode_request(
                    "POST", "/admin/service-accounts", headers, json.dumps({"name": f"n{number}"})
                ),
            )
            if costs is not None and file is not None:
                read = httpx.Request("GET", line["host"] + path, headers=headers)
                state = f"{line['control_url']}/state"
                dumps = [measure_beside(["GET", state], read) for _ in range(DUMPS)]
                costs["dump over HTTP"] = max(took for took, _ in dumps)
                costs[f"longest wait of another request meanwhile, in {DUMPS} dumps"] = max(
                    waited for _, waited in dumps
                )
                costs["memory, after the dumps"] = read_memory(process.pid)
                took, waited = measure_beside(["PUT", state, str(file)], read)
                costs["loading over HTTP"] = took
                costs["longest wait of another request meanwhile"] = waited
                started = time.perf_counter()
                process.send_signal(signal.SIGTERM)
                process.wait()
                costs["stop, with a dump to the file"] = time.perf_counter() - started
        finally:
            process.kill()


@contextmanager
def served_moto(python: str) -> Iterator[Server]:
    """Yield a new moto server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [python, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            headers = {"Authorization": AWS, "Content-Type": "application/x-www-form-urlencoded"}
            fields = {"Version": "2010-05-08"}
            first = urlencode(fields | {"Action": "CreateUser", "UserName": "first"})
            wait_until_created(url, headers, first)
            yield Server(
                "moto, new",
                url,
                encode_request("POST", "/", headers, urlencode(fields | {"Action": "GetUser", "UserName": "first"})),
                lambda number: encode_request(
                    "POST", "/", headers, urlencode(fields | {"Action": "CreateUser", "UserName": f"n{number}"})
                ),
            )
        finally:
            process.kill()


def wait_until_created(url: str, headers: dict[str, str], body: str) -> None:
    """Create the first user of moto once it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.post(url, headers=headers, content=body).raise_for_status()
            return
        time.sleep(0.1)
    raise TimeoutError("moto does not listen")


def make_state(users: int) -> object:
    """Return a state with users who each hold a role."""
    emulator = Emulator(seed=1)
    state, now = emulator.state, emulator.clock.now()
    grant = Grant("OrgMember", "organization", emulator.organization_id)
    for number in range(users):
        user = state.add_user(f"user{number}@example.com", f"User {number}")
        state.bind(Principal("user", user.id), [grant], now)
    return emulator.dump()


# In a process of its own, since a body of 40 MB would hold up the requests that are measured beside it.
TRANSFER = """
import sys, time, httpx
method, url, *files = sys.argv[1:]
content = open(files[0], "rb").read() if files else None
sys.stdin.readline()
started = time.perf_counter()
httpx.request(method, url, content=content, timeout=120).raise_for_status()
print(time.perf_counter() - started)
"""


def measure_beside(transfer: list[str], read: httpx.Request) -> tuple[float, float]:
    """Return the seconds that a dump or loading takes, and the longest that a read of the API takes meanwhile."""
    command = [sys.executable, "-c", TRANSFER, *transfer]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        httpx.Client(timeout=120) as client,
    ):
        assert process.stdin
        assert process.stdout
        client.send(read)
        process.stdin.write("\n")
        process.stdin.close()
        longest = 0.0
        while process.poll() is None:
            before = time.perf_counter()
            client.send(read)
            longest = max(longest, time.perf_counter() - before)
        return float(process.stdout.read()), longest


def read_memory(pid: int) -> int:
    """Return the memory of a process in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024


# The load


def encode_request(method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    """Return a request as bytes: a client library would take longer than the servers."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()


def measure_server(
    served: AbstractContextManager[Server], connections: int, seconds: float
) -> tuple[str, dict[str, Load]]:
    """Return the name of a server, and what it carries of each kind of load."""
    numbers = count()
    with served as server:
        print(f"measuring {server.name}", file=sys.stderr, flush=True)
        loads: list[Callable[[int], bytes]] = [
            lambda _: server.read,
            lambda _: server.create(next(numbers)),
            lambda turn: server.read if turn % 2 else server.create(next(numbers)),
        ]
        carried = [asyncio.run(measure_load(server.url, load, connections, seconds)) for load in loads]
    return server.name, dict(zip(LOADS, carried, strict=True))


async def measure_load(url: str, load: Callable[[int], bytes], connections: int, seconds: float) -> Load:
    """Send requests over several connections, and return the rate and the quantiles."""
    durations: list[float] = []
    end = time.perf_counter() + seconds

    async def send_requests() -> None:
        parts, turn, stays_open = urlsplit(url), 0, False
        while not turn or time.perf_counter() < end:
            started = time.perf_counter()
            # moto closes each connection.
            if not stays_open:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(load(turn))
            stays_open = await read_response(reader)
            if not stays_open:
                writer.close()
            durations.append(time.perf_counter() - started)
            turn += 1
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(send_requests())
    durations.sort()
    median, late = durations[len(durations) // 2], durations[len(durations) * 99 // 100]
    return {"rate": len(durations) / seconds, "median": median, "late": late}


async def read_response(reader: asyncio.StreamReader) -> bool:
    """Read a response, which must be a success; return whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.split(b" ", 2)[1].startswith(b"2"), head
    length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    await reader.readexactly(int(length.partition(b":")[2]))
    return b"connection: close" not in head


if __name__ == "__main__":
    main()
