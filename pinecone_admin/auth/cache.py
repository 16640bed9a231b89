"""Tokens shared by the processes of a machine or a fleet: the protocol of a cache, a safe way to use one, and files."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from pinecone_admin.auth.token import MAX_ANSWER, Minted, Use, judge, read_entry
from pinecone_admin.errors import PineconeError, PineconeValueError

_log = logging.getLogger("pinecone_admin")


class TokenCache(Protocol):
    """Keeps tokens as text where other processes find them.

    A key is 64 hexadecimal digits made from the token endpoint, the client id and a fingerprint of the secret, which
    cannot be told from it. The text holds a token: keep it where secrets may be kept. Whatever a cache raises costs a
    warning and an exchange, and never the call; but who waits for a token waits for the cache, so bound what it does.
    """

    def load(self, key: str) -> str | bytes | None:
        """Give the text stored last, or None."""
        ...

    def store(self, key: str, text: str, lifetime: float) -> None:
        """Keep a text, which is of no use after ``lifetime`` seconds."""
        ...

    def lock(self, key: str, timeout: float) -> AbstractContextManager[object]:
        """Let one process at a time within, so that only one of them makes the exchange.

        Whoever has waited ``timeout`` seconds raises something, and makes the exchange all the same.
        """
        ...


class SafeCache:
    """Uses a cache of the caller's choice without ever depending on it."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache
        self._warned = False

    @contextmanager
    def locked(self, key: str, timeout: float) -> Generator[None, None, None]:
        """Hold the cache's lock, where it gives one in time; a lock that was lost meanwhile costs nothing."""
        stack = ExitStack()
        try:
            stack.enter_context(self._cache.lock(key, timeout))
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn(exc)
        try:
            yield
        finally:
            try:
                stack.close()
            except Exception as exc:  # noqa: BLE001 - see TokenCache
                self._warn(exc)

    def load(self, key: str, *, monotonic: float, wall: float) -> Minted | None:
        """Give a token that needs no refresh yet."""
        try:
            text = self._cache.load(key)
            minted = None if text is None else _minted(text, monotonic=monotonic, wall=wall)
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn(exc)
            return None
        return minted if judge(minted, monotonic=monotonic, wall=wall) is Use.SERVE else None

    def store(self, key: str, minted: Minted) -> None:
        """Keep a new token for the others."""
        text = json.dumps(
            {"access_token": minted.token.value, "expires_at": minted.token.expires_at, "lifetime": minted.lifetime}
        )
        try:
            self._cache.store(key, text, minted.lifetime)
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn(exc)

    def _warn(self, exc: Exception) -> None:
        # Only our own messages are known to hold no token.
        reason = str(exc) if isinstance(exc, PineconeError) else type(exc).__name__
        if not self._warned:
            _log.warning("the token cache is not used: %s", reason)
        self._warned = True


def _minted(text: str | bytes, *, monotonic: float, wall: float) -> Minted:
    minted = read_entry(text.encode() if isinstance(text, str) else text, monotonic=monotonic, wall=wall)
    if minted is None:
        raise PineconeValueError("what it holds is not a token of this client")
    return minted


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
            told = f"{error.name} is not installed: pip install 'pinecone-admin[cache]'"
            raise ModuleNotFoundError(told, name=error.name) from error

        self._mkstemp = mkstemp
        self._file_lock, self._file_lock_timeout = FileLock, Timeout
        self._folder = user_cache_path("pinecone-admin") if folder is None else Path(folder).absolute()

    def load(self, key: str) -> bytes | None:
        """Read a file, unless somebody else could have written or read it.

        Raises:
            PineconeValueError: It is a link, another user's, open to others, or larger than any token.
        """
        path = self._path(key)
        try:
            # Without O_NONBLOCK a pipe in the file's place would be waited for.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise PineconeValueError(f"{path} cannot be opened safely: {exc.strerror}") from exc
        try:
            found = os.fstat(descriptor)
            _check_private(path, found, is_kind=stat.S_ISREG(found.st_mode))
            if found.st_size > MAX_ANSWER:
                raise PineconeValueError(f"{path} is too large to hold a token")
            return os.read(descriptor, MAX_ANSWER)
        finally:
            os.close(descriptor)

    def store(self, key: str, text: str, lifetime: float) -> None:  # noqa: ARG002 - a file does not expire by itself
        """Write a file of mode 0600 beside the old one, and put it in its place.

        Raises:
            PineconeValueError: The folder is a link, another user's, open to others, or cannot be written to.
        """
        path = self._path(key)
        with _explained(path):
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
        path = self._path(key).with_suffix(".lock")
        lock = self._file_lock(path, mode=0o600, timeout=timeout)
        with _explained(path):
            try:
                lock.acquire()
            except self._file_lock_timeout as exc:
                raise PineconeValueError(f"{path} is held by another process") from exc
        try:
            yield
        finally:
            lock.release()

    def _path(self, key: str) -> Path:
        if not self._folder.is_absolute():
            raise PineconeValueError("the user has no home folder: give FileTokenCache a folder")
        with _explained(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._folder.lstat()
        _check_private(self._folder, found, is_kind=stat.S_ISDIR(found.st_mode))
        return self._folder / f"{key}.json"


@contextmanager
def _explained(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as exc:
        raise PineconeValueError(f"{path} cannot be used: {exc.strerror}") from exc


def _check_private(path: Path, found: os.stat_result, *, is_kind: bool) -> None:
    if not is_kind:
        raise PineconeValueError(f"{path} is a link or something else than it should be")
    owner = getattr(os, "geteuid", lambda: found.st_uid)()
    if found.st_uid != owner:
        raise PineconeValueError(f"{path} belongs to another user")
    if os.name == "posix" and found.st_mode & 0o077:
        raise PineconeValueError(f"{path} is open to other users: its mode is {found.st_mode & 0o777:o}")
