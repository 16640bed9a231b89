"""Retry requests if a second request cannot make the same change twice."""

from __future__ import annotations

import logging
import random
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from pinecone_admin._async.transports.pool import AsyncTransportExchange
from pinecone_admin._concurrency.attempts import Attempt
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin._http.argument_checks import check_duration, check_function
from pinecone_admin._http.attempt_event import AttemptEvent, OnAttempt, logger, report_attempt
from pinecone_admin._http.buffered_messages import SUCCESSES, BufferedRequest, BufferedResponse, EmptyBody
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import (
    ErrorMapper,
    error_from_exception,
    error_from_response,
    find_request_id,
    is_foreign_body,
    is_own_404,
    redact_secrets,
)
from pinecone_admin._http.headers import list_request_credentials
from pinecone_admin._http.known_secrets import KnownSecrets
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin._http.retry_budget import RetryBudget
from pinecone_admin._http.retry_policy import (
    IDEMPOTENT_METHODS,
    SUCCESS_REFUND,
    Failure,
    RetryPolicy,
    classify_status,
    may_retry,
    next_delay,
    record_failure,
    retry_cost,
)
from pinecone_admin._http.transport_errors import classify_error, remove_frames
from pinecone_admin.errors import PineconeError


class AsyncExchange(Protocol):
    """Sends a request once and reads the response: one exchange of HTTP messages, not of a token.

    In pool.py, ``AsyncPools`` does so over the client's own connections, and ``AsyncTransportExchange`` over a
    transport of the caller's.
    """

    async def exchange(self, request: httpx.Request, attempt: Attempt, *, max_bytes: int) -> BufferedResponse:
        """Return the response to a request, of whose body at most ``max_bytes`` are accepted."""
        ...


class _FailedAttempt:
    """An attempt to retry or to report: why it failed, and the exception or the response with an error status.

    It has no repr, because the text of an exception may quote a credential that the server echoed.
    """

    def __init__(self, failure: Failure, cause: Exception | BufferedResponse) -> None:
        self.failure = failure
        self.cause = cause


class AsyncRetrier:
    """Sends requests, and retries them within the deadline of their call, as the retry table allows.

    Args:
        exchange: Sends each attempt.
        retry: How often and how soon to retry.
        budget: The points that retries have spent; None for a new budget.
        on_attempt: Receives a report of each attempt.
        map_response: Returns the error for a response that is not a success.
    """

    def __init__(
        self,
        exchange: AsyncExchange,
        retry: RetryPolicy,
        *,
        budget: RetryBudget | None = None,
        on_attempt: OnAttempt | None = None,
        map_response: ErrorMapper = error_from_response,
    ) -> None:
        self._exchange = exchange
        self._retry = retry
        self._budget = RetryBudget() if budget is None else budget
        self._on_attempt = on_attempt
        self._map_response = map_response
        self._clock = current_clock()

    async def send(self, request: BufferedRequest, call: CallState) -> BufferedResponse:
        """Send a request until there is a response to return.

        Raises:
            httpx.TransportError: There was none.
            Exception: Whatever else a transport raises.
        """
        while True:
            started, attempts_before = self._clock.monotonic(), call.attempts
            result = await self._try_once(request, call, started)
            failed = None if isinstance(result, BufferedResponse) else result
            delay = None if failed is None else self._delay_after(failed, call)
            is_wanted = self._on_attempt is not None or logger.isEnabledFor(logging.DEBUG)
            if is_wanted and call.attempts > attempts_before:
                self._report(result, request, call, started, delay)
            if isinstance(result, BufferedResponse):
                if self._retry.budget is not None:
                    self._budget.refund(call.endpoint, call.retry_points or SUCCESS_REFUND)
                return result
            if delay is None:
                if isinstance(result.cause, BufferedResponse):
                    return result.cause
                raise result.cause
            await self._clock.async_sleep(delay, call.closed)
            if call.closed.is_set():
                raise httpx.TransportError("closed during the wait for the next attempt")

    async def _try_once(
        self, request: BufferedRequest, call: CallState, started: float
    ) -> BufferedResponse | _FailedAttempt:
        left = min(call.deadline - started, self._retry.attempt_timeout)
        if left <= 0:
            error = httpx.PoolTimeout("the time limit of this call has passed")
            return _FailedAttempt(Failure.NOT_SENT, error)
        call.attempts += 1
        handled = sys.exc_info()[1]  # an exception that the caller is handling is no cause of a failure here
        attempt = Attempt(left, body_bytes=len(request.body))
        try:
            with attempt:
                response = await self._exchange.exchange(
                    _build_httpx_request(request, call, left), attempt, max_bytes=call.max_response_bytes
                )
        except Exception as exc:  # noqa: BLE001 - any exception of a transport is a failed attempt
            failed = _FailedAttempt(classify_error(exc, attempt, handled=handled), exc)
            record_failure(call, failed.failure, method=request.method, status=None)
            return failed
        except BaseException as exc:  # noqa: BLE001 - cancelled or interrupted
            raise remove_frames(exc, handled=handled)  # noqa: B904 - it is the same exception
        if call.ambiguous and call.believes_404 and request.method == "DELETE" and is_own_404(response):
            # Most likely, an earlier attempt whose response was lost has deleted it.
            response = BufferedResponse(HTTPStatus.NO_CONTENT, response.headers, b"", {}, date=response.date)
        if response.status in SUCCESSES:
            if not call.is_token_exchange:
                call.outcome, call.ambiguous = "done", False
            return response
        is_foreign = is_foreign_body(response.body)
        failure = classify_status(response.status, is_foreign=is_foreign)
        record_failure(call, failure, method=request.method, status=response.status, is_foreign=is_foreign)
        return _FailedAttempt(failure, response)

    def _report(
        self,
        result: BufferedResponse | _FailedAttempt,
        request: BufferedRequest,
        call: CallState,
        started: float,
        delay: float | None,
    ) -> None:
        duration = self._clock.monotonic() - started
        response: BufferedResponse | None = None
        error: PineconeError | None = None
        failure = ""
        if isinstance(result, BufferedResponse):
            response = redact_secrets(result, call)
        elif isinstance(result.cause, BufferedResponse):
            response = redact_secrets(result.cause, call)
            error = self._map_response(response, call=call, wall=self._clock.wall())
        else:
            error, failure = error_from_exception(result.cause, call), type(result.cause).__name__
        event = AttemptEvent(
            operation=call.operation,
            method=request.method,
            path=call.path_template,
            attempt=call.attempts,
            status_code=None if response is None else response.status,
            duration=duration,
            request_id=None if response is None else find_request_id(response.headers),
            error=error,
            delay=delay,
        )
        report_attempt(event, self._on_attempt, failure=failure)

    def _delay_after(self, failed: _FailedAttempt, call: CallState) -> float | None:
        if call.closed.is_set() or not may_retry(failed.failure, idempotent=call.idempotent):
            return None
        retry_after = None
        if isinstance(failed.cause, BufferedResponse):
            retry_after = parse_retry_after(failed.cause.headers, wall=self._clock.wall())
        delay = next_delay(
            self._retry,
            failure=failed.failure,
            attempt=call.attempts,
            left=call.deadline - self._clock.monotonic(),
            retry_after=retry_after,
            random=random.uniform,
        )
        cost = retry_cost(failed.failure, retry_after)
        if delay is None or self._retry.budget is None or not cost:
            return delay
        call.is_budget_used_up = not self._budget.spend(call.endpoint, cost, budget=self._retry.budget)
        if call.is_budget_used_up:
            return None
        call.retry_points += cost
        return delay


def _build_httpx_request(request: BufferedRequest, call: CallState, seconds: float) -> httpx.Request:
    """Return the request of one attempt, with its token and timeouts; shorter timeouts of the caller stay."""
    requested = request.extensions.get("timeout")
    if requested is None:
        timeout = {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}
    else:
        timeout = {key: min(seconds, requested.get(key) or seconds) for key in ("connect", "read", "write", "pool")}
    built = httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=httpx.ByteStream(request.body) if request.body else EmptyBody(),
        extensions={**request.extensions, "timeout": timeout},
    )
    if call.tokens:
        built.headers["authorization"] = f"Bearer {call.tokens[-1].value}"
    return built


class AsyncRetryTransport(httpx.AsyncBaseTransport):
    """Transport that retries requests within a timeout, if a retry cannot make the same change twice.

    It can wrap any other transport, for example the one of an ``httpx.AsyncClient``. It buffers responses, up to 4 MiB.

    Args:
        transport: Transport that sends each attempt. Closing this transport closes it, too.
        retry: How often and how soon to retry; default: ``RetryPolicy()``.
        timeout: Seconds for all attempts of a request and the waits between them, above 0.
        on_attempt: Function that is called once after every attempt, unless the attempt is cancelled or interrupted.
            Exceptions that it raises are logged.

    Example:
        >>> transport = AsyncRetryTransport(httpx.AsyncHTTPTransport())
        >>> async with httpx.AsyncClient(transport=transport) as client:
        ...     print(client)
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        retry: RetryPolicy | None = None,
        timeout: float = 60.0,
        on_attempt: Callable[[AttemptEvent], object] | None = None,
    ) -> None:
        check_function("on_attempt", on_attempt, optional=True)
        self._transport = transport
        policy = RetryPolicy() if retry is None else retry
        self._retrier = AsyncRetrier(AsyncTransportExchange(transport), policy, on_attempt=on_attempt)
        self._timeout = check_duration("timeout", timeout)
        self._clock = current_clock()
        self._closed = threading.Event()
        self._known_secrets = KnownSecrets()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and retry it if a retry cannot make the same change twice.

        Args:
            request: Request of an httpx client.
        """
        call = CallState(
            deadline=self._clock.monotonic() + self._timeout,
            idempotent=request.method in IDEMPOTENT_METHODS,
            path_template=request.url.path,
            endpoint=request.url.netloc.decode("ascii"),
            closed=self._closed,
            secrets=list_request_credentials(request.headers.multi_items()),
            known=self._known_secrets,
        )
        self._known_secrets.add(each.reveal() for each in call.secrets)
        body = await request.aread()  # a stream can be sent only once
        response = await self._retrier.send(
            BufferedRequest(request.method, request.url, request.headers, body, request.extensions), call
        )
        extensions: dict[str, Any] = dict(response.extensions)
        return httpx.Response(
            response.status, headers=response.headers, stream=httpx.ByteStream(response.body), extensions=extensions
        )

    async def aclose(self) -> None:
        """Close the wrapped transport. This ends a wait for the next attempt at once."""
        self._closed.set()
        await self._transport.aclose()
