"""The workers of call.py: one process with one client, which measures what call.py asks for.

Usage: call_worker.py CLIENT URL

Each line of standard input is a JSON object with the name of a measurement and its arguments. The response is a line
with the figures. The process ends when its standard input is closed. Times are in seconds, memory is in bytes.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.util import find_spec
from itertools import islice
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

Figures = dict[str, float]


class Calls(NamedTuple):
    """What every client can do.

    Attributes:
        describe: Describe a project.
        create: Create a project.
        read_bindings: Read this many role bindings, a multiple of the page size; the callback is called for each.
        describe_async: As describe; None if the client is not async.
    """

    describe: Callable[[], object]
    create: Callable[[], object]
    read_bindings: Callable[[int, Callable[[object], object]], object]
    describe_async: Callable[[], Awaitable[object]] | None = None


def make_sdk_calls(admin: Any, describe_async: Callable[[], Awaitable[object]] | None = None) -> Calls:
    """Return the calls of an Admin, ours or the official one: their methods have the same names and arguments."""

    def read_bindings(count: int, visit: Callable[[object], object]) -> None:
        for binding in islice(admin.role_bindings.list(), count):
            visit(binding)

    return Calls(
        lambda: admin.projects.describe(project_id=PROJECT_ID),
        lambda: admin.projects.create(name="search"),
        read_bindings,
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
        lambda count, visit: read_pages(lambda path: client.get(url + path).json(), count, visit),
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
        lambda count, visit: read_pages(lambda path: send("GET", path), count, visit),
    )


def read_pages(get: Callable[[str], Any], count: int, visit: Callable[[object], object]) -> None:
    """Read pages of role bindings with a function that gets JSON."""
    path = "/admin/role-bindings"
    for _ in range(count // BINDINGS_PER_PAGE):
        page = get(path)
        for binding in page["data"]:
            visit(binding)
        path = f"/admin/role-bindings?paginationToken={(page['pagination'] or {}).get('next')}"


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
        seen: Counter[str] = Counter()
        started = time.perf_counter()
        self._calls.read_bindings(pages * BINDINGS_PER_PAGE, lambda _: None)
        seconds = time.perf_counter() - started
        self._calls.read_bindings(BINDINGS_PER_PAGE, lambda _: seen.update(["bindings"]))
        assert seen["bindings"] == BINDINGS_PER_PAGE
        return {"seconds": seconds}

    def run_threads(self, threads: int, calls: int) -> Figures:
        """Describe a project from many threads; the time is that of all calls, divided by their number."""
        barrier = threading.Barrier(threads + 1)
        errors: list[BaseException] = []

        def run() -> None:
            try:
                self._calls.describe()  # connects
                barrier.wait()
                for _ in range(calls // threads):
                    self._calls.describe()
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
        seconds = time.perf_counter() - started
        if errors:
            raise errors[0]
        return {"seconds": seconds / (calls // threads * threads)}

    def run_tasks(self, tasks: int, calls: int) -> Figures:
        """Describe a project from many asyncio tasks; the time is that of all calls, divided by their number."""
        describe = self._calls.describe_async
        assert describe is not None

        async def run() -> None:
            for _ in range(calls // tasks):
                await describe()

        async def measure() -> float:
            await asyncio.gather(*(describe() for _ in range(tasks)))  # connects
            started = time.perf_counter()
            await asyncio.gather(*(run() for _ in range(tasks)))
            return time.perf_counter() - started

        return {"seconds": self._runner.run(measure()) / (calls // tasks * tasks)}

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
        self._calls.read_bindings(10 * BINDINGS_PER_PAGE, lambda _: None)
        gc.collect()
        before = largest = resident_bytes()
        count = 0

        def visit(_: object) -> None:
            nonlocal count, largest
            count += 1
            if count % 1000 == 1:
                largest = max(largest, resident_bytes())

        started = time.perf_counter()
        self._calls.read_bindings(bindings, visit)
        assert count == bindings
        return {"seconds": time.perf_counter() - started, "bytes": largest - before}

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
        own = [code.co_filename for code in entered if code.co_filename.startswith(roots)]
        objects = sum(code in constructors for code in entered)
        return {"calls": len(own), "files": len(set(own)), "all_calls": len(entered), "objects": objects}


def measure_calls(call: Callable[[], object], calls: int) -> Figures:
    """Make one call to connect, then many; return the time and the processor time of one."""
    call()
    started, processor = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return {
        "seconds": (time.perf_counter() - started) / calls,
        "processor_seconds": (time.process_time() - processor) / calls,
    }


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
