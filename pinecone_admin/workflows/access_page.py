"""Render the access page: one HTML file that loads no other, can be read without scripts, and prints.

The script only sorts and filters the tables. The page's Content-Security-Policy lets no other script run, even if a
name contains markup.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from pinecone_admin.workflows.escaping import escape_html
from pinecone_admin.workflows.roles import Level, highest_level

if TYPE_CHECKING:
    from pinecone_admin.workflows.access import Access, Holder

_KIND_LABELS = {"user": "", "invite": "invited", "service_account": "service account"}
_OPEN_BY_DEFAULT = 5
_MAX_PRINTED_PROJECTS = 20


def render_page(access: Access, *, note: str) -> str:
    """Return the page as HTML."""
    people = sorted(
        (holder for holder in access.holders if holder.type != "api_key"),
        key=lambda holder: (not holder.is_owner, holder.name.casefold()),
    )
    # A project that could not be read is named by its id, from the roles on it.
    reached = {id: id for holder in access.holders for id in holder.roles}
    projects = sorted({**reached, **access.projects}.items(), key=lambda item: (item[1].casefold(), item[0]))
    style, script = _read_file("access_page.css"), _read_file("access_page.js")
    return _read_file("access_page.html").format(
        title=escape_html(f"Access in {access.organization}"),
        policy=f"default-src 'none'; style-src '{_csp_hash(style)}'; script-src '{_csp_hash(script)}'",
        style=style,
        script=script,
        head=f"<h1>Who can do what in {escape_html(access.organization)}</h1>"
        f'<p class="note">As of {access.taken_at:%Y-%m-%d %H:%M} UTC. {escape_html(note)}</p>',
        findings=_render_findings(access),
        writers=_render_writers(access, people, projects),
        matrix=_render_matrix(people, projects),
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
    rows = "".join(_render_writers_row(access, people, id, name) for id, name in projects)
    headings = "".join(f"<th>{head}" for head in ("project", "owns", "writes", "reads", "keys that write"))
    return (
        f'<section><h2>Who can write where</h2><p>Owners of the organization own every project: <b id="owners">{owners}'
        "</b>. Everyone else with access is listed by project. Project owners can also write.</p>"
        f'<table id="where"><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table></section>'
    )


def _render_writers_row(access: Access, people: list[Holder], project_id: str, name: str) -> str:
    cells: dict[Level, list[str]] = {"owns": [], "writes": [], "reads": [], "unknown": []}
    for holder in people:
        if project_id in holder.roles and not holder.is_owner:
            cells[highest_level(holder.roles[project_id])].append(_render_holder(holder, project_id))
    keys = [
        _render_holder(holder, project_id)
        for holder in access.holders
        if holder.type == "api_key" and (roles := holder.roles.get(project_id)) and highest_level(roles) != "reads"
    ]
    columns = (cells["owns"], cells["writes"] + cells["unknown"], cells["reads"], keys)
    return f"<tr><th>{escape_html(name)}" + "".join(f"<td>{', '.join(column)}" for column in columns) + "</tr>\n"


def _render_holder(holder: Holder, project_id: str) -> str:
    who = escape_html(holder.name) if holder.type == "api_key" else _render_person(holder)
    return f'<span title="{escape_html(", ".join(holder.roles[project_id]))}">{who}</span>'


def _render_matrix(people: list[Holder], projects: list[tuple[str, str]]) -> str:
    columns = "".join(f'<th title="{escape_html(id)}"><span>{escape_html(name)}</span>' for id, name in projects)
    rows = "".join(_render_matrix_row(holder, projects) for holder in people)
    return (
        f'<section id="wide"{" class=many" if len(projects) > _MAX_PRINTED_PROJECTS else ""}>'
        "<h2>People and projects</h2>"
        '<p class="hint">Click a column heading to sort by it. Point at a cell to see the roles.</p>'
        f'<p class="narrow">To print this table, filter it to at most {_MAX_PRINTED_PROJECTS} projects. '
        "The table above lists all projects.</p>"
        f'<div class="scroll"><table id="matrix"><thead><tr><th>who<th>organization{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _render_matrix_row(holder: Holder, projects: list[tuple[str, str]]) -> str:
    cells = "".join(_render_cell(holder.roles.get(id)) for id, _ in projects)
    return f"<tr><th>{_render_person(holder)}<td>{escape_html(', '.join(holder.organization_roles))}{cells}</tr>\n"


def _render_cell(roles: Sequence[str] | None) -> str:
    if not roles:
        return "<td>"
    label = highest_level(roles)
    return f'<td class="{label}" title="{escape_html(", ".join(roles))}">{label}'
