# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorResponse as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ErrorResponse:
    """Why a request was refused or failed. Errors from a proxy in front of the API can be plain text or
    HTML instead.

    Attributes:
        status: The HTTP status of the response.
        error: The error itself.
    """

    status: int
    error: ErrorResponseError


# Imported below the class because models may refer to each other in a circle.
from ..models.error_response_error import ErrorResponseError
