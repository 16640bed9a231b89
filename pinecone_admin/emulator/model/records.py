"""The records of the emulated organization, and what a state file has of them.

A state file has every field of a record. The metadata of a field says what differs. `given` makes a value that no file
has, from the reader of the file and the record that holds this one. `new` makes one that a file may leave out, from the
reader and the fields before. `check` is the name of a check that is stricter than the type.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias

from attrs import Factory, define, field, frozen

PROJECT_CONTENTS: Mapping[str, str] = {
    "indexes": "index",
    "collections": "collection",
    "assistants": "assistant",
    "backups": "backup",
    "workspaces": "workspace",
}
"""The kinds of resources that block a project's deletion, in the order of the server's checks, with the singular of
each.

That workspaces are among them, and last, is assumed.
"""

INVITE_LIFETIME = timedelta(days=7)

Make: TypeAlias = Callable[[Any, Any], object]


def _new(make: Make, check: str = "") -> Mapping[str, object]:
    return {"new": make, "check": check}


def _given(make: Make) -> Mapping[str, object]:
    return {"given": make}


_ID = _new(lambda reader, _: reader.state.new_id(), "uuid")
_NAME: Mapping[str, object] = {"check": "name"}
_CREATED_AT = _new(lambda reader, _: reader.now)
_POSITION = _given(lambda reader, _: reader.state.next_position())


@define(eq=False)
class OrganizationRecord:
    """The organization; a state has one."""

    id: str = field(metadata=_new(lambda reader, _: reader.new_organization_id(), "name"))
    name: str = field(metadata=_new(lambda _reader, _: "Emulated Organization", "name"))
    plan: str = field(metadata=_new(lambda _reader, _: "Enterprise"))
    payment_status: str = field(metadata=_new(lambda _reader, _: "Active", "payment status"))
    created_at: datetime = field(metadata=_CREATED_AT)


@define(eq=False)
class APIKeyRecord:
    """An API key of a project; its roles are stored as role bindings."""

    id: str = field(metadata=_ID)
    name: str = field(metadata={"check": "key name"})
    project_id: str = field(metadata=_given(lambda _, project: project["id"]))
    value: str = field(metadata=_new(lambda reader, _: reader.state.new_key_value(), "header"))
    created_at: datetime = field(metadata=_CREATED_AT)


@define(eq=False)
class ContentRecord:
    """A resource in a project.

    Args:
        name: Its name, or the id of a backup.
        protected: Whether it has deletion protection, which only indexes can have.
        source: The index that it is created from, which cannot be deleted before it is ready.
        ready_at: The time when it becomes ready; None if it is ready.
        gone_at: The time when its deletion is complete; None if nobody deletes it.
        properties: The properties in the request that created the resource.
    """

    name: str = field(metadata=_NAME)
    protected: bool = False
    source: str = ""
    ready_at: datetime | None = None
    gone_at: datetime | None = None
    properties: dict[str, object] = Factory(dict[str, object])

    def state(self, now: datetime) -> str:
        """Return Terminating, Initializing or Ready."""
        if self.gone_at:
            return "Terminating"
        return "Initializing" if self.ready_at and now < self.ready_at else "Ready"


@define(eq=False)
class ProjectRecord:
    """A project with its API keys and its contents."""

    id: str = field(metadata=_ID)
    name: str = field(metadata=_NAME)
    created_at: datetime = field(metadata=_CREATED_AT)
    max_pods: int = 0
    force_encryption_with_cmek: bool = False
    api_keys: dict[str, APIKeyRecord] = Factory(dict[str, APIKeyRecord])
    indexes: dict[str, ContentRecord] = Factory(dict[str, ContentRecord])
    collections: dict[str, ContentRecord] = Factory(dict[str, ContentRecord])
    assistants: dict[str, ContentRecord] = Factory(dict[str, ContentRecord])
    backups: dict[str, ContentRecord] = Factory(dict[str, ContentRecord])
    workspaces: dict[str, ContentRecord] = Factory(dict[str, ContentRecord])

    @property
    def slug(self) -> str:
        """The part of the hosts of its indexes that identifies the project. It does not show the id."""
        return sha256(self.id.encode()).hexdigest()[:7]

    @property
    def contents(self) -> Mapping[str, dict[str, ContentRecord]]:
        """The contents by kind and name."""
        return {kind: getattr(self, kind) for kind in PROJECT_CONTENTS}


@define(eq=False)
class UserRecord:
    """A user, who is a member of the organization."""

    id: str = field(metadata=_ID)
    email: str = field(metadata={"check": "email"})
    name: str | None = field(metadata=_new(lambda _reader, _: None))
    position: int = field(metadata=_POSITION)


@frozen
class PersonBefore:
    """The roles and invites that an identity provider has set for a person, from before the first change.

    Args:
        user: The user; None if there was none.
        bindings: The role bindings of the user.
        invites: The open invites.
    """

    user: UserRecord | None
    bindings: list["RoleBindingRecord"]
    invites: list["InviteRecord"]


@define(eq=False)
class InviteRecord:
    """An invite; whether it has expired depends on the time."""

    id: str = field(metadata=_ID)
    email: str = field(metadata={"check": "email"})
    created_at: datetime = field(metadata=_CREATED_AT)
    expires_at: datetime = field(metadata=_new(lambda _, invite: invite["created_at"] + INVITE_LIFETIME))
    position: int = field(metadata=_POSITION)
    processed_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """Return pending, expired or processed."""
        if self.processed_at:
            return "processed"
        return "pending" if now < self.expires_at else "expired"


@define(eq=False)
class ServiceAccountRecord:
    """A service account and its client credentials."""

    id: str = field(metadata=_ID)
    name: str = field(metadata={"check": "account name"})
    client_id: str = field(metadata=_new(lambda reader, _: reader.state.new_client_id(), "name"))
    client_secret: str = field(metadata=_new(lambda reader, _: reader.state.new_client_secret(), "name"))
    created_at: datetime = field(metadata=_CREATED_AT)
    updated_at: datetime = field(metadata=_new(lambda _, account: account["created_at"]))
    position: int = field(metadata=_POSITION)

    def mark_updated(self, now: datetime) -> None:
        """Advance `updated_at`, even if the clock stands still."""
        # With a clock that stands still, a change would otherwise leave the time as it was.
        self.updated_at = max(now, self.updated_at + timedelta(microseconds=1))


@frozen
class AccessTokenRecord:
    """An access token of a service account."""

    value: str = field(metadata={"check": "header"})
    service_account_id: str
    expires_at: datetime


@define(eq=False)
class PlainRecord:
    """A record of a plain resource.

    Args:
        collection: The path of the list that has it.
        values: The record as it is shown.
    """

    id: str = field(metadata=_ID)
    collection: str
    values: dict[str, object]
    position: int = field(metadata=_POSITION)


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

    id: str = field(metadata=_ID)
    principal: Principal = field(metadata=_given(lambda _, binding: binding["principal"]))
    grant: Grant = field(metadata=_given(lambda _, binding: binding["grant"]))
    created_at: datetime = field(metadata=_CREATED_AT)
    position: int = field(metadata=_POSITION)


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
