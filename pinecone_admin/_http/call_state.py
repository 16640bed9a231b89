"""State that the attempts of one call share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pinecone_admin._concurrency.context import setting
from pinecone_admin.errors import Masked, Outcome

if TYPE_CHECKING:
    from generated_client.types import Operation
    from pinecone_admin._http.codec import DecodeFailure
    from pinecone_admin._http.known_secrets import KnownSecrets

ResponseCheck: TypeAlias = "Callable[[Operation[Any], object], DecodeFailure | None]"
"""Returns what is wrong with the result of an operation; None if nothing is."""

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""Largest accepted body of a success, in bytes; ``tests/benchmarks/large_body.py`` measures its cost."""

_believing_404s = ContextVar("pinecone_admin_believing_404s", default=True)


def raising_404s() -> AbstractContextManager[None]:
    """Raise a 404 to the deletions of the block also if an earlier attempt, whose response was lost, may be the reason.

    A workflow asks a list what the 404 means, as it does if nothing was lost.
    """
    return setting(_believing_404s, value=False)


_response_check = ContextVar["ResponseCheck | None"]("pinecone_admin_response_check", default=None)


def checking_responses(check: ResponseCheck) -> AbstractContextManager[None]:
    """Also check the results of the calls in the block, so that an error has all that the response has."""
    return setting(_response_check, value=check)


class BearerToken(Protocol):
    """A token that is sent as ``Authorization: Bearer``."""

    @property
    def value(self) -> str:
        """The token itself."""
        ...


class CallState:
    """State that the attempts of one call share, including the attempt with a fresh token after a 401.

    Attributes:
        deadline: Monotonic time when the call times out.
        idempotent: Whether sending the request twice has the same effect as sending it once.
        path_template: Path template, which contains no ids; logs show it instead of the path.
        operation: Id of the operation, for errors and reports of attempts; None if there is none.
        returns: Type of a successful response, whose secrets are masked in errors; None if there is none.
        is_token_exchange: Whether the request fetches a token, so that the operation that waits for it is not sent.
        endpoint: Host and port of the server, and the proxy if there is one, for error messages and the retry budget.
        closed: Set when the client is closed, which ends every wait.
        attempts: Number of attempts so far.
        ambiguous: Whether an earlier attempt may have been processed, as ``retry_policy.record_failure`` has found.
        believes_404: Whether a 404 to the next attempt of a deletion then shows that the earlier one was processed.
        check: Finds what is wrong with a result beside its form; None if nothing is to be checked.
        outcome: The outcome so far.
        worth_retrying: Whether the same call may succeed later, by the failure of the last attempt.
        retry_points: Points of the retry budget that its retries have spent.
        is_budget_used_up: Whether there was no other attempt because the retry budget had no points left.
        secrets: Credentials in the headers or the body of the request.
        known: Other secrets of the client, such as those that it sent to another host; None if there are none.
        tokens: Bearer tokens that were sent with the request, the current one last.
        max_response_bytes: Largest accepted body of a success, in bytes.
    """

    attempts: int = 0
    ambiguous: bool = False
    outcome: Outcome = "not_sent"
    worth_retrying: bool = True
    retry_points: int = 0
    is_budget_used_up: bool = False

    def __init__(
        self,
        *,
        deadline: float,
        idempotent: bool,
        path_template: str,
        endpoint: str,
        closed: Event,
        operation: str | None = None,
        returns: object = None,
        is_token_exchange: bool = False,
        secrets: Sequence[Masked] = (),
        known: KnownSecrets | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self.deadline: float = deadline
        self.idempotent: bool = idempotent
        self.path_template: str = path_template
        self.endpoint: str = endpoint
        self.closed: Event = closed
        self.operation: str | None = operation
        self.returns: object = returns
        self.is_token_exchange: bool = is_token_exchange
        self.secrets: Sequence[Masked] = secrets
        self.known: KnownSecrets | None = known
        self.max_response_bytes: int = max_response_bytes
        self.believes_404: bool = _believing_404s.get()
        self.check: ResponseCheck | None = _response_check.get()
        self.tokens: list[BearerToken] = []

    def add_token(self, token: BearerToken) -> None:
        """Send this token from now on."""
        self.tokens.append(token)
        if self.known is not None:
            self.known.add_token(token.value)

    def reveal_secrets(self) -> Iterator[str]:
        """Yield everything that must not appear in logs or errors, whichever request it was sent with."""
        yield from (secret.reveal() for secret in self.secrets)
        yield from (token.value for token in self.tokens)
        if self.known is not None:
            yield from self.known.reveal()
