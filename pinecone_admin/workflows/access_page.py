"""The access page: one HTML file that loads nothing, reads without scripts, and prints.

Scripts only sort and filter what is there. The page's own policy lets no other script run, whatever a name holds.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from pinecone_admin.workflows.escaping import escape_html
from pinecone_admin.workflows.roles import Level, highest_level

if TYPE_CHECKING:
    from pinecone_admin.workflows.access import Access, Holder

_KIND_LABELS = {"user": "", "invite": "invited", "service_account": "service account"}
_OPEN_BY_DEFAULT = 5
_MAX_PRINTED_PROJECTS = 20
_LEVEL_LABELS = {"owns": "owns", "writes": "writes", "reads": "reads", "unknown": "other"}


def render_page(access: Access, *, note: str) -> str:
    """Write the page."""
    people = sorted(
        (holder for holder in access.holders if holder.type != "api_key"),
        key=lambda holder: (not holder.is_owner, holder.name.casefold()),
    )
    reached = {id: id for holder in access.holders for id in holder.roles}
    projects = sorted({**reached, **access.projects}.items(), key=lambda item: (item[1].casefold(), item[0]))
    parts = [
        _render_head(access, note),
        _render_findings(access),
        _CONTROLS,
        _render_writers(access, people, projects),
        _render_matrix(people, projects),
    ]
    return _PAGE.format(
        title=escape_html(f"Access in {access.organization}"),
        style=_STYLE,
        script=_SCRIPT,
        policy=f"default-src 'none'; style-src '{_csp_hash(_STYLE)}'; script-src '{_csp_hash(_SCRIPT)}'",
        body="\n".join(parts),
    )


def _csp_hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _render_head(access: Access, note: str) -> str:
    return (
        f"<h1>Who can do what in {escape_html(access.organization)}</h1>"
        f'<p class="note">As of {access.taken_at:%Y-%m-%d %H:%M} UTC. {escape_html(note)}</p>'
    )


def _render_findings(access: Access) -> str:
    kinds: dict[str, list[str]] = {}
    for finding in access.findings:
        kinds.setdefault(finding.kind, []).append(finding.text)
    items = "".join(
        f"<details{' open' if len(texts) <= _OPEN_BY_DEFAULT else ''}>"
        f"<summary>{escape_html(kind)} <b>{len(texts)}</b></summary><ul>"
        + "".join(f"<li>{escape_html(text)}</li>" for text in texts)
        + "</ul></details>"
        for kind, texts in kinds.items()
    )
    return f"<section><h2>Deserves a look ({len(access.findings)})</h2>{items or '<p>Nothing.</p>'}</section>"


def _render_person(holder: Holder) -> str:
    kind = escape_html(_KIND_LABELS.get(holder.type, holder.type))
    return f"{escape_html(holder.name)}{f' <i>{kind}</i>' if kind else ''}"


def _render_writers(access: Access, people: list[Holder], projects: list[tuple[str, str]]) -> str:
    """List by project who owns, writes and reads it; owners of the organization own all, and are named once."""
    owners = ", ".join(_render_person(holder) for holder in people if holder.is_owner) or "nobody"
    rows = "".join(_render_writers_row(access, people, id, name) for id, name in projects)
    headings = "".join(f"<th>{head}" for head in ("project", "owns", "writes", "reads", "keys that write"))
    return (
        f'<section><h2>Who can write where</h2><p>Owners of the organization own every project: <b id="owners">{owners}'
        "</b>. Who owns a project can write in it, too. Beside the owners:</p>"
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
        if holder.type == "api_key" and highest_level(holder.roles.get(project_id) or ["ProjectViewer"]) != "reads"
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
        '<p class="hint">A click on a column sorts by it. The roles show when you point at a cell.</p>'
        f'<p class="narrow">To print this table, filter it to {_MAX_PRINTED_PROJECTS} projects; '
        "the table above has it all.</p>"
        f'<div class="scroll"><table id="matrix"><thead><tr><th>who<th>organization{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _render_matrix_row(holder: Holder, projects: list[tuple[str, str]]) -> str:
    cells = "".join(_render_cell(holder.roles.get(id)) for id, _ in projects)
    return f"<tr><th>{_render_person(holder)}<td>{escape_html(', '.join(holder.organization_roles))}{cells}</tr>\n"


def _render_cell(roles: Sequence[str] | None) -> str:
    if not roles:
        return "<td>"
    word = _LEVEL_LABELS[highest_level(roles)]
    return f'<td class="{word}" title="{escape_html(", ".join(roles))}">{word}'


_CONTROLS = """<form id="filters"><label>person <input id="person" type="search" placeholder="any"></label>
<label>project <input id="project" type="search" placeholder="any"></label>
<label>who <select id="level"><option value="0">everybody<option value="1">reads or more<option value="2">writes or owns
<option value="3">owns</select></label> <output id="count"></output> <a href="#wide">people and projects</a></form>"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<style>{style}</style></head><body>
{body}
<script>{script}</script></body></html>
"""

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #1c2330; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem; }
p { margin: .3rem 0; } .note, .hint, i { color: #5b6577; } i { font-size: .85em; }
details { margin: .15rem 0; } summary { cursor: pointer; } ul { margin: .2rem 0 .5rem; }
form { position: sticky; top: 0; z-index: 4; background: #fff; padding: .6rem 0; border-bottom: 1px solid #d5dae3; }
label, output { margin-right: 1rem; } input, select { font: inherit; padding: .15rem .3rem; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; } thead th { cursor: pointer; }
td, th { border: 1px solid #e1e5ec; padding: .2rem .45rem; vertical-align: top; background: #fff; }
th[aria-sort=ascending]::after { content: " \\25B4"; } th[aria-sort=descending]::after { content: " \\25BE"; }
#where { width: 100%; } #where td:nth-child(3) { background: #fff7e0; } #where thead th { background: #f2f4f8; }
#where tbody th { white-space: nowrap; }
.scroll { overflow: auto; max-height: 80vh; border: 1px solid #d5dae3; width: fit-content; max-width: 100%; }
.scroll { content-visibility: auto; contain-intrinsic-size: auto 80vh; } /* nobody waits for what is out of sight */
#matrix thead th { position: sticky; top: 0; background: #f2f4f8; z-index: 2; vertical-align: bottom; }
#matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 14em; overflow: hidden; }
#matrix th:first-child { position: sticky; left: 0; z-index: 1; white-space: nowrap; }
#matrix thead th:first-child { z-index: 3; }
#matrix td { text-align: center; font-size: .85em; }
.owns { background: #f6c6c6 !important; } .writes, .other { background: #ffe29a !important; }
.reads { background: #d9efdc !important; } .hit { font-weight: 700; }
#wide { scroll-margin-top: 3rem; } .narrow { display: none; } [hidden] { display: none !important; }
@media print {
  body { margin: 0; font-size: 10px; } form, .hint { display: none; } .scroll { overflow: visible; max-height: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } tr { break-inside: avoid; }
  #matrix th { position: static !important; }
  #wide.many .scroll { display: none; } #wide.many .narrow { display: block; }
}
@page { size: landscape; margin: 12mm; }
"""

_SCRIPT = """
"use strict";
const at = id => document.getElementById(id);
const rank = cell => ["reads", "writes", "owns"].indexOf(cell.className.replace("other", "writes")) + 1;
const text = node => node.textContent.toLowerCase();
const matrix = at("matrix"), where = at("where");
const rows = () => [...matrix.tBodies[0].rows];
const levels = new Map(rows().map(row => [row, [...row.cells].map(rank)]));
const heads = [...matrix.tHead.rows[0].cells], names = heads.map(text);

function filter() {
  const person = at("person").value.toLowerCase(), project = at("project").value.toLowerCase();
  const least = Number(at("level").value), needed = least || (person ? 1 : 0);
  const columns = names.map((name, i) => i < 2 || name.includes(project));
  const chosen = rows().filter(row => text(row.cells[0]).includes(person));
  const meets = (row, i) => i > 1 && columns[i] && levels.get(row)[i] >= needed;
  const shown = new Set(chosen.filter(row => !least || names.some((_, i) => meets(row, i))));
  const open = columns.map((on, i) => i < 2 || (on && (!needed || chosen.some(row => meets(row, i)))));
  for (const row of rows()) {
    row.hidden = !shown.has(row);
    [...row.cells].forEach((cell, i) => { if (cell.hidden === open[i]) cell.hidden = !open[i]; });
  }
  heads.forEach((cell, i) => { cell.hidden = !open[i]; });
  const count = open.filter(Boolean).length - 2;
  at("wide").classList.toggle("many", count > 20);
  const owner = person && text(at("owners")).includes(person);
  const columnsOf = { 0: [1, 2, 3, 4], 1: [1, 2, 3, 4], 2: [1, 2, 4], 3: [1] }[least];
  for (const row of where.tBodies[0].rows) {
    const found = owner || columnsOf.some(i => person ? [...row.cells[i].children].some(s => text(s).includes(person))
      : row.cells[i].children.length);
    row.hidden = !text(row.cells[0]).includes(project) || !(found || (!person && !least));
  }
  for (const name of where.querySelectorAll("span"))
    name.classList.toggle("hit", person !== "" && text(name).includes(person));
  for (const row of where.rows)
    [...row.cells].forEach((cell, i) => { cell.hidden = i > 0 && !columnsOf.includes(i); });
  at("count").value = `${shown.size} people, ${count} projects`;
}

function sort(table, index) {
  const head = table.tHead.rows[0].cells[index];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const byLevel = table === matrix && index > 1, listed = table === where && index > 0;
  const value = row => byLevel ? -levels.get(row)[index] : listed ? -row.cells[index].children.length : 0;
  const words = row => byLevel || listed ? "" : text(row.cells[index]);
  const compare = (a, b) => value(a) - value(b) || words(a).localeCompare(words(b));
  const sorted = [...table.tBodies[0].rows].sort(compare);
  table.tBodies[0].append(...(down ? sorted.reverse() : sorted));
}

for (const table of [matrix, where])
  table.tHead.addEventListener("click", event => {
    const cell = event.target.closest("th");
    if (cell) sort(table, cell.cellIndex);
  });
at("filters").addEventListener("input", filter);
at("filters").addEventListener("submit", event => event.preventDefault());
filter();
"""
