"""Render the access page: one HTML file that loads no other, can be read without scripts, and prints.

The table by project is markup. Most cells of the table of people and projects are empty. So the page contains the table
as data, and the script builds the rows that pass the filters. The page's Content-Security-Policy lets no other script
run, even if a name contains markup.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING

from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable
from pinecone_admin.workflows.escaping import escape_html
from pinecone_admin.workflows.roles import Level, highest_level

if TYPE_CHECKING:
    from pinecone_admin.workflows.access import Access, Holder

_KIND_LABELS = {"user": "", "invite": "invited", "service_account": "service account"}
_OPEN_BY_DEFAULT = 5
_COLUMNS: Mapping[Level, int] = {"owns": 0, "writes": 1, "unknown": 1, "reads": 2}
_COLUMN_OF_KEYS = 3


def render_page(access: Access, *, note: str) -> str:
    """Return the page as HTML."""
    people = sorted(
        (holder for holder in access.holders if holder.type != "api_key"),
        key=lambda holder: (not holder.is_owner, holder.name.casefold()),
    )
    # A project that could not be read is named by its id, from the roles on it.
    reached = {id: id for id in chain.from_iterable(holder.roles for holder in access.holders)}
    projects = sorted({**reached, **access.projects}.items(), key=lambda item: (item[1].casefold(), item[0]))
    style, script = _read_file("access_page.css"), _read_file("access_page.js")
    return _read_file("access_page.html").format(
        title=escape_html(f"Access in {access.organization}"),
        policy=f"default-src 'none'; style-src '{_csp_hash(style)}'; script-src '{_csp_hash(script)}'",
        style=style,
        script=script,
        head=f"<h1>Who can do what in {escape_html(access.organization)}</h1>"
        f'<p class="note">As of {describe_minute(access.taken_at)}. {escape_html(note)}</p>',
        findings=_render_findings(access),
        writers=_render_writers(access, people, projects),
        data=_encode_data(people, projects),
    )


def _read_file(name: str) -> str:
    return files(__name__.rpartition(".")[0]).joinpath(name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _render_findings(access: Access) -> str:
    kinds: dict[str, list[str]] = {}
    for finding in access.findings:
        kinds.setdefault(finding.kind, []).append(finding.text)
    items = "".join(
        f"<details{' open' if len(texts) <= _OPEN_BY_DEFAULT else ''}>"
        f"<summary>{escape_html(kind.replace('-', ' '))} <b>{len(texts)}</b></summary><ul>"
        + "".join(f"<li>{escape_html(text)}</li>" for text in texts)
        + "</ul></details>"
        for kind, texts in kinds.items()
    )
    return f"<section><h2>Findings ({len(access.findings)})</h2>{items or '<p>None.</p>'}</section>"


def _render_person(holder: Holder) -> str:
    kind = escape_html(_KIND_LABELS.get(holder.type, holder.type))
    return f"{escape_html(holder.name)}{f' <i>{kind}</i>' if kind else ''}"


def _render_writers(access: Access, people: list[Holder], projects: list[tuple[str, str]]) -> str:
    """List who owns, writes and reads each project; owners of the organization own all, and are listed once."""
    owners = ", ".join(_render_person(holder) for holder in people if holder.is_owner) or "none"
    holders = _render_holders(access, people)
    rows = "".join(_render_writers_row(name, holders[id]) for id, name in projects)
    headings = "".join(f"<th>{head}" for head in ("project", "owns", "writes", "reads", "keys that write"))
    return (
        f'<section><h2>Who can write where</h2><p>Owners of the organization own every project: <b id="owners">{owners}'
        "</b>. Everyone else with access is listed by project. Project owners can also write.</p>"
        f'<table id="where"><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table></section>'
    )


def _render_holders(access: Access, people: list[Holder]) -> Mapping[str, tuple[list[str], ...]]:
    """Return by project id who owns, writes and reads the project, and which keys write."""
    holders: defaultdict[str, tuple[list[str], ...]] = defaultdict(lambda: ([], [], [], []))
    for holder in people:
        if not holder.is_owner:
            who = _render_person(holder)
            for id, roles in holder.roles.items():
                holders[id][_COLUMNS[highest_level(roles)]].append(_render_holder(who, roles))
    for key in access.holders:
        if key.type == "api_key":
            for id, roles in key.roles.items():
                if roles and highest_level(roles) != "reads":
                    holders[id][_COLUMN_OF_KEYS].append(_render_holder(escape_html(key.name), roles))
    return holders


def _render_holder(who: str, roles: Sequence[str]) -> str:
    return f'<span title="{escape_html(", ".join(roles))}">{who}</span>'


def _render_writers_row(name: str, holders: Sequence[Sequence[str]]) -> str:
    return f"<tr><th>{escape_html(name)}" + "".join(f"<td>{', '.join(column)}" for column in holders) + "</tr>\n"


def _encode_data(people: list[Holder], projects: list[tuple[str, str]]) -> str:
    """Return the roles of people on projects, as JSON for the script.

    The roles of a person are one list. In the list, the number of a project stands before the number of the roles on
    it. Owners of the organization have roles 0 on every project that is not in their list.
    """
    columns = {id: number for number, (id, _) in enumerate(projects)}
    numbers: dict[tuple[str, ...], int] = {("OrgOwner",): 0}
    rows: list[list[object]] = []
    for holder in people:
        held: list[int] = []
        for id, roles in holder.roles.items():
            number = numbers.setdefault(tuple(roles), len(numbers))
            if number or not holder.is_owner:
                held += (columns[id], number)
        labels = (holder.name, _KIND_LABELS.get(holder.type, holder.type), ", ".join(holder.organization_roles))
        rows.append([*map(make_printable, labels), holder.is_owner, held])
    data = {
        "projects": [[make_printable(name), make_printable(id)] for id, name in projects],
        "roles": [[make_printable(", ".join(roles)), highest_level(roles)] for roles in numbers],
        "people": rows,
    }
    # With "<", a name could end the element that holds the data.
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
