"""The resources of an organization as they were read, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias

from attrs import field, frozen

from generated_client.models import APIKey, Invite, Organization, Project, RoleBinding, ServiceAccount, User
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.workflows.name_tags import describe_name

Resource: TypeAlias = Organization | Project | APIKey | User | Invite | ServiceAccount | RoleBinding

_NOUNS: Mapping[type, str] = {
    Organization: "organization",
    Project: "project",
    ServiceAccount: "service account",
    APIKey: "API key",
}
_PRINCIPAL_NOUNS: Mapping[str, str] = {"service_account": "service account", "api_key": "API key"}


@frozen(kw_only=True)
class Unread:
    """A part of the organization that could not be read.

    Attributes:
        part: Name of the list, such as ``"users"``.
        project_id: Id of the project if the part is its API keys, otherwise None.
        error: Message of the error.
        status_code: HTTP status of the response, such as 403 if the account may not read the part; None without a
            response.
        worth_retrying: Whether a later try may succeed, for example after a failure of the server or the network.
        error_code: The API's code of the error. It is None if there was no response, or if it came from another server.
    """

    part: str
    """Name of the list, such as ``"users"``."""
    project_id: str | None
    """Id of the project if the part is its API keys, otherwise None."""
    error: str
    """Message of the error."""
    status_code: int | None = None
    """HTTP status of the response, such as 403 if the account may not read the part; None without a response."""
    worth_retrying: bool = False
    """Whether a later try may succeed, for example after a failure of the server or the network."""
    error_code: str | None = None
    """The API's code of the error. It is None if there was no response, or if it came from another server."""

    def __str__(self) -> str:
        return describe_unread(self, ())


def is_hidden(part: Unread) -> bool:
    """Return whether the API refused a part because of the roles of the account; a proxy's 403 does not say that."""
    return part.status_code == HTTPStatus.FORBIDDEN and part.error_code is not None


def name_unread(part: Unread, projects: Iterable[Project]) -> str:
    """Return the name of a part, such as ``the API keys of project search``."""
    things = part.part.replace("_", " ").replace("api", "API")
    if part.project_id is None:
        return f"the {things}"
    name = next((each.name for each in projects if each.id == part.project_id), None)
    return make_printable(f"the {things} of project {name or part.project_id}")


def describe_unread(part: Unread, projects: Iterable[Project]) -> str:
    """Return a part that could not be read, with the reason.

    Args:
        part: The part.
        projects: Projects whose names stand for their ids.
    """
    if is_hidden(part):
        return f"{name_unread(part, projects)}, which this account may not see"
    return make_printable(f"{name_unread(part, projects)} ({part.error})")


@frozen(kw_only=True, repr=False)
class Resources:
    """The lists of an inventory; the attributes are those of ``Inventory``."""

    taken_at: datetime
    """When reading began, by the server's clock. If no response had a valid Date when the projects were read, it is by
    the clock of this machine."""
    organizations: list[Organization]
    """The organization of the client."""
    projects: list[Project]
    """All projects that the account can see."""
    api_keys: list[APIKey]
    """API keys of the projects, in the order of ``projects``."""
    users: list[User]
    """All users."""
    invites: list[Invite]
    """Pending and expired invites."""
    service_accounts: list[ServiceAccount]
    """All service accounts."""
    role_bindings: list[RoleBinding]
    """All role bindings."""
    unread: list[Unread] = field(factory=list[Unread])
    """Parts that could not be read."""
    is_server_time: bool = field(default=True, metadata={"absent_by_default": True})
    """Whether ``taken_at`` is by the server's clock, and not by the clock of this machine."""


class DisplayNames:
    """Describes resources by names rather than ids alone.

    Args:
        read: The sources of the names. A later one overrides an earlier one.
    """

    def __init__(self, *read: Resources) -> None:
        self._projects = {each.id: each.name for one in read for each in one.projects}
        self._principals: dict[tuple[str, str], str] = {}
        for one in read:
            self._principals |= {("user", user.id): user.email for user in one.users}
            self._principals |= {("invite", invite.id): invite.email for invite in one.invites}
            self._principals |= {("service_account", account.id): account.name for account in one.service_accounts}
            self._principals |= {("api_key", key.id): key.name for key in one.api_keys}

    def describe(self, resource: Resource) -> str:
        """Describe any resource of an inventory."""
        match resource:
            case Organization() | Project() | ServiceAccount() | APIKey():
                shown = describe_name(resource.name, quote_name)
                description = f"{_NOUNS[type(resource)]} {shown} ({resource.id})"
                if isinstance(resource, APIKey):
                    project = self._projects.get(resource.project_id, resource.project_id)
                    description += f" of {describe_resource('project', project, None)}"
            case User() | Invite():
                noun = "user" if isinstance(resource, User) else "invite for"
                description = f"{noun} {resource.email} ({resource.id})"
            case RoleBinding():
                id = resource.resource_id
                target = describe_resource(resource.resource_type, self._projects.get(id), id)
                target = "the organization" if resource.resource_type == "organization" else target
                noun = _PRINCIPAL_NOUNS.get(resource.principal_type, resource.principal_type)
                name = self._principals.get((resource.principal_type, resource.principal_id))
                principal = f"{name} ({resource.principal_id})" if name else resource.principal_id
                description = f"{resource.role} for {noun} {principal} on {target}"
        return description
