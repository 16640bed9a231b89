"""The caller, as far as the API shows it. The API has no "me", so some of it may stay unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from attrs import frozen

from pinecone_admin import Admin, ForbiddenError, NotFoundError, RefusedError
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.models import Project, RoleBinding, ServiceAccount
from pinecone_admin.workflows.guard import Caller, explain_unknown

_T = TypeVar("_T")

UNKNOWN = "unknown"


@frozen
class CallerOrganization:
    """The organization of the caller; its name is ``unknown`` where only its projects can be read."""

    id: str
    name: str


@frozen(kw_only=True)
class CallerView:
    """The caller as far as it is visible; None marks fields that could not be read.

    Attributes:
        client_id: Client id of the service account.
        account_id: Id of the service account.
        account_name: Its name.
        organizations: Names of its organizations by their ids; a name that cannot be read is None.
        roles: Its roles, as ``OrgOwner`` or ``search:ProjectEditor``.
        expires_at: Until when its token is valid.
    """

    client_id: str | None
    account_id: str | None
    account_name: str | None
    organizations: dict[str, str | None]
    roles: Sequence[str] | None
    expires_at: datetime | None

    def to_document(self) -> dict[str, object]:
        """Return the view as a document; a text that cannot be seen is ``unknown``, and other values are None."""
        return {
            "client_id": self.client_id or UNKNOWN,
            "service_account_id": self.account_id or UNKNOWN,
            "service_account_name": self.account_name or UNKNOWN,
            "organization_id": ", ".join(self.organizations) or UNKNOWN,
            "organization_name": ", ".join(filter(None, self.organizations.values())) or UNKNOWN,
            "roles": None if self.roles is None else list(self.roles),
            "token_expires_at": None if self.expires_at is None else self.expires_at.isoformat(timespec="seconds"),
        }


def look_at_caller(admin: Admin, *, client_id: str | None) -> CallerView:
    """Read what the caller may see of itself; what it may not see stays unknown.

    Args:
        admin: Client of the caller.
        client_id: Client id of the caller, or None if it authenticates with a token from elsewhere.

    Raises:
        PineconeError: The token is not accepted, or a request fails for another reason than permissions.
    """
    expires_at = admin.token().expires_at
    organizations = read_organizations(admin)
    projects = read_if_allowed(admin.projects.list) or []
    account = _find_account(admin, Caller(client_id))
    bindings = None if client_id is None else _read_own_bindings(admin, account)
    return CallerView(
        client_id=client_id,
        account_id=_find_account_id(account, bindings),
        account_name=account.name if account else None,
        organizations=organizations,
        roles=None if bindings is None else describe_roles(bindings, projects),
        expires_at=expires_at,
    )


def is_of_caller(admin: Admin, noun: str, id: str, *, caller: Caller) -> bool:
    """Return whether a service account is the caller's own, or a role binding is one of that account.

    Args:
        admin: Client of the caller.
        noun: ``service-account`` or ``role-binding``.
        id: Id of the account or of the role binding.
        caller: The caller.

    Raises:
        RefusedError: The account may be the caller's own: an access token does not show whose it is.
    """
    if noun == "role-binding":
        binding = read_if_allowed(lambda: admin.role_bindings.describe(role_binding_id=id))
        if binding is None or binding.principal_type != "service_account":
            return False
        id = binding.principal_id
    account = _find_account(admin, caller)
    if (unknown := explain_unknown(caller, filter(None, [account]))) is not None:
        subject = read_if_allowed(lambda: admin.service_accounts.describe(service_account_id=id))
        name = None if subject is None else subject.name
        subject_name = describe_resource("service account", name, id)
        raise RefusedError(f"{subject_name} may be the account you are using: {unknown}")
    return id == _find_account_id(account, None if account else _read_own_bindings(admin, None))


def _find_account_id(account: ServiceAccount | None, bindings: Sequence[RoleBinding] | None) -> str | None:
    return account.id if account else next((each.principal_id for each in bindings or ()), None)


def read_organizations(admin: Admin) -> dict[str, str | None]:
    """Return the caller's organizations by their ids; without their names where only its projects can be read."""
    organizations = read_if_allowed(admin.organizations.list)
    if organizations:
        return {each.id: each.name for each in organizations}
    return dict.fromkeys(each.organization_id for each in read_if_allowed(admin.projects.list) or ())


def read_if_allowed(read: Callable[[], _T]) -> _T | None:
    """Return what is read, or None if the caller may not see it.

    Raises:
        PineconeError: The read fails for another reason, or another server than the API refuses it.
    """
    try:
        return read()
    except (ForbiddenError, NotFoundError) as exc:
        if exc.error_code is None:
            raise
        return None


def read_organization(admin: Admin) -> CallerOrganization:
    """Return the organization of the caller, which prompts and dry runs name.

    Raises:
        CLIError: The caller can see neither an organization nor a project.
    """
    found = read_organizations(admin)
    if not found:
        message = (
            "This account can see no organization and no project. To see which account it is, run pinecone-admin "
            "whoami."
        )
        raise CLIError(message, cause=ForbiddenError)
    key, name = next(iter(found.items()))
    return CallerOrganization(key, name or UNKNOWN)


def describe_roles(bindings: Iterable[RoleBinding], projects: Sequence[Project]) -> list[str]:
    """Return roles as they are written on the command line; a project that shares its name is named by its id."""
    counts = Counter(project.name for project in projects)
    names = {project.id: project.name for project in projects if counts[project.name] == 1}
    return [
        f"{names.get(binding.resource_id, binding.resource_id)}:{binding.role}"
        if binding.resource_type == "project"
        else binding.role
        for binding in bindings
    ]


def _find_account(admin: Admin, caller: Caller) -> ServiceAccount | None:
    if caller.client_id is None:
        return None
    accounts = read_if_allowed(lambda: [*filter(caller.owns, admin.service_accounts.list())])
    return accounts[0] if accounts else None


def _read_own_bindings(admin: Admin, account: ServiceAccount | None) -> list[RoleBinding] | None:
    """Return the role bindings of the caller, a service account, or None if it is unknown which are its own."""
    of_accounts = admin.role_bindings.list(
        principal_type="service_account", principal_id=None if account is None else account.id
    )
    bindings = read_if_allowed(lambda: list(of_accounts))
    # Every principal sees its own bindings, so those of a single principal are the caller's.
    principals = {each.principal_id for each in bindings or ()}
    return bindings if len(principals) <= 1 else None
