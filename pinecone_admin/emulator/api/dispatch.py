"""From a request to its operation and back: version header, token, route, and the answer or refusal as JSON."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

from pinecone_admin.emulator.api import control_plane, oauth
from pinecone_admin.emulator.api.checks import Refusal, invalid, shown
from pinecone_admin.emulator.api.messages import Call, Request, Response, wrong_method
from pinecone_admin.emulator.api.operations import OPERATIONS, Operation
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.clock import Clock
from pinecone_admin.emulator.model.state import Principal, ServiceAccount, State

_API_VERSION = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def handle(request: Request, state: State, clock: Clock) -> Response:
    """Answer a request, changing the state where it asks for that.

    Args:
        request: what was sent, to the API's host or to the token endpoint's.
        state: the organization that it is about.
        clock: the time at which it arrives.
    """
    headers = {"x-pinecone-request-id": state.new_id()}
    try:
        status, document = _answer(request, state, clock.now())
    except Refusal as refusal:
        status, document = refusal.status, refusal.document
        headers |= refusal.headers
    return response(status, headers, document)


def response(status: int, headers: Mapping[str, str], document: Document | None) -> Response:
    """Return an answer that carries a JSON document, or nothing."""
    if document is None:
        return Response(status, headers, b"")
    return Response(status, {"content-type": "application/json", **headers}, _ENCODER.encode(document).encode())


def _answer(request: Request, state: State, now: datetime) -> tuple[int, Document | None]:
    if request.path == oauth.TOKEN_PATH:
        return 200, oauth.get_token(request, state, now)
    _require_version(request)
    if control_plane.serves(request):
        return control_plane.answer(request, state, now)
    caller = Principal("service_account", _authenticate(request, state, now).id)
    operation, target = _route(request)
    return operation.status, operation.run(Call(state, now, caller, target, request))


def operation_id(request: Request) -> str:
    """Return the id of the operation that a request is for, empty where there is none."""
    if request.path == oauth.TOKEN_PATH:
        return oauth.TOKEN_OPERATION if request.method == "POST" else ""
    operation = _ROUTES.get(_shape(request.path), {}).get(request.method)
    return operation.id if operation else control_plane.operation_id(request)


def bearer_token(request: Request) -> str | None:
    """Return the access token that a request carries."""
    bearer = _BEARER.fullmatch(request.headers.get("authorization", ""))
    return bearer[1] if bearer else None


def _require_version(request: Request) -> None:
    version = request.headers.get("x-pinecone-api-version")
    if version is None:
        raise invalid("the header X-Pinecone-Api-Version is missing")
    if not _API_VERSION.fullmatch(version):
        raise invalid(f"the header X-Pinecone-Api-Version must be YYYY-MM, not {shown(version)}")


def _authenticate(request: Request, state: State, now: datetime) -> ServiceAccount:
    token = bearer_token(request)
    if token is None:
        raise Refusal(401, "UNAUTHENTICATED", "the header Authorization carries no bearer token")
    account = state.holder_of(token, now)
    if account is None:
        raise Refusal(401, "UNAUTHENTICATED", "the access token is unknown, expired or revoked")
    return account


def _shape(path: str) -> str:
    return re.sub(r"^(/admin/[^/]+)/[^/]+", r"\1/{}", path)


def _route(request: Request) -> tuple[Operation, str]:
    methods = _ROUTES.get(_shape(request.path))
    if methods is None:
        raise Refusal(404, "NOT_FOUND", f"there is no route {shown(request.path)}")
    operation = methods.get(request.method)
    if operation is None:
        raise wrong_method(request, methods)
    return operation, unquote("".join(request.path.split("/")[3:4]))


_ROUTES: dict[str, dict[str, Operation]] = {}
for _each in OPERATIONS:
    _ROUTES.setdefault(_shape(_each.path), {})[_each.method] = _each

OPERATION_IDS = (oauth.TOKEN_OPERATION, *(each.id for each in OPERATIONS), *control_plane.OPERATION_IDS)
"""What a request can ask for, the token endpoint first."""
