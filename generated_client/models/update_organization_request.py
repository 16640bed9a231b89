# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateOrganizationRequest as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class UpdateOrganizationRequest:
    """What to change in an organization.

    Attributes:
        name: The new name, 1 to 512 characters; any other length is refused with 400 INVALID_ARGUMENT.
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 512})
