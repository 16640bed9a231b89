#!/usr/bin/env python3
"""Measure the emulator: calls in process, lookups among many role bindings, and the start of the server.

Usage: tests/benchmarks/emulator.py [--bindings N]

Prints the best of several runs beside its limit, and exits with status 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.testing import emulate


class Measurement(NamedTuple):
    """A measurement and its limit, in milliseconds."""

    name: str
    took: float
    limit: float | None = None

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"  of {self.limit:g} ms"
        return f"{self.name:<58} {self.took:10.3f} ms{limit}"

    @property
    def exceeds_limit(self) -> bool:
        """Whether it took longer than its limit."""
        return self.limit is not None and self.took > self.limit


def main(arguments: list[str] | None = None) -> int:
    """Print every measurement; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--bindings", type=int, default=100_000, help="role bindings in the state (default %(default)s)"
    )
    bindings = parser.parse_args(arguments).bindings
    exceeded = False
    for row in (*measure_plain_calls(), *measure_lookups(bindings), measure_startup()):
        print(row, flush=True)
        exceeded = exceeded or row.exceeds_limit
    return int(exceeded)


def measure_best(call: Callable[[], object], *, repeat: int = 1, runs: int = 7) -> float:
    """Return the duration of a call in milliseconds, the best of several runs."""
    times: list[float] = []
    for _ in range(runs):
        started = time.perf_counter()
        for _ in range(repeat):
            call()
        times.append((time.perf_counter() - started) / repeat)
    return min(times) * 1000


def measure_plain_calls() -> Iterator[Measurement]:
    """Describe the only project of an organization, through more and more layers."""
    emulator = Emulator()
    project = emulator.state.add_project("search", emulator.clock.now())
    path, headers = f"/admin/projects/{project.id}", authorized_headers(emulator)
    request = Request("GET", path, headers)
    yield Measurement(
        "describe a project: the rules alone", measure_best(lambda: emulator.handle(request), repeat=1000), 0.3
    )
    url = f"https://api.pinecone.io{path}"
    sent = httpx.Request("GET", url, headers=headers)
    yield Measurement(
        "the same through the transport",
        measure_best(lambda: emulator.transport.handle_request(sent), repeat=1000),
        0.3,
    )
    with httpx.Client(transport=emulator.transport, headers=headers) as http:
        yield Measurement("the same through httpx.Client", measure_best(lambda: http.get(url), repeat=1000), 0.3)
    with emulator.admin() as admin:
        yield Measurement(
            "the same through Admin",
            measure_best(lambda: admin.projects.describe(project_id=project.id), repeat=1000),
            0.3,
        )
    yield Measurement("make an emulator", measure_best(Emulator, repeat=50))
    with emulate():
        pass
    yield Measurement("enter and leave emulate()", measure_best(enter_and_leave_emulate, repeat=50))


def enter_and_leave_emulate() -> None:
    """Enter and leave emulate() without a call."""
    with emulate():
        pass


def authorized_headers(emulator: Emulator) -> dict[str, str]:
    """Return request headers with a token of the emulator."""
    with emulator.admin() as admin:
        return {"authorization": f"Bearer {admin.token().value}", "x-pinecone-api-version": "2026-07"}


def measure_lookups(count: int) -> Iterator[Measurement]:
    """List pages and find single resources among many role bindings."""
    emulator = Emulator()
    started = time.perf_counter()
    user, project = fill_organization(emulator, count)
    took = (time.perf_counter() - started) * 1000
    yield Measurement(f"fill an organization with {len(emulator.state.role_bindings):,} role bindings", took)
    headers = authorized_headers(emulator)

    def measure_get(name: str, path: str, query: str) -> Measurement:
        request = Request("GET", path, headers, query)
        assert emulator.handle(request).status == 200  # only a success is worth measuring
        return Measurement(name, measure_best(lambda: emulator.handle(request), repeat=20), 2.0)

    first = Request("GET", "/admin/role-bindings", headers, "role=OrgMember")
    token = json.loads(emulator.handle(first).body)["pagination"]["next"]
    bindings = "/admin/role-bindings"
    yield measure_get("a page of 100", bindings, "")
    yield measure_get("the next page of a filter", bindings, f"role=OrgMember&paginationToken={token}")
    yield measure_get(
        "a filter by resource and role", bindings, f"resource_type=project&resource_id={project}&role=ProjectEditor"
    )
    yield measure_get(
        "a filter by principal and role", bindings, f"principal_type=user&principal_id={user}&role=OrgMember"
    )
    yield measure_get("a filter that matches nothing", bindings, "principal_type=service_account&role=ProjectEditor")
    yield measure_get("a user by address", "/admin/users", f"email={count // 2 - 1}%40EXAMPLE.com")
    yield Measurement("dump the state", measure_best(emulator.dump, runs=1))
    document = emulator.dump()
    yield Measurement("load the state", measure_best(lambda: Emulator().load(document), runs=1))


def fill_organization(emulator: Emulator, count: int) -> tuple[str, str]:
    """Create role bindings, two per user, on a thousand projects; return the ids of the last user and project."""
    state, now = emulator.state, emulator.clock.now()
    projects = [state.add_project(str(number), now) for number in range(1000)]
    user, project = state.add_user("last@example.com"), projects[0]
    for number in range(count // 2):
        user, project = state.add_user(f"{number}@example.com"), projects[number % len(projects)]
        grants = [
            Grant("OrgMember", "organization", emulator.organization_id),
            Grant("ProjectEditor", "project", project.id),
        ]
        state.bind(Principal("user", user.id), grants, now)
    return user.id, project.id


def measure_startup() -> Measurement:
    """Start the server and wait until it listens."""
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    times: list[float] = []
    for _ in range(3):
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
            assert server.stdout is not None  # stdout is piped above
            json.loads(server.stdout.readline())
            times.append(time.perf_counter() - started)
            server.terminate()
    return Measurement("start the server", min(times) * 1000, 500.0)


if __name__ == "__main__":
    sys.exit(main())
