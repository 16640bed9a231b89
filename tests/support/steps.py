"""Compare the steps of reports."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve

from pinecone_admin.workflows import Ref, Settings, Step


def describe_steps(steps: Iterable[Step]) -> list[str]:
    """Return the text of each step."""
    return [str(each) for each in steps]


def list_actions(steps: Iterable[Step]) -> list[tuple[str, str]]:
    """Return the action of each step, and the kind of its target."""
    return [(each.change.action, each.change.target.kind) for each in steps]


def describe_roles(steps: Iterable[Step]) -> list[tuple[str, list[str]]]:
    """Return the action of each step, and its roles."""
    return [(each.change.action, [role.role for role in each.change.roles]) for each in steps]


def list_ids(steps: Iterable[Step]) -> list[str | None]:
    """Return the id of what each step is done to."""
    return [each.change.target.id for each in steps]


def strip_mark(text: str) -> str:
    """Return a text without the marks of temporary names. They are random, so a dry run cannot know them."""
    return re.sub(r"(~(?:makes|rotates):[0-9a-f]{8}):m[0-9a-f]{8}", r"\1", text)


def as_planned(steps: Iterable[Step]) -> list[Step]:
    """Return the steps of a run as its dry run has them, which does not know the ids and marks of what is created."""
    done = list(steps)
    new = {each.resource.id for each in done if each.resource is not None}

    def plan_ref(ref: Ref) -> Ref:
        return evolve(
            ref,
            id=None if ref.id in new else ref.id,
            name=ref.name and strip_tags(ref.name),
            project=ref.project and plan_ref(ref.project),
        )

    def strip_tags(name: str) -> str:
        # The digest in the tag of a retired key is that of the id of its successor.
        return re.sub(r"^(~delete-after:\w+):\w+", r"\1", strip_mark(name))

    def plan_settings(settings: Settings) -> Settings:
        return evolve(settings, name=settings.name and strip_tags(settings.name))

    return [
        evolve(
            each,
            change=evolve(
                each.change,
                target=plan_ref(each.change.target),
                settings=plan_settings(each.change.settings),
                before=plan_settings(each.change.before),
                roles=tuple(
                    evolve(role, project=role.project and plan_ref(role.project)) for role in each.change.roles
                ),
            ),
            state="planned" if each.state == "done" else each.state,
            resource=None,
        )
        for each in done
    ]
