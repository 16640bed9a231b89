"""Decode a response into a value or an error."""

from __future__ import annotations

from typing import TypeVar, cast

from generated_client.types import Operation
from pinecone_admin._http import codec
from pinecone_admin._http.buffered_messages import BufferedResponse
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import error_from_decode_failure, error_from_response, redact_secrets
from pinecone_admin.errors import PineconeError

_T = TypeVar("_T")


def read_response(
    operation: Operation[_T], response: BufferedResponse, call: CallState, *, wall: float
) -> _T | PineconeError:
    """Decode a response; an error is returned, not raised, so that no traceback holds the body."""
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the class of success
        return error_from_response(redact_secrets(response, call), call=call, wall=wall)
    if operation.returns is None:
        return cast("_T", None)
    encoding = response.content_encoding.decode("latin-1")
    decoded: _T | codec.DecodeFailure
    if encoding.lower() in {"", "identity"}:
        decoded = codec.decode_body(response.body, operation.returns)
    else:
        # A few bytes of gzip can expand to gigabytes, so compression is neither requested nor decoded.
        decoded = codec.DecodeFailure("", f"is encoded as {encoding[:20]!r}, which was not requested")
    if not isinstance(decoded, codec.DecodeFailure):
        return decoded
    return error_from_decode_failure(decoded, redact_secrets(response, call), call)
