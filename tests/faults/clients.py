"""Concurrent calls from threads, tasks and event loops, and a client of any kind behind a blocking interface."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from threading import Barrier
from typing import Any, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from pinecone_admin import AccessToken, Admin, AsyncAdmin, PineconeError
from pinecone_admin.models import Project
from tests.faults.cases import ClientKind, event_loop_options

_T = TypeVar("_T")


def run_in_threads(count: int, function: Callable[[], _T], *others: Callable[[], _T]) -> list[_T]:
    """Run a function in many threads that start together, and each other function in one more; return all results."""
    functions = [function] * count + list(others)
    ready = Barrier(len(functions))

    def run(each: Callable[[], _T]) -> _T:
        ready.wait(30)
        return each()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(run, functions))


async def run_in_tasks(count: int, function: Callable[[], Awaitable[_T]]) -> list[_T]:
    """Run a function in many tasks of this event loop, and return all results."""
    results: list[_T] = []

    async def run() -> None:
        results.append(await function())

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(run)
    return results


def make_loop_runner(backend: str, count: int, function: Callable[[], Awaitable[_T]]) -> Callable[[], list[_T]]:
    """Return a function that starts an event loop and runs many tasks in it."""
    return lambda: anyio.run(run_in_tasks, count, function, backend=backend)


def flatten(lists: Sequence[Sequence[_T]]) -> list[_T]:
    """Concatenate lists."""
    return [item for each in lists for item in each]


class AnyClient:
    """A sync or async client behind a blocking interface, which returns errors of the package.

    Attributes:
        admin: The client.
        close_admin: Closes the client; the event loop of an async client keeps running.
    """

    def __init__(self, client_kind: ClientKind, **options: Any) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self.admin: Admin | AsyncAdmin
        self.close_admin: Callable[[], None]
        arguments = {"lazy": True} | options
        if client_kind == "sync":
            self.admin = self._stack.enter_context(Admin(**arguments))
            self.close_admin = self.admin.close
        else:
            self.admin = AsyncAdmin(**arguments)
            self._portal = self._stack.enter_context(start_blocking_portal(**event_loop_options(client_kind)))
            self.close_admin = partial(self._portal.call, self.admin.aclose)
            self._stack.callback(self.close_admin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client and stop its event loop."""
        self._stack.close()

    def run_call(self, function: Callable[[], Any]) -> Any:
        """Call a function, in the event loop of an async client, and return its result or its error."""
        try:
            return function() if self._portal is None else self._portal.call(function)
        except PineconeError as exc:
            return exc

    def fetch_token(self) -> Any:
        """Return the value of the current token, or an error."""
        token = self.run_call(self.admin.token)
        return token.value if isinstance(token, AccessToken) else token

    def describe_project(self, project_id: str = "x") -> Any:
        """Describe a project, and return its id or an error."""
        project = self.run_call(lambda: self.admin.projects.describe(project_id=project_id))
        return project.id if isinstance(project, Project) else project
