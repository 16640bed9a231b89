"""A request, its answer, and the operation that it calls."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

from attrs import field, frozen

from pinecone_admin.emulator.api.checks import Fields, Refusal, quoted
from pinecone_admin.emulator.model.state import Principal, State


@frozen
class Request:
    """A request as the rules read it.

    Args:
        method: in capitals.
        path: percent-encoded, without the query.
        headers: by lower-case name, values of a repeated one joined with commas.
        query: percent-encoded, without the question mark.
        body: the bytes sent.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(factory=dict[str, str])
    query: str = ""
    body: bytes = b""


@frozen
class Delivery:
    """How an answer goes out, where something goes wrong with that.

    Args:
        delay: seconds by which it is late.
        drip: seconds between one byte of the body and the next.
        length: what Content-Length says, where that is not the length of the body; the connection closes after it.
        end: what happens instead of an answer.
    """

    delay: float = 0.0
    drip: float = 0.0
    length: int | None = None
    end: Literal["drop", "reset", "unreachable"] | None = None


@frozen
class Response:
    """An answer as the rules give it, and what goes wrong on its way."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = Delivery()


def method_not_allowed(request: Request, allowed: Iterable[str]) -> Refusal:
    """Return the refusal of a method that a route does not take."""
    methods = ", ".join(allowed)
    message = f"{quoted(request.path)} takes {methods}, not {quoted(request.method)}"
    return Refusal(405, "UNIMPLEMENTED", message, headers={"allow": methods})


@frozen
class OperationContext:
    """An operation called by an authenticated principal.

    Args:
        state: the organization that it is about.
        now: when it arrived.
        caller: who sent it.
        target: the id in the path, empty where the path has none.
        request: the request itself.
    """

    state: State
    now: datetime
    caller: Principal
    target: str
    request: Request

    @property
    def fields(self) -> Fields:
        """The fields of the body."""
        return Fields.from_body(self.request.body)

    @property
    def query(self) -> Fields:
        """The parameters of the query."""
        return Fields(dict(parse_qsl(self.request.query, keep_blank_values=True)))
