"""Decide which steps bring an organization to its desired state, from an inventory alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

from attrs import evolve

from generated_client.models import APIKey, Invite, Project, RoleBinding, ServiceAccount, User
from pinecone_admin._http.argument_checks import check_identifier, set_operation_on_errors, type_error
from pinecone_admin._http.headers import __version__
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.durations import describe_duration
from pinecone_admin.errors import ForbiddenError, RefusedError
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.desired_state import DesiredItem, DesiredState, ItemKind, raise_if, suggest
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.plans import require_full_view
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.retired_keys import set_aside_unfinished
from pinecone_admin.workflows.roles import RoleProject, bindings_by_principal, format_role, index_projects
from pinecone_admin.workflows.steps import Step, StepAction

MAX_CREATED_ROLES = 100
"""Roles that one request can give to a new account or invite."""

_Present: TypeAlias = Project | APIKey | ServiceAccount | User | Invite

_KINDS: Mapping[type[_Present], str] = {
    Project: "project",
    APIKey: "api_key",
    ServiceAccount: "service_account",
    User: "user",
    Invite: "invite",
}
"""Kinds of what is in an inventory, as steps and role bindings have them."""

_PLURALS = {"person": "people", "service_account": "service accounts", "api_key": "keys"}
_NEEDS_ROLE = "needs a role on the organization"
_OWNER = "OrgOwner"
_FEW_REMOVALS = 3
_SHARE_OF_REMOVALS = 3


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
        PineconeValueError: The file contradicts itself or the organization. The message has all problems; if they are
            many, the notes of the error have them.
        ForbiddenError: The account may not read everything, or is not seen to be an OrgOwner: what it does not see
            would be made again.
        ServiceError: The server failed to send a part of the inventory, or RateLimitError or PineconeConnectionError if
            that is the reason.
        RefusedError: The file is of another organization, or a part was not read for another reason.

    Example:
        >>> inventory = admin.inventory()
        >>> desired = inventory.to_desired_state()
        >>> plan_changes(inventory, desired, client_id=emulator.client_id).steps
        []
    """
    with set_operation_on_errors("plan"):
        _check_types(inventory, desired, base)
        check_identifier("client_id", client_id)
        _check_view(inventory, client_id)
        for each in filter(None, [desired, base]):
            _check_organization(inventory, each)
        planner = _Planner(inventory, desired, base)
        planner.plan()
        raise_if(planner.problems, desired.source or "desired", "desired")
    steps = sorted(planner.steps, key=rank_step)
    return ChangePlan(
        organization_id=inventory.organizations[0].id,
        organization=inventory.organizations[0].name,
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


def rank_step(step: Step) -> int:
    """Return the place of a step in the order of all.

    What others need comes first, and access is taken away only after it was given elsewhere.
    """
    match step.action:
        case "grant":
            return 3
        case "revoke":
            return 6 if step.project_id is None else 5
        case "delete":
            return 8 if step.kind == "user" else 7
        case _:
            return {"project": 0, "service_account": 1, "invite": 2}.get(step.kind, 4)


def find_refusals(
    steps: Sequence[Step], inventory: Resources, client_id: str, *, allow_removals: int | None = None
) -> list[str]:
    """Return why steps must not be carried out together, or nothing."""
    refusals: list[str] = []
    bindings = inventory.role_bindings
    owners = {each.principal_id for each in bindings if (each.principal_type, each.role) == ("user", _OWNER)}
    of_users = [each for each in steps if each.kind == "user"]
    gained = {each.id for each in of_users if each.after.get("role") == _OWNER}
    lost = {each.id for each in of_users if each.action == "delete" or each.before.get("role") == _OWNER}
    if lost and not (owners | gained) - lost:
        refusals.append("no user would be an OrgOwner: make someone else one first")
    own = {each.id for each in inventory.service_accounts if each.client_id == client_id}
    if any(each.id in own and each.action in {"delete", "revoke"} for each in steps):
        refusals.append("the account that carries this out would lose a role or be deleted: use another account")
    removed = Counter(
        "person" if each.kind in {"user", "invite"} else each.kind for each in steps if each.action == "delete"
    )
    people: list[User | Invite] = [*inventory.users, *inventory.invites]
    totals = {
        "person": len({normalize_email(each.email) for each in people}),
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


def check_allowed(steps: Sequence[Step], inventory: Resources, client_id: str, *, allow_removals: int | None) -> None:
    """Raise RefusedError if steps must not be carried out together."""
    if refusals := find_refusals(steps, inventory, client_id, allow_removals=allow_removals):
        raise RefusedError("; ".join(refusals), operation="apply")


def _check_types(inventory: object, desired: object, base: object) -> None:
    if not isinstance(inventory, Inventory):
        raise type_error("inventory", "an Inventory", inventory)
    for name, state in {"desired": desired, "base": desired if base is None else base}.items():
        if not isinstance(state, DesiredState):
            raise type_error(name, "a DesiredState", state)


def _check_view(inventory: Inventory, client_id: str) -> None:
    """Raise unless the account sees everything: what it does not see would be made again."""
    why = "a plan needs the view of an OrgOwner, since what is not seen would be made again"
    require_full_view(inventory.unread, why, operation="plan")
    own = next((each.id for each in inventory.service_accounts if each.client_id == client_id), None)
    roles = {each.role for each in inventory.role_bindings if each.principal_id == own}
    if own is None:
        problem = f"the inventory has no service account with the client id {client_id}"
        raise ForbiddenError(f"{why}: {problem}", operation="plan")
    if _OWNER not in roles:
        raise ForbiddenError(f"{why}: service account {own} is no OrgOwner", operation="plan")


def _check_organization(inventory: Inventory, state: DesiredState) -> None:
    if not any(state.organization in {each.id, each.name} for each in inventory.organizations):
        found = ", ".join(f"{each.name} ({each.id})" for each in inventory.organizations) or "unknown"
        source = state.source or "the file"
        raise RefusedError(f"{source} is of organization {state.organization!r}, not of {found}", operation="plan")


class _Wanted(NamedTuple):
    """An item, with what all its steps have in common."""

    item: DesiredItem
    project: RoleProject | None
    cause: Literal["drift", "change"]


class _Planner:
    """Compares an organization with its desired state.

    Args:
        inventory: The organization.
        desired: What the file says of it.
        base: The file as it was last applied.

    Attributes:
        steps: The steps, in the order of the file.
        problems: Why the file cannot be carried out.
        not_listed: What exists beside the sections of the file.
        unfinished: What runs under way have made, or left.
        notes: What a reader should know besides.
    """

    def __init__(self, inventory: Inventory, desired: DesiredState, base: DesiredState | None) -> None:
        self.steps: list[Step] = []
        self.problems: list[str] = []
        self.not_listed: list[Step] = []
        self.unfinished: list[Step] = []
        today = inventory.taken_at.date()
        self.notes = [
            f"the file ignores {each.kind} {each.name!r} until {each.until}, which is over"
            for each in desired.ignore
            if each.until < today
        ]
        self._ignored = [each for each in desired.ignore if each.until >= today]
        self._hidden = 0
        self._inventory = inventory
        self._desired = desired
        self._base: dict[object, list[DesiredItem]] = {}
        for identity, item in () if base is None else _list_items(base):
            self._base.setdefault(identity, []).append(item)
        self._former_names = {each.id: each.name for each in (base and base.projects) or () if each.id is not None}
        self._places: dict[str, RoleProject] = {}
        self._held = bindings_by_principal(inventory.role_bindings)
        self._all_keys = {each.id: each for each in inventory.api_keys}
        self._keys: dict[str | None, list[APIKey]] = {}
        for key in inventory.api_keys:
            self._keys.setdefault(key.project_id, []).append(key)

    def plan(self) -> None:
        """Plan each section of the file."""
        desired, inventory = self._desired, self._inventory
        found = self._plan_list("project", desired.projects, inventory.projects)
        self._index_projects(desired.projects or (), found)
        self._plan_list("service_account", desired.service_accounts, inventory.service_accounts)
        invites = [each for each in inventory.invites if each.status != "processed"]
        self._plan_list("person", desired.people, [*inventory.users, *invites])
        if self._hidden:
            self.notes.append(f"the file ignores {count_noun(self._hidden, 'item')} of those that are there")

    def _plan_list(
        self,
        kind: ItemKind,
        items: Sequence[DesiredItem] | None,
        there: Sequence[_Present],
        project: RoleProject | None = None,
        former_name: str | None = None,
    ) -> dict[int, list[_Present]]:
        """Plan a list: all projects, the keys of one, all accounts or all people.

        Args:
            kind: Kind of the items.
            items: What the file has; None if it does not manage them.
            there: What is there.
            project: The project of keys.
            former_name: What it is called in the file as it was last applied.

        Returns:
            What there is of each item, by the identity of the item.
        """
        if items is None:
            return {}
        present, aside = set_aside_unfinished(there, [each.name for each in items])
        found = self._match(items, present, project)
        for item in items:
            left: list[_Present] = []
            if not found[id(item)] and not item.absent:
                left = [each for each in aside if name_tags.is_being_made(_name_of(each), item.name)]
                aside = [each for each in aside if each not in left]
            self._plan_item(_Wanted(item, project, self._find_cause(item, former_name)), found[id(item)], left)
            if item.keys is not None:
                self._plan_keys(item, found[id(item)])
        listed = {each.id for some in found.values() for each in some}
        for each in [each for each in present if each.id not in listed]:
            if self._is_ignored(kind, _key_of(each), project):
                self._hidden += 1
            else:
                self.not_listed.append(_describe_kept(each, project, "not listed"))
        self.unfinished += [_describe_kept(each, project, self._describe_age(each)) for each in aside]
        return found

    def _plan_keys(self, item: DesiredItem, found: Sequence[_Present]) -> None:
        project = found[0] if found else None
        place = RoleProject(item.name, item.name, None if project is None else project.id)
        # With the keys of which project in the other file its keys compare.
        is_in_base = project is None or ("project", None, item.name) in self._base
        former_name = self._former_names.get(item.id or "", item.name if is_in_base else _name_of(found[0]))
        self._plan_list("api_key", item.keys, self._keys.get(place.id, []), place, former_name)

    def _refuse(self, item: DesiredItem, problem: str) -> None:
        self.problems.append(f"{item.place}, {item}: {problem}")

    # Identities

    def _match(
        self, items: Sequence[DesiredItem], present: Sequence[_Present], project: RoleProject | None
    ) -> dict[int, list[_Present]]:
        """Return what there is of each item, by the identity of the item."""
        by_id = {each.id: each for each in present}
        pinned = {each.id for each in items}
        free: dict[str, list[_Present]] = {}
        for each in present:
            if each.id not in pinned:
                free.setdefault(_key_of(each), []).append(each)
        counts = Counter(each.name for each in items)
        found: dict[int, list[_Present]] = {}
        for item in items:
            if self._is_ignored(item.kind, item.key, project):
                self._refuse(item, "the file manages it and ignores it")
            if item.id is None:
                found[id(item)] = self._choose(item, free.get(item.key, []))
            else:
                found[id(item)] = [by_id[item.id]] if item.id in by_id else []
                self._check_pinned(item, by_id.get(item.id), free, is_shared=counts[item.name] > 1)
        return found

    def _choose(self, item: DesiredItem, found: list[_Present]) -> list[_Present]:
        """Return what there is of an item without an id: of a person the member, or else the invites."""
        users: list[_Present] = [each for each in found if isinstance(each, User)]
        chosen = users or found
        alike = [each for each in chosen if _is_current(each) and not (item.absent and isinstance(each, Invite))]
        if len(alike) > 1:
            ids = ", ".join(each.id for each in alike)
            hint = "have this address:" if item.kind == "person" else "have this name: add one of the ids"
            self._refuse(item, f"several {hint} {ids}")
        return found if item.absent else chosen

    def _check_pinned(
        self,
        item: DesiredItem,
        match: _Present | None,
        free: Mapping[str, Sequence[_Present]],
        *,
        is_shared: bool,
    ) -> None:
        if match is None:
            if not item.absent:
                self._refuse(item, f"nothing has the id {item.id}")
        elif (name := _name_of(match)) != item.name:
            if item.absent:
                self._refuse(item, f"{item.id} is named {name!r}")
            elif item.name in free:
                self._refuse(item, f"{free[item.name][0].id} has the name that {item.id} would get")
            elif is_shared:
                self._refuse(item, "another item of the file has the name that it would get")

    def _is_ignored(self, kind: ItemKind, key: str, project: RoleProject | None) -> bool:
        return any(each.covers(kind, key, None if project is None else project.name) for each in self._ignored)

    def _find_cause(self, item: DesiredItem, former_name: str | None) -> Literal["drift", "change"]:
        before = self._base.get((item.kind, former_name, item.key), ())  # several, if ids tell them apart
        return "drift" if _without_keys(item) in before else "change"

    def _index_projects(self, items: Sequence[DesiredItem], found: Mapping[int, Sequence[_Present]]) -> None:
        """Collect what names a project in a role: its name after the plan, and its id."""
        names = {each.id: each.name for each in self._inventory.projects}
        names |= {found[id(each)][0].id: each.name for each in items if found[id(each)]}
        created = [(each.name, None) for each in items if not found[id(each)]]
        self._places = index_projects([*((name, id) for id, name in names.items()), *created])
        for each in dict.fromkeys(self._places.values()):
            if each.name in names and each.name != each.id:
                self.problems.append(
                    f"project {each.id or 'to create'} has the name {each.name!r}, the id of another project"
                )

    def _describe_age(self, found: Any) -> str:
        age = "of unknown age"
        if (created := plausible_date(found.created_at)) is not None:  # it has fractions, and a Date has none
            age = f"{describe_duration(max(self._inventory.taken_at - created, timedelta(0)))} old"
        return f"unfinished work, {age}"

    # Steps

    def _plan_item(self, wanted: _Wanted, found: Sequence[_Present], left: Sequence[_Present]) -> None:
        """Plan an item.

        Args:
            wanted: The item.
            found: What there is of it.
            left: What interrupted runs left of it.
        """
        item = wanted.item
        if item.absent:
            for each in found:
                lost = sorted(each.roles if isinstance(each, APIKey) else self._held_roles(each))
                self._add(wanted, "delete", each, before={"roles": lost})
            return
        current = next(filter(_is_current, found), None)
        # What is renamed so, another run would complete or delete.
        if name_tags.parse_tag(item.name) is not None and (current is None or _name_of(current) != item.name):
            self._refuse(item, "gets the name of unfinished work")
        roles = self._resolve_roles(item)
        would_be_invited = item.kind == "person" and not isinstance(current, User)
        if would_be_invited and all(":" in each for each in roles) and (item.roles is not None or current is None):
            self._refuse(item, f"would be invited, and {_NEEDS_ROLE}")
        elif current is None:
            self._create(wanted, roles, [*found, *left])
        else:
            self._update(wanted, current)
            if item.roles is not None:
                self._plan_roles(wanted, current, roles)

    def _create(self, wanted: _Wanted, roles: Sequence[str], replaced: Sequence[_Present]) -> None:
        """Create an item with its roles; those that do not fit into the request are granted after."""
        item = wanted.item
        after = dict(item.settings)
        if item.kind in {"service_account", "person"}:
            after["roles"] = roles[:MAX_CREATED_ROLES]
            # The same name may be that of another project when the plan is carried out.
            names = [each.rpartition(":")[0] for each in roles[:MAX_CREATED_ROLES] if ":" in each]
            ids = {each: self._places[each].id for each in names if self._places[each].id is not None}
            after |= {"project_ids": ids} if ids else {}
        before = {"replaced_ids": [each.id for each in replaced]} if replaced else {}
        self._add(wanted, "invite" if item.kind == "person" else "create", before=before, after=after)
        for role in roles[MAX_CREATED_ROLES:]:
            self._add_role(wanted, "grant", role)

    def _update(self, wanted: _Wanted, current: _Present) -> None:
        """Set what one request sets."""
        item = wanted.item
        is_encrypted = isinstance(current, Project) and current.force_encryption_with_cmek
        if is_encrypted and item.settings.get("force_encryption_with_cmek") is False:
            self._refuse(item, "force_encryption_with_cmek cannot be turned off")
        fields = {} if item.kind == "person" else {"name": item.name, **item.settings}
        if fields == _read_fields(current, fields):
            return
        # An interrupted rotation that has not named the key would also undo another change of its roles.
        present = _read_fields(self._all_keys.get(current.id, current), fields)
        before = {name: value for name, value in present.items() if value != fields[name]}
        after = {name: fields[name] for name in before}
        self._add(wanted, "rename" if "name" in after else "update", current, before=before, after=after)

    def _plan_roles(self, wanted: _Wanted, current: _Present, roles: Sequence[str]) -> None:
        """Grant what is missing, and revoke the rest."""
        held, kept = self._held_roles(current), {*roles}
        for role in roles:
            if role not in held:
                self._add_role(wanted, "grant", role, current)
        if wanted.item.keep_other_roles:
            return
        if isinstance(current, User) and held and not roles:
            self._refuse(wanted.item, "would lose every role, and so leave the organization: write absent: true")
        elif isinstance(current, User) and not all(":" in each for each in held) and all(":" in each for each in roles):
            self._refuse(wanted.item, f"would keep roles on projects alone, and {_NEEDS_ROLE}")
        lost = [role for role in held if role not in kept]
        for role in lost:
            self._add_role(wanted, "revoke", role, current)
        # Assumed: an OrgManager owns the projects that it creates, sees no others, and so creates lost ones again.
        creates_projects = isinstance(current, ServiceAccount) and "OrgManager" in roles
        if creates_projects and any(each.endswith(":ProjectOwner") for each in lost):
            self.notes.append(
                f"{wanted.item} would no longer own projects that it may have created, and may create them again: "
                "write keep_other_roles: true"
            )

    def _resolve_roles(self, item: DesiredItem) -> list[str]:
        """Return the roles of an item, each project named in one way; those on the organization first."""
        roles: list[str] = []
        for text in item.roles or ():
            name, colon, role = text.rpartition(":")
            place = self._places.get(name)
            if place is not None or not colon:
                roles.append(text if place is None else f"{place.text}:{role}")
                continue
            shared = sorted(key for key, each in self._places.items() if each.name == name)
            names = sorted({each.name for each in self._places.values()})
            problem = f"a project that is neither in the file nor there{suggest(name, names)}"
            if shared:
                forms = " or ".join(f"{each}:{role}" for each in shared)
                problem = f"one of {count_noun(len(shared), 'project')}: write {forms}"
            self._refuse(item, f"role {text!r} is on {problem}")
        return sorted({*roles}, key=lambda each: (":" in each, each))

    def _held_roles(self, current: _Present) -> dict[str, RoleBinding]:
        kind: Any = _KINDS[type(current)]
        return {format_role(each, self._places): each for each in self._held.get((kind, current.id), ())}

    def _add_role(self, wanted: _Wanted, action: StepAction, role: str, current: _Present | None = None) -> None:
        name, colon, role = role.rpartition(":")
        place = self._places.get(name, RoleProject(name, name, name)) if colon else None
        before, after = ({}, {"role": role}) if action == "grant" else ({"role": role}, {})
        self._add(wanted._replace(project=place), action, current, name=wanted.item.name, before=before, after=after)

    def _add(
        self,
        wanted: _Wanted,
        action: StepAction,
        current: _Present | None = None,
        *,
        name: str | None = None,
        before: Mapping[str, object],
        after: Mapping[str, object] | None = None,
    ) -> None:
        item, project, cause = wanted
        new = "invite" if item.kind == "person" else item.kind
        self.steps.append(
            Step(
                action=action,
                kind=new if current is None else _KINDS[type(current)],
                name=name or (item.name if current is None else _name_of(current)),
                id=None if current is None else current.id,
                project=None if project is None else project.name,
                project_id=None if project is None else project.id,
                before=before or {},
                after=after or {},
                planned=True,
                cause=cause,
            )
        )


def _describe_kept(found: _Present, project: RoleProject | None, reason: str) -> Step:
    return Step(
        action="keep",
        kind=_KINDS[type(found)],
        name=_name_of(found),
        id=found.id,
        project=None if project is None else project.name,
        project_id=None if project is None else project.id,
        reason=reason,
        planned=True,
    )


def _is_current(found: _Present) -> bool:
    """Return whether it is there now, unlike an expired invite, which would have to be sent again."""
    return not isinstance(found, Invite) or found.status == "pending"


def _name_of(found: _Present) -> str:
    return found.email if isinstance(found, User | Invite) else found.name


def _key_of(found: _Present) -> str:
    """Return the name as ``DesiredItem.key`` has it."""
    return normalize_email(found.email) if isinstance(found, User | Invite) else found.name


def _read_fields(found: _Present, names: Iterable[str]) -> dict[str, object]:
    values = {name: getattr(found, name) for name in names}
    return {name: sorted(value) if name == "roles" else value for name, value in values.items()}


def _without_keys(item: DesiredItem) -> DesiredItem:
    """Return a project without its keys, which are items of their own."""
    return item if item.keys is None else evolve(item, keys=None)


def _list_items(state: DesiredState) -> Iterator[tuple[tuple[ItemKind, str | None, str], DesiredItem]]:
    """Yield the items of a file with what identifies them."""
    for item in (*(state.projects or ()), *(state.service_accounts or ()), *(state.people or ())):
        yield (item.kind, None, item.key), _without_keys(item)
        for key in item.keys or ():
            yield (key.kind, item.name, key.key), key
