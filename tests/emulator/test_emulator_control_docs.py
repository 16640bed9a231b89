"""docs/emulator-control.md: each route of the control interface, with the keys that its response really has."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, cast

import pytest

from pinecone_admin import ServiceError
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.control.routes import CONTROL_ROUTES, handle_control_request
from tests.support.recipes import read_page

PAGE = "docs/emulator-control.md"
PROJECT, INVITE = "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
IN_PATHS = {"project_id": PROJECT, "invite_id": INVITE, "kind": "indexes", "name": "movies", "number": "1"}
STATE = {
    "projects": [{"id": PROJECT, "name": "search", "api_keys": [{"name": "ci"}], "indexes": [{"name": "movies"}]}],
    "users": [{"email": "ada@example.com"}],
    "invites": [{"id": INVITE, "email": "bob@example.com"}],
}


def read_sections() -> dict[str, tuple[str, list[Any]]]:
    """Return the text and the JSON of each route, by its heading."""
    parts = re.split(r"^### (.+)$", read_page(PAGE), flags=re.MULTILINE)[1:]
    sections = zip(parts[::2], parts[1::2], strict=True)
    blocks = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return {route: (text, [json.loads(block) for block in blocks.findall(text)]) for route, text in sections}


def prepare() -> Emulator:
    """Return an emulator that has one of each record, a fault that has fired, and a log."""
    emulator = Emulator(seed=1)
    emulator.load(STATE)
    emulator.faults.add("create_project", status=503, retry_after=5, times=2)
    with emulator.admin() as admin, suppress(ServiceError):
        admin.projects.create(name="chat")
    return emulator


def call(emulator: Emulator, route: str, body: object) -> Response:
    """Send a request for a route with the body of the page."""
    method, _, path = route.format(**IN_PATHS).partition(" ")
    content = b"" if body is None else json.dumps(body).encode()
    with emulator.served_at("http://127.0.0.1:8080"):
        return handle_control_request(emulator, Request(method, path, {"host": "localhost"}, "", content))


def list_keys(documented: Any, real: Any, path: str = "") -> set[str]:
    """Return the paths of the keys that differ; an empty object or array of the page stands for any content."""
    if isinstance(documented, list) and documented:
        return list_keys(documented[0], real[0], f"{path}[]")
    if not isinstance(documented, dict) or not documented or path.endswith((".headers", ".json")):
        return set()
    here, there = cast("dict[str, Any]", documented), cast("dict[str, Any]", real)
    different = {f"{path}.{name}" for name in here.keys() ^ there.keys()}
    return different.union(
        *(list_keys(here[name], there[name], f"{path}.{name}") for name in here.keys() & there.keys())
    )


def test_every_route_is_described() -> None:
    """The page has a section for each route, in their order."""
    assert list(read_sections()) == [f"{each.method} {each.path}" for each in CONTROL_ROUTES]


@pytest.mark.parametrize("route", read_sections())
def test_documented_keys_are_those_of_the_response(route: str) -> None:
    """The request of the page succeeds, and its response has the keys that the page shows, or no body."""
    text, blocks = read_sections()[route]
    takes_body = not route.startswith(("GET", "DELETE"))
    body = blocks.pop(0) if takes_body and blocks else None
    response = call(prepare(), route, body)
    content = response.body + b"".join(response.pieces or ())
    if same := re.search(r"response is that of `(GET \S+)`", text):
        blocks = read_sections()[same[1]][1]
    assert response.status == (200 if blocks else 204)
    assert ("204" in text) == (not blocks or "404" in text)
    assert bool(content) == bool(blocks)
    for block in blocks:
        assert list_keys(block, json.loads(content)) == set(), f"{PAGE} shows other keys for {route}"


def test_documented_error_is_that_of_the_response() -> None:
    """The error of the page is the real one."""
    (error,) = re.findall(r"^```json\n(.*?)^```$", read_page(PAGE).partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    response = call(Emulator(), "POST /_emulator/clock/advance", {"seconds": "1"})
    assert json.loads(error) == json.loads(response.body)
