"""`emulate()`: every client of the code under test reaches the emulator, and the process is restored afterwards."""

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from multiprocessing import spawn
from pathlib import Path
from typing import Any

import httpx
import pinecone
import pytest
import trio

from pinecone_admin import Admin, AsyncAdmin, RateLimitError, UnauthorizedError, testing
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.support.recipes import WITHOUT_OTHER_PLUGINS

ROOT = Path(__file__).parents[2]


def read_process_state() -> tuple[object, ...]:
    """Return the process state that an emulation changes."""
    return (
        httpx.HTTPTransport.handle_request,
        httpx.AsyncHTTPTransport.handle_async_request,
        current_clock(),
        [
            os.environ.get(f"PINECONE_{name}")
            for name in ("CLIENT_ID", "CLIENT_SECRET", "ACCESS_TOKEN", "ADMIN_EMULATED")
        ],
        spawn.get_preparation_data,
    )


@pytest.fixture(autouse=True)
def require_restored_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Require that every test restores the process state."""
    monkeypatch.setenv("PINECONE_CLIENT_ID", "a real one")
    monkeypatch.delenv("PINECONE_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("PINECONE_ACCESS_TOKEN", "a real token")
    before = read_process_state()
    yield
    assert read_process_state() == before


# Kinds of clients


def use_sync_client() -> list[str]:
    """Use the sync client."""
    with Admin() as admin:
        return [admin.projects.create(name="search").name, *(each.name for each in admin.projects.list())]


def use_async_client() -> list[str]:
    """Use the async client."""

    async def create_and_list() -> list[str]:
        async with AsyncAdmin() as admin:
            return [(await admin.projects.create(name="search")).name, *(p.name for p in await admin.projects.list())]

    return asyncio.run(create_and_list())


def use_official_client() -> list[str]:
    """Use the official SDK."""
    with pinecone.Admin() as admin:
        return [admin.projects.create(name="search").name, *(each.name for each in admin.projects.list())]


def use_httpx() -> list[str]:
    """Use httpx alone."""
    fields = {
        "client_id": os.environ["PINECONE_CLIENT_ID"],
        "client_secret": os.environ["PINECONE_CLIENT_SECRET"],
        "grant_type": "client_credentials",
        "audience": "https://api.pinecone.io/",
    }
    token = httpx.post("https://login.pinecone.io/oauth/token", json=fields).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Pinecone-Api-Version": "2026-07"}
    url = "https://api.pinecone.io/admin/projects"
    created = httpx.post(url, json={"name": "search"}, headers=headers).json()
    return [created["name"], *(each["name"] for each in httpx.get(url, headers=headers).json()["data"])]


def use_async_httpx() -> list[str]:
    """Use the async client of httpx with trio, and then httpx alone."""

    async def read_status() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get("https://api.pinecone.io/admin/projects")).status_code

    assert trio.run(read_status) == 401
    return use_httpx()


@pytest.mark.parametrize(
    "use_client", [use_sync_client, use_async_client, use_official_client, use_httpx, use_async_httpx]
)
def test_unmodified_code_reaches_the_emulator(use_client: Callable[[], list[str]]) -> None:
    """Code that creates its own client uses the emulator's state."""
    with emulate() as emulator:
        assert use_client() == ["search", "search"]
        assert [project.name for project in emulator.state.projects.values()] == ["search"]


def test_clients_behind_a_proxy_reach_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment receives no request."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with emulate():
        assert use_sync_client() == ["search", "search"]
        assert use_httpx() == ["search", "search", "search"]


@pytest.mark.parametrize("host", ["https://staging.example.com", "staging.example.com", "http://127.0.0.1:9"])
def test_hosts_in_the_environment_reach_the_emulator(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A custom host in the environment is intercepted like the production host."""
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", host)
    monkeypatch.setenv("PINECONE_OAUTH_URL", f"{host if '://' in host else 'https://' + host}/oauth/token")
    with emulate() as emulator:
        assert use_sync_client() == ["search", "search"]
        assert len(emulator.requests) == 3


def test_other_hosts_are_not_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request to another host is sent there, even with an invalid Pinecone host in the environment."""
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", "http://[broken")

    async def send_request() -> None:
        async with httpx.AsyncClient() as client:
            await client.get("http://127.0.0.1:9/")

    with emulate() as emulator:
        with pytest.raises(httpx.ConnectError):
            httpx.get("http://127.0.0.1:9/")
        with pytest.raises(httpx.ConnectError):
            asyncio.run(send_request())
        assert len(emulator.requests) == 0


def test_emulate_accepts_an_emulator() -> None:
    """emulate() uses the emulator that it is passed."""
    with emulate(Emulator(plan="Free")) as emulator:
        assert emulator.state.organization.plan == "Free"
        use_sync_client()
        with Admin() as admin, pytest.raises(Exception, match="QUOTA_EXCEEDED"):
            admin.projects.create(name="second")


def test_runs_are_repeatable() -> None:
    """Ids and secrets are the same in every run."""
    seen: set[tuple[str, str]] = set()
    for _ in range(2):
        with emulate() as emulator:
            seen.add((emulator.client_secret, emulator.state.new_id()))
    assert len(seen) == 1


def test_emulate_decorates_functions() -> None:
    """A decorated function uses a new emulator in each call."""

    @emulate()
    def names() -> list[str]:
        return use_sync_client()

    assert names() == names() == ["search", "search"]


def test_emulate_decorates_coroutine_functions() -> None:
    """A decorated coroutine function uses a new emulator in each call until it ends."""

    @emulate()
    async def names() -> list[str]:
        async with AsyncAdmin() as admin:
            return [(await admin.projects.create(name="search")).name, *(p.name for p in await admin.projects.list())]

    assert names.__name__ == "names"
    assert asyncio.run(names()) == asyncio.run(names()) == ["search", "search"]


SUITES = """
from unittest import IsolatedAsyncioTestCase, TestCase

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin.testing import emulate

class Checks:
    def check(self):
        assert list(self.emulator.state.projects) == [self.project.id]
        assert self.emulator.client_id

@emulate(plan="Free")
class SyncSuite(Checks, TestCase):
    def setUp(self):
        self.project = Admin().projects.create(name="search")

    def tearDown(self):
        Admin().projects.delete(project_id=self.project.id)

    def test_one(self):
        self.check()

    def test_two(self):
        self.check()

@emulate()
class AsyncSuite(Checks, IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        async with AsyncAdmin() as admin:
            self.project = await admin.projects.create(name="search")

    async def test_it(self):
        self.check()

@emulate()
class TestPlain(Checks):
    def setup_method(self, method):
        assert method.__name__ == "test_it"
        self.project = Admin().projects.create(name="search")

    def teardown_method(self):
        Admin().projects.delete(project_id=self.project.id)

    def test_it(self, tmp_path):
        self.check()

@emulate()
class TestBare:
    def test_it(self):
        assert Admin().projects.list() == self.emulator.requests.filter("projects.create") == []
"""


@pytest.mark.parametrize(
    ("module", "passed"),
    [("unittest", "Ran 3 tests"), pytest.param("pytest", "5 passed", marks=pytest.mark.long)],
)
def test_emulate_decorates_test_classes(tmp_path: Path, module: str, passed: str) -> None:
    """Each test of a class has its own emulator, also during its setup and its cleanup."""
    (tmp_path / "test_suites.py").write_text(SUITES)
    # Would leave the machine, and fail, if a request of the tests did not reach an emulator.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    options = ["-p", "no:cacheprovider", *WITHOUT_OTHER_PLUGINS] if module == "pytest" else []
    command = [sys.executable, "-m", module, *options, "test_suites.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert passed in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.returncode == 0


def test_a_failing_preparation_ends_the_emulation() -> None:
    """If setup_method raises, its emulation ends, as pytest then calls no teardown_method."""

    @emulate()
    class TestIt:
        emulator: Emulator

        def setup_method(self) -> None:
            raise LookupError(self.emulator.client_id)

        def test_it(self) -> None: ...

    with pytest.raises(LookupError):
        TestIt().setup_method(TestIt.test_it)  # type: ignore[call-arg]
    assert os.environ["PINECONE_CLIENT_ID"] == "a real one"


def test_a_new_emulator_has_the_given_state(tmp_path: Path) -> None:
    """A plan, permissions and a state, also of a file, are those of each new emulator, and survive a reset."""
    document = {"organization": {"plan": "Free"}, "projects": [{"name": "search"}]}
    file = tmp_path / "state.json"
    file.write_text(json.dumps(document))
    for state in (document, file, str(file)):
        with emulate(plan="Standard", permissions="open", state=state) as emulator:
            use_sync_client()
            emulator.reset()
            assert emulator.state.organization.plan == "Standard"
            assert emulator.settings["permissions"] == "open"
            assert [each.name for each in emulator.state.projects.values()] == ["search"]
    assert document["organization"] == {"plan": "Free"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plan": "Starter"}, "plan must be one of Free"),
        ({"permissions": "none"}, "permissions must be one of"),
        ({"state": {"projects": 5}}, "projects must be an array"),
        ({"state": "missing.json"}, "state: cannot read missing.json"),
        ({"emulator": Emulator(), "plan": "Free"}, "do not pass an emulator, too"),
    ],
)
def test_invalid_arguments_are_refused_at_once(arguments: Any, message: str) -> None:
    """Invalid arguments are refused before a function is decorated or a block is entered."""
    with pytest.raises(ValueError, match=message):
        emulate(**arguments)


def test_emulate_refuses_what_would_run_outside() -> None:
    """Generators, and classes with code that would run outside, are refused, because requests would reach Pinecone."""

    def fixture() -> Iterator[Admin]:
        with Admin() as admin:
            yield admin

    async def stream() -> AsyncIterator[None]:
        yield

    class Provisioner:
        pass

    class TestShared:
        def setup_class(self) -> None: ...
        def test_it(self) -> None: ...

    for decorated in (fixture, stream, Provisioner):
        with pytest.raises(TypeError, match="with emulate"):
            emulate()(decorated)
    with pytest.raises(TypeError, match=r"do what setup_class of .*TestShared'> does before each test"):
        emulate()(TestShared)
    with pytest.raises(TypeError, match="parentheses"):
        emulate(use_sync_client)  # type: ignore[arg-type]


def test_emulation_is_reentrant() -> None:
    """One emulate() can be entered several times, in sequence and nested."""
    again = emulate(Emulator())
    with again as outer, again as inner:
        assert outer is inner
    with again:
        assert use_sync_client() == ["search", "search"]


# Virtual time


def test_waits_take_no_real_time() -> None:
    """The wait before a retry passes only on the clock of the emulator, in sync and async clients."""
    started = time.monotonic()
    with emulate(ticking=False) as emulator:
        before = emulator.clock.now()
        emulator.faults.add("list_projects", status=503, retry_after=30)
        use_sync_client()
        emulator.faults.add("list_projects", status=503, retry_after_date=30)
        use_async_client()
        assert 60 <= (emulator.clock.now() - before).total_seconds() < 66
    assert time.monotonic() - started < 30


def test_tokens_expire_with_the_clock() -> None:
    """A client replaces its token when the emulator's clock passes the expiry."""
    with emulate() as emulator, Admin() as admin:
        emulator.clock.advance(1800)
        admin.projects.list()
        operations = [(received.operation_id, received.status) for received in emulator.requests]
        assert operations == [("get_token", 200), ("get_token", 200), ("list_projects", 200)]


def test_long_retry_after_ends_the_call() -> None:
    """A Retry-After beyond the client's maximum is reported in the error, and is not waited for."""
    with emulate(ticking=False) as emulator, Admin() as admin:
        before = emulator.clock.now()
        emulator.faults.add("list_projects", status=429, retry_after=3600)
        with pytest.raises(RateLimitError) as caught:
            admin.projects.list()
        assert caught.value.retry_after == 3600
        assert emulator.clock.now() == before


def test_closed_clients_do_not_advance_time() -> None:
    """A client that is closed during a wait does not advance the clock."""
    with emulate(ticking=False) as emulator:
        clock, closed, before = current_clock(), threading.Event(), emulator.clock.now()
        closed.set()
        clock.sleep(30, closed)
        asyncio.run(clock.async_sleep(30, closed))
        assert emulator.clock.now() == before


def test_clock_runs_with_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an emulation the clock also advances with real time, unless ticking=False, and afterwards stands still."""
    real = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: real)
    emulator = Emulator()
    start = emulator.clock.now()
    with emulate(emulator):
        real += 5
        with emulate(emulator), emulate(emulator, ticking=False):
            real += 5
        real += 5
        emulator.clock.advance(60)
        assert (emulator.clock.now() - start).total_seconds() == 75
    real += 5
    with emulate(emulator, ticking=False):
        real += 5
        assert (emulator.clock.now() - start).total_seconds() == 75


def test_setting_the_clock_never_turns_back_what_clients_measure() -> None:
    """A clock that is set back, or reset, leaves a token valid; one that is set forward lets it expire."""
    with emulate(ticking=False) as emulator, Admin() as admin:
        before, start = current_clock().monotonic(), emulator.clock.now()
        emulator.clock.set(start + timedelta(hours=2))
        emulator.clock.set(start - timedelta(days=400))
        admin.projects.list()
        emulator.clock.set(emulator.clock.now() + timedelta(hours=2))
        emulator.reset()
        admin.projects.list()
        assert emulator.clock.now() == start
        assert current_clock().monotonic() - before == 4 * 3600
        assert len(emulator.requests.filter("get_token")) == 1  # a reset has cleared the others


def test_clock_is_the_system_clock_afterwards() -> None:
    """A client that outlives its emulation uses the system clock."""
    with emulate() as emulator:
        clock = current_clock()
        emulator.clock.advance(10**6)
        assert clock.wall() > time.time() + 10**5
    assert abs(clock.wall() - time.time()) < 10
    assert abs(clock.monotonic() - time.monotonic()) < 10
    done = threading.Event()
    clock.sleep(0.001, done)
    asyncio.run(clock.async_sleep(0.001, done))


def test_client_works_in_later_emulations() -> None:
    """A client that the code under test keeps works in every later emulation."""
    with emulate():
        client, official_client = Admin(), pinecone.Admin()
    for _ in range(3):
        with emulate() as emulator:
            assert client.projects.list() == []
            assert len(official_client.projects.list()) == 0
            emulator.clock.advance(10**6)


# Nesting, exceptions, threads, processes


def test_emulations_nest() -> None:
    """The innermost emulator handles requests, and the outer one continues afterwards."""
    with emulate() as outer, Admin() as admin:
        admin.projects.create(name="outer")
        with emulate(Emulator()) as inner:
            assert os.environ["PINECONE_CLIENT_ID"] == inner.client_id != outer.client_id
            use_sync_client()
        assert os.environ["PINECONE_CLIENT_ID"] == outer.client_id
        assert [project.name for project in admin.projects.list()] == ["outer"]
        assert [project.name for project in inner.state.projects.values()] == ["search"]


def test_exceptions_restore_the_process() -> None:
    """An exception ends the emulation, passes through and restores the process state."""
    before = read_process_state()
    emulator = Emulator()
    emulator.faults.add("list_projects", status=401, times=None)
    with pytest.raises(UnauthorizedError), emulate(emulator):
        use_sync_client()
    with pytest.raises(KeyboardInterrupt), emulate(), emulate():
        raise KeyboardInterrupt
    assert read_process_state() == before


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_emulations_can_end_in_any_order(order: tuple[int, ...]) -> None:
    """The last of several overlapping emulations restores the process state."""
    before = read_process_state()
    entered: list[AbstractContextManager[Emulator]] = [emulate(Emulator()) for _ in range(3)]
    emulators = [each.__enter__() for each in entered]
    remaining = list(range(3))
    for number in order:
        entered[number].__exit__(None, None, None)
        remaining.remove(number)
        if remaining:
            assert os.environ["PINECONE_CLIENT_ID"] == emulators[remaining[-1]].client_id
            assert use_sync_client()[0] == "search"
            assert "search" in [each.name for each in emulators[remaining[-1]].state.projects.values()]
    assert read_process_state() == before


def test_overlapping_threads_restore_the_process() -> None:
    """Many threads with overlapping emulations restore the process state."""
    before = read_process_state()

    def emulate_repeatedly(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(20):
            with emulate():
                time.sleep(rng.random() / 2000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(emulate_repeatedly, range(8)))
    assert read_process_state() == before


def test_threads_reach_the_emulator() -> None:
    """Threads can share a client in an emulation."""
    with emulate() as emulator, Admin() as admin, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: admin.service_accounts.create(name=str(number)), range(40)))
        assert len(emulator.state.service_accounts) == 41


# The plugin

PLUGIN_TEST = """
import os
from pinecone_admin import Admin
import httpx

def provision():
    with Admin() as admin:
        return admin.projects.create(name="search")

{tests}

def test_without(request):
    assert "PINECONE_CLIENT_ID" not in os.environ
    assert httpx.HTTPTransport.handle_request.__qualname__ == "HTTPTransport.handle_request"
"""
ONE_PLUGIN_TEST = """
def test_{number}(pinecone_emulator):
    project = provision()
    assert list(pinecone_emulator.state.projects) == [project.id]
    assert len(pinecone_emulator.requests) == 2
    assert os.environ["PINECONE_CLIENT_ID"] == pinecone_emulator.client_id
"""


def run_pytest(folder: Path, *arguments: str, test: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a separate folder and process, as a user does."""
    (folder / "test_provisioning.py").write_text(test)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    options = ["-q", "-p", "no:cacheprovider", "-W", "error", *WITHOUT_OTHER_PLUGINS, *arguments]
    command = [sys.executable, "-m", "pytest", *options, "."]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.parametrize("workers", [[], pytest.param(["-n", "2"], marks=pytest.mark.long)])
def test_each_test_has_a_new_emulator(tmp_path: Path, workers: list[str]) -> None:
    """Each test has its own emulator, even with several pytest workers."""
    tests = "".join(ONE_PLUGIN_TEST.format(number=number) for number in range(6))
    process = run_pytest(tmp_path, *workers, test=PLUGIN_TEST.format(tests=tests))
    assert "7 passed" in process.stdout, process.stdout + process.stderr


def test_plugin_loads_nothing_without_the_fixture(tmp_path: Path) -> None:
    """A test run without the fixture loads neither the emulator, the client nor httpx."""
    heavy = "{'httpx', 'attrs', 'pinecone_admin.emulator', 'pinecone_admin.testing._emulate', 'pinecone_admin._sync'}"
    test = f"import sys\ndef test_it(): assert {heavy} & set(sys.modules) == set()\n"
    process = run_pytest(tmp_path, "-p", "no:anyio", test=test)  # anyio loads modules of its own
    assert "1 passed" in process.stdout, process.stdout + process.stderr


MARKED = """
import pytest
from pinecone_admin import Admin

@pytest.mark.pinecone_emulator(assert_all_used=True)
class TestFaults:
    def test_used(self, pinecone_emulator):
        pinecone_emulator.faults.add("create_project", status=429, times=2)
        Admin().projects.create(name="search")

    def test_unused(self, pinecone_emulator):
        pinecone_emulator.faults.add("create_project", status=503)

    @pytest.mark.pinecone_emulator(plan="Free")
    def test_failing(self, pinecone_emulator):
        pinecone_emulator.faults.add("create_project", status=500)
        raise LookupError(pinecone_emulator.settings["plan"])

    @pytest.mark.pinecone_emulator(plan="Standard")
    def test_unused_on_another_plan(self, pinecone_emulator):
        pinecone_emulator.faults.add("create_project", status=501)

@pytest.mark.pinecone_emulator("Free")
def test_positional(pinecone_emulator): ...

@pytest.mark.pinecone_emulator(assert_used=True)
def test_misspelled(pinecone_emulator): ...

@pytest.mark.pinecone_emulator(plan="Free", permissions="open", state={"projects": [{"name": "search"}]})
def test_state(pinecone_emulator):
    assert pinecone_emulator.settings["plan"] == "Free"
    assert pinecone_emulator.settings["permissions"] == "open"
    assert len(pinecone_emulator.state.projects) == 1
"""


def test_the_marker_sets_the_state_and_checks_the_faults(tmp_path: Path) -> None:
    """The marker takes a plan, permissions and a state; a test whose faults were not all met fails, and is no error."""
    output = run_pytest(tmp_path, test=MARKED).stdout
    assert "3 failed, 2 passed, 2 errors" in output
    for status in (503, 501):
        assert f"create_project (status={status}): fired 0 of 1 time;" in output
    assert "LookupError: Free" in output
    assert "(status=500)" not in output
    assert "takes named arguments only, not 'Free'" in output
    assert "serve, ticking, assert_all_used, not 'assert_used'" in output


@pytest.mark.long
def test_fixture_is_documented(tmp_path: Path) -> None:
    """`pytest --fixtures` describes the fixture."""
    process = run_pytest(tmp_path, "--fixtures", test="")
    lines = process.stdout.splitlines()
    index = next(index for index, line in enumerate(lines) if line.startswith("pinecone_emulator"))
    assert "Serve requests to Pinecone's Admin API from a new emulator" in lines[index + 1]


def test_testing_exports_emulate_only() -> None:
    """The module exports only `emulate`, and an unknown attribute is an error that names it."""
    assert testing.__all__ == ["emulate"]
    with pytest.raises(AttributeError, match="has no attribute 'emulat'"):
        _: Any = testing.emulat  # type: ignore[attr-defined]
