"""Share tokens between the processes of a machine or a fleet: the protocol of a cache, and its guarded use."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol, TypeGuard

from pinecone_admin._http.codec import parse_json_object
from pinecone_admin.auth.token import (
    MAX_LIFETIME,
    AccessToken,
    IssuedToken,
    TokenAction,
    blocking_window,
    decide_action,
    expiry_from_timestamp,
    is_token,
)
from pinecone_admin.errors import PineconeError, PineconeValueError

_log = logging.getLogger("pinecone_admin")

# Seconds since the epoch; far in the future, and exact as a float.
_MAX_TIMESTAMP = 1e12


class TokenCache(Protocol):
    """A cache for access tokens that other processes can read.

    To share tokens through your own system, write a class with these three methods. A key has 64 hexadecimal digits. It
    is derived from the token endpoint, the audience, the client id and the client secret; nobody can derive the client
    secret from it. The stored text contains a token, so keep it where secrets may be stored.

    If a method raises an exception, the client requests a token itself, and the call continues. The client logs the
    first exception as a warning. Calls that wait for a token also wait for the cache, so limit the time that its
    methods can take.

    Example:
        >>> class MemoryCache:  # for one process only; yours reaches further
        ...     def __init__(self) -> None:
        ...         self.texts: dict[str, str] = {}
        ...         self.locks: defaultdict[str, Lock] = defaultdict(Lock)
        ...
        ...     def load(self, key: str) -> str | None:
        ...         return self.texts.get(key)
        ...
        ...     def store(self, key: str, text: str, lifetime: float) -> None:
        ...         self.texts[key] = text
        ...
        ...     def lock(self, key: str, timeout: float) -> AbstractContextManager[object]:
        ...         return self.locks[key]
        >>> admin = Admin(token_cache=MemoryCache())
    """

    def load(self, key: str) -> str | bytes | None:
        """Return the text that was last stored under the key, or None.

        Args:
            key: 64 hexadecimal digits.
        """
        ...

    def store(self, key: str, text: str, lifetime: float) -> None:
        """Store a text under the key.

        Args:
            key: 64 hexadecimal digits.
            text: Text that contains a token.
            lifetime: Seconds until the text is worthless. After that, the cache may delete it.
        """
        ...

    def lock(self, key: str, timeout: float) -> AbstractContextManager[object]:
        """Return a context manager that only one process can enter at a time, so that only one requests a token.

        If the lock is not free in time, raise any exception. The client then requests a token without the lock.

        Args:
            key: 64 hexadecimal digits.
            timeout: Seconds to wait for the lock.
        """
        ...


class GuardedCache:
    """Wrapper of a caller's cache: its failures never fail a call, and the first one is logged as a warning."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache
        self._warned = False

    @contextmanager
    def hold_lock(self, key: str, timeout: float) -> Generator[None, None, None]:
        """Hold the lock of the cache; if it cannot be acquired or released, a warning is logged."""
        stack = ExitStack()
        with self._log_failure():
            stack.enter_context(self._cache.lock(key, timeout))
        try:
            yield
        finally:
            with self._log_failure():
                stack.close()

    def load(self, key: str, *, monotonic: float, wall: float) -> IssuedToken | None:
        """Return the cached token if it needs no refresh yet, else None."""
        issued = None
        with self._log_failure():
            text = self._cache.load(key)
            issued = None if text is None else _parse_entry(text, monotonic=monotonic, wall=wall)
        return issued if decide_action(issued, monotonic=monotonic, wall=wall) is TokenAction.USE else None

    def store(self, key: str, issued: IssuedToken) -> None:
        """Store a new token for other processes."""
        expires_at = issued.wall + issued.lifetime
        text = json.dumps({"access_token": issued.token.value, "expires_at": expires_at, "lifetime": issued.lifetime})
        with self._log_failure():
            self._cache.store(key, text, issued.lifetime)

    @contextmanager
    def _log_failure(self) -> Generator[None, None, None]:
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            # Messages of other exceptions may contain a token.
            reason = str(exc) if isinstance(exc, PineconeError) else type(exc).__name__
            if not self._warned:
                _log.warning("the token cache failed, and later failures are not logged: %s", reason)
            self._warned = True


def _parse_entry(text: str | bytes, *, monotonic: float, wall: float) -> IssuedToken:
    issued = parse_cache_entry(text.encode() if isinstance(text, str) else text, monotonic=monotonic, wall=wall)
    if issued is None:
        raise PineconeValueError("its entry is not a token of this client")
    return issued


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_TIMESTAMP


def parse_cache_entry(entry: bytes, *, monotonic: float, wall: float) -> IssuedToken | None:
    """Return the token in a cache entry, or None if the entry was not written by this client."""
    value = parse_json_object(entry) or {}
    token, expires_at, lifetime = value.get("access_token"), value.get("expires_at"), value.get("lifetime")
    if not (is_token(token) and _is_number(expires_at) and _is_number(lifetime) and 0 < lifetime <= MAX_LIFETIME):
        return None
    # Another machine may have written the entry, so the age can be negative. A clock that is ahead by less than the
    # final window does no harm; if it is further ahead, the token counts as expired.
    age = wall - (expires_at - lifetime)
    age = max(0.0, age) if age >= -blocking_window(lifetime) else lifetime
    return IssuedToken(
        token=AccessToken(value=token, expires_at=expiry_from_timestamp(expires_at)),
        lifetime=lifetime,
        monotonic=monotonic - age,
        wall=wall - age,
        jitter=0.0,
    )
