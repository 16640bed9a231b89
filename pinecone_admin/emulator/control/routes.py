"""The emulator's own interface over HTTP: each route below `/_emulator` is a method of the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.dispatch import json_response
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, method_not_allowed, quoted
from pinecone_admin.emulator.api.serialization import Document, format_time, user_document

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

CONTROL_PATH = "/_emulator"

ControlFunction: TypeAlias = "Callable[[Emulator, Document, tuple[str, ...]], Document | None]"
"""Takes the emulator, the body and the variable parts of the path."""


@frozen
class ControlRoute:
    """A method and a path below `/_emulator`, and what they do."""

    method: str
    path: str
    run: ControlFunction

    def match(self, path: str) -> tuple[str, ...] | None:
        """Return the variable parts of a path, or None where it is another one."""
        match = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", self.path), path)
        return match and tuple(unquote(part) for part in match.groups())


CONTROL_ROUTES: list[ControlRoute] = []


def is_control_request(request: Request) -> bool:
    """Tell whether a request is for the emulator itself."""
    return request.path == CONTROL_PATH or request.path.startswith(f"{CONTROL_PATH}/")


def handle_control_request(emulator: Emulator, request: Request) -> Response:
    """Answer a request for the emulator itself.

    Args:
        emulator: what is controlled.
        request: what was sent.
    """
    try:
        document = _run_route(emulator, request)
    except Refusal as refusal:
        return json_response(refusal.status, refusal.headers, refusal.document)
    except ValueError as error:
        return json_response(400, {}, invalid_argument(str(error)).document)
    return json_response(204 if document is None else 200, {}, document)


def _run_route(emulator: Emulator, request: Request) -> Document | None:
    path = request.path.removeprefix(CONTROL_PATH)
    matches = [(route, parts) for route in CONTROL_ROUTES if (parts := route.match(path)) is not None]
    for route, parts in matches:
        if route.method == request.method:
            return route.run(emulator, checks.read_body(request.body or b"{}"), parts)
    if matches:
        raise method_not_allowed(request, [route.method for route, _ in matches])
    raise Refusal(404, "NOT_FOUND", f"there is no route {quoted(request.path)}; GET {CONTROL_PATH} lists them")


def _route(method: str, path: str) -> Callable[[ControlFunction], ControlFunction]:
    def register(run: ControlFunction) -> ControlFunction:
        CONTROL_ROUTES.append(ControlRoute(method, path, run))
        return run

    return register


def _read_arguments(body: Document, required: dict[str, Check[Any]], optional: dict[str, Check[Any]]) -> dict[str, Any]:
    """Read the arguments of a method from a body; what is absent is left to the method's default."""

    def read(fields: Fields) -> dict[str, Any]:
        arguments = {name: fields.required(name, check) for name, check in required.items()}
        given = {name: fields.optional(name, check) for name, check in optional.items()}
        return arguments | {name: value for name, value in given.items() if value is not None}

    return checks.closed_object(read)("", body)


_NAME: dict[str, Check[Any]] = {"name": checks.string}
_ROLES: dict[str, Check[Any]] = {"roles": checks.array(lambda _, value: value)}


@_route("GET", "")
def describe(_emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """List what can be asked for."""
    return {"routes": [f"{route.method} {CONTROL_PATH}{route.path}: {route.run.__doc__}" for route in CONTROL_ROUTES]}


@_route("POST", "/reset")
def reset(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> None:
    """Begin anew, with the same credentials."""
    emulator.reset()


@_route("GET", "/state")
def dump(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """Show everything, secrets included."""
    return emulator.dump()


@_route("PUT", "/state")
def load(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> None:
    """Replace everything."""
    emulator.load(body)


@_route("GET", "/settings")
def settings(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """Show the plan, the payment status and the settings."""
    return emulator.settings


@_route("PATCH", "/settings")
def configure(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> Document:
    """Change the plan, the payment status or settings."""
    emulator.configure(**body)
    return emulator.settings


@_route("GET", "/clock")
def clock(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """Show the time."""
    return {"now": format_time(emulator.clock.now())}


@_route("POST", "/clock/advance")
def advance(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> Document:
    """Move the time forward by so many seconds."""
    emulator.clock.advance(**_read_arguments(body, {"seconds": checks.seconds}, {}))
    return {"now": format_time(emulator.clock.now())}


@_route("POST", "/users")
def add_user(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> Document:
    """Make somebody a member."""
    return user_document(emulator.add_user(**_read_arguments(body, {"email": checks.email}, _NAME | _ROLES)))


@_route("POST", "/invites/{invite_id}/accept")
def accept_invite(emulator: Emulator, body: Document, parts: tuple[str, ...]) -> Document:
    """Let somebody accept their invite."""
    return user_document(emulator.accept_invite(*parts, **_read_arguments(body, {}, _NAME)))


@_route("POST", "/clients")
def add_client(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> Document:
    """Make a service account that holds roles, whatever the plan."""
    credentials = emulator.add_client(**_read_arguments(body, _ROLES, _NAME))
    return {"client_id": credentials.client_id, "client_secret": credentials.client_secret}


@_route("PUT", "/projects/{project_id}/{kind}/{name}")
def hold(emulator: Emulator, body: Document, parts: tuple[str, ...]) -> None:
    """Put indexes, collections, assistants or backups into a project."""
    emulator.hold(*parts, **_read_arguments(body, {}, {"protected": checks.boolean}))


@_route("DELETE", "/projects/{project_id}/{kind}/{name}")
def release(emulator: Emulator, _body: Document, parts: tuple[str, ...]) -> None:
    """Take them out again."""
    emulator.release(*parts)


@_route("GET", "/faults")
def faults(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """List what goes wrong on purpose."""
    return {"data": [fault.document for fault in emulator.faults]}


@_route("POST", "/faults")
def add_fault(emulator: Emulator, body: Document, _parts: tuple[str, ...]) -> Document:
    """Let something go wrong."""
    return emulator.faults.read(body).document


@_route("DELETE", "/faults")
def clear_faults(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> None:
    """Let nothing go wrong any more."""
    emulator.faults.clear()


@_route("GET", "/requests")
def requests(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> Document:
    """List the requests received."""
    return {"data": [received.document for received in emulator.requests]}


@_route("DELETE", "/requests")
def clear_requests(emulator: Emulator, _body: Document, _parts: tuple[str, ...]) -> None:
    """Forget them."""
    emulator.requests.clear()
