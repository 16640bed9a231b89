"""The work of child processes in tests. It is a separate module, which a new process imports quickly."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from pinecone_admin import Admin, AsyncAdmin, PineconeError
from pinecone_admin.auth import FileTokenCache
from tests.support import loopback_only

if TYPE_CHECKING:
    from pinecone_admin.emulator import Emulator


def create_project(name: str, folder: str | None = None) -> str:
    """Create a project with a new client, which keeps its token in a folder, and return its name."""
    with Admin(token_cache=FileTokenCache(folder) if folder else None) as admin:
        return admin.projects.create(name=name).name


def create_project_async(name: str, folder: str | None = None) -> str:
    """Async version of `create_project`."""

    async def create() -> str:
        async with AsyncAdmin(token_cache=FileTokenCache(folder) if folder else None) as admin:
            return (await admin.projects.create(name=name)).name

    return asyncio.run(create())


def describe_error(name: str, folder: str | None = None) -> tuple[str, str, int, str]:
    """Return the kind of the error, its outcome, its attempts and its text, that a new client raises."""
    loopback_only.watch(loopback_only.exit_at_once)
    try:
        create_project(name, folder)
    except PineconeError as error:
        return type(error).__name__, error.outcome, error.attempts, str(error)
    return "", "", 0, ""


def read_environment() -> dict[str, str]:
    """Return the variables of this process for clients of Pinecone."""
    return {name: value for name, value in os.environ.items() if name.startswith("PINECONE_")}


def create_in_pool(method: str, emulator: Emulator) -> list[str]:
    """Create two projects in two processes, and return the names of those that the emulator has."""
    context: Any = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(create_project, ["a", "b"]))
    return sorted(project.name for project in emulator.state.projects.values())


def main() -> None:
    """Print what children of a forkserver do that was started before the emulations, and what they do afterwards."""
    from pinecone_admin.emulator import Emulator  # noqa: PLC0415 - the children do not need it
    from pinecone_admin.testing import emulate  # noqa: PLC0415 - nor this

    context = multiprocessing.get_context("forkserver")
    with context.Pool(1) as pool:
        before = pool.apply(read_environment)
    with emulate(serve=True) as first:
        names = [create_in_pool("forkserver", first)]
    with emulate(Emulator(seed=1), serve=True) as second:
        names.append(create_in_pool("forkserver", second))
    with emulate(), context.Pool(1) as pool:
        error = pool.apply(describe_error, ("c",))
    sys.stdout.write(repr((before, names, error)))


if __name__ == "__main__":
    main()
