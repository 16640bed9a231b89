"""Compare each change of a plan with the organization as it is now: ready, already so, or stale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from attrs import evolve

from generated_client.models import APIKey, Invite, ServiceAccount, User
from pinecone_admin._http.lookup import is_same_email, is_same_name
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import RefusedError
from pinecone_admin.workflows.change_operations import fits
from pinecone_admin.workflows.changes import PEOPLE, Change, Ref, describe_roles, describe_value, with_known_ids
from pinecone_admin.workflows.desired_state import list_problems
from pinecone_admin.workflows.ending import Thing
from pinecone_admin.workflows.name_tags import has_purpose, is_temporary_name_of
from pinecone_admin.workflows.organization_index import (
    OrganizationIndex,
    has_lapsed,
    held_role,
    name_of,
    read_settings,
)

_ALREADY_DONE = "this step is no longer needed"


class Compared(NamedTuple):
    """A change of a plan, and what it is now.

    Attributes:
        change: The change, which refers to what is there now.
        state: ``"ready"`` to be carried out, ``"skipped"`` if it is already so, ``"held"`` if it is an end that a
            guard refuses, or ``"stale"``.
        reason: Why it is not ready; empty if it is.
        found: The existing resource, if the create of a resource is skipped; otherwise None.
    """

    change: Change
    state: Literal["ready", "skipped", "held", "stale"]
    reason: str = ""
    found: Ref | None = None


class _StaleError(Exception):
    """The reason why a change must not be carried out."""


class _DoneError(Exception):
    """The change is already made.

    Args:
        found: The existing resource in place of a new one.
    """

    def __init__(self, found: Thing | None = None) -> None:
        super().__init__(_ALREADY_DONE)
        self.found = found


def compare_changes(changes: Sequence[Change], index: OrganizationIndex, *, made_at: datetime) -> list[Compared]:
    """Compare each change with the organization.

    Args:
        changes: The changes of a plan that are to be carried out, in their order.
        index: The organization now.
        made_at: When the plan was made: what it has created since, in a run that was killed, is not created again.
    """
    comparison = _Comparison(changes, index, made_at)
    return [comparison.compare(each) for each in changes]


def raise_if_stale(compared: Iterable[Compared]) -> None:
    """Raise RefusedError with all changes that are stale; if they are too many for the message, its notes have them."""
    stale = [f"{each.change}: {each.reason}" for each in compared if each.state == "stale"]
    if stale:
        shown = list_problems(stale)
        message = f"something changed since the plan was made, and it would no longer do what it shows: {shown}"
        message = f"{message}; make a new plan; nothing was changed"
        error = RefusedError(message, operation="apply")
        for each in stale if len(shown) < len("; ".join(stale)) else ():
            error.add_note(each)
        raise error


class _Comparison:
    """Compares changes in the order of a plan, so that each knows what those before it found."""

    def __init__(self, changes: Sequence[Change], index: OrganizationIndex, made_at: datetime) -> None:
        self._index = index
        self._made_at = made_at
        self._known: dict[Ref, Ref] = {}
        self._new_names = {
            change.target.id: change.settings.name
            for change in changes
            if change.action == "update" and change.settings.name is not None
        }
        self._leaving = {*self._new_names, *(each.target.id for each in changes if each.action == "delete")}
        self._planned_ids = {ref.id for each in changes for ref in (each.target, *each.replaces)}
        self._planned_names = {_name_place(each.target) for each in changes if each.creates}
        self._leftovers: dict[tuple[str, str | None], list[APIKey | ServiceAccount]] = {}
        created: list[APIKey | ServiceAccount] = [*index.inventory.api_keys, *index.inventory.service_accounts]
        for each in created:
            if has_purpose(each.name, "makes"):
                place = each.project_id if isinstance(each, APIKey) else None
                self._leftovers.setdefault(("api_key" if place else "service_account", place), []).append(each)

    def compare(self, change: Change) -> Compared:
        """Compare a change that follows those that were compared before."""
        change = with_known_ids(change, self._known)
        try:
            ready = self._find_ready(change)
        except _StaleError as stale:
            return Compared(change, "stale", str(stale))
        except _DoneError as done:
            found = None if done.found is None else self._index.refer_to(done.found)
            if found is not None:
                self._known[change.target] = found
            return Compared(change, "skipped", _ALREADY_DONE, found)
        return Compared(ready, "ready")

    def _find_ready(self, change: Change) -> Change:
        """Return a change as it is to be carried out, or raise."""
        for project in change.projects:
            self._check_project(change, project)
        match change.action:
            case "create" | "invite":
                return self._compare_create(change)
            case "update":
                return self._compare_update(change)
            case "grant" | "revoke":
                return self._compare_role(change)
            case "delete":
                return self._compare_deletion(change)
            case _:
                raise _StaleError("no plan has such a change")

    def _check_project(self, change: Change, project: Ref) -> None:
        """Raise unless a project is still there with its name; one that the plan creates is not."""
        if project.id is None:
            return
        found = self._index.find("project", project.id)
        if found is not None:
            self._check_name(project, found)
        elif change.action in {"revoke", "delete"}:
            raise self._conclude_gone(project, str(project))
        else:
            raise _StaleError(f"there is no {project}")

    def _compare_create(self, change: Change) -> Change:
        target = change.target
        place = None if target.project is None else target.project.id
        replaced = {each.id for each in change.replaces}
        if target.kind == "invite":
            holders = [*self._index.find_named("user", target.name or "")]
            holders += self._index.find_named("invite", target.name or "")
        elif target.project is not None and place is None:
            holders = []  # a project that is not there has no keys
        else:
            holders = self._index.find_alike(target.kind, target.name or "", place)
        for holder in holders:
            if holder.id in self._leaving or (has_lapsed(holder) and holder.id in replaced):
                continue
            if not has_lapsed(holder) and self._is_created_by_plan(change, holder, replaced):
                raise _DoneError(holder)
            raise _StaleError(f"there is now {self._index.refer_to(holder)}")
        return evolve(change, replaces=self._find_replaced(change, place))

    def _is_created_by_plan(self, change: Change, found: Thing, replaced: set[str | None]) -> bool:
        """Return whether a thing fits, and was created or completed by a run of the plan.

        An interrupted run may have created it, or given the name to what the plan replaces. A key without any date
        may be anybody's, and so may its value.
        """
        created_at = self._index.created_at(found)
        is_new = (
            isinstance(found, User) or found.id in replaced or (created_at is not None and created_at >= self._made_at)
        )
        return is_new and self._fits(change, found)

    def _fits(self, change: Change, found: Thing) -> bool:
        held = self._index.held_by(self._index.refer_to(found).kind, found.id)
        return fits(change, read_settings(found), frozenset() if isinstance(found, APIKey) else held)

    def _find_replaced(self, change: Change, place: str | None) -> tuple[Ref, ...]:
        """Return what a create replaces that is still there, and what an interrupted run of the plan has left."""
        target = change.target
        there = [each for each in change.replaces if self._is_still(each, change.target)]
        known = {each.id for each in there}
        for each in self._leftovers.get((target.kind, place), ()):
            if each.id in known or not is_temporary_name_of(each.name, target.name or ""):
                continue
            ref = self._index.refer_to(each)
            if not self._is_created_by_plan(change, each, set()):
                raise _StaleError(f"an interrupted run left {ref}: make another plan, which names what is replaced")
            there.append(ref)
        return tuple(there)

    def _is_still(self, replaced: Ref, target: Ref) -> bool:
        """Return whether what a plan replaces is there; if it was renamed, it belongs to a run in progress.

        It is a leftover of the target, or a lapsed invite to the same address. An edited plan must not delete
        anything else in its place.
        """
        found = self._index.find(replaced.kind, replaced.id)
        if found is None:
            return False
        if isinstance(found, Invite):
            fits_target = has_lapsed(found) and is_same_email(found.email, target.name or "")
        else:
            fits_target = is_temporary_name_of(name_of(found), target.name or "")
        present = self._index.refer_to(found)
        if present != replaced:
            raise _StaleError(f"{replaced} would be replaced, and is now {present}")
        if (present.kind, present.project) != (target.kind, target.project) or not fits_target:
            raise _StaleError(f"{replaced} would be replaced, but {target} cannot replace it")
        return True

    def _compare_update(self, change: Change) -> Change:
        found = self._find_target(change)
        if found is None:
            raise _StaleError("it no longer exists")
        before, after, now = change.before.fields, change.settings.fields, read_settings(found).fields
        if isinstance(found, APIKey):
            now["roles"] = tuple(sorted(found.roles))
            before, after = ({**each, **_sort(each)} for each in (before, after))
        if (sent := change.settings.name) is not None and is_same_name(name_of(found), sent):
            now["name"] = sent  # a server may change the form of a name
        for name, value in after.items():
            if now.get(name) not in (before.get(name), value):
                raise _StaleError(f"{name} is now {describe_value(now.get(name))}")
        if all(now.get(name) == value for name, value in after.items()):
            raise _DoneError
        new_name = change.settings.name
        if new_name is not None and new_name != name_of(found):
            place = found.project_id if isinstance(found, APIKey) else None
            for each in self._index.find_named(change.target.kind, new_name, place):
                if each.id != found.id and each.id not in self._leaving:
                    raise _StaleError(f"there is now {self._index.refer_to(each)}")
        return change

    def _compare_role(self, change: Change) -> Change:
        found = self._find_target(change)
        if found is None and change.action == "revoke":
            raise self._conclude_gone(change.target)
        if found is None:
            raise _StaleError("it no longer exists")
        if change.action == "grant" and has_lapsed(found):
            raise _StaleError("the invite cannot be accepted any more, so that nobody would get the role")
        target = self._index.refer_to(found)
        is_held = held_role(change.roles[0]) in self._index.held_by(target.kind, target.id)
        if is_held == (change.action == "grant"):
            raise _DoneError
        return evolve(change, target=target)

    def _compare_deletion(self, change: Change) -> Change:
        found = self._find_target(change)
        if found is None:
            raise self._conclude_gone(change.target)
        target = self._index.refer_to(found)
        if target.kind != change.target.kind:
            raise _StaleError(f"the person has joined, and is now {target}")
        if isinstance(found, APIKey):
            more = sorted({*found.roles} - {*(change.before.roles or ())})
            if more:
                raise _StaleError(f"it also has {' and '.join(more)}")
            return change
        known = {*map(held_role, change.roles)}
        also = [each for each in self._index.roles_of(found) if held_role(each) not in known]
        if also:
            raise _StaleError(f"it also has {' and '.join(describe_roles(also))}")
        return change

    def _conclude_gone(self, gone: Ref, noun: str = "it") -> _DoneError | _StaleError:
        """Return whether nothing is left to take, or something has got the name of what is gone since the plan.

        A rotation, for example, puts another key in the place of one that is to be absent.
        """
        kinds = sorted(PEOPLE) if gone.kind in PEOPLE else [gone.kind]
        place = None if gone.project is None else gone.project.id
        holders = [each for kind in kinds for each in self._index.find_named(kind, gone.name or "", place)]
        new = next(filter(self._is_new_holder, holders), None)
        if new is None:
            return _DoneError()
        return _StaleError(f"{noun} no longer exists, and there is now {self._index.refer_to(new)}")

    def _is_new_holder(self, found: Thing) -> bool:
        """Return whether a thing may be newer than the plan, and is none of its own; an address has one holder."""
        created_at = self._index.created_at(found)
        is_new = isinstance(found, User | Invite) or created_at is None or created_at >= self._made_at
        is_planned = found.id in self._planned_ids or _name_place(self._index.refer_to(found)) in self._planned_names
        return is_new and not is_planned

    def _find_target(self, change: Change) -> Thing | None:
        """Return the target, by its id; a member who has accepted an invite takes its place."""
        target = change.target
        found = self._index.find(target.kind, target.id)
        if found is None and target.kind == "invite":
            users = self._index.find_named("user", target.name or "")
            if len(users) > 1:
                raise _StaleError(f"several users have the address now: {', '.join(each.id for each in users)}")
            found = users[0] if users else None
        if found is not None:
            self._check_name(target, found)
            if isinstance(found, APIKey) and (target.project is None or target.project.id != found.project_id):
                raise _StaleError("it is in another project")
        return found

    def _check_name(self, ref: Ref, found: Thing) -> None:
        """Raise unless a thing has the name of the plan, or the one that the plan gives it."""
        name = name_of(found)
        is_same = is_same_email(name, ref.name or "") if ref.kind in PEOPLE else name == ref.name
        new_name = self._new_names.get(found.id)
        if not is_same and (new_name is None or not is_same_name(name, new_name)):
            raise _StaleError(f"the {ref.kind.replace('_', ' ').replace('api', 'API')} is now named {quote_name(name)}")


def _name_place(ref: Ref) -> tuple[str, str | None, str | None]:
    """Return what a name means: in a project, or in the organization."""
    return ref.kind, ref.name, None if ref.project is None else ref.project.id


def _sort(fields: dict[str, object]) -> dict[str, object]:
    roles = fields.get("roles")
    return {"roles": tuple(sorted(roles))} if isinstance(roles, tuple) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
