"""Read roles as they are written on the command line, before anything is sent."""

from __future__ import annotations

from attrs import frozen

from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.parameters import suggest
from pinecone_admin.models import ORGANIZATION_ROLES, PROJECT_ROLES


@frozen
class WantedRole:
    """A role on the organization, or on a project.

    Attributes:
        role: The role.
        project: Id or name of the project; None for the organization.
    """

    role: str
    project: str | None = None

    def __str__(self) -> str:
        return f"{self.project}:{self.role}" if self.project else self.role


def parse_role(option: str, text: str) -> WantedRole:
    """Return the role that ``ROLE`` or ``PROJECT:ROLE`` means.

    Raises:
        CLIError: There is no such role on an organization or on a project.
    """
    project, colon, role = text.rpartition(":")
    if colon and not project:
        raise CLIError(f"{option}: {text!r} names no project: write PROJECT:ROLE, or a role on the organization alone")
    known = PROJECT_ROLES if colon else ORGANIZATION_ROLES
    if role not in known:
        raise CLIError(f"{option}: {_explain(role, on_project=bool(colon))}")
    return WantedRole(role, project or None)


def _explain(role: str, *, on_project: bool) -> str:
    fitting, others = (PROJECT_ROLES, ORGANIZATION_ROLES) if on_project else (ORGANIZATION_ROLES, PROJECT_ROLES)
    where = "a project" if on_project else "the organization"
    if role in others:
        return f"{role} is a role on {'the organization' if on_project else 'a project: write PROJECT:' + role}"
    return f"{role!r} is no role on {where}: {suggest(role, fitting)}"


_PRINCIPALS = ("user", "service-account", "api-key", "invite")


@frozen
class WantedGrant:
    """A project role for a principal.

    Attributes:
        noun: What the principal is, such as ``service-account``.
        principal: Its id, name or email address.
        role: The role.
    """

    noun: str
    principal: str
    role: str

    def __str__(self) -> str:
        return f"{self.noun}:{self.principal}:{self.role}"


def parse_grant(option: str, text: str) -> WantedGrant:
    """Return what ``TYPE:PRINCIPAL:ROLE`` means.

    Raises:
        CLIError: It does not have three parts, or there is no such type or role.
    """
    noun, principal, role = _split_parts(option, text, "TYPE:WHO:ROLE, such as user:ada@example.com:ProjectEditor")
    if role not in PROJECT_ROLES:
        raise CLIError(f"{option}: {_explain(role, on_project=True)}")
    return WantedGrant(noun, principal, role)


@frozen
class WantedBinding:
    """A role that a principal holds.

    Attributes:
        noun: What the principal is, such as ``service-account``.
        principal: Its id, name or email address.
        role: The role, and the project that it is on.
    """

    noun: str
    principal: str
    role: WantedRole


def parse_binding(option: str, text: str) -> WantedBinding:
    """Return what ``TYPE:PRINCIPAL:ROLE`` or ``TYPE:PRINCIPAL:PROJECT:ROLE`` means.

    Raises:
        CLIError: A part is missing, or there is no such type or role.
    """
    forms = "TYPE:WHO:ROLE or TYPE:WHO:PROJECT:ROLE, such as user:ada@example.com:search:ProjectViewer"
    noun, principal, role = _split_parts(option, text, forms)
    before, colon, project = principal.rpartition(":")
    if role in PROJECT_ROLES and colon and before:
        return WantedBinding(noun, before, parse_role(option, f"{project}:{role}"))
    return WantedBinding(noun, principal, parse_role(option, role))


def api_type(noun: str) -> str:
    """Return what the API calls a type of principal or resource, such as ``service_account``."""
    return noun.replace("-", "_")


def _split_parts(option: str, text: str, forms: str) -> tuple[str, str, str]:
    """Return the type, what is between it and the role, and the role; what is between may have colons itself."""
    noun, _, rest = text.partition(":")
    principal, colon, role = rest.rpartition(":")
    if noun not in _PRINCIPALS or not colon or not principal:
        raise CLIError(f"{option}: {text!r} must be {forms}; the types are {', '.join(_PRINCIPALS)}")
    return noun, principal, role
