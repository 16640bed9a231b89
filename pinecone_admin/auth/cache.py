"""Tokens shared by the processes of a machine or a fleet: the protocol of a cache, a safe way to use one, and files."""

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
    decide_action,
    final_window,
    is_token,
)
from pinecone_admin.errors import PineconeError, PineconeValueError

_log = logging.getLogger("pinecone_admin")

_MAX_TIMESTAMP = 1e12


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


class GuardedCache:
    """Uses a cache of the caller's choice without ever depending on it."""

    def __init__(self, cache: TokenCache) -> None:
        self._cache = cache
        self._warned = False

    @contextmanager
    def hold_lock(self, key: str, timeout: float) -> Generator[None, None, None]:
        """Hold the cache's lock, where it gives one in time; a lock that was lost meanwhile costs nothing."""
        stack = ExitStack()
        try:
            stack.enter_context(self._cache.lock(key, timeout))
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn_once(exc)
        try:
            yield
        finally:
            try:
                stack.close()
            except Exception as exc:  # noqa: BLE001 - see TokenCache
                self._warn_once(exc)

    def load(self, key: str, *, monotonic: float, wall: float) -> IssuedToken | None:
        """Give a token that needs no refresh yet."""
        try:
            text = self._cache.load(key)
            issued = None if text is None else _parse_entry(text, monotonic=monotonic, wall=wall)
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn_once(exc)
            return None
        return issued if decide_action(issued, monotonic=monotonic, wall=wall) is TokenAction.SERVE else None

    def store(self, key: str, issued: IssuedToken) -> None:
        """Keep a new token for the others."""
        text = json.dumps(
            {"access_token": issued.token.value, "expires_at": issued.token.expires_at, "lifetime": issued.lifetime}
        )
        try:
            self._cache.store(key, text, issued.lifetime)
        except Exception as exc:  # noqa: BLE001 - see TokenCache
            self._warn_once(exc)

    def _warn_once(self, exc: Exception) -> None:
        # Only our own messages are known to hold no token.
        reason = str(exc) if isinstance(exc, PineconeError) else type(exc).__name__
        if not self._warned:
            _log.warning("the token cache is not used: %s", reason)
        self._warned = True


def _parse_entry(text: str | bytes, *, monotonic: float, wall: float) -> IssuedToken:
    issued = parse_cache_entry(text.encode() if isinstance(text, str) else text, monotonic=monotonic, wall=wall)
    if issued is None:
        raise PineconeValueError("what it holds is not a token of this client")
    return issued


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MAX_TIMESTAMP


def parse_cache_entry(entry: bytes, *, monotonic: float, wall: float) -> IssuedToken | None:
    """Find a token in what a cache holds; None where that is nothing of ours.

    The clock that the expiry was told by may be another machine's: one that runs ahead by less than the window in
    which a refresh is waited for does no harm. Beyond it the token counts as expired.
    """
    value = parse_json_object(entry) or {}
    token, expires_at, lifetime = value.get("access_token"), value.get("expires_at"), value.get("lifetime")
    if not is_token(token) or not _is_number(expires_at) or not _is_number(lifetime):
        return None
    if not 0 < lifetime <= MAX_LIFETIME:
        return None
    age = wall - (expires_at - lifetime)
    age = max(0.0, age) if age >= -final_window(lifetime) else lifetime
    return IssuedToken(
        token=AccessToken(value=token, expires_at=expires_at),
        lifetime=lifetime,
        monotonic=monotonic - age,
        wall=wall - age,
        jitter=0.0,
    )
