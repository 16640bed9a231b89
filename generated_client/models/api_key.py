# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""APIKey as the API document describes it."""

from __future__ import annotations

from attrs import frozen

from ..models.api_key_role import APIKeyRole


@frozen(kw_only=True)
class APIKey:
    """An API key without its value. It has no dates of creation, expiry or last use.

    Attributes:
        id: The id of the key, not its value.
        name: The name of the key. It is not unique.
        project_id: The id of the project that the key belongs to.
        roles: The roles of the key, all on its own project.
    """

    id: str
    name: str
    project_id: str
    roles: list[APIKeyRole]
