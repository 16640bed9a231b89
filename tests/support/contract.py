"""The API documents as a contract: which answers an operation may give, read more strictly than they are written."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from pinecone_admin.emulator import Clock
from pinecone_admin.emulator.api import dispatch
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.oauth import TOKEN_PATH
from pinecone_admin.emulator.model.state import State

OPENAPI = Path(__file__).parents[2] / "openapi"

Node: TypeAlias = Any
Handle: TypeAlias = Callable[[Request, State, Clock], Response]


@cache
def document(name: str) -> Node:
    """Read an API document."""
    return YAML(typ="safe").load(OPENAPI / f"{name}.yaml")


def checked(handle: Handle, breaches: list[str]) -> Handle:
    """Return the emulator's rules, which note where an answer breaks the contract."""

    def handled(request: Request, state: State, clock: Clock) -> Response:
        response = handle(request, state, clock)
        try:
            check(request, response)
        except AssertionError as error:
            # A client under test may take whatever is raised here for a failure of its connection.
            breaches.append(str(error))
        return response

    return handled


def check(request: Request, response: Response) -> None:
    """Require that an answer is one that the documents allow for the operation asked for."""
    called = f"{request.method} {request.path} answered {response.status}"
    assert response.headers["x-pinecone-request-id"], called
    validator = _validator(dispatch.operation_id(request), response.status, oauth=request.path == TOKEN_PATH)
    if validator is None:
        assert (response.body, "content-type" in response.headers) == (b"", False), called
        return
    assert response.headers["content-type"] == "application/json", called
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(response.body))]
    assert not problems, (called, problems)


@cache
def _validator(operation_id: str, status: int, *, oauth: bool) -> Draft202012Validator | None:
    """Give what validates an answer's body, or None where there must be none."""
    root = document("oauth" if oauth else "admin")
    schema: Node = {"$ref": "#/components/schemas/ErrorResponse"}
    if operation_id:
        responses = _responses(root, operation_id)
        answer = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        assert answer is not None, f"{operation_id} may not answer {status}"
        answer = _resolved(root, answer)
        if "content" not in answer:
            return None
        schema = answer["content"]["application/json"]["schema"]
    else:
        # What is no operation of the documents is refused in their form of a refusal.
        assert status in {400, 401, 404, 405}, f"no operation may answer {status}"
    return Draft202012Validator(_strict(root, schema), format_checker=FormatChecker())


def _responses(root: Node, operation_id: str) -> Node:
    return next(
        operation["responses"]
        for path in root["paths"].values()
        for operation in path.values()
        if operation["operationId"] == operation_id
    )


def _resolved(root: Node, node: Node) -> Node:
    while "$ref" in node:
        parts = node["$ref"].removeprefix("#/").split("/")
        node = root
        for part in parts:
            node = node[part]
    return node


def _strict(root: Node, schema: Node) -> Node:
    """Give a schema with its references filled in, in which nothing may stand that it does not name."""
    schema = _resolved(root, schema)
    strict: dict[str, Node] = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if "x-enum" in schema:
        strict["enum"] = schema["x-enum"]
    if "allOf" in schema:
        strict["allOf"] = [_strict(root, each) for each in schema["allOf"]]
    if "items" in schema:
        strict["items"] = _strict(root, schema["items"])
    if "properties" in schema:
        strict["properties"] = {name: _strict(root, each) for name, each in schema["properties"].items()}
        strict["additionalProperties"] = False
    return {"anyOf": [{"type": "null"}, strict]} if schema.get("nullable") else strict
