"""Decode a response into a value or an error."""

from __future__ import annotations

from typing import TypeVar, cast

import httpx

from generated_client.types import Operation
from pinecone_admin._http import codec
from pinecone_admin._http.call_state import CallState
from pinecone_admin._http.error_mapping import error_from_decode_failure, error_from_response
from pinecone_admin.errors import PineconeError

_T = TypeVar("_T")


def read_response(
    operation: Operation[_T], response: httpx.Response, call: CallState, *, wall: float
) -> _T | PineconeError:
    """Decode a buffered response; an error is returned, not raised, so that no traceback holds the body."""
    body = b"".join(response.stream)  # type: ignore[arg-type]
    if not response.is_success:
        return error_from_response(
            operation=operation.id,
            call=call,
            status=response.status_code,
            headers=response.headers,
            body=body,
            wall=wall,
        )
    if operation.returns is None:
        return cast("_T", None)
    encoding = response.headers.get("content-encoding") or "identity"
    decoded: _T | codec.DecodeFailure
    if encoding.lower() == "identity":
        decoded = codec.decode_body(body, operation.returns)
    else:
        # A few bytes of gzip can expand to gigabytes, so compression is neither requested nor decoded.
        decoded = codec.DecodeFailure("", f"is encoded as {encoding[:20]!r}, which was not requested")
    if not isinstance(decoded, codec.DecodeFailure):
        return decoded
    return error_from_decode_failure(
        decoded,
        operation=operation.id,
        call=call,
        status=response.status_code,
        headers=response.headers,
        body=body,
    )
