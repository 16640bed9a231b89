# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBindingList as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    hash_listed_fields,
    read_list_field,
    read_optional_field,
    readers,
    refuse,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class RoleBindingList:
    """One page of role bindings.

    Attributes:
        data: The role bindings on this page.
        pagination: Where the next page starts. Null or absent on the last page.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    data: list[RoleBinding]
    """The role bindings on this page."""
    pagination: PaginationResponse | None = None
    """Where the next page starts. Null or absent on the last page."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_role_binding_list(json: Any) -> RoleBindingList:
    """Decode RoleBindingList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.data = read_list_field(fields, "data", decode_role_binding)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.pagination = read_optional_field(fields, "pagination", decode_pagination_response)
    draft.extra = NO_EXTRA if len(fields) == 1 + ("pagination" in fields) else fields
    draft.__class__ = RoleBindingList
    model: RoleBindingList = draft
    return model


_Draft = draft_class(RoleBindingList, "extra")
readers[RoleBindingList] = decode_role_binding_list


# Imported below the class because models may refer to each other in a circle.
from ..models.pagination_response import PaginationResponse, decode_pagination_response
from ..models.role_binding import RoleBinding, decode_role_binding
