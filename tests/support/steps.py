"""Compare the steps of reports."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from pinecone_admin.workflows import Step


def describe_steps(steps: Iterable[Step]) -> list[str]:
    """Return the text of each step."""
    return [str(each) for each in steps]


def as_planned(steps: Iterable[Step]) -> list[Step]:
    """Return the steps of a run as its dry run has them, which does not know the ids of what would be created."""
    done = list(steps)
    new = {each.id for each in done if each.action in {"create", "invite"}}

    def known(id: str | None) -> str | None:
        return None if id in new else id

    return [evolve(each, planned=True, id=known(each.id), project_id=known(each.project_id)) for each in done]
