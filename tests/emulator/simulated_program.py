"""Simulate programs of the page on simulation, once for each seed and again; test_simulation.py runs this.

Usage: simulated_program.py PROGRAM SEEDS [threads | without-checkpoints]

It prints, as JSON, what each seed led to in both runs: the number of projects and the digest of the log, and the same
for a create that is cancelled at a random moment. `threads` runs token exchanges in threads, as outside of an
emulation, and `without-checkpoints` lets no other task run during a request.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from pinecone_admin import AsyncAdmin
from pinecone_admin.emulator.http.transport import EmulatorTransport
from pinecone_admin.testing import _emulate, emulate

# Of the environment in which this program runs; type checkers run in another one.
simloom: Any = import_module("simloom")


def read_main(program: Path) -> Callable[[], Coroutine[Any, Any, int]]:
    """Return `deploy_twice` of a program, without what the program runs by itself."""
    names: dict[str, Any] = {}
    exec(program.read_text(encoding="utf-8").partition("\nsimulate(0)")[0], names)
    main: Callable[[], Coroutine[Any, Any, int]] = names["deploy_twice"]
    return main


async def create_and_cancel() -> str:
    """Cancel a create at a random moment, and return what became of it."""
    with emulate(ticking=False) as emulator:
        async with AsyncAdmin() as admin:
            await admin.projects.list()
            task = asyncio.create_task(admin.projects.create(name="search"))
            for _ in range(random.randrange(12)):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        created = "created" if emulator.state.projects else "not created"
        return f"{created}, {'no response' if task.cancelled() else 'response'}"


def simulate(main: Callable[[], Coroutine[Any, Any, object]], seeds: int) -> list[list[object]]:
    """Return the value, the digest and the error of each seed."""
    found = []
    for seed in range(seeds):
        result = simloom.run(main, seed=seed, virtual_time=True, seed_randomness=True, raise_on_error=False)
        found.append([result.value, result.digest, type(result.error).__name__ if result.error else ""])
    return found


async def respond_at_once(self: EmulatorTransport, request: httpx.Request) -> httpx.Response:
    """Respond without letting other tasks run."""
    await request.aread()
    return self.handle_request(request)


if __name__ == "__main__":
    _, program, count, *removed = sys.argv
    # A thread of a token exchange is soon interrupted, so that the main thread goes on before the thread has ended.
    sys.setswitchinterval(1e-6)
    if removed == ["threads"]:
        _emulate._EmulatedClock.is_emulated = lambda *_: False  # type: ignore[method-assign]
    if removed == ["without-checkpoints"]:
        EmulatorTransport.handle_async_request = respond_at_once  # type: ignore[method-assign]
    mains = (read_main(Path(program)), create_and_cancel)
    for each in mains:
        simulate(each, 1)
    gc.collect()
    gc.freeze()
    json.dump([[simulate(each, int(count)) for each in mains] for _ in range(2)], sys.stdout)
