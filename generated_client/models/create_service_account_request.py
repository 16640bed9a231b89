# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateServiceAccountRequest as the API document describes it."""

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
class CreateServiceAccountRequest:
    """The service account to create, and its roles.

    Attributes:
        name: The name, 1 to 80 bytes of UTF-8. The server refuses any other length with 400
            INVALID_ARGUMENT. Other service accounts may have the same name.
        role_bindings: The first roles of the service account, 0 to 100, none if omitted. The
            server refuses more with 400 INVALID_ARGUMENT.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> CreateServiceAccountRequest(
        ...     name="deploy",
        ...     role_bindings=[
        ...         RoleBindingInput(
        ...             resource_type="project",
        ...             resource_id="9a000000-0000-4000-8000-000000000001",
        ...             role="ProjectEditor",
        ...         )
        ...     ],
        ... )
    """

    name: str = field(metadata={"minLength": 1, "maxLength": 80, "unit": "UTF-8 bytes"})
    """The name, 1 to 80 bytes of UTF-8. The server refuses any other length with 400 INVALID_ARGUMENT.
    Other service accounts may have the same name."""
    role_bindings: list[RoleBindingInput] | None = field(default=None, metadata={"minItems": 0, "maxItems": 100})
    """The first roles of the service account, 0 to 100, none if omitted. The server refuses more with
    400 INVALID_ARGUMENT."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


# Imported below the class because models may refer to each other in a circle.
from ..models.role_binding_input import RoleBindingInput
