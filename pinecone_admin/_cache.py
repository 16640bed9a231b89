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

from pinecone_admin._codec import parse_object
from pinecone_admin._token import AccessToken, Minted, Use, judge
from pinecone_admin.errors import PineconeError, PineconeValueError

_log = logging.getLogger("pinecone_admin")


class TokenCache(Protocol):
    """Keeps tokens as text where other processes find them.

    A key is 64 hexadecimal digits made from the token endpoint, the client id and a fingerprint of the secret, which
    cannot be told from it. The text holds a token: keep it where secrets may be kept. Whatever a cache raises costs a
    warning and an exchange, and never the call.
    """

    def load(self, key: str) -> str | bytes | None:
        """Give the text stored last, or None."""
        ...

    def store(self, key: str, text: str, lifetime: float) -> None:
        """Keep a text, which is of no use after ``lifetime`` seconds."""
        ...

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Let one process at a time within, so that only one of them makes the exchange."""
        ...


class SafeCache:
    """Uses a cache of the caller's choice without ever depending on it."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache
        self._warned = False

    @contextmanager
    def locked(self, key: str) -> Generator[None, None, None]:
        """Hold the cache's lock, where it gives one; a lock that was lost meanwhile costs nothing."""
        stack = ExitStack()
        try:
            stack.enter_context(self._cache.lock(key))
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
            minted = None if text is None else _read(text, monotonic=monotonic, wall=wall)
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


def _read(text: str | bytes, *, monotonic: float, wall: float) -> Minted:
    value = parse_object(text.encode() if isinstance(text, str) else text) or {}
    token, expires_at, lifetime = value.get("access_token"), value.get("expires_at"), value.get("lifetime")
    if not (isinstance(token, str) and isinstance(expires_at, int | float) and isinstance(lifetime, int | float)):
        raise PineconeValueError("what it holds is not a token of this client")
    age = wall - (expires_at - lifetime)
    if not 0 <= age <= lifetime:
        age = lifetime  # expired, or from a clock that runs ahead
    return Minted(
        token=AccessToken(value=token, expires_at=expires_at),
        lifetime=lifetime,
        monotonic=monotonic - age,
        wall=wall - age,
        jitter=0.0,
    )


class FileTokenCache:
    """Keeps tokens in files that only their owner can read; needs the extra ``pinecone-admin[cache]``.

    Args:
        folder: Where to keep them, made with mode 0700 if need be; the user's cache folder by default.

    Raises:
        ImportError: The extra is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        try:
            from filelock import FileLock  # noqa: PLC0415 - an extra
            from platformdirs import user_cache_path  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            told = f"{error.name} is not installed: pip install 'pinecone-admin[cache]'"
            raise ModuleNotFoundError(told, name=error.name) from error

        self._file_lock = FileLock
        self._folder = user_cache_path("pinecone-admin") if folder is None else Path(folder)

    def load(self, key: str) -> str | None:
        """Read a file, unless somebody else could have written or read it.

        Raises:
            PineconeValueError: It is a link, another user's, or open to others.
        """
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise PineconeValueError(f"{path} cannot be opened safely: {exc.strerror}") from exc
        try:
            _check_private(path, os.fstat(descriptor), stat.S_ISREG)
            with os.fdopen(descriptor, encoding="utf-8", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    def store(self, key: str, text: str, lifetime: float) -> None:  # noqa: ARG002 - a file does not expire by itself
        """Write a file of mode 0600 beside the old one, and put it in its place.

        Raises:
            PineconeValueError: The folder is a link, another user's, or open to others.
        """
        import tempfile  # noqa: PLC0415 - only who keeps tokens in files pays for it

        path = self._path(key)
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, path)  # noqa: PTH105 - the two names are text
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Lock a file beside the token's."""
        return self._file_lock(self._path(key).with_suffix(".lock"), mode=0o600, timeout=60)

    def _path(self, key: str) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(self._folder, self._folder.lstat(), stat.S_ISDIR)
        return self._folder / f"{key}.json"


def _check_private(path: Path, found: os.stat_result, is_kind: object) -> None:
    if not callable(is_kind) or not is_kind(found.st_mode):
        raise PineconeValueError(f"{path} is a link or something else than it should be")
    owner = getattr(os, "geteuid", lambda: found.st_uid)()
    if found.st_uid != owner:
        raise PineconeValueError(f"{path} belongs to another user")
    if os.name == "posix" and found.st_mode & 0o077:
        raise PineconeValueError(f"{path} is open to other users: its mode is {found.st_mode & 0o777:o}")
