# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorResponse as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    as_extra_fields,
    hash_listed_fields,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class ErrorResponse:
    """Why a request was refused or failed. Errors from a proxy in front of the API can be plain text
    or HTML instead.

    Attributes:
        status: The HTTP status of the response.
            Example: 404
        error: The error itself.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    status: int
    """The HTTP status of the response."""
    error: ErrorResponseError
    """The error itself."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


# Imported below the class because models may refer to each other in a circle.
from ..models.error_response_error import ErrorResponseError
