"""Run a Pinecone organization from code: projects, API keys, users, invites, service accounts, role bindings.

Every name is loaded when it is first used, so that ``from pinecone_admin import Admin`` loads nothing of the async
client, and the other way round.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import generated_client

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin
    from pinecone_admin._async.pagination import AsyncPaginator
    from pinecone_admin._http.headers import __version__
    from pinecone_admin._http.pages import Page
    from pinecone_admin._http.retry_policy import RetryEvent, RetryPolicy
    from pinecone_admin._sync.client import Admin
    from pinecone_admin._sync.pagination import Paginator
    from pinecone_admin.auth.token import AccessToken
    from pinecone_admin.errors import (
        AmbiguousNameError,
        ApiError,
        BadRequestError,
        ClientClosedError,
        ConflictError,
        FailedPreconditionError,
        ForbiddenError,
        InvalidCredentialsError,
        LeftoverError,
        NotFoundError,
        PaginationError,
        PaymentRequiredError,
        PineconeConnectionError,
        PineconeError,
        PineconeTimeoutError,
        PineconeTypeError,
        PineconeValueError,
        RateLimitError,
        ReadOnlyError,
        RefusedError,
        ResponseParsingError,
        SecretNotStoredError,
        ServiceError,
        TokenError,
        UnauthorizedError,
        UnprocessableEntityError,
        ValidationError,
    )
    from pinecone_admin.models import RoleBindingDict, Unlisted, on_organization, on_project, to_dict
    from pinecone_admin.operations import Operation
    from pinecone_admin.workflows.inventory import Inventory
    from pinecone_admin.workflows.reports import Ensured, ProjectRole

if generated_client.__dict__.get("GENERATED_FOR") != __name__:
    raise ImportError(
        "another installed package is named generated_client too, and one of the two was installed over the other: "
        f"{generated_client.__file__} is not ours. Uninstall the other, then reinstall pinecone-admin"
    )

_WHERE = {
    "AccessToken": "pinecone_admin.auth.token",
    "Admin": "pinecone_admin._sync.client",
    "AmbiguousNameError": "pinecone_admin.errors",
    "ApiError": "pinecone_admin.errors",
    "AsyncAdmin": "pinecone_admin._async.client",
    "AsyncPaginator": "pinecone_admin._async.pagination",
    "BadRequestError": "pinecone_admin.errors",
    "ClientClosedError": "pinecone_admin.errors",
    "ConflictError": "pinecone_admin.errors",
    "Ensured": "pinecone_admin.workflows.reports",
    "FailedPreconditionError": "pinecone_admin.errors",
    "ForbiddenError": "pinecone_admin.errors",
    "InvalidCredentialsError": "pinecone_admin.errors",
    "Inventory": "pinecone_admin.workflows.inventory",
    "LeftoverError": "pinecone_admin.errors",
    "NotFoundError": "pinecone_admin.errors",
    "Operation": "pinecone_admin.operations",
    "Page": "pinecone_admin._http.pages",
    "PaginationError": "pinecone_admin.errors",
    "Paginator": "pinecone_admin._sync.pagination",
    "PaymentRequiredError": "pinecone_admin.errors",
    "PineconeConnectionError": "pinecone_admin.errors",
    "PineconeError": "pinecone_admin.errors",
    "PineconeTimeoutError": "pinecone_admin.errors",
    "PineconeTypeError": "pinecone_admin.errors",
    "PineconeValueError": "pinecone_admin.errors",
    "ProjectRole": "pinecone_admin.workflows.reports",
    "RateLimitError": "pinecone_admin.errors",
    "ReadOnlyError": "pinecone_admin.errors",
    "RefusedError": "pinecone_admin.errors",
    "ResponseParsingError": "pinecone_admin.errors",
    "RetryEvent": "pinecone_admin._http.retry_policy",
    "RetryPolicy": "pinecone_admin._http.retry_policy",
    "RoleBindingDict": "pinecone_admin.models",
    "SecretNotStoredError": "pinecone_admin.errors",
    "ServiceError": "pinecone_admin.errors",
    "TokenError": "pinecone_admin.errors",
    "UnauthorizedError": "pinecone_admin.errors",
    "Unlisted": "pinecone_admin.models",
    "UnprocessableEntityError": "pinecone_admin.errors",
    "ValidationError": "pinecone_admin.errors",
    "__version__": "pinecone_admin._http.headers",
    "on_organization": "pinecone_admin.models",
    "on_project": "pinecone_admin.models",
    "to_dict": "pinecone_admin.models",
}

__all__ = [
    "AccessToken",
    "Admin",
    "AmbiguousNameError",
    "ApiError",
    "AsyncAdmin",
    "AsyncPaginator",
    "BadRequestError",
    "ClientClosedError",
    "ConflictError",
    "Ensured",
    "FailedPreconditionError",
    "ForbiddenError",
    "InvalidCredentialsError",
    "Inventory",
    "LeftoverError",
    "NotFoundError",
    "Operation",
    "Page",
    "PaginationError",
    "Paginator",
    "PaymentRequiredError",
    "PineconeConnectionError",
    "PineconeError",
    "PineconeTimeoutError",
    "PineconeTypeError",
    "PineconeValueError",
    "ProjectRole",
    "RateLimitError",
    "ReadOnlyError",
    "RefusedError",
    "ResponseParsingError",
    "RetryEvent",
    "RetryPolicy",
    "RoleBindingDict",
    "SecretNotStoredError",
    "ServiceError",
    "TokenError",
    "UnauthorizedError",
    "Unlisted",
    "UnprocessableEntityError",
    "ValidationError",
    "__version__",
    "on_organization",
    "on_project",
    "to_dict",
]

if not TYPE_CHECKING:  # else a misspelt import would pass the type checkers

    def __getattr__(name: str) -> object:
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_WHERE[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_WHERE})
