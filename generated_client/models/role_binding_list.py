# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""RoleBindingList as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..types import (
    list_of,
    read_field,
    read_optional_field,
    readers,
    refuse,
    slot_setters,
)


@frozen(kw_only=True)
class RoleBindingList:
    """One page of role bindings.

    Attributes:
        data: The role bindings on this page.
        pagination: Where the next page starts. Null or absent on the last page.
    """

    data: list[RoleBinding]
    pagination: PaginationResponse | None = None


def decode_role_binding_list(json: Any) -> RoleBindingList:
    """Decode RoleBindingList from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    model: RoleBindingList = object.__new__(RoleBindingList)
    set_data(model, read_field(fields, "data", list_of(decode_role_binding)))
    set_pagination(model, read_optional_field(fields, "pagination", decode_pagination_response))
    return model


(
    set_data,
    set_pagination,
) = slot_setters(RoleBindingList)
readers[RoleBindingList] = decode_role_binding_list


# Imported below the class because models may refer to each other in a circle.
from ..models.pagination_response import PaginationResponse, decode_pagination_response
from ..models.role_binding import RoleBinding, decode_role_binding
