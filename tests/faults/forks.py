"""Forks a process at random points while its threads use a client, and counts what goes wrong; a program of its own.

Usage: python -m tests.faults.forks CLIENT COUNT [HOST]

CLIENT is ours, cached, asyncio, trio or official. With HOST, COUNT is the milliseconds after which a process that has
just begun its first call there forks once. Prints one line of JSON.
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
from tests.faults.server import Server, late

Ask = Callable[[str], str]
PATIENCE = 20.0
"""Seconds after which a child counts as deadlocked."""


def main() -> None:
    """Fork, and print the counts."""
    kind, count, *host = sys.argv[1:]
    if kind == "serve":
        serve()
        return
    if host:
        sys.stdout.write(json.dumps(fork_early(kind, int(count) / 1000, host[0])) + "\n")
        return
    with served() as (arguments, counts):
        counter = run(kind, int(count), arguments)
    sys.stdout.write(json.dumps(counter | counts) + "\n")


def serve() -> None:
    """Be the server, in a process that is never forked: a token lives for a second, and takes a while to mint."""
    with Server(lifetime=1, tokens=[late(0.15)]) as server:
        sys.stdout.write(json.dumps(server.client) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"minted": server.minted, "requests": len(server.requests)}) + "\n")


@contextmanager
def served() -> Generator[tuple[dict[str, Any], dict[str, int]], None, None]:
    """Run the server; its counts are there once it has ended."""
    command = [sys.executable, "-m", "tests.faults.forks", "serve", "0"]
    counts: dict[str, int] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline()), counts
        out, _ = server.communicate("", 30)
        counts |= json.loads(out)


def run(kind: str, count: int, arguments: dict[str, Any]) -> dict[str, int]:
    """Keep four threads busy, fork meanwhile, and let each child ask for something of its own."""
    counter = new_counter()
    stop = threading.Event()
    ask = MAKERS[kind](arguments)
    ask("warm")
    threads = [threading.Thread(target=keep_asking, args=(ask, number, stop, counter)) for number in range(4)]
    for thread in threads:
        thread.start()
    children: set[int] = set()
    for number in range(count):
        time.sleep(random.uniform(0, 0.02))
        ask(f"main-{number}")  # leaves a connection idle, which the child must not use
        children.add(fork(ask, number))
        counter["forks"] += 1
        while len(children) > 8:
            reap(children, counter)
    while children:
        reap(children, counter)
    stop.set()
    for thread in threads:
        thread.join()
    return dict(counter)


def new_counter() -> Counter[str]:
    """Count nothing yet."""
    return Counter(forks=0, deadlocks=0, crossed=0, errors=0, parent_crossed=0, parent_errors=0)


def fork_early(kind: str, after: float, host: str) -> Counter[str]:
    """Fork while a thread makes the first call of the process, which loads what is loaded when it is used."""
    counter = new_counter()
    ask = MAKERS[kind]({"host": host, "access_token": lambda: "given"})
    thread = threading.Thread(target=ask, args=("parent",))
    thread.start()
    time.sleep(after)
    reap({fork(ask, 0)}, counter)
    thread.join()
    counter["forks"] += 1
    return counter


def keep_asking(ask: Ask, thread: int, stop: threading.Event, counter: Counter[str]) -> None:
    """Ask for one thing after another, and look whose answer it is."""
    number = 0
    while not stop.is_set():
        number += 1
        name = f"parent-{thread}-{number}"
        try:
            crossed = ask(name) != name
        except Exception:  # noqa: BLE001 - counted
            counter["parent_errors"] += 1
        else:
            counter["parent_crossed"] += crossed


def fork(ask: Ask, number: int) -> int:
    """Fork a child that asks three times: 0 is well, 3 another's answer, 4 an error, a signal a deadlock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads is dangerous is the point
        child = os.fork()
    if child:
        return child
    status = 4
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        names = [f"child-{number}-{turn}" for turn in range(3)]
        status = 0 if [ask(name) for name in names] == names else 3
    except BaseException as exc:  # noqa: BLE001 - counted, and shown
        os.write(2, f"child {number}: {exc!r}\n".encode())
    finally:
        os._exit(status)


def reap(children: set[int], counter: Counter[str]) -> None:
    """Wait for one child, of which each ends by its alarm at the latest."""
    child, status = os.wait()
    children.remove(child)
    code = os.waitstatus_to_exitcode(status)
    counter["deadlocks"] += code < 0
    counter["crossed"] += code == 3
    counter["errors"] += code == 4


def ours(arguments: dict[str, Any]) -> Ask:
    """Use the sync client."""
    admin = Admin(**arguments)
    return lambda name: admin.projects.describe(project_id=name).id


def cached(arguments: dict[str, Any]) -> Ask:
    """Use the sync client with tokens in files."""
    # The folder stays: a refresh may still be under way when this process ends.
    admin = Admin(**arguments, token_cache=FileTokenCache(Path(tempfile.mkdtemp()) / "tokens"))
    return lambda name: admin.projects.describe(project_id=name).id


def asynchronous(backend: str) -> Callable[[dict[str, Any]], Ask]:
    """Use one async client in a loop of each call."""

    def make(arguments: dict[str, Any]) -> Ask:
        admin = AsyncAdmin(**arguments)

        async def twice(name: str) -> str:
            for _ in range(2):
                project = await admin.projects.describe(project_id=name)
            pools = admin._shared.pools
            assert pools is not None
            await pools.aclose()  # of this loop only
            return project.id

        return lambda name: anyio.run(twice, name, backend=backend)

    return make


def official(arguments: dict[str, Any]) -> Ask:
    """Use the official SDK."""
    from pinecone import Admin as OfficialAdmin  # noqa: PLC0415 - it would load what the other clients load late

    del arguments["lazy"]
    admin = OfficialAdmin(**arguments)
    return lambda name: str(admin.projects.describe(project_id=name).id)


MAKERS: dict[str, Callable[[dict[str, Any]], Ask]] = {
    "ours": ours,
    "cached": cached,
    "asyncio": asynchronous("asyncio"),
    "trio": asynchronous("trio"),
    "official": official,
}

if __name__ == "__main__":
    main()
