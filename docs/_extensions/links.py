"""Links to the reference: a name in backticks links by itself, so that pages need no markup that only Sphinx reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata


class LinkNames(SphinxPostTransform):
    """Link each public name in backticks to the reference."""

    default_priority: Any = 20  # docutils declares it as None

    def run(self, **_: object) -> None:
        """Replace the names by links."""
        targets = find_targets(self.env)
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, nodes.reference | nodes.title | addnodes.pending_xref):
                continue
            name = find_namespace_of_row(literal) + literal.astext().partition("(")[0]
            if place := targets.get(name):
                literal.replace_self(self.link(place, name, literal.deepcopy()))
            elif self.env.docname.startswith("reference/"):
                self.link_types(literal, targets)

    def link_types(self, literal: nodes.literal, targets: Mapping[str, tuple[str, str]]) -> None:
        """Link the names within a type, such as ``list[Project]``."""
        parts = re.split(r"\b([A-Z]\w+)\b", literal.astext())
        links = [self.link(targets[each], each, nodes.Text(each)) if each in targets else None for each in parts]
        if any(links):
            literal.children = []
            literal += [link or nodes.Text(part) for link, part in zip(links, parts, strict=True)]

    def link(self, place: tuple[str, str], name: str, shown: nodes.Node) -> nodes.reference:
        """Return a link to an entry of the reference."""
        return make_refnode(self.app.builder, self.env.docname, *place, shown, name)


def find_namespace_of_row(literal: nodes.literal) -> str:
    """Return ``admin.projects.`` if the row of a table begins with ``admin.projects``, and else nothing."""
    cell = literal.parent
    while cell is not None and not isinstance(cell, nodes.entry):
        cell = cell.parent
    if cell is None or cell.parent is None:
        return ""
    first = cell.parent.children[0]
    found = re.fullmatch(r"admin(\.\w+)?", first.astext())
    return f"{found[0]}." if found and first is not cell else ""


def find_targets(env: BuildEnvironment) -> Mapping[str, tuple[str, str]]:
    """Return the page and the anchor of each documented name, by every spelling of a page."""
    targets: dict[str, tuple[str, str]] = {}
    for path, entry in env.domains.python_domain.objects.items():
        place = (entry.docname, entry.node_id)
        module, _, name = path.partition(".")
        if module == "admin":
            targets[path] = targets[name] = place
            targets[path.rpartition(".")[0]] = (entry.docname, "")
        elif path.startswith("pinecone_admin.Admin."):
            targets[path.replace("pinecone_admin.Admin", "admin")] = place
            targets[path.removeprefix("pinecone_admin.")] = place
        elif module == "emulator":
            targets[path] = place
        elif re.fullmatch(r"pinecone_admin(\.[a-z]\w*)?\.\w+", path):
            targets[path] = targets[path.rpartition(".")[2]] = place
    return targets


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    app.add_post_transform(LinkNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
