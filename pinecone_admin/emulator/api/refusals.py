"""Error responses, raised as exceptions."""

from collections.abc import Iterable, Mapping

from pinecone_admin.emulator.api.messages import Request

_QUOTED_LENGTH = 80


class Refusal(ValueError):  # noqa: N818 — a response of the server; control methods raise it in process
    """An error response of the API.

    Args:
        status: HTTP status.
        code: Error code that clients match on.
        message: The problem, with the wrong value.
        headers: Additional headers of the response.
        details: Machine-readable details.
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
        self.headers: Mapping[str, str] = headers or {}
        self.details = details

    @property
    def document(self) -> dict[str, object]:
        """The body of the response."""
        error = {"code": self.code, "message": self.message}
        return {"status": self.status, "error": error | ({"details": self.details} if self.details else {})}


class OAuthRefusal(Refusal):
    """An error response of the token endpoint, in the shape of RFC 6749."""

    @property
    def document(self) -> dict[str, object]:
        """The body of the response."""
        return {"error": self.code, "error_description": self.message}


def invalid_argument(message: str) -> Refusal:
    """Return the error for a missing or malformed value."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def quoted(value: object) -> str:
    """Return a value for an error message: escaped, and truncated to a readable length."""
    text = repr(value)
    return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}…"


def method_not_allowed(request: Request, allowed: Iterable[str]) -> Refusal:
    """Return the error for a method that a route does not accept."""
    methods = ", ".join(allowed)
    message = f"{quoted(request.path)} accepts {methods}, not {quoted(request.method)}"
    return Refusal(405, "UNIMPLEMENTED", message, headers={"allow": methods})
