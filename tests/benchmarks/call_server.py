"""The server of call.py: an HTTP server on loopback that sends fixed responses from memory.

It prints its URL and stops when its standard input is closed, after an hour, or after three million requests.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

LIFETIME = 3600.0
"""Seconds after which the server stops."""
MAX_REQUESTS = 3_000_000
PAGES = 10_000
"""Pages in the list of role bindings; a client that wants fewer stops earlier."""
BINDINGS_PER_PAGE = 100

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PAGINATION_TOKEN = re.compile(rb"[?&]paginationToken=(\d+)")

TOKEN = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 86_400}
PROJECT_ID = "3f0d9e52-7c61-4c1c-9f0a-1d2b8d7f6a55"
PROJECT = {
    "id": PROJECT_ID,
    "name": "search",
    "max_pods": 5,
    "force_encryption_with_cmek": False,
    "organization_id": "-NM7af6f234168c4e44a",
    "created_at": "2026-01-01T00:00:00Z",
}
PAGE_MARK = "page-num"
"""Stands for the eight digits of the page: no other part of a page contains it."""
BINDINGS = [
    {
        "id": f"{PAGE_MARK}-92d4-4c57-b1de-{number:012}",
        "principal_type": "user",
        "principal_id": f"google-oauth2|{number:021}",
        "resource_type": "project",
        "resource_id": PROJECT_ID,
        "role": "ProjectEditor",
        "created_at": "2026-01-01T00:00:00Z",
    }
    for number in range(BINDINGS_PER_PAGE)
]


def render_response(status: str, body: bytes) -> bytes:
    """Return a response as it is sent."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


RESPONSES = {
    b"POST /oauth/token": render_response("200 OK", json.dumps(TOKEN).encode()),
    b"POST /admin/projects": render_response("201 Created", json.dumps(PROJECT).encode()),
    b"GET /admin/projects/" + PROJECT_ID.encode(): render_response("200 OK", json.dumps(PROJECT).encode()),
}
NOT_FOUND = render_response("404 Not Found", b"{}")
PAGE_START = b'{"data":' + json.dumps(BINDINGS).encode() + b',"pagination":'
"""Start of each page. The pages differ in the ids, because no list has an item twice."""


def respond(head: bytes) -> bytes:
    """Return the response to a request head."""
    method, target, _ = head.split(b" ", 2)
    path = target.partition(b"?")[0]
    if path == b"/admin/role-bindings":
        token = PAGINATION_TOKEN.search(target)
        following = int(token[1]) + 1 if token else 1
        pagination = b'{"next":"%d"}' % following if following < PAGES else b"null"
        start = PAGE_START.replace(PAGE_MARK.encode(), b"%08x" % following)
        return render_response("200 OK", start + pagination + b"}")
    return RESPONSES.get(method + b" " + path, NOT_FOUND)


class Budget:
    """The number of requests that are left, and an event that is set when the server has to stop."""

    def __init__(self) -> None:
        self.left = MAX_REQUESTS
        self.spent = asyncio.Event()

    def take(self) -> None:
        """Count one request."""
        self.left -= 1
        if not self.left:
            self.spent.set()


class ServerConnection(asyncio.Protocol):
    """One connection, kept open until the client closes it."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to each request that is complete."""
        assert self._transport is not None
        self._received += data
        while (end := self._received.find(b"\r\n\r\n") + 4) > 3:
            head = self._received[:end]
            length = CONTENT_LENGTH.search(head)
            size = end + (int(length[1]) if length else 0)
            if len(self._received) < size:
                return
            self._received = self._received[size:]
            self._budget.take()
            self._transport.write(respond(head))


async def serve() -> None:
    """Serve until a limit is reached or the standard input is closed."""
    loop = asyncio.get_running_loop()
    budget = Budget()
    server = await loop.create_server(lambda: ServerConnection(budget), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    loop.add_reader(sys.stdin, budget.spent.set)  # the parent writes nothing, so readable means closed
    try:
        async with asyncio.timeout(LIFETIME):
            await budget.spent.wait()
    except TimeoutError:
        print("call_server: stopped after its lifetime", file=sys.stderr)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
