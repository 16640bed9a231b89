# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateAPIKeyRequest as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.api_key_role import APIKeyRole
from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class UpdateAPIKeyRequest:
    """The fields of an API key to change. Omitted fields keep their value.

    Attributes:
        name: The new name, 1 to 80 characters. The server refuses any other length with 400
            INVALID_ARGUMENT.
        roles: The new roles, which replace all roles of the key.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> UpdateAPIKeyRequest(roles=["ControlPlaneEditor", "DataPlaneEditor"])
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 80})
    """The new name, 1 to 80 characters. The server refuses any other length with 400 INVALID_ARGUMENT."""
    roles: list[APIKeyRole] | None = None
    """The new roles, which replace all roles of the key."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
