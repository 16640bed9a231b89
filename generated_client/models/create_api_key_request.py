# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateAPIKeyRequest as the API document describes it."""

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
class CreateAPIKeyRequest:
    """The API key to create.

    Attributes:
        name: The name, 1 to 80 characters. The server refuses any other length with 400
            INVALID_ARGUMENT. Other keys may have the same name.
        roles: The roles of the key on its project, only ProjectEditor if omitted.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> CreateAPIKeyRequest(name="indexer", roles=["DataPlaneEditor"])
    """

    name: str = field(metadata={"minLength": 1, "maxLength": 80})
    """The name, 1 to 80 characters. The server refuses any other length with 400 INVALID_ARGUMENT.
    Other keys may have the same name."""
    roles: list[APIKeyRole] | None = None
    """The roles of the key on its project, only ProjectEditor if omitted."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
