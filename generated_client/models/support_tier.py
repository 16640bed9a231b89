# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""SupportTier: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

SupportTier: TypeAlias = (
    Literal[
        "Developer",
        "Enterprise",
        "Free",
        "Pro",
    ]
    | Unlisted
)
"""The support level of the organization."""
