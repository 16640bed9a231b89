"""Dispatch a request to its operation and return the response.

The checks that all operations share come first, in the server's order: version header, token, route.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from pinecone_admin.emulator.api import control_plane, oauth
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.control_plane_documents import OLDEST_VERSION
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.operations import OPERATIONS
from pinecone_admin.emulator.api.plain_resources import plain_operation
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.routing import OperationRoute, Router
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.records import Principal, ServiceAccountRecord
from pinecone_admin.emulator.model.state import State

# Also release candidates, such as 2026-01.alpha.
_API_VERSION = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(\.[a-z0-9]+)?")
# The scheme is case-insensitive (RFC 9110, section 11.1).
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def read_routes(table: str) -> list[OperationRoute[OperationContext]]:
    """Return the routes of the operations in a table, which `scripts/generate.sh` writes from the API document."""
    rows: list[dict[str, Any]] = json.loads(table)
    return [
        OperationRoute(
            row["method"], row["path"], row["id"], row["status"], OPERATIONS.get(row["id"]) or plain_operation(row)
        )
        for row in rows
    ]


ADMIN_ROUTES = read_routes((files("pinecone_admin.emulator.api") / "operations.json").read_text(encoding="utf-8"))
"""The operations of the Admin API, in the order of the API document."""

_ADMIN_ROUTER = Router(ADMIN_ROUTES)


def handle(request: Request, state: State, clock: Clock, request_id: str) -> Response:
    """Handle a request: change the state as it asks, and return the response.

    Args:
        request: A request to the API or to the token endpoint.
        state: The organization.
        clock: The emulator's clock.
        request_id: The id of the request.
    """
    headers = {"x-pinecone-request-id": request_id}
    try:
        status, document = _run_operation(request, state, clock.now(), headers)
    except Refusal as refusal:
        status, document = refusal.status, refusal.document
        headers |= refusal.headers
    return json_response(status, headers, document)


def json_response(status: int, headers: Mapping[str, str], document: Document | None) -> Response:
    """Return a response with a JSON document as its body, or without a body if the document is None."""
    if document is None:
        return Response(status, headers, b"")
    return Response(status, {"content-type": "application/json", **headers}, _ENCODER.encode(document).encode())


def _run_operation(
    request: Request, state: State, now: datetime, headers: dict[str, str]
) -> tuple[int, Document | None]:
    if request.path == oauth.TOKEN_PATH:
        return 200, oauth.get_token(request, state, now)
    version = _read_api_version(request)
    # Before the access token is checked: these requests carry an API key instead.
    if control_plane.ROUTER.match(request.path)[0]:
        headers["x-pinecone-api-version"] = version
        # A release candidate has the form of the version that it precedes.
        return control_plane.run_operation(request, version.partition(".")[0], state, now)
    caller = Principal("service_account", _authenticate(request, state, now).id)
    route, targets = _ADMIN_ROUTER.find(request)
    document = route.require_emulated()(OperationContext(state, now, request, targets, caller))
    # Clients in the field accept no other status than 200 here, where the document has 201.
    status = state.settings.created_key_status if route.id == "create_api_key" else route.status
    return status, document


def operation_id(request: Request) -> str:
    """Return the id of the operation that a request calls, or an empty string if none that is emulated matches."""
    if request.path == oauth.TOKEN_PATH:
        return oauth.TOKEN_OPERATION if request.method == "POST" else ""
    for router in (_ADMIN_ROUTER, control_plane.ROUTER):
        route = router.match(request.path)[0].get(request.method)
        if route and route.run:
            return route.id
    return ""


def bearer_token(request: Request) -> str | None:
    """Return the access token of a request, or None if it has none."""
    bearer = _BEARER.fullmatch(request.headers.get("authorization", ""))
    return bearer[1] if bearer else None


def _read_api_version(request: Request) -> str:
    sent = request.headers.get("x-pinecone-api-version", OLDEST_VERSION)
    # The official SDK 8 sends the header twice; two equal values are one.
    versions = {version.strip() for version in sent.split(",")}
    if len(versions) > 1 or not _API_VERSION.fullmatch(min(versions)):
        raise invalid_argument(f"the X-Pinecone-Api-Version header must be YYYY-MM, not {quoted(sent)}")
    return versions.pop()


def _authenticate(request: Request, state: State, now: datetime) -> ServiceAccountRecord:
    token = bearer_token(request)
    if token is None:
        raise Refusal(401, "UNAUTHENTICATED", "the Authorization header has no bearer token")
    account = state.find_account_by_token(token, now)
    if account is None:
        raise Refusal(401, "UNAUTHENTICATED", "the access token is unknown, expired or revoked")
    return account


OPERATION_IDS = (oauth.TOKEN_OPERATION, *(each.id for each in ADMIN_ROUTES if each.run), *control_plane.OPERATION_IDS)
"""The ids of all operations that are emulated, the token endpoint's first."""
