"""The workers of call.py: one process with one client, which measures what call.py asks for.

Usage: call_worker.py CLIENT URL

Each line of standard input is a JSON object with the name of a measurement and its arguments. The response is a line
with the figures. The process ends when its standard input is closed. Times are in seconds, memory is in bytes. The time
of a call is the median of short blocks of calls, so a moment in which another program has the processor does not count.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PROJECT_ID = "3f0d9e52-7c61-4c1c-9f0a-1d2b8d7f6a55"
PROJECT = f"/admin/projects/{PROJECT_ID}"
BINDINGS_PER_PAGE = 100
CREDENTIALS: dict[str, Any] = {"client_id": "id", "client_secret": "secret"}
AUTHORIZATION = {"Authorization": "Bearer a-token"}
TIMEOUT = 60.0
"""Seconds, as our client has it; the default of httpx is too short for a thousand tasks on one client."""

BLOCK = 20
"""Calls, or pages, in a block of one thread: some 5 ms."""
CONCURRENT_BLOCK = 100
"""Calls in a block where many threads or tasks run at once: with fewer, one thread could have made all of a block."""

Figures = dict[str, float]


class Calls(NamedTuple):
    """What every client can do.

    Attributes:
        describe: Describe a project.
        create: Create a project.
        read_bindings: Return an iterator over all role bindings.
        describe_async: As describe; None if the client is not async.
    """

    describe: Callable[[], object]
    create: Callable[[], object]
    read_bindings: Callable[[], Iterator[object]]
    describe_async: Callable[[], Awaitable[object]] | None = None


def make_sdk_calls(admin: Any, describe_async: Callable[[], Awaitable[object]] | None = None) -> Calls:
    """Return the calls of an Admin, ours or the official one: their methods have the same names and arguments."""
    return Calls(
        lambda: admin.projects.describe(project_id=PROJECT_ID),
        lambda: admin.projects.create(name="search"),
        lambda: iter(admin.role_bindings.list()),
        describe_async,
    )


def make_our_calls(url: str) -> Calls:
    """Return the calls of our clients."""
    from pinecone_admin import Admin, AsyncAdmin  # noqa: PLC0415 - only this worker has it

    asynchronous = AsyncAdmin(**CREDENTIALS, host=url, oauth_url=f"{url}/oauth/token")
    admin = Admin(**CREDENTIALS, host=url, oauth_url=f"{url}/oauth/token")
    return make_sdk_calls(admin, lambda: asynchronous.projects.describe(project_id=PROJECT_ID))


def make_official_calls(url: str) -> Calls:
    """Return the calls of the official SDK, which has no async Admin."""
    from pinecone import Admin  # noqa: PLC0415 - only this worker has it

    return make_sdk_calls(Admin(**CREDENTIALS, host=url, oauth_url=f"{url}/oauth/token"))


def make_httpx_calls(url: str) -> Calls:
    """Return the calls of plain httpx: no tokens, retries, models or errors, only JSON."""
    import httpx  # noqa: PLC0415 - only this worker has it

    context = httpx.create_ssl_context()
    # On a busy machine, some of a thousand tasks wait for a connection of httpx for longer than a call may take.
    timeout = httpx.Timeout(TIMEOUT, pool=None)
    client = httpx.Client(headers=AUTHORIZATION, timeout=timeout, verify=context)
    asynchronous = httpx.AsyncClient(headers=AUTHORIZATION, timeout=timeout, verify=context)

    def describe() -> object:
        try:
            return client.get(url + PROJECT).json()
        except httpx.TransportError:
            # With 32 threads on one client, one of some 10,000 calls failed with "Bad file descriptor".
            return client.get(url + PROJECT).json()

    async def describe_async() -> object:
        return (await asynchronous.get(url + PROJECT)).json()

    return Calls(
        describe,
        lambda: client.post(f"{url}/admin/projects", json={"name": "search"}).json(),
        lambda: read_pages(lambda path: client.get(url + path).json()),
        describe_async,
    )


def make_stdlib_calls(url: str) -> Calls:
    """Return the calls of http.client, with a connection per thread and JSON."""
    threads = threading.local()
    netloc = urlsplit(url).netloc

    def send(method: str, path: str, body: str | None = None, headers: dict[str, str] = AUTHORIZATION) -> Any:
        if not hasattr(threads, "connection"):
            threads.connection = http.client.HTTPConnection(netloc, timeout=TIMEOUT)
        threads.connection.request(method, path, body, headers)
        return json.loads(threads.connection.getresponse().read())

    headers = {**AUTHORIZATION, "Content-Type": "application/json"}
    return Calls(
        lambda: send("GET", PROJECT),
        lambda: send("POST", "/admin/projects", json.dumps({"name": "search"}), headers),
        lambda: read_pages(lambda path: send("GET", path)),
    )


def read_pages(get: Callable[[str], Any]) -> Iterator[object]:
    """Iterate over pages of role bindings with a function that gets JSON."""
    path = "/admin/role-bindings"
    while True:
        page = get(path)
        yield from page["data"]
        if not page["pagination"]:
            return
        path = f"/admin/role-bindings?paginationToken={page['pagination']['next']}"


CLIENTS: dict[str, Callable[[str], Calls]] = {
    "ours": make_our_calls,
    "official": make_official_calls,
    "httpx": make_httpx_calls,
    "http.client": make_stdlib_calls,
}
PACKAGES = {"ours": ("pinecone_admin", "generated_client"), "official": ("pinecone",)}


class Worker:
    """The measurements of one client; their names are those of the methods."""

    def __init__(self, client: str, url: str) -> None:
        self._client = client
        self._calls = CLIENTS[client](url)
        self._runner = asyncio.Runner()
        for call in (self._calls.describe, self._calls.create):
            assert PROJECT_ID in repr(call())  # an error must not be measured

    def describe(self, calls: int) -> Figures:
        """Describe a project many times; figures per call."""
        return measure_calls(self._calls.describe, calls)

    def create(self, calls: int) -> Figures:
        """Create a project many times; figures per call."""
        return measure_calls(self._calls.create, calls)

    def read_pages(self, pages: int) -> Figures:
        """Iterate over pages of role bindings; the figures are of all of them."""
        bindings = self._calls.read_bindings()
        seconds = time_blocks(lambda: consume(bindings, BINDINGS_PER_PAGE), pages, time.perf_counter)
        return {"seconds": seconds * pages}

    def run_threads(self, threads: int, calls: int) -> Figures:
        """Describe a project from many threads; the time is that between the ends of two calls of any thread."""
        barrier = threading.Barrier(threads + 1)
        errors: list[BaseException] = []
        ends: list[float] = []

        def run() -> None:
            try:
                self._calls.describe()  # connects
                barrier.wait()
                for _ in range(calls // threads):
                    self._calls.describe()
                    ends.append(time.perf_counter())
            except BaseException as exc:  # noqa: BLE001 - raised in the main thread
                errors.append(exc)
                barrier.abort()

        running = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
        for thread in running:
            thread.start()
        with suppress(threading.BrokenBarrierError):  # the error that broke it is raised below
            barrier.wait()
        started = time.perf_counter()
        for thread in running:
            thread.join()
        if errors:
            raise errors[0]
        return {"seconds": find_block_time([started, *sorted(ends)], CONCURRENT_BLOCK)}

    def run_tasks(self, tasks: int, calls: int) -> Figures:
        """Describe a project from many asyncio tasks; the time is that between the ends of two calls of any task."""
        describe = self._calls.describe_async
        assert describe is not None
        ends: list[float] = []

        async def run() -> None:
            for _ in range(calls // tasks):
                await describe()
                ends.append(time.perf_counter())

        async def measure() -> float:
            await asyncio.gather(*(describe() for _ in range(tasks)))  # connects
            started = time.perf_counter()
            await asyncio.gather(*(run() for _ in range(tasks)))
            return find_block_time([started, *ends], CONCURRENT_BLOCK)

        return {"seconds": self._runner.run(measure())}

    def grow(self, calls: int) -> Figures:
        """Describe a project many times, and return how much memory the process gained."""
        for _ in range(1000):
            self._calls.describe()
        gc.collect()
        before = resident_bytes()
        for _ in range(calls):
            self._calls.describe()
        gc.collect()
        return {"bytes": resident_bytes() - before}

    def read_all(self, bindings: int) -> Figures:
        """Iterate over role bindings, and return how much memory the process gained at its largest."""
        consume(self._calls.read_bindings(), 10 * BINDINGS_PER_PAGE)
        iterator = self._calls.read_bindings()
        gc.collect()
        before = largest = resident_bytes()
        for _ in range(bindings // 1000):
            consume(iterator, 1000)
            largest = max(largest, resident_bytes())
        return {"bytes": largest - before}

    def count_own_calls(self) -> Figures:
        """Create a project, and count entered frames of the client's own files, and the objects of httpx."""
        import httpx  # noqa: PLC0415 - http.client must not load it

        roots = tuple(str(Path(find_origin(name)).parent) + os.sep for name in PACKAGES[self._client])
        constructors = {httpx.Request.__init__.__code__, httpx.Response.__init__.__code__}
        entered: list[CodeType] = []

        def profile(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                entered.append(frame.f_code)

        for _ in range(100):  # until everything that is kept has been made
            self._calls.create()
        sys.setprofile(profile)
        try:
            self._calls.create()
        finally:
            sys.setprofile(None)
        own = sum(code.co_filename.startswith(roots) for code in entered)
        objects = sum(code in constructors for code in entered)
        return {"calls": own, "all_calls": len(entered), "objects": objects}


def measure_calls(call: Callable[[], object], calls: int) -> Figures:
    """Make one call to connect, then many twice over; return the time and the processor time of one."""
    call()
    return {
        "seconds": time_blocks(call, calls, time.perf_counter),
        "processor_seconds": time_blocks(call, calls, time.process_time),
    }


def time_blocks(call: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    """Make many calls, and return the time of one by the clock."""
    times = [clock()]
    for _ in range(calls):
        call()
        times.append(clock())
    return find_block_time(times, BLOCK)


def find_block_time(times: Sequence[float], size: int) -> float:
    """Return the time from one call to the next: the median of blocks of ``size`` calls, each divided by it."""
    size = min(size, len(times) - 1)
    ends = times[::size]
    return statistics.median(later - earlier for earlier, later in pairwise(ends)) / size


def consume(iterator: Iterator[object], count: int) -> None:
    """Take so many items from an iterator and drop them."""
    for _ in islice(iterator, count - 1):
        pass
    next(iterator)  # fails if there are fewer


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def find_origin(package: str) -> str:
    """Return the path of the ``__init__.py`` of a package."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


def main() -> None:
    """Measure until the standard input is closed."""
    worker = Worker(*sys.argv[1:])
    for line in sys.stdin:
        arguments = json.loads(line)
        figures: Figures = getattr(worker, arguments.pop("name"))(**arguments)
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # connections stay open; closing a thousand of them at exit costs time and warns
