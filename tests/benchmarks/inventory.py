#!/usr/bin/env python3
"""Compare the inventory of our clients with a loop over the official SDK: 500 projects, 20 ms per request.

Usage: tests/benchmarks/inventory.py [--projects 500] [--latency-ms 20] [--check]

All requests go over HTTP to the emulator, which delays each response by the latency. The loop reads only projects and
keys, which is less work than an inventory. With --check the exit status is 1 if an inventory takes more than a tenth
of the time of the loop.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pinecone
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.http.asgi import application
from pinecone_admin.workflows import Inventory
from tests.support.organizations import populate_organization


def delay_responses(app: ASGIApp, seconds: float) -> ASGIApp:
    """Delay every response; requests wait concurrently."""

    async def delayed_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return delayed_app


@contextmanager
def serve_emulator(emulator: Emulator, seconds: float) -> Generator[str, None, None]:
    """Serve an emulator on a free port in a thread; yield its URL."""
    # IPPROTO_TCP by name: without it asyncio leaves Nagle on, and each response waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    config = uvicorn.Config(delay_responses(application(emulator), seconds), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def connection_arguments(host: str, emulator: Emulator) -> dict[str, Any]:
    """Return the arguments of every client."""
    identity = {"client_id": emulator.client_id, "client_secret": emulator.client_secret}
    return {**identity, "host": host, "oauth_url": f"{host}/oauth/token"}


def read_with_official_sdk(host: str, emulator: Emulator) -> int:
    """Read projects and keys in a loop, and return their number."""
    admin = pinecone.Admin(**connection_arguments(host, emulator))
    projects = list(admin.projects.list())
    return len(projects) + sum(len(list(admin.api_keys.list(project_id=project.id))) for project in projects)


def take_inventory(host: str, emulator: Emulator) -> int:
    """Take an inventory with the sync client, and return the number of its resources."""
    with Admin(**connection_arguments(host, emulator)) as admin:
        return count_resources(admin.inventory())


def take_inventory_async(host: str, emulator: Emulator) -> int:
    """Take an inventory with the async client, and return the number of its resources."""

    async def run_async() -> int:
        async with AsyncAdmin(**connection_arguments(host, emulator)) as admin:
            return count_resources(await admin.inventory())

    return asyncio.run(run_async())


def count_resources(inventory: Inventory) -> int:
    """Return the number of resources in an inventory."""
    if inventory.unread:
        raise SystemExit(f"the inventory is incomplete: {inventory.unread}")
    return sum(
        len(resources)
        for resources in (
            inventory.organizations,
            inventory.projects,
            inventory.api_keys,
            inventory.users,
            inventory.invites,
            inventory.service_accounts,
            inventory.role_bindings,
        )
    )


def measure_reading(name: str, read: Callable[[], int]) -> float:
    """Print and return the duration of a reading in seconds."""
    started = time.perf_counter()
    count = read()
    seconds = time.perf_counter() - started
    print(f"{name:36} {seconds:7.2f} s {count:6} resources")
    return seconds


def main() -> int:
    """Compare the three readings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=500)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    emulator = Emulator(seed=1)
    populate_organization(emulator, projects=arguments.projects, users=60, keys=2)
    with serve_emulator(emulator, arguments.latency_ms / 1000) as host:
        print(f"{arguments.projects} projects, {arguments.latency_ms:.0f} ms per request")
        loop = measure_reading("pinecone.Admin, projects and keys", lambda: read_with_official_sdk(host, emulator))
        sync = measure_reading("Admin.inventory()", lambda: take_inventory(host, emulator))
        tasks = measure_reading("AsyncAdmin.inventory()", lambda: take_inventory_async(host, emulator))
        tracemalloc.start()
        take_inventory(host, emulator)
        print(f"peak memory of Admin.inventory(): {tracemalloc.get_traced_memory()[1] / 2**20:.1f} MiB")
    slowest = max(sync, tasks)
    print(f"the slower inventory takes 1/{loop / slowest:.0f} of the time of the loop")
    return int(arguments.check and slowest > loop / 10)


if __name__ == "__main__":
    sys.exit(main())
