"""Responses that are no success, as exceptions."""

from collections.abc import Iterable, Mapping

from pinecone_admin.emulator.api.messages import Request

_QUOTED_LENGTH = 80


class Refusal(ValueError):  # noqa: N818 — an answer of the server, and in-process what a control method raises
    """An answer of the API that is not a success.

    Args:
        status: HTTP status.
        code: error code that clients match on.
        message: what is wrong, naming the offending value.
        headers: additional headers of the answer.
        details: machine-readable particulars.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.details = details

    @property
    def document(self) -> dict[str, object]:
        """The body of the answer."""
        error = {"code": self.code, "message": self.message}
        return {"status": self.status, "error": error | ({"details": self.details} if self.details else {})}


class OAuthRefusal(Refusal):
    """An answer of the token endpoint that is not a success, in the shape of RFC 6749."""

    @property
    def document(self) -> dict[str, object]:
        """The body of the answer."""
        return {"error": self.code, "error_description": self.message}


def invalid_argument(message: str) -> Refusal:
    """Return the refusal of a missing or malformed value."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def quoted(value: object) -> str:
    """Return a value as error messages show it: escaped, and cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}…"


def method_not_allowed(request: Request, allowed: Iterable[str]) -> Refusal:
    """Return the refusal of a method that a route does not take."""
    methods = ", ".join(allowed)
    message = f"{quoted(request.path)} takes {methods}, not {quoted(request.method)}"
    return Refusal(405, "UNIMPLEMENTED", message, headers={"allow": methods})
