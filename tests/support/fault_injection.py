"""A transport on which a process dies, and answers are lost, at the requests that a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from enum import Enum, auto
from random import Random
from typing import Any

import anyio.lowlevel
import httpx

from pinecone_admin._concurrency import current_clock
from pinecone_admin.emulator import Emulator


class KilledError(BaseException):
    """The process died: nothing that would catch an exception may catch this one."""


class Fate(Enum):
    """What becomes of a request."""

    DIES_BEFORE = auto()  # the process dies, and the request is not sent
    DIES_AFTER = auto()  # the process dies, and the request was processed
    DROPPED = auto()  # not processed, and no answer
    LOST = auto()  # processed, and no answer
    OVERLOADED = auto()  # not processed, and 503
    BROKEN = auto()  # processed, and 500
    UNREADABLE = auto()  # processed, and a 200 that is no JSON
    REFUSED = auto()  # not sent: the connection was refused
    LIMITED = auto()  # not processed, and 429


DEATHS = (Fate.DIES_BEFORE, Fate.DIES_AFTER)
FAULTS = tuple(fate for fate in Fate if fate not in DEATHS)
_PASSED = {None, Fate.DIES_AFTER, Fate.LOST, Fate.BROKEN, Fate.UNREADABLE}
_RAISES: Mapping[Fate, type[httpx.TransportError]] = {
    Fate.DROPPED: httpx.ReadError,
    Fate.LOST: httpx.ReadError,
    Fate.REFUSED: httpx.ConnectError,
}
_STATUS = {Fate.OVERLOADED: 503, Fate.BROKEN: 500, Fate.UNREADABLE: 200, Fate.LIMITED: 429}


class Hostile(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes requests on to an emulator, except where fate has it otherwise; token exchanges always pass.

    Args:
        emulator: What processes the requests.
        fates: Number of the API request, from 1, and what becomes of it.
        late: Seconds for which lists do not show what was created.

    Attributes:
        requests: What the API was asked for, by method and path.
        only: The method that has a fate; empty for all.
        before: Called before each request to the API.
    """

    def __init__(self, emulator: Emulator, fates: Mapping[int, Fate] | None = None, *, late: float = 0.0) -> None:
        self._emulator = emulator
        self._inner = LateLists(emulator, late) if late else emulator.transport
        self._fates = fates or {}
        self._dead = False
        self._order = threading.Lock()
        self.requests: list[str] = []
        self.only = ""
        self.before: Callable[[], object] = lambda: None

    @property
    def connection(self) -> dict[str, Any]:
        """Give the arguments of a client that uses this transport."""
        identity = {"client_id": self._emulator.client_id, "client_secret": self._emulator.client_secret}
        return {**identity, "transport": self, "oauth_transport": self._inner}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Let a request meet its fate."""
        fate = self._fate(request)
        if fate in _PASSED:
            answer = self._inner.handle_request(request)
        return answer if fate is None else self._end(fate)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do as ``handle_request`` does."""
        fate = self._fate(request)
        if fate in _PASSED:
            answer = await self._inner.handle_async_request(request)
        return answer if fate is None else self._end(fate)

    def _fate(self, request: httpx.Request) -> Fate | None:
        if request.url.path == "/oauth/token":
            return None
        if self._dead:
            return Fate.DIES_BEFORE
        with self._order:
            self.requests.append(f"{request.method} {request.url.path}")
            number = len(self.requests)
        self.before()
        return self._fates.get(number) if request.method.startswith(self.only) else None

    def _end(self, fate: Fate) -> httpx.Response:
        if fate in DEATHS:
            self._dead = True
            raise KilledError
        if fate in _RAISES:
            raise _RAISES[fate]("as fate has it")
        return httpx.Response(_STATUS[fate], content=b"<html>")


def random_fates(seed: int, *, requests: int = 60, share: float = 0.25) -> dict[int, Fate]:
    """Draw faults for a share of the requests, and a death for some of the runs."""
    random = Random(seed)
    fates = {number: random.choice(FAULTS) for number in range(1, requests) if random.random() < share}
    if random.random() < 0.5:
        fates[random.randrange(1, 12)] = random.choice(DEATHS)
    return fates


class Counting(Hostile):
    """Counts the requests that are under way at once, where ``only`` is set those of its method.

    Attributes:
        most: How many there were.
    """

    def __init__(self, emulator: Emulator, fates: Mapping[int, Fate] | None = None) -> None:
        super().__init__(emulator, fates)
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._several = threading.Event()

    def _count(self, request: httpx.Request, by: int) -> None:
        if not request.method.startswith(self.only):
            return
        with self._lock:
            self._now += by
            self.most = max(self.most, self._now)
            if self._now > 1:
                self._several.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Let another request begin before this one ends."""
        self._count(request, 1)
        if request.method.startswith(self.only):
            self._several.wait(0.05)
        try:
            return super().handle_request(request)
        finally:
            self._count(request, -1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do as ``handle_request`` does."""
        self._count(request, 1)
        await anyio.lowlevel.checkpoint()
        try:
            return await super().handle_async_request(request)
        finally:
            self._count(request, -1)


class LateLists(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes requests on to an emulator; its lists show what was created only after a while.

    Args:
        emulator: What processes the requests.
        seconds: How long a list does not show it.
    """

    def __init__(self, emulator: Emulator, seconds: float) -> None:
        self._inner = emulator.transport
        self._seconds = seconds
        self._created: dict[str, float] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Leave out what is too new."""
        return self._as_it_was(request, self._inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do as ``handle_request`` does."""
        return self._as_it_was(request, await self._inner.handle_async_request(request))

    def _as_it_was(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path == "/oauth/token" or not answer.is_success or request.method not in {"GET", "POST"}:
            return answer
        body, now = json.loads(answer.content), current_clock().monotonic()
        if request.method == "POST":
            made = next((body[name] for name in ("key", "service_account") if name in body), body)
            self._created[made["id"]] = now
        elif "data" in body:
            old = [each for each in body["data"] if now - self._created.get(each.get("id"), -1e9) >= self._seconds]
            return httpx.Response(answer.status_code, json={**body, "data": old})
        return answer
