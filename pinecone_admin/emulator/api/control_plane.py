"""What a project holds, as the control plane shows and deletes it: only what emptying a project needs.

Published documents of 2026-04. Instead of a token these calls carry the value of an API key, which opens exactly its
project. Indexes and assistants take a while to go; what was asked to go keeps its project from being deleted till then.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

from attrs import frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields, Refusal, invalid, shown
from pinecone_admin.emulator.api.messages import Request, wrong_method
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.state import Project, State

DEFAULT_PAGE = 10
GOING = {"indexes": timedelta(seconds=2), "assistants": timedelta(seconds=4)}
"""How long each kind takes to go; any other is gone at once."""

_READERS = frozenset({"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"})
_WRITERS = frozenset({"ProjectEditor", "ControlPlaneEditor"})
_PROTECTION = checks.one_of(("enabled", "disabled"))


@frozen
class Call:
    """An operation called with a key.

    Args:
        state: the organization.
        now: when it arrived.
        project: what the key opens.
        kind: what it is about, as the project's contents name it.
        target: the name in the path, empty for a list.
        request: the request itself.
    """

    state: State
    now: datetime
    project: Project
    kind: str
    target: str
    request: Request


Run: TypeAlias = Callable[[Call], Document | None]


@frozen
class Operation:
    """An operation of the control plane, the status of its success, and the function that carries it out."""

    id: str
    status: int
    run: Run


def serves(request: Request) -> bool:
    """Tell whether a request is for the control plane."""
    return _parse(request.path) is not None


def operation_id(request: Request) -> str:
    """Return the id of the operation that a request is for, empty where there is none."""
    kind, target = _parse(request.path) or ("", "")
    operation = _ROUTES.get((request.method, kind, bool(target)))
    return operation.id if operation else ""


def answer(request: Request, state: State, now: datetime) -> tuple[int, Document | None]:
    """Answer a request that carries a key."""
    kind, target = _parse(request.path) or ("", "")
    project, roles = _opened(request, state)
    settle(project, now)
    operation = _ROUTES.get((request.method, kind, bool(target)))
    if operation is None:
        allowed = [method for method, *route in _ROUTES if route == [kind, bool(target)]]
        raise wrong_method(request, allowed)
    if not roles & (_READERS if request.method == "GET" else _WRITERS):
        raise Refusal(403, "FORBIDDEN", f"the key's roles do not permit {operation.id}")
    return operation.status, operation.run(Call(state, now, project, kind, target, request))


def settle(project: Project, now: datetime) -> None:
    """Let go of what has had its time to go, and finish what has had its time to be made."""
    for (kind, name), until in list(project.going.items()):
        if until <= now:
            project.let_go(kind, name)
    project.pending = {name: pending for name, pending in project.pending.items() if now < pending.until}


def _parse(path: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"(?:/assistant)?/(indexes|collections|assistants|backups)(?:/([^/]+))?", path)
    if match is None or (match[1] == "assistants") != path.startswith("/assistant/"):
        return None
    return match[1], unquote(match[2] or "")


def _opened(request: Request, state: State) -> tuple[Project, frozenset[str]]:
    value = request.headers.get("api-key", "")
    key = next((key for key in state.api_keys.values() if key.value == value), None)
    if key is None:
        raise Refusal(401, "UNAUTHENTICATED", "the header Api-Key carries no key that is known")
    return state.projects[key.project_id], frozenset(state.roles_of(key))


def _held(call: Call) -> str:
    if call.target not in call.project.contents[call.kind]:
        raise Refusal(404, "NOT_FOUND", f"{shown(call.target)} is not among the {call.kind} of the project")
    return call.target


def _leaving(call: Call, name: str) -> bool:
    return (call.kind, name) in call.project.going


def _list_indexes(call: Call) -> Document:
    return {"indexes": [_index(call, name) for name in sorted(call.project.contents["indexes"])]}


def _index(call: Call, name: str) -> Document:
    leaving = _leaving(call, name)
    return {
        "name": name,
        "dimension": 1536,
        "metric": "cosine",
        "host": f"{name}-emulated.svc.pinecone.io",
        "deletion_protection": "enabled" if name in call.project.protected else "disabled",
        "status": {"ready": not leaving, "state": "Terminating" if leaving else "Ready"},
    }


def _configure_index(call: Call) -> Document:
    protection = Fields.of(call.request.body).optional("deletion_protection", _PROTECTION)
    name = _held(call)
    if protection is not None:
        (call.project.protected.add if protection == "enabled" else call.project.protected.discard)(name)
    return _index(call, name)


def _delete_index(call: Call) -> None:
    name = _held(call)
    if name in call.project.protected:
        raise Refusal(403, "FORBIDDEN", f"deletion protection is enabled for index {shown(name)}")
    if pending := [made for made, each in call.project.pending.items() if each.source == name]:
        raise Refusal(412, "FAILED_PRECONDITION", f"index {shown(name)} has pending collections: {', '.join(pending)}")
    _let_go(call)


def _list_collections(call: Call) -> Document:
    names = sorted(call.project.contents["collections"])
    if not names and not call.state.settings.pod_access:
        raise Refusal(404, "NOT_FOUND", "the organization has no pod-based indexes, so no collections")
    return {"collections": [{"name": n, "status": _status(call, n), "environment": "us-east1-gcp"} for n in names]}


def _list_assistants(call: Call) -> Document:
    names, following = _page(call, "pagination_token")
    pagination = {"pagination": {"next": following}} if following else {}
    return {"assistants": [{"name": name, "status": _status(call, name)} for name in names], **pagination}


def _list_backups(call: Call) -> Document:
    names, following = _page(call, "paginationToken")
    data = [{"backup_id": name, "status": _status(call, name)} for name in names]
    return {"data": data, "pagination": {"next": following} if following else None}


def _delete(call: Call) -> None:
    name = _held(call)
    if call.kind == "backups" and name in call.project.pending:
        raise Refusal(412, "FAILED_PRECONDITION", f"backup {shown(name)} is being made")
    _let_go(call)


def _let_go(call: Call) -> None:
    until = call.now + GOING.get(call.kind, timedelta())
    call.project.going.setdefault((call.kind, call.target), until)
    settle(call.project, call.now)


def _status(call: Call, name: str) -> str:
    if _leaving(call, name):
        return "Terminating"
    return "Initializing" if name in call.project.pending else "Ready"


def _page(call: Call, parameter: str) -> tuple[list[str], str | None]:
    """Page by position, as offsets do: what is deleted meanwhile moves the rest."""
    query = Fields(dict(parse_qsl(call.request.query, keep_blank_values=True)))
    limit = query.optional("limit", checks.page_limit) or DEFAULT_PAGE
    token = query.optional(parameter, checks.string)
    listing = f"{call.kind} {call.project.id}"
    start = 0 if token is None else call.state.position_of(listing, token)
    if start is None:
        raise invalid(f"{parameter} is not of this list: {shown(token)}")
    names = sorted(call.project.contents[call.kind])
    end = start + limit
    return names[start:end], call.state.cursor(listing, end) if end < len(names) else None


_ROUTES: dict[tuple[str, str, bool], Operation] = {
    ("GET", "indexes", False): Operation("list_indexes", 200, _list_indexes),
    ("PATCH", "indexes", True): Operation("configure_index", 200, _configure_index),
    ("DELETE", "indexes", True): Operation("delete_index", 202, _delete_index),
    ("GET", "collections", False): Operation("list_collections", 200, _list_collections),
    ("DELETE", "collections", True): Operation("delete_collection", 202, _delete),
    ("GET", "backups", False): Operation("list_backups", 200, _list_backups),
    ("DELETE", "backups", True): Operation("delete_backup", 202, _delete),
    ("GET", "assistants", False): Operation("list_assistants", 200, _list_assistants),
    ("DELETE", "assistants", True): Operation("delete_assistant", 200, _delete),
}

OPERATION_IDS = tuple(operation.id for operation in _ROUTES.values())
