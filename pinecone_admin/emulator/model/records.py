"""What the emulated organization holds: one class for each kind of record."""

from datetime import datetime, timedelta

from attrs import Factory, define, field, frozen

PROJECT_CONTENTS = ("indexes", "collections", "assistants", "backups")
"""What blocks a project's deletion, in the order in which the server names it."""


@define(eq=False)
class OrganizationRecord:
    """The organization, one for each state."""

    id: str
    name: str
    plan: str
    payment_status: str
    support_tier: str
    created_at: datetime


@define(eq=False)
class APIKeyRecord:
    """A key of a project; its roles are role bindings."""

    id: str
    name: str
    project_id: str
    value: str


@frozen
class PendingResource:
    """Something that is still being made, which keeps it, or the index that it is made from, from being deleted."""

    source: str
    until: datetime


@define(eq=False)
class ProjectRecord:
    """A project with its keys and the names of what it contains, by kind.

    Args:
        protected: indexes with deletion protection.
        going: what is being deleted, by kind and name, and when it is gone.
        pending: collections and backups that are being made.
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
    pending: dict[str, PendingResource] = Factory(dict[str, PendingResource])

    def remove_content(self, kind: str, name: str) -> None:
        """Take something out, with all that was known of it."""
        self.contents[kind].discard(name)
        self.going.pop((kind, name), None)
        if kind == "indexes":
            self.protected.discard(name)
        elif kind != "assistants":
            self.pending.pop(name, None)


@define(eq=False)
class UserRecord:
    """A member of the organization."""

    id: str
    email: str
    name: str | None
    position: int


@define(eq=False)
class InviteRecord:
    """An invitation; whether it has expired is a question of time."""

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
    """A service account and the secret that buys its tokens."""

    id: str
    name: str
    client_id: str
    client_secret: str
    created_at: datetime
    updated_at: datetime
    position: int

    def mark_updated(self, now: datetime) -> None:
        """Move the time of update, even where the clock stands still."""
        self.updated_at = max(now, self.updated_at + timedelta(microseconds=1))


@frozen
class AccessTokenRecord:
    """What an access token stands for."""

    value: str
    service_account_id: str
    expires_at: datetime


@frozen
class Principal:
    """Who holds a role."""

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
    """What role bindings must be equal in; None matches anything."""

    principal_type: str | None = None
    principal_id: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    role: str | None = None

    def matches(self, binding: RoleBindingRecord) -> bool:
        """Tell whether a binding is equal in all that is given."""
        principal, grant = binding.principal, binding.grant
        return (
            self.principal_type in {None, principal.type}
            and self.principal_id in {None, principal.id}
            and self.resource_type in {None, grant.resource_type}
            and self.resource_id in {None, grant.resource_id}
            and self.role in {None, grant.role}
        )
