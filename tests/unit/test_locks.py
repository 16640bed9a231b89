"""Locks that Ctrl-C leaves held are released; ``tests/faults/random_interrupts.py`` sends real signals."""

from __future__ import annotations

import ast
import inspect
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import RLock, Thread
from typing import Any

import httpcore
import httpx
import pytest

from pinecone_admin._concurrency.locks import (
    ensure_released,
    is_owned,
    make_held_lock,
    release_if_acquired,
    start_thread,
)
from pinecone_admin._sync.transports.pool import _Connection
from pinecone_admin.auth.token_provider import _PendingExchange
from tests.support.concurrency import PATIENCE

PACKAGE = Path(__file__).resolve().parents[2] / "pinecone_admin"


def test_a_lock_that_was_left_is_released() -> None:
    """Whatever the block has acquired, as ``__enter__`` of a lock does before an interrupt."""
    lock = RLock()
    with pytest.raises(KeyboardInterrupt), ensure_released(lock):
        raise KeyboardInterrupt(lock.acquire())
    assert not is_owned(lock)


def test_a_lock_that_was_held_before_stays_held() -> None:
    """A signal handler that fails does not release the lock of the code that it interrupted."""
    with (lock := RLock()):
        with pytest.raises(KeyboardInterrupt), ensure_released(lock), lock:
            raise KeyboardInterrupt
        release_if_acquired(lock, was_owned=True)
        assert is_owned(lock)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxied_connection_is_closed_by_the_thread_that_holds_its_lock(scheme: str) -> None:
    """An interrupt can leave the lock of httpcore's pool held, whose own kind would let the thread wait for itself."""
    origin, proxy = httpcore.URL("http://127.0.0.1:1").origin, httpx.Proxy(f"{scheme}://127.0.0.1:1")
    connection = _Connection(origin, ssl_context=None, proxy=proxy, keep=True)
    pool: Any = connection._connection

    def close() -> None:
        with pool._optional_thread_lock:
            connection.close()

    thread = Thread(target=close, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def find_unguarded(source: str) -> Iterator[str]:
    """Yield each ``with`` of a lock that nothing releases if an interrupt comes before its block."""
    tree = ast.parse(source)
    guarded: set[ast.AST] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and "release_if_acquired(" in ast.unparse(function):
            guarded |= set(ast.walk(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and node not in guarded:
            items = [ast.unparse(item.context_expr) for item in node.items]
            for number, item in enumerate(items):
                if item.endswith("lock") and items[number - 1] != f"ensure_released({item})":
                    yield ast.unparse(node)


def test_every_lock_is_released_after_an_interrupt() -> None:
    """Since Python 3.14, an interrupt can come between ``__enter__`` of any lock and the block of its ``with``."""
    assert list(find_unguarded("with self._lock:\n    pass")) == ["with self._lock:\n    pass"]
    assert not list(find_unguarded("with ensure_released(self._lock), self._lock, suppress(KeyError):\n    pass"))
    paths = [path for path in PACKAGE.rglob("*.py") if "lock:" in path.read_text(encoding="utf-8")]
    assert len(paths) >= 6
    found = {str(path.relative_to(PACKAGE)): list(find_unguarded(path.read_text(encoding="utf-8"))) for path in paths}
    # FairSemaphore._stop_waiting is called by acquire, which releases what it leaves.
    assert {path: len(each) for path, each in found.items() if each} == {"_concurrency/sharing.py": 1}


def test_every_thread_is_started_so_that_others_can_begin() -> None:
    """An interrupt in ``Thread.start`` can leave a lock held, for which every new thread of the process would wait."""
    with pytest.raises(KeyboardInterrupt):
        start_thread(interrupt_holding_threads)
    assert not is_owned(threading._active_limbo_lock)  # type: ignore[attr-defined]
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    # A worker is no thread: it starts one as it should. Without threads, what begins is a match of a pattern.
    starts = [re.findall(r"\S+\.start\(\)", text) for text in texts if "hread" in text]
    assert [name for names in starts for name in names] == ["worker.start()"]


def interrupt_holding_threads() -> None:
    """Be interrupted with the lock of ``threading``, as ``Thread.start`` can be."""
    raise KeyboardInterrupt(threading._active_limbo_lock.acquire())  # type: ignore[attr-defined]


def test_every_lock_knows_its_owner() -> None:
    """A plain Lock does not, and an interrupted caller that takes it again would wait for itself.

    Two are no locks of anything: ``make_held_lock`` makes what a thread waits for, and nobody waits for a claim.
    """
    plain = re.compile(r"(?<!R)Lock\(\)")
    found = [line for path in PACKAGE.rglob("*.py") for line in plain.findall(path.read_text(encoding="utf-8"))]
    others = inspect.getsource(make_held_lock) + inspect.getsource(_PendingExchange)
    assert found == plain.findall(others)
