"""What an operation is given: who calls it, when, with what."""

from datetime import datetime
from urllib.parse import parse_qsl

from attrs import frozen

from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.emulator.model.state import State


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
