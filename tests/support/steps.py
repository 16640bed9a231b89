"""Compare the steps of reports."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve

from pinecone_admin.workflows.steps import Step


def describe_steps(steps: Iterable[Step]) -> list[str]:
    """Return the text of each step."""
    return [str(each) for each in steps]


def strip_mark(text: str) -> str:
    """Return a text in which temporary names have no mark: it is random, so that a dry run cannot know it."""
    return re.sub(r"(~(?:makes|rotates):[0-9a-f]{8}):m[0-9a-f]{8}", r"\1", text)


def as_planned(steps: Iterable[Step]) -> list[Step]:
    """Return the steps of a run as its dry run has them, which does not know the ids and marks of what is created."""
    done = list(steps)
    new = {each.id for each in done if each.action in {"create", "invite"}}

    def known(id: str | None) -> str | None:
        return None if id in new else id

    return [
        evolve(
            each,
            planned=True,
            id=known(each.id),
            project_id=known(each.project_id),
            name=each.name and strip_mark(each.name),
            before={
                name: strip_mark(value) if isinstance(value, str) else value for name, value in each.before.items()
            },
        )
        for each in done
    ]
