"""Fork a process at random points while its threads use a client, and count failures.

Usage: python -m tests.faults.forks CLIENT COUNT [HOST]

CLIENT is ours, cached, asyncio, trio or official. With HOST, fork once, COUNT milliseconds after the first call to it
has started. Print one line of JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin.auth import FileTokenCache
from tests.faults.server import Server, respond_after

DescribeProject = Callable[[str], str]
SECONDS = 1.6
"""For about how long the process waits between forks in all: longer than the second after which a token expires."""
CHILD_TIMEOUT = 20.0
"""Seconds until a child counts as deadlocked."""


def main() -> None:
    """Run the command line, and print the counts."""
    client_name, count, *host = sys.argv[1:]
    if client_name == "serve":
        run_server()
        return
    if host:
        sys.stdout.write(json.dumps(fork_during_first_call(client_name, int(count) / 1000, host[0])) + "\n")
        return
    with start_server_process() as (arguments, counts):
        counter = fork_repeatedly(client_name, int(count), arguments)
    sys.stdout.write(json.dumps(counter | counts) + "\n")


def run_server() -> None:
    """Run the server in a process that is never forked; its tokens expire after a second and take a while to issue."""
    with Server(lifetime=1, token_actions=[respond_after(0.15)]) as server:
        sys.stdout.write(json.dumps(server.client_options) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"tokens_issued": server.tokens_issued, "requests": len(server.requests)}) + "\n")


@contextmanager
def start_server_process() -> Generator[tuple[dict[str, Any], dict[str, int]], None, None]:
    """Run the server process, and yield client arguments and the counts, which are filled in at the end."""
    command = [sys.executable, "-m", "tests.faults.forks", "serve", "0"]
    counts: dict[str, int] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline()), counts
        out, _ = server.communicate("", 30)
        counts |= json.loads(out)


def fork_repeatedly(client_name: str, count: int, arguments: dict[str, Any]) -> dict[str, int]:
    """Fork while four threads make calls, and let each child make calls, too."""
    counter = make_counter()
    stop = threading.Event()
    describe = CALLER_FACTORIES[client_name](arguments)
    describe("warm")
    threads = [threading.Thread(target=call_repeatedly, args=(describe, number, stop, counter)) for number in range(4)]
    for thread in threads:
        thread.start()
    children: set[int] = set()
    for number in range(count):
        time.sleep(random.uniform(0.5, 1.5) * SECONDS / count)
        describe(f"main-{number}")  # leaves an idle connection, which the child must not use
        children.add(fork_child(describe, number))
        counter["forks"] += 1
        while len(children) > 8:
            reap_child(children, counter)
    while children:
        reap_child(children, counter)
    stop.set()
    for thread in threads:
        thread.join()
    return dict(counter)


def make_counter() -> Counter[str]:
    """Return counts of zero."""
    return Counter(forks=0, deadlocks=0, crossed=0, errors=0, parent_crossed=0, parent_errors=0)


def fork_during_first_call(client_name: str, after: float, host: str) -> Counter[str]:
    """Fork while a thread makes the first call of the process, which imports modules lazily."""
    counter = make_counter()
    describe = CALLER_FACTORIES[client_name]({"host": host, "access_token": lambda: "supplied"})
    thread = threading.Thread(target=describe, args=("parent",))
    thread.start()
    time.sleep(after)
    reap_child({fork_child(describe, 0)}, counter)
    thread.join()
    counter["forks"] += 1
    return counter


def call_repeatedly(describe: DescribeProject, thread: int, stop: threading.Event, counter: Counter[str]) -> None:
    """Describe projects until stopped, and count responses that belong to another call."""
    number = 0
    while not stop.is_set():
        number += 1
        name = f"parent-{thread}-{number}"
        try:
            crossed = describe(name) != name
        except Exception:  # noqa: BLE001 - counted
            counter["parent_errors"] += 1
        else:
            counter["parent_crossed"] += crossed


def fork_child(describe: DescribeProject, number: int) -> int:
    """Fork a child that makes three calls; it exits with 0, 3 for a crossed response, 4 for an error, or a signal."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # forking with threads is dangerous, which is what this tests
        child = os.fork()
    if child:
        return child
    status = 4
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, CHILD_TIMEOUT)
        names = [f"child-{number}-{repeat}" for repeat in range(3)]
        status = 0 if [describe(name) for name in names] == names else 3
    except BaseException as exc:  # noqa: BLE001 - counted and printed
        os.write(2, f"child {number}: {exc!r}\n".encode())
    finally:
        os._exit(status)


def reap_child(children: set[int], counter: Counter[str]) -> None:
    """Wait for one child, and count its exit status; its alarm ends it at the latest."""
    child, status = os.wait()
    children.remove(child)
    code = os.waitstatus_to_exitcode(status)
    counter["deadlocks"] += code < 0
    counter["crossed"] += code == 3
    counter["errors"] += code == 4


def make_sync_caller(arguments: dict[str, Any]) -> DescribeProject:
    """Use the sync client."""
    admin = Admin(**arguments)
    return lambda name: admin.projects.describe(project_id=name).id


def make_cached_caller(arguments: dict[str, Any]) -> DescribeProject:
    """Use the sync client with a token cache in files."""
    # The folder is not deleted: a refresh may still be running when this process exits.
    admin = Admin(**arguments, token_cache=FileTokenCache(Path(tempfile.mkdtemp()) / "tokens"))
    return lambda name: admin.projects.describe(project_id=name).id


def make_async_caller(backend: str) -> Callable[[dict[str, Any]], DescribeProject]:
    """Use one async client in a new event loop for each call."""

    def make_caller(arguments: dict[str, Any]) -> DescribeProject:
        admin = AsyncAdmin(**arguments)

        async def describe_twice(name: str) -> str:
            for _ in range(2):
                project = await admin.projects.describe(project_id=name)
            pools = admin._shared.pools
            assert pools is not None
            await pools.aclose()  # only those of this event loop
            return project.id

        return lambda name: anyio.run(describe_twice, name, backend=backend)

    return make_caller


def make_official_caller(arguments: dict[str, Any]) -> DescribeProject:
    """Use the official SDK."""
    from pinecone import Admin as OfficialAdmin  # noqa: PLC0415 - the other clients must import lazily

    del arguments["lazy"]
    admin = OfficialAdmin(**arguments)
    return lambda name: str(admin.projects.describe(project_id=name).id)


CALLER_FACTORIES: dict[str, Callable[[dict[str, Any]], DescribeProject]] = {
    "ours": make_sync_caller,
    "cached": make_cached_caller,
    "asyncio": make_async_caller("asyncio"),
    "trio": make_async_caller("trio"),
    "official": make_official_caller,
}

if __name__ == "__main__":
    main()
