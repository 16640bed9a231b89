"""Control over HTTP: each route below `/_emulator` calls a method of the emulator; and the page at `/`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import parse_qsl

from attrs import asdict, frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Check, Fields
from pinecone_admin.emulator.api.dispatch import json_response
from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.api.operation_names import METHOD_NAMES
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.api.routing import Route, Router
from pinecone_admin.emulator.api.serialization import Document, format_time, user_document
from pinecone_admin.emulator.control.page import is_page_request, page_response
from pinecone_admin.emulator.control.request_log import LoggedRequest

if TYPE_CHECKING:
    from pinecone_admin.emulator.control.configuration import SettingArguments
    from pinecone_admin.emulator.emulator import Emulator

CONTROL_PATH = "/_emulator"

Checks: TypeAlias = dict[str, Check[Any]]


@frozen
class ControlContext:
    """The context of one call of a control route.

    Args:
        emulator: The emulator to control.
        body: The JSON object in the request body.
        query: The query parameters.
        path_arguments: The variable segments of the path.
    """

    emulator: Emulator
    body: Document
    query: Document
    path_arguments: tuple[str, ...]

    def read_arguments(self, required: Checks, optional: Checks) -> dict[str, Any]:
        """Read the arguments of a method from the body; absent ones keep the method's defaults."""

        def read(fields: Fields) -> dict[str, Any]:
            arguments = {name: fields.required(name, check) for name, check in required.items()}
            given = {name: fields.optional(name, check) for name, check in optional.items()}
            return arguments | {name: value for name, value in given.items() if value is not None}

        return checks.closed_object(read)("", self.body)


@frozen
class ControlRoute(Route):
    """A route below `/_emulator`.

    Attributes:
        description: What it does.
        run: The function that handles a request.
        example: A body for it, as JSON; empty if it has none.
    """

    description: str
    run: Callable[[ControlContext], Document | Response | None]
    example: str = ""


def is_control_request(request: Request) -> bool:
    """Return whether a request is for the control interface or the page."""
    return request.path == CONTROL_PATH or request.path.startswith(f"{CONTROL_PATH}/") or is_page_request(request)


def handle_control_request(emulator: Emulator, request: Request, *, any_host: bool = False) -> Response:
    """Handle a request for the control interface or the page.

    Args:
        emulator: The emulator to control.
        request: The request.
        any_host: Whether the Host header may name another host than this machine's loopback.
    """
    try:
        _require_local_sender(request, any_host=any_host)
        result = page_response(emulator, request) if is_page_request(request) else _run_route(emulator, request)
    except Refusal as refusal:
        return json_response(refusal.status, refusal.headers, refusal.document)
    except ValueError as error:
        # Clock.advance, for one, raises a plain ValueError.
        return json_response(400, {}, invalid_argument(str(error)).document)
    return result if isinstance(result, Response) else json_response(204 if result is None else 200, {}, result)


def _require_local_sender(request: Request, *, any_host: bool) -> None:
    """Refuse web pages, which could reset the emulator, add faults and read secrets."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    # A page whose own name is made to lead to this machine (DNS rebinding) sends that name.
    # The port is no part of its name; an IPv6 address is in brackets.
    if not (any_host or is_loopback(re.sub(r":\d*$", "", host).strip("[]"))):
        raise Refusal(403, "PERMISSION_DENIED", f"Host must be a loopback address, not {quoted(host)}")
    # The page of another site sends its own origin.
    if origin is not None and origin.lower() not in {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}:
        raise Refusal(403, "PERMISSION_DENIED", f"Origin {quoted(origin)} may not control the emulator")


def is_loopback(host: str) -> bool:
    """Return whether a host is localhost or a loopback address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _run_route(emulator: Emulator, request: Request) -> Document | Response | None:
    route, path_arguments = _ROUTER.find(request)
    query: Document = dict(parse_qsl(request.query, keep_blank_values=True))
    return route.run(ControlContext(emulator, checks.read_body(request.body or b"{}"), query, path_arguments))


_RECORDS_IN_PIECE = 500

_NAME: Checks = {"name": checks.string}
# The emulator's own methods check the roles, since a role is a string or a pair.
_ROLES: Checks = {"roles": checks.array(lambda _, value: value)}


def _list_routes(_: ControlContext) -> Document:
    def describe(route: ControlRoute) -> str:
        example = f" For example: {route.example}" if route.example else ""
        return f"{route.method} {route.path}: {route.description}{example}"

    return {"routes": [describe(each) for each in CONTROL_ROUTES], "operations": sorted(METHOD_NAMES)}


def _show_health(context: ControlContext) -> Document:
    return {"host": context.emulator.host, "oauth_url": context.emulator.oauth_url}


def _dump_state(context: ControlContext) -> Response:
    pieces = _join_pieces(context.emulator.dump_text())
    return Response(200, {"content-type": "application/json"}, b"", pieces=pieces)


def _join_pieces(texts: Iterator[str]) -> Iterator[bytes]:
    # Some 3 ms each, which is the longest that another request waits. A body of 40 MB at once stops all for 100 ms.
    while piece := "".join(islice(texts, _RECORDS_IN_PIECE)):
        yield piece.encode()


def _configure(context: ControlContext) -> Document:
    # `configure` checks the names and the values.
    context.emulator.configure(**cast("SettingArguments", context.body))
    return context.emulator.settings


def _show_clock(context: ControlContext) -> Document:
    return {"now": format_time(context.emulator.clock.now())}


def _advance_clock(context: ControlContext) -> Document:
    context.emulator.clock.advance(**context.read_arguments({"seconds": checks.seconds}, {}))
    return _show_clock(context)


def _set_clock(context: ControlContext) -> Document:
    moment = context.read_arguments({"now": checks.date_time}, {})["now"]
    context.emulator.clock.set(moment)
    return _show_clock(context)


def _remove_fault(context: ControlContext) -> None:
    context.emulator.faults.remove_number(_whole_number("number", *context.path_arguments))


def _add_user(context: ControlContext) -> Document:
    return user_document(context.emulator.add_user(**context.read_arguments({"email": checks.email}, _NAME | _ROLES)))


def _accept_invite(context: ControlContext) -> Document:
    arguments = context.read_arguments({}, _NAME)
    return user_document(context.emulator.accept_invite(*context.path_arguments, **arguments))


def _list_requests(context: ControlContext) -> Document:
    def read(query: Fields) -> list[LoggedRequest]:
        last = query.optional("last", _whole_number)
        filters = {name: query.optional(name, checks.string) for name in ("operation", "method", "fault")}
        found = context.emulator.requests.filter(**filters, status=query.optional("status", _whole_number))
        return found if last is None else found[max(0, len(found) - last) :]

    return {"data": [request.document for request in checks.closed_object(read)("", context.query)]}


def _whole_number(field: str, value: object) -> int:
    text = checks.string(field, value)
    if not re.fullmatch("[0-9]{1,9}", text):
        raise invalid_argument(f"{field} must be a whole number, not {quoted(text)}")
    return int(text)


def _hold(context: ControlContext) -> None:
    arguments = context.read_arguments({}, {"protected": checks.boolean})
    context.emulator.hold(*context.path_arguments, **arguments)


_CONTENT = f"{CONTROL_PATH}/projects/{{project_id}}/{{kind}}/{{name}}"

CONTROL_ROUTES: tuple[ControlRoute, ...] = (
    ControlRoute("GET", CONTROL_PATH, "List the routes and the operations.", _list_routes),
    ControlRoute("GET", f"{CONTROL_PATH}/health", "Return the URLs, as soon as requests are served.", _show_health),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/reset",
        "Restore the initial state; the credentials stay valid.",
        lambda context: context.emulator.reset(),
    ),
    ControlRoute("GET", f"{CONTROL_PATH}/state", "Return the whole state, including secrets.", _dump_state),
    ControlRoute(
        "PUT",
        f"{CONTROL_PATH}/state",
        "Replace the whole state.",
        lambda context: context.emulator.load(context.body),
        '{"organization": {"plan": "Standard"}, "projects": [{"name": "search"}]}',
    ),
    ControlRoute(
        "GET",
        f"{CONTROL_PATH}/settings",
        "Return the plan, the payment status and the settings.",
        lambda context: context.emulator.settings,
    ),
    ControlRoute(
        "PATCH",
        f"{CONTROL_PATH}/settings",
        "Change the plan, the payment status or settings.",
        _configure,
        '{"plan": "Free", "project_quota": 3}',
    ),
    ControlRoute("GET", f"{CONTROL_PATH}/clock", "Return the time.", _show_clock),
    ControlRoute("PUT", f"{CONTROL_PATH}/clock", "Set the time.", _set_clock, '{"now": "2031-07-01T00:00:00Z"}'),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/clock/advance",
        "Advance the time by a number of seconds.",
        _advance_clock,
        '{"seconds": 604800}',
    ),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/users",
        "Add a user.",
        _add_user,
        '{"email": "eve@example.com", "name": "Eve", "roles": ["OrgMember"]}',
    ),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/invites/{{invite_id}}/accept",
        "Accept an invite.",
        _accept_invite,
        '{"name": "Bob"}',
    ),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/sync",
        "Let the identity provider revert changes of the people whom it manages.",
        lambda context: context.emulator.sync(),
    ),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/clients",
        "Create a service account with roles, on any plan.",
        lambda context: asdict(context.emulator.add_client(**context.read_arguments(_ROLES, _NAME))),
        '{"name": "ci", "roles": ["OrgManager"]}',
    ),
    ControlRoute(
        "PUT",
        _CONTENT,
        "Add a resource to a project. The kinds are indexes, collections, assistants, backups and workspaces; only an "
        "index takes a body.",
        _hold,
        '{"protected": true}',
    ),
    ControlRoute(
        "DELETE",
        _CONTENT,
        "Remove it from the project.",
        lambda context: context.emulator.release(*context.path_arguments),
    ),
    ControlRoute(
        "GET",
        f"{CONTROL_PATH}/faults",
        "List the faults.",
        lambda context: {"data": [fault.document for fault in context.emulator.faults]},
    ),
    ControlRoute(
        "POST",
        f"{CONTROL_PATH}/faults",
        "Add a fault.",
        lambda context: context.emulator.faults.add_document(context.body).document,
        '{"operation": "create_project", "drop": "after", "times": 2}',
    ),
    ControlRoute(
        "DELETE", f"{CONTROL_PATH}/faults", "Remove all faults.", lambda context: context.emulator.faults.clear()
    ),
    ControlRoute("DELETE", f"{CONTROL_PATH}/faults/{{number}}", "Remove one fault.", _remove_fault),
    ControlRoute(
        "GET",
        f"{CONTROL_PATH}/requests",
        "List the received requests; the query can filter by operation, method, status, fault and last.",
        _list_requests,
    ),
    ControlRoute(
        "DELETE",
        f"{CONTROL_PATH}/requests",
        "Clear the list of received requests.",
        lambda context: context.emulator.requests.clear(),
    ),
)

_ROUTER = Router(CONTROL_ROUTES, f"; GET {CONTROL_PATH} lists them")
