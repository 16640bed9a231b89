"""The API documents as a contract: the responses that an operation may return, with unknown fields forbidden."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from generation.api_document import iter_operations
from pinecone_admin.emulator import Clock
from pinecone_admin.emulator.api import control_plane, dispatch
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.emulator.model.state import State
from tests.support import control_plane_contract
from tests.support.api_documents import load_document

Node: TypeAlias = Any
Handler: TypeAlias = Callable[[Request, State, Clock, str], Response]


def record_breaches(handle: Handler, breaches: list[str]) -> Handler:
    """Return a handler that appends to ``breaches`` where a response violates the contract."""

    def handle_and_check(request: Request, state: State, clock: Clock, request_id: str) -> Response:
        response = handle(request, state, clock, request_id)
        try:
            check_response(request, response)
        except AssertionError as error:
            # Not raised here: a client under test could mistake it for a connection failure.
            breaches.append(str(error))
        return response

    return handle_and_check


def check_response(request: Request, response: Response) -> None:
    """Check that the API documents allow a response to this request."""
    context = f"{request.method} {request.path} returned {response.status}"
    assert response.headers["x-pinecone-request-id"], context
    operation_id = dispatch.operation_id(request)
    validator = (
        control_plane_contract.make_validator(operation_id, response.status, _read_version(request))
        if operation_id in control_plane.OPERATION_IDS
        else _make_validator(operation_id, response.status, oauth=request.path == TOKEN_PATH)
    )
    if validator is None:
        assert (response.body, "content-type" in response.headers) == (b"", False), context
        return
    assert response.headers["content-type"] == "application/json", context
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(response.body))]
    assert not problems, (context, problems)


def _read_version(request: Request) -> str:
    return request.headers.get("x-pinecone-api-version", "2025-10")[:7]


@cache
def _make_validator(operation_id: str, status: int, *, oauth: bool) -> Draft202012Validator | None:
    """Return the validator of a response body, or None where the body must be empty."""
    root = load_document("oauth" if oauth else "admin")
    schema: Node = {"$ref": "#/components/schemas/ErrorResponse"}
    if operation_id:
        responses = _find_responses(root, operation_id)
        # Clients in the field accept only 200 for a created key, so the emulator returns it where the document has 201.
        status = {("create_api_key", 200): 201}.get((operation_id, status), status)
        response = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        assert response is not None, f"{operation_id} must not return {status}"
        response = _resolve_reference(root, response)
        if "content" not in response:
            return None
        schema = response["content"]["application/json"]["schema"]
    else:
        # A request that is no operation of the documents gets an error in the documented format.
        assert status in {400, 401, 404, 405, 501}, f"an unknown operation must not return {status}"
    return make_strict_validator(root, schema)


def make_strict_validator(root: Node, schema: Node) -> Draft202012Validator:
    """Return the validator of a schema of an API document: unknown fields and unlisted values are errors."""
    return Draft202012Validator(_make_strict(root, schema), format_checker=FormatChecker())


def _find_responses(root: Node, operation_id: str) -> Node:
    return next(
        endpoint.operation["responses"]
        for endpoint in iter_operations(root)
        if endpoint.operation["operationId"] == operation_id
    )


def _resolve_reference(root: Node, node: Node) -> Node:
    while "$ref" in node:
        parts = node["$ref"].removeprefix("#/").split("/")
        node = root
        for part in parts:
            node = node[part]
    return node


def _make_strict(root: Node, schema: Node) -> Node:
    """Return a schema with its references resolved and unknown properties forbidden."""
    schema = _resolve_reference(root, schema)
    strict: dict[str, Node] = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if "x-enum" in schema:
        strict["enum"] = schema["x-enum"]
    if "allOf" in schema:
        strict["allOf"] = [_make_strict(root, each) for each in schema["allOf"]]
    if "items" in schema:
        strict["items"] = _make_strict(root, schema["items"])
    if "properties" in schema:
        strict["properties"] = {name: _make_strict(root, each) for name, each in schema["properties"].items()}
        if {"project_id", "roles"} <= schema["properties"].keys():
            # No document gives an API key a date; the live tests of the official SDK 8.x expect one.
            strict["properties"]["created_at"] = {"type": "string", "format": "date-time"}
        strict["additionalProperties"] = False
    return {"anyOf": [{"type": "null"}, strict]} if schema.get("nullable") else strict
