"""The page of a served emulator, for a browser: what the organization has, what was sent, and which faults wait.

It is made here and can be read without scripts; the script only asks for it again. Others choose the names, which may
contain markup: every value is escaped, and the Content-Security-Policy lets nothing run but that script.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from pinecone_admin.emulator.api.messages import Request, Response
from pinecone_admin.emulator.control.faults import Fault
from pinecone_admin.emulator.control.request_log import LoggedRequest
from pinecone_admin.emulator.model.records import InviteRecord, Principal, ProjectRecord
from pinecone_admin.emulator.model.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from pinecone_admin.emulator.emulator import Emulator

SHOWN = 200
"""The number of requests, and of records of each kind, that the page shows; an organization may have 100,000."""

_SHOWN_WITHIN = 20
_STATUSES = {"2": "2xx", "4": "4xx", "5": "5xx", "none": "no response"}
_FILTERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "method": ("any method", {name: name for name in ("GET", "POST", "PUT", "PATCH", "DELETE")}),
    "status": ("any status", _STATUSES),
    "fault": ("with or without a fault", {"yes": "with a fault", "no": "without a fault"}),
}
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_POLICY = (
    "default-src 'none'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TONES = {"2": "good", "4": "warn", "5": "bad"}

T = TypeVar("T")


def is_page_request(request: Request) -> bool:
    """Return whether a browser asks for the page; for any other client, `/` is an unknown route."""
    return (request.method, request.path) == ("GET", "/") and "text/html" in request.headers.get("accept", "")


def page_response(emulator: Emulator, request: Request) -> Response:
    """Return the page, with the requests that the query selects."""
    filters = dict(parse_qsl(request.query))
    log = list(emulator.requests)
    waiting = [fault for fault in emulator.faults if fault.fired != fault.times]
    counts = {"requests": len(log), "faults that wait": len(waiting)}
    style, script = _read_file("page.css"), _read_file("page.js")
    page = _read_file("page.html").format(
        style=style,
        script=script,
        search=escape(filters.get("search", "")),
        selects="\n".join(_render_select(name, filters.get(name, "")) for name in _FILTERS),
        requests=_render_requests([entry for entry in reversed(log) if _matches(entry, filters)], len(log)),
        faults=_render_faults(waiting),
        **emulator.read_state(lambda state: _render_state(state, emulator.clock.now(), counts)),
    )
    policy = f"{_POLICY}; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}"
    return Response(200, {**_HEADERS, "content-security-policy": policy}, page.encode(errors="backslashreplace"))


@cache
def _read_file(name: str) -> str:
    return files(__name__.rpartition(".")[0]).joinpath(name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _name(text: object) -> str:
    """Return a text that others chose: escaped, and unable to change the direction of what stands beside it."""
    return f"<bdi>{escape(str(text))}</bdi>"


def _chips(texts: Iterable[str]) -> str:
    return "".join(f'<span class="chip">{_name(text)}</span>' for text in texts)


def _render_some(records: Collection[T], render: Callable[[T], str], most: int = SHOWN) -> tuple[str, str]:
    """Return the first records, and a line that says how many more there are."""
    left = len(records) - most
    return "".join(map(render, islice(records, most))), f"<p>and {left:,} more</p>" if left > 0 else ""


def _render_table(columns: Mapping[str, str], rows: str, more: str = "") -> str:
    """Return a table, from the names of its columns with their classes."""
    heads = "".join(f'<th class="{kind}">{name}</th>' for name, kind in columns.items())
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"


# Requests


def _matches(entry: LoggedRequest, filters: Mapping[str, str]) -> bool:
    wanted = filters.get("search", "").casefold()
    status = "none" if entry.status is None else str(entry.status)[0]
    values = {"method": entry.method, "status": status, "fault": "yes" if entry.fault else "no"}
    return wanted in f"{entry.path}?{entry.query} {entry.operation_id} {entry.method_name}".casefold() and all(
        filters.get(name) in {None, "", value} for name, value in values.items()
    )


def _render_select(name: str, chosen: str) -> str:
    label, choices = _FILTERS[name]
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{text}</option>'
        for value, text in {"": label, **choices}.items()
    )
    return f'<select name="{name}" aria-label="{name}">{options}</select>'


def _render_requests(entries: list[LoggedRequest], received: int) -> str:
    if not entries:
        return f"<p>{'None of them matches.' if received else 'None yet.'}</p>"
    rows, more = _render_some(entries, _render_request)
    columns = {"time": "when", "request": "", "operation": "operation narrow", "status": "status"}
    return _render_table(columns, rows, more)


def _render_request(entry: LoggedRequest) -> str:
    tone = _TONES.get(str(entry.status)[0], "bad")
    fault = f' <span class="chip">{escape(entry.fault)}</span>' if entry.fault else ""
    headers = "\n".join(f"{name}: {value}" for name, value in entry.headers.items())
    body = "" if entry.json is None else json.dumps(entry.json, indent=2, ensure_ascii=False)
    query = f"?{entry.query}" if entry.query else ""
    return (
        f'<tr><td class="when small number">{entry.time:%H:%M:%S}</td>'
        f'<td class="wide"><details data-key="{escape(entry.request_id or entry.time.isoformat())}">'
        f'<summary class="mono"><b>{escape(entry.method)}</b> {escape(entry.path + query)}</summary>'
        f"{f'<pre>{escape(body)}</pre>' if body else ''}<pre>{escape(headers)}</pre></details></td>"
        f'<td class="operation narrow mono small">{escape(entry.method_name or entry.operation_id)}</td>'
        f'<td class="status number"><span class="{tone}">{entry.status or "no response"}</span>{fault}</td></tr>'
    )


# Faults


def _render_faults(faults: list[Fault]) -> str:
    if not faults:
        return "<p>None.</p>"
    rows, more = _render_some(faults, _render_fault)
    return _render_table({"operation": "third", "what it does": "", "fired": "status"}, rows, more)


def _render_fault(fault: Fault) -> str:
    shown = {"number", "operation", "times", "seen", "fired", "used"}
    arguments = [f"{name} {value}" for name, value in fault.document.items() if name not in shown]
    times = ", always" if fault.times is None else f" of {fault.times}"
    return (
        f'<tr><td class="third mono">{_name(fault.operation)}</td><td class="wide">{_chips(arguments)}</td>'
        f'<td class="status number">{fault.fired}{times}</td></tr>'
    )


# The organization


def _render_state(state: State, now: datetime, counts: Mapping[str, int]) -> dict[str, str]:
    return {
        "title": escape(state.organization.name),
        "head": _render_head(state, now, counts),
        "projects": _render_projects(state),
        "people": _render_people(state, now),
    }


def _render_head(state: State, now: datetime, counts: Mapping[str, int]) -> str:
    organization, settings = state.organization, state.settings
    paid = organization.payment_status
    facts = (
        f"{escape(organization.plan)} plan",
        paid if paid == "Active" else f'<span class="warn">{escape(paid)}</span>',
        f"permissions {escape(settings.permissions)}",
        f'<span class="mono">{escape(organization.id)}</span>',
        f'<span class="number">{now:%Y-%m-%d %H:%M:%S} UTC</span>',
    )
    held = {
        "projects": len(state.projects),
        "keys": sum(len(project.api_keys) for project in state.projects.values()),
        "users": len(state.users),
        "open invites": len(state.open_invites),
        "accounts": len(state.service_accounts),
        "role bindings": len(state.role_bindings),
        **counts,
    }
    return (
        f"<h1>{_name(organization.name)}</h1>"
        f'<div class="facts">{"".join(f"<span>{fact}</span>" for fact in facts)}</div>'
        f'<ul class="counts">{"".join(f"<li><b>{n:,}</b><span>{name}</span></li>" for name, n in held.items())}</ul>'
    )


def _render_projects(state: State) -> str:
    if not state.projects:
        return "<p>None yet.</p>"
    rows, more = _render_some(state.projects.values(), lambda project: _render_project(state, project))
    return _render_table({"project": "third", "keys": "", "holds": "third"}, rows, more)


def _render_project(state: State, project: ProjectRecord) -> str:
    keys, more = _render_some(
        project.api_keys.values(),
        lambda key: f"<li>{_name(key.name)} {_chips(state.roles_of(key))}</li>",
        _SHOWN_WITHIN,
    )
    held = "".join(
        f"<li>{kind} {_chips(islice(sorted(names), _SHOWN_WITHIN))}{_count_rest(names)}</li>"
        for kind, names in project.contents.items()
        if names
    )
    return (
        f'<tr><td class="third wide">{_name(project.name)}<div class="small mono">{escape(project.id)}</div></td>'
        f'<td class="wide"><ul>{keys}</ul>{more}</td><td class="third wide small"><ul>{held}</ul></td></tr>'
    )


def _count_rest(names: Collection[str]) -> str:
    left = len(names) - _SHOWN_WITHIN
    return f"and {left:,} more" if left > 0 else ""


def _render_people(state: State, now: datetime) -> str:
    users, more_users = _render_some(
        state.users.values(),
        lambda user: _render_person(state, Principal("user", user.id), user.name or user.email, user.email),
    )
    invites, more_invites = _render_some(list(state.open_invites), lambda invite: _render_invite(state, invite, now))
    accounts, more_accounts = _render_some(
        state.service_accounts.values(),
        lambda account: _render_person(
            state, Principal("service_account", account.id), account.name, "service account", account.client_id
        ),
    )
    rows = users + invites + accounts
    return _render_table({"who": "third", "roles": ""}, rows, more_users + more_invites + more_accounts)


def _render_invite(state: State, invite: InviteRecord, now: datetime) -> str:
    until = f"invited, {invite.status(now)}, until {invite.expires_at:%Y-%m-%d %H:%M}"
    return _render_person(state, Principal("invite", invite.id), invite.email, until)


def _render_person(state: State, principal: Principal, name: str, *notes: str) -> str:
    below = "".join(f'<div class="small">{_name(note)}</div>' for note in notes if note != name)
    roles = _chips(islice(_list_roles(state, principal), SHOWN))
    return f'<tr><td class="third wide">{_name(name)}{below}</td><td class="wide">{roles}</td></tr>'


def _list_roles(state: State, principal: Principal) -> Iterator[str]:
    for binding in state.role_bindings.held_by(principal):
        project = state.projects.get(binding.grant.resource_id)
        yield f"{binding.grant.role} on {project.name}" if project else binding.grant.role
