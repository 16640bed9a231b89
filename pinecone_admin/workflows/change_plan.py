"""The plan of an organization's changes, the report of carrying it out, and their texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

from generated_client.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import Outcome
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.plans import SavablePlan
from pinecone_admin.workflows.steps import Step

NewSecret: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret
"""What ``store`` gets of ``apply``: a new key with its value, or a new service account with its secret."""

_OWNER = "OrgOwner"
_MAX_MARKDOWN = 60_000
"""Characters of Markdown; GitHub refuses comments from 65,536."""


@frozen(kw_only=True)
class ChangePlan(SavablePlan):
    """The steps that bring an organization to its desired state, for ``apply``.

    Attributes:
        organization_id: Id of the organization.
        organization: Name of the organization.
        client_id: Client id of the account that is to carry the steps out.
        made_at: Time of the inventory from which the plan was made.
        package_version: Version of this package that made it.
        source: What the file is called.
        digest: SHA-256 of the file.
        commit: Commit of the file, if it was given.
        steps: The steps, in the order in which they are carried out.
        refusals: Why ``apply`` would refuse the steps that are no drift.
        not_listed: What exists beside the sections of the file, and is left as it is.
        unfinished: What runs under way have made, or interrupted ones have left.
        notes: What a reader should know besides.
        desired: The file.
        base: The file as it was last applied, if it was given.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> saved = plan.to_json()
        >>> report = admin.apply(ChangePlan.from_json(saved))
    """

    _WORKFLOW = "apply"

    organization_id: str
    organization: str
    client_id: str
    made_at: datetime
    package_version: str
    source: str
    digest: str
    commit: str | None
    steps: list[Step]
    refusals: list[str]
    not_listed: list[Step]
    unfinished: list[Step]
    notes: list[str]
    desired: Mapping[str, Any]
    base: Mapping[str, Any] | None

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

        It has at most 60,000 characters: sections are cut, with the number of what is left out. Only the first one, on
        owners and secrets, is never cut, and can be longer.

        Example:
            >>> plan = admin.plan(admin.inventory().to_desired_state())
            >>> comment = plan.to_markdown()
        """
        first = [each for each in self.steps if is_sensitive(each)]
        rest = [each for each in self.steps if not is_sensitive(each)]
        facts = {
            "file": f"{self.source} {self.digest}".strip(),
            "commit": self.commit,
            "caller": self.client_id,
            "organization read": f"{self.made_at:%Y-%m-%d %H:%M} UTC, by pinecone-admin {self.package_version}",
        }
        head = [f"**{_code(self.summary)}**", *(f"- {name}: {_code(fact)}" for name, fact in facts.items() if fact)]
        head += [f"- apply refuses this: {_code(each)}" for each in self.refusals]
        head += [f"- {_code(each)}" for each in self.notes]
        head += ["", "### Owners and secrets", *_list_steps(first)] if first else []
        text = "\n".join(head) + "\n"
        sections = {
            "Changes": [each for each in rest if each.cause != "drift"],
            "Drift": [each for each in rest if each.cause == "drift"],
            "Unfinished": self.unfinished,
            "Not listed": self.not_listed,
        }
        for number, (title, steps) in enumerate(sections.items()):
            share = (_MAX_MARKDOWN - len(text)) // (len(sections) - number)
            text += _format_section(title, steps, share) if steps else ""
        return text


@frozen(kw_only=True)
class FailedStep:
    """A step that failed.

    Attributes:
        step: The step.
        error: Message of the error.
        outcome: What happened to the request; None if ``store`` failed.

    Example:
        >>> report = admin.apply(admin.plan(admin.inventory().to_desired_state()))
        >>> [each.error for each in report.failed]
        []
    """

    step: Step
    error: str = field(converter=make_printable)
    outcome: Outcome | None

    def __str__(self) -> str:
        outcome = {"unknown": ", and may have been done", "done": ", after a part was done"}.get(self.outcome or "", "")
        return make_printable(f"failed{outcome}: {describe_object(self.step)}: {self.error}")


@frozen(kw_only=True)
class ApplyReport:
    """What ``apply`` did with a plan.

    Attributes:
        organization_id: Id of the organization.
        client_id: Client id of the account that carried the plan out.
        applied_at: Time of the inventory that was read first, by the server's clock.
        package_version: Version of this package.
        source: What the file is called.
        digest: SHA-256 of the file.
        commit: Commit of the file, if it was given to ``plan``.
        done: Steps that were carried out, in order.
        skipped: Steps of the plan that were not carried out, as they are no longer needed or are drift.
        failed: Steps that failed.
        not_run: Steps that were not tried, each with the reason.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> print(admin.apply(plan))
        nothing was changed
    """

    organization_id: str
    client_id: str
    applied_at: datetime
    package_version: str
    source: str
    digest: str
    commit: str | None
    done: list[Step] = field(factory=list[Step])
    skipped: list[Step] = field(factory=list[Step])
    failed: list[FailedStep] = field(factory=list[FailedStep])
    not_run: list[Step] = field(factory=list[Step])

    def __str__(self) -> str:
        """Return the report as text, one step per line."""
        lines = [*map(describe_step, sort_for_reading(self.done))]
        lines += map(str, sorted(self.failed, key=lambda each: not is_sensitive(each.step)))
        lines += [f"not run: {describe_object(each)}: {each.reason}" for each in sort_for_reading(self.not_run)]
        lines += [f"skipped: {describe_object(each)}: {each.reason}" for each in sort_for_reading(self.skipped)]
        return "\n".join(map(make_printable, lines or ["nothing was changed"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types.

        Example:
            >>> report = admin.apply(admin.plan(admin.inventory().to_desired_state()))
            >>> json.dumps(report.to_dict())
        """
        return to_dict(self)


def is_sensitive(step: Step) -> bool:
    """Return whether a step concerns an OrgOwner, or makes or ends a secret."""
    if step.kind in {"api_key", "service_account"} and step.action in {"create", "delete"}:
        return True
    fields = [*step.before.items(), *step.after.items()]
    return any(
        value == _OWNER if name == "role" else name == "roles" and _OWNER in _as_list(value) for name, value in fields
    )


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def sort_for_reading(steps: Iterable[Step]) -> list[Step]:
    """Return what concerns owners and secrets first."""
    return sorted(steps, key=lambda each: not is_sensitive(each))


def describe_step(step: Step) -> str:
    """Return the line of a step, which says whether it is drift."""
    return f"{step} (drift)" if step.cause == "drift" else str(step)


def describe_object(step: Step) -> str:
    """Return the line of a step that was not carried out, without its reason."""
    return str(evolve(step, planned=True, reason=None)).removeprefix("would ")


def list_facts(step: Step) -> Iterator[tuple[tuple[object, ...], tuple[str | None, ...]]]:
    """Yield what a step does, each as who, what and where, and the ids that belong to it.

    What two steps have in common is a fact: the roles of an invite are granted to the person, accepted or not.
    """
    is_person = step.kind in {"user", "invite"}
    who = ("person", normalize_email(step.name or "")) if is_person else (step.kind, step.name)
    # An accepted invite is a user with another id.
    ids = (None if step.kind == "invite" and step.action != "delete" else step.id, step.project_id)
    match step.action:
        case "grant" | "revoke":
            role = str(step.after.get("role", step.before.get("role")))  # a saved plan may have anything there
            yield (step.action, *who, step.project, role), ids
        case "delete":
            yield (step.action, step.kind, *who, step.project), ids
        case _:
            if step.action not in {"update", "rename"}:
                yield (step.action, *who, step.project), ids
            yield from _list_field_facts(step, who, ids)


def _list_field_facts(
    step: Step, who: tuple[object, ...], ids: tuple[str | None, ...]
) -> Iterator[tuple[tuple[object, ...], tuple[str | None, ...]]]:
    for replaced in _as_list(step.before.get("replaced_ids")):
        yield ("replace", *who, step.project, str(replaced)), ids
    project_ids = _as_mapping(step.after.get("project_ids"))
    for name, value in step.after.items():
        if name == "project_ids":
            continue
        if name != "roles":
            yield ("set", *who, step.project, name, repr(value)), ids
            continue
        before, after = ({*map(str, _as_list(each))} for each in (step.before.get(name), value))
        for role in after - before:
            place, _, plain = role.rpartition(":")
            project_id = ids[1] if step.kind == "api_key" else project_ids.get(place)
            yield ("grant", *who, place or step.project, plain), (ids[0], project_id)
        for role in before - after:
            yield ("revoke", *who, step.project, role), ids


def find_new_steps(planned: Iterable[Step], found: Iterable[Step]) -> list[Step]:
    """Return the steps of which a plan does not have every fact; an id counts only where the plan has one."""
    known: dict[tuple[object, ...], list[tuple[str | None, ...]]] = {}
    for step in planned:
        for fact, ids in list_facts(step):
            known.setdefault(fact, []).append(ids)

    def is_known(fact: tuple[object, ...], ids: tuple[str | None, ...]) -> bool:
        pairs = (zip(each, ids, strict=True) for each in known.get(fact, ()))
        return any(all(one in {None, other} for one, other in pair) for pair in pairs)

    return [step for step in found if not all(is_known(*each) for each in list_facts(step))]


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
