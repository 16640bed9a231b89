"""Locks of files, so that commands that change one file wait for each other."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from types import ModuleType

from pinecone_admin.cli.output.files import describe_unwritable

TIMEOUT = 10.0
"""Seconds to wait for another command."""
_INTERVAL = 0.01


class LockError(OSError):
    """A file cannot be locked."""


@contextmanager
def lock_file(path: Path, time_left: Callable[[], float] = lambda: inf) -> Generator[None, None, None]:
    """Lock a file among the commands that use this function; there is no way to go on without the lock.

    The lock is held on ``.NAME.pinecone-admin-lock`` beside the file, so that it also works for a file that does not
    exist yet, and while that one is replaced. A folder that a shell locks with ``flock`` is another lock.

    Args:
        path: The file, with links followed.
        time_left: Returns how many seconds the command may still take, once it is interrupted.

    Raises:
        LockError: Another command holds the lock for ten seconds, or the file system has no locks.
        OSError: The lock cannot be created.
    """
    lock = path.with_name(f".{path.name}.pinecone-admin-lock")
    deadline = time.monotonic() + TIMEOUT
    while (descriptor := _try_lock(path, lock)) is None:
        if time.monotonic() >= deadline or time_left() <= 0:
            raise LockError(errno.EAGAIN, _describe_holder(path, lock))
        time.sleep(_INTERVAL)
    try:
        yield
    finally:
        # Deleted while it is held, so that a process that opened it before finds another file; Windows deletes no open
        # file.
        is_held = _find_fcntl() is not None
        if not is_held:
            os.close(descriptor)
        with suppress(OSError):
            lock.unlink()
        if is_held:
            os.close(descriptor)


def _try_lock(path: Path, lock: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if another process holds it."""
    fcntl = _find_fcntl()
    flags = os.O_EXCL if fcntl is None else os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | flags, 0o600)
    except FileExistsError:  # without locks of the system, the file itself is the lock
        return None
    except OSError as error:
        raise LockError(error.errno, _describe_unusable(path, lock, error)) from error
    if fcntl is None:
        return descriptor
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), lock.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):  # held, or deleted by its holder
        pass
    except OSError as error:
        os.close(descriptor)
        raise LockError(error.errno, f"the file system of {lock.parent} has no locks ({error.strerror})") from error
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _describe_unusable(path: Path, lock: Path, error: OSError) -> str:
    if os.path.lexists(lock):
        return f"{lock} cannot be used as a lock: {error.strerror}"
    return describe_unwritable(path, error)


def _describe_holder(path: Path, lock: Path) -> str:
    told = f"another command is using {path}, and has not ended in time"
    return told if _find_fcntl() is not None else f"{told}; if there is none, one was killed: delete {lock}"


def _find_fcntl() -> ModuleType | None:
    """Return the module with the locks of the system, or None on Windows."""
    try:
        import fcntl  # noqa: PLC0415 - as above
    except ImportError:
        return None
    return fcntl
