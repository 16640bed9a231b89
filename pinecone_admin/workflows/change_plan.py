"""The plan of an organization's changes, and its texts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from attrs import evolve, field, frozen

from pinecone_admin._http.argument_checks import value_error
from pinecone_admin._http.lookup import normalize_name
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.errors import PineconeError
from pinecone_admin.workflows.change_operations import build_operation
from pinecone_admin.workflows.changes import Change, Ref, find_flaw, with_known_ids
from pinecone_admin.workflows.desired_state import SETTINGS, list_problems
from pinecone_admin.workflows.name_tags import original_name
from pinecone_admin.workflows.plans import SavablePlan

_FIRST = "Owners and secrets"
_MAX_MARKDOWN = 60_000
"""Characters of Markdown; GitHub refuses comments from 65,536."""

_KINDS: Mapping[str, Collection[str]] = {
    "create": {"project", "service_account", "api_key"},
    "update": {"project", "service_account", "api_key"},
    "invite": {"invite"},
    "grant": {"user", "invite", "service_account"},
    "revoke": {"user", "invite", "service_account"},
    "delete": {"user", "invite", "service_account", "api_key"},
}
"""The kinds of resources of each action of a plan."""

_SETTINGS: Mapping[str, Collection[str]] = {
    "project": {"name", *SETTINGS},
    "api_key": {"name", "roles"},
    "service_account": {"name"},
}
"""The settings that a request for each kind of resources has."""

_SOME_ID = "id"
"""Begins what stands for an id that is only known once something is created or read."""

_COUNTED: Mapping[str, tuple[str, str]] = {
    "project": ("project", "projects"),
    "api_key": ("key", "keys"),
    "service_account": ("service account", "service accounts"),
    "user": ("person", "people"),
    "invite": ("person", "people"),
}


@frozen(kw_only=True)
class SetAside:
    """A resource that a workflow created or left, and that a plan does not change.

    Attributes:
        target: The resource.
        reason: Why the resource exists.

    Example:
        >>> plan = admin.plan(admin.inventory().to_desired_state())
        >>> [kept.reason for kept in plan.kept]
        []
    """

    target: Ref
    """The resource."""
    reason: str
    """Why the resource exists."""

    def __str__(self) -> str:
        target, project = self.target, self.target.project
        place = "" if project is None else f" in {describe_resource('project', project.name, None)}"
        name = None if target.name is None else original_name(target.name)
        return make_printable(f"{evolve(target, name=name, id=None, project=None)}{place}: {self.reason}")


@frozen(kw_only=True)
class ChangePlan(SavablePlan):
    """The changes that bring an organization to its desired state, for ``apply``.

    Attributes:
        organization_id: Id of the organization.
        organization: Name of the organization.
        client_id: Client id of the account that should carry out the changes.
        made_at: The ``taken_at`` of the inventory that the plan was made from.
        package_version: Version of this package that made the plan.
        source: Name of the file for messages.
        digest: SHA-256 of the file.
        commit: Commit of the file, if you passed it.
        changes: The changes, in the order of execution.
        refusals: Why ``apply`` would refuse the changes, or leave out an end (``until``). Drift is not considered.
        not_listed: Resources in the sections of the file that the file does not list. They are not changed.
        unfinished: Resources of workflows that are in progress or were interrupted.
        kept: Old keys of finished rotations, and temporary keys. Other workflows delete them after their expiry time.
        notes: Further information for a reader of the plan.
        stopped: Items of the file that do not fit the organization and are left out, each with the reason.
        next_end: When the next end (``until``) of the file comes, or None. From then on, ``apply`` refuses the plan.
        reviewed_ends: Ends that are also in the former file (``base``). The limit of removals does not count them.
            After ``from_json``, it is None, and the limit counts all changes.

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
    """Client id of the account that should carry out the changes."""
    made_at: datetime
    """The ``taken_at`` of the inventory that the plan was made from."""
    package_version: str
    """Version of this package that made the plan."""
    source: str
    """Name of the file for messages."""
    digest: str
    """SHA-256 of the file."""
    commit: str | None
    """Commit of the file, if you passed it."""
    changes: list[Change]
    """The changes, in the order of execution."""
    refusals: list[str]
    """Why ``apply`` would refuse the changes, or leave out an end (``until``). Drift is not considered."""
    not_listed: list[Ref]
    """Resources in the sections of the file that the file does not list. They are not changed."""
    unfinished: list[SetAside]
    """Resources of workflows that are in progress or were interrupted."""
    kept: list[SetAside]
    """Old keys of finished rotations, and temporary keys. Other workflows delete them after their expiry time."""
    notes: list[str]
    """Further information for a reader of the plan."""
    stopped: list[str] = field(factory=list[str])
    """Items of the file that do not fit the organization and are left out, each with the reason."""
    next_end: datetime | None = None
    """When the next end (``until``) of the file comes, or None."""
    reviewed_ends: frozenset[Change] | None = field(default=None, eq=False, metadata={"only_in_memory": True})
    """Ends that are also in the former file (``base``). The limit of removals does not count them."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the plan from the JSON that ``to_json`` returned.

        The text of each change is made from its fields, so an edited plan shows what ``apply`` will do. The changes are
        in the order of execution, whatever their order in the JSON.

        Args:
            text: The JSON. You may have removed entries of ``changes``.

        Raises:
            PineconeTypeError: ``text`` is not a str.
            PineconeValueError: ``text`` is not a plan of this kind, or only a part of one. The message shows the
                problem.
        """
        plan = super().from_json(text)
        return evolve(plan, changes=order_changes("text", plan.changes))

    def __bool__(self) -> bool:
        """Return whether the plan contains changes. Drift counts, too."""
        return bool(self.changes)

    @property
    def summary(self) -> str:
        """One line with the number of changes, and the last day before the next end."""
        drift = sum(change.cause == "drift" for change in self.changes)
        counts = [count_noun(len(self.changes), "change") + (f" ({drift} drift)" if drift else "")]
        counts += [f"{len(self.not_listed)} not listed"] if self.not_listed else []
        counts += [f"{len(self.unfinished)} unfinished"] if self.unfinished else []
        counts += [f"{len(self.stopped)} left out"] if self.stopped else []
        if self.next_end is not None:
            counts.append(f"next end after {self.next_end - timedelta(days=1):%Y-%m-%d}")
        return make_printable(
            f"{describe_resource('organization', self.organization, self.organization_id)}: {', '.join(counts)}"
        )

    def __str__(self) -> str:
        """Return the plan as text, one line for each change, in the order of execution."""
        lines = [self.summary, *(change.describe("conditional") for change in self.changes)]
        lines += [f"apply refuses this: {refusal}" for refusal in self.refusals]
        lines += [f"left out: {each}" for each in self.stopped]
        lines += [*self.notes, *map(str, (*self.unfinished, *self.kept)), *count_not_listed(self.not_listed)]
        return "\n".join(map(make_printable, lines))

    def to_markdown(self) -> str:
        """Return the plan as Markdown for a comment.

        The text has at most 60,000 characters. Longer sections are cut, and show how many lines are missing. Refusals,
        notes and the first section, on owners and secrets, are never cut, so they can make the text longer.

        Example:
            >>> plan = admin.plan(admin.inventory().to_desired_state())
            >>> comment = plan.to_markdown()
        """
        rest = [change for change in self.changes if not change.is_sensitive]
        sections = {
            "Changes": _describe_all(each for each in rest if each.cause != "drift"),
            "Drift": _describe_all(each for each in rest if each.cause == "drift"),
            "Unfinished": [*map(str, self.unfinished)],
            "Kept": [*map(str, self.kept)],
        }
        sections = {title: lines for title, lines in sections.items() if lines}
        facts = {
            "file": f"{self.source} {self.digest}".strip(),
            "commit": self.commit,
            "caller": self.client_id,
            "organization read": f"{describe_minute(self.made_at)}, by pinecone-admin {self.package_version}",
        }
        head = [f"**{_code(self.summary)}**", *(f"- {name}: {_code(fact)}" for name, fact in facts.items() if fact)]
        head += [f"- apply refuses this: {_code(refusal)}" for refusal in self.refusals]
        head += [f"- left out: {_code(each)}" for each in self.stopped]
        head += [f"- {_code(each)}" for each in (*self.notes, *count_not_listed(self.not_listed))]
        if first := _describe_all(change for change in self.changes if change.is_sensitive):
            head += ["", f"### {_FIRST}", *(f"- {_code(each)}" for each in first)]
        text = "\n".join(head) + "\n"
        for number, (title, lines) in enumerate(sections.items()):
            text += _format_section(title, lines, (_MAX_MARKDOWN - len(text)) // (len(sections) - number))
        return text

    def _dump(self, document: dict[str, Any]) -> str:
        """Return the document with one line for each change, so that a large plan is neither long nor hard to read."""
        fields: list[str] = []
        for name, value in document.items():
            if isinstance(value, list) and value:
                items = ",\n    ".join(json.dumps(each, ensure_ascii=False) for each in value)  # pyright: ignore[reportUnknownVariableType]
                fields.append(f'  "{name}": [\n    {items}\n  ]')
            else:
                fields.append(f'  "{name}": {json.dumps(value, ensure_ascii=False)}')
        return "{\n" + ",\n".join(fields) + "\n}"


def order_changes(name: str, changes: Sequence[Change]) -> list[Change]:
    """Return the changes of a plan in the order of execution; raise if one is none that a planner makes.

    A plan may have been edited or joined with another one, in its file or in Python.

    Args:
        name: Name of the plan in the message.
        changes: The changes, in any order.
    """
    if flaws := _list_flaws(changes):
        raise value_error(name, f"is not a valid plan: {list_problems(flaws)}")
    return sorted(changes, key=rank_change)


def rank_change(change: Change) -> int:
    """Return the place of a change in the order of all.

    Resources that others need come first. Roles are revoked only after others were granted.
    """
    match change.action:
        case "grant":
            return 3
        case "revoke":
            return 6 if change.roles[0].project is None else 5
        case "delete":
            return 8 if change.target.kind == "user" else 7
        case _:
            return {"project": 0, "service_account": 1, "invite": 2}.get(change.target.kind, 4)


def _list_flaws(changes: Sequence[Change]) -> list[str]:
    """Return what is wrong with the changes of a plan; of each, the first flaw."""
    created = Counter(change.target for change in changes if change.creates)
    found = [
        make_printable(f"changes[{number}] {flaw}")
        for number, each in enumerate(changes)
        if (flaw := _find_flaw(each, created)) is not None
    ]
    contradiction = None if found else _find_contradiction(changes)
    return found if contradiction is None else [contradiction]


def _find_flaw(change: Change, created: Mapping[Ref, int]) -> str | None:
    """Return what is wrong with a change of a plan, or None.

    Args:
        change: The change.
        created: How many changes create each resource.
    """
    if change.target.kind not in _KINDS.get(change.action, ()):
        return find_flaw(change) or f"must not {change.action} a thing of kind {change.target.kind!r}"
    flaw = find_flaw(change)
    if change.reason is not None or (change.creates and change.settings.name is not None):
        flaw = flaw or "must have no reason, and no other name than that of its target"
    if change.cause == "end" and change.action not in {"delete", "revoke"}:
        flaw = flaw or "must not be an end (until), which only deletes or revokes"
    flaw = flaw or _find_wrong_argument(change)
    for ref in (*change.projects, *([change.target] if change.creates else [])):
        if ref.id is None and created.get(ref) != 1:
            how = "is created twice" if created.get(ref) else "no change creates"
            flaw = flaw or f"refers to {ref}, which {how}"
    return flaw


def _find_contradiction(changes: Sequence[Change]) -> str | None:
    """Return which change has another result than one before it, as in two plans that were joined; or None.

    Both would be carried out, in any order.
    """
    results: dict[object, tuple[int, object]] = {}
    for number, each in enumerate(changes):
        for subject, result in _list_results(each):
            first, known = results.setdefault(subject, (number, result))
            if known != result:
                return f"changes[{number}] contradicts changes[{first}]"
    return None


def _list_results(change: Change) -> Iterable[tuple[object, object]]:
    """Return what a change decides, each with the result: whether a thing stays, a setting, a role, who has a name."""
    target = change.target
    owner = target.id or target
    if not change.creates:
        yield (target.kind, owner), change.action != "delete"
    if change.action == "update":
        yield from (((owner, name), value) for name, value in change.settings.fields.items())
    if change.action in {"grant", "revoke"}:
        for role in change.roles:
            yield (owner, role.role, role.project and (role.project.id or role.project)), change.action
    name = change.settings.name or (target.name if change.creates else None)
    if name is not None and change.action != "invite":  # the server refuses a second one
        yield (target.kind, target.project and (target.project.id or target.project), normalize_name(name)), owner


def _find_wrong_argument(change: Change) -> str | None:
    """Return why the request of a change would be refused before it is sent, or None."""
    taken = _SETTINGS.get(change.target.kind, frozenset())
    if surplus := change.settings.fields.keys() - taken:
        return f"must not set {min(surplus)}"
    new = [each for each in change.projects if each.id is None]
    known = {each: evolve(each, id=f"{_SOME_ID}-{number}") for number, each in enumerate(new)}
    try:
        check_operation(build_operation(with_known_ids(change, known), binding_id=_SOME_ID))
    except PineconeError as error:
        return f"cannot be made: {error.message}"
    return None


def count_not_listed(not_listed: Iterable[Ref]) -> list[str]:
    """Return one line with the number of things that a file does not list, or none."""
    parts = count_kinds(not_listed)
    return [f"not in the file, so not changed: {', '.join(parts)}"] if parts else []


def count_kinds(things: Iterable[Ref]) -> list[str]:
    """Return the number of things of each kind, such as ``2 projects`` and ``1 person``."""
    counts = Counter(_COUNTED.get(each.kind, (each.kind, "")) for each in things)
    kinds = dict.fromkeys((*_COUNTED.values(), *counts))
    return [count_noun(counts[one, many], one, many) for one, many in kinds if counts[one, many]]


def _describe_all(changes: Iterable[Change]) -> list[str]:
    return [change.describe("conditional") for change in changes]


def _code(text: str) -> str:
    """Return a text as a code span, so that nothing in it is a mention, a link or markup.

    A backslash would not do: GitHub looks for mentions in the text that it leaves.
    """
    shown = make_printable(text)
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _format_section(title: str, lines: Sequence[str], size: int) -> str:
    """Return a section, cut to a number of characters."""
    head = f"\n### {title} ({len(lines)})\n"
    room = size - len(head) - len("- and 000000 more\n")
    shown: list[str] = []
    for line in (f"- {_code(each)}" for each in lines):
        room -= len(line) + 1
        if room < 0:
            shown.append(f"- and {len(lines) - len(shown)} more")
            break
        shown.append(line)
    return head + "\n".join(shown) + "\n"
