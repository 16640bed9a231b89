"""The state of a client that workflows need: the server's time, the number of attempts, and its account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._concurrency.waiting import WorkInProgress
from pinecone_admin._http.argument_checks import set_operation_on_errors
from pinecone_admin._http.retry_policy import count_attempts
from pinecone_admin.errors import Masked, RefusedError
from pinecone_admin.models import ServiceAccount
from pinecone_admin.workflows.guard import Caller, identify_caller

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

CONCURRENCY = 16
"""How many requests a workflow sends at once."""


def max_attempts(admin: AsyncAdmin) -> int:
    """Return how many attempts of a request the client makes at most."""
    return count_attempts(admin._options.retry)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def max_rotations(admin: AsyncAdmin) -> float:
    """Return how often a client secret is rotated at most if each response is lost.

    After the first one, nobody may have a valid secret, so that only a limit of the caller's own counts.
    """
    limit = admin._options.retry.max_attempts  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return inf if limit is None else limit


def get_work_in_progress(admin: AsyncAdmin) -> WorkInProgress:
    """Return the work in progress of a client. Closing the client waits for it, since it may have to undo something."""
    return admin._shared.work  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def limit_parallel_requests(admin: AsyncAdmin, most: int = CONCURRENCY) -> int:
    """Return how many requests are sent at once: no more than the client has connections."""
    return min(most, admin.max_connections)


def server_now(admin: AsyncAdmin) -> datetime:
    """Return the server's time, or that of this machine if it is unknown."""
    return server_time(admin) or datetime.fromtimestamp(current_clock().wall(), UTC)


def server_time(admin: AsyncAdmin) -> datetime | None:
    """Return the server's time, or None if its responses have no valid Date."""
    return admin._sender.server_time()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def require_server_time(admin: AsyncAdmin, *, operation: str) -> datetime:
    """Return the server's time; raise RefusedError if it is unknown: by a wrong clock, everything could look old."""
    now = server_time(admin)
    if now is None:
        raise RefusedError(
            "the server's responses have no valid Date, so it is unknown what is due or old enough", operation=operation
        )
    return now


def find_caller(admin: AsyncAdmin, client_id: str | None, *, operation: str) -> Caller:
    """Return the account that a client uses, or that an argument states; see ``identify_caller``."""
    with set_operation_on_errors(operation):
        return identify_caller(own_client_id(admin), client_id)


async def list_accounts_to_judge(
    admin: AsyncAdmin, caller: Caller, accounts: Sequence[ServiceAccount]
) -> Sequence[ServiceAccount]:
    """Return the accounts that ``explain_unknown`` needs: all if only an argument states the caller, else these."""
    return await admin.service_accounts.list().to_list() if caller.is_stated else accounts


def own_client_id(admin: AsyncAdmin) -> str | None:
    """Return the client id of the account that a client uses, or None if that is unknown."""
    return admin._sender.client_id()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


async def try_credentials(admin: AsyncAdmin, client_id: str, client_secret: Masked) -> None:
    """Exchange credentials of any account for a token at the token endpoint of a client; the token is not used."""
    sender = admin._sender  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    await sender.try_credentials(client_id, client_secret)
