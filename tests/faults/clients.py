"""Many threads and many event loops at once."""

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
from tests.faults.cases import World

_T = TypeVar("_T")


def in_threads(count: int, work: Callable[[], _T], *more: Callable[[], _T]) -> list[_T]:
    """Do the same in many threads that start in one moment, and something else in some more."""
    works = [work] * count + list(more)
    ready = Barrier(len(works))

    def run(each: Callable[[], _T]) -> _T:
        ready.wait(30)
        return each()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


async def in_tasks(count: int, work: Callable[[], Awaitable[_T]]) -> list[_T]:
    """Do the same in many tasks of this loop."""
    results: list[_T] = []

    async def run() -> None:
        results.append(await work())

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(run)
    return results


def in_loop(backend: str, count: int, work: Callable[[], Awaitable[_T]]) -> Callable[[], list[_T]]:
    """Make a function that does the same in many tasks of a loop of its own."""
    return lambda: anyio.run(in_tasks, count, work, backend=backend)


def flat(lists: Sequence[Sequence[_T]]) -> list[_T]:
    """Put lists behind each other."""
    return [item for each in lists for item in each]


class Client:
    """A client of any world, for code that is not async; an error of the package is a result.

    Attributes:
        admin: The client.
        shut: Closes it, in its own loop where it has one, which goes on running.
    """

    def __init__(self, world: World, **options: Any) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self.admin: Admin | AsyncAdmin
        self.shut: Callable[[], None]
        arguments = {"lazy": True} | options
        if world == "sync":
            self.admin = self._stack.enter_context(Admin(**arguments))
            self.shut = self.admin.close
        else:
            self.admin = AsyncAdmin(**arguments)
            self._portal = self._stack.enter_context(start_blocking_portal(world))
            self.shut = partial(self._portal.call, self.admin.aclose)
            self._stack.callback(self.shut)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close client and loop."""
        self._stack.close()

    def do(self, ask: Callable[[], Any]) -> Any:
        """Call, in the client's own loop where it has one."""
        try:
            return ask() if self._portal is None else self._portal.call(ask)
        except PineconeError as exc:
            return exc

    def token(self) -> Any:
        """Give the text of the current token."""
        token = self.do(self.admin.token)
        return token.value if isinstance(token, AccessToken) else token

    def describe(self, project_id: str = "x") -> Any:
        """Give the id of a project."""
        project = self.do(lambda: self.admin.projects.describe(project_id=project_id))
        return project.id if isinstance(project, Project) else project
