"""Send requests that are written by hand: the parts of the command ``send``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pinecone_admin import Operation
from pinecone_admin.cli import exit_codes
from pinecone_admin.cli.calls.changes import complete_change, confirm, confirm_by_name, require_change_allowed
from pinecone_admin.cli.calls.preview import WouldSend
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.plain import is_list, is_object
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.report_files import read_text
from pinecone_admin.cli.secrets.rescue import keep_response, rescue_folders, reserve_rescue_file
from pinecone_admin.cli.secrets.standard_output import discard_output, flush_secret, require_open
from pinecone_admin.cli.secrets.store_error import StoreError
from pinecone_admin.errors import PineconeValueError, ResponseParsingError

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

_METHODS_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_SECRET_FIELDS = frozenset({"value", "client_secret", "secret", "access_token", "token", "password"})
_SECRET_MAKERS = frozenset({"api-keys", "service-accounts", "rotate-secret"})
"""Last segments of the paths to which a POST makes a secret."""
_MASK = "***"


def send_request(session: Session, method: str, target: str, *, body: str | None, reveal: bool) -> None:
    """Send a request, after asking if it changes something, and write the response.

    Args:
        session: The session.
        method: HTTP method in capitals.
        target: Path with or without a query.
        body: JSON to send, ``@FILE``, ``-`` for standard input, or None.
        reveal: Whether secrets are shown.

    Raises:
        CLIError: The response would hold a secret that nobody could see.
        PineconeValueError: The path, the query or the body is malformed.
    """
    if method != "GET":
        require_change_allowed(session)
    is_secret = makes_secret(method, target) and not session.is_dry_run
    if is_secret and not reveal:
        raise CLIError("the response holds a secret, which is shown only once: give --reveal")
    if is_secret and session.settings.get("query") is not None:
        raise CLIError("the response holds a secret, which is shown only once: --query could leave it out")
    operation = build_operation(method, target, None if body is None else _read_body(session, body))
    preview = WouldSend(operation)  # checks the path, too
    if session.is_dry_run and method != "GET":
        session.write_preview([preview.document])
        return
    if method == "DELETE":
        confirm_by_name(session, f"send: DELETE {target}", last_segment(target))
    elif method != "GET":
        confirm(session, f"send: {method} {target}")
    if is_secret:
        _send_for_secret(session, operation)
        return
    response = _send(session, operation)
    if response is not None:
        session.write(response if reveal else mask_secrets(response))


def _read_body(session: Session, text: str) -> str:
    if text == "-":
        return read_text(text, session.stdin)
    return read_text(text[1:], session.stdin) if text.startswith("@") else text


def _send(session: Session, operation: Operation[dict[str, Any] | None]) -> dict[str, Any] | None:
    admin, name = session.admin, f"{operation.method} {operation.path}"
    with show_progress(session, name):
        if operation.method == "GET":
            return admin.send(operation)
        return complete_change(name, lambda: admin.send(operation))


def _send_for_secret(session: Session, operation: Operation[dict[str, Any] | None]) -> None:
    """Send a request that makes a secret, and write the response to standard output, or else to a rescue file."""
    try:
        require_open(session.stdout)
        rescue = reserve_rescue_file(rescue_folders())
    except StoreError as error:
        raise CLIError(f"--reveal: {error}; nothing was sent") from error
    session.interruptions.hold()  # from here on, an interruption could lose the secret
    try:
        with show_progress(session, f"{operation.method} {operation.path}"):
            response = session.admin.send(operation)
        try:
            session.write(response)
            flush_secret(session.stdout)
        except (OSError, ValueError) as error:
            rescue.write(json.dumps(response))
            discard_output(session.stdout)
            message = f"the secret was not shown, because stdout cannot be written; it is in {rescue.path}"
            raise CLIError(message, exit=exit_codes.PARTLY_DONE, help_code="PA603") from error
    except ResponseParsingError as error:
        keep_response(error, rescue)
        raise
    finally:
        if not rescue.is_used:
            rescue.discard()


def build_operation(method: str, target: str, body: str | None) -> Operation[dict[str, Any] | None]:
    """Return the operation of a request.

    Args:
        method: HTTP method in capitals.
        target: Path with or without a query, such as ``/admin/users?limit=5``.
        body: JSON to send, or None.

    Raises:
        PineconeValueError: The query or the body is malformed, or the method takes no body.
    """
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        raise PineconeValueError(f"the path {path!r} must begin with a slash, such as /admin/projects")
    if body is not None and method not in _METHODS_WITH_BODY:
        raise PineconeValueError(f"{method} takes no body")
    return Operation(
        id="send",
        method=method,
        path=path,
        returns=dict[str, Any] | None,
        query=_parse_query(query),
        body=None if body is None else _parse_body(body),
    )


def _parse_query(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError as error:
        raise PineconeValueError(f"the query {query!r} must be like limit=5&email=ada@example.com") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _parse_body(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PineconeValueError(f"the body is not JSON: {error}") from error


def last_segment(target: str) -> str:
    """Return the last segment of a path: the id of what a DELETE removes."""
    return target.partition("?")[0].rstrip("/").rpartition("/")[2]


def makes_secret(method: str, target: str) -> bool:
    """Return whether the response to a request of the API holds a secret that is shown only once."""
    return method == "POST" and last_segment(target) in _SECRET_MAKERS


def mask_secrets(value: Any) -> Any:
    """Return a response in which the fields that hold secrets are masked."""
    if is_object(value):
        return {name: _MASK if _is_secret(name, each) else mask_secrets(each) for name, each in value.items()}
    return [mask_secrets(each) for each in value] if is_list(value) else value


def _is_secret(name: str, value: object) -> bool:
    return name in _SECRET_FIELDS and isinstance(value, str)
