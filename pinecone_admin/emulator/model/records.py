"""The records of the emulated organization."""

from datetime import datetime, timedelta

from attrs import Factory, define, field, frozen

PROJECT_CONTENTS = ("indexes", "collections", "assistants", "backups")
"""The kinds of resources that block a project's deletion, in the order in which the server names them."""


@define(eq=False)
class OrganizationRecord:
    """The organization; a state has one."""

    id: str
    name: str
    plan: str
    payment_status: str
    support_tier: str
    created_at: datetime


@define(eq=False)
class APIKeyRecord:
    """An API key of a project; its roles are stored as role bindings."""

    id: str
    name: str
    project_id: str
    value: str
    created_at: datetime


@frozen
class PendingResource:
    """A resource that is still being created.

    Until it is ready, neither a backup nor the index that a collection is created from can be deleted.

    Args:
        source: The index that it is created from; empty if there is none.
        until: The time at which it is ready.
    """

    source: str
    until: datetime


@define(eq=False)
class ProjectRecord:
    """A project with its API keys and the names of its contents, by kind.

    Args:
        protected: The indexes with deletion protection.
        going: The resources that are being deleted, by kind and name, and when they are gone.
        pending: The resources that are being created, by kind and name.
        properties: What the control plane was asked for when it created a resource, by kind and name.
    """

    id: str
    name: str
    organization_id: str
    created_at: datetime
    max_pods: int
    force_encryption_with_cmek: bool
    api_keys: dict[str, APIKeyRecord] = Factory(dict[str, APIKeyRecord])
    contents: dict[str, set[str]] = field(factory=lambda: {kind: set[str]() for kind in PROJECT_CONTENTS})
    protected: set[str] = Factory(set[str])
    going: dict[tuple[str, str], datetime] = Factory(dict[tuple[str, str], datetime])
    pending: dict[tuple[str, str], PendingResource] = Factory(dict[tuple[str, str], PendingResource])
    properties: dict[tuple[str, str], dict[str, object]] = Factory(dict[tuple[str, str], dict[str, object]])

    def remove_content(self, kind: str, name: str) -> None:
        """Remove a resource and everything known about it."""
        self.contents[kind].discard(name)
        for known in (self.going, self.pending, self.properties):
            known.pop((kind, name), None)
        if kind == "indexes":
            self.protected.discard(name)


@define(eq=False)
class UserRecord:
    """A user, who is a member of the organization."""

    id: str
    email: str
    name: str | None
    position: int


@define(eq=False)
class InviteRecord:
    """An invite; whether it has expired depends on the time."""

    id: str
    email: str
    created_at: datetime
    expires_at: datetime
    position: int
    processed_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """Return pending, expired or processed."""
        if self.processed_at:
            return "processed"
        return "pending" if now < self.expires_at else "expired"


@define(eq=False)
class ServiceAccountRecord:
    """A service account and its client credentials."""

    id: str
    name: str
    client_id: str
    client_secret: str
    created_at: datetime
    updated_at: datetime
    position: int

    def mark_updated(self, now: datetime) -> None:
        """Advance `updated_at`, even if the clock stands still."""
        # With a clock that stands still, a change would otherwise leave the time as it was.
        self.updated_at = max(now, self.updated_at + timedelta(microseconds=1))


@frozen
class AccessTokenRecord:
    """An access token of a service account."""

    value: str
    service_account_id: str
    expires_at: datetime


@frozen
class Principal:
    """A principal: a user, service account, API key or invite."""

    type: str
    id: str


@frozen
class Grant:
    """A role on a resource."""

    role: str
    resource_type: str
    resource_id: str


@frozen(eq=False)
class RoleBindingRecord:
    """A principal's role on a resource."""

    id: str
    principal: Principal
    grant: Grant
    created_at: datetime
    position: int


@frozen
class BindingFilter:
    """A filter of role bindings; None matches anything."""

    principal_type: str | None = None
    principal_id: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    role: str | None = None

    def matches(self, binding: RoleBindingRecord) -> bool:
        """Return whether a binding matches every given filter."""
        principal, grant = binding.principal, binding.grant
        return (
            self.principal_type in {None, principal.type}
            and self.principal_id in {None, principal.id}
            and self.resource_type in {None, grant.resource_type}
            and self.resource_id in {None, grant.resource_id}
            and self.role in {None, grant.role}
        )
