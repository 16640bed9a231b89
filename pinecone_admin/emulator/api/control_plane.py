"""The control plane of a project, as far as emptying the project needs it.

The source is the control-plane documents of 2026-04. Requests carry the value of an API key instead of an access
token; a key gives access to its own project only. Deleting an index or an assistant takes a while, and until it is
gone the project cannot be deleted.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, method_not_allowed, quoted
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.records import ProjectRecord
from pinecone_admin.emulator.model.state import State

DEFAULT_PAGE = 10
DELETION_DURATIONS = {"indexes": timedelta(seconds=2), "assistants": timedelta(seconds=4)}
"""How long a deletion takes, by kind; other kinds are gone at once."""

_READERS = frozenset({"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"})
_WRITERS = frozenset({"ProjectEditor", "ControlPlaneEditor"})
_DELETION_PROTECTION = checks.one_of(("enabled", "disabled"))


@frozen
class ControlPlaneContext:
    """The context of one call with an API key.

    Args:
        state: The organization.
        now: The time at which the request arrived.
        project: The project of the key.
        kind: The kind of resource: indexes, collections, assistants or backups.
        target: The name in the path; empty for a list.
        request: The request itself.
    """

    state: State
    now: datetime
    project: ProjectRecord
    kind: str
    target: str
    request: Request


RunFunction: TypeAlias = Callable[[ControlPlaneContext], Document | None]


@frozen
class ControlPlaneRoute:
    """An operation of the control plane: its id, the status of a success, and the function that runs it."""

    id: str
    status: int
    run: RunFunction


def is_control_plane_request(request: Request) -> bool:
    """Return whether a request is for the control plane."""
    return _parse_path(request.path) is not None


def operation_id(request: Request) -> str:
    """Return the id of the operation that a request calls, or an empty string if no operation matches."""
    kind, target = _parse_path(request.path) or ("", "")
    operation = _ROUTES.get((request.method, kind, bool(target)))
    return operation.id if operation else ""


def run_operation(request: Request, state: State, now: datetime) -> tuple[int, Document | None]:
    """Run the operation that a request with an API key calls; return the status and the document."""
    kind, target = _parse_path(request.path) or ("", "")
    project, roles = _authenticate_key(request, state)
    complete_transitions(project, now)
    operation = _ROUTES.get((request.method, kind, bool(target)))
    if operation is None:
        allowed = [method for method, *route in _ROUTES if route == [kind, bool(target)]]
        raise method_not_allowed(request, allowed)
    if not roles & (_READERS if request.method == "GET" else _WRITERS):
        raise Refusal(403, "FORBIDDEN", f"the API key's roles do not permit {operation.id}")
    return operation.status, operation.run(ControlPlaneContext(state, now, project, kind, target, request))


def complete_transitions(project: ProjectRecord, now: datetime) -> None:
    """Complete the deletions and creations that are due."""
    for (kind, name), until in list(project.going.items()):
        if until <= now:
            project.remove_content(kind, name)
    project.pending = {name: pending for name, pending in project.pending.items() if now < pending.until}


def _parse_path(path: str) -> tuple[str, str] | None:
    # Only assistants live below /assistant.
    match = re.fullmatch(r"(?:/assistant)?/(indexes|collections|assistants|backups)(?:/([^/]+))?", path)
    if match is None or (match[1] == "assistants") != path.startswith("/assistant/"):
        return None
    return match[1], unquote(match[2] or "")


def _authenticate_key(request: Request, state: State) -> tuple[ProjectRecord, frozenset[str]]:
    # A scan is fast enough: only the emptying of projects comes through here.
    value = request.headers.get("api-key", "")
    key = next((key for key in state.api_keys.values() if key.value == value), None)
    if key is None:
        raise Refusal(401, "UNAUTHENTICATED", "the Api-Key header is missing or its key is unknown")
    return state.projects[key.project_id], frozenset(state.roles_of(key))


def _require_existing(context: ControlPlaneContext) -> str:
    if context.target not in context.project.contents[context.kind]:
        raise Refusal(404, "NOT_FOUND", f"{quoted(context.target)} is not one of the project's {context.kind}")
    return context.target


def _is_terminating(context: ControlPlaneContext, name: str) -> bool:
    return (context.kind, name) in context.project.going


def _list_indexes(context: ControlPlaneContext) -> Document:
    return {"indexes": [_index_document(context, name) for name in sorted(context.project.contents["indexes"])]}


def _index_document(context: ControlPlaneContext, name: str) -> Document:
    leaving = _is_terminating(context, name)
    return {
        "name": name,
        "dimension": 1536,
        "metric": "cosine",
        "host": f"{name}-emulated.svc.pinecone.io",
        "deletion_protection": "enabled" if name in context.project.protected else "disabled",
        "status": {"ready": not leaving, "state": "Terminating" if leaving else "Ready"},
    }


def _configure_index(context: ControlPlaneContext) -> Document:
    protection = Fields.from_body(context.request.body).optional("deletion_protection", _DELETION_PROTECTION)
    name = _require_existing(context)
    if protection is not None:
        (context.project.protected.add if protection == "enabled" else context.project.protected.discard)(name)
    return _index_document(context, name)


def _delete_index(context: ControlPlaneContext) -> None:
    name = _require_existing(context)
    if name in context.project.protected:
        raise Refusal(403, "FORBIDDEN", f"deletion protection is enabled for index {quoted(name)}")
    if pending := [each for each, resource in context.project.pending.items() if resource.source == name]:
        raise Refusal(412, "FAILED_PRECONDITION", f"index {quoted(name)} has pending collections: {', '.join(pending)}")
    _start_deletion(context)


def _list_collections(context: ControlPlaneContext) -> Document:
    names = sorted(context.project.contents["collections"])
    if not names and not context.state.settings.pod_access:
        raise Refusal(404, "NOT_FOUND", "the organization has no pod-based indexes and therefore no collections")
    return {
        "collections": [{"name": n, "status": _status_of(context, n), "environment": "us-east1-gcp"} for n in names]
    }


def _list_assistants(context: ControlPlaneContext) -> Document:
    names, next_token = _page_of_names(context, "pagination_token")
    pagination = {"pagination": {"next": next_token}} if next_token else {}
    return {"assistants": [{"name": name, "status": _status_of(context, name)} for name in names], **pagination}


def _list_backups(context: ControlPlaneContext) -> Document:
    names, next_token = _page_of_names(context, "paginationToken")
    data = [{"backup_id": name, "status": _status_of(context, name)} for name in names]
    return {"data": data, "pagination": {"next": next_token} if next_token else None}


def _delete(context: ControlPlaneContext) -> None:
    name = _require_existing(context)
    if context.kind == "backups" and name in context.project.pending:
        raise Refusal(412, "FAILED_PRECONDITION", f"backup {quoted(name)} is still being created")
    _start_deletion(context)


def _start_deletion(context: ControlPlaneContext) -> None:
    # A second request does not prolong a deletion that is under way.
    until = context.now + DELETION_DURATIONS.get(context.kind, timedelta())
    context.project.going.setdefault((context.kind, context.target), until)
    complete_transitions(context.project, context.now)


def _status_of(context: ControlPlaneContext, name: str) -> str:
    if _is_terminating(context, name):
        return "Terminating"
    return "Initializing" if name in context.project.pending else "Ready"


def _page_of_names(context: ControlPlaneContext, parameter: str) -> tuple[list[str], str | None]:
    # The position is an offset: a deletion between two pages shifts the rest. Clients must read the whole list first.
    query = Fields(dict(parse_qsl(context.request.query, keep_blank_values=True)))
    limit = query.optional("limit", checks.page_limit) or DEFAULT_PAGE
    token = query.optional(parameter, checks.string)
    listing = f"{context.kind} {context.project.id}"
    start = 0 if token is None else context.state.decode_cursor(listing, token)
    if start is None:
        raise invalid_argument(f"{parameter} does not belong to this list: {quoted(token)}")
    names = sorted(context.project.contents[context.kind])
    end = start + limit
    return names[start:end], context.state.encode_cursor(listing, end) if end < len(names) else None


_ROUTES: dict[tuple[str, str, bool], ControlPlaneRoute] = {
    ("GET", "indexes", False): ControlPlaneRoute("list_indexes", 200, _list_indexes),
    ("PATCH", "indexes", True): ControlPlaneRoute("configure_index", 200, _configure_index),
    ("DELETE", "indexes", True): ControlPlaneRoute("delete_index", 202, _delete_index),
    ("GET", "collections", False): ControlPlaneRoute("list_collections", 200, _list_collections),
    ("DELETE", "collections", True): ControlPlaneRoute("delete_collection", 202, _delete),
    ("GET", "backups", False): ControlPlaneRoute("list_backups", 200, _list_backups),
    ("DELETE", "backups", True): ControlPlaneRoute("delete_backup", 202, _delete),
    ("GET", "assistants", False): ControlPlaneRoute("list_assistants", 200, _list_assistants),
    ("DELETE", "assistants", True): ControlPlaneRoute("delete_assistant", 200, _delete),
}

OPERATION_IDS = tuple(operation.id for operation in _ROUTES.values())
