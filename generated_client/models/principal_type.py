# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PrincipalType: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

PrincipalType: TypeAlias = (
    Literal[
        "api_key",
        "invite",
        "service_account",
        "user",
    ]
    | Unlisted
)
"""The kind of principal that has the role."""
