"""The context that an operation runs in."""

from datetime import datetime
from urllib.parse import parse_qsl

from attrs import frozen

from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.emulator.model.state import State


@frozen
class OperationContext:
    """The context of one call of an operation.

    Args:
        state: The organization that the call reads and changes.
        now: The time at which the request arrived.
        caller: The service account that sent it.
        target: The id in the path; empty if the path has none.
        request: The request itself.
    """

    state: State
    now: datetime
    caller: Principal
    target: str
    request: Request

    @property
    def held_grants(self) -> list[Grant]:
        """The roles that the caller holds."""
        return [binding.grant for binding in self.state.role_bindings.held_by(self.caller)]

    @property
    def authority(self) -> list[Grant]:
        """The roles that decide what the caller may do: its own or, if permissions are open, an owner's."""
        if self.state.settings.permissions == "open":
            return [Grant("OrgOwner", "organization", self.state.organization.id)]
        return self.held_grants

    @property
    def fields(self) -> Fields:
        """The fields of the request body."""
        return Fields.from_body(self.request.body)

    @property
    def query(self) -> Fields:
        """The query parameters."""
        return Fields(dict(parse_qsl(self.request.query, keep_blank_values=True)))
