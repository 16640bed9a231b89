# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateServiceAccountRequest as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class UpdateServiceAccountRequest:
    """The fields of a service account to change.

    Attributes:
        name: The new name, 1 to 80 bytes of UTF-8. The server refuses any other length with 400
            INVALID_ARGUMENT.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> UpdateServiceAccountRequest(name="deploy-staging")
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 80, "unit": "UTF-8 bytes"})
    """The new name, 1 to 80 bytes of UTF-8. The server refuses any other length with 400
    INVALID_ARGUMENT."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
