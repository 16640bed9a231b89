"""A transport that answers as it was told, in both worlds, and keeps what it saw."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import httpx
from attrs import field, frozen


@frozen
class Answer:
    """An answer to give.

    Attributes:
        status: HTTP status.
        body: Bytes go out as they are, None as no body, anything else as JSON.
        headers: Headers of the answer.
        breaks: What happens after the body instead of its end.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict[str, str])
    breaks: Exception | None = None

    def response(self) -> httpx.Response:
        """Make it an answer of httpx."""
        return httpx.Response(self.status, headers=self.headers, stream=_Body(self._bytes(), self.breaks))

    def _bytes(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@frozen
class Failure:
    """An exception in place of an answer, after the events of httpcore that preceded it."""

    error: Exception
    events: Sequence[str] = ()


Step: TypeAlias = Answer | Failure | Callable[[httpx.Request], Answer | Failure]


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes, breaks: Exception | None) -> None:
        self._content = content
        self._breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        if self._breaks is not None:
            raise self._breaks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def token_answer(number: int, **changes: object) -> Answer:
    """Answer as the token endpoint does; ``expires_in=...`` leaves the field out."""
    fields = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 1800} | changes
    return Answer(body={name: value for name, value in fields.items() if value is not ...})


class Script(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers API requests step by step, the last step for ever, and the token endpoint by steps of its own.

    Args:
        steps: What to do with the requests to the API; by default every answer is an empty list.
        tokens: What to do with the first token exchanges; after these the tokens are token-1, token-2 and so on.
    """

    def __init__(self, *steps: Step, tokens: Sequence[Step] = ()) -> None:
        self._steps = list(steps) or [Answer(body={"data": []})]
        self._tokens = list(tokens)
        self.requests: list[httpx.Request] = []
        self.exchanges: list[httpx.Request] = []
        self.closed = 0

    @property
    def request(self) -> httpx.Request:
        """The one request that the API saw."""
        (request,) = self.requests
        return request

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Take the next step."""
        step = self._next(request)
        if isinstance(step, Answer):
            return step.response()
        for event in step.events:
            request.extensions["trace"](event, {})
        raise step.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take the next step."""
        step = self._next(request)
        if isinstance(step, Answer):
            return step.response()
        for event in step.events:
            await request.extensions["trace"](event, {})
        raise step.error

    def _next(self, request: httpx.Request) -> Answer | Failure:
        request.read()
        step = self._next_token(request) if request.url.path.endswith("/token") else self._next_answer(request)
        return step if isinstance(step, Answer | Failure) else step(request)

    def _next_token(self, request: httpx.Request) -> Step:
        self.exchanges.append(request)
        return self._tokens.pop(0) if self._tokens else token_answer(len(self.exchanges))

    def _next_answer(self, request: httpx.Request) -> Step:
        self.requests.append(request)
        return self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]

    def close(self) -> None:
        """Count."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1
