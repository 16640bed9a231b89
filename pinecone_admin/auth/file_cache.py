"""A token cache of files that only their owner can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pinecone_admin.auth.token import MAX_TOKEN_RESPONSE_BYTES
from pinecone_admin.errors import PineconeValueError


class FileTokenCache:
    """A token cache in files that only their owner can read. It requires the extra ``cache``.

    Args:
        folder: Folder for the files. If it is missing, it is created with mode 0700. By default, it is in the user's
            cache folder.

    Raises:
        ImportError: The extra is not installed.

    Example:
        >>> admin = Admin(token_cache=FileTokenCache(Path.home() / ".cache/tokens"))
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        # Imported here, not when used: a child that is forked while another thread imports would wait forever.
        from pinecone_admin.auth.private_files import replace_private_file  # noqa: PLC0415 - tempfile takes a while

        try:
            from filelock import FileLock, Timeout  # noqa: PLC0415 - an extra
            from platformdirs import user_cache_path  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            message = f'{error.name} is not installed: in a checkout, run pip install ".[cache]"'
            raise ModuleNotFoundError(message, name=error.name) from error

        self._replace_file = replace_private_file
        self._file_lock, self._file_lock_timeout = FileLock, Timeout
        self._folder = user_cache_path("pinecone-admin") if folder is None else Path(folder).absolute()

    def load(self, key: str) -> bytes | None:
        """Return the text of a file, or None if there is none. Raise if another user could have read or written it.

        Args:
            key: 64 hexadecimal digits. The name of the file begins with them.

        Raises:
            PineconeValueError: The file or folder is a link, belongs to another user or is accessible to others; or the
                file is too large.
        """
        path = self._prepare_entry_path(key)
        try:
            # O_NOFOLLOW refuses a link. Without O_NONBLOCK, opening a named pipe would block.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise PineconeValueError(f"{path} cannot be opened safely: {exc.strerror}") from exc
        try:
            status = os.fstat(descriptor)
            _check_private(path, status, has_expected_type=stat.S_ISREG(status.st_mode))
            if status.st_size > MAX_TOKEN_RESPONSE_BYTES:
                raise PineconeValueError(f"{path} is too large to hold a token")
            return os.read(descriptor, MAX_TOKEN_RESPONSE_BYTES)
        finally:
            os.close(descriptor)

    def store(self, key: str, text: str, lifetime: float) -> None:  # noqa: ARG002 - a file does not expire by itself
        """Write a new file with mode 0600, and replace the old file with it atomically.

        Args:
            key: 64 hexadecimal digits. The name of the file begins with them.
            text: Text that contains a token.
            lifetime: Seconds until the token expires. The file remains after that.

        Raises:
            PineconeValueError: The folder is a link, belongs to another user, is accessible to others, or is not
                writable.
        """
        path = self._prepare_entry_path(key)
        with _explain_os_errors(path):
            self._replace_file(path, text.encode())

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None, None, None]:
        """Lock a file beside the file of the token.

        Args:
            key: 64 hexadecimal digits. The name of the file begins with them.
            timeout: Seconds to wait for the lock.

        Raises:
            PineconeValueError: Another process holds the lock longer than ``timeout``.
        """
        path = self._prepare_entry_path(key).with_suffix(".lock")
        lock = self._file_lock(path, mode=0o600, timeout=timeout)
        with _explain_os_errors(path):
            try:
                lock.acquire()
            except self._file_lock_timeout as exc:
                raise PineconeValueError(f"{path} is locked by another process") from exc
        try:
            yield
        finally:
            lock.release()

    def _prepare_entry_path(self, key: str) -> Path:
        if not self._folder.is_absolute():
            raise PineconeValueError("the user has no home folder: pass a folder to FileTokenCache")
        with _explain_os_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._folder.lstat()
        _check_private(self._folder, status, has_expected_type=stat.S_ISDIR(status.st_mode))
        return self._folder / f"{key}.json"


@contextmanager
def _explain_os_errors(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as exc:
        raise PineconeValueError(f"{path} cannot be used: {exc.strerror}") from exc


def _check_private(path: Path, status: os.stat_result, *, has_expected_type: bool) -> None:
    if not has_expected_type:
        raise PineconeValueError(f"{path} is a link or has an unexpected file type")
    current_user = getattr(os, "geteuid", lambda: status.st_uid)()
    if status.st_uid != current_user:
        raise PineconeValueError(f"{path} belongs to another user")
    if os.name == "posix" and status.st_mode & 0o077:
        raise PineconeValueError(f"{path} is accessible to other users: its mode is {status.st_mode & 0o777:o}")
