"""What a client knows besides its options: the server's time, and as which account it authenticates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin.errors import RefusedError

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


def server_now(admin: AsyncAdmin) -> datetime:
    """Return the server's time, or that of this machine if the server's responses have no valid Date."""
    sender = admin._sender  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return sender.server_time() or datetime.fromtimestamp(current_clock().wall(), UTC)


def require_server_time(admin: AsyncAdmin, *, operation: str) -> datetime:
    """Return the server's time; raise RefusedError if it is unknown: by a wrong clock, everything could look old."""
    sender = admin._sender  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    now = sender.server_time()
    if now is None:
        message = "the server's responses have no valid Date, so it is unknown what is due or old enough"
        raise RefusedError(message, operation=operation)
    return now


def own_client_id(admin: AsyncAdmin) -> str | None:
    """Return the client id of the account as which a client authenticates, or None if that is unknown."""
    sender = admin._sender  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return sender.client_id()
