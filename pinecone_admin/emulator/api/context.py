"""The context that an operation runs in."""

from datetime import datetime
from urllib.parse import parse_qsl

from attrs import frozen

from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.model.records import Grant, Principal
from pinecone_admin.emulator.model.state import State


@frozen
class RequestContext:
    """The context of one request, whoever sent it.

    Args:
        state: The organization that the call reads and changes.
        now: The time when the request arrived.
        request: The request itself.
        targets: The ids or names in the path.
    """

    state: State
    now: datetime
    request: Request
    targets: tuple[str, ...]

    @property
    def target(self) -> str:
        """The first id or name in the path; empty if the path has none."""
        return self.targets[0] if self.targets else ""

    @property
    def fields(self) -> Fields:
        """The fields of the request body."""
        return Fields.from_body(self.request.body)

    @property
    def query(self) -> Fields:
        """The query parameters."""
        return Fields(dict(parse_qsl(self.request.query, keep_blank_values=True)))


@frozen
class OperationContext(RequestContext):
    """The context of one call of the Admin API.

    Args:
        caller: The service account that sent it.
    """

    caller: Principal

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
