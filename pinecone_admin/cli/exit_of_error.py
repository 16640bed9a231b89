"""Which exit code an error of the library has if nothing remains of what the command did."""

from __future__ import annotations

from pinecone_admin import errors
from pinecone_admin.cli import exit_codes
from pinecone_admin.errors import PineconeError

_EXITS: tuple[tuple[type[PineconeError], int], ...] = (
    # The first class that fits counts: a subclass stands before its base.
    (errors.TokenError, exit_codes.IDENTITY),
    (errors.UnauthorizedError, exit_codes.IDENTITY),
    (errors.NotFoundError, exit_codes.NOT_FOUND),
    (errors.ConflictError, exit_codes.CONFLICT),
    (errors.FailedPreconditionError, exit_codes.CONFLICT),
    (errors.AmbiguousNameError, exit_codes.CONFLICT),
    (errors.RefusedError, exit_codes.CONFLICT),
    (errors.PaymentRequiredError, exit_codes.NOT_ALLOWED),
    (errors.ForbiddenError, exit_codes.NOT_ALLOWED),
    (errors.PineconeValueError, exit_codes.USAGE),
    (errors.PineconeTypeError, exit_codes.USAGE),
    (errors.ReadOnlyError, exit_codes.USAGE),
    (errors.RateLimitError, exit_codes.TRY_LATER),
    (errors.ServiceError, exit_codes.TRY_LATER),
    (errors.PineconeConnectionError, exit_codes.TRY_LATER),
    (errors.PineconeTimeoutError, exit_codes.TRY_LATER),
    (errors.ResponseParsingError, exit_codes.TRY_LATER),
    (errors.PaginationError, exit_codes.TRY_LATER),
    (errors.ClientClosedError, exit_codes.TRY_LATER),
)


def exit_of_error(error: PineconeError) -> int:
    """Return the exit code of an error of the library, which the ledger may replace."""
    if _is_foreign_404(error):
        return exit_codes.REFUSED
    return next((code for kind, code in _EXITS if isinstance(error, kind)), exit_codes.REFUSED)


def _is_foreign_404(error: PineconeError) -> bool:
    """Return whether another server than the API responded 404, so that nothing is known about the thing itself."""
    return isinstance(error, errors.NotFoundError) and error.error_code is None and bool(error.headers)
