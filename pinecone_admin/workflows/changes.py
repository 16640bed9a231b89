"""Changes of an organization as data, the steps that carry them out, and their sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, TypeAlias

from attrs import evolve, field, frozen

from generated_client.models import APIKey, Invite, Project, RoleBinding, ServiceAccount
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.workflows.name_tags import describe_name

ChangeAction: TypeAlias = Literal["create", "update", "invite", "resend", "grant", "revoke", "rotate", "delete"]
"""The action of a change. The target of ``grant`` and ``revoke`` is the principal."""

Cause: TypeAlias = Literal["change", "drift", "end"]
"""Why a plan contains a change: the file changed, only the organization changed, or an end (``until``) has passed."""

StepState: TypeAlias = Literal[
    "planned", "failed", "sent", "done", "unread", "rejected", "undone", "skipped", "not_run"
]
"""The state of a change:

- ``planned``: nothing yet, because this is a preview.
- ``failed``: the change was not sent.
- ``sent``: the change was sent, and whether it took effect is unknown.
- ``done``: the change took effect.
- ``unread``: the change took effect, and its response could not be read.
- ``rejected``: the server refused the change.
- ``undone``: the change took effect, and was undone.
- ``skipped``: no request was needed.
- ``not_run``: the change was not tried.
"""

CreatedResource: TypeAlias = Project | APIKey | ServiceAccount | Invite | RoleBinding

Tense: TypeAlias = Literal["present", "past", "conditional"]

MAX_CREATED_ROLES = 100
"""Roles that one request can give to a new account or invite."""

_ABSENT: Mapping[str, object] = {"absent_by_default": True}
"""Metadata of a field that JSON has only if it is set."""

_MARKS: Mapping[str, str] = {"drift": " (drift)", "end": " (its end date has passed)"}
"""What follows a change, by its cause."""
_PAST: Mapping[str, str] = {
    "create": "created",
    "update": "updated",
    "rename": "renamed",
    "invite": "invited",
    "resend": "resent",
    "grant": "granted",
    "revoke": "revoked",
    "rotate": "rotated",
    "delete": "deleted",
}
_NOUNS: Mapping[str, str] = {"api_key": "key", "service_account": "service account", "invite": "invite for"}
_PRINCIPALS = {"user", "invite", "service_account", "api_key"}
_HOLDS_SECRET = {"api_key", "service_account"}
PEOPLE = {"user", "invite"}
"""Kinds of people: an invite becomes a user."""


@frozen(kw_only=True)
class Settings:
    """The fields that one request sets. Fields that it does not set are None, and are absent in JSON.

    Attributes:
        name: Name of a project, an API key or a service account.
        max_pods: Maximum number of pods of a project, from 0.
        force_encryption_with_cmek: Whether a project requires a customer-managed encryption key.
        roles: All roles of an API key. One request replaces them together.
        deletion_protection: Deletion protection of an index: ``"enabled"`` or ``"disabled"``.

    Example:
        >>> Settings(max_pods=2).fields
        {'max_pods': 2}
    """

    name: str | None = field(default=None, metadata=_ABSENT)
    """Name of a project, an API key or a service account."""
    max_pods: int | None = field(default=None, metadata=_ABSENT)
    """Maximum number of pods of a project, from 0."""
    force_encryption_with_cmek: bool | None = field(default=None, metadata=_ABSENT)
    """Whether a project requires a customer-managed encryption key."""
    roles: tuple[str, ...] | None = field(default=None, metadata=_ABSENT)
    """All roles of an API key. One request replaces them together."""
    deletion_protection: str | None = field(default=None, metadata=_ABSENT)
    """Deletion protection of an index: ``"enabled"`` or ``"disabled"``."""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that are set, by name."""
        named = {
            "name": self.name,
            "max_pods": self.max_pods,
            "force_encryption_with_cmek": self.force_encryption_with_cmek,
            "roles": self.roles,
            "deletion_protection": self.deletion_protection,
        }
        return {name: value for name, value in named.items() if value is not None}


_NOTHING = Settings()


@frozen
class Ref:
    """A reference to a resource.

    Attributes:
        kind: ``"project"``, ``"api_key"``, ``"user"``, ``"invite"``, ``"service_account"``, or a kind of content such
            as ``"index"``.
        name: Current name of the resource, or its name after a change creates it; for a person, the email address. None
            if the workflow has not read the name.
        id: Id of the resource. It is None before the resource is created, and for contents of projects, which have
            none.
        project: The project that contains the resource; None if no project does.

    Example:
        >>> print(Ref("api_key", "reader", "k1", Ref("project", "search", "p1")))
        key reader (k1) in project search (p1)
    """

    kind: str
    """``"project"``, ``"api_key"``, ``"user"``, ``"invite"``, ``"service_account"``, or a kind of content such as
    ``"index"``."""
    name: str | None
    """Current name of the resource, or its name after a change creates it; for a person, the email address."""
    id: str | None = field(default=None, metadata=_ABSENT)
    """Id of the resource. It is None before the resource is created, and for contents of projects, which have none."""
    project: Ref | None = field(default=None, metadata=_ABSENT)
    """The project that contains the resource; None if no project does."""

    def __str__(self) -> str:
        thing = describe_resource(_NOUNS.get(self.kind, self.kind), self.name, self.id)
        return make_printable(thing if self.project is None else f"{thing} in {_describe_project(self.project)}")


@frozen
class RoleAt:
    """A role on the organization or on a project.

    Attributes:
        role: The role.
        project: The project; None for the organization.

    Example:
        >>> print(RoleAt("ProjectEditor", Ref("project", "search", "p1")))
        ProjectEditor on project search (p1)
    """

    role: str
    """The role."""
    project: Ref | None = field(default=None, metadata=_ABSENT)
    """The project; None for the organization."""

    def __str__(self) -> str:
        place = "the organization" if self.project is None else _describe_project(self.project)
        return make_printable(f"{self.role} on {place}")


@frozen(kw_only=True)
class Change:
    """One change of an organization, as data. One request carries it out.

    Attributes:
        action: The action.
        target: The resource that is changed. If a role is granted or revoked, this is the principal.
        settings: Fields that the request sets.
        before: The values of these fields before the change. For a deleted key, its roles.
        roles: The role that is granted or revoked. For a new resource, its roles; for a deleted one, the roles that are
            deleted with it.
        replaces: Resources that a new one replaces: invites that cannot be accepted any more, or leftovers of
            interrupted runs.
        also_deletes: Resources that the server deletes together with the target, such as the API keys of a project.
        cause: In a plan, why the plan contains the change; otherwise None.
        reason: Why the change is made, or why it is not made; None if this needs no explanation.

    Example:
        >>> reader = Ref("api_key", "reader", project=Ref("project", "search", "p1"))
        >>> change = Change(
        ...     action="create", target=reader, settings=Settings(roles=("DataPlaneViewer",))
        ... )
        >>> print(change)
        create key reader in project search (p1) with DataPlaneViewer
    """

    action: ChangeAction
    """The action."""
    target: Ref
    """The resource that is changed. If a role is granted or revoked, this is the principal."""
    settings: Settings = field(default=_NOTHING, metadata=_ABSENT)
    """Fields that the request sets."""
    before: Settings = field(default=_NOTHING, metadata=_ABSENT)
    """The values of these fields before the change. For a deleted key, its roles."""
    roles: tuple[RoleAt, ...] = field(default=(), metadata=_ABSENT)
    """The role that is granted or revoked. For a new resource, its roles; for a deleted one, the roles that are deleted
    with it."""
    replaces: tuple[Ref, ...] = field(default=(), metadata=_ABSENT)
    """Resources that a new one replaces: invites that cannot be accepted any more, or leftovers of interrupted runs."""
    also_deletes: tuple[Ref, ...] = field(default=(), metadata=_ABSENT)
    """Resources that the server deletes together with the target, such as the API keys of a project."""
    cause: Cause | None = field(default=None, metadata=_ABSENT)
    """In a plan, why the plan contains the change; otherwise None."""
    reason: str | None = field(default=None, metadata=_ABSENT)
    """Why the change is made, or why it is not made; None if this needs no explanation."""

    @property
    def creates(self) -> bool:
        """Whether the change creates a resource or an invite."""
        return self.action in {"create", "invite"}

    @property
    def makes_secret(self) -> bool:
        """Whether the change creates a secret, which must be stored."""
        return self.action in {"create", "rotate"} and self.target.kind in _HOLDS_SECRET

    @property
    def is_sensitive(self) -> bool:
        """Whether the change concerns an OrgOwner, creates a secret, or deletes a resource with a secret."""
        deleted = (self.target, *self.also_deletes) if self.action == "delete" else ()
        ends_secret = any(each.kind in _HOLDS_SECRET for each in deleted)
        return self.makes_secret or ends_secret or concerns_owner(self)

    @property
    def projects(self) -> list[Ref]:
        """The projects that the change is about, each once."""
        places = [self.target.project, *(each.project for each in self.roles)]
        return [*dict.fromkeys(each for each in places if each is not None)]

    def describe(self, tense: Tense) -> str:
        """Return a sentence about the change, such as "would create key reader in project search".

        Args:
            tense: ``"present"``, ``"past"`` or ``"conditional"``. For a ``Step``, the past is true only if its
                ``state`` is ``"done"``; ``str(step)`` is true for every state. The past does not mention replaced
                resources, because a separate change deletes them.

        Example:
            >>> Change(action="delete", target=Ref("user", "eve@example.com", "u1")).describe("past")
            'deleted user eve@example.com (u1)'
        """
        is_rename = self.action == "update" and self.settings.name is not None and self.settings != self.before
        action = "rename" if is_rename else self.action
        verb = {"past": _PAST[action], "present": action, "conditional": f"would {action}"}[tense]
        clauses = [f"{verb} {_describe_object(self)}", None if tense == "past" else _describe_replaced(self)]
        text = ": ".join(filter(None, clauses))
        if self.reason is not None:
            return make_printable(f"{text}, because {self.reason}")
        return make_printable(text + _MARKS.get(self.cause or "", ""))

    def __str__(self) -> str:
        return self.describe("present")


@frozen(kw_only=True)
class Step:
    """A change, and what happened to it. ``str`` returns one line of text.

    Attributes:
        change: The change. If it was skipped or not run, its ``reason`` contains the reason.
        state: The state of the change.
        resource: The model of the created resource. It is None if nothing was created, or if no response contained the
            resource.
        error: Message of the error, with its notes; None without an error.
        help_code: Code of the error, such as ``PA205``. It is None without an error, and for errors that are not of
            this package.
        note: How the response differs from what was sent, such as other roles. It is None if the response shows no
            difference.

    Example:
        >>> ended = Change(action="delete", target=Ref("service_account", "ci", "s1"))
        >>> print(Step(change=ended, state="done"))
        deleted service account ci (s1)
    """

    change: Change
    """The change. If it was skipped or not run, its ``reason`` contains the reason."""
    state: StepState
    """The state of the change."""
    resource: CreatedResource | None = field(default=None, metadata=_ABSENT)
    """The model of the created resource. It is None if nothing was created, or if no response contained the
    resource."""
    error: str | None = field(default=None, metadata=_ABSENT)
    """Message of the error, with its notes; None without an error."""
    help_code: str | None = field(default=None, metadata=_ABSENT)
    """Code of the error, such as ``PA205``. It is None without an error, and for errors that are not of this
    package."""
    note: str | None = field(default=None, metadata=_ABSENT)
    """How the response differs from what was sent, such as other roles. It is None if the response shows no
    difference."""

    def __str__(self) -> str:
        change, end = self.change, f". The error: {self.error}" if self.error else ""
        if change.creates and self.resource is not None:
            change = evolve(change, target=evolve(change.target, id=self.resource.id))
        match self.state:
            case "planned":
                text = change.describe("conditional")
            case "done":
                text = change.describe("past") + (f", but {self.note}" if self.note else "")
            case "undone":
                text = f"{change.describe('past')}, and undid it{end}"
            case "skipped" | "not_run":
                text = f"{self.state.replace('_', ' ')}: {evolve(change, replaces=())}"
            case "failed" | "rejected":
                text = f"failed: {evolve(change, replaces=())}{end}"
            case "sent" | "unread":
                seen = "may have been done" if self.state == "sent" else "was done, as far as the status shows"
                # What may exist has the temporary name.
                change = evolve(
                    change,
                    replaces=(),
                    target=evolve(change.target, name=(change.creates and change.settings.name) or change.target.name),
                )
                text = f"failed, and {seen}: {change}{end}"
        return make_printable(text)


def concerns_owner(change: Change) -> bool:
    """Return whether the ownership of the organization is among the roles of a change."""
    return any((each.role, each.project) == ("OrgOwner", None) for each in change.roles)


def find_flaw(change: Change) -> str | None:
    """Return what is wrong with the shape of a change, as far as types cannot tell, or None."""
    target, action, settings = change.target, change.action, change.settings
    needs_id = not change.creates and (action != "delete" or target.kind in {*_PRINCIPALS, "project"})
    lacks = {
        "must have an id": needs_id and not target.id,
        "must have a name": not target.name,
        "must not have an id": change.creates and target.id is not None,
        "must have a project": target.kind == "api_key" and target.project is None,
        "must be of an invite": action in {"invite", "resend"} and target.kind != "invite",
        "must be of a service account": action == "rotate" and target.kind != "service_account",
        "must be of a principal": action in {"grant", "revoke"} and target.kind not in _PRINCIPALS - {"api_key"},
        "must be of an index": settings.deletion_protection is not None and target.kind != "index",
        "must have one role": action in {"grant", "revoke"} and len(change.roles) != 1,
        "must have the same fields before and after": action == "update"
        and (not settings.fields or settings.fields.keys() != change.before.fields.keys()),
        "must have at most 100 roles": action in {"create", "invite"} and len(change.roles) > MAX_CREATED_ROLES,
    }
    return next((flaw for flaw, holds in lacks.items() if holds), None)


def with_known_ids(change: Change, known: Mapping[Ref, Ref]) -> Change:
    """Return a change with the ids of what was created since; ``known`` has the references by those without an id."""

    def find(ref: Ref | None) -> Ref | None:
        if ref is None:
            return None
        if ref.id is None and ref in known:
            return known[ref]
        return evolve(ref, project=find(ref.project)) if ref.project is not None else ref

    target = change.target if change.creates else find(change.target) or change.target
    if change.creates and target.project is not None:
        target = evolve(target, project=find(target.project))
    roles = tuple(evolve(each, project=find(each.project)) for each in change.roles)
    return evolve(change, target=target, roles=roles)


def with_known_names(change: Change, names: Mapping[str, str]) -> Change:
    """Return a change with names beside ids that have none; ``names`` has them by id."""

    def find(ref: Ref) -> Ref:
        project = None if ref.project is None else find(ref.project)
        return evolve(ref, name=ref.name or names.get(ref.id or ""), project=project)

    roles = tuple(each if each.project is None else evolve(each, project=find(each.project)) for each in change.roles)
    return evolve(change, target=find(change.target), roles=roles)


def _describe_project(project: Ref) -> str:
    return describe_resource("new project" if project.id is None else "project", project.name, project.id)


def _describe_object(change: Change) -> str:
    target, settings = change.target, change.settings
    thing = describe_resource(_NOUNS.get(target.kind, target.kind), target.name, target.id)
    place = "" if target.project is None else f" in {_describe_project(target.project)}"
    match change.action:
        case "grant" | "revoke":
            preposition = "to" if change.action == "grant" else "from"
            return f"{' and '.join(map(str, change.roles))} {preposition} {thing}{place}"
        case "rotate":
            return f"the secret of {thing}"
        case "update":
            fields = settings.fields
            if fields.keys() == {"name"} and settings == change.before:
                return f"{thing}{place} with its own name"
            name = fields.pop("name", None)
            if name is not None:
                others = [f", and its {each} to {describe_value(value)}" for each, value in fields.items()]
                return f"{thing}{place} to {quote_name(name)}{''.join(others)}"
            before = change.before.fields
            pairs = [
                f"{name} from {describe_value(before.get(name))} to {describe_value(value)}"
                for name, value in fields.items()
            ]
            return f"{thing}{place}: {', '.join(pairs)}"
        case "invite":
            thing = describe_resource("", target.name, target.id)
        case _:
            pass
    roles = " and ".join(describe_roles(change.roles))
    details = [*([roles] if roles else []), *_describe_fields(change), *_describe_also_deleted(change)]
    return f"{thing}{place} with {', '.join(details)}" if details else f"{thing}{place}"


def _describe_fields(change: Change) -> list[str]:
    """Return what something new is set to, or what a deleted key had."""
    fields = (change.before if change.action == "delete" else change.settings).fields
    fields.pop("name", None)  # the target has the name
    roles = fields.pop("roles", ())
    return [*([describe_value(roles)] if roles else []), *(f"{name} {value}" for name, value in fields.items())]


def _describe_also_deleted(change: Change) -> list[str]:
    """Return the names of what is deleted with something else, as one text for each kind."""
    kinds = groupby(change.also_deletes, key=lambda each: each.kind)
    found = [(kind, [describe_name(each.name or str(each.id), quote_name) for each in some]) for kind, some in kinds]
    nouns = {"api_key": "key", "service_account": "service account"}
    return [f"{count_noun(len(names), nouns.get(kind, kind))}: {', '.join(names)}" for kind, names in found]


def describe_roles(roles: Iterable[RoleAt]) -> list[str]:
    """Return roles as texts, those on one place as one text, so that it is named once."""
    return [
        describe_value([each.role for each in some]) + ("" if place is None else f" on {_describe_project(place)}")
        for place, some in groupby(roles, key=lambda each: each.project)
    ]


def sort_roles(roles: Iterable[RoleAt]) -> tuple[RoleAt, ...]:
    """Return roles in the order of texts: those on the organization first, then by the names of projects."""

    def position(each: RoleAt) -> tuple[bool, str, str, str]:
        place = each.project
        return (False, "", "", each.role) if place is None else (True, place.name or "", place.id or "", each.role)

    return tuple(sorted(roles, key=position))


def _describe_replaced(change: Change) -> str | None:
    """Return what becomes of what something new replaces, or None if it replaces nothing."""
    ids = describe_value([str(each.id) for each in change.replaces])
    if not change.replaces:
        return None
    if change.action == "invite":
        old = "an invite that cannot be accepted any more"
        return f"{old} is deleted ({ids}), because sending it again would grant its old roles"
    return f"an interrupted run left {ids}: it gets the name if its secret is stored, or is deleted"


def describe_value(value: object) -> str:
    """Return the value of a field as a text: a list in words, and a name in quotes if it is no plain word."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " and ".join(map(str, value)) or "nothing"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return quote_name(value) if isinstance(value, str) else str(value)
