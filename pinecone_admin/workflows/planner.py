"""Decide which changes bring an organization to its desired state, from an inventory alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, timedelta
from itertools import filterfalse
from typing import Any

from attrs import evolve

from generated_client.models import APIKey, Invite, Project, ServiceAccount, User
from pinecone_admin._http.argument_checks import check_identifier, set_operation_on_errors, type_error
from pinecone_admin._http.lookup import DIFFERS_IN_FORM, is_same_name, normalize_email, normalize_name
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.quoting import quote_name
from pinecone_admin._text.version import __version__
from pinecone_admin.errors import ForbiddenError, RefusedError
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.change_plan import ChangePlan, SetAside, rank_change
from pinecone_admin.workflows.changes import MAX_CREATED_ROLES, Cause, Change, Ref, RoleAt, Settings, sort_roles
from pinecone_admin.workflows.desired_state import DesiredItem, DesiredState, ItemKind, raise_if, suggest
from pinecone_admin.workflows.ending import Thing
from pinecone_admin.workflows.ends import NO_DATE, carry_out_ends, describe_lost_ends, find_next_end, has_ends
from pinecone_admin.workflows.guard import (
    Caller,
    RefusedChanges,
    explain_unknown,
    find_excess,
    find_refusals,
    separate_refused_ends,
)
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.organization_index import OrganizationIndex, has_lapsed, name_of, read_settings
from pinecone_admin.workflows.plans import USE_OWNER, require_full_view
from pinecone_admin.workflows.retired_keys import (
    KeyRotations,
    describe_kept_key,
    separate_unfinished,
    waits_for_deletion,
)

_KIND_OF_NEW: Mapping[ItemKind, str] = {
    "project": "project",
    "api_key": "api_key",
    "service_account": "service_account",
    "person": "invite",
}
_NEEDS_ROLE = "needs a role on the organization"
_CMEK = "force_encryption_with_cmek"


def plan_changes(
    inventory: Inventory,
    desired: DesiredState,
    *,
    client_id: str,
    base: DesiredState | None = None,
    commit: str | None = None,
) -> ChangePlan:
    """Return the changes that bring an organization to its desired state. No request is sent.

    Args:
        inventory: The organization.
        desired: The desired state, from an organization file.
        client_id: Client id of the service account that will carry out the changes.
        base: The file as it was last applied. A change that both files need is *drift*, because only the organization
            has changed. An end (``until``) whose day has passed is not drift.
        commit: Commit of the file, which the plan and the report contain.

    Returns:
        The plan. Items of the file that do not fit the organization are left out, and ``stopped`` lists them.

    Raises:
        PineconeTypeError: An argument has the wrong type.
        PineconeValueError: The file contradicts itself. The message lists all problems. If there are too many for the
            message, the notes of the error list all of them.
        ForbiddenError: The account may not read everything, or is not known to be an OrgOwner. Otherwise ``apply``
            would create again what it does not see.
        ServiceError: The server failed to return a part of the inventory. After 429 or a network failure, this is a
            RateLimitError or PineconeConnectionError.
        RefusedError: The file is about another organization, no service account has this client id, or a part could not
            be read for another reason.

    Example:
        >>> inventory = admin.inventory()
        >>> desired = inventory.to_desired_state()
        >>> plan_changes(inventory, desired, client_id=emulator.client_id).changes
        []
    """
    with set_operation_on_errors("plan"):
        _check_types(inventory, desired, base)
        check_identifier("client_id", client_id)
        caller = Caller(client_id, is_stated=True)
        check_view(inventory, caller, operation="plan")
        for each in filter(None, [desired, base]):
            _check_organization(inventory, each)
        # At an end of the calendar, a time of another zone has no day in UTC.
        taken_at = plausible_date(inventory.taken_at)
        today = (inventory.taken_at if taken_at is None else taken_at.astimezone(UTC)).date()
        is_dated = inventory.is_server_time and taken_at is not None
        index = OrganizationIndex(inventory)
        planner = _Planner(index, carry_out_ends(desired, today))
        planner.plan()
        raise_if(planner.problems, desired.source or "desired", "desired")
    former = None
    if base is not None:
        former = _Planner(index, carry_out_ends(base, today))
        former.plan()
    caused = _find_causes(planner, former)
    stopped, planned = planner.stopped, sorted(caused, key=rank_change)
    changes = [each for each in planned if each.cause != "end" or is_dated]
    if has_ends(desired) and not is_dated:
        stopped = [*stopped, f"ends (until): {NO_DATE}"]
    reviewed = frozenset(each for each in changes if _is_reviewed(each, planner, former))
    own = [each for each in changes if each.cause != "drift"]

    def find(some: Sequence[Change]) -> list[RefusedChanges]:
        return [*find_refusals(some, index, caller), *find_excess(some, index, None, reviewed)]

    held, refusals = separate_refused_ends(own, find)
    return ChangePlan(
        organization_id=inventory.organizations[0].id,
        organization=inventory.organizations[0].name,
        client_id=client_id,
        made_at=inventory.taken_at,
        package_version=__version__,
        source=desired.source,
        digest=desired.digest,
        commit=commit,
        changes=changes,
        refusals=[*dict.fromkeys([*held.values(), *map(str, refusals)])],
        not_listed=planner.not_listed,
        unfinished=planner.unfinished,
        kept=planner.kept,
        notes=[*desired.notes, *planner.notes, *([] if base is None else describe_lost_ends(desired, base))],
        stopped=stopped,
        next_end=find_next_end(desired, today),
        reviewed_ends=reviewed,
    )


def check_view(inventory: Inventory, caller: Caller, *, operation: str) -> None:
    """Raise unless the account sees everything: what it does not see would be made again.

    With an unknown account, only the parts that could not be read show that.
    """
    consequence = "a plan would make them again, so it is refused"
    require_full_view(inventory, consequence, operation=operation)
    if caller.client_id is not None:
        if (unknown := explain_unknown(caller, inventory.service_accounts)) is not None:
            raise RefusedError(unknown, operation=operation)
        own = next((each.id for each in inventory.service_accounts if caller.owns(each)), None)
        if ("OrgOwner", None) not in OrganizationIndex(inventory).held_by("service_account", own):
            why = f"the service account with the client id {caller.client_id} is not known to be an OrgOwner"
            problem = f"{why}, so it may not see everything; a plan would make hidden things again; {USE_OWNER}"
            raise ForbiddenError(problem, operation=operation)


def _find_causes(planner: _Planner, former: _Planner | None) -> list[Change]:
    """Return changes with their causes: one that the former file needs, too, is drift, unless it is an end in either.

    A mistake in the former file concerns only its own items. They cannot be drift.
    """
    known = set[Change]() if former is None else {*map(_ignore_case, former.changes)} - former.ends.keys()
    updates = {each.target: each for each in known if each.action == "update"}
    changes: list[Change] = []
    for each in planner.changes:
        shared, rest = _separate_shared_settings(each, updates.get(each.target))
        known |= {*shared}
        changes += [*shared, *rest]

    def find_cause(change: Change) -> Cause:
        if change in planner.ends:
            return "end"
        return "drift" if _ignore_case(change) in known else "change"

    return [evolve(each, cause=find_cause(each)) for each in changes]


def _separate_shared_settings(change: Change, former: Change | None) -> tuple[list[Change], list[Change]]:
    """Return a change in two parts: the settings that the update of the former file sets alike, and the rest.

    A change of one setting in the file must not set another one that somebody has changed in the console.
    """
    # An interrupted rotation that has not named its key would undo a change of the roles alone.
    if change.action != "update" or former is None or name_tags.parse_tag(change.target.name or "") is not None:
        return [], [change]
    wanted, known, before = (each.fields for each in (change.settings, former.settings, change.before))
    alike = {name for name, value in wanted.items() if known.get(name) == value}

    def select(names: Collection[str]) -> list[Change]:
        settings, former_values = (
            Settings(**{name: value for name, value in fields.items() if name in names}) for fields in (wanted, before)
        )
        return [evolve(change, settings=settings, before=former_values)] if names else []

    return select(alike), select(wanted.keys() - alike)


def _is_reviewed(change: Change, planner: _Planner, former: _Planner | None) -> bool:
    """Return whether a change is an end that the former file has, too, on the same day or an earlier one."""
    plain = evolve(change, cause=None)
    if former is None or change.cause != "end" or plain not in former.ends:
        return False
    return former.ends[plain] <= planner.ends[plain]


def _ignore_case(change: Change) -> Change:
    """Return a change with the address of an invite in one case."""
    if change.action != "invite":
        return change
    return evolve(change, target=Ref("invite", normalize_email(change.target.name or "")))


def _check_types(inventory: object, desired: object, base: object) -> None:
    if not isinstance(inventory, Inventory):
        raise type_error("inventory", "an Inventory", inventory)
    for name, state in {"desired": desired, "base": desired if base is None else base}.items():
        if not isinstance(state, DesiredState):
            raise type_error(name, "a DesiredState", state)


def _check_organization(inventory: Inventory, state: DesiredState) -> None:
    if not any(state.organization in {each.id, each.name} for each in inventory.organizations):
        found = ", ".join(f"{each.name} ({each.id})" for each in inventory.organizations) or "unknown"
        source = state.source or "the file"
        raise RefusedError(
            f"{source} is of organization {quote_name(state.organization)}, not of {found}", operation="plan"
        )


class _Planner:
    """Compares an organization with its desired state.

    Args:
        index: The organization.
        desired: The item of the file.

    Attributes:
        changes: The changes, in the order of the file; none has a cause.
        ends: Those changes that carry out an end, with the last day of that.
        problems: Why the file cannot be carried out.
        stopped: Items that are left out because of the organization, each with the reason.
        not_listed: Existing resources that are not in the sections of the file.
        unfinished: Resources of runs in progress, or leftovers of interrupted runs.
        kept: Old keys of finished rotations, and temporary keys.
        notes: Further notes for the reader.
    """

    def __init__(self, index: OrganizationIndex, desired: DesiredState) -> None:
        self.changes: list[Change] = []
        self.ends: dict[Change, date] = {}
        self.problems: list[str] = []
        self.stopped: list[str] = []
        self._left_out: set[int] = set()
        self.not_listed: list[Ref] = []
        self.unfinished: list[SetAside] = []
        self.kept: list[SetAside] = []
        self.notes: list[str] = []
        self._index = index
        self._desired = desired
        self._places: dict[str, Ref] = {}
        self._shared: dict[str, list[str]] = {}
        self._misleading: dict[str, Ref] = {}
        self._roles: dict[str, RoleAt | None] = {}

    def plan(self) -> None:
        """Plan each section of the file."""
        desired, inventory = self._desired, self._index.inventory
        found = self._plan_list(desired.projects, inventory.projects)
        self._index_projects(desired.projects or (), found)
        self._plan_list(desired.service_accounts, inventory.service_accounts)
        self._plan_list(desired.people, self._index.people)

    def _plan_list(
        self,
        items: Sequence[DesiredItem] | None,
        there: Sequence[Thing],
        project: Ref | None = None,
    ) -> dict[int, list[Thing]]:
        """Plan a list: all projects, the keys of one, all accounts or all people.

        Args:
            items: The items of the file; None if it does not manage them.
            there: What is there.
            project: The project of keys.

        Returns:
            The existing resources of each item, by the identity of the item.
        """
        if items is None:
            return {}
        present, aside = separate_unfinished(there, [each.name for each in items])
        found = self._match(items, present)
        keys = [each for each in there if isinstance(each, APIKey)]
        rotations = KeyRotations(keys) if any(each.absent for each in items) else None
        gone: set[str] = set()
        for item in items:
            left: list[Thing] = []
            if item.absent and rotations is not None:
                named = [each for each in found[id(item)] if isinstance(each, APIKey)]
                beside = rotations.list_beside(item.name, named)
                found[id(item)] = [*beside, *found[id(item)]]
                gone |= {each.id for each in beside}
            elif not found[id(item)] and not item.absent:
                left = [each for each in aside if name_tags.is_temporary_name_of(name_of(each), item.name)]
                gone |= {each.id for each in left}
            if id(item) in self._left_out:
                continue
            self._plan_item(item, project, found[id(item)], left)
            if item.keys is not None:
                self._plan_keys(item, found[id(item)])
        listed = {each.id for some in found.values() for each in some}
        self.not_listed += [self._index.refer_to(each) for each in present if each.id not in listed]
        for each in aside:
            if each.id not in gone:
                self._record_kept(each, keys)
        return found

    def _plan_keys(self, item: DesiredItem, found: Sequence[Thing]) -> None:
        place = self._index.refer_to(found[0]) if found else Ref("project", item.name)
        self._plan_list(item.keys, self._index.keys.get(place.id or "", []), place)

    def _record_kept(self, found: Thing, keys: Sequence[APIKey]) -> None:
        """Show what a run has made or left: as kept if there is no work left but to delete it in time."""
        if isinstance(found, APIKey) and waits_for_deletion(found, keys):
            reason = describe_kept_key(found, now=self._index.inventory.taken_at)
            self.kept.append(SetAside(target=self._index.refer_to(found), reason=reason))
            return
        age, created_at = "of unknown age", self._index.created_at(found)
        if created_at is not None:  # the times of a server have fractions, its Date has none
            age = f"{describe_duration(max(self._index.inventory.taken_at - created_at, timedelta(0)))} old"
        self.unfinished.append(SetAside(target=self._index.refer_to(found), reason=f"unfinished work, {age}"))

    def _refuse(self, item: DesiredItem, problem: str) -> None:
        self.problems.append(f"{item.place}, {item}: {problem}")

    def _leave_out(self, item: DesiredItem, problem: str) -> None:
        """Leave out an item because of the organization, which stops nothing else."""
        self._left_out.add(id(item))
        self.stopped.append(f"{item.place}, {item}: {problem}")

    # Identities

    def _match(self, items: Sequence[DesiredItem], present: Sequence[Thing]) -> dict[int, list[Thing]]:
        """Return what there is of each item, by the identity of the item."""
        by_id = {each.id: each for each in present}
        pinned = {each.id for each in items}
        free: dict[str, list[Thing]] = {}
        for each in present:
            if each.id not in pinned:
                free.setdefault(_key_of(each), []).append(each)
        others: dict[str, list[Thing]] = {}
        for key, some in free.items():
            others.setdefault(normalize_name(key), []).extend(some)
        counts = Counter(each.name for each in items)
        found: dict[int, list[Thing]] = {}
        for item in items:
            if item.id is None:
                found[id(item)] = self._choose(item, free.get(item.key, []))
                if item.key not in free:
                    self._check_other_forms(item, others.get(normalize_name(item.key), []))
            else:
                found[id(item)] = [by_id[item.id]] if item.id in by_id else []
                self._check_pinned(item, by_id.get(item.id), free, is_shared=counts[item.name] > 1)
        return found

    def _choose(self, item: DesiredItem, found: list[Thing]) -> list[Thing]:
        """Return what there is of an item without an id: of a person the member, or else the invites."""
        users: list[Thing] = [each for each in found if isinstance(each, User)]
        chosen = users or found
        alike = [each for each in chosen if not has_lapsed(each) and not (item.absent and isinstance(each, Invite))]
        if len(alike) > 1:
            ids = ", ".join(each.id for each in alike)
            hint = "have this address:" if item.kind == "person" else "have this name: add one of the ids"
            self._leave_out(item, f"several {hint} {ids}")
        return found if item.absent else chosen

    def _check_other_forms(self, item: DesiredItem, others: Sequence[Thing]) -> None:
        """Leave out an item whose name a server may have trimmed or normalized, or each plan would repeat it."""
        if others:
            names = ", ".join(f"{quote_name(name_of(each))} ({each.id})" for each in others)
            self._leave_out(item, f"this may be {names}, whose name {DIFFERS_IN_FORM}: write that name")

    def _check_pinned(
        self,
        item: DesiredItem,
        match: Thing | None,
        free: Mapping[str, Sequence[Thing]],
        *,
        is_shared: bool,
    ) -> None:
        if match is None:
            if not item.absent:
                self._leave_out(item, f"nothing has the id {item.id}")
        elif (name := name_of(match)) != item.name:
            if item.absent:
                self._leave_out(item, f"{item.id} is named {quote_name(name)}")
            elif item.name in free:
                self._leave_out(item, f"{free[item.name][0].id} has the name that {item.id} would get")
            elif is_same_name(name, item.name):
                self._check_other_forms(item, [match])
            elif is_shared:
                self._refuse(item, "another item of the file has the name that it would get")

    def _index_projects(self, items: Sequence[DesiredItem], found: Mapping[int, Sequence[Thing]]) -> None:
        """Collect what names a project in a role: its id, and its name after the plan if no other has that."""
        names = {each.id: each.name for each in self._index.inventory.projects}
        items = [each for each in items if id(each) not in self._left_out]
        listed = {found[id(each)][0].id: each.name for each in items if found[id(each)]}
        names |= listed
        known = [*((name, self._index.projects[id]) for id, name in names.items() if id in self._index.projects)]
        known += [(each.name, Ref("project", each.name)) for each in items if not found[id(each)]]
        counts = Counter(name for name, _ in known)
        for name, ref in known:
            if ref.id is not None:
                self._places[ref.id] = ref
            if name in names and name != ref.id:
                if ref.id is not None and ref.id not in listed:
                    self._misleading[name] = ref
                    continue
                self.problems.append(
                    f"project {ref.id or 'to create'} has the name {quote_name(name)}, the id of another project"
                )
            if counts[name] == 1 or ref.id is None:
                self._places[name] = ref
            else:
                self._shared.setdefault(name, []).append(ref.id)

    # Changes

    def _plan_item(self, item: DesiredItem, project: Ref | None, found: Sequence[Thing], left: Sequence[Thing]) -> None:
        """Plan an item.

        Args:
            item: The item.
            project: The project of a key.
            found: The existing resources.
            left: The leftovers of interrupted runs.
        """
        if item.absent:
            deletions = [self._delete(each) for each in found]
            self.changes += deletions
            if item.until is not None:
                self.ends |= dict.fromkeys(deletions, item.until)
            return
        current = next(filterfalse(has_lapsed, found), None)
        # Another run would finish or delete a resource with such a name.
        if name_tags.parse_tag(item.name) is not None and (current is None or name_of(current) != item.name):
            self._refuse(item, "gets the name of unfinished work")
        roles = self._resolve_roles(item)
        for text in item.ended_roles:
            if self._find_role(text) is None and self._is_ambiguous(text):  # a deleted project has no roles
                self._refuse_role(item, text)
        if id(item) in self._left_out:
            return
        would_be_invited = item.kind == "person" and not isinstance(current, User)
        has_none = not any(each.project is None for each in roles)
        if would_be_invited and has_none and (item.roles is not None or current is None):
            # Other roles may have been enough, until the person left.
            refuse = self._leave_out if item.roles is None or item.keep_other_roles else self._refuse
            refuse(item, f"would be invited, and {_NEEDS_ROLE}")
        elif current is None:
            self._create(item, project, roles, [*found, *left])
        else:
            self._update(item, current)
            if item.roles is not None:
                self._plan_roles(item, current, roles)

    def _delete(self, found: Thing) -> Change:
        target = self._index.refer_to(self._find_present(found))
        if isinstance(found, APIKey):
            return Change(action="delete", target=target, before=Settings(roles=read_settings(found).roles))
        return Change(action="delete", target=target, roles=self._index.roles_of(found))

    def _create(
        self, item: DesiredItem, project: Ref | None, roles: tuple[RoleAt, ...], replaced: Sequence[Thing]
    ) -> None:
        """Create an item with its roles."""
        if len(roles) > MAX_CREATED_ROLES:
            most = f"one request gives at most {MAX_CREATED_ROLES}"
            wanted = count_noun(len(roles), "role")
            self._leave_out(item, f"would be created with {wanted}, and {most}: list the others once it exists")
            return
        self.changes.append(
            Change(
                action="invite" if item.kind == "person" else "create",
                target=Ref(_KIND_OF_NEW[item.kind], item.name, None, project),
                settings=_make_settings(item.settings),
                roles=roles if item.kind in {"service_account", "person"} else (),
                replaces=tuple(map(self._index.refer_to, replaced)),
            )
        )

    def _update(self, item: DesiredItem, current: Thing) -> None:
        """Set what one request sets."""
        if item.kind == "person":
            return
        wanted: dict[str, Any] = {"name": item.name, **_make_settings(item.settings).fields}
        if isinstance(current, Project) and current.force_encryption_with_cmek and wanted.get(_CMEK) is False:
            self.notes.append(
                f"{item.place}, {item}: it requires its own encryption key, and that cannot be turned off; remove "
                f"{_CMEK}, or set it to true"
            )
            del wanted[_CMEK]
        if all(read_settings(current).fields[name] == value for name, value in wanted.items()):
            return
        # An interrupted rotation that has not named the key would also undo another change of its roles.
        present = self._find_present(current)
        fields = read_settings(present).fields
        changed = {name: value for name, value in wanted.items() if fields[name] != value}
        self.changes.append(
            Change(
                action="update",
                target=self._index.refer_to(present),
                before=Settings(**{name: fields[name] for name in changed}),
                settings=Settings(**changed),
            )
        )

    def _find_present(self, found: Thing) -> Thing:
        """Return a thing as it is now: a new key of a rotation counts as what it is to be."""
        return self._index.find("api_key", found.id) or found if isinstance(found, APIKey) else found

    def _plan_roles(self, item: DesiredItem, current: Thing, roles: tuple[RoleAt, ...]) -> None:
        """Grant what is missing, and revoke the rest."""
        held, kept, target = self._index.roles_of(current), {*roles}, self._index.refer_to(current)
        self.changes += [Change(action="grant", target=target, roles=(each,)) for each in roles if each not in held]
        ended = {
            role: item.ends[text] for text in item.ended_roles if (role := self._find_role(text)) not in {None, *kept}
        }
        lost = [each for each in held if each in ended or (each not in kept and not item.keep_other_roles)]
        for role in lost:
            change = Change(action="revoke", target=target, roles=(role,))
            self.changes.append(change)
            if role in ended:
                self.ends[change] = ended[role]
        if item.keep_other_roles:
            return
        if elsewhere := self._index.roles_elsewhere(current):
            self.notes.append(f"{item.place}, {item}: {', '.join(elsewhere)} cannot be expressed in a file, and stays")
        # Assumed: an OrgManager owns the projects that it creates, sees no others, and so creates lost ones again.
        creates_projects = isinstance(current, ServiceAccount) and RoleAt("OrgManager") in kept
        if creates_projects and any(each.role == "ProjectOwner" for each in lost):
            self.notes.append(
                f"{item} would no longer own projects that it may have created, and may create them again: "
                "write keep_other_roles: true"
            )

    def _resolve_roles(self, item: DesiredItem) -> tuple[RoleAt, ...]:
        """Return the roles of an item, each project by what it is now; those on the organization first."""
        found: set[RoleAt] = set()
        for text in item.roles or ():
            role_at = self._find_role(text)
            if role_at is None:
                self._refuse_role(item, text)
            else:
                found.add(role_at)
        return sort_roles(found)

    def _find_role(self, text: str) -> RoleAt | None:
        """Return a role of the file; None if its project is neither in the file nor there, or not the only one."""
        if text not in self._roles:
            name, colon, role = text.rpartition(":")
            place = None if name in self._misleading else self._places.get(name)
            self._roles[text] = RoleAt(role, place) if place is not None or not colon else None
        return self._roles[text]

    def _is_ambiguous(self, text: str) -> bool:
        """Return whether the project of a role is there, but not the only one that its name may mean."""
        name = text.rpartition(":")[0]
        return name in self._misleading or name in self._shared

    def _refuse_role(self, item: DesiredItem, text: str) -> None:
        name, _, role = text.rpartition(":")
        names = sorted({place for place in self._places if self._places[place].id != place} | {*self._shared})
        problem = f"a project that is neither in the file nor in the organization{suggest(name, names)}"
        if name in self._misleading:
            problem = f"a project whose id is the name of project {self._misleading[name].id}: write its name"
        elif name in self._shared:
            ids = sorted(self._shared[name])
            forms = " or ".join(f"{each}:{role}" for each in ids)
            problem = f"one of {count_noun(len(ids), 'project')}: write {forms}"
        self._leave_out(item, f"role {quote_name(text)} is on {problem}")


def _make_settings(fields: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {name: tuple(each) if name == "roles" else each for name, each in fields.items()}
    return Settings(**values)


def _key_of(found: Thing) -> str:
    """Return the name as ``DesiredItem.key`` has it."""
    return normalize_email(found.email) if isinstance(found, User | Invite) else found.name
