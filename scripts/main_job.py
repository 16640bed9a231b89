#!/usr/bin/env python3
"""Run the main job of pinecone_admin, sync and async, against the emulator over HTTP, and print one line per step.

Usage: main_job.py

Starts ``python -m pinecone_admin.emulator`` on a free loopback port and always stops it. Exits with status 0 only if
every step had the expected result.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator
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


def run_sync_job(journal: Journal, arguments: dict[str, Any]) -> None:
    """Create, change and delete resources of an organization."""
    with Admin(**arguments) as admin:
        journal.start()
        token = admin.token()
        journal.write("fetch a token", f"valid until {token.expires_at:%H:%M} UTC", expected=len(token.value) > 0)
        organizations = admin.organizations.list()
        journal.write("list the organizations", organizations[0].name, expected=len(organizations) == 1)

        project = admin.projects.create(name="quickstart")
        journal.write("create a project", project.id, expected=project.name == "quickstart")
        key = admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"])
        journal.write(
            "create a key with a role",
            f"value={to_dict(key)['value']} roles={key.key.roles}",
            expected=key.key.roles == ["ProjectViewer"] and key.value not in repr(key),
        )
        robot = admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")])
        robot_id = robot.service_account.id
        journal.write(
            "create a service account",
            robot.service_account.client_id,
            expected=robot.client_secret not in repr(robot),
        )
        rotated = admin.service_accounts.rotate_secret(service_account_id=robot_id)
        journal.write(
            "rotate its secret",
            f"client_secret={to_dict(rotated)['client_secret']}",
            expected=rotated.client_secret != robot.client_secret,
        )
        invite = admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgMember")])
        journal.write(
            "invite a person",
            f"{invite.status} until {invite.expires_at:%Y-%m-%d}",
            expected=invite.status == "pending",
        )
        for page in admin.role_bindings.list(limit=2).pages():
            shown = f"{count_noun(len(page.items), 'binding')}{', and more' if page.has_more else ''}"
            journal.write("list a page of role bindings", shown, expected=len(page.items) in {1, 2})

        admin.invites.delete(invite_id=invite.id)
        journal.write("delete the invite")
        admin.service_accounts.delete(service_account_id=robot_id)
        journal.write("delete the service account")
        admin.api_keys.delete(api_key_id=key.key.id)
        journal.write("delete the key")
        admin.projects.delete(project_id=project.id)
        journal.write("delete the project")
        found = admin.projects.exists(project_id=project.id)
        journal.write("check that it is gone", found, expected=not found)


async def run_async_job(journal: Journal, arguments: dict[str, Any]) -> None:
    """Do the same with the async client."""
    async with AsyncAdmin(**arguments) as admin:
        journal.start()
        token = await admin.token()
        journal.write("fetch a token", f"valid until {token.expires_at:%H:%M} UTC", expected=len(token.value) > 0)
        organizations = await admin.organizations.list()
        journal.write("list the organizations", organizations[0].name, expected=len(organizations) == 1)

        project = await admin.projects.create(name="quickstart")
        journal.write("create a project", project.id, expected=project.name == "quickstart")
        key = await admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"])
        journal.write(
            "create a key with a role",
            f"value={to_dict(key)['value']} roles={key.key.roles}",
            expected=key.key.roles == ["ProjectViewer"] and key.value not in repr(key),
        )
        robot = await admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")])
        robot_id = robot.service_account.id
        journal.write(
            "create a service account",
            robot.service_account.client_id,
            expected=robot.client_secret not in repr(robot),
        )
        rotated = await admin.service_accounts.rotate_secret(service_account_id=robot_id)
        journal.write(
            "rotate its secret",
            f"client_secret={to_dict(rotated)['client_secret']}",
            expected=rotated.client_secret != robot.client_secret,
        )
        invite = await admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgMember")])
        journal.write(
            "invite a person",
            f"{invite.status} until {invite.expires_at:%Y-%m-%d}",
            expected=invite.status == "pending",
        )
        async for page in admin.role_bindings.list(limit=2).pages():
            shown = f"{count_noun(len(page.items), 'binding')}{', and more' if page.has_more else ''}"
            journal.write("list a page of role bindings", shown, expected=len(page.items) in {1, 2})

        await admin.invites.delete(invite_id=invite.id)
        journal.write("delete the invite")
        await admin.service_accounts.delete(service_account_id=robot_id)
        journal.write("delete the service account")
        await admin.api_keys.delete(api_key_id=key.key.id)
        journal.write("delete the key")
        await admin.projects.delete(project_id=project.id)
        journal.write("delete the project")
        found = await admin.projects.exists(project_id=project.id)
        journal.write("check that it is gone", found, expected=not found)


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
        run_sync_job(journal, arguments)
        print("AsyncAdmin, against the same emulator")
        asyncio.run(run_async_job(journal, arguments))
    print("quickstart: every step succeeded, and the emulator is stopped")
    print(GO_ON.format(folder=shlex.quote(str(Path(sys.executable).parent))))


if __name__ == "__main__":
    main()
