# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateProjectRequest as the API document describes it."""

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
class UpdateProjectRequest:
    """The fields of a project to change. Omitted fields keep their value.

    Attributes:
        name: The new name, 1 to 512 characters without NUL. The server refuses any other name
            with 400 INVALID_ARGUMENT.
        max_pods: The maximum number of pods that the project may use. If the organization has
            no access to pods, the server refuses more than 0 with 400 INVALID_ARGUMENT.
        force_encryption_with_cmek: True requires a customer-managed encryption key (CMEK) from
            now on, and cannot be undone. False changes nothing in a project that does not require
            one.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> UpdateProjectRequest(name="semantic-search")
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 512})
    """The new name, 1 to 512 characters without NUL. The server refuses any other name with 400
    INVALID_ARGUMENT."""
    max_pods: int | None = field(default=None, metadata={"minimum": 0})
    """The maximum number of pods that the project may use. If the organization has no access to pods,
    the server refuses more than 0 with 400 INVALID_ARGUMENT."""
    force_encryption_with_cmek: bool | None = None
    """True requires a customer-managed encryption key (CMEK) from now on, and cannot be undone. False
    changes nothing in a project that does not require one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
