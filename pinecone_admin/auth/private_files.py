"""Write files that only their owner can read: the one writer for tokens, secrets, profiles and reports."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

_MOUNTS = Path("/proc/self/mountinfo")


def create_private_file(
    folder: Path, content: bytes, *, prefix: str, suffix: str = "", like: os.stat_result | None = None
) -> Path:
    """Return a new file of mode 0600 whose content is on the disk; if that fails, there is none.

    Args:
        folder: Folder of the file.
        content: Its content.
        prefix: How its name begins.
        suffix: How its name ends.
        like: Status of a file whose owner and mode it gets instead.

    Raises:
        OSError: It cannot be written.
    """
    descriptor, name = mkstemp(prefix=prefix, suffix=suffix, dir=folder)  # with mode 0600, whatever the umask is
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None:
                _copy_owner_and_mode(descriptor, like)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def name_copies(target: Path) -> str:
    """Return how the names of new contents of a file begin, until they take its place."""
    return f".{target.name}.pinecone-admin-new-"


@contextmanager
def written_beside(target: Path, content: bytes, *, like: os.stat_result | None = None) -> Generator[Path, None, None]:
    """Write a private file in the folder of another one, and delete it at the end unless it was moved.

    Args:
        target: The other file.
        content: The content.
        like: Status of a file whose owner and mode it gets.
    """
    path = create_private_file(target.parent, content, prefix=name_copies(target), like=like)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def replace_private_file(target: Path, content: bytes, *, like: os.stat_result | None = None) -> None:
    """Write a file of mode 0600 in place of another one, atomically: that one is as before if it fails.

    Args:
        target: The file, which need not exist.
        content: Its new content.
        like: Status of a file whose owner and mode it gets instead.

    Raises:
        OSError: It cannot be written.
    """
    with written_beside(target, content, like=like) as path:
        path.replace(target)
    with suppress(OSError):  # a system that cannot do it forgets the replacement in a power failure
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def is_mounted_alone(target: Path) -> bool:
    """Return whether a file is mounted by itself, as containers mount single files, so that none can take its place."""
    try:
        table = _MOUNTS.read_bytes()
    except OSError:  # only Linux has it
        return False
    escaped = re.sub(rb"[ \t\n\\]", lambda found: b"\\%03o" % ord(found[0]), os.fsencode(os.path.realpath(target)))
    return escaped in {line.split(b" ")[4] for line in table.splitlines()}


def _copy_owner_and_mode(descriptor: int, status: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        present = os.fstat(descriptor)
        if (present.st_uid, present.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
