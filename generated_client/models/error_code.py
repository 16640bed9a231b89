# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorCode: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

ErrorCode: TypeAlias = (
    Literal[
        "ABORTED",
        "ALREADY_EXISTS",
        "DATA_LOSS",
        "DEADLINE_EXCEEDED",
        "FAILED_PRECONDITION",
        "FORBIDDEN",
        "INTERNAL",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "OK",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "QUOTA_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
        "UNAVAILABLE",
        "UNIMPLEMENTED",
        "UNKNOWN",
        "UNPROCESSABLE_ENTITY",
    ]
    | Unlisted
)
"""The kind of error, finer than the HTTP status. Decide on this, never on the message."""
