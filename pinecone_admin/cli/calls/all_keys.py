"""The API keys of all projects, which the API lists only project by project."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from pinecone_admin.cli.output.documents import KeyOfProject
from pinecone_admin.errors import NotFoundError

if TYPE_CHECKING:
    from pinecone_admin import Admin


def list_all_keys(admin: Admin) -> Generator[KeyOfProject]:
    """Yield the keys of one project after the other; a project that is deleted meanwhile has none."""
    for project in admin.projects.list():
        try:
            keys = admin.api_keys.list(project_id=project.id)
        except NotFoundError:
            continue
        yield from (KeyOfProject(key, project.name) for key in keys)
