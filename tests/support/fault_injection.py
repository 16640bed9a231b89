"""A transport that injects faults and kills into requests to an emulator."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from random import Random
from typing import Any

import anyio.lowlevel
import httpx

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._concurrency.clock import current_clock
from pinecone_admin.emulator import Emulator


class KilledError(BaseException):
    """The process was killed; derived from BaseException so that no handler for exceptions catches it."""


class InjectedFault(Enum):
    """The fault of a request."""

    KILL_BEFORE = auto()  # the process is killed before the request is sent
    KILL_AFTER = auto()  # the process is killed after the request was processed
    REQUEST_LOST = auto()  # not processed; the connection breaks
    RESPONSE_LOST = auto()  # processed; the connection breaks before the response
    UNAVAILABLE = auto()  # not processed; returns 503
    INTERNAL_ERROR = auto()  # processed; returns 500
    INVALID_JSON = auto()  # processed; returns a 200 whose body is not JSON
    CONNECTION_REFUSED = auto()  # not sent: the connection is refused
    RATE_LIMITED = auto()  # not processed; returns 429
    BAD_REQUEST = auto()  # not processed; returns 400
    FORBIDDEN = auto()  # not processed; returns 403 of a proxy, which does not show that
    CONFLICT = auto()  # not processed; returns 409


KILLS = (InjectedFault.KILL_BEFORE, InjectedFault.KILL_AFTER)
REFUSALS = (InjectedFault.BAD_REQUEST, InjectedFault.FORBIDDEN, InjectedFault.CONFLICT)
NON_FATAL_FAULTS = tuple(fault for fault in InjectedFault if fault not in KILLS + REFUSALS)
_PROCESSED = {
    None,
    InjectedFault.KILL_AFTER,
    InjectedFault.RESPONSE_LOST,
    InjectedFault.INTERNAL_ERROR,
    InjectedFault.INVALID_JSON,
}
_RAISES: Mapping[InjectedFault, type[httpx.TransportError]] = {
    InjectedFault.REQUEST_LOST: httpx.ReadError,
    InjectedFault.RESPONSE_LOST: httpx.ReadError,
    InjectedFault.CONNECTION_REFUSED: httpx.ConnectError,
}
_STATUS = {
    InjectedFault.UNAVAILABLE: 503,
    InjectedFault.INTERNAL_ERROR: 500,
    InjectedFault.INVALID_JSON: 200,
    InjectedFault.RATE_LIMITED: 429,
    InjectedFault.BAD_REQUEST: 400,
    InjectedFault.FORBIDDEN: 403,
    InjectedFault.CONFLICT: 409,
}


class FaultyTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes requests on to an emulator and injects faults into some; token exchanges always pass.

    Args:
        emulator: Processes the requests.
        faults: The fault of each request that has one, by the number of the API request, from 1.
        only_method: The method into which faults are injected; empty for all.
        list_delay: Seconds until lists show a new record.

    Attributes:
        requests: Method and path of each API request.
        before_request: Called before each API request, which is then the last of `requests`: no other comes between.
    """

    def __init__(
        self,
        emulator: Emulator,
        faults: Mapping[int, InjectedFault] | None = None,
        *,
        only_method: str = "",
        list_delay: float = 0.0,
    ) -> None:
        self._credentials: dict[str, Any] = {
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
        }
        self._inner = DelayedListsTransport(emulator, list_delay) if list_delay else emulator.transport
        self._faults = faults or {}
        self._killed = False
        self._numbering_lock = threading.Lock()
        self._only_method = only_method
        self.requests: list[str] = []
        self.before_request: Callable[[], object] = lambda: None

    def admin(self, **options: Any) -> Admin:
        """Return a sync client that uses this transport."""
        return Admin(**self._credentials, transport=self, oauth_transport=self._inner, **options)

    def async_admin(self, **options: Any) -> AsyncAdmin:
        """Return an async client that uses this transport."""
        return AsyncAdmin(**self._credentials, transport=self, oauth_transport=self._inner, **options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or inject its fault."""
        fault = self._select_fault(request)
        if fault in _PROCESSED:
            response = self._inner.handle_request(request)
        return response if fault is None else self._apply_fault(fault)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or inject its fault."""
        fault = self._select_fault(request)
        if fault in _PROCESSED:
            response = await self._inner.handle_async_request(request)
        return response if fault is None else self._apply_fault(fault)

    def _select_fault(self, request: httpx.Request) -> InjectedFault | None:
        if request.url.path == "/oauth/token":
            return None
        if self._killed:
            return InjectedFault.KILL_BEFORE
        with self._numbering_lock:
            self.requests.append(f"{request.method} {request.url.path}")
            number = len(self.requests)
            self.before_request()
        return self._faults.get(number) if request.method.startswith(self._only_method) else None

    def _apply_fault(self, fault: InjectedFault) -> httpx.Response:
        if fault in KILLS:
            self._killed = True
            raise KilledError
        if fault in _RAISES:
            raise _RAISES[fault]("injected")
        return httpx.Response(_STATUS[fault], content=b"<html>")


def fail_to_store(_: object) -> None:
    """Raise, as a store callback whose vault is sealed does."""
    raise OSError("the vault is sealed")


def draw_random_faults(
    seed: int, *, requests: int = 60, rate: float = 0.25, kinds: Sequence[InjectedFault] = NON_FATAL_FAULTS
) -> dict[int, InjectedFault]:
    """Draw faults for a share of the requests, and a kill for half of the runs."""
    random = Random(seed)
    faults = {number: random.choice(kinds) for number in range(1, requests) if random.random() < rate}
    if random.random() < 0.5:
        faults[random.randrange(1, 12)] = random.choice(KILLS)
    return faults


class CountingTransport(FaultyTransport):
    """Counts concurrent requests.

    Args:
        emulator: Processes the requests.
        faults: The fault of each request that has one, by the number of the API request, from 1.
        only_method: The method that is counted, and into which faults are injected; empty for all.

    Attributes:
        peak: The largest number of concurrent requests.
    """

    def __init__(
        self, emulator: Emulator, faults: Mapping[int, InjectedFault] | None = None, *, only_method: str = ""
    ) -> None:
        super().__init__(emulator, faults, only_method=only_method)
        self.peak = 0
        self._active = 0
        self._lock = threading.Lock()
        self._overlapped = threading.Event()

    def _count(self, request: httpx.Request, change: int) -> None:
        if not request.method.startswith(self._only_method):
            return
        with self._lock:
            self._active += change
            self.peak = max(self.peak, self._active)
            if self._active > 1:
                self._overlapped.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait briefly, so that another request can start before this one ends."""
        self._count(request, 1)
        if request.method.startswith(self._only_method):
            self._overlapped.wait(0.05)
        try:
            return super().handle_request(request)
        finally:
            self._count(request, -1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Yield once, so that another request can start before this one ends."""
        self._count(request, 1)
        await anyio.lowlevel.checkpoint()
        try:
            return await super().handle_async_request(request)
        finally:
            self._count(request, -1)


class ChangingTransport(FaultyTransport):
    """Passes requests on to an emulator, and changes them or their responses, as a proxy or a cache may do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        changed = self._change_request(request)
        return self._change_response(changed, super().handle_request(changed))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        changed = self._change_request(request)
        return self._change_response(changed, await super().handle_async_request(changed))

    def _change_request(self, request: httpx.Request) -> httpx.Request:
        return request

    def _change_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        del request
        return response


class DroppedQueries(ChangingTransport):
    """Drops the query of each address, as a proxy or a cache may do."""

    def _change_request(self, request: httpx.Request) -> httpx.Request:
        request.url = request.url.copy_with(query=None)
        return request


class MixedResponses(ChangingTransport):
    """Responds to requests about one resource with what the emulator says of another one, as a cache may do.

    Args:
        emulator: Processes the requests.
        asked: Id that is replaced in the path of each GET.
        other: Id that takes its place.
    """

    def __init__(self, emulator: Emulator, asked: str, other: str) -> None:
        super().__init__(emulator)
        self._asked = asked
        self._other = other

    def _change_request(self, request: httpx.Request) -> httpx.Request:
        if request.method == "GET":
            request.url = request.url.copy_with(path=request.url.path.replace(self._asked, self._other))
        return request


class OtherDates(ChangingTransport):
    """Replaces the Date header of each response.

    Args:
        emulator: Processes the requests.
        date: The header; empty for none.
    """

    def __init__(self, emulator: Emulator, date: str) -> None:
        super().__init__(emulator)
        self._date = date

    def _change_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        del request, response.headers["date"]
        if self._date:
            response.headers["date"] = self._date
        return response


class OtherValues(ChangingTransport):
    """Shows other values of settings in the responses to changes; the emulator has those that were sent.

    Args:
        emulator: Processes the requests.
        values: The values by the names of their fields.
    """

    def __init__(self, emulator: Emulator, **values: Any) -> None:
        super().__init__(emulator)
        self._values = values

    def _change_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method not in {"POST", "PATCH"} or not request.url.path.startswith("/admin/"):
            return response
        found = json.loads(response.read())
        for part in (found, found.get("key", {})):
            part.update({name: value for name, value in self._values.items() if name in part})
        return httpx.Response(response.status_code, json=found)


class UndatedTransport(ChangingTransport):
    """Removes ``created_at`` from the responses that have keys."""

    def _change_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "GET" or not request.url.path.endswith("/api-keys"):
            return response
        data = [{**each, "created_at": None} for each in json.loads(response.content)["data"]]
        return httpx.Response(response.status_code, json={"data": data}, headers={"date": response.headers["date"]})


class DelayedListsTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes requests on to an emulator; its lists omit a new record for a while.

    Args:
        emulator: Processes the requests.
        seconds: How long lists omit it.
    """

    def __init__(self, emulator: Emulator, seconds: float) -> None:
        self._inner = emulator.transport
        self._seconds = seconds
        self._created: dict[str, float] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and remove new records from a list."""
        return self._without_recent(request, self._inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, and remove new records from a list."""
        return self._without_recent(request, await self._inner.handle_async_request(request))

    def _without_recent(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.url.path == "/oauth/token" or not response.is_success or request.method not in {"GET", "POST"}:
            return response
        body, now = json.loads(response.content), current_clock().monotonic()
        if request.method == "POST":
            record = next((body[name] for name in ("key", "service_account") if name in body), body)
            self._created[record["id"]] = now
        elif "data" in body:
            visible = [each for each in body["data"] if now - self._created.get(each.get("id"), -1e9) >= self._seconds]
            return httpx.Response(response.status_code, json={**body, "data": visible})
        return response


class RewritingTransport(ChangingTransport):
    """Passes requests on to an emulator, and changes the body of one response to a POST.

    Args:
        emulator: Processes the requests.
        number: Which POST it is, from 1.
        rewrite: Changes the body, which is an object.
    """

    def __init__(self, emulator: Emulator, number: int, rewrite: Callable[[dict[str, Any]], object]) -> None:
        super().__init__(emulator)
        self._number = number
        self._rewrite = rewrite

    def _change_response(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method != "POST" or sum(each.startswith("POST") for each in self.requests) != self._number:
            return response
        body = json.loads(response.content)
        self._rewrite(body)
        kept = {name: response.headers[name] for name in ("date", "x-pinecone-request-id")}
        return httpx.Response(response.status_code, json=body, headers=kept)


class FailTwiceTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Responds with 503 to the first two attempts of each request, and passes the third on to an emulator.

    Attributes:
        attempts: Number of attempts by method and URL.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._inner = emulator.transport
        self._lock = threading.Lock()
        self.attempts: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Fail, or pass the request on."""
        return httpx.Response(503) if self._fails(request) else self._inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail, or pass the request on."""
        return httpx.Response(503) if self._fails(request) else await self._inner.handle_async_request(request)

    def _fails(self, request: httpx.Request) -> bool:
        with self._lock:
            self.attempts[f"{request.method} {request.url}"] += 1
            return self.attempts[f"{request.method} {request.url}"] <= 2
