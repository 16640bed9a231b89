"""A transport that follows a script, for sync and async clients, and records the requests."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import httpx
from attrs import field, frozen

from tests.support.clock import VirtualClock
from tests.support.concurrency import PATIENCE


@frozen
class ScriptedResponse:
    """A response to return.

    Attributes:
        status: HTTP status.
        body: Bytes are sent unchanged, None as an empty body, anything else as JSON.
        headers: Response headers.
        body_error: Raised after the body, instead of its end.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict[str, str])
    body_error: Exception | None = None

    def to_httpx(self) -> httpx.Response:
        """Return it as a response of httpx."""
        return httpx.Response(self.status, headers=self.headers, stream=_Body(self._encode_body(), self.body_error))

    def _encode_body(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@frozen
class ScriptedFailure:
    """An exception to raise instead of a response, after the httpcore events that precede it."""

    error: Exception
    events: Sequence[str] = ()


def delay(clock: VirtualClock, seconds: float, response: ScriptedResponse) -> Step:
    """Return a step that advances the clock before it responds, as a slow server does."""

    def respond(_: httpx.Request) -> ScriptedResponse:
        clock.advance(seconds)
        return response

    return respond


class HeldResponse:
    """A step that responds once the test releases it, to every request.

    Attributes:
        arrived: Set when a request has arrived.
        was_sent: Whether it has responded.
    """

    def __init__(self, response: ScriptedResponse) -> None:
        self.arrived = threading.Event()
        self.was_sent = False
        self._released = threading.Event()
        self._response = response

    def __call__(self, _: httpx.Request) -> ScriptedResponse:
        """Wait until the test releases the response."""
        self.arrived.set()
        assert self._released.wait(PATIENCE)
        self.was_sent = True
        return self._response

    def release(self) -> None:
        """Let every request get the response."""
        self._released.set()


Step: TypeAlias = ScriptedResponse | ScriptedFailure | Callable[[httpx.Request], ScriptedResponse | ScriptedFailure]


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes, body_error: Exception | None) -> None:
        self._content = content
        self._error = body_error

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def token_response(number: int, **changes: object) -> ScriptedResponse:
    """Return a response of the token endpoint; ``expires_in=...`` omits the field."""
    fields = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 1800} | changes
    return ScriptedResponse(body={name: value for name, value in fields.items() if value is not ...})


class ScriptedTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes a step for each API request, repeating the last; token exchanges have steps of their own.

    Args:
        steps: Steps for API requests; by default each returns an empty list.
        tokens: Steps for the first token exchanges; later ones return tokens numbered by their exchange.
    """

    def __init__(self, *steps: Step, tokens: Sequence[Step] = ()) -> None:
        self._steps = list(steps) or [ScriptedResponse(body={"data": []})]
        self._tokens = list(tokens)
        self.requests: list[httpx.Request] = []
        self.exchanges: list[httpx.Request] = []
        self.close_count = 0

    @property
    def request(self) -> httpx.Request:
        """The only API request."""
        (request,) = self.requests
        return request

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Take the next step."""
        step = self._next_step(request)
        if isinstance(step, ScriptedResponse):
            return step.to_httpx()
        for event in step.events:
            request.extensions["trace"](event, {})
        raise step.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take the next step."""
        step = self._next_step(request)
        if isinstance(step, ScriptedResponse):
            return step.to_httpx()
        for event in step.events:
            await request.extensions["trace"](event, {})
        raise step.error

    def _next_step(self, request: httpx.Request) -> ScriptedResponse | ScriptedFailure:
        request.read()
        step = self._next_token_step(request) if request.url.path.endswith("/token") else self._next_api_step(request)
        return step if isinstance(step, ScriptedResponse | ScriptedFailure) else step(request)

    def _next_token_step(self, request: httpx.Request) -> Step:
        self.exchanges.append(request)
        return self._tokens.pop(0) if self._tokens else token_response(len(self.exchanges))

    def _next_api_step(self, request: httpx.Request) -> Step:
        self.requests.append(request)
        return self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]

    def close(self) -> None:
        """Count the call."""
        self.close_count += 1

    async def aclose(self) -> None:
        """Count the call."""
        self.close_count += 1
