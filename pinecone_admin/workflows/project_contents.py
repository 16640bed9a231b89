"""The contents of a project, and the operations of the control plane that list and delete them.

These are only the operations that emptying a project needs, as published for API version 2026-04.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from generated_client.models import PaginationResponse
from generated_client.types import Operation, QueryValue
from pinecone_admin.workflows.reports import Content

API_VERSION = "2026-04"


class ContentsPage(Protocol):
    """One page of a list of the control plane."""

    @property
    def items(self) -> Sequence[Content]:
        """Contents on this page."""
        ...

    @property
    def next_page(self) -> str | None:
        """Token of the next page, or None on the last page."""
        ...


@frozen(kw_only=True)
class _Status:
    state: str | None = None


@frozen(kw_only=True)
class _Index:
    name: str
    status: _Status | None = None
    deletion_protection: str | None = None


@frozen(kw_only=True)
class _NamedResource:
    name: str
    status: str | None = None


@frozen(kw_only=True)
class _Backup:
    backup_id: str


@frozen(kw_only=True)
class _ResourcePage:
    pagination: PaginationResponse | None = None

    @property
    def next_page(self) -> str | None:
        return None if self.pagination is None else self.pagination.next_


@frozen(kw_only=True)
class _Indexes(_ResourcePage):
    indexes: list[_Index]

    @property
    def items(self) -> list[Content]:
        return [
            Content(
                kind="index",
                name=each.name,
                protected=each.deletion_protection == "enabled",
                leaving=each.status is not None and each.status.state == "Terminating",
            )
            for each in self.indexes
        ]


@frozen(kw_only=True)
class _Collections(_ResourcePage):
    collections: list[_NamedResource]

    @property
    def items(self) -> list[Content]:
        return [_make_content("collection", each) for each in self.collections]


@frozen(kw_only=True)
class _Assistants(_ResourcePage):
    assistants: list[_NamedResource]

    @property
    def items(self) -> list[Content]:
        return [_make_content("assistant", each) for each in self.assistants]


@frozen(kw_only=True)
class _Backups(_ResourcePage):
    data: list[_Backup]

    @property
    def items(self) -> list[Content]:
        return [Content(kind="backup", name=each.backup_id) for each in self.data]


def _make_content(kind: str, resource: _NamedResource) -> Content:
    return Content(kind=kind, name=resource.name, leaving=resource.status == "Terminating")


@frozen(kw_only=True)
class ContentKind:
    """A kind of content that a project can have.

    Attributes:
        name: Singular, such as ``"index"``.
        plural: Plural, as in the ids of operations.
        path: Path of the list; a single resource is at ``path/name``.
        returns: Type of a page of the list.
        token: Query parameter for the token of the next page.
        limit: Page size to request; None if the list has no such parameter, or no stated limit.
    """

    name: str
    plural: str
    path: str
    returns: type[ContentsPage]
    token: str = "paginationToken"  # noqa: S105 - a parameter's name
    limit: int | None = None


CONTENT_KINDS = (
    ContentKind(name="index", plural="indexes", path="/indexes", returns=_Indexes),
    ContentKind(name="collection", plural="collections", path="/collections", returns=_Collections),
    ContentKind(
        name="assistant",
        plural="assistants",
        path="/assistant/assistants",
        returns=_Assistants,
        token="pagination_token",  # noqa: S106 - a parameter's name
    ),
    ContentKind(name="backup", plural="backups", path="/backups", returns=_Backups, limit=100),
)
"""All kinds, in the order in which the server names what prevents the deletion of a project."""

_KINDS_BY_NAME = {kind.name: kind for kind in CONTENT_KINDS}


def list_contents_page(kind: ContentKind, token: str | None) -> Operation[ContentsPage]:
    """Build the operation that lists one page of a kind."""
    query: dict[str, QueryValue] = {"limit": kind.limit, kind.token: token}
    return Operation(
        id=f"list_{kind.plural}",
        method="GET",
        path=kind.path,
        query=query,
        returns=kind.returns,
        api_version=API_VERSION,
    )


def delete_content(content: Content) -> Operation[None]:
    """Build the operation that deletes one content of a project."""
    return Operation(
        id=f"delete_{content.kind}",
        method="DELETE",
        path=f"{_KINDS_BY_NAME[content.kind].path}/{{name}}",
        path_parameters={"name": content.name},
        returns=None,
        api_version=API_VERSION,
    )


def lift_protection(index: Content) -> Operation[None]:
    """Build the operation that lifts the deletion protection of an index."""
    return Operation(
        id="configure_index",
        method="PATCH",
        path="/indexes/{name}",
        path_parameters={"name": index.name},
        body={"deletion_protection": "disabled"},
        returns=None,
        api_version=API_VERSION,
    )
