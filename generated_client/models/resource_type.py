# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ResourceType: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

ResourceType: TypeAlias = (
    Literal[
        "organization",
        "project",
    ]
    | Unlisted
)
"""Whether the role is on an organization or on a project."""
