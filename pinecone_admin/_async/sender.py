"""Send the operations of a client: set the deadline, check, build the request, and decode the response."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TypeVar

from generated_client.types import Operation
from pinecone_admin._async.shared import Shared
from pinecone_admin._async.transports.bearer import AsyncBearer
from pinecone_admin._async.transports.retry import AsyncRetrier
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._config.client_config import ClientOptions
from pinecone_admin._http.buffered_messages import BufferedRequest, BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import add_call_context, error_from_closing, error_from_exception
from pinecone_admin._http.headers import list_credentials
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.operation_mapping import RequestBuilder, read_response
from pinecone_admin._http.retry_policy import IDEMPOTENT_METHODS
from pinecone_admin._http.server_clock import continue_date
from pinecone_admin._http.transport_errors import remove_frames
from pinecone_admin._text.messages import Name
from pinecone_admin.auth.credentials import Credentials
from pinecone_admin.auth.token import AccessToken
from pinecone_admin.auth.token_provider import TokenProvider
from pinecone_admin.errors import (
    ClientClosedError,
    Masked,
    PineconeError,
    PineconeValueError,
    ReadOnlyError,
    RefusedError,
    UnauthorizedError,
)

_T = TypeVar("_T")


class AsyncSender:
    """Sends the operations of a client.

    Args:
        shared: The parts that the client shares with its copies.
        options: Options of this copy.
    """

    def __init__(self, shared: Shared, options: ClientOptions) -> None:
        self._shared = shared
        self._options = options
        self._clock = current_clock()
        self._latest_date: tuple[bytes, float] | None = None  # the header, and when it arrived
        self._requests = RequestBuilder(
            api_url=shared.config.api_url, user_agent=shared.config.user_agent, headers=options.headers
        )
        self._secrets = options.secrets
        shared.known_secrets.add(each.reveal() for each in self._secrets)
        self._transport: AsyncRetrier | AsyncBearer = AsyncRetrier(
            shared.exchange, options.retry, budget=shared.retry_budget, on_attempt=options.on_attempt
        )
        sends_token = options.bearer and "authorization" not in options.headers
        self._token_source = shared.token_source if sends_token else None
        if self._token_source is not None:
            self._transport = AsyncBearer(self._transport, self._token_source)

    def start_deadline(self) -> float:
        """Return the monotonic time when a call that starts now times out."""
        return self._clock.monotonic() + self._options.timeout

    async def send(self, operation: Operation[_T], *, is_checked: bool = False, deadline: float | None = None) -> _T:
        """Send an operation and return the decoded response; see ``AsyncAdmin.send``.

        Args:
            operation: The operation.
            is_checked: Whether ``check_operation`` has accepted it.
            deadline: From ``start_deadline``, if the operation is part of a longer call.
        """
        if deadline is None:
            deadline = self.start_deadline()
        try:
            if not is_checked:
                check_operation(operation)
            call = self._start_call(operation, deadline)
            request = self._requests.build(operation)
        except PineconeError as exc:
            raise exc.with_traceback(None)  # noqa: B904 - it is the same exception; the frames below may hold credentials
        return await self._exchange(request, operation, call)

    async def _exchange(self, request: BufferedRequest, operation: Operation[_T], call: CallState) -> _T:
        response = await self._send_request(request, call)
        if isinstance(response, PineconeError):
            raise self._explain(response, operation)
        arrived_at, handled = self._clock.monotonic(), sys.exc_info()[1]
        try:
            result = read_response(operation, response, call, wall=self._clock.wall())
        except BaseException as exc:  # noqa: BLE001 - interrupted; the frames below hold the body
            raise remove_frames(exc, handled=handled)  # noqa: B904 - it is the same exception
        # Another server, such as a proxy that refuses, may have another time, by which keys would be deleted early.
        if response.date and (not isinstance(result, PineconeError) or result.error_code is not None):
            self._latest_date = response.date, arrived_at
        if isinstance(result, PineconeError):
            raise self._explain(result, operation)
        self._shared.known_secrets.add_created(result)
        self._note_deletion(operation)
        # The service account may be that of the client itself.
        if operation.id == "rotate_service_account_secret" and self._shared.token_source is not None:
            self._shared.token_source.adopt_rotated_secret(result)
        return result

    async def fetch_token(self) -> AccessToken:
        """Return an access token; see ``AsyncAdmin.token``."""
        self._check_open(None)
        if self._shared.token_source is None:
            raise PineconeValueError("there is no token: ", Name("additional_headers"), " sets Authorization")
        return await self._shared.token_source.async_get_token(deadline=self.start_deadline())

    async def try_credentials(self, client_id: str, client_secret: Masked) -> None:
        """Exchange credentials of any account for a token, which is not used.

        Raises:
            RefusedError: The caller's transport cannot exchange credentials.
            PineconeError: There is no token.
        """
        self._check_open(None)
        endpoint = self._shared.find_token_endpoint()
        if endpoint is None:
            raise RefusedError("credentials cannot be tried: the transport is asynchronous only; pass oauth_transport")
        credentials = Credentials(client_id=client_id, client_secret=client_secret.reveal)
        provider = TokenProvider(credentials=credentials, endpoint=endpoint)
        try:
            await provider.async_get_token(deadline=self.start_deadline())
        finally:
            provider.close()

    def server_time(self) -> datetime | None:
        """Return the time of the API now, by the Date of its latest response, or None if there was none."""
        if self._latest_date is None:
            return None
        date, arrived_at = self._latest_date
        return continue_date(date, self._clock.monotonic() - arrived_at)

    def client_id(self) -> str | None:
        """Return the client id of the account whose tokens are sent, or None if that is unknown."""
        return None if self._token_source is None else self._token_source.client_id

    def _note_deletion(self, operation: Operation[Any]) -> None:
        if operation.id == "delete_service_account":
            self._shared.deleted_accounts[operation.path_parameters["service_account_id"]] = None

    def _explain(self, error: PineconeError, operation: Operation[Any]) -> PineconeError:
        """Return an error, with a note if the reason may be that the client deleted its own account before."""
        if error.outcome == "unknown":
            self._note_deletion(operation)
        # Without a token of its own, the request is not that of a service account that this client knows of.
        deleted = self._shared.deleted_accounts
        if isinstance(error, UnauthorizedError) and deleted and self._token_source is not None:
            ids = ", ".join(deleted)
            note = f"this client sent the deletion of service account {ids}: if its own is among them, this may be why"
            if note not in error.__notes__:  # the error of one exchange is raised in several calls
                error.add_note(note)
        return error

    def _check_open(self, operation: str | None) -> None:
        if self._shared.closed.is_set() or self._shared.work.refuses_caller():
            raise ClientClosedError("the client is closed", operation=operation)

    def _start_call(self, operation: Operation[Any], deadline: float) -> CallState:
        self._check_open(operation.id)
        if self._options.read_only and operation.method != "GET":
            raise ReadOnlyError(
                f"the client is read-only and does not send {operation.method} requests", operation=operation.id
            )
        secrets = self._secrets
        if operation.headers:
            own = list_credentials(value for value in operation.headers.values() if value is not None)
            self._shared.known_secrets.add(each.reveal() for each in own)
            secrets = [*secrets, *own]
        return CallState(
            deadline=deadline,
            idempotent=operation.method in IDEMPOTENT_METHODS,
            path_template=operation.path,
            operation=operation.id,
            returns=operation.returns,
            endpoint=self._shared.endpoint,
            closed=self._shared.closed,
            secrets=secrets,
            known=self._shared.known_secrets,
        )

    async def _send_request(self, request: BufferedRequest, call: CallState) -> BufferedResponse | PineconeError:
        try:
            return await self._transport.send(request, call)
        except PineconeError as exc:
            return add_call_context(exc, call)
        except Exception as exc:  # noqa: BLE001 - a transport may raise anything; callers see only errors of this package
            if call.closed.is_set():
                return error_from_closing(call)
            return error_from_exception(exc, call)
