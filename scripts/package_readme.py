"""Give the package a README whose links work on a package index, where relative links lead nowhere.

Hatchling calls this when it builds the package. Links to pages lead to the site of the documentation, which is the URL
``Documentation`` in the metadata. Where there is no site, and for other files, only the text of a link is kept.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class ReadmeHook(MetadataHookInterface):
    """Set the README of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        site = metadata.get("urls", {}).get("Documentation")
        metadata["readme"] = {"content-type": "text/markdown", "text": resolve_links(readme, site)}


def resolve_links(readme: str, site: str | None) -> str:
    """Return a README with links to a site in place of relative links, or only with their texts if there is no site."""

    def resolve(link: re.Match[str]) -> str:
        url = find_url(link["target"], site)
        return f"{link['image']}[{link['text']}]({url})" if url else link["text"]

    return re.sub(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<target>[^)]+)\)", resolve, readme)


def find_url(target: str, site: str | None) -> str | None:
    """Return the URL of a page or picture on the site, or None if the site does not have it."""
    path, mark, fragment = target.replace("CHANGELOG.md", "docs/changelog.md").partition("#")
    if site is None or not path.startswith("docs/"):
        return None
    page, is_page, _ = path.removeprefix("docs/").rpartition(".md")
    place = f"{page}.html" if is_page else f"_images/{Path(path).name}"
    return f"{site.rstrip('/')}/{place}{mark}{fragment}"
