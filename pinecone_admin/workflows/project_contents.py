"""The contents of a project, and the operations of the control plane that list and delete them.

These are only the operations that emptying a project needs, as published for API version 2026-04, and for workspaces
2026-07.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from generated_client.types import (
    Operation,
    QueryValue,
    Reader,
    list_of,
    read_field,
    read_object,
    read_optional_field,
    read_string,
)
from pinecone_admin.workflows.changes import Change, Ref, Settings
from pinecone_admin.workflows.reports import Content

API_VERSION = "2026-04"


@frozen(kw_only=True)
class ContentsPage:
    """One page of a list of the control plane.

    Attributes:
        items: Contents on this page.
        next_page: Token of the next page, or None on the last page.
    """

    items: Sequence[Content]
    next_page: str | None

    @property
    def names(self) -> list[str]:
        """The names of the contents; no two of one kind share one."""
        return [each.name for each in self.items]


def _read_page(json: Any, *, field: str, read_item: Reader[Content]) -> ContentsPage:
    fields = read_object(json)
    items = read_field(fields, field, list_of(read_item))
    return ContentsPage(items=items, next_page=read_optional_field(fields, "pagination", _text_in("next")))


def _text_in(field: str) -> Reader[str | None]:
    return lambda json: read_optional_field(read_object(json), field, read_string)


def _read_with_state(json: Any, *, kind: str) -> Content:
    fields = read_object(json)
    return Content(
        kind=kind,
        name=read_field(fields, "name", read_string),
        protected=read_optional_field(fields, "deletion_protection", read_string) == "enabled",
        leaving=read_optional_field(fields, "status", _text_in("state")) == "Terminating",
    )


def _read_named(json: Any, *, kind: str) -> Content:
    fields = read_object(json)
    status = read_optional_field(fields, "status", read_string)
    return Content(kind=kind, name=read_field(fields, "name", read_string), leaving=status == "Terminating")


def _read_backup(json: Any) -> Content:
    return Content(kind="backup", name=read_field(read_object(json), "backup_id", read_string))


@frozen(kw_only=True)
class ContentKind:
    """A kind of content that a project can have.

    Attributes:
        name: Singular, such as ``"index"``.
        plural: Plural, as in the ids of operations.
        path: Path of the list; a single resource is at ``path/name``.
        field: Field of the response that has the list.
        read_item: Reads an item of the list.
        token: Query parameter for the token of the next page.
        limit: Page size to request; None if the list has no such parameter, or no stated limit.
        api_version: API version of the operations.
        may_be_refused: Whether the server may refuse the list where it could hold something.
    """

    name: str
    plural: str
    path: str
    field: str
    read_item: Reader[Content]
    token: str = "paginationToken"  # noqa: S105 - a parameter's name
    limit: int | None = None
    api_version: str = API_VERSION
    may_be_refused: bool = False


CONTENT_KINDS = (
    ContentKind(
        name="index",
        plural="indexes",
        path="/indexes",
        field="indexes",
        read_item=partial(_read_with_state, kind="index"),
    ),
    ContentKind(
        name="collection",
        plural="collections",
        path="/collections",
        field="collections",
        read_item=partial(_read_named, kind="collection"),
    ),
    ContentKind(
        name="assistant",
        plural="assistants",
        path="/assistant/assistants",
        field="assistants",
        read_item=partial(_read_named, kind="assistant"),
        token="pagination_token",  # noqa: S106 - a parameter's name
    ),
    ContentKind(name="backup", plural="backups", path="/backups", field="data", read_item=_read_backup, limit=100),
    # The API refuses their list where there are no environments in a cloud of one's own.
    ContentKind(
        name="workspace",
        plural="workspaces",
        path="/workspaces",
        field="workspaces",
        read_item=partial(_read_with_state, kind="workspace"),
        limit=100,
        api_version="2026-07",
        may_be_refused=True,
    ),
)
"""All kinds, in the order of the server's checks before it deletes a project.

It is not published whether workspaces do.
"""


def describe_deletion_of(content: Content, project: Ref) -> list[Change]:
    """Return the changes that delete a content of a project; protection is lifted first."""
    target = Ref(content.kind, content.name, project=project)
    lifted = Change(
        action="update",
        target=target,
        settings=Settings(deletion_protection="disabled"),
        before=Settings(deletion_protection="enabled"),
    )
    return [*([lifted] if content.protected else []), Change(action="delete", target=target)]


def describe_deletion_of_project(project: Ref, contents: Iterable[Content], keys: Iterable[Ref]) -> list[Change]:
    """Return the changes that empty a project and delete it, with the API keys that are deleted with it."""
    changes = [change for content in contents for change in describe_deletion_of(content, project)]
    return [*changes, Change(action="delete", target=project, also_deletes=tuple(keys))]


def list_contents_page(kind: ContentKind, token: str | None) -> Operation[ContentsPage]:
    """Build the operation that lists one page of a kind."""
    query: dict[str, QueryValue] = {"limit": kind.limit, kind.token: token}
    return Operation(
        id=f"list_{kind.plural}",
        method="GET",
        path=kind.path,
        query=query,
        returns=partial(_read_page, field=kind.field, read_item=kind.read_item),
        api_version=kind.api_version,
    )


def delete_content(kind: ContentKind, name: str) -> Operation[None]:
    """Build the operation that deletes one content of a project."""
    return Operation(
        id=f"delete_{kind.name}",
        method="DELETE",
        path=f"{kind.path}/{{name}}",
        path_parameters={"name": name},
        returns=None,
        api_version=kind.api_version,
    )


def configure_index(name: str, *, deletion_protection: str | None) -> Operation[None]:
    """Build the operation that changes the deletion protection of an index."""
    return Operation(
        id="configure_index",
        method="PATCH",
        path="/indexes/{name}",
        path_parameters={"name": name},
        body={"deletion_protection": deletion_protection},
        returns=None,
        api_version=API_VERSION,
    )
