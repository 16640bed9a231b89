"""The role bindings, with indexes that keep filters fast at 100,000 bindings."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import TypeVar

from attrs import Factory, define

from pinecone_admin.emulator.model.listing import Listing
from pinecone_admin.emulator.model.records import BindingFilter, Grant, Principal, RoleBindingRecord

_IndexKey = tuple[str | None, str | None, str | None, str | None]


@lru_cache(maxsize=1024)  # many bindings share a grant: without it, loading 100,000 takes half a second longer
def _index_keys(principal_type: str, grant: Grant) -> tuple[_IndexKey, ...]:
    # A resource id never comes without its type: the API refuses such a filter.
    resources = ((None, None), (grant.resource_type, None), (grant.resource_type, grant.resource_id))
    combinations = product((None, principal_type), resources, (None, grant.role))
    return tuple((each_type, resource[0], resource[1], role) for each_type, resource, role in combinations)


@define
class RoleBindingIndex:
    """All role bindings, with a listing for each combination of filters that does not name a principal.

    A filter that names a principal needs no listing: a principal holds few bindings, so a scan of those is fast.
    """

    _by_id: dict[str, RoleBindingRecord] = Factory(dict[str, RoleBindingRecord])
    _by_filter: dict[_IndexKey, Listing[RoleBindingRecord]] = Factory(dict[_IndexKey, Listing[RoleBindingRecord]])
    _by_principal: dict[Principal, Listing[RoleBindingRecord]] = Factory(dict[Principal, Listing[RoleBindingRecord]])

    def add(self, binding: RoleBindingRecord) -> None:
        """Add a binding to every index."""
        self._by_id[binding.id] = binding
        _add_to_index(self._by_principal, binding.principal, binding)
        for key in _index_keys(binding.principal.type, binding.grant):
            _add_to_index(self._by_filter, key, binding)

    def remove(self, binding: RoleBindingRecord) -> None:
        """Remove a binding from every index."""
        del self._by_id[binding.id]
        _remove_from_index(self._by_principal, binding.principal, binding)
        for key in _index_keys(binding.principal.type, binding.grant):
            _remove_from_index(self._by_filter, key, binding)

    def get(self, binding_id: str) -> RoleBindingRecord | None:
        """Return the binding with an id, or None."""
        return self._by_id.get(binding_id)

    def held_by(self, principal: Principal) -> list[RoleBindingRecord]:
        """Return a principal's bindings, oldest first."""
        # A copy, because callers remove bindings while they iterate.
        return list(self._by_principal.get(principal, ()))

    def matching(self, filters: BindingFilter) -> Listing[RoleBindingRecord]:
        """Return the listing of the bindings that match a filter."""
        if filters.principal_type and filters.principal_id is not None:
            held = self.held_by(Principal(filters.principal_type, filters.principal_id))
            return Listing([binding for binding in held if filters.matches(binding)])
        key = (filters.principal_type, filters.resource_type, filters.resource_id, filters.role)
        return self._by_filter.get(key, Listing())

    def __iter__(self) -> Iterator[RoleBindingRecord]:
        return iter(self._by_filter.get((None, None, None, None), ()))

    def __len__(self) -> int:
        return len(self._by_id)


K = TypeVar("K")


def _add_to_index(index: dict[K, Listing[RoleBindingRecord]], key: K, binding: RoleBindingRecord) -> None:
    listing = index.get(key)
    if listing is None:
        listing = index[key] = Listing()
    listing.add(binding)


def _remove_from_index(index: dict[K, Listing[RoleBindingRecord]], key: K, binding: RoleBindingRecord) -> None:
    listing = index[key]
    listing.remove(binding)
    # Without this, the index would grow with every id that was ever in use.
    if not listing:
        del index[key]
