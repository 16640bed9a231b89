"""Child processes of an emulation reach the served emulator or are refused; none changes a copy or reaches Pinecone."""

from __future__ import annotations

import ast
import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from pinecone_admin import Admin, PineconeConnectionError
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.emulated_children import EMULATED_VARIABLE
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.testing import emulate
from pinecone_admin.testing._emulate import _emulations
from tests.emulator import child_work, reach
from tests.emulator.test_emulate_production import use_requests
from tests.support.concurrency import PATIENCE
from tests.support.recipes import list_blocks

pytestmark = pytest.mark.long  # they start many processes, and what they find changes rarely

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def allow_forks_beside_threads() -> Iterator[None]:
    """Ignore Python's warning of forking beside a thread, such as the one that serves: it is what is tested."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*(fork|multi-threaded)", DeprecationWarning)
        yield


def run_in_fork(work: Callable[[], object]) -> None:
    """Require that the work succeeds in a forked child, which ends after it."""

    def run() -> int:
        try:
            work()
        except BaseException:  # noqa: BLE001 - reported by the status and on stderr
            os.write(2, traceback.format_exc().encode())
            return 1
        return 0

    assert reach.run_forked(run) == 0


def list_names(emulator: Emulator) -> list[str]:
    """Return the sorted names of the emulator's projects."""
    return sorted(project.name for project in emulator.state.projects.values())


@pytest.mark.parametrize(
    "client",
    [pytest.param(each, marks=[pytest.mark.long] * (each != "ours")) for each in reach.CLIENTS],
)
def test_the_page_says_who_reaches_the_emulator(client: str) -> None:
    """The row of each client in docs/emulator.md is what happens; tests/emulator/reach.py writes the table."""
    assert reach.render_row(client, reach.run_row(client)) in reach.PAGE.read_text(encoding="utf-8")


# Served


@pytest.mark.long
def test_the_page_s_program_runs(tmp_path: Path) -> None:
    """The program in docs/emulator.md that starts processes runs as a file, as its children import it."""
    (block,) = [each for each in list_blocks("docs/emulator.md") if "__main__" in each.text]
    (tmp_path / "program.py").write_text(block.text)
    command = [sys.executable, "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("method", "cached"),
    [
        ("fork", True),
        pytest.param("spawn", False, marks=pytest.mark.long),
        pytest.param("forkserver", True, marks=pytest.mark.long),
    ],
)
def test_eight_workers_create_eight_projects(method: str, cached: bool, tmp_path: Path) -> None:
    """With serve=True, what the workers of a pool create is in the emulator, however they are started."""
    folder = str(tmp_path / "tokens") if cached else None
    context: Any = multiprocessing.get_context(method)
    names = [f"project-{number}" for number in range(8)]
    limit = partial(signal.alarm, int(PATIENCE))  # a worker that waits without end is killed
    with emulate(serve=True) as emulator, ProcessPoolExecutor(4, context, limit) as pool:
        work = [child_work.create_project, child_work.create_project_async]
        done: list[Future[str]] = [pool.submit(work[number % 2], name, folder) for number, name in enumerate(names)]
        assert [each.result() for each in done] == names
        assert list_names(emulator) == names


def test_eight_processes_share_a_token_file(tmp_path: Path) -> None:
    """Eight forked processes with one token file create eight projects: there is one emulator to know the token."""
    context: Any = multiprocessing.get_context("fork")
    names = [f"project-{number}" for number in range(8)]
    with emulate(serve=True) as emulator:
        processes = [
            context.Process(target=child_work.create_project, args=(name, str(tmp_path / "tokens")), daemon=True)
            for name in names
        ]
        for each in processes:
            each.start()
        for each in processes:
            each.join(PATIENCE)
        assert [each.exitcode for each in processes] == [0] * 8
        assert list_names(emulator) == names


@pytest.mark.parametrize("host", [None, "https://api.pinecone.io"])
def test_clients_of_the_parent_work_in_a_forked_child(host: str | None) -> None:
    """A client that the parent has used reaches the served emulator from a forked child, whatever its host."""
    with emulate() if host else emulate(serve=True) as outer, Admin(host=host) as admin:
        admin.projects.list()
        with serving(outer) if host else emulate(outer, serve=True):
            run_in_fork(lambda: admin.projects.create(name="child"))
        assert list_names(outer) == ["child"]


def test_the_emulators_own_clients_work_in_a_forked_child() -> None:
    """Clients of `admin()` and `async_admin()` reach the served emulator from a forked child, also of `serving`."""
    emulator = Emulator()
    contexts: list[AbstractContextManager[object]] = [serving(emulator), emulate(emulator, serve=True)]
    for number, context in enumerate(contexts):
        with context, emulator.admin() as admin:

            def create_async(number: int = number) -> None:
                async def create() -> None:
                    async with emulator.async_admin() as own:
                        await own.projects.create(name=f"async-{number}")

                asyncio.run(create())

            run_in_fork(lambda admin=admin, number=number: admin.projects.create(name=f"sync-{number}"))  # type: ignore[misc]
            run_in_fork(create_async)
    assert list_names(emulator) == ["async-0", "async-1", "sync-0", "sync-1"]


@pytest.mark.parametrize(
    "find_owner",
    [lambda emulator: emulator, lambda emulator: emulator.clock, lambda _: _emulations],
    ids=["emulator", "clock", "emulations"],
)
def test_no_lock_that_a_thread_of_the_parent_holds_is_waited_for(find_owner: Callable[[Emulator], Any]) -> None:
    """A forked child can use its copy of an emulator in its own emulation, whatever the parent does."""
    emulator, held, done = Emulator(), threading.Event(), threading.Event()

    def hold() -> None:
        with find_owner(emulator)._lock:
            held.set()
            done.wait(PATIENCE)

    def use() -> None:
        signal.alarm(int(PATIENCE))
        with emulate(emulator), Admin() as admin:
            admin.projects.create(name="child")
            emulator.clock.advance(1)
            assert emulator.dump()["projects"]

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        run_in_fork(use)
    finally:
        done.set()
        thread.join()


def test_faults_reach_a_forked_child() -> None:
    """A fault on the connection of a forked child is seen as one: the request may have been processed."""

    def create() -> None:
        with Admin() as admin, pytest.raises(PineconeConnectionError) as caught:
            admin.projects.create(name="lost")
        assert (caught.value.outcome, caught.value.attempts) == ("unknown", 1)

    with emulate(serve=True) as emulator:
        emulator.faults.add("create_project", drop="after", times=None)
        run_in_fork(create)
        assert list_names(emulator) == ["lost"]


@pytest.mark.parametrize("ticking", [True, False])
def test_a_forked_child_waits_in_real_time(ticking: bool) -> None:
    """In a forked child, time continues from that of the emulation, and waits take real time."""
    slept: list[float] = []
    real = time.monotonic

    def list_projects() -> None:
        vars(time)["monotonic"] = lambda: real() + sum(slept)
        vars(time)["sleep"] = slept.append
        assert 0 <= current_clock().monotonic() - before < 3600
        assert 10**6 - 10 < current_clock().wall() - time.time() < 10**6 + 3600
        with Admin() as admin:
            admin.projects.list()
        assert 30 <= sum(slept) < 40

    with emulate(serve=True, ticking=ticking) as emulator:
        emulator.clock.advance(10**6)
        emulator.faults.add("list_projects", status=503, retry_after=30)
        before = current_clock().monotonic()
        run_in_fork(list_projects)
        assert [each.status for each in emulator.requests] == [200, 503, 200]


def test_a_grandchild_keeps_the_time() -> None:
    """The time of a process that is forked twice is still that of the emulation."""
    with emulate() as emulator:
        emulator.clock.advance(10**6)
        before = current_clock().wall()

        def check() -> None:
            assert 0 <= current_clock().wall() - before < 3600

        run_in_fork(lambda: run_in_fork(check))


def test_a_forkserver_that_runs_already_has_the_emulations_environment() -> None:
    """Children of a forkserver that was started earlier belong to the emulation that starts them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")}
    command = [sys.executable, "-m", "tests.emulator.child_work"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    before, names, error = ast.literal_eval(done.stdout)
    assert (before, names) == ({}, [["a", "b"], ["a", "b"]])
    assert error[:3] == ("PineconeConnectionError", "not_sent", 1)


def test_a_child_that_leaves_the_emulation_ends_nothing() -> None:
    """A forked child that leaves the with block of its parent neither hangs nor stops the server."""
    with emulate(serve=True) as emulator:
        entered = emulate(emulator, serve=True)
        entered.__enter__()
        run_in_fork(lambda: entered.__exit__(None, None, None))
        assert use_requests(f"{emulator.host}/_emulator/clock") == 200
        entered.__exit__(None, None, None)


@pytest.mark.parametrize(
    "excluded", ["example.com", *(pytest.param(each, marks=pytest.mark.long) for each in (None, "*"))]
)
def test_a_proxy_in_the_environment_is_not_asked(excluded: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the process of a served emulation nor its children send requests for the emulator to a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    if excluded:
        monkeypatch.setenv("NO_PROXY", excluded)
    with emulate(serve=True) as emulator:
        run_in_fork(lambda: child_work.create_project("forked"))
        done = run_program("from pinecone_admin import Admin; Admin().projects.create(name='started')")
        assert done.returncode == 0, done.stderr
        child_work.create_project("here")
        assert list_names(emulator) == ["forked", "here", "started"]
    assert (os.environ.get("NO_PROXY"), "no_proxy" in os.environ) == (excluded, False)


# Not served


def require_refusal(call: Callable[[], object]) -> None:
    """Require that a call is refused before it is sent, once, in words that name the remedy."""
    with pytest.raises(PineconeConnectionError, match=r"emulate\(serve=True\)") as caught:
        call()
    assert (caught.value.outcome, caught.value.attempts, caught.value.safe_to_retry) == ("not_sent", 1, True)


def test_a_forked_child_is_refused() -> None:
    """Without serve=True, the first call of each kind of client in a forked child is refused; nothing is created."""
    with emulate() as emulator, Admin() as used, emulator.admin() as own:
        used.projects.list()

        def use_async(make: Callable[[], Any]) -> None:
            async def create() -> None:
                async with make() as admin:
                    await admin.projects.create(name="lost")

            asyncio.run(create())

        def check() -> None:
            require_refusal(lambda: child_work.create_project("lost"))
            require_refusal(lambda: child_work.create_project_async("lost"))
            require_refusal(lambda: used.projects.create(name="lost"))
            require_refusal(lambda: own.projects.create(name="lost"))
            require_refusal(lambda: use_async(emulator.async_admin))
            with pytest.raises(httpx.ConnectError, match="serve=True"):
                httpx.get("https://api.pinecone.io/admin/projects")

        run_in_fork(check)
        assert own.projects.create(name="kept").id in emulator.state.projects
        assert list_names(emulator) == ["kept"]


def test_an_emulator_alone_is_refused_in_a_forked_child() -> None:
    """Without emulate(), a client of an emulator that is not served is refused in a forked child."""
    emulator = Emulator()
    with emulator.admin() as admin:
        run_in_fork(lambda: require_refusal(lambda: admin.projects.create(name="lost")))
    assert list_names(emulator) == []


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_started_child_is_refused(method: str, tmp_path: Path) -> None:
    """Without serve=True, a client in a child that is not forked is refused, also with a token in its cache."""
    context: Any = multiprocessing.get_context(method)
    with emulate() as emulator, context.Pool(1) as pool:
        child_work.create_project("kept", str(tmp_path / "tokens"))
        for folder in (None, str(tmp_path / "tokens")):
            kind, outcome, attempts, text = pool.apply_async(child_work.describe_error, ("lost", folder)).get(PATIENCE)
            assert (kind, outcome, attempts) == ("PineconeConnectionError", "not_sent", 1)
            assert "emulate(serve=True)" in text
            assert EMULATED_VARIABLE in text
        assert list_names(emulator) == ["kept"]


PROGRAM = """
import sys
from tests.support import loopback_only as guard; guard.watch(guard.exit_at_once)
from pinecone_admin import Admin, PineconeConnectionError
urls = {"host": "https://API.pinecone.io.", "oauth_url": "https://login.pinecone.io/oauth/token"}
for arguments in (urls, {"host": "https://api.pinecone.io", "access_token": "real"}):
    for proxy in (None, "http://proxy.example.com:8080"):
        try:
            Admin(proxy_url=proxy, **arguments).projects.list()
        except PineconeConnectionError as error:
            print(error.outcome, error.attempts, "emulate(serve=True)" in str(error))
"""


@pytest.mark.parametrize("serve", [True, False])
def test_a_started_child_reaches_pinecone_by_no_argument(serve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child that is not forked, neither an explicit address, a token nor a proxy leads to Pinecone."""
    with emulate(serve=serve) as emulator:
        monkeypatch.setenv("PINECONE_ADMIN_ALLOW_HTTP", "1")  # for the address of the token endpoint and the proxy
        done = run_program(PROGRAM)
        assert (done.returncode, done.stdout) == (0, "not_sent 1 True\n" * 4), done.stderr
        assert len(emulator.requests) == 0


def run_program(program: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a child process."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


def test_the_command_line_in_a_child() -> None:
    """The command line in a child process uses the served emulator, or is refused with the remedy."""
    command = [sys.executable, "-m", "pinecone_admin.cli", "project", "create", "cli", "--yes"]
    with emulate(serve=True) as emulator:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        assert (done.returncode, list_names(emulator)) == (0, ["cli"]), done.stderr
    with emulate() as emulator:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert "emulate(serve=True)" in done.stderr
        assert list_names(emulator) == []


def test_a_forkserver_of_an_emulation_refuses_afterwards() -> None:
    """Children of a forkserver that was started inside an emulation do not reach Pinecone after it, either."""
    program = """
from multiprocessing import get_context
from pinecone_admin.testing import emulate
from tests.emulator.child_work import describe_error
if __name__ == "__main__":
    with emulate(), get_context("forkserver").Pool(1) as pool:
        pool.apply(len, ("",))
    with get_context("forkserver").Pool(1) as pool:
        print(pool.apply(describe_error, ("lost",))[:3])
"""
    done = run_program(program)
    assert (done.returncode, done.stdout) == (0, "('PineconeConnectionError', 'not_sent', 1)\n"), done.stderr


# Emulations in a child


def test_a_forked_child_has_emulations_of_its_own() -> None:
    """An emulation that a forked child enters serves it, also with an emulator that the parent made."""
    made_before = Emulator()
    with emulate() as emulator:

        def check() -> None:
            with emulate() as own:
                assert child_work.create_project("child") == "child"
                assert list_names(own) == ["child"]
            require_refusal(lambda: child_work.create_project("lost"))
            with emulate(made_before), made_before.admin() as admin:
                assert child_work.create_project("child") == "child"
                assert [each.name for each in admin.projects.list()] == list_names(made_before) == ["child"]
            require_refusal(made_before.admin)
            with emulate(emulator):
                assert child_work.create_project("child") == "child"
            require_refusal(lambda: child_work.create_project("lost"))

        run_in_fork(check)
        assert list_names(emulator) == list_names(made_before) == []


def test_a_started_child_has_emulations_of_its_own() -> None:
    """A child that is not forked can emulate, although it was started inside an emulation."""
    program = """
from pinecone_admin import Admin
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
with emulate() as emulator:
    Admin().projects.create(name="a")
    print(len(emulator.state.projects))
with Emulator().admin() as admin:
    print(admin.projects.create(name="b").name)
"""
    with emulate():
        done = run_program(program)
    assert (done.returncode, done.stdout) == (0, "1\nb\n"), done.stderr


def test_forks_at_the_start_of_an_emulation_do_not_block() -> None:
    """A child that is forked while another thread enters an emulation can enter one."""

    def enter() -> None:
        with emulate() as emulator:
            child_work.create_project("child")
            assert list_names(emulator) == ["child"]

    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with _emulations._lock:
            locked.set()
            done.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        locked.wait(PATIENCE)
        try:
            run_in_fork(enter)
        finally:
            done.set()
