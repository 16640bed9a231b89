"""Send requests that are written by hand: the parts of the command ``send``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote

from generated_client.types import optional, read_object
from pinecone_admin import Operation
from pinecone_admin._concurrency.waiting import COMPLETION_TIMEOUT, complete_if_interrupted
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._http.operation_mapping import RequestBuilder
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.calls.confirmation import Consent, ask, require_change_allowed
from pinecone_admin.cli.damaged_files import parse_json
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.output.files import describe_input, read_text
from pinecone_admin.cli.output.formats import is_list, is_object, to_plain, without_null
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.tables import format_fields
from pinecone_admin.cli.output.writing import write_preview, write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.delivery import (
    create_and_deliver,
    make_secret_and_write_result,
    rotate_account_and_deliver,
)
from pinecone_admin.cli.secrets.destination import Destination, SecretDelivery
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeValueError
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret

_METHODS_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_SECRET_FIELDS = frozenset({"value", "client_secret", "secret", "access_token", "token", "password"})
_MAKERS: Mapping[str, Secret] = {
    "api-keys": Secret("api-key"),
    "service-accounts": Secret("service-account"),
    "rotate-secret": Secret("service-account", replaces=True),
}
"""The secrets that a POST makes, by the last segment of its path."""
_RETURNS: Mapping[str, Any] = {"api-key": APIKeyWithSecret, "service-account": ServiceAccountWithSecret}
_MASK = "***"
_read_any_object = optional(read_object)


def send_request(session: Session, method: str, target: str, *, body: str | None) -> None:
    """Send a request, after asking if it changes something, and write the response.

    Args:
        session: The session.
        method: HTTP method in capitals.
        target: Path with or without a query.
        body: JSON to send, ``@FILE``, ``-`` for standard input, or None.

    Raises:
        CLIError: The response would hold a secret that has nowhere to go, or none that could be stored; or the body is
            not JSON.
        PineconeValueError: The path or the query is malformed.
    """
    if method != "GET":
        require_change_allowed(session)
    makes = find_secret(method, target)
    destination = _open_destination(session, method, target, makes)
    returns = _read_any_object if makes is None else _RETURNS[makes.kind]
    text, source = (None, "") if body is None else _read_body(session, body)
    operation = build_operation(method, target, text, source=source, returns=returns)
    check_operation(operation)
    account_id = _find_account_id(target)
    if destination is not None and account_id is not None:
        destination.check_account(destination.unnamed_owner, account_id)
    if method != "GET":
        name = last_segment(target)
        what = f"send {method} {target}"
        ask(
            session, Consent(what=what, typed=name, wants_typed=method == "DELETE", subject="the last part of the path")
        )
    if session.is_dry_run and method != "GET":
        _preview(session, operation)
        return
    if destination is not None:
        _send_secret_maker(destination, operation)
        return
    response = _send(session, operation)
    session.ledger.is_complete = True
    if response is None:
        return
    shown = response if session.settings.get("reveal") else mask_secrets(response)
    write_value(session, shown)
    if shown != response and method != "GET":
        session.warn("A secret of the response is masked, and may be shown only once. With --reveal, it is shown.")


def _preview(session: Session, operation: Operation[Any]) -> None:
    """Show the request, which is what the command is about."""
    request = RequestBuilder(api_url="https://host", user_agent="", headers={}).build(operation)
    path = request.url.raw_path.decode("ascii")
    body = None if operation.body is None else without_null(to_plain(operation.body))
    lines = [f"would send {operation.method} {path}", *format_fields(body if is_object(body) else {}, indent=2)]
    document = {"operation": operation.id, "method": operation.method, "path": path, "body": body}
    write_preview(session, [document], lines=lines)


def _open_destination(session: Session, method: str, target: str, makes: Secret | None) -> Destination | None:
    """Return where the secret goes, after checks; None if the response holds none."""
    if makes is None:
        if session.settings.get("store") is not None:
            raise CLIError(
                f"send stores the secret of an API key or of a service account. It knows of none in the response to "
                f"{method} {target}, so --store has no place here. Leave it out."
            )
        return None
    destination = Destination(session, makes)
    if destination.needs_owner:
        raise CLIError("send does not know the names of projects and keys. Write --store without {project} and {name}.")
    destination.check([destination.unnamed_owner])
    destination.tell_replacements([destination.unnamed_owner])
    return destination


def _read_body(session: Session, text: str) -> tuple[str, str]:
    """Return the text of a body, and how errors name it."""
    if text != "-" and not text.startswith("@"):
        return text, "--body"
    path = text.removeprefix("@")
    if not path:
        raise CLIError("--body @ needs the name of a file behind the @.")
    return read_text(path, session.stdin), describe_input(path)


def _send_secret_maker(destination: Destination, operation: Operation[Any]) -> None:
    session, makes = destination.session, destination.makes
    send = partial(session.admin.send, operation)

    def send_and_deliver(delivery: SecretDelivery) -> object:
        if makes.replaces:
            return rotate_account_and_deliver(session, delivery, send)
        return create_and_deliver(session, makes, delivery, send)

    make_secret_and_write_result(destination, destination.unnamed_owner, "send", send_and_deliver)


def _send(session: Session, operation: Operation[Any]) -> Any:
    send = partial(session.admin.send, operation)
    if operation.method == "DELETE":
        session.ledger.vanishing = operation.path
    with show_progress(session, f"{operation.method} {operation.path}"):
        return send() if operation.method == "GET" else complete_if_interrupted(send, COMPLETION_TIMEOUT)


def build_operation(
    method: str, target: str, body: str | None, *, source: str = "--body", returns: Any = _read_any_object
) -> Operation[Any]:
    """Return the operation of a request.

    Args:
        method: HTTP method in capitals.
        target: Path with or without a query, such as ``/admin/users?limit=5``.
        body: JSON to send, or None.
        source: How errors name the body.
        returns: The decoder of the response.

    Raises:
        CLIError: The body is not JSON.
        PineconeValueError: The query is malformed, or the method takes no body.
    """
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        raise PineconeValueError(f"the path {quote_name(path)} must begin with a slash, such as /admin/projects")
    if body is not None and method not in _METHODS_WITH_BODY:
        raise PineconeValueError(f"a {method} request takes no --body")
    return Operation(
        id="send",
        method=method,
        path=path,
        returns=returns,
        query=_parse_query(query),
        body=None if body is None else parse_json(body, source),
    )


def _parse_query(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError as error:
        raise PineconeValueError(f"the query {quote_name(query)} must be like limit=5&email=ada@example.com") from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def last_segment(target: str) -> str:
    """Return the last segment of a path: the id of what a DELETE removes."""
    return target.partition("?")[0].rstrip("/").rpartition("/")[2]


def _find_account_id(target: str) -> str | None:
    """Return the id of the service account whose secret a request replaces, if it does."""
    *_, before, last = "", *target.partition("?")[0].rstrip("/").split("/")
    return unquote(before) if last in _MAKERS and _MAKERS[last].replaces else None


def find_secret(method: str, target: str) -> Secret | None:
    """Return the secret that a request makes; None if its response holds none."""
    return _MAKERS.get(last_segment(target)) if method == "POST" else None


def mask_secrets(value: Any) -> Any:
    """Return a response with masked secrets."""
    if is_object(value):
        return {
            name: _MASK if name in _SECRET_FIELDS and isinstance(each, str) else mask_secrets(each)
            for name, each in value.items()
        }
    return [mask_secrets(each) for each in value] if is_list(value) else value
