"""Manage a Pinecone organization: projects, API keys, users, invites, service accounts and role bindings.

Every name is loaded when it is first used. So importing ``Admin`` loads nothing of the async client, and importing
``AsyncAdmin`` nothing of the sync client but the transports that its token exchange uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import generated_client
from pinecone_admin import errors
from pinecone_admin._concurrency.lazy import load_names_on_use
from pinecone_admin.errors import *

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.pagination import AsyncCompleteList, AsyncPaginator
    from pinecone_admin._http.attempt_event import AttemptEvent
    from pinecone_admin._http.pages import Page
    from pinecone_admin._http.retry_policy import RetryPolicy
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.pagination import Paginator
    from pinecone_admin._text.version import __version__
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
    "._async.client": ("AsyncAdmin",),
    "._async.pagination": ("AsyncCompleteList", "AsyncPaginator"),
    "._http.attempt_event": ("AttemptEvent",),
    "._http.pages": ("Page",),
    "._http.retry_policy": ("RetryPolicy",),
    "._sync.client": ("Admin",),
    "._sync.pagination": ("Paginator",),
    "._text.version": ("__version__",),
    ".auth.token": ("AccessToken",),
    ".models": ("RoleBindingDict", "Unlisted", "on_organization", "on_project", "to_dict"),
    ".workflows.inventory": ("Inventory",),
    ".workflows.reports": ("Ensured", "ProjectRole"),
    "generated_client.types": ("Operation",),  # .operations loads every builder
}
__all__ = [
    "AccessToken",
    "Admin",
    "AsyncAdmin",
    "AsyncCompleteList",
    "AsyncPaginator",
    "AttemptEvent",
    "Ensured",
    "Inventory",
    "Operation",
    "Page",
    "Paginator",
    "ProjectRole",
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

    __getattr__, __dir__ = load_names_on_use(__name__, _MODULES)
