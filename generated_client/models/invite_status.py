# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""InviteStatus: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

InviteStatus: TypeAlias = (
    Literal[
        "expired",
        "pending",
        "processed",
    ]
    | Unlisted
)
"""Pending while the invite can be accepted, expired after its 7 days, processed after acceptance."""
