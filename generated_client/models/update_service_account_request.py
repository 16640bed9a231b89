# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""UpdateServiceAccountRequest as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class UpdateServiceAccountRequest:
    """What to change in a service account.

    Attributes:
        name: The new name, 1 to 80 bytes of UTF-8; any other length is refused with 400 INVALID_ARGUMENT.
    """

    name: str | None = field(default=None, metadata={"minLength": 1, "maxLength": 80, "unit": "UTF-8 bytes"})
