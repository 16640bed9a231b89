# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""APIKeyWithSecret as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen

from ..types import masked


@frozen(kw_only=True)
class APIKeyWithSecret:
    """A new API key together with its value.

    Attributes:
        key: An API key without its value. It has no dates of creation, expiry or last use.
        value: The secret to authenticate with, such as pcsk_label_unique. It is shown only in this
            response and cannot be fetched again.
    """

    key: APIKey
    value: str = field(
        repr=masked,
    )


# Imported below the class because models may refer to each other in a circle.
from ..models.api_key import APIKey
