"""Tests in parallel and in the background: how many processes, in which order, whose coverage is measured, Ctrl-C."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import certifi
import coverage
import pytest

import pinecone_admin
from pinecone_admin.workflows.sent_changes import _collections
from tests.support.suite_records import record_suite

HERE = Path(__file__).parent
SUITE_RECORDS = os.environ.pop("SUITE_RECORDS", None)
"""Where the process that runs all tests writes how they ended; tests that run pytest do not pass it on."""
# Tracing makes a test take two to three times as long. These run other programs, or cover almost nothing that
# others do not; the lines of the async client are those of the sync client, which is derived from it.
UNTRACED = [
    HERE / name
    for name in (
        "_async",
        "_sync/test_workflow_outcomes.py",
        "_sync/test_workflow_recovery.py",
        "_sync/test_workflow_resume.py",
        "cli/test_endings.py",
        "cli/test_hostile_files.py",
        "cli/test_store_recipes.py",
        "compat",
        "emulator/test_child_processes.py",
        "emulator/test_emulator_conformance.py",
        "emulator/test_emulator_consistency.py",
        "emulator/test_emulator_permissions.py",
        "faults/test_cancellation.py",
        "faults/test_command_line_faults.py",
        "faults/test_concurrent_exchanges.py",
        "faults/test_concurrent_rotations.py",
        "faults/test_damaged_bytes.py",
        "faults/test_fork.py",
        "faults/test_guarantees.py",
        "faults/test_interception.py",
        "faults/test_interrupted_calls.py",
        "faults/test_interrupted_rotations.py",
        "faults/test_killed_applies.py",
        "faults/test_nginx.py",
        "faults/test_nights_of_rotations.py",
        "faults/test_random_faults.py",
        "faults/test_random_workflows.py",
        "faults/test_retry_table.py",
        "faults/test_retry_table_mutations.py",
        "faults/test_secrets.py",
        "faults/test_socks.py",
        "faults/test_token_endpoint_down.py",
        "faults/test_token_sharing.py",
        "faults/test_unsolicited_responses.py",
        "faults/test_workflow_grid.py",
        "test_docs.py",
        "test_docstrings.py",
        "test_golden_calls.py",
        "test_layers.py",
        "test_least_roles.py",
        "test_new_resource.py",
        "test_packaging.py",
        "test_repeated_programs.py",
        "test_subclasses.py",
        "typing",
        "unit/test_access_page.py",
        "unit/test_call_benchmark.py",
        "unit/test_counts.py",
        "unit/test_docs_extensions.py",
        "unit/test_docstring_examples.py",
        "unit/test_generate.py",
        "unit/test_reference.py",
        "unit/test_spec_diff.py",
        "unit/test_spec_diff_nodes.py",
        "unit/test_unasync.py",
        "unit/test_unions.py",
    )
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs whole the grids of which the long tests run a sample."""
    parser.addoption("--whole-grids", action="store_true", help="run every case of the grids that are sampled")


@pytest.fixture(scope="session")
def stride(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """Return a function of the step from one case of a grid to the next: the step itself, or 1 with --whole-grids."""
    is_whole = pytestconfig.getoption("--whole-grids")
    return lambda step: 1 if is_whole else step


@pytest.fixture(scope="module")
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Let clients trust one authority and not all, which each would read for 4 ms, in a module that makes hundreds."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


def pytest_configure() -> None:
    """Let Ctrl-C interrupt the tests and what they run, also in the background, where a shell has them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes: two per core, since many tests wait for a socket or for another program."""
    return 2 * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process begin with its share of the long tests, the longest first, so that none is left at the end.

    pytest-xdist gives each process the next part of the list, and takes from its end what another process has time for.
    Others than the longest stay beside those of their file, whose fixtures they share.
    """
    longest = sorted(filter(count_seconds, items), key=count_seconds, reverse=True)
    long = deque(item for item in items if is_long(item) and not count_seconds(item))
    short = deque(item for item in items if not is_long(item))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    left = len(items)
    items.clear()
    for share in range(processes, 0, -1):
        size = left // share
        left -= size
        part = longest[processes - share :: processes]
        for rest, count in ((long, len(long) // share), (short, size - len(part) - len(long) // share)):
            part += [rest.popleft() for _ in range(min(count, len(rest)))]
        items += part
    items += [*long, *short]


def pytest_collection_finish() -> None:
    """Exempt the collected tests from garbage collection: it takes 0.2 s with all of them, and tests ask for it.

    Where coverage is measured, import each module before that, since the first test to import it may be untraced.
    """
    if coverage.Coverage.current() is not None:
        names = [each.name for each in pkgutil.walk_packages(pinecone_admin.__path__, "pinecone_admin.")]
        for name in names:
            if not name.endswith(".__main__"):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace neither an untraced test nor the programs that it runs."""
    if coverage.Coverage.current() is None or is_traced(item):
        return (yield)
    tracer, thread_tracer = sys.gettrace(), threading.gettrace()
    set_tracers(None, None)
    settings = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        return (yield)
    finally:
        set_tracers(tracer, thread_tracer)
        if settings is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = settings


def is_traced(item: pytest.Item) -> bool:
    """Return whether the coverage of a test is measured."""
    return not is_long(item) and not any(item.path.is_relative_to(each) for each in UNTRACED)


def is_long(item: pytest.Item) -> bool:
    """Return whether a test is marked as one that takes long."""
    return item.get_closest_marker("long") is not None


def count_seconds(item: pytest.Item) -> float:
    """Return about how many seconds a long test takes, if its mark says so, which those do that take more than ten."""
    marker = item.get_closest_marker("long")
    return marker.args[0] if marker is not None and marker.args else 0


def set_tracers(tracer: Any, thread_tracer: Any) -> None:
    """Set the trace functions of this thread and of those that it starts."""
    threading.settrace(thread_tracer)
    sys.settrace(tracer)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save what a worker has measured, and how all tests ended.

    A worker that then takes longer than 10 s to exit is killed by pytest-xdist.
    """
    if not hasattr(session.config, "workerinput"):
        if SUITE_RECORDS is not None:
            record_suite(session.config, Path(SUITE_RECORDS))
        return
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.stop()
        measured.save()


@pytest.fixture(autouse=True)
def no_swallowed_signal() -> None:
    """Remove the function that Hypothesis has the garbage collector call: what a signal raises in it, Python ignores.

    Tests that send signals would fail at times, in a process that has run a test of Hypothesis before.
    """
    gc.callbacks[:] = [each for each in gc.callbacks if not each.__module__.startswith("hypothesis.")]


@pytest.fixture(autouse=True)
def no_workflow_in_progress() -> Generator[None]:
    """End what an interruption at the edge of a workflow has left in progress in this thread.

    A later test would take its changes for its own: emulators with the same seed give the same ids.
    """
    yield
    _collections.set(())
