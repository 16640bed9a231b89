"""Decide which steps bring an organization to its desired state, from an inventory alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from generated_client.models import APIKey, Invite, Project, RoleBinding, RoleName, ServiceAccount, User
from pinecone_admin._http.argument_checks import check_identifier, set_operation_on_errors, type_error
from pinecone_admin._http.headers import __version__
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin.errors import ForbiddenError, PineconeValueError, RefusedError
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.desired_state import (
    DesiredItem,
    DesiredState,
    IgnoreRule,
    ItemKind,
    describe_problems,
    suggest,
)
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.retired_keys import find_successors_to_rename, is_under_way
from pinecone_admin.workflows.roles import bindings_by_principal
from pinecone_admin.workflows.steps import Step, StepAction

MAX_CREATED_ROLES = 100
"""Roles that one request can give to a new account or invite."""

# Order of the steps: what others need first, and access is taken away only after it was given elsewhere.
PROJECTS, ACCOUNTS, INVITES, GRANTS, KEYS, REVOCATIONS, LAST_REVOCATIONS, DELETIONS, LAST_DELETIONS = range(9)

_OWNER: RoleName = "OrgOwner"
_FEW_REMOVALS = 3
_SHARE_OF_REMOVALS = 3


class ProjectRef(NamedTuple):
    """A project of the organization, or with id None one that the plan creates."""

    name: str
    id: str | None


class RoleOn(NamedTuple):
    """A role on a project, or with None on the organization."""

    role: RoleName
    project: ProjectRef | None


@frozen(kw_only=True)
class PlannedChange:
    """A step with what carrying it out takes.

    Attributes:
        step: The step.
        rank: Steps of a lower rank are carried out before.
        who: The principal that it concerns; empty for projects.
        roles: Roles of what is created, or the role that is granted or revoked.
        project: The project of a key.
        binding_id: Id of the role binding to revoke.
        replaced: Expired invites that a new one replaces.
        leftovers: Keys or accounts of this name that interrupted runs left.
    """

    step: Step
    rank: int
    who: str = ""
    roles: list[RoleOn] = field(factory=list[RoleOn])
    project: ProjectRef | None = None
    binding_id: str | None = None
    replaced: list[Invite] = field(factory=list[Invite])
    leftovers: list[Any] = field(factory=list[Any])

    @property
    def makes_secret(self) -> bool:
        """Whether a new secret has to be stored."""
        return makes_secret(self.step)


def makes_secret(step: Step) -> bool:
    """Return whether a step makes a secret."""
    return step.action == "create" and step.kind in {"api_key", "service_account"}


def plan_changes(
    inventory: Inventory,
    desired: DesiredState,
    *,
    client_id: str,
    base: DesiredState | None = None,
    commit: str | None = None,
) -> ChangePlan:
    """Return the steps that bring an organization to its desired state; nothing is read or sent.

    Args:
        inventory: The organization.
        desired: What the file says of it.
        client_id: Client id of the service account that will carry the steps out.
        base: The file as it was last applied. What is equal in both files and not in the organization is *drift*.
        commit: Commit of the file, for the record.

    Raises:
        PineconeTypeError: An argument has the wrong type.
        PineconeValueError: The file contradicts itself or the organization; the message has all problems.
        ForbiddenError: The inventory lacks parts, or the account is not seen to be an OrgOwner: what it does not see
            would be made again.
        RefusedError: The file is of another organization.

    Example:
        >>> inventory = admin.inventory()
        >>> desired = inventory.to_desired_state()
        >>> plan_changes(inventory, desired, client_id=emulator.client_id).steps
        []
    """
    return find_changes(inventory, desired, client_id=client_id, base=base, commit=commit)[0]


def find_changes(
    inventory: Inventory,
    desired: DesiredState,
    *,
    client_id: str,
    base: DesiredState | None,
    commit: str | None,
) -> tuple[ChangePlan, list[PlannedChange]]:
    """Return a plan, and with each step what carrying it out takes."""
    with set_operation_on_errors("plan"):
        _check_types(inventory, desired, base)
        check_identifier("client_id", client_id)
        _check_view(inventory, client_id)
        for each in filter(None, [desired, base]):
            _check_organization(inventory, each)
        planner = _Planner(inventory, desired, base)
        planner.plan()
        if planner.problems:
            raise PineconeValueError(
                describe_problems(planner.problems, desired.source or "desired"), argument="desired"
            )
    changes = sorted(planner.changes, key=lambda each: each.rank)
    organization = inventory.organizations[0]
    steps = [each.step for each in changes]
    plan = ChangePlan(
        organization_id=organization.id,
        organization=organization.name,
        client_id=client_id,
        made_at=inventory.taken_at,
        package_version=__version__,
        source=desired.source,
        digest=desired.digest,
        commit=commit,
        steps=steps,
        refusals=find_refusals([each for each in steps if each.cause == "change"], inventory, client_id),
        not_listed=planner.not_listed,
        unfinished=planner.unfinished,
        notes=planner.notes,
        desired=desired.to_dict(),
        base=None if base is None else base.to_dict(),
    )
    return plan, changes


def find_refusals(
    steps: Sequence[Step], inventory: Resources, client_id: str, *, allow_removals: int | None = None
) -> list[str]:
    """Return why steps must not be carried out together, or nothing."""
    refusals: list[str] = []
    owners = {
        each.principal_id for each in inventory.role_bindings if (each.principal_type, each.role) == ("user", _OWNER)
    }
    gained = {
        each.id for each in steps if (each.action, each.kind, each.after.get("role")) == ("grant", "user", _OWNER)
    }
    lost = {
        each.id
        for each in steps
        if each.kind == "user" and (each.action == "delete" or each.before.get("role") == _OWNER)
    }
    if lost and not (owners | gained) - lost:
        refusals.append("no user would be an OrgOwner: make someone else one first")
    own = {each.id for each in inventory.service_accounts if each.client_id == client_id}
    if any(each.id in own and each.action in {"delete", "revoke"} for each in steps):
        refusals.append("the account that carries this out would lose a role or be deleted: use another account")
    removed = Counter(
        "person" if each.kind in {"user", "invite"} else each.kind for each in steps if each.action == "delete"
    )
    people = {normalize_email(each.email) for each in inventory.users}
    people |= {normalize_email(each.email) for each in inventory.invites}
    totals = {
        "person": len(people),
        "service_account": len(inventory.service_accounts),
        "api_key": len(inventory.api_keys),
    }
    if allow_removals is None or removed.total() > allow_removals:
        refusals += [
            f"{count} of {total} {_PLURALS[kind]} would go, unless {removed.total()} removals are allowed"
            for kind, total in totals.items()
            if (count := removed[kind]) > _FEW_REMOVALS and count * _SHARE_OF_REMOVALS > total
        ]
    return refusals


_PLURALS = {"person": "people", "service_account": "service accounts", "api_key": "keys"}


def _check_types(inventory: object, desired: object, base: object) -> None:
    if not isinstance(inventory, Inventory):
        raise type_error("inventory", "an Inventory", inventory)
    if not isinstance(desired, DesiredState):
        raise type_error("desired", "a DesiredState", desired)
    if base is not None and not isinstance(base, DesiredState):
        raise type_error("base", "a DesiredState", base)


def _check_view(inventory: Inventory, client_id: str) -> None:
    """Raise unless the account sees everything: what it does not see would be made again."""
    problem = "; ".join(map(str, inventory.unread))
    if not problem:
        own = next((each.id for each in inventory.service_accounts if each.client_id == client_id), None)
        roles = {each.role for each in inventory.role_bindings if each.principal_id == own}
        if own is None:
            problem = f"the inventory has no service account with the client id {client_id}"
        elif _OWNER not in roles:
            problem = f"service account {own} is no OrgOwner"
    if problem:
        message = f"a plan needs the view of an OrgOwner, since what is not seen would be made again: {problem}"
        raise ForbiddenError(message, status_code=403, operation="plan")


def _check_organization(inventory: Inventory, state: DesiredState) -> None:
    if not any(state.organization in {each.id, each.name} for each in inventory.organizations):
        found = ", ".join(f"{each.name} ({each.id})" for each in inventory.organizations) or "unknown"
        source = state.source or "the file"
        raise RefusedError(f"{source} is of organization {state.organization!r}, not of {found}", operation="plan")


_A = TypeVar("_A", User, Invite)
_Identity: TypeAlias = tuple[ItemKind, str | None, str]


class _Planner:
    """Compares an organization with its desired state.

    Args:
        inventory: The organization.
        desired: What the file says of it.
        base: The file as it was last applied.

    Attributes:
        changes: The changes, in the order of the file.
        problems: Why the file cannot be carried out.
        not_listed: What exists beside the sections of the file.
        unfinished: What runs under way have made, or left.
        notes: What a reader should know besides.
    """

    def __init__(self, inventory: Inventory, desired: DesiredState, base: DesiredState | None) -> None:
        self.changes: list[PlannedChange] = []
        self.problems: list[str] = []
        self.not_listed: list[Step] = []
        self.unfinished: list[Step] = []
        self.notes: list[str] = []
        self._inventory = inventory
        self._desired = desired
        self._base: dict[_Identity, list[DesiredItem]] = {}
        for identity, item in () if base is None else _list_items(base):
            self._base.setdefault(identity, []).append(item)
        projects = [] if base is None else base.projects or []
        self._former_names = {each.id: each.name for each in projects if each.id is not None}
        self._ignored: list[IgnoreRule] = []
        self._hidden = 0
        self._refs: dict[str, ProjectRef] = {}
        self._roles: dict[tuple[str, str], RoleOn] = {}
        self._wanted_roles: dict[str, RoleOn | None] = {}
        self._held = bindings_by_principal(inventory.role_bindings)
        self._keys: dict[str, list[APIKey]] = {}
        for key in inventory.api_keys:
            self._keys.setdefault(key.project_id, []).append(key)

    def plan(self) -> None:
        """Plan each section of the file."""
        today = self._inventory.taken_at.date()
        for rule in self._desired.ignore:
            if rule.until >= today:
                self._ignored.append(rule)
            else:
                self.notes.append(f"the file ignores {rule.kind} {rule.name!r} until {rule.until}, which is over")
        projects = self._desired.projects or []
        found = self._match_all(projects, self._inventory.projects)
        self._index_projects(projects, found)
        for item in projects:
            self._plan_project(item, found.get(id(item)))
        if self._desired.projects is not None:
            self._list_rest(self._inventory.projects, found, "project")
        self._plan_accounts()
        self._plan_people()
        if self._hidden:
            self.notes.append(f"the file ignores {count_noun(self._hidden, 'item')} of those that are there")
        ended = {each.id for change in self.changes for each in change.leftovers}
        self.unfinished = [each for each in self.unfinished if each.id not in ended]

    # Identities

    def _match_all(
        self, items: Sequence[DesiredItem], present: Sequence[Any], project: str | None = None
    ) -> dict[int, Any]:
        """Return what exists of the items, by the identity of the item."""
        by_id = {each.id: each for each in present}
        pinned = {each.id for each in items if each.id is not None}
        counts = Counter(each.name for each in items)
        by_name: dict[str, list[Any]] = {}
        for each in present:
            if each.id not in pinned:
                by_name.setdefault(each.name, []).append(each)
        found: dict[int, Any] = {}
        for item in items:
            self._refuse_ignored(item, project)
            if item.id is not None:
                match = by_id.get(item.id)
                self._check_pinned(item, match, by_name, is_shared=counts[item.name] > 1)
            else:
                named = by_name.get(item.name, [])
                if len(named) > 1:
                    ids = ", ".join(each.id for each in named)
                    self._refuse(item, f"several have this name: add one of the ids {ids}")
                match = named[0] if named else None
            if match is not None:
                found[id(item)] = match
        return found

    def _check_pinned(
        self, item: DesiredItem, match: Any, by_name: Mapping[str, Sequence[Any]], *, is_shared: bool
    ) -> None:
        if match is None:
            if not item.absent:
                self._refuse(item, f"nothing has the id {item.id}")
        elif match.name != item.name:
            if item.absent:
                self._refuse(item, f"{item.id} is named {match.name!r}")
            elif item.name in by_name:
                self._refuse(item, f"{by_name[item.name][0].id} has the name that {item.id} would get")
            elif is_shared:
                self._refuse(item, "another item of the file has the name that it would get")

    def _index_projects(self, items: Sequence[DesiredItem], found: Mapping[int, Project]) -> None:
        """Collect what names a project in a role: its name after the plan, and its id."""
        names = {each.id: each.name for each in self._inventory.projects}
        names |= {found[id(each)].id: each.name for each in items if id(each) in found}
        refs = [ProjectRef(name, project_id) for project_id, name in names.items()]
        refs += [ProjectRef(each.name, None) for each in items if id(each) not in found]
        counts = Counter(each.name for each in refs)
        for ref in refs:
            if ref.name in names and ref.name != ref.id:
                self.problems.append(
                    f"project {ref.id or 'to create'} has the name {ref.name!r}, the id of another project"
                )
            if counts[ref.name] == 1:
                self._refs[ref.name] = ref
            if ref.id is not None:
                self._refs[ref.id] = ref

    def _refuse(self, item: DesiredItem, problem: str) -> None:
        self.problems.append(f"{item.place}, {item}: {problem}")

    def _refuse_ignored(self, item: DesiredItem, project: str | None) -> None:
        if any(rule.covers(item.kind, item.key, project) for rule in self._ignored):
            self._refuse(item, "the file manages it and ignores it")

    def _cause(self, item: DesiredItem, project: str | None = None) -> Any:
        before = self._base.get((item.kind, project, item.key), ())  # several, if ids tell them apart
        # The keys of a project are items of their own.
        return "drift" if evolve(item, keys=None) in before else "change"

    def _find_former_name(self, item: DesiredItem, project: Project | None) -> str:
        """Return what a project is called in the file as it was last applied, with whose keys its keys compare."""
        is_in_base = ("project", None, item.name) in self._base
        return self._former_names.get(item.id or "", item.name if project is None or is_in_base else project.name)

    def _list_rest(
        self, present: Iterable[Any], found: Mapping[int, Any], kind: ItemKind, project: ProjectRef | None = None
    ) -> None:
        """Add what exists and is no item of the file."""
        listed = {each.id for each in found.values()}
        for each in present:
            if each.id not in listed:
                self._add_not_listed(kind, kind, each, each.name, project)

    def _add_not_listed(
        self, kind: ItemKind, step_kind: str, found: Any, name: str, project: ProjectRef | None = None
    ) -> None:
        place = None if project is None else project.name
        if any(rule.covers(kind, normalize_email(name) if kind == "person" else name, place) for rule in self._ignored):
            self._hidden += 1
        else:
            self.not_listed.append(_describe_kept(step_kind, found.id, name, project, "not listed"))

    # Projects and keys

    def _plan_project(self, item: DesiredItem, project: Project | None) -> None:
        cause = self._cause(item)
        settings = {name: value for name, value in item.settings.items() if value is not None}
        if project is None:
            step = Step(action="create", kind="project", name=item.name, after=settings, planned=True, cause=cause)
            self.changes.append(PlannedChange(step=step, rank=PROJECTS))
        else:
            if project.force_encryption_with_cmek and settings.get("force_encryption_with_cmek") is False:
                self._refuse(item, "force_encryption_with_cmek cannot be turned off")
            wanted = {"name": item.name, **settings}
            after = {name: value for name, value in wanted.items() if getattr(project, name) != value}
            if after:
                step = Step(
                    action="rename" if "name" in after else "update",
                    kind="project",
                    name=project.name,
                    id=project.id,
                    before={name: getattr(project, name) for name in after},
                    after=after,
                    planned=True,
                    cause=cause,
                )
                self.changes.append(PlannedChange(step=step, rank=PROJECTS))
        if item.keys is not None:
            ref = ProjectRef(item.name, None if project is None else project.id)
            self._plan_keys(item, ref, self._find_former_name(item, project))

    def _plan_keys(self, project: DesiredItem, ref: ProjectRef, former_name: str) -> None:
        items = project.keys or []
        keys = [] if ref.id is None else self._keys.get(ref.id, [])
        unnamed = find_successors_to_rename(keys)
        names = [each.name for each in items]
        present: list[APIKey] = []
        for key in keys:
            if key.id not in unnamed and is_under_way(key, keys, names):
                self.unfinished.append(self._describe_unfinished(key, ref))
            else:
                present.append(unnamed.get(key.id, key))
        found = self._match_all(items, present, ref.name)
        for item in items:
            self._plan_key(item, found.get(id(item)), ref, keys, self._cause(item, former_name))
        self._list_rest(present, found, "api_key", ref)

    def _plan_key(
        self, item: DesiredItem, key: APIKey | None, project: ProjectRef, keys: Sequence[APIKey], cause: Any
    ) -> None:
        roles = sorted(item.roles or ())

        def add(action: StepAction, rank: int, leftovers: Sequence[APIKey] = (), **fields: Any) -> None:
            step = Step(
                action=action,
                kind="api_key",
                name=item.name if key is None else key.name,
                id=None if key is None else key.id,
                project=project.name,
                project_id=project.id,
                planned=True,
                cause=cause,
                **fields,
            )
            who = f"api_key {project.name}/{item.name}"
            self.changes.append(PlannedChange(step=step, rank=rank, who=who, project=project, leftovers=[*leftovers]))

        if key is None:
            if not item.absent:
                self._check_new_name(item)
                left = [each for each in keys if name_tags.is_being_made(each.name, item.name)]
                add(
                    "create",
                    KEYS,
                    left,
                    before=_name_replaced(left),
                    after={"roles": roles},
                    reason=_describe_leftovers(left),
                )
        elif item.absent:
            add("delete", DELETIONS, before={"roles": sorted(key.roles)})
        elif key.name != item.name or sorted(key.roles) != roles:
            # An interrupted rotation that has not named the key would also undo another change of its roles.
            present = next(each.name for each in keys if each.id == key.id)
            pairs = {"name": (present, item.name), "roles": (sorted(key.roles), roles)}
            changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
            add(
                "rename" if "name" in changed else "update",
                KEYS,
                before={name: pair[0] for name, pair in changed.items()},
                after={name: pair[1] for name, pair in changed.items()},
            )

    def _check_new_name(self, item: DesiredItem) -> None:
        if name_tags.parse_tag(item.name) is not None:
            self._refuse(item, "a new one must not have the name of unfinished work")

    def _describe_unfinished(self, found: APIKey | ServiceAccount, project: ProjectRef | None = None) -> Step:
        kind = "api_key" if isinstance(found, APIKey) else "service_account"
        created = found.created_at
        age = "of unknown age"
        if created is not None:  # the times of a server have fractions, its Date has none
            age = f"{describe_duration(max(self._inventory.taken_at - created, timedelta(0)))} old"
        return _describe_kept(kind, found.id, found.name, project, f"unfinished work, {age}")

    # Roles

    def _resolve_roles(self, item: DesiredItem) -> list[RoleOn]:
        """Return the roles of an item; those on the organization first."""
        roles: list[RoleOn] = []
        for text in sorted(item.roles or (), key=lambda each: (":" in each, each)):
            if text not in self._wanted_roles:
                self._wanted_roles[text] = self._resolve_role(text)
            role = self._wanted_roles[text]
            if role is None:
                place = text.rpartition(":")[0]
                shared = [each.id for each in self._inventory.projects if each.name == place]
                hint = (
                    f", which {', '.join(shared)} have: write an id"
                    if len(shared) > 1
                    else suggest(place, sorted({each.name for each in self._refs.values()}))
                )
                self._refuse(item, f"role {text!r} is on a project that is neither in the file nor there{hint}")
            else:
                roles.append(role)
        return roles

    def _resolve_role(self, text: str) -> RoleOn | None:
        place, colon, role = text.rpartition(":")
        known: Any = role
        if not colon:
            return self._intern(known, None)
        return None if place not in self._refs else self._intern(known, self._refs[place])

    def _intern(self, role: RoleName, project: ProjectRef | None) -> RoleOn:
        """Return each role once: there may be many bindings."""
        key = role, "" if project is None else project.id or project.name
        return self._roles.setdefault(key, RoleOn(role, project))

    def _format_role(self, role: RoleOn) -> str:
        """Return a role as the file has it."""
        return role.role if role.project is None else f"{self._format_place(role.project)}:{role.role}"

    def _format_place(self, project: ProjectRef) -> str | None:
        """Return the name of a project, or its id if others have the name."""
        return project.name if self._refs.get(project.name) == project else project.id

    def _held_roles(self, kind: Any, principal_id: str) -> dict[RoleOn, RoleBinding]:
        held: dict[RoleOn, RoleBinding] = {}
        for each in self._held.get((kind, principal_id), ()):
            place = None
            if each.resource_type == "project":
                place = self._refs.get(each.resource_id) or ProjectRef(each.resource_id, each.resource_id)
            held[self._intern(each.role, place)] = each
        return held

    def _plan_roles(self, item: DesiredItem, kind: Any, principal: Any, wanted: Sequence[RoleOn]) -> None:
        """Grant what is missing, and revoke the rest."""
        held = self._held_roles(kind, principal.id)
        kept = {*wanted}
        for role in wanted:
            if role not in held:
                self._add_role_step("grant", item, kind, principal.id, role)
        if item.keep_other_roles:
            return
        if kind == "user" and held and not wanted:
            self._refuse(item, "would lose every role, and so leave the organization: write absent: true")
        for role, binding in held.items():
            if role not in kept:
                self._add_role_step("revoke", item, kind, principal.id, role, binding_id=binding.id)

    def _add_role_step(
        self,
        action: StepAction,
        item: DesiredItem,
        kind: str,
        principal_id: str | None,
        role: RoleOn,
        *,
        binding_id: str | None = None,
    ) -> None:
        step = Step(
            action=action,
            kind=kind,
            name=item.name,
            id=principal_id,
            project=None if role.project is None else role.project.name,
            project_id=None if role.project is None else role.project.id,
            before={"role": role.role} if action == "revoke" else {},
            after={"role": role.role} if action == "grant" else {},
            planned=True,
            cause=self._cause(item),
        )
        revocations = LAST_REVOCATIONS if role.project is None else REVOCATIONS
        self.changes.append(
            PlannedChange(
                step=step,
                rank=GRANTS if action == "grant" else revocations,
                who=_name_principal(item),
                roles=[role],
                binding_id=binding_id,
            )
        )

    def _add_new(
        self,
        item: DesiredItem,
        action: StepAction,
        kind: str,
        rank: int,
        roles: Sequence[RoleOn],
        *,
        replaced: Sequence[Invite] = (),
        leftovers: Sequence[ServiceAccount] = (),
    ) -> None:
        """Create an account or an invite with its roles; those that do not fit into the request are granted after."""
        given = roles[:MAX_CREATED_ROLES]
        reason = _describe_leftovers(leftovers)
        if replaced:
            ids = ", ".join(each.id for each in replaced)
            reason = f"an expired invite is deleted, since resending it would grant what it carried: {ids}"
        # The same name may be that of another project when the plan is carried out.
        project_ids = {
            self._format_place(each.project): each.project.id
            for each in given
            if each.project is not None and each.project.id is not None
        }
        step = Step(
            action=action,
            kind=kind,
            name=item.name,
            before=_name_replaced([*replaced, *leftovers]),
            after={
                "roles": [self._format_role(each) for each in given],
                **({"project_ids": project_ids} if project_ids else {}),
            },
            reason=reason,
            planned=True,
            cause=self._cause(item),
        )
        self.changes.append(
            PlannedChange(
                step=step,
                rank=rank,
                who=_name_principal(item),
                roles=[*given],
                replaced=[*replaced],
                leftovers=[*leftovers],
            )
        )
        for role in roles[MAX_CREATED_ROLES:]:
            self._add_role_step("grant", item, kind, None, role)

    def _add_deletion(self, item: DesiredItem, kind: Any, found: Any, name: str) -> None:
        roles = sorted(self._format_role(each) for each in self._held_roles(kind, found.id))
        step = Step(
            action="delete",
            kind=kind,
            name=name,
            id=found.id,
            before={"roles": roles},
            planned=True,
            cause=self._cause(item),
        )
        rank = LAST_DELETIONS if kind == "user" else DELETIONS
        self.changes.append(PlannedChange(step=step, rank=rank, who=_name_principal(item)))

    # Principals

    def _plan_accounts(self) -> None:
        items = self._desired.service_accounts
        if items is None:
            return
        names = [each.name for each in items]
        present: list[ServiceAccount] = []
        for account in self._inventory.service_accounts:
            if is_under_way(account, [], names):
                self.unfinished.append(self._describe_unfinished(account))
            else:
                present.append(account)
        found = self._match_all(items, present)
        for item in items:
            self._plan_account(item, found.get(id(item)))
        self._list_rest(present, found, "service_account")

    def _plan_account(self, item: DesiredItem, account: ServiceAccount | None) -> None:
        roles = self._resolve_roles(item)
        if account is None:
            if not item.absent:
                self._check_new_name(item)
                left = [
                    each for each in self._inventory.service_accounts if name_tags.is_being_made(each.name, item.name)
                ]
                self._add_new(item, "create", "service_account", ACCOUNTS, roles, leftovers=left)
            return
        if item.absent:
            self._add_deletion(item, "service_account", account, account.name)
            return
        if account.name != item.name:
            step = Step(
                action="rename",
                kind="service_account",
                name=account.name,
                id=account.id,
                before={"name": account.name},
                after={"name": item.name},
                planned=True,
                cause=self._cause(item),
            )
            self.changes.append(PlannedChange(step=step, rank=ACCOUNTS, who=_name_principal(item)))
        if item.roles is not None:
            self._plan_roles(item, "service_account", account, roles)

    def _plan_people(self) -> None:
        items = self._desired.people
        if items is None:
            return
        users = _group_by_address(self._inventory.users)
        invites = _group_by_address(each for each in self._inventory.invites if each.status != "processed")
        for item in items:
            self._refuse_ignored(item, None)
            if len(found := users.get(item.key, [])) > 1:
                self._refuse(item, f"several users have this address: {', '.join(each.id for each in found)}")
            self._plan_person(item, users.get(item.key, []), invites.get(item.key, []))
        listed = {each.key for each in items}
        for user in self._inventory.users:
            if normalize_email(user.email) not in listed:
                self._add_not_listed("person", "user", user, user.email)
        for email, each in invites.items():
            # Not even the file sees what the invite of a member would add.
            if email in users or email not in listed:
                self._add_not_listed("person", "invite", each[0], each[0].email)

    def _plan_person(self, item: DesiredItem, users: Sequence[User], invites: Sequence[Invite]) -> None:
        if item.absent:
            for invite in invites:
                self._add_deletion(item, "invite", invite, invite.email)
            for user in users:
                self._add_deletion(item, "user", user, user.email)
            return
        roles = self._resolve_roles(item)
        pending = [each for each in invites if each.status == "pending"]
        if users:
            if item.roles is not None:
                self._plan_roles(item, "user", users[0], roles)
        elif len(pending) > 1:
            self._refuse(
                item, f"there are {count_noun(len(pending), 'invite')}: {', '.join(each.id for each in pending)}"
            )
        elif not any(each.project is None for each in roles) and (item.roles is not None or not pending):
            self._refuse(item, "would be invited, and needs a role on the organization")
        elif not pending:
            self._add_new(item, "invite", "invite", INVITES, roles, replaced=invites)
        elif item.roles is not None:
            self._plan_roles(item, "invite", pending[0], roles)


def _describe_kept(kind: str, id: str, name: str, project: ProjectRef | None, reason: str) -> Step:
    return Step(
        action="keep",
        kind=kind,
        name=name,
        id=id,
        project=None if project is None else project.name,
        project_id=None if project is None else project.id,
        reason=reason,
        planned=True,
    )


def _name_replaced(replaced: Sequence[Any]) -> dict[str, object]:
    return {"replaced_ids": [each.id for each in replaced]} if replaced else {}


def _describe_leftovers(left: Sequence[Any]) -> str | None:
    ids = ", ".join(each.id for each in left)
    return f"an interrupted run left {ids}: it gets the name if its secret is stored, or is deleted" if left else None


def _list_items(state: DesiredState) -> Iterator[tuple[_Identity, DesiredItem]]:
    """Yield the items of a file with what identifies them; a project without its keys."""
    for item in (*(state.projects or ()), *(state.service_accounts or ()), *(state.people or ())):
        yield (item.kind, None, item.key), evolve(item, keys=None)
        for key in item.keys or ():
            yield (key.kind, item.name, key.key), key


def _group_by_address(people: Iterable[_A]) -> dict[str, list[_A]]:
    found: dict[str, list[_A]] = {}
    for each in people:
        found.setdefault(normalize_email(each.email), []).append(each)
    return found


def _name_principal(item: DesiredItem) -> str:
    return f"{item.kind} {item.key}"
