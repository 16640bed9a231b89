# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateInviteRequest as the API document describes it."""

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
class CreateInviteRequest:
    """The person to invite and the roles to grant on acceptance.

    Attributes:
        email: The email address to invite, at most 254 characters. The server refuses a
            malformed address with 400 INVALID_ARGUMENT. It refuses the address of a member, or of a
            pending or expired invite, with 409 ALREADY_EXISTS.
        role_bindings: The roles that the person gets, 1 to 100, at least one of them on the
            organization. Otherwise the server refuses the request with 400 INVALID_ARGUMENT.
        extra: Fields that the API document does not list, by their names in JSON.

    Example:
        >>> CreateInviteRequest(
        ...     email="chi@harbour.example",
        ...     role_bindings=[
        ...         RoleBindingInput(resource_type="organization", role="OrgMember"),
        ...         RoleBindingInput(
        ...             resource_type="project",
        ...             resource_id="9a000000-0000-4000-8000-000000000001",
        ...             role="ProjectViewer",
        ...         ),
        ...     ],
        ... )
    """

    email: str = field(metadata={"maxLength": 254, "format": "email"})
    """The email address to invite, at most 254 characters. The server refuses a malformed address with
    400 INVALID_ARGUMENT. It refuses the address of a member, or of a pending or expired invite,
    with 409 ALREADY_EXISTS."""
    role_bindings: list[RoleBindingInput] = field(metadata={"minItems": 1, "maxItems": 100})
    """The roles that the person gets, 1 to 100, at least one of them on the organization. Otherwise
    the server refuses the request with 400 INVALID_ARGUMENT."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


# Imported below the class because models may refer to each other in a circle.
from ..models.role_binding_input import RoleBindingInput
