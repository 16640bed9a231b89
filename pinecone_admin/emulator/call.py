"""A request, its answer, and the operation that it calls."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from attrs import field, frozen

from pinecone_admin.emulator.checks import Fields
from pinecone_admin.emulator.state import Principal, State


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
class Response:
    """An answer as the rules give it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class Call:
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
        return Fields.of(self.request.body)

    @property
    def query(self) -> Fields:
        """The parameters of the query."""
        return Fields(dict(parse_qsl(self.request.query, keep_blank_values=True)))
