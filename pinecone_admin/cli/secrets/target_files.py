"""Files for secrets: those that the user names, and rescue files for what could not be written there."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, frozen

from pinecone_admin._text.counts import count_noun
from pinecone_admin.auth.private_files import create_private_file, is_mounted_alone
from pinecone_admin.cli.failures import BusyError, StoreError, WrongPlaceError, reason_of
from pinecone_admin.cli.output.file_locks import LockError
from pinecone_admin.cli.output.files import find_folder_problem, follow_own_links
from pinecone_admin.cli.secrets.new_secret import LARGEST_SECRET
from pinecone_admin.errors import ResponseParsingError

_MAX_SIZE = 1 << 20
# The lock beside a file and the copies that killed commands left are deleted.
_OWN_NAMES = re.compile(r"\..*\.pinecone-admin-(lock|new-.*)", re.DOTALL | re.IGNORECASE)


@frozen(kw_only=True)
class TargetFile:
    """A file that only its owner, and perhaps a group, can read; it may not exist yet.

    Attributes:
        path: Its path, with links followed.
        status: Its owner and mode; None if it does not exist.
    """

    path: Path
    status: os.stat_result | None

    @property
    def folder(self) -> tuple[int, int]:
        """The identity of its folder, whatever path leads there.

        Raises:
            StoreError: The folder cannot be read.
        """
        with explain_os_errors(self.path):
            status = self.path.parent.stat()
        return status.st_dev, status.st_ino

    @property
    def identity(self) -> tuple[object, ...]:
        """The identity of the file, also before it exists, and on systems that ignore case.

        Raises:
            StoreError: Its folder cannot be read.
        """
        return (*self.folder, unicodedata.normalize("NFC", self.path.name).casefold())

    def check_replaceable(self) -> None:
        """Check that another file can take its place, so that every reader of it finds the new content.

        Raises:
            StoreError: It is mounted by itself, or has other names, which would keep the old content.
        """
        if self.status is None:
            return
        if is_mounted_alone(self.path):
            raise StoreError(f"{self.path} is mounted by itself, so it cannot be replaced. Mount its folder instead")
        if self.status.st_nlink > 1:
            others = count_noun(self.status.st_nlink - 1, "other name")
            raise StoreError(
                f"{self.path} is a file that has {others} (hard links), which would keep the old content. Choose "
                "another file, or copy this one and replace it by the copy"
            )

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


def find_target_file(text: str, *, allow_group: bool) -> TargetFile:
    """Return the file at a path, after checks that neither open nor change it.

    Args:
        text: The path; ``~`` stands for the home folder.
        allow_group: Whether its group may have access.

    Raises:
        StoreError: Its folder does not exist; it is no regular file; others have access to it; it is a link of another
            user; its name is one of those that this command deletes.
    """
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise StoreError(f"{text}: the home folder is unknown") from error
    with explain_os_errors(path):
        path = follow_own_links(path)
        if _OWN_NAMES.fullmatch(path.name):
            raise WrongPlaceError(f"{path} is a name that this command uses for its own files")
        if not path.parent.is_dir():
            raise StoreError(f"{path} {find_folder_problem(path)}")
        status = path.lstat() if path.exists() else None
    if status is not None:
        _check_private(path, status, allow_group=allow_group)
    return TargetFile(path=path, status=status)


def identify_file(text: str) -> tuple[object, ...]:
    """Return what identifies the file at a path, whoever has access to it.

    Raises:
        StoreError: Its folder cannot be read.
    """
    path = Path(text).absolute()
    with explain_os_errors(path):
        return TargetFile(path=follow_own_links(path), status=None).identity


@contextmanager
def explain_os_errors(path: Path) -> Generator[None, None, None]:
    """Turn errors of the operating system into StoreErrors that name the path."""
    try:
        yield
    except LockError as error:
        # A lock that is held passes by itself; one that cannot be made does not.
        kind = BusyError if error.errno == errno.EAGAIN else StoreError
        raise kind(str(error.strerror)) from error
    except (OSError, ValueError) as error:
        problem = None if os.path.lexists(path) else find_folder_problem(path)
        raise StoreError(f"{path} {problem}" if problem else f"{path}: {reason_of(error)}") from error


def _check_private(path: Path, status: os.stat_result, *, allow_group: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is not a regular file")
    if os.name != "posix":
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IRWXO:
        raise StoreError(f"{path} is accessible to every user (mode {mode:04o}). Run chmod 600 on it")
    if mode & stat.S_IRWXG and not allow_group:
        raise StoreError(
            f"{path} is accessible to a group (mode {mode:04o}). Run chmod 600 on it, or add --allow-group"
        )


@define(kw_only=True)
class RescueFile:
    """A file of mode 0600 whose space is reserved before a secret is made.

    Attributes:
        path: Its path.
        is_used: Whether a secret is in it.
    """

    path: Path
    is_used: bool = False

    def write(self, text: str) -> None:
        """Write a secret in the reserved space.

        Raises:
            StoreError: It cannot be written.
        """
        self.is_used = True
        with explain_os_errors(self.path), self.path.open("r+b") as file:
            file.write(text.encode())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())


def reserve_rescue_file(folders: Iterable[Path]) -> RescueFile:
    """Create a rescue file in the first folder that has room for it.

    Raises:
        StoreError: None has.
    """
    found: list[tuple[Path, OSError]] = []
    for folder in folders:
        try:
            return _reserve_in(folder)
        except OSError as error:
            found.append((folder, error))
    reasons = ", ".join(f"{folder}: {error.strerror}" for folder, error in found)
    cause = found[-1][1] if found else None
    raise StoreError(f"No file can be created to keep the secret if storing it fails: {reasons}") from cause


def rescue_folders() -> Generator[Path, None, None]:
    """Yield the folders to search for a rescue file, the best one first."""
    from platformdirs import user_state_path  # noqa: PLC0415 - loaded only if a file is needed

    # Without a home folder, the path is relative.
    if (folder := user_state_path("pinecone-admin")).is_absolute():
        yield folder
    with suppress(FileNotFoundError):  # no folder for temporary files can be written to
        yield Path(tempfile.gettempdir())


def keep_response(error: BaseException, unread: ResponseParsingError, rescue: RescueFile | None = None) -> None:
    """Keep a response that could not be read, since nothing but it has the secret; note on an error where it is.

    Args:
        error: The error.
        unread: The error that has the response.
        rescue: A file that is reserved already, or None.
    """
    try:
        rescue = rescue or reserve_rescue_file(rescue_folders())
        rescue.write(unread.raw.reveal())
    except StoreError as failure:
        error.add_note(f"the response could not be kept: {failure}")
    else:
        error.add_note(f"the response, which may contain the secret, is in {rescue.path}")


def _reserve_in(folder: Path) -> RescueFile:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = create_private_file(folder, b" " * LARGEST_SECRET, prefix="pinecone-admin-rescue-", suffix=".json")
    return RescueFile(path=path)
