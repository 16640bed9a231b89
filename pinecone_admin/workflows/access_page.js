"use strict";
const byId = id => document.getElementById(id);
// A role that the package does not know could permit writing, so "unknown" ranks with "writes".
const rank = cell => ["reads", "writes", "owns"].indexOf(cell.className.replace("unknown", "writes")) + 1;
const text = node => node.textContent.toLowerCase();
const matrix = byId("matrix"), where = byId("where");
const rows = () => [...matrix.tBodies[0].rows];
const levels = new Map(rows().map(row => [row, [...row.cells].map(rank)]));
const heads = [...matrix.tHead.rows[0].cells], names = heads.map(text);

function filter() {
  const person = byId("person").value.toLowerCase(), project = byId("project").value.toLowerCase();
  const least = Number(byId("level").value), needed = least || (person ? 1 : 0);
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
  byId("wide").classList.toggle("many", count > 20);
  const owner = person && text(byId("owners")).includes(person);
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
  byId("count").value = `${shown.size} people, ${count} projects`;
}

function sort(table, index) {
  const head = table.tHead.rows[0].cells[index];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const byLevel = table === matrix && index > 1, listed = table === where && index > 0;
  const value = row => byLevel ? -levels.get(row)[index] : listed ? -row.cells[index].children.length : 0;
  const label = row => byLevel || listed ? "" : text(row.cells[index]);
  const compare = (a, b) => value(a) - value(b) || label(a).localeCompare(label(b));
  const sorted = [...table.tBodies[0].rows].sort(compare);
  table.tBodies[0].append(...(down ? sorted.reverse() : sorted));
}

for (const table of [matrix, where])
  table.tHead.addEventListener("click", event => {
    const cell = event.target.closest("th");
    if (cell) sort(table, cell.cellIndex);
  });
byId("filters").addEventListener("input", filter);
byId("filters").addEventListener("submit", event => event.preventDefault());
filter();
