# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorResponse as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ErrorResponse:
    """Why a request was refused or failed. Some errors come from in front of the API and are plain text or
    HTML instead.

    Attributes:
        status: The HTTP status of the answer.
        error: The error itself.
    """

    status: int
    error: ErrorResponseError


# Below the class, so that models may refer to each other in a circle.
from ..models.error_response_error import ErrorResponseError
