"""The names of the reference: each heading that is one becomes an entry of an index, so that other pages link to it.

scripts/reference.py writes the pages, as a checkout shows them.
"""

from __future__ import annotations

import importlib
from functools import cache

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

MODULES = ("models", "errors", "workflows", "retry", "auth", "operations", "testing", "emulator")


def register_names(app: Sphinx, document: nodes.document) -> None:
    """Register the name in each heading of the reference that is code, with the module that users import it from."""
    if not app.env.current_document.docname.startswith("reference/"):
        return
    domain = app.env.domains.python_domain
    for section in document.findall(nodes.section):
        title = section[0]
        if len(title.children) == 1 and isinstance(title[0], nodes.literal):
            name = title.astext()
            kind = "method" if "." in name else "class" if name[0].isupper() else "function"
            domain.note_object(complete_name(name), kind, section["ids"][0], location=section)


def complete_name(name: str) -> str:
    """Return a name with its module; the objects of users' code, such as ``admin.projects``, have none."""
    first = name.partition(".")[0]
    if first in {"admin", "emulator"}:
        return name
    return f"{find_module(first)}.{name}"


@cache
def find_module(name: str) -> str:
    """Return the public module that has a name, as deep as there is one."""
    paths = [f"pinecone_admin.{each}" for each in MODULES]
    return next((path for path in paths if name in importlib.import_module(path).__all__), "pinecone_admin")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", register_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
