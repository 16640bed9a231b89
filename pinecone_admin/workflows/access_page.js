"use strict";
const MOST_CELLS = 750000, MOST_PRINTED_PROJECTS = 20;
const byId = id => document.getElementById(id);
const text = node => node.textContent.toLowerCase();
const matrix = byId("matrix"), where = byId("where");
const data = JSON.parse(byId("data").textContent);
// A role that the package does not know could permit writing, so "unknown" ranks with "writes".
const ranks = { reads: 1, unknown: 2, writes: 2, owns: 3 };
const held = data.roles.map(([roles, level]) => ({ roles, level, rank: ranks[level] }));
const nothing = { rank: 0 };
const projects = data.projects.map(([name, id]) => ({ name, id, key: name.toLowerCase() }));
const people = data.people.map(([name, kind, organization, isOwner, numbers]) => {
  const roles = new Map();
  for (let i = 0; i < numbers.length; i += 2) roles.set(projects[numbers[i]], held[numbers[i + 1]]);
  return { name, kind, organization, isOwner, roles, key: `${name} ${kind}`.toLowerCase() };
});
const rolesOn = (project, each) => each.roles.get(project) || (each.isOwner ? held[0] : nothing);
const labels = [
  { name: "who", sortKey: each => each.key },
  { name: "organization", sortKey: each => each.organization.toLowerCase() },
];
for (const project of projects) project.sortKey = each => -rolesOn(project, each).rank;
const listed = [...where.tBodies[0].rows].map(row => ({
  row,
  name: text(row.cells[0]),
  holders: [...row.cells].map(cell => [...cell.children].map(span => ({ span, name: text(span) }))),
}));
const countNoun = (number, singular, plural) => `${number} ${number === 1 ? singular : plural}`;
let columns = [], sortedBy = null;

function filter() {
  const person = byId("person").value.toLowerCase(), project = byId("project").value.toLowerCase();
  const least = Number(byId("level").value);
  const rows = filterPeople(person, project, least);
  drawMatrix(rows);
  filterProjects(person, project, least);
  byId("count").value = `${countNoun(rows.length, "person", "people")}, ${countNoun(columns.length, "project", "projects")}`;
}

function filterPeople(person, project, least) {
  const named = new Set(projects.filter(each => each.key.includes(project))), reached = new Set();
  let anyOwner = false;
  const rows = people.filter(each => {
    if (!each.key.includes(person)) return false;
    const found = [...each.roles].filter(([on, roles]) => named.has(on) && roles.rank >= (least || 1));
    for (const [on] of found) reached.add(on);
    anyOwner ||= each.isOwner;
    return found.length || (each.isOwner && named.size) || !(least || project);
  });
  columns = [...named].filter(each => anyOwner || reached.has(each) || !(least || person));
  return rows;
}

function drawMatrix(rows) {
  const size = rows.length * columns.length, fits = size <= MOST_CELLS;
  byId("large").hidden = fits;
  byId("large").textContent = `Filter for a person or a project: ${size.toLocaleString("en")} cells are too many to show.`;
  byId("wide").classList.toggle("many", !fits || columns.length > MOST_PRINTED_PROJECTS);
  matrix.parentElement.hidden = !fits;
  matrix.tHead.rows[0].replaceChildren(...(fits ? [...labels, ...columns] : []).map(makeHead));
  matrix.tBodies[0].replaceChildren(...(fits ? rows : []).map(makeRow));
}

function make(tag, content, title) {
  const element = document.createElement(tag);
  if (content) element.append(content);
  if (title) element.title = title;
  return element;
}

function makeHead(column) {
  const head = make("th", column.id === undefined ? column.name : make("span", column.name), column.id);
  if (column === sortedBy) head.setAttribute("aria-sort", column.isDown ? "descending" : "ascending");
  return head;
}

function makeRow(each) {
  const row = make("tr", make("th", each.name));
  if (each.kind) row.cells[0].append(" ", make("i", each.kind));
  row.append(make("td", each.organization));
  for (const project of columns) {
    const { level, roles } = rolesOn(project, each);
    const cell = make("td", level, roles);
    if (level) cell.className = level;
    row.append(cell);
  }
  return row;
}

function hide(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

function filterProjects(person, project, least) {
  const owner = person && text(byId("owners")).includes(person);
  const shown = { 0: [1, 2, 3, 4], 1: [1, 2, 3, 4], 2: [1, 2, 4], 3: [1] }[least];
  for (const { row, name, holders } of listed) {
    for (const each of holders.flat()) {
      const hit = person !== "" && each.name.includes(person);
      if (Boolean(each.hit) !== hit) each.span.classList.toggle("hit", each.hit = hit);
    }
    const found = shown.some(i => (person ? holders[i].some(each => each.hit) : holders[i].length));
    hide(row, !name.includes(project) || !(owner || found || (!person && !least)));
  }
  for (const row of where.rows)
    [...row.cells].forEach((cell, i) => hide(cell, i > 0 && !shown.includes(i)));
}

const { compare } = new Intl.Collator();

function sort(list, sortKey, isDown) {
  const keys = new Map(list.map(each => [each, sortKey(each)]));
  const difference = (a, b) => (typeof a === "number" ? a - b : compare(a, b));
  list.sort((a, b) => difference(keys.get(a), keys.get(b)));
  if (isDown) list.reverse();
}

function sortPeople(index) {
  const column = [...labels, ...columns][index];
  column.isDown = column === sortedBy && !column.isDown;
  sortedBy = column;
  sort(people, column.sortKey, column.isDown);
  filter();
}

function sortProjects(index) {
  const heads = where.tHead.rows[0].cells;
  const isDown = heads[index].getAttribute("aria-sort") === "ascending";
  for (const head of heads) head.removeAttribute("aria-sort");
  heads[index].setAttribute("aria-sort", isDown ? "descending" : "ascending");
  sort(listed, each => (index ? -each.holders[index].length : each.name), isDown);
  where.tBodies[0].append(...listed.map(each => each.row));
}

function onHeadClick(table, act) {
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (head) act(head.cellIndex);
  });
}

onHeadClick(matrix, sortPeople);
onHeadClick(where, sortProjects);
byId("filters").addEventListener("input", filter);
byId("filters").addEventListener("submit", event => event.preventDefault());
filter();
