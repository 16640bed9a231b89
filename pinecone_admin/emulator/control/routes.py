"""The control interface over HTTP: each route below `/_emulator` calls a method of the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from attrs import asdict, frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.dispatch import json_response
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, method_not_allowed, quoted
from pinecone_admin.emulator.api.serialization import Document, format_time, user_document

if TYPE_CHECKING:
    from pinecone_admin.emulator.emulator import Emulator

CONTROL_PATH = "/_emulator"

Checks: TypeAlias = dict[str, Check[Any]]


@frozen
class ControlContext:
    """The context of one call of a control route.

    Args:
        emulator: The emulator to control.
        body: The JSON object in the request body.
        path_arguments: The variable segments of the path.
    """

    emulator: Emulator
    body: Document
    path_arguments: tuple[str, ...]

    def read_arguments(self, required: Checks, optional: Checks) -> dict[str, Any]:
        """Read the arguments of a method from the body; absent ones keep the method's defaults."""

        def read(fields: Fields) -> dict[str, Any]:
            arguments = {name: fields.required(name, check) for name, check in required.items()}
            given = {name: fields.optional(name, check) for name, check in optional.items()}
            return arguments | {name: value for name, value in given.items() if value is not None}

        return checks.closed_object(read)("", self.body)


@frozen
class ControlRoute:
    """A route below `/_emulator`."""

    method: str
    path: str
    description: str
    run: Callable[[ControlContext], Document | None]

    def match(self, path: str) -> tuple[str, ...] | None:
        """Return the variable segments of a path, or None if the path does not match."""
        match = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", self.path), path)
        return match and tuple(unquote(part) for part in match.groups())


def is_control_request(request: Request) -> bool:
    """Return whether a request is for the control interface."""
    return request.path == CONTROL_PATH or request.path.startswith(f"{CONTROL_PATH}/")


def handle_control_request(emulator: Emulator, request: Request) -> Response:
    """Handle a request for the control interface.

    Args:
        emulator: The emulator to control.
        request: The request.
    """
    try:
        document = _run_route(emulator, request)
    except Refusal as refusal:
        return json_response(refusal.status, refusal.headers, refusal.document)
    except ValueError as error:
        # Clock.advance, for one, raises a plain ValueError.
        return json_response(400, {}, invalid_argument(str(error)).document)
    return json_response(204 if document is None else 200, {}, document)


def _run_route(emulator: Emulator, request: Request) -> Document | None:
    path = request.path.removeprefix(CONTROL_PATH)
    matches = [(route, parts) for route in CONTROL_ROUTES if (parts := route.match(path)) is not None]
    for route, parts in matches:
        if route.method == request.method:
            return route.run(ControlContext(emulator, checks.read_body(request.body or b"{}"), parts))
    if matches:
        raise method_not_allowed(request, [route.method for route, _ in matches])
    raise Refusal(404, "NOT_FOUND", f"there is no route {quoted(request.path)}; GET {CONTROL_PATH} lists them")


_NAME: Checks = {"name": checks.string}
# The emulator's own methods check the roles, since a role is a string or a pair.
_ROLES: Checks = {"roles": checks.array(lambda _, value: value)}


def _list_routes(_: ControlContext) -> Document:
    return {"routes": [f"{each.method} {CONTROL_PATH}{each.path}: {each.description}" for each in CONTROL_ROUTES]}


def _configure(context: ControlContext) -> Document:
    context.emulator.configure(**context.body)
    return context.emulator.settings


def _show_clock(context: ControlContext) -> Document:
    return {"now": format_time(context.emulator.clock.now())}


def _advance_clock(context: ControlContext) -> Document:
    context.emulator.clock.advance(**context.read_arguments({"seconds": checks.seconds}, {}))
    return _show_clock(context)


def _add_user(context: ControlContext) -> Document:
    return user_document(context.emulator.add_user(**context.read_arguments({"email": checks.email}, _NAME | _ROLES)))


def _accept_invite(context: ControlContext) -> Document:
    arguments = context.read_arguments({}, _NAME)
    return user_document(context.emulator.accept_invite(*context.path_arguments, **arguments))


def _hold(context: ControlContext) -> None:
    arguments = context.read_arguments({}, {"protected": checks.boolean})
    context.emulator.hold(*context.path_arguments, **arguments)


_CONTENT = "/projects/{project_id}/{kind}/{name}"

CONTROL_ROUTES: tuple[ControlRoute, ...] = (
    ControlRoute("GET", "", "List the routes.", _list_routes),
    ControlRoute(
        "POST",
        "/reset",
        "Restore the initial state; the credentials stay valid.",
        lambda context: context.emulator.reset(),
    ),
    ControlRoute(
        "GET", "/state", "Return the whole state, including secrets.", lambda context: context.emulator.dump()
    ),
    ControlRoute("PUT", "/state", "Replace the whole state.", lambda context: context.emulator.load(context.body)),
    ControlRoute(
        "GET",
        "/settings",
        "Return the plan, the payment status and the settings.",
        lambda context: context.emulator.settings,
    ),
    ControlRoute("PATCH", "/settings", "Change the plan, the payment status or settings.", _configure),
    ControlRoute("GET", "/clock", "Return the time.", _show_clock),
    ControlRoute("POST", "/clock/advance", "Advance the time by a number of seconds.", _advance_clock),
    ControlRoute("POST", "/users", "Add a user.", _add_user),
    ControlRoute("POST", "/invites/{invite_id}/accept", "Accept an invite.", _accept_invite),
    ControlRoute(
        "POST",
        "/clients",
        "Create a service account with roles, on any plan.",
        lambda context: asdict(context.emulator.add_client(**context.read_arguments(_ROLES, _NAME))),
    ),
    ControlRoute("PUT", _CONTENT, "Add an index, collection, assistant or backup to a project.", _hold),
    ControlRoute(
        "DELETE",
        _CONTENT,
        "Remove it from the project.",
        lambda context: context.emulator.release(*context.path_arguments),
    ),
    ControlRoute(
        "GET",
        "/faults",
        "List the faults.",
        lambda context: {"data": [fault.document for fault in context.emulator.faults]},
    ),
    ControlRoute(
        "POST",
        "/faults",
        "Add a fault.",
        lambda context: context.emulator.faults.add_document(context.body).document,
    ),
    ControlRoute("DELETE", "/faults", "Remove all faults.", lambda context: context.emulator.faults.clear()),
    ControlRoute(
        "GET",
        "/requests",
        "List the received requests.",
        lambda context: {"data": [request.document for request in context.emulator.requests]},
    ),
    ControlRoute(
        "DELETE", "/requests", "Clear the list of received requests.", lambda context: context.emulator.requests.clear()
    ),
)
