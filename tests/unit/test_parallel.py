"""Ctrl-C during parallel work of the sync client; tests/_async/test_run_in_parallel.py has what both clients share."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._concurrency.sharing import FairSemaphore
from pinecone_admin._concurrency.waiting import SharedResult, complete_if_interrupted
from tests.support.concurrency import PATIENCE, wait_until


def test_an_interrupt_ends_although_an_item_hangs() -> None:
    """Ctrl-C tells the items in progress to end, and waits no longer than its limit for those that do not."""
    interrupted, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert interrupted.wait(PATIENCE)
            ended.set()
            assert release.wait(PATIENCE)
        return number

    def interrupt(number: int, _: int) -> None:
        assert number == 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_parallel(work, range(9), limit=2, deliver=interrupt, interrupted=interrupted, interrupt_timeout=0.01)
    assert ended.wait(PATIENCE)
    release.set()


def test_an_interrupt_waits_for_items_that_end() -> None:
    """Ctrl-C waits until the items in progress have ended, if they do so in time."""
    interrupted, ended = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 1 and interrupted.wait(PATIENCE):
            ended.set()

    def interrupt(_: int, __: None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_parallel(work, range(9), limit=2, deliver=interrupt, interrupted=interrupted, interrupt_timeout=PATIENCE)
    assert ended.is_set()


def test_a_signal_just_before_a_wait_is_handled_during_the_wait() -> None:
    """A signal whose handler could not run before the main thread blocked does not wait for what it blocks on."""
    release = threading.Event()
    waits: list[Callable[[], object]] = [
        lambda: run_in_parallel(lambda _: release.wait(PATIENCE), [1], limit=1, deliver=print, interrupt_timeout=0.0),
        lambda: SharedResult[None]().wait(PATIENCE),
        lambda: FairSemaphore(0).acquire(PATIENCE),
        lambda: complete_if_interrupted(lambda: release.wait(PATIENCE), 0.0),
    ]
    for wait in waits:
        thread = threading.Thread(target=interrupt_when_blocked, args=(threading.get_ident(),))
        thread.start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            wait()
        assert time.monotonic() - started < PATIENCE / 2
        thread.join(PATIENCE)
    release.set()


def interrupt_when_blocked(waiting_thread: int) -> None:
    """Set the mark of a signal without waking the main thread, once it is in a function that waits."""
    wait_until(lambda: "/_concurrency/" in sys._current_frames()[waiting_thread].f_code.co_filename)
    _thread.interrupt_main()


def test_items_are_processed_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as at the end of the interpreter, the items are processed one after another."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    delivered: dict[int, int] = {}
    run_in_parallel(lambda number: 2 * number, range(4), limit=2, deliver=delivered.__setitem__)
    call_while_an_error_is_handled(
        lambda: run_in_parallel(lambda number: 2 * number, [4], limit=2, deliver=delivered.__setitem__)
    )
    assert delivered == {number: 2 * number for number in range(5)}


def test_an_interrupted_start_does_no_work_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while ``start`` waits for its thread can end in RuntimeError, as if none had been started."""
    begun: list[int] = []
    start = threading.Thread.start

    def start_and_be_interrupted(thread: threading.Thread) -> None:
        start(thread)
        # As in Condition.wait, where the lock is released before the wait, and again by the ``with`` around it.
        lock = threading.Lock()
        with lock:
            lock.release()
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", start_and_be_interrupted)
    waits: list[Callable[[], object]] = [
        lambda: run_in_parallel(begun.append, [1], limit=1, deliver=print),
        lambda: complete_if_interrupted(lambda: begun.append(2), PATIENCE),
    ]
    for wait in waits:
        for handled in (False, True):
            begun.clear()
            with pytest.raises(KeyboardInterrupt):
                call_while_an_error_is_handled(wait) if handled else wait()
            wait_until(lambda: len(begun) > 0)
            assert len(begun) == 1


def call_while_an_error_is_handled(call: Callable[[], object]) -> None:
    """Call a function as a rollback is called."""
    try:
        int("x")
    except ValueError:
        call()


INTERRUPTED_INVENTORY = """
import os, signal, threading
import httpx
from pinecone_admin import Admin
from pinecone_admin._concurrency import parallel

parallel._INTERRUPT_TIMEOUT = 0.01

def respond(request):
    if request.url.path != "/admin/projects":
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        threading.Event().wait()
    return httpx.Response(200, json={"data": []})

with Admin(access_token="t", transport=httpx.MockTransport(respond)) as admin:
    admin.inventory(concurrency=1)
"""


@pytest.mark.long
def test_ctrl_c_during_an_inventory_ends_the_process() -> None:
    """The process ends after Ctrl-C, although requests of its inventory get no response."""
    command = [sys.executable, "-c", INTERRUPTED_INVENTORY]
    # The tracer of coverage can hang as an interpreter ends whose daemon threads still run.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
