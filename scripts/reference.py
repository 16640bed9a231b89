#!/usr/bin/env python3
"""Write the entries on the pages in docs/reference: what signatures, docstrings and the help of commands say.

Usage: reference.py [--check]

The entries stand between two comments, of which the first says what they are:

    <!-- scripts/reference.py: names pinecone_admin.models Project *Request -->
    <!-- end -->

"names" has a module and its names, of which CLASSES and VALUES are those that no other comment of any page names;
"methods" has an object of users' code, such as admin.projects; "commands" has the first words of commands; "options"
are those of every command, "topics" those of the help, and "levels" the table of roles. "namespaces" are a table of
all methods, and "differences" those of the async client. With --check nothing is written, and the exit status is 1 if
a page differs.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

from derived_page import write_or_check
from documentation.clients import (
    add_least_role,
    list_methods,
    read_least_roles,
    render_differences,
    render_namespaces,
)
from documentation.commands import render_commands, render_common_options, render_topics
from documentation.docstrings import break_lines, parse_docstring, render_item
from documentation.entries import render_entry
from pinecone_admin import Admin
from pinecone_admin.emulator.control.faults import Faults
from pinecone_admin.emulator.control.request_log import RequestLog
from pinecone_admin.workflows.roles import LEVELS

FOLDER = Path(__file__).resolve().parent.parent / "docs/reference"
PART = re.compile(r"(<!-- scripts/reference\.py: (\w+)\s*([^>]*?) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
_LEVELS = """\
## Levels

The role that permits most counts, for the contents of a project, too: a ProjectManager writes, since it creates
indexes, but changes neither members nor keys (`admin/security/manage-rbac`)."""
_RAISES = break_lines(
    "**Raises** names what is particular to a method. Any of them can also raise the [errors](errors.md) of every call,"
    " such as PineconeValueError before anything is sent, and ForbiddenError if the account lacks the"
    " [role](permissions.md)."
)
NOT_FORMATTED = "<!-- fmt: off -->\n"  # code in docstrings is formatted in lines of another length


def main(arguments: list[str]) -> int:
    """Write or check the pages, and return the exit status."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.md"))}
    whole = "".join(pages.values())
    return max(write_or_check(path, fill_in(page, whole), arguments) for path, page in pages.items())


def fill_in(page: str, whole: str) -> str:
    """Return a page of the whole reference with the entries that its comments ask for."""
    listed = [part[3].split() for part in PART.finditer(whole) if part[2] == "names"]

    def write_part(part: re.Match[str]) -> str:
        level = 3 if re.search(r"^## ", PART.sub("", page[: part.start()]), re.MULTILINE) else 2
        entries = "\n".join(render_entries(part[2], part[3].split(), level, listed))
        return f"{part[1]}{NOT_FORMATTED}\n{entries.rstrip()}\n\n{part[5]}"

    return PART.sub(write_part, page)


def render_entries(kind: str, words: list[str], level: int, listed: list[list[str]]) -> Iterator[str]:
    """Yield the entries that a comment asks for."""
    match kind:
        case "names":
            module = importlib.import_module(words[0])
            others = [pattern for each in listed if each[0] == words[0] for pattern in each[1:]]
            for name in match_names(module, words[1:], others):
                yield render_entry(name, getattr(module, name), level)
        case "methods":
            yield from render_methods(words[0], level)
        case "namespaces":
            yield render_namespaces()
        case "differences":
            yield render_differences()
        case "commands":
            yield from render_commands(words)
        case "options":
            yield render_common_options()
        case "levels":
            yield render_levels()
        case _:
            yield from render_topics()


def render_methods(path: str, level: int) -> Iterator[str]:
    """Yield a list of the methods of an object of users' code, such as `admin.projects`, and their entries."""
    shown = list_methods(find_class(path)).items()
    yield "".join(render_item(f"[`{name}`](#{anchor(f'{path}.{name}')})", summarize(each)) for name, each in shown)
    if path.startswith("admin."):
        yield _RAISES
    least_roles = read_least_roles()
    for name, each in shown:
        entry = render_entry(f"{path}.{name}", each, level)
        yield add_least_role(entry, least_roles.get(f"{path.removeprefix('admin.')}.{name}"))


def render_levels() -> str:
    """Return a table of the roles that give each level of access."""
    roles = {level: [f"`{role}`" for role, own in LEVELS.items() if own == level] for level in LEVELS.values()}
    rows = "\n".join(f"| `{level}` | {', '.join(names)} |" for level, names in roles.items())
    return f"{_LEVELS}\n\n| level | roles |\n|---|---|\n{rows}"


def anchor(heading: str) -> str:
    """Return the anchor of a heading, on the site as in a checkout."""
    return re.sub(r"[^\w-]", "", heading.lower())


def summarize(documented: object) -> str:
    """Return the first sentence of a docstring."""
    return parse_docstring(inspect.getdoc(documented) or "").summary


def find_class(path: str) -> type:
    """Return the class of an object of users' code, such as `admin.projects` or `emulator.faults`."""
    place, _, name = path.partition(".")
    if place == "emulator":
        return {"faults": Faults, "requests": RequestLog}[name]
    kind: type = getattr(Admin, name)
    return kind


def match_names(module: ModuleType, patterns: list[str], listed: list[str]) -> Iterator[str]:
    """Yield names in the order of the patterns, and those of one pattern by the modules that define them."""
    for pattern in patterns:
        if pattern in {"CLASSES", "VALUES"}:
            rest = [name for name in module.__all__ if not any(fnmatchcase(name, each) for each in listed)]
            yield from (name for name in rest if inspect.isclass(getattr(module, name)) == (pattern == "CLASSES"))
        elif re.search(r"[*\[]", pattern):
            found = [name for name in module.__all__ if fnmatchcase(name, pattern)]
            yield from sorted(found, key=lambda name: (getattr(module, name).__module__.rpartition(".")[0], name))
        else:
            yield pattern


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
