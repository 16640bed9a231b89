# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateAPIKeyRequest as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen

from ..models.api_key_role import APIKeyRole


@frozen(kw_only=True)
class UpdateAPIKeyRequest:
    """What to change in an API key. Omitted fields keep their value.

    Attributes:
        name: The new name, 1 to 80 characters; any other length is refused with 400 INVALID_ARGUMENT.
        roles: The new roles, which replace all roles of the key.
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 80})
    roles: list[APIKeyRole] | None = None
