"""Release locks that Ctrl-C leaves held, renew those that a parent's thread holds at a fork, and wait in steps.

On Python 3.14, a signal handler can run after ``__enter__`` of a lock and before the block of its ``with``, so that
nothing releases the lock: https://github.com/python/cpython/issues/148874.

On every version, a signal that comes just before a thread blocks is handled only when it wakes. So waits are in steps.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import RLock
from time import monotonic
from typing import Protocol
from weakref import WeakSet

STEP = 0.2
"""Seconds that a step of a wait takes at most."""


class _Owner(Protocol):
    _lock: RLock


_owners = WeakSet[_Owner]()


def renew_lock_in_children(owner: _Owner) -> None:
    """Give an object a new ``_lock`` in each forked child, where no thread may be left to release the present one."""
    _owners.add(owner)


def _renew_locks() -> None:
    for each in _owners:
        each._lock = RLock()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see ``renew_lock_in_children``


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_locks)


def is_owned(lock: RLock) -> bool:
    """Tell whether this thread holds a lock."""
    return bool(lock._is_owned())  # type: ignore[attr-defined] # noqa: SLF001 - as threading.Condition does


def release_if_acquired(lock: RLock, *, was_owned: bool) -> None:
    """Release a lock that this thread holds, unless it held it before: ``was_owned``."""
    while not was_owned and is_owned(lock):
        lock.release()


@contextmanager
def ensure_released(lock: RLock) -> Generator[None, None, None]:
    """Ensure that a lock is released after the block, if this thread acquired it in the block."""
    # Every call does this, so it does without the functions above.
    was_owned: bool = lock._is_owned()  # type: ignore[attr-defined] # noqa: SLF001
    try:
        yield
    finally:
        while not was_owned and lock._is_owned():  # type: ignore[attr-defined] # noqa: SLF001
            lock.release()


def start_thread(start: Callable[[], object]) -> None:
    """Call ``start`` of a thread; release the lock of ``threading`` for which every other thread waits as it begins.

    Raises:
        RuntimeError: No thread could be started.
    """
    handled = sys.exception()
    with ensure_released(threading._active_limbo_lock):  # type: ignore[attr-defined] # noqa: SLF001
        try:
            start()
        except RuntimeError as exc:
            # Ctrl-C in ``Condition.wait``, which waits for a thread that has been started, can end in an error as it
            # releases a lock that it does not hold. Whoever took that for "not started" would do the work twice.
            if exc.__context__ is not None and exc.__context__ is not handled:
                raise exc.__context__ from None
            raise


def make_held_lock() -> threading.Lock:
    """Return a lock for which a thread waits until another one releases it: a call in C, which Ctrl-C cannot divide."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def acquire_in_steps(lock: threading.Lock, seconds: float) -> bool:
    """Wait at most the seconds for a lock; return whether it was acquired.

    A signal is handled after a step at the latest. A step that ends raises no exception, which Ctrl-C could leave
    behind as the context of later ones.
    """
    end = monotonic() + seconds
    while (left := end - monotonic()) > STEP:
        if lock.acquire(timeout=STEP):
            return True
    return lock.acquire(timeout=max(0.0, left))
