"""Private files: found through links of their owner, checked, and replaced atomically."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from attrs import frozen

from pinecone_admin.cli.output.private_files import follow_own_links
from pinecone_admin.cli.secrets.store_error import StoreError

_MAX_SIZE = 1 << 20


@frozen(kw_only=True)
class TargetFile:
    """A file that only its owner, and perhaps a group, can read; it may not exist yet.

    Attributes:
        path: Its path, with links followed.
        status: Its owner and mode; None if it does not exist.
    """

    path: Path
    status: os.stat_result | None

    def read(self) -> bytes:
        """Return its content; empty if it does not exist.

        Raises:
            StoreError: It cannot be read, or it is larger than 1 MiB.
        """
        if self.status is None:
            return b""
        if self.status.st_size > _MAX_SIZE:
            raise StoreError(f"{self.path} is larger than {_MAX_SIZE} bytes")
        with explain_os_errors(self.path):
            return self.path.read_bytes()

    def replace(self, content: bytes) -> None:
        """Replace the file atomically, so that it keeps its owner and mode; a new one has mode 0600.

        Raises:
            StoreError: It cannot be written; it is as before.
        """
        with explain_os_errors(self.path), self._write_beside(content) as temporary:
            os.replace(temporary, self.path)  # noqa: PTH105 - the temporary name is text
            _flush_folder(self.path.parent)

    def try_replace(self, size: int) -> None:
        """Check that a file of a size can be written beside this one, with its owner and mode; leave nothing behind.

        Raises:
            StoreError: It cannot be written.
        """
        with explain_os_errors(self.path), self._write_beside(bytes(size)):
            pass

    @contextmanager
    def _write_beside(self, content: bytes) -> Generator[str, None, None]:
        descriptor, name = mkstemp(prefix=".pinecone-admin-", dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                if self.status is not None:
                    _keep_owner_and_mode(descriptor, self.status)
                remaining = memoryview(content)
                while remaining:
                    remaining = remaining[file.write(remaining) :]
                os.fsync(descriptor)
            yield name
        finally:
            with suppress(FileNotFoundError):  # replaced the target
                os.unlink(name)  # noqa: PTH108 - as above


def find_target_file(text: str, *, allow_group: bool) -> TargetFile:
    """Return the file at a path, after checks that neither open nor change it.

    Args:
        text: The path; ``~`` stands for the home folder.
        allow_group: Whether its group may have access.

    Raises:
        StoreError: Its folder does not exist; it is no regular file; others have access to it; it is a link of another
            user.
    """
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StoreError(f"{text}: the home folder is unknown") from error
    with explain_os_errors(path):
        path = follow_own_links(path)
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the folder {path.parent} does not exist")
        status = path.lstat() if path.exists() else None
    if status is not None:
        _check_private(path, status, allow_group=allow_group)
    return TargetFile(path=path, status=status)


@contextmanager
def explain_os_errors(path: Path) -> Generator[None, None, None]:
    """Turn errors of the operating system into StoreErrors that name the path."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"{path}: {reason}") from error


def _check_private(path: Path, status: os.stat_result, *, allow_group: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is not a regular file")
    if os.name != "posix":
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IRWXO:
        raise StoreError(f"{path} is accessible to every user (mode {mode:04o}): chmod 600 it")
    if mode & stat.S_IRWXG and not allow_group:
        raise StoreError(f"{path} is accessible to a group (mode {mode:04o}): chmod 600 it, or pass --allow-group")


def _keep_owner_and_mode(descriptor: int, status: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        present = os.fstat(descriptor)
        if (present.st_uid, present.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _flush_folder(folder: Path) -> None:
    """Make a replacement survive a power failure, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
