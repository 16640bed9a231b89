"""Manage a Pinecone organization: projects, API keys, users, invites, service accounts and role bindings.

Every name is loaded when it is first used, so that importing ``Admin`` loads nothing of the async client, and importing
``AsyncAdmin`` nothing of the sync client but the transports that its token exchange uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import generated_client
from pinecone_admin import errors
from pinecone_admin.errors import *

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.pagination import AsyncPaginator
    from pinecone_admin._http.headers import __version__
    from pinecone_admin._http.pages import Page
    from pinecone_admin._http.retry_policy import RetryEvent, RetryPolicy
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.pagination import Paginator
    from pinecone_admin.auth.token import AccessToken
    from pinecone_admin.models import RoleBindingDict, Unlisted, on_organization, on_project, to_dict
    from pinecone_admin.operations import Operation
    from pinecone_admin.workflows.inventory import Inventory
    from pinecone_admin.workflows.reports import Ensured, ProjectRole

if generated_client.__dict__.get("GENERATED_FOR") != __name__:
    raise ImportError(
        f"another installed package also provides generated_client: {generated_client.__file__} is not part of "
        "pinecone-admin. Uninstall the other package, then reinstall pinecone-admin"
    )

_MODULES = {
    "pinecone_admin._async.client": ("AsyncAdmin",),
    "pinecone_admin._async.pagination": ("AsyncPaginator",),
    "pinecone_admin._http.headers": ("__version__",),
    "pinecone_admin._http.pages": ("Page",),
    "pinecone_admin._http.retry_policy": ("RetryEvent", "RetryPolicy"),
    "pinecone_admin._sync.client": ("Admin",),
    "pinecone_admin._sync.pagination": ("Paginator",),
    "pinecone_admin.auth.token": ("AccessToken",),
    "pinecone_admin.models": ("RoleBindingDict", "Unlisted", "on_organization", "on_project", "to_dict"),
    "pinecone_admin.operations": ("Operation",),
    "pinecone_admin.workflows.inventory": ("Inventory",),
    "pinecone_admin.workflows.reports": ("Ensured", "ProjectRole"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AccessToken",
    "Admin",
    "AsyncAdmin",
    "AsyncPaginator",
    "Ensured",
    "Inventory",
    "Operation",
    "Page",
    "Paginator",
    "ProjectRole",
    "RetryEvent",
    "RetryPolicy",
    "RoleBindingDict",
    "Unlisted",
    "__version__",
    "on_organization",
    "on_project",
    "to_dict",
]
__all__ += errors.__all__
__all__.remove("Masked")  # noqa: PYI056 - mypy and pyright support it
__all__.remove("Outcome")  # noqa: PYI056 - as above

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers
    __all__.sort()

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULE_OF})
