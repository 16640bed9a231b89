"""Build the TLS context for the API and the token endpoint."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import cast

import httpx

from pinecone_admin._http.argument_checks import place_in, type_error, value_error
from pinecone_admin._text.messages import Name
from pinecone_admin.errors import PineconeTypeError


def build_ssl_context(ssl_verify: object, *, is_used: bool) -> ssl.SSLContext | None:
    """Return the TLS context that connections to the API, the token endpoint and the proxies share.

    Args:
        ssl_verify: The caller's choice.
        is_used: Whether any of them has an https URL. If not, True and False give no context, which takes 8 ms to make.
    """
    if isinstance(ssl_verify, ssl.SSLContext):
        return ssl_verify
    if isinstance(ssl_verify, bool):
        return _build_default_context(verify=ssl_verify) if is_used else None
    if not isinstance(ssl_verify, str | os.PathLike):
        raise type_error("ssl_verify", "a bool, a path or an ssl.SSLContext", ssl_verify)
    path = os.fspath(cast("str | os.PathLike[str]", ssl_verify))
    if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PineconeTypeError(Name("ssl_verify"), f" must be a path of text, not of {type(path).__name__}")
    if not path.strip():
        raise value_error("ssl_verify", "is empty")
    try:
        is_folder = Path(path).is_dir()
        return ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    except OSError as exc:
        raise value_error(place_in("ssl_verify", ":"), f"cannot load certificates from {path!r}: {exc}") from exc
    except ValueError:
        pass
    raise value_error("ssl_verify", f"is not a path: {path!r}")


def _build_default_context(*, verify: bool) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context(verify=verify)
    except (OSError, ValueError) as exc:
        raise value_error("SSL_CERT_FILE", f"or SSL_CERT_DIR cannot be used: {exc}") from exc
