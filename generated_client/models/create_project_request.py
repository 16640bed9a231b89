# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateProjectRequest as the API document describes it."""

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
class CreateProjectRequest:
    """The project to create.

    Attributes:
        name: The name, 1 to 512 characters without NUL. The server refuses any other name with
            400 INVALID_ARGUMENT. Other projects may have the same name.
        max_pods: The maximum number of pods that the project may use, 0 if omitted. If the
            organization has no access to pods, the server refuses more than 0 with 400
            INVALID_ARGUMENT.
        force_encryption_with_cmek: Whether to require a customer-managed encryption key (CMEK),
            false if omitted. Once true, it cannot be turned off.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> CreateProjectRequest(name="search", force_encryption_with_cmek=True)
    """

    name: str = field(metadata={"minLength": 1, "maxLength": 512})
    """The name, 1 to 512 characters without NUL. The server refuses any other name with 400
    INVALID_ARGUMENT. Other projects may have the same name."""
    max_pods: int | None = field(default=None, metadata={"minimum": 0})
    """The maximum number of pods that the project may use, 0 if omitted. If the organization has no
    access to pods, the server refuses more than 0 with 400 INVALID_ARGUMENT."""
    force_encryption_with_cmek: bool | None = None
    """Whether to require a customer-managed encryption key (CMEK), false if omitted. Once true, it
    cannot be turned off."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
