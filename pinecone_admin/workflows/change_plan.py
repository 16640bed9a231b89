"""The plan of an organization's changes, and its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from attrs import evolve, frozen

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable
from pinecone_admin.workflows.plan_facts import is_sensitive, keep_facts
from pinecone_admin.workflows.plans import SavablePlan
from pinecone_admin.workflows.steps import Step

_FIRST = "Owners and secrets"
_MAX_MARKDOWN = 60_000
"""Characters of Markdown; GitHub refuses comments from 65,536."""


@frozen(kw_only=True)
class ChangePlan(SavablePlan):
    """The steps that bring an organization to its desired state, for ``apply``.

    Attributes:
        organization_id: Id of the organization.
        organization: Name of the organization.
        client_id: Client id of the account that is to carry the steps out.
        made_at: The ``taken_at`` of the inventory from which the plan was made.
        package_version: Version of this package that made the plan.
        source: What the file is called.
        digest: SHA-256 of the file.
        commit: Commit of the file, if it was given.
        steps: The steps, in the order in which they are carried out.
        refusals: Why ``apply`` would refuse the steps that are no drift.
        not_listed: What exists beside the sections of the file, and is left as it is.
        unfinished: What runs under way have made, or interrupted ones have left.
        notes: What a reader should know besides.
        desired: The file, as plain JSON types.
        base: The file as it was last applied, as plain JSON types; None if it was not given.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> saved = plan.to_json()
        >>> report = admin.apply(ChangePlan.from_json(saved))
    """

    _WORKFLOW = "apply"

    organization_id: str
    """Id of the organization."""
    organization: str
    """Name of the organization."""
    client_id: str
    """Client id of the account that is to carry the steps out."""
    made_at: datetime
    """The ``taken_at`` of the inventory from which the plan was made."""
    package_version: str
    """Version of this package that made the plan."""
    source: str
    """What the file is called."""
    digest: str
    """SHA-256 of the file."""
    commit: str | None
    """Commit of the file, if it was given."""
    steps: list[Step]
    """The steps, in the order in which they are carried out."""
    refusals: list[str]
    """Why ``apply`` would refuse the steps that are no drift."""
    not_listed: list[Step]
    """What exists beside the sections of the file, and is left as it is."""
    unfinished: list[Step]
    """What runs under way have made, or interrupted ones have left."""
    notes: list[str]
    """What a reader should know besides."""
    desired: Mapping[str, Any]
    """The file, as plain JSON types."""
    base: Mapping[str, Any] | None
    """The file as it was last applied, as plain JSON types; None if it was not given."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan that ``to_json`` converted.

        Its steps are shown by what ``apply`` compares, whatever else the text says of them.

        Args:
            text: Text that ``to_json`` returned. ``apply`` refuses a plan that lacks a step that it would carry out:
                to leave one out, change the file and make another plan.

        Raises:
            PineconeTypeError: ``text`` is not a str.
            PineconeValueError: ``text`` is not such a plan, or only part of one; the message says what is wrong.
        """
        plan = super().from_json(text)
        return evolve(plan, steps=[*map(keep_facts, plan.steps)])

    def __bool__(self) -> bool:
        """Return whether there are steps, drift or not."""
        return bool(self.steps)

    @property
    def summary(self) -> str:
        """One line of counts."""
        drift = sum(each.cause == "drift" for each in self.steps)
        counts = [count_noun(len(self.steps), "step") + (f" ({drift} drift)" if drift else "")]
        counts += [f"{len(self.not_listed)} not listed"] if self.not_listed else []
        counts += [f"{len(self.unfinished)} unfinished"] if self.unfinished else []
        return make_printable(f"organization {self.organization} ({self.organization_id}): {', '.join(counts)}")

    def __str__(self) -> str:
        """Return the plan as text, one step per line; what concerns owners and secrets comes first."""
        lines = [self.summary, *map(describe_step, sort_for_reading(self.steps))]
        lines += [f"apply refuses this: {each}" for each in self.refusals]
        return "\n".join(map(make_printable, [*lines, *self.notes, *map(str, (*self.unfinished, *self.not_listed))]))

    def to_markdown(self) -> str:
        """Return the plan as Markdown for a comment.

        It has at most 60,000 characters: sections are cut, with the number of what is left out. Only refusals, notes
        and the first section, on owners and secrets, are never cut, and can make it longer.

        Example:
            >>> plan = admin.plan(admin.inventory().to_desired_state())
            >>> comment = plan.to_markdown()
        """
        sections = split_sections(self)
        first = sections.pop(_FIRST, [])
        facts = {
            "file": f"{self.source} {self.digest}".strip(),
            "commit": self.commit,
            "caller": self.client_id,
            "organization read": f"{describe_minute(self.made_at)}, by pinecone-admin {self.package_version}",
        }
        head = [f"**{_code(self.summary)}**", *(f"- {name}: {_code(fact)}" for name, fact in facts.items() if fact)]
        head += [f"- apply refuses this: {_code(each)}" for each in self.refusals]
        head += [f"- {_code(each)}" for each in self.notes]
        head += ["", f"### {_FIRST}", *_list_steps(first)] if first else []
        text = "\n".join(head) + "\n"
        for number, (title, steps) in enumerate(sections.items()):
            text += _format_section(title, steps, (_MAX_MARKDOWN - len(text)) // (len(sections) - number))
        return text


def sort_for_reading(steps: Iterable[Step]) -> list[Step]:
    """Return what concerns owners and secrets first."""
    return sorted(steps, key=lambda each: not is_sensitive(each))


def describe_step(step: Step) -> str:
    """Return the line of a step, which says whether it is drift."""
    return f"{step} (drift)" if step.cause == "drift" else str(step)


def split_sections(plan: ChangePlan) -> dict[str, list[Step]]:
    """Return the steps of a plan by the titles of what a reader gets; none of them is empty."""
    rest = [each for each in plan.steps if not is_sensitive(each)]
    sections = {
        _FIRST: [each for each in plan.steps if is_sensitive(each)],
        "Changes": [each for each in rest if each.cause != "drift"],
        "Drift": [each for each in rest if each.cause == "drift"],
        "Unfinished": plan.unfinished,
        "Not listed": plan.not_listed,
    }
    return {title: steps for title, steps in sections.items() if steps}


def _code(text: str) -> str:
    """Return a text as a code span, in which nothing is a mention, a link or markup.

    A backslash would not do: GitHub looks for mentions in the text that it leaves.
    """
    shown = make_printable(text)
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _list_steps(steps: Iterable[Step]) -> list[str]:
    return [f"- {_code(describe_step(each))}" for each in steps]


def _format_section(title: str, steps: Sequence[Step], size: int) -> str:
    """Return a section, cut to a number of characters."""
    head = f"\n### {title} ({len(steps)})\n"
    room = size - len(head) - len("- and 000000 more\n")
    lines: list[str] = []
    for line in _list_steps(steps):
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- and {len(steps) - len(lines)} more")
            break
        lines.append(line)
    return head + "\n".join(lines) + "\n"
