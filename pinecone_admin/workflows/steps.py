"""Steps: what a workflow did, or would do, as data from which the text is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from attrs import evolve, field, frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.workflows.quoting import describe_thing, quote_name

if TYPE_CHECKING:
    from generated_client.models import APIKey

StepAction: TypeAlias = Literal[
    "create", "store", "update", "rename", "invite", "grant", "revoke", "delete", "keep", "skip"
]
"""What a step does; ``"keep"`` and ``"skip"`` change nothing, and have a reason."""

_PAST: Mapping[StepAction, str] = {
    "create": "created",
    "store": "stored",
    "update": "updated",
    "rename": "renamed",
    "invite": "invited",
    "grant": "granted",
    "revoke": "revoked",
    "delete": "deleted",
    "keep": "kept",
    "skip": "skipped",
}
_NOUNS: Mapping[str, str] = {"api_key": "key", "service_account": "service account", "invite": "invite for"}
_PREPOSITIONS: Mapping[StepAction, str] = {"grant": "to", "revoke": "from"}
_ROLE_ACTIONS = {*_PREPOSITIONS, "keep", "skip"}


@frozen(kw_only=True)
class WorkflowStep:
    """One thing that a workflow did, or would do; its ``str`` is a line of text.

    Attributes:
        action: What is done.
        kind: What it is done to: ``"project"``, ``"api_key"``, ``"user"``, ``"invite"``, ``"service_account"``, or a
            kind of content such as ``"index"``. To grant or revoke a role is done to its holder.
        name: Name or email address of what it is done to; None if the workflow has not read it.
        id: Id of what it is done to; None before that is created, and for contents, which have none.
        project: Name of the project that contains it, or that a role is on; None outside of projects, and if the
            workflow has not read the name.
        project_id: Id of the project that contains it, or that a role is on; None outside of projects, and before the
            project is created.
        before: Fields that are changed, with their values before. ``replaced_ids`` has the ids of what something new
            replaces: expired invites, or what interrupted runs left.
        after: Fields that are changed, with their values after; of something new, those that were requested. A role
            that is granted or revoked is the field ``role``. ``project_ids`` has the ids of the projects that ``roles``
            name.
        reason: Why it is done, or why not; None if that needs no explanation.
        planned: Whether this is a preview, and nothing was done.
        cause: Of a step towards a desired state: ``"drift"`` if only the organization has changed, ``"change"`` if the
            file has; else None.

    Example:
        >>> ensured = admin.projects.ensure(name="checkout", dry_run=True)
        >>> [(step.action, step.kind, step.name) for step in ensured.steps]
        [('create', 'project', 'checkout')]
        >>> print(*ensured.steps)
        would create project checkout
    """

    action: StepAction
    """What is done."""
    kind: str
    """What it is done to: ``"project"``, ``"api_key"``, ``"user"``, ``"invite"``, ``"service_account"``, or a kind of
    content such as ``"index"``."""
    name: str | None
    """Name or email address of what it is done to; None if the workflow has not read it."""
    id: str | None = None
    """Id of what it is done to; None before that is created, and for contents, which have none."""
    project: str | None = None
    """Name of the project that contains it, or that a role is on; None outside of projects, and if the workflow has not
    read the name."""
    project_id: str | None = None
    """Id of the project that contains it, or that a role is on; None outside of projects, and before the project is
    created."""
    before: Mapping[str, object] = field(factory=dict[str, object])
    """Fields that are changed, with their values before."""
    after: Mapping[str, object] = field(factory=dict[str, object])
    """Fields that are changed, with their values after; of something new, those that were requested."""
    reason: str | None = None
    """Why it is done, or why not; None if that needs no explanation."""
    planned: bool = False
    """Whether this is a preview, and nothing was done."""
    cause: Literal["drift", "change"] | None = None
    """Of a step towards a desired state: ``"drift"`` if only the organization has changed, ``"change"`` if the file
    has; else None."""

    def __str__(self) -> str:
        verb = f"would {self.action}" if self.planned else _PAST[self.action]
        reasons = filter(None, [_describe_replaced(self), self.reason])
        return make_printable(": ".join([f"{verb} {_describe_object(self)}", *reasons]))


Step: TypeAlias = WorkflowStep


def describe_key_step(
    action: StepAction,
    key: APIKey,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> Step:
    """Return a step that is done to a key; a key without id is not created yet."""
    return Step(
        action=action,
        kind="api_key",
        name=key.name,
        id=key.id or None,
        project_id=key.project_id,
        before=before or {},
        after=after or {},
        reason=reason,
    )


class _ProjectLike(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...


def describe_project_step(action: StepAction, project: _ProjectLike, *, reason: str | None = None) -> Step:
    """Return a step that is done to a project."""
    return Step(action=action, kind="project", name=project.name, id=project.id, reason=reason)


def describe_rename(key: APIKey, final: APIKey) -> Step:
    """Return the step that gives a key another name, and other roles if they differ."""
    before, after = ({"name": each.name, "roles": each.roles} for each in (key, final))
    if key.roles == final.roles:
        del before["roles"], after["roles"]
    return describe_key_step("rename", key, before=before, after=after)


def describe_new_secret(create: Step, *, is_stored: bool) -> list[Step]:
    """Return the step that creates something with a secret, and the one that stores the secret if that is done."""
    return [create, evolve(create, action="store", after={})] if is_stored else [create]


def _describe_object(step: Step) -> str:
    noun = "" if step.action == "invite" else _NOUNS.get(step.kind, step.kind)
    thing = describe_thing(noun, step.name, step.id)
    is_in_project = (step.project or step.project_id) is not None
    project = describe_thing("project", step.project, step.project_id)
    role = step.after.get("role", step.before.get("role"))
    if role is not None and step.action in _ROLE_ACTIONS:
        place = project if is_in_project else "the organization"
        return f"{role} on {place} {_PREPOSITIONS.get(step.action, 'for')} {thing}"
    place = f" in {project}" if is_in_project else ""
    match step.action:
        case "store":
            return f"the {'value' if step.kind == 'api_key' else 'secret'} of {thing}{place}"
        case "rename":
            fields = dict(step.after)
            name = _describe_value(fields.pop("name", None))
            others = [f", and its {each} to {_describe_value(value)}" for each, value in fields.items()]
            return f"{thing}{place} to {name}{''.join(others)}"
        case "update":
            pairs = [
                f"{name} from {_describe_value(step.before.get(name))} to {_describe_value(value)}"
                for name, value in step.after.items()
            ]
            return f"{thing}{place}: {', '.join(pairs)}"
        case _:
            return f"{thing}{place}{_describe_details(step)}"


def _describe_details(step: Step) -> str:
    """Return what a step towards a desired state gives or takes: whoever reviews the file reads only this text."""
    if step.cause is None:
        return ""
    fields = {**step.before, **step.after}
    roles: Any = fields.pop("roles", [])
    for name in ("project_ids", "replaced_ids"):  # the roles have the names, and the rest of the line has the ids
        fields.pop(name, None)
    details = [" and ".join(map(_quote_role, roles))] if roles else []
    details += [f"{name} {_describe_value(value)}" for name, value in fields.items()]
    return f" with {', '.join(details)}" if details else ""


def _describe_replaced(step: Step) -> str | None:
    """Return what becomes of what something new replaces, or None if it replaces nothing."""
    replaced = step.before.get("replaced_ids")
    if not replaced:
        return None
    ids = _describe_value(replaced)
    if step.kind == "invite":
        return f"an expired invite is deleted, since resending it would grant what it carried: {ids}"
    return f"an interrupted run left {ids}: it gets the name if its secret is stored, or is deleted"


def _quote_role(role: str) -> str:
    """Return a role as it is, or in quotes if its project has a name that could read as another role."""
    return role if all(quote_name(each) == each for each in role.split(":")) else quote_name(role)


def _describe_value(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(map(str, value)) or "nothing"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return quote_name(value) if isinstance(value, str) else str(value)
