# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""PaymentStatus: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

PaymentStatus: TypeAlias = (
    Literal[
        "Active",
        "Deactivated",
        "PastDue",
        "PaymentPending",
        "Restricted",
        "Suspended",
    ]
    | Unlisted
)
"""The billing state of the organization. In some states, the server refuses to create resources with
402."""
