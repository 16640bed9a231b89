"""Tokens in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pinecone_admin.auth.token import MAX_TOKEN_RESPONSE_BYTES
from pinecone_admin.errors import PineconeValueError


class FileTokenCache:
    """Keeps tokens in files that only their owner can read; needs the extra ``pinecone-admin[cache]``.

    Args:
        folder: Where to keep them, made with mode 0700 if need be; the user's cache folder by default.

    Raises:
        ImportError: The extra is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        # Imported here and nowhere later: a child forked while another thread imports would wait for that for ever.
        from tempfile import mkstemp  # noqa: PLC0415 - only who keeps tokens in files pays for it

        try:
            from filelock import FileLock, Timeout  # noqa: PLC0415 - an extra
            from platformdirs import user_cache_path  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            message = f"{error.name} is not installed: pip install 'pinecone-admin[cache]'"
            raise ModuleNotFoundError(message, name=error.name) from error

        self._mkstemp = mkstemp
        self._file_lock, self._file_lock_timeout = FileLock, Timeout
        self._folder = user_cache_path("pinecone-admin") if folder is None else Path(folder).absolute()

    def load(self, key: str) -> bytes | None:
        """Read a file, unless somebody else could have written or read it.

        Raises:
            PineconeValueError: It is a link, another user's, open to others, or larger than any token.
        """
        path = self._entry_path(key)
        try:
            # Without O_NONBLOCK a pipe in the file's place would be waited for.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise PineconeValueError(f"{path} cannot be opened safely: {exc.strerror}") from exc
        try:
            status = os.fstat(descriptor)
            _check_private(path, status, is_kind=stat.S_ISREG(status.st_mode))
            if status.st_size > MAX_TOKEN_RESPONSE_BYTES:
                raise PineconeValueError(f"{path} is too large to hold a token")
            return os.read(descriptor, MAX_TOKEN_RESPONSE_BYTES)
        finally:
            os.close(descriptor)

    def store(self, key: str, text: str, lifetime: float) -> None:  # noqa: ARG002 - a file does not expire by itself
        """Write a file of mode 0600 beside the old one, and put it in its place.

        Raises:
            PineconeValueError: The folder is a link, another user's, open to others, or cannot be written to.
        """
        path = self._entry_path(key)
        with _explain_os_errors(path):
            descriptor, name = self._mkstemp(dir=self._folder)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(name, path)  # noqa: PTH105 - the two names are text
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None, None, None]:
        """Lock a file beside the token's.

        Raises:
            PineconeValueError: Another process holds it for longer than the timeout.
        """
        path = self._entry_path(key).with_suffix(".lock")
        lock = self._file_lock(path, mode=0o600, timeout=timeout)
        with _explain_os_errors(path):
            try:
                lock.acquire()
            except self._file_lock_timeout as exc:
                raise PineconeValueError(f"{path} is held by another process") from exc
        try:
            yield
        finally:
            lock.release()

    def _entry_path(self, key: str) -> Path:
        if not self._folder.is_absolute():
            raise PineconeValueError("the user has no home folder: give FileTokenCache a folder")
        with _explain_os_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._folder.lstat()
        _check_private(self._folder, status, is_kind=stat.S_ISDIR(status.st_mode))
        return self._folder / f"{key}.json"


@contextmanager
def _explain_os_errors(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as exc:
        raise PineconeValueError(f"{path} cannot be used: {exc.strerror}") from exc


def _check_private(path: Path, status: os.stat_result, *, is_kind: bool) -> None:
    if not is_kind:
        raise PineconeValueError(f"{path} is a link or something else than it should be")
    owner = getattr(os, "geteuid", lambda: status.st_uid)()
    if status.st_uid != owner:
        raise PineconeValueError(f"{path} belongs to another user")
    if os.name == "posix" and status.st_mode & 0o077:
        raise PineconeValueError(f"{path} is open to other users: its mode is {status.st_mode & 0o777:o}")
