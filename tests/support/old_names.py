"""Names that versions before 0.4 gave to what their workflows made."""

from __future__ import annotations

from pinecone_admin.workflows.name_tags import name_tag


def tag_as_emptying(project_id: str) -> str:
    """Return the name of the temporary key that empties a project: the same in each run."""
    return f"{name_tag('empties', project_id)}temporary"
