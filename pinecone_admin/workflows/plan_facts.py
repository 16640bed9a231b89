"""What steps do, as facts: who gets or loses which role, what is made, set or deleted, and where.

A plan that was reviewed permits what has the same facts, so that its texts show nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from attrs import evolve

from pinecone_admin._http.lookup import normalize_email
from pinecone_admin.errors import RefusedError
from pinecone_admin.workflows.desired_state import SETTINGS
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin.workflows.change_plan import ChangePlan
    from pinecone_admin.workflows.resources import Resources

_Fact: TypeAlias = tuple[tuple[object, ...], tuple[str | None, ...]]

_SET = ("name", *SETTINGS, "roles")
_NEW = ("replaced_ids",), (*SETTINGS, "roles", "project_ids")
_FIELDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "create": _NEW,
    "invite": _NEW,
    "update": (_SET, _SET),
    "rename": (_SET, _SET),
    "grant": ((), ("role",)),
    "revoke": (("role",), ()),
    "delete": (("roles",), ()),
}
"""Fields of ``before`` and ``after`` that are facts of a step, by its action."""


class RoleIn(NamedTuple):
    """A role that a step gives or takes.

    Attributes:
        role: The role.
        project: Name of its project, or id if others have the name; None on the organization.
        project_id: Id of the project, if the step has it.
    """

    role: str
    project: str | None
    project_id: str | None


def keep_facts(step: Step) -> Step:
    """Return a step of a saved plan with its facts alone: what else its text would show may have been edited."""
    before, after = _FIELDS.get(step.action, ((), ()))
    set_after = _keep_fields(step.after, after)
    set_before = _keep_fields(step.before, set_after if before is _SET else before)
    cause = step.cause or "change"
    return evolve(step, before=set_before, after=set_after, reason=None, planned=True, cause=cause)


def _keep_fields(fields: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    kept = {name: fields[name] for name in names if name in fields}
    # A saved plan may have anything in the place of lists and mappings.
    kept |= {name: _list_texts(kept[name]) for name in ("roles", "replaced_ids") if name in kept}
    return {name: each for name, each in kept.items() if name != "project_ids" or isinstance(each, dict)}


def _list_texts(value: object) -> list[str]:
    return [*map(str, value)] if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def makes_secret(step: Step) -> bool:
    """Return whether a step makes a secret, which has to be stored."""
    return step.action == "create" and step.kind in {"api_key", "service_account"}


def is_sensitive(step: Step) -> bool:
    """Return whether a step concerns an OrgOwner, or makes or ends a secret."""
    ends_secret = step.action == "delete" and step.kind in {"api_key", "service_account"}
    return makes_secret(step) or ends_secret or "OrgOwner" in {*_texts_of(step.before), *_texts_of(step.after)}


def name_holder(step: Step) -> tuple[str, str]:
    """Return what a step concerns, by its name: an invite and the member who has accepted it are one person."""
    name = step.name or ""
    return ("person", normalize_email(name)) if step.kind in {"user", "invite"} else (step.kind, name)


def list_granted(step: Step) -> list[RoleIn]:
    """Return the roles that a step gives."""
    return _list_roles(step, step.after, step.before)


def _list_roles(step: Step, some: Mapping[str, object], others: Mapping[str, object]) -> list[RoleIn]:
    """Return the roles that are only in one of the two mappings."""
    ids = cast("Mapping[str, str]", step.after.get("project_ids", {}))
    known, found = {*_texts_of(others)}, list[RoleIn]()
    for text in _texts_of(some):
        place, _, role = text.rpartition(":")
        if text not in known:
            found.append(RoleIn(role, place or step.project, ids.get(place) if place else step.project_id))
    return found


def _texts_of(fields: Mapping[str, object]) -> list[str]:
    return [str(fields["role"])] if "role" in fields else _list_texts(fields.get("roles"))


def list_facts(step: Step) -> Iterator[_Fact]:
    """Yield what a step does, each as who, what and where, and the ids that belong to it.

    What two steps have in common is a fact: the roles of an invite are granted to the person, accepted or not. Those of
    a new account or key are not granted to another one that has got its name, whose secret somebody else may have.
    """
    who = name_holder(step)
    # An accepted invite is a user with another id.
    id = None if step.kind == "invite" and step.action != "delete" else step.id
    if step.action in {"create", "invite", "delete"}:
        kind = step.kind if step.action == "delete" else None
        yield (step.action, kind, *who, step.project), (id, step.project_id)
    for replaced in _list_texts(step.before.get("replaced_ids")):
        yield ("replace", *who, step.project, replaced), (id, step.project_id)
    gain = "create with" if step.action == "create" else "grant"
    roles = {gain: list_granted(step), "revoke": _list_roles(step, step.before, step.after)}
    for verb, some in roles.items():
        for each in some:
            yield (verb, *who, each.project, each.role), (id, each.project_id)
    for name, value in step.after.items():
        if name not in {"role", "roles", "project_ids"}:
            yield ("set", *who, step.project, name, repr(step.before.get(name)), repr(value)), (id, step.project_id)


def find_new_steps(planned: Iterable[Step], found: Iterable[Step]) -> list[Step]:
    """Return the steps of which a plan does not have every fact; an id counts only where the plan has one."""
    known: dict[tuple[object, ...], list[tuple[str | None, ...]]] = {}
    for step in planned:
        for fact, ids in list_facts(step):
            known.setdefault(fact, []).append(ids)

    def is_known(fact: tuple[object, ...], ids: tuple[str | None, ...]) -> bool:
        pairs = (zip(each, ids, strict=True) for each in known.get(fact, ()))
        return any(all(one is None or one == other for one, other in pair) for pair in pairs)

    return [step for step in found if not all(is_known(*each) for each in list_facts(step))]


def check_planned(plan: ChangePlan, found: Iterable[Step], inventory: Resources, *, drift: bool) -> None:
    """Raise RefusedError unless a plan has all that steps do; without ``drift``, those that are drift do nothing.

    An interrupted run of the plan leaves what the plan cannot name; the same step may replace that.
    """
    # What the plan shows as drift was not reviewed as something that a call without ``drift`` does.
    known, wanted = ([each for each in some if drift or each.cause != "drift"] for some in (plan.steps, found))
    wanted = [_ignore_own_leftovers(each, inventory, plan.made_at) for each in wanted]
    if new := find_new_steps(known, wanted):
        lines = "; ".join(map(str, new))
        hint = ", which names what is replaced" if any(each.before.get("replaced_ids") for each in new) else ""
        raise RefusedError(
            f"the organization or the plan has changed: the plan does not have all of this: {lines}; make another plan"
            f"{hint}",
            operation="apply",
        )


def _ignore_own_leftovers(step: Step, inventory: Resources, made_at: datetime) -> Step:
    """Return a step without what it replaces that was made since the plan, with the roles that the step gives.

    A key of somebody else that has got the name of unfinished work is older, or has other roles.
    """
    replaced = _list_texts(step.before.get("replaced_ids"))
    if not replaced or not makes_secret(step):
        return step
    given = {(each.role, each.project_id) for each in list_granted(step)}
    held: dict[str, set[tuple[str, str | None]]] = {
        key.id: {(role, key.project_id) for role in key.roles}
        for key in inventory.api_keys
        if key.created_at is not None and key.created_at >= made_at
    }
    held |= {each.id: set() for each in inventory.service_accounts if each.created_at >= made_at}
    for each in inventory.role_bindings:
        if each.principal_type == "service_account" and each.principal_id in held:
            place = each.resource_id if each.resource_type == "project" else None
            held[each.principal_id].add((each.role, place))
    return evolve(step, before={"replaced_ids": [id for id in replaced if held.get(id) != given]})


def find_skipped(planned: Iterable[Step], needed: Iterable[Step], done: Iterable[Step]) -> list[Step]:
    """Return the steps of a plan that are not carried out, each with the reason.

    Args:
        planned: The steps of the plan.
        needed: The steps that are needed now.
        done: Those of them that are carried out.
    """
    needed_facts, done_facts = ({fact for each in some for fact, _ in list_facts(each)} for some in (needed, done))
    skipped: list[Step] = []
    for step in planned:
        facts = {fact for fact, _ in list_facts(step)}
        if facts.isdisjoint(done_facts):
            is_drift = not facts.isdisjoint(needed_facts)
            reason = "it is drift, which this call leaves alone" if is_drift else "it is no longer needed"
            skipped.append(evolve(step, planned=False, reason=reason))
    return skipped
