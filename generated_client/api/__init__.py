# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Every operation of the API document; each is loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING

from ..types import Parameters

if TYPE_CHECKING:
    from .api_keys.create_api_key import create_api_key
    from .api_keys.delete_api_key import delete_api_key
    from .api_keys.fetch_api_key import fetch_api_key
    from .api_keys.list_project_api_keys import list_project_api_keys
    from .api_keys.update_api_key import update_api_key
    from .invites.create_invite import create_invite
    from .invites.delete_invite import delete_invite
    from .invites.fetch_invite import fetch_invite
    from .invites.list_invites import list_invites
    from .invites.resend_invite import resend_invite
    from .organizations.delete_organization import delete_organization
    from .organizations.fetch_organization import fetch_organization
    from .organizations.list_organizations import list_organizations
    from .organizations.update_organization import update_organization
    from .projects.create_project import create_project
    from .projects.delete_project import delete_project
    from .projects.fetch_project import fetch_project
    from .projects.list_projects import list_projects
    from .projects.update_project import update_project
    from .role_bindings.create_role_binding import create_role_binding
    from .role_bindings.delete_role_binding import delete_role_binding
    from .role_bindings.fetch_role_binding import fetch_role_binding
    from .role_bindings.list_role_bindings import list_role_bindings
    from .service_accounts.create_service_account import create_service_account
    from .service_accounts.delete_service_account import delete_service_account
    from .service_accounts.fetch_service_account import fetch_service_account
    from .service_accounts.list_service_accounts import list_service_accounts
    from .service_accounts.rotate_service_account_secret import (
        rotate_service_account_secret,
    )
    from .service_accounts.update_service_account import update_service_account
    from .users.delete_user import delete_user
    from .users.fetch_user import fetch_user
    from .users.list_users import list_users

_MODULES = {
    "list_organizations": ".organizations.list_organizations",
    "fetch_organization": ".organizations.fetch_organization",
    "delete_organization": ".organizations.delete_organization",
    "update_organization": ".organizations.update_organization",
    "list_projects": ".projects.list_projects",
    "create_project": ".projects.create_project",
    "fetch_project": ".projects.fetch_project",
    "delete_project": ".projects.delete_project",
    "update_project": ".projects.update_project",
    "list_project_api_keys": ".api_keys.list_project_api_keys",
    "create_api_key": ".api_keys.create_api_key",
    "fetch_api_key": ".api_keys.fetch_api_key",
    "delete_api_key": ".api_keys.delete_api_key",
    "update_api_key": ".api_keys.update_api_key",
    "list_users": ".users.list_users",
    "fetch_user": ".users.fetch_user",
    "delete_user": ".users.delete_user",
    "list_invites": ".invites.list_invites",
    "create_invite": ".invites.create_invite",
    "fetch_invite": ".invites.fetch_invite",
    "delete_invite": ".invites.delete_invite",
    "resend_invite": ".invites.resend_invite",
    "list_service_accounts": ".service_accounts.list_service_accounts",
    "create_service_account": ".service_accounts.create_service_account",
    "fetch_service_account": ".service_accounts.fetch_service_account",
    "delete_service_account": ".service_accounts.delete_service_account",
    "update_service_account": ".service_accounts.update_service_account",
    "rotate_service_account_secret": ".service_accounts.rotate_service_account_secret",
    "list_role_bindings": ".role_bindings.list_role_bindings",
    "create_role_binding": ".role_bindings.create_role_binding",
    "fetch_role_binding": ".role_bindings.fetch_role_binding",
    "delete_role_binding": ".role_bindings.delete_role_binding",
}

__all__ = [
    "create_api_key",
    "create_invite",
    "create_project",
    "create_role_binding",
    "create_service_account",
    "delete_api_key",
    "delete_invite",
    "delete_organization",
    "delete_project",
    "delete_role_binding",
    "delete_service_account",
    "delete_user",
    "fetch_api_key",
    "fetch_invite",
    "fetch_organization",
    "fetch_project",
    "fetch_role_binding",
    "fetch_service_account",
    "fetch_user",
    "list_invites",
    "list_organizations",
    "list_project_api_keys",
    "list_projects",
    "list_role_bindings",
    "list_service_accounts",
    "list_users",
    "resend_invite",
    "rotate_service_account_secret",
    "update_api_key",
    "update_organization",
    "update_project",
    "update_service_account",
]


def parameters_of(operation_id: str) -> Parameters:
    """Return the parameters of an operation as its module states them; an unknown operation has none."""
    if operation_id not in _MODULES:
        return {}
    return getattr(import_module(_MODULES[operation_id], __name__), "PARAMETERS", {})


if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name], __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})
