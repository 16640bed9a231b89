"""Find the clients and processes that reach the emulator, and write the table of docs/emulator.md.

Usage: python -m tests.emulator.reach --write        measure everything, and write the table
       python -m tests.emulator.reach row CLIENT     measure one row, and print it as JSON
       python -m tests.emulator.reach use CLIENT     list projects with the client, and print what happened

A row is measured in a process of its own, because the official SDKs have one name. There, every look-up of Pinecone's
hosts and every connection beyond this machine ends the process with 70 before it is made. What only some processes use
is imported there, since each measurement starts two of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pinecone_admin import Admin, AsyncAdmin
from tests.support import loopback_only

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/emulator.md"
BEGIN, END = "<!-- Begin: tests/emulator/reach.py -->\n", "<!-- End: tests/emulator/reach.py -->\n"
WAYS = ("same", "forked", "started")
URL = "https://api.pinecone.io/admin/projects"
BEYOND = 70
"""Exit status of a process that would have reached beyond this machine."""


def use_ours() -> None:
    """List projects with the sync and the async client of this package."""

    async def list_projects() -> None:
        async with AsyncAdmin() as admin:
            await admin.projects.list()

    asyncio.run(list_projects())
    with Admin() as admin:
        admin.projects.list()


def use_official() -> None:
    """List projects with the official SDK that is installed."""
    import pinecone  # noqa: PLC0415 - one of several

    admin: Any = pinecone.Admin()
    (admin.projects if hasattr(admin, "projects") else admin.project).list()


def use_official_with_addresses() -> None:
    """List projects with the official SDK 10, which takes addresses."""
    import pinecone  # noqa: PLC0415 - one of several

    host, oauth_url = os.environ["PINECONE_CONTROLLER_HOST"], os.environ["PINECONE_OAUTH_URL"]
    with pinecone.Admin(host=host, oauth_url=oauth_url) as admin:
        admin.projects.list()


def use_httpx() -> None:
    """Request projects without a token."""
    import httpx  # noqa: PLC0415 - takes long

    assert httpx.get(URL).status_code == 401


def use_others() -> None:
    """Request projects with each library that does not use httpx; each must be refused."""
    import tests.emulator.test_emulate_production as stacks  # noqa: PLC0415 - takes long

    refused = 0
    for use in (
        stacks.use_requests,
        stacks.use_urllib3,
        stacks.use_urllib,
        stacks.use_http_client,
        stacks.use_aiohttp,
    ):
        try:
            use()
        except Exception:  # noqa: BLE001 - counted
            refused += 1
    if refused:
        kind = RuntimeError if refused == 5 else SystemExit  # the latter ends the measurement
        raise kind(f"{refused} of 5 libraries were refused")


CLIENTS: Mapping[str, tuple[str, Callable[[], None], str | None]] = {
    "ours": ("this package", use_ours, None),
    "official-10": ("official SDK 10", use_official, None),
    "official-10-told": ("official SDK 10 with `host=` and `oauth_url=`", use_official_with_addresses, None),
    "official-9": ("official SDK 9", use_official, "pinecone-9"),
    "official-8": ("official SDK 8", use_official, "pinecone-8"),
    "official-7": ("official SDK 7", use_official, "pinecone-7"),
    "httpx": ("httpx", use_httpx, None),
    "others": ("requests, urllib3, urllib, http.client, aiohttp", use_others, None),
}
"""Of each client: its name in the table, a function that uses it, and the folder of its SDK."""


def measure_row(client: str) -> list[str]:
    """Return what happens in each column: emulated, refused or production; a dash where there are no addresses."""
    loopback_only.watch(loopback_only.exit_at_once)
    needs_addresses = client == "official-10-told"
    return [
        "—" if needs_addresses and not serve else measure_cell(client, way, serve=serve)
        for serve in (False, True)
        for way in WAYS
    ]


def measure_cell(client: str, way: str, *, serve: bool) -> str:
    """Return what happens to a client in an emulation, in this process or a child of it."""
    from pinecone_admin.testing import emulate  # noqa: PLC0415 - takes long

    with emulate(serve=serve) as emulator:
        if way == "started":
            command = [sys.executable, "-m", "tests.emulator.reach", "use", client]
            status = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=180, check=False).returncode
        elif way == "forked":
            status = run_forked(lambda: use_and_return_status(client))
        else:
            status = use_and_return_status(client)
        reached = len(emulator.requests) > 0
    return describe(status, reached=reached)


def describe(status: int, *, reached: bool) -> str:
    """Return the cell of a table for the exit status of a process, and whether its requests reached the emulator."""
    cells = {(0, True): "emulated", (1, False): "refused", (BEYOND, False): "production"}
    return cells.get((status, reached), f"status {status}, reached: {reached}")


def use_and_return_status(client: str) -> int:
    """Use a client, and return 1 if it raises, else 0."""
    try:
        CLIENTS[client][1]()
    except Exception as exc:  # noqa: BLE001 - reported
        sys.stderr.write(f"{type(exc).__name__}: {exc}\n")
        return 1
    return 0


def run_forked(work: Callable[[], int]) -> int:
    """Fork a child that ends with the status that the work returns, and return its exit status."""
    from tests.support.concurrency import wait_for_child  # noqa: PLC0415 - takes long

    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside the thread that serves
        child = os.fork()
    if not child:
        status = 3
        try:
            status = work()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return wait_for_child(child)


def run_row(client: str) -> list[str]:
    """Return the row of a client, measured in a separate process."""
    folder = CLIENTS[client][2]
    official = Path(sys.prefix) / "official"
    assert folder is None or (official / folder).exists(), f"{official} is missing: scripts/test installs it"
    path = os.pathsep.join(str(each) for each in (folder and official / folder, ROOT, ROOT / "scripts") if each)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    environment = {name: value for name, value in environment.items() if not name.upper().endswith("_PROXY")}
    command = [sys.executable, "-m", "tests.emulator.reach", "row", client]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{client}: {done.returncode} {done.stderr}"
    row: list[str] = json.loads(done.stdout)
    return row


def render_row(client: str, cells: Iterable[str]) -> str:
    """Return a row of the table."""
    return f"| {' | '.join((CLIENTS[client][0], *cells))} |\n"


def render_table(rows: Mapping[str, Iterable[str]]) -> str:
    """Return the table."""
    ways = [f"{kind}, {way}" for kind in ("`emulate()`", "`serve=True`") for way in WAYS]
    lines = [f"| {' | '.join(('client', *ways))} |\n", f"|{'---|' * (len(ways) + 1)}\n"]
    return "".join((*lines, *(render_row(client, cells) for client, cells in rows.items())))


def main() -> None:
    """Run the command line."""
    match sys.argv[1:]:
        case ["use", client]:
            loopback_only.watch(loopback_only.exit_at_once)
            raise SystemExit(use_and_return_status(client))
        case ["row", client]:
            sys.stdout.write(json.dumps(measure_row(client)) + "\n")
        case ["--write"]:
            before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
            after = rest.partition(END)[2]
            table = render_table({client: run_row(client) for client in CLIENTS})
            PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
