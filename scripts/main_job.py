#!/usr/bin/env python3
"""The main job of pinecone_admin, sync and async, against the emulator over HTTP: one line a step.

Usage: main_job.py

Starts ``python -m pinecone_admin.emulator`` on a free loopback port, and stops it in every case. Exits 0 only if
every step gave what it should.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from pinecone_admin import Admin, AsyncAdmin, on_organization, to_dict


class Journal(logging.Handler):
    """Prints each step with the requests that the client says it made."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._requests: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the client logs of a request."""
        self._requests.append(record.getMessage().split(", attempt")[0])

    def write(self, step: str, result: object, started: float) -> None:
        """Print a step, what it gave, its requests and its time."""
        took = (time.perf_counter() - started) * 1000
        requests, self._requests = "; ".join(self._requests), []
        print(f"  {step:<34} {result!s:<40.40} {took:7.1f} ms  {requests}", flush=True)


@contextmanager
def emulator() -> Generator[dict[str, str], None, None]:
    """Run the emulator as a process of its own; give what it says when it listens."""
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - piped above
            line = server.stdout.readline()
            if not line:
                sys.exit("the emulator did not start: run python -m pinecone_admin.emulator to see why")
            yield json.loads(line)
        finally:
            server.terminate()


@frozen
class Step:
    """One step of the job.

    Attributes:
        name: What is done.
        call: Does it; with the async client it gives an awaitable.
        expect: Whether the result is what it should be.
        show: What to print of the result.
    """

    name: str
    call: Callable[[], Any]
    expect: Callable[[Any], bool]
    show: Callable[[Any], object] = lambda result: result


def job(admin: Any) -> Generator[Step, Any, None]:
    """Describe the job for either client: each step is handed out, and its result comes back."""
    yield Step("mint a token", admin.token, lambda token: len(token.value) > 0)
    yield Step(
        "read the organizations", admin.organizations.list, lambda all_: len(all_) == 1, lambda all_: all_[0].name
    )
    project = yield Step(
        "create a project",
        lambda: admin.projects.create(name="quickstart"),
        lambda made: made.name == "quickstart",
        lambda made: made.id,
    )
    key = yield Step(
        "create a key with a role",
        lambda: admin.api_keys.create(project_id=project.id, name="reader", roles=["ProjectViewer"]),
        lambda made: made.key.roles == ["ProjectViewer"] and made.value not in repr(made),
        lambda made: f"value={to_dict(made)['value']} roles={made.key.roles}",
    )
    account = yield Step(
        "create a service account",
        lambda: admin.service_accounts.create(name="robot", role_bindings=[on_organization("OrgMember")]),
        lambda made: made.client_secret not in repr(made),
        lambda made: made.service_account.client_id,
    )
    account_id = account.service_account.id
    yield Step(
        "rotate its secret",
        lambda: admin.service_accounts.rotate_secret(service_account_id=account_id),
        lambda made: made.client_secret != account.client_secret,
        lambda made: f"client_secret={to_dict(made)['client_secret']}",
    )
    invite = yield Step(
        "invite somebody",
        lambda: admin.invites.create(email="ada@example.com", role_bindings=[on_organization("OrgMember")]),
        lambda made: made.status == "pending",
        lambda made: f"{made.status} until {made.expires_at:%Y-%m-%d}",
    )
    pages = admin.role_bindings.list(limit=2).pages()
    page = yield from one_page(pages)
    while page.has_more:
        page = yield from one_page(pages)
    yield Step("delete the invite", lambda: admin.invites.delete(invite_id=invite.id), is_none)
    yield Step(
        "delete the service account", lambda: admin.service_accounts.delete(service_account_id=account_id), is_none
    )
    yield Step("delete the key", lambda: admin.api_keys.delete(api_key_id=key.key.id), is_none)
    yield Step("delete the project", lambda: admin.projects.delete(project_id=project.id), is_none)
    yield Step("see that it is gone", lambda: admin.projects.exists(project_id=project.id), lambda found: not found)


def one_page(pages: Any) -> Generator[Step, Any, Any]:
    """Fetch the next page of either client."""
    following = getattr(pages, "__anext__", None) or pages.__next__
    return (
        yield Step(
            "list role bindings, a page",
            following,
            lambda page: 1 <= len(page.items) <= 2,  # noqa: PLR2004 - the limit asked for
            lambda page: f"{len(page.items)} bindings{', and more' if page.has_more else ''}",
        )
    )


def is_none(result: object) -> bool:
    """Expect no answer."""
    return result is None


async def run(steps: Generator[Step, Any, None], journal: Journal, wait: Callable[[Any], Awaitable[Any]]) -> None:
    """Do each step and print it; stop at the first that does not give what it should."""
    result: Any = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration:
            return
        started = time.perf_counter()
        result = await wait(step.call())
        journal.write(step.name, step.show(result), started)
        if not step.expect(result):
            sys.exit(f"quickstart failed: {step.name} gave {result!r}")


async def at_hand(result: Any) -> Any:
    """Wait for nothing: the sync client has the result already."""
    return result


async def awaited(result: Any) -> Any:
    """Wait for the async client."""
    return await result


async def main() -> None:
    """Run the job with both clients."""
    # Ended from outside, it still stops the emulator.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("quickstart was ended"))
    journal = Journal()
    logger = logging.getLogger("pinecone_admin")
    logger.addHandler(journal)
    logger.setLevel(logging.DEBUG)
    with emulator() as server:
        arguments: Any = {key: server[key] for key in ("host", "oauth_url", "client_id", "client_secret")}
        print(f"Admin, against the emulator at {server['host']}")
        with Admin(**arguments, lazy=True) as admin:
            await run(job(admin), journal, at_hand)
        print("AsyncAdmin, the same")
        async with AsyncAdmin(**arguments, lazy=True) as async_admin:
            await run(job(async_admin), journal, awaited)
    print("quickstart: every step gave what it should, and the emulator is stopped")


if __name__ == "__main__":
    asyncio.run(main())
