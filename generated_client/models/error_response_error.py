# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorResponseError as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.error_code import ErrorCode
from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class ErrorResponseError:
    """The error itself.

    Attributes:
        code: The kind of error, finer than the HTTP status. Decide on this, never on the
            message.
            Example: "NOT_FOUND"
        message: A human-readable message. The wording can change.
            Example: "Project 9a000000-0000-4000-8000-000000000003 does not exist."
        details: Details of the error, in no fixed form. Often absent.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    code: ErrorCode
    """The kind of error, finer than the HTTP status. Decide on this, never on the message."""
    message: str
    """A human-readable message. The wording can change."""
    details: dict[str, Any] | None = None
    """Details of the error, in no fixed form. Often absent."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent
