"""The client as a whole: its methods by namespace, and how the async client differs from the sync one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from documentation.docstrings import break_lines, parse_docstring
from documentation.entries import is_for_users, render_type
from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._sync.client import NAMESPACES

ROOT = Path(__file__).resolve().parents[2]
_LEAST_ROLES = re.compile(r"^\| (`.+) \| (\w+) \| ([\w —]+) \|$", re.MULTILINE)
_ROW = re.compile(r"^\| (`[^|]+`) \| .+ \| .+ \|$", re.MULTILINE)


def list_methods(kind: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods of a client or a namespace, by their names."""
    return {name: each for name, each in vars(kind).items() if callable(each) and is_for_users(name, each)}


def list_workflows() -> set[str]:
    """Return the methods in the table of docs/workflows.md, such as ``projects.ensure`` or ``plan``."""
    page = (ROOT / "docs/workflows.md").read_text(encoding="utf-8")
    table = page.partition("| workflow |")[2].partition("\n\n")[0]
    return {name for row in _ROW.findall(table) for name in re.findall(r"`([\w.]+)`", row)}


def read_least_roles() -> dict[str, str]:
    """Return a sentence with the smallest role of each method in the table of docs/reference/permissions.md."""
    page = (ROOT / "docs/reference/permissions.md").read_text(encoding="utf-8")
    sentences: dict[str, str] = {}
    for names, on_organization, on_project in _LEAST_ROLES.findall(page):
        other = "" if on_project == "—" else f", or {on_project.replace(' and', ' on the project and')}"
        end = " on the project" if other and " on " not in other else ""
        sentence = (
            f"**Needs** at least {on_organization} on the organization{other}{end}; see [Permissions](permissions.md)."
        )
        sentences |= dict.fromkeys(re.findall(r"`([\w.]+)`", names), sentence)
    return sentences


def add_least_role(entry: str, sentence: str | None) -> str:
    """Return the entry of a method with the sentence on its smallest role before the first list."""
    text, mark, rest = entry.partition("\n**")
    return f"{text}\n{break_lines(sentence)}{mark}{rest}" if sentence else entry


def render_namespaces() -> str:
    """Return a table of the methods of each namespace and of the client, with workflows in italics."""
    workflows = list_workflows()
    owners = [(f"admin.{name}", f"{name}.", getattr(Admin, name)) for name in NAMESPACES]
    rows = []
    for owner, prefix, kind in [*owners, ("admin", "", Admin)]:
        names = sorted(list_methods(kind), key=lambda name: f"{prefix}{name}" in workflows)
        written = [f"*`{name}`*" if f"{prefix}{name}" in workflows else f"`{name}`" for name in names]
        rows.append(f"| `{owner}` | {', '.join(written)} |")
    return "\n".join(["| namespace | methods |", "|---|---|", *rows])


def render_differences() -> str:
    """Return a table of the differences between both clients."""
    rows = [("a method that is not below, such as `send`", "`admin.send(…)`", "`await admin.send(…)`")]
    rows += [*list_other_returns(), *list_other_types(), *list_other_sentences()]
    return "\n".join(["| | `Admin` | `AsyncAdmin` |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def pair_methods() -> Iterator[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    """Yield each method of the client and of its namespaces with its twin; that of ``close`` is ``aclose``."""
    for prefix, kind, twin in [("", Admin, AsyncAdmin), *((f"{n}.", *_find_namespaces(n)) for n in NAMESPACES)]:
        twins = list_methods(twin)
        for name, method in list_methods(kind).items():
            yield f"{prefix}{name}", method, twins.get(name) or twins[f"a{name}"]


def list_other_returns() -> Iterator[tuple[str, str, str]]:
    """Yield methods that are not awaited, by the types that they return, and those that have another name."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, method, twin in pair_methods():
        if inspect.iscoroutinefunction(twin):
            if method.__name__ != twin.__name__:
                yield f"`{name}`", f"`admin.{name}()`", f"`await admin.{twin.__name__}()`"
            continue
        types = [render_type(inspect.signature(each).return_annotation, each) for each in (method, twin)]
        if types[0] == types[1]:
            yield f"`{name}`", f"`admin.{name}(…)`", f"`admin.{name}(…)`, without `await`"
        else:
            general = [re.sub(r"\[\w+\]", "[T]", each) for each in types]
            groups.setdefault((general[0], general[1]), []).append(f"`{name}`")
    for (returned, returned_by_twin), names in groups.items():
        yield ", ".join(names), f"returns `{returned}`", f"returns `{returned_by_twin}`"


def list_other_types() -> Iterator[tuple[str, str, str]]:
    """Yield the arguments of the constructor that have another type."""
    twins = inspect.signature(AsyncAdmin).parameters
    for name, parameter in inspect.signature(Admin).parameters.items():
        if parameter.annotation != twins[name].annotation:
            kinds = [(parameter, Admin), (twins[name], AsyncAdmin)]
            types = [re.sub(r" \| None$", "", render_type(each.annotation, kind)) for each, kind in kinds]
            yield f"the argument `{name}`", f"`{types[0]}`", f"`{types[1]}`"


def list_other_sentences() -> Iterator[tuple[str, str, str]]:
    """Yield sentences of docstrings that differ, apart from examples and from the name of the client."""
    for name, method, twin in [("the constructor", Admin, AsyncAdmin), *pair_methods()]:
        texts = list_sentences(method), list_sentences(twin)
        title = name if method is Admin else f"`{name}`"
        matcher = SequenceMatcher(None, *texts)
        for kind, start, end, other_start, other_end in matcher.get_opcodes():
            if kind != "equal":
                yield title, " ".join(texts[0][start:end]), " ".join(texts[1][other_start:other_end])


def list_sentences(documented: object) -> list[str]:
    """Return the sentences of a docstring without its example."""
    docstring = parse_docstring(inspect.getdoc(documented) or "")
    parts = [docstring.text, *(text for title, text in docstring.sections.items() if title != "Example")]
    return re.split(r"(?<=\.)\s+", " ".join(" ".join(parts).replace("``", "`").split()))


def _find_namespaces(name: str) -> tuple[type, type]:
    return getattr(Admin, name), getattr(AsyncAdmin, name)
