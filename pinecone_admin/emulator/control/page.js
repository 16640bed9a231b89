"use strict";
const SECONDS = 2;
const form = document.querySelector("form"), live = document.getElementById("live");
const parts = ["head", "requests", "faults", "projects", "people"].map(id => document.getElementById(id));
const shown = new Map(parts.map(part => [part, part.innerHTML]));
let timer = 0;

function address() {
  const filled = [...new FormData(form)].filter(([, value]) => value);
  return filled.length ? `/?${new URLSearchParams(filled)}` : "/";
}

// Only what has changed is replaced, and what is open stays open.
function update(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const part of parts) {
    const next = page.getElementById(part.id), html = next.innerHTML;
    if (shown.get(part) === html) continue;
    shown.set(part, html);
    const open = new Set([...part.querySelectorAll("details[open]")].map(each => each.dataset.key));
    for (const each of next.querySelectorAll("details")) each.open = open.has(each.dataset.key);
    part.replaceChildren(...next.childNodes);
  }
  document.title = page.title;
}

function mark(state, text) {
  live.className = state;
  live.value = text;
}

async function refresh() {
  clearTimeout(timer);
  // Replacing a selected text would take it away from somebody who is about to copy it.
  if (!document.hidden && getSelection().isCollapsed) {
    try {
      const response = await fetch(address(), { headers: { Accept: "text/html" } });
      if (!response.ok) throw new Error(response.statusText);
      update(await response.text());
      mark("live", "live");
    } catch {
      mark("lost", "the emulator does not respond");
    }
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, SECONDS * 1000);
}

function filter(event) {
  event.preventDefault();
  history.replaceState(null, "", address());
  refresh();
}

form.addEventListener("submit", filter);
form.addEventListener("input", filter);
document.addEventListener("visibilitychange", refresh);
refresh();
