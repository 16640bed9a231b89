#!/usr/bin/env python3
"""Run the main job of pinecone_admin, sync and async, against the emulator over HTTP, and print one line per step.

Usage: main_job.py

Starts ``python -m pinecone_admin.emulator`` on a free loopback port and always stops it. Exits with status 0 only if
every step had the expected result.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pinecone_admin import Admin, AsyncAdmin, on_organization, to_dict
from pinecone_admin._text.counts import count_noun

GO_ON = """\
To go on by hand, paste these lines; the emulator of the second line ends with the shell:
  PATH={folder}:$PATH
  eval "$(pinecone-admin emulator --format env --background)" &&
  pinecone-admin project create search --yes &&
  pinecone-admin api-key create reader --project search --role DataPlaneViewer --reveal --yes &&
  pinecone-admin access"""


class Journal(logging.Handler):
    """Prints each step with the requests that the client logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._requests: list[str] = []
        self._started = 0.0

    def start(self) -> None:
        """Start the clock of a step; constructing the client is not part of the first one."""
        self._started = time.perf_counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the log message of a request."""
        self._requests.append(record.getMessage().split(", attempt")[0])

    def write(self, step: str, result: object = "", *, expected: bool = True) -> None:
        """Print a step, its result, time and requests; exit if the result is not the expected one."""
        took = (time.perf_counter() - self._started) * 1000
        requests, self._requests = "; ".join(self._requests), []
        print(f"  {step:<34} {result!s:<40.40} {took:7.1f} ms  {requests}", flush=True)
        if not expected:
            sys.exit(f"quickstart failed: the result of {step!r} was {result!r}")
        self.start()


async def run_job(journal: Journal, admin: Any) -> None:
    """Create, change and delete resources of an organization, with a client of either kind."""
    journal.start()
    token = await wait(admin.token())
    journal.write("fetch a token", f"valid until {token.expires_at:%H:%M} UTC", expected=len(token.value) > 0)
    organizations = await wait(admin.organizations.list())
    journal.write("list the organizations", organizations[0].name, expected=len(organizations) == 1)

    project = await wait(admin.projects.create(name="quickstart"))
    journal.write("create a project", project.id, expected=project.name == "quickstart")
    key = await wait(admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"]))
    journal.write(
        "create a key with a role",
        f"value={to_dict(key)['value']} roles={key.key.roles}",
        expected=key.key.roles == ["ProjectViewer"] and key.value not in repr(key),
    )
    member = [on_organization("OrgMember")]
    robot = await wait(admin.service_accounts.create(name="robot", role_bindings=member))
    account = robot.service_account
    journal.write("create a service account", account.client_id, expected=robot.client_secret not in repr(robot))
    rotated = await wait(admin.service_accounts.rotate_secret(service_account_id=account.id))
    journal.write(
        "rotate its secret",
        f"client_secret={to_dict(rotated)['client_secret']}",
        expected=rotated.client_secret != robot.client_secret,
    )
    invite = await wait(admin.invites.create(email="ada@example.com", role_bindings=member))
    until = f"{invite.status} until {invite.expires_at:%Y-%m-%d}"
    journal.write("invite a person", until, expected=invite.status == "pending")
    bindings = await wait(admin.role_bindings.list(limit=2).to_list())
    journal.write("list the role bindings in pages", count_noun(len(bindings), "binding"), expected=len(bindings) > 2)  # noqa: PLR2004 - more than one page

    deletions: dict[str, Callable[[], Any]] = {
        "delete the invite": lambda: admin.invites.delete(invite_id=invite.id),
        "delete the service account": lambda: admin.service_accounts.delete(service_account_id=account.id),
        "delete the key": lambda: admin.api_keys.delete(api_key_id=key.key.id),
        "delete the project": lambda: admin.projects.delete(project_id=project.id),
    }
    for step, delete in deletions.items():
        await wait(delete())
        journal.write(step)
    found = await wait(admin.projects.exists(project_id=project.id))
    journal.write("look whether it still exists", found, expected=not found)


async def wait(value: Any) -> Any:
    """Return a value, or what it is when it is awaited."""
    return await value if inspect.isawaitable(value) else value


async def run_async_job(journal: Journal, arguments: dict[str, Any]) -> None:
    """Do the same with the async client."""
    async with AsyncAdmin(**arguments) as admin:
        await run_job(journal, admin)


@contextmanager
def run_emulator() -> Generator[dict[str, str], None, None]:
    """Run the emulator as a subprocess; yield the connection settings that it prints."""
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - stdout is piped above
            line = server.stdout.readline()
            if not line:
                sys.exit("the emulator did not start: run python -m pinecone_admin.emulator to see why")
            yield json.loads(line)
        finally:
            server.terminate()


def main() -> None:
    """Run the job with both clients."""
    # Without a handler, SIGTERM would end this process at once and leave the emulator running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("quickstart was terminated"))
    journal = Journal()
    logger = logging.getLogger("pinecone_admin")
    logger.addHandler(journal)
    logger.setLevel(logging.DEBUG)
    with run_emulator() as server:
        arguments: dict[str, Any] = {key: server[key] for key in ("host", "oauth_url", "client_id", "client_secret")}
        arguments["lazy"] = True  # the first step fetches the token
        print(f"Admin, against the emulator at {server['host']}")
        with Admin(**arguments) as admin:
            asyncio.run(run_job(journal, admin))
        print("AsyncAdmin, against the same emulator")
        asyncio.run(run_async_job(journal, arguments))
    print("quickstart: every step succeeded, and the emulator is stopped")
    print(GO_ON.format(folder=shlex.quote(str(Path(sys.executable).parent))))


if __name__ == "__main__":
    main()
