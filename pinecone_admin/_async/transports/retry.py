"""Transport that retries requests where a repeat cannot take effect twice."""

from __future__ import annotations

import logging
import random
import sys
import threading
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, cast

import httpx
from attrs import frozen

from pinecone_admin._concurrency import AttemptProgress, current_clock, limit_attempt
from pinecone_admin._http.argument_checks import check_duration
from pinecone_admin._http.call_state import CALL_STATE_KEY, CallState
from pinecone_admin._http.error_mapping import error_from_exception, find_request_id, redact_secrets
from pinecone_admin._http.failures import (
    Failure,
    RequestTrace,
    ResponseTooLargeError,
    classify_error,
    classify_status,
    forget_origin,
)
from pinecone_admin._http.retry_after import parse_retry_after
from pinecone_admin._http.retry_policy import (
    IDEMPOTENT_METHODS,
    RetryEvent,
    RetryPolicy,
    may_retry,
    next_delay,
    record_attempt,
)
from pinecone_admin.errors import PineconeError

_logger = logging.getLogger("pinecone_admin")


@frozen(kw_only=True)
class _Attempt:
    """Result of one attempt: a complete response or an error."""

    failure: Failure | None
    response: httpx.Response | None = None
    error: Exception | None = None
    retry_after: float | None = None


class AsyncRetryTransport(httpx.AsyncBaseTransport):
    """Retry requests within a deadline, where a repeat cannot take effect twice.

    The transport can wrap any other, for example for an ``httpx.AsyncClient``. Responses are buffered, up to 32 MiB.

    Args:
        transport: Transport that sends each attempt. It is closed with this one.
        retry: How often and how soon to retry; default: ``RetryPolicy()``.
        timeout: Seconds for all attempts and waits, above 0, for requests that do not come from an ``AsyncAdmin``.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, retry: RetryPolicy | None = None, timeout: float = 60.0
    ) -> None:
        self._transport = transport
        self._retry = RetryPolicy() if retry is None else retry
        self._timeout = check_duration("timeout", timeout)
        self._clock = current_clock()
        self._closed = threading.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and retry it as the table in ``pinecone_admin.retry`` allows."""
        call: CallState = request.extensions.get(CALL_STATE_KEY) or CallState(
            deadline=self._clock.monotonic() + self._timeout,
            idempotent=request.method in IDEMPOTENT_METHODS,
            path_template=request.url.path,
            endpoint=request.url.netloc.decode("ascii"),
            closed=self._closed,
        )
        if not isinstance(request.stream, httpx.ByteStream):
            await request.aread()  # a stream can be sent only once
        while True:
            attempt = await self._try_once(request, call)
            delay = self._delay_after(attempt, call)
            if delay is None:
                return _response_or_raise(attempt)
            self._call_on_retry(attempt, request, call, delay)
            await self._clock.async_sleep(delay, call.closed)
            if call.closed.is_set():
                raise httpx.TransportError("closed during the wait for the next attempt")

    async def _try_once(self, request: httpx.Request, call: CallState) -> _Attempt:
        started = self._clock.monotonic()
        left = min(call.deadline - started, self._retry.attempt_timeout)
        if left <= 0:
            return _Attempt(failure=Failure.NOT_SENT, error=httpx.PoolTimeout("the time limit of this call has passed"))
        call.attempts += 1
        progress = AttemptProgress()
        trace = AsyncForwardingTrace(request.extensions.get("trace"))
        response: httpx.Response | None = None
        handled = sys.exc_info()[1]  # an exception that the caller is handling is no cause of a failure here
        try:
            try:
                with limit_attempt(left, progress):
                    response = await self._transport.handle_async_request(_with_timeouts(request, left, trace))
                    whole_response = await _read_whole(
                        response, max_response_bytes=call.max_response_bytes, has_body=request.method != "HEAD"
                    )
                whole_response = redact_secrets(whole_response, call.secrets)
            finally:
                if response is not None:
                    with suppress(Exception):
                        await response.aclose()
        except Exception as exc:  # noqa: BLE001 - any exception of a transport is a failed attempt
            failure = classify_error(
                exc,
                progress if progress.seen else trace,
                response_started=response is not None,
                handled=handled,
            )
            attempt = _Attempt(failure=failure, error=exc)
        except BaseException as exc:  # noqa: BLE001 - cancelled or interrupted
            raise forget_origin(exc, handled=handled)  # noqa: B904 - it is the same exception
        else:
            attempt = self._examine_response(whole_response, request, call)
        record_attempt(call, attempt.failure, None if attempt.response is None else attempt.response.status_code)
        self._log_attempt(attempt, request, call, started)
        return attempt

    def _log_attempt(self, attempt: _Attempt, request: httpx.Request, call: CallState, started: float) -> None:
        if not _logger.isEnabledFor(logging.DEBUG):
            return
        response = attempt.response
        _logger.debug(
            "%s %s -> %s, attempt %d, %.0f ms, request id %s",
            request.method,
            call.path_template,
            type(attempt.error).__name__ if response is None else response.status_code,
            call.attempts,
            (self._clock.monotonic() - started) * 1000,
            None if response is None else find_request_id(response.headers),
        )

    def _examine_response(self, whole_response: httpx.Response, request: httpx.Request, call: CallState) -> _Attempt:
        if request.method == "DELETE" and whole_response.status_code == HTTPStatus.NOT_FOUND and call.ambiguous:
            # An earlier attempt whose response was lost has deleted it.
            whole_response = httpx.Response(
                HTTPStatus.NO_CONTENT, headers=whole_response.headers, stream=httpx.ByteStream(b"")
            )
        failure = classify_status(whole_response.status_code)
        retry_after = None if failure is None else parse_retry_after(whole_response.headers, wall=self._clock.wall())
        return _Attempt(failure=failure, response=whole_response, retry_after=retry_after)

    def _delay_after(self, attempt: _Attempt, call: CallState) -> float | None:
        if attempt.failure is None or call.closed.is_set():
            return None
        if not may_retry(attempt.failure, idempotent=call.idempotent):
            return None
        return next_delay(
            self._retry,
            failure=attempt.failure,
            attempt=call.attempts,
            left=call.deadline - self._clock.monotonic(),
            retry_after=attempt.retry_after,
            random=random.uniform,
        )

    def _call_on_retry(self, attempt: _Attempt, request: httpx.Request, call: CallState, delay: float) -> None:
        if self._retry.on_retry is None:
            return
        error: PineconeError | None = None
        if attempt.error is not None:
            error = error_from_exception(attempt.error, operation=None, call=call)
        event = RetryEvent(
            method=request.method,
            path=request.url.path,
            attempt=call.attempts,
            delay=delay,
            status_code=attempt.response.status_code if attempt.response else None,
            error=error,
        )
        try:
            self._retry.on_retry(event)
        except Exception as exc:  # noqa: BLE001 - an error in the caller's own code must not fail the request
            _logger.warning("on_retry raised %s", type(exc).__name__)

    async def aclose(self) -> None:
        """Close the wrapped transport. A wait for the next attempt ends at once."""
        self._closed.set()
        await self._transport.aclose()


class AsyncForwardingTrace(RequestTrace):
    """Record the events of httpcore, which awaits it, and forward them to a listener of the caller."""

    def __init__(self, listener: Callable[[str, dict[str, object]], Awaitable[None]] | None) -> None:
        super().__init__()
        self._listener = listener

    async def __call__(self, event: str, info: dict[str, object]) -> None:  # type: ignore[override]
        """Record and forward one event."""
        super().__call__(event, info)
        if self._listener is not None:
            await self._listener(event, info)


def _with_timeouts(request: httpx.Request, seconds: float, trace: AsyncForwardingTrace) -> httpx.Request:
    """Copy a request with the timeouts of this attempt; shorter timeouts of the caller stay."""
    requested = request.extensions.get("timeout", {})
    timeout = {key: min(seconds, requested.get(key) or seconds) for key in ("connect", "read", "write", "pool")}
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"timeout": timeout, "trace": trace},
    )


async def _read_whole(response: httpx.Response, *, max_response_bytes: int, has_body: bool) -> httpx.Response:
    """Read the raw body to its end. If an error response breaks off, the part that was read still describes it."""
    content_length = response.headers.get("content-length", "")
    if has_body and content_length.isdecimal() and int(content_length) > max_response_bytes:
        return _truncate_or_raise(response, [], ResponseTooLargeError(f"the response announces {content_length} bytes"))
    chunks: list[bytes] = []
    size = 0
    broken: Exception | None = None
    stream: Any = cast("AsyncIterable[bytes]", response.stream).__aiter__()
    try:
        async for chunk in stream:
            size += len(chunk)
            if size > max_response_bytes:
                broken = ResponseTooLargeError(f"the response has more than {max_response_bytes} bytes")
                break
            chunks.append(chunk)
    except Exception as exc:  # noqa: BLE001 - see _truncate_or_raise
        broken = exc
    finally:
        # An unfinished generator must be closed here: under trio, the garbage collector cannot close it.
        if hasattr(stream, "aclose"):
            await stream.aclose()
    return _with_body(response, chunks) if broken is None else _truncate_or_raise(response, chunks, broken)


def _truncate_or_raise(response: httpx.Response, chunks: list[bytes], error: Exception) -> httpx.Response:
    if classify_status(response.status_code) is None:
        raise error
    return _with_body(response, chunks)


def _with_body(response: httpx.Response, chunks: list[bytes]) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx.ByteStream(b"".join(chunks)),
        extensions=response.extensions,
    )


def _response_or_raise(attempt: _Attempt) -> httpx.Response:
    if attempt.response is not None:
        return attempt.response
    assert attempt.error is not None  # noqa: S101 - one of the two is always set
    raise attempt.error
