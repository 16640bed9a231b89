"""The names of who holds roles, and of what the roles are on, for lists of role bindings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable
from functools import partial
from typing import Any

from pinecone_admin import Admin, Paginator
from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._text.counts import pluralize
from pinecone_admin.cli.identity.caller import read_if_allowed
from pinecone_admin.cli.output.documents import NamedBinding
from pinecone_admin.models import RoleBinding

_COMPLETE = ("organization", "project")
"""Kinds whose lists are one page, and which are read whole."""
_PAGED = ("user", "invite", "service_account")
_CONCURRENCY = 16
_FEW = 10
"""Principals of one kind in a page that are fetched one by one, before their whole list is read."""


def name_bindings(admin: Admin, bindings: Paginator[RoleBinding]) -> Generator[NamedBinding]:
    """Yield role bindings with names, page by page; a name that the account may not see is None."""
    names = _Names(admin)
    for page in bindings.pages():
        names.read(page.items)
        yield from map(names.add_to, page.items)


def name_binding(admin: Admin, binding: RoleBinding) -> NamedBinding:
    """Return a role binding with names, as far as the account may see them."""
    names = _Names(admin)
    names.read([binding])
    return names.add_to(binding)


class _Names:
    """The names that were read, by the type and the id of what has them.

    Args:
        admin: The client.
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._names: dict[tuple[str, str], str | None] = {}
        self._listed: set[str] = set()

    def add_to(self, binding: RoleBinding) -> NamedBinding:
        """Return a role binding with its names."""
        return NamedBinding(
            binding=binding,
            principal_name=self._names.get((binding.principal_type, binding.principal_id)),
            resource_name=self._names.get((binding.resource_type, binding.resource_id)),
        )

    def read(self, bindings: Collection[RoleBinding]) -> None:
        """Read the names for a page of role bindings that are not known yet."""
        unknown: dict[str, set[str]] = {}
        for binding in bindings:
            for pair in ((binding.principal_type, binding.principal_id), (binding.resource_type, binding.resource_id)):
                if pair not in self._names:
                    unknown.setdefault(pair[0], set()).add(pair[1])
        # A key has roles on its project only.
        projects = {each.resource_id for each in bindings if each.principal_id in unknown.get("api_key", ())}
        for kind, ids in unknown.items():
            if kind == "api_key":
                self._read_each(kind, lambda id: self._admin.api_keys.list(project_id=id), projects)
            elif kind in _COMPLETE or (kind in _PAGED and len(ids) > _FEW):
                self._read_all(kind)
            elif kind in _PAGED:
                self._read_each(kind, partial(self._describe, kind), ids)
            for id in ids:
                self._names.setdefault((kind, id), None)

    def _read_all(self, kind: str) -> None:
        if kind not in self._listed:
            self._listed.add(kind)
            self._keep(kind, read_if_allowed(lambda: list(self._namespace(kind).list())) or [])

    def _read_each(self, kind: str, read: Callable[[str], list[Any]], ids: Collection[str]) -> None:
        limit = min(_CONCURRENCY, self._admin.max_connections)
        run_in_parallel(
            lambda id: read_if_allowed(partial(read, id)) or [],
            ids,
            limit=limit,
            deliver=lambda _, found: self._keep(kind, found),
        )

    def _keep(self, kind: str, found: Iterable[Any]) -> None:
        self._names |= {(kind, each.id): getattr(each, "email", None) or each.name for each in found}

    def _describe(self, kind: str, id: str) -> list[Any]:
        return [self._namespace(kind).describe(**{f"{kind}_id": id})]

    def _namespace(self, kind: str) -> Any:
        return getattr(self._admin, pluralize(kind))
