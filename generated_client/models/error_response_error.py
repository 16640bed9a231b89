# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ErrorResponseError as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..models.error_code import ErrorCode


@frozen(kw_only=True)
class ErrorResponseError:
    """The error itself.

    Attributes:
        code: The kind of error, finer than the HTTP status. Decide on this, never on the message.
        message: A human-readable message. The wording can change.
        details: Details of the error, in no fixed form. Often absent.
    """

    code: ErrorCode
    message: str
    details: dict[str, Any] | None = None
