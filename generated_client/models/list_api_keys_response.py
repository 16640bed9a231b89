# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ListApiKeysResponse as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ListApiKeysResponse:
    """All API keys of a project.

    Attributes:
        data: All keys, without their values.
    """

    data: list[APIKey]


# Imported below the class because models may refer to each other in a circle.
from ..models.api_key import APIKey
