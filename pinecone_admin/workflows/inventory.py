"""Inventories of an organization: building one from parts, and comparing two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast

import attrs
from attrs import evolve, frozen

from generated_client.models import (
    Invite,
    Project,
    RoleBinding,
    User,
)
from pinecone_admin._http.argument_checks import type_error, value_error
from pinecone_admin._http.codec import DecodeFailure
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.messages import Name
from pinecone_admin._text.printable import make_printable
from pinecone_admin.errors import PineconeError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.access import Access, build_access
from pinecone_admin.workflows.reports import Progress
from pinecone_admin.workflows.resources import DisplayNames, Resource, Resources, Unread
from pinecone_admin.workflows.roles import find_owner_ids
from pinecone_admin.workflows.saved_json import decode_record

if TYPE_CHECKING:
    from pinecone_admin.workflows.desired_state import DesiredState

ResourceKind: TypeAlias = Literal[
    "organization", "project", "api_key", "user", "invite", "service_account", "role_binding"
]
"""Kind of a resource of an inventory."""

_KINDS_BY_LIST: Mapping[str, ResourceKind] = {
    "organizations": "organization",
    "projects": "project",
    "api_keys": "api_key",
    "users": "user",
    "invites": "invite",
    "service_accounts": "service_account",
    "role_bindings": "role_binding",
}
"""Kind of the resources in each list of an inventory, in the order of a report of changes."""

_LISTED_KINDS = (("organizations",), ("invites", "users"), ("service_accounts",), ("role_bindings",))
"""Lists that are read in addition to the projects and their keys; those of one group one after the other."""


@frozen(kw_only=True)
class InventoryChange:
    """One difference between two inventories, in one resource.

    Attributes:
        kind: Kind of the resource, such as ``"project"`` or ``"role_binding"``.
        id: Id of the resource.
        name: Name or email address of the resource; for a role binding, its role.
        description: Description of the resource for people.
        field: Name of the field that differs; None if the resource was added or removed.
        before: Value of the field in the earlier inventory. It is the whole resource if it was removed, and None if it
            was added.
        after: Value of the field in the later inventory. It is the whole resource if it was added, and None if it was
            removed.
    """

    kind: ResourceKind
    """Kind of the resource, such as ``"project"`` or ``"role_binding"``."""
    id: str
    """Id of the resource."""
    name: str
    """Name or email address of the resource; for a role binding, its role."""
    description: str
    """Description of the resource for people."""
    field: str | None
    """Name of the field that differs; None if the resource was added or removed."""
    before: object
    """Value of the field in the earlier inventory. It is the whole resource if it was removed, and None if it was
    added."""
    after: object
    """Value of the field in the later inventory. It is the whole resource if it was added, and None if it was
    removed."""

    def __str__(self) -> str:
        if self.field is None:
            return make_printable(f"{'+' if self.before is None else '-'} {self.description}")
        return make_printable(f"~ {self.description}: {_format_field(self)}")


@frozen(kw_only=True)
class InventoryChanges:
    """The differences between an inventory and a later one.

    The role bindings of an API key repeat its roles, so only the key is compared.

    Attributes:
        added: Resources that are only in the later inventory.
        removed: Resources that are only in the earlier inventory.
        changed: Fields that differ in resources of both inventories. For example, a role has another principal after
            its invite was accepted.
        unknown: Parts that cannot be compared, because they could not be read for one of the two inventories.

    Example:
        >>> changes = admin.inventory().diff(admin.inventory())
        >>> json.dumps(changes.to_dict())
    """

    added: list[InventoryChange]
    """Resources that are only in the later inventory."""
    removed: list[InventoryChange]
    """Resources that are only in the earlier inventory."""
    changed: list[InventoryChange]
    """Fields that differ in resources of both inventories."""
    unknown: list[str]
    """Parts that cannot be compared, because they could not be read for one of the two inventories."""

    def __bool__(self) -> bool:
        """Return whether a resource was added, removed or changed. ``unknown`` does not count."""
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        """Return the differences as text, one resource in each line."""
        by_resource = groupby(self.changed, key=lambda each: (each.kind, each.id, f"~ {each.description}: "))
        lines = [*map(str, self.added), *map(str, self.removed)]
        lines += [head + "; ".join(map(_format_field, changes)) for (*_, head), changes in by_resource]
        return "\n".join(map(make_printable, [*lines, *(f"? {part}" for part in self.unknown)]))

    def to_dict(self) -> dict[str, Any]:
        """Return the differences as plain JSON types."""
        return to_dict(self)


@frozen(kw_only=True, repr=False)
class Inventory(Resources):
    """Everything in an organization that the Admin API shows to the account.

    Attributes:
        taken_at: When reading began, by the server's clock. If no response had a valid Date when the projects were
            read, it is by the clock of this machine. A Date has whole seconds, so this time can be up to about a second
            early, plus the time that the list of projects took to arrive.
        organizations: The organization of the client.
        projects: All projects that the account can see. If it sees roles on others, ``unread`` counts them.
        api_keys: API keys of the projects, in the order of ``projects``.
        users: All users.
        invites: Pending and expired invites.
        service_accounts: All service accounts.
        role_bindings: All role bindings.
        unread: Parts that could not be read.
        is_server_time: Whether ``taken_at`` is by the server's clock, and not by the clock of this machine.

    Example:
        >>> before = admin.inventory()
        >>> saved = json.dumps(before.to_dict())
        >>> project = admin.projects.create(name="checkout")
        >>> changes = Inventory.from_dict(json.loads(saved)).diff(admin.inventory())
        >>> [change.name for change in changes.added if change.kind == "project"]
        ['checkout']
        >>> access = before.access(max_owners=3)
    """

    def __repr__(self) -> str:
        names = ", ".join(repr(organization.name) for organization in self.organizations) or "unknown"
        uncounted = {"organizations", *(missing.part for missing in self.unread)}
        counts = [
            count_noun(len(getattr(self, name)), kind.replace("_", " "))
            for name, kind in _KINDS_BY_LIST.items()
            if name not in uncounted
        ]
        counts += [f"{count_noun(len(self.unread), 'part')} unread"] if self.unread else []
        return f"<Inventory of {names}, taken at {self.taken_at.isoformat()}: {', '.join(counts)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the inventory as plain JSON types. ``from_dict`` reads them."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the inventory from the result of ``to_dict``.

        Args:
            data: The result of ``to_dict``. It may have been saved as JSON.

        Raises:
            PineconeTypeError: ``data`` is not a mapping.
            PineconeValueError: ``data`` is not an inventory. The message names the field.
        """
        if not isinstance(cast("object", data), Mapping):
            raise type_error("data", "a mapping returned by to_dict", data)
        read = decode_record({name: _copy_list(value) for name, value in data.items()}, cls)
        if isinstance(read, DecodeFailure):
            raise value_error(Name("data", f".{read.path}" if read.path else ""), read.problem)
        return read

    def diff(self, other: Inventory) -> InventoryChanges:
        """Return the differences between this inventory and a later one. They print as text.

        Args:
            other: The later inventory. Resources that only it contains count as added.

        Raises:
            PineconeTypeError: ``other`` is not an inventory.
        """
        if not isinstance(cast("object", other), Inventory):
            raise type_error("other", "an Inventory", other)
        return _compare_inventories(self, other)

    def access(
        self,
        *,
        max_owners: int = 3,
        max_pending: timedelta = timedelta(days=3),
        max_key_age: timedelta | None = None,
    ) -> Access:
        """Return the access of each principal to each project, with findings for a reviewer.

        Args:
            max_owners: Number of users and service accounts with OrgOwner, from 1. More are a finding. An invite counts
                only after the person has accepted it.
            max_pending: Time since the last email, from 0. An invite that is pending for longer is a finding.
            max_key_age: Age of an API key, above 0. An older key is a finding, which shows how the age was found. The
                age of retired and temporary keys is not checked, because they are a finding after their deletion time.
                With None, ages are not checked.

        Raises:
            PineconeTypeError: An argument has the wrong type.
            PineconeValueError: An argument is out of range.
        """
        return build_access(self, max_owners=max_owners, max_pending=max_pending, max_key_age=max_key_age)

    def to_desired_state(self) -> DesiredState:
        """Return the organization as a desired state, sorted. Its ``notes`` list what a file cannot express.

        Expired invites and unfinished resources of workflows are left out.

        Raises:
            ForbiddenError: The account may not read everything, because it is not an OrgOwner.
            RefusedError: A part could not be read for another reason.
            ServiceError: The server failed to return a part. After 429 or a network failure, this is a RateLimitError
                or PineconeConnectionError.

        Example:
            >>> desired = admin.inventory().to_desired_state()
            >>> saved = json.dumps(desired.to_dict())
        """
        from pinecone_admin.workflows.exporting import export_inventory  # noqa: PLC0415 - it imports this module

        return export_inventory(self)


def _copy_list(value: object) -> object:
    """Copy a list and the objects in it: decoding replaces the items of a long list, and models keep the objects."""
    if type(value) is not list:
        return value
    items = cast("list[object]", value)
    return [dict(cast("dict[str, object]", item)) if type(item) is dict else item for item in items]


@frozen
class InventoryPart:
    """A list that is part of an inventory.

    Attributes:
        kind: Name of the namespace that lists it.
        project_id: Id of the project for ``api_keys``, else None.
    """

    kind: str
    project_id: str | None = None


class InventoryBuilder:
    """Builds an inventory from parts, which may arrive in any order.

    Args:
        taken_at: Time when reading began.
        is_server_time: Whether that is by the server's clock.
        progress: Function that is called after each part, or None.
    """

    def __init__(
        self, taken_at: datetime, progress: Callable[[Progress], object] | None, *, is_server_time: bool
    ) -> None:
        self._taken_at = taken_at
        self._is_server_time = is_server_time
        self._progress = progress
        self._read: dict[InventoryPart, Sequence[Any]] = {}
        self._failed: dict[InventoryPart, PineconeError] = {}
        self._total = 1

    def plan_remaining_parts(self) -> list[tuple[InventoryPart, ...]]:
        """Return the parts to read after the projects, in groups: those of one are read in its order."""
        groups = [tuple(map(InventoryPart, kinds)) for kinds in _LISTED_KINDS]
        groups += [
            (InventoryPart("api_keys", project.id),) for project in self._read.get(InventoryPart("projects"), ())
        ]
        self._total += sum(map(len, groups))
        return groups

    def add_part(self, part: InventoryPart, result: Sequence[Any] | PineconeError) -> None:
        """Add the result of a part, or the error that reading it raised."""
        if isinstance(result, PineconeError):
            self._failed[part] = result
        else:
            self._read[part] = result
        if self._progress is not None:
            done = len(self._read) + len(self._failed)
            step = f"{part.kind} of project {part.project_id}" if part.project_id else part.kind
            self._progress(Progress(done=done, total=self._total, step=step))

    def find_torn_parts(self) -> tuple[InventoryPart, ...]:
        """Return the lists of people and roles if users or invites have roles that their lists lack, else nothing.

        Somebody may have accepted an invite, with which its roles become those of the user.
        """
        people = {"invite": InventoryPart("invites"), "user": InventoryPart("users")}
        parts = (*people.values(), InventoryPart("role_bindings"))
        if any(part not in self._read for part in parts):
            return ()
        listed = {(kind, each.id) for kind, part in people.items() for each in self._read[part]}
        held = {(each.principal_type, each.principal_id) for each in self._read[parts[-1]]}
        return parts if any(kind in people and (kind, id) not in listed for kind, id in held) else ()

    def replace_parts(self, results: Mapping[InventoryPart, Sequence[Any] | PineconeError]) -> None:
        """Replace parts that were read again, unless one of them failed."""
        read = {part: result for part, result in results.items() if not isinstance(result, PineconeError)}
        if read.keys() == results.keys():
            self._read |= read

    def find_unlisted_projects(self) -> set[str]:
        """Return the ids of projects that have roles, but are not in the list of projects."""
        projects = self._read.get(InventoryPart("projects"))
        bindings: Sequence[RoleBinding] = self._read.get(InventoryPart("role_bindings"), ())
        return set() if projects is None else find_unlisted_projects(bindings, projects)

    def inventory(self, hidden_projects: Collection[str] = ()) -> Inventory:
        """Build the inventory.

        Args:
            hidden_projects: Ids of projects that have roles, but that the account cannot see.

        Raises:
            PineconeError: No part could be read; this is the error of the first part that failed.
        """
        if self._failed and not self._read:
            raise next(iter(self._failed.values()))
        lists: dict[str, list[Any]] = {
            kind: list(self._read.get(InventoryPart(kind), ()))
            for kind in ("projects", *chain.from_iterable(_LISTED_KINDS))
        }
        keys = [key for each in lists["projects"] for key in self._read.get(InventoryPart("api_keys", each.id), ())]
        unread = [
            Unread(
                part=part.kind,
                project_id=part.project_id,
                error=error.message,
                status_code=error.status_code,
                worth_retrying=error.worth_retrying,
                error_code=error.error_code,
            )
            for part, error in sorted(self._failed.items(), key=lambda item: (item[0].kind, item[0].project_id or ""))
        ]
        # An organization has an owner; only if the list of organizations is empty, none is expected.
        has_owner = self._read.get(InventoryPart("organizations"), ["unread"]) != []
        if has_owner and InventoryPart("role_bindings") in self._read:
            unread += find_hidden_bindings(lists["role_bindings"])
        unread += describe_hidden_projects(hidden_projects)
        return Inventory(
            taken_at=self._taken_at, api_keys=keys, unread=unread, is_server_time=self._is_server_time, **lists
        )


def find_hidden_bindings(bindings: Iterable[RoleBinding]) -> list[Unread]:
    """Return that role bindings were not all shown, if no owner who is a user is among them; else nothing."""
    if find_owner_ids(bindings):
        return []
    return [_HIDDEN_BINDINGS]


# The server keeps at least one owner who is a user, so the list was shortened for this caller.
_HIDDEN_BINDINGS = Unread(
    part="role_bindings",
    project_id=None,
    error="this account can see only some of them, because an owner of the organization is missing",
)
# Such a caller may not see every project, either.
_MAYBE_HIDDEN_PROJECTS = Unread(
    part="projects", project_id=None, error="the account of one of the two inventories may see only some of them"
)


def _is_hidden_bindings(unread: Unread) -> bool:
    """Return whether role bindings were not all shown; the text may be that of another version."""
    return evolve(unread, error=_HIDDEN_BINDINGS.error) == _HIDDEN_BINDINGS


def find_unlisted_projects(bindings: Iterable[RoleBinding], projects: Iterable[Project]) -> set[str]:
    """Return the ids of projects that have role bindings, but are not among some projects."""
    listed = {project.id for project in projects}
    return {binding.resource_id for binding in bindings if binding.resource_type == "project"} - listed


def describe_hidden_projects(project_ids: Collection[str]) -> list[Unread]:
    """Return that projects are unread if there are some that the account does not see, else nothing."""
    if not project_ids:
        return []
    count = count_noun(len(project_ids), "project")
    error = f"this account does not see {count} on which there are roles: {min(project_ids)}"
    error += ", …" if len(project_ids) > 1 else ""
    return [Unread(part="projects", project_id=None, error=error)]


def _compare_inventories(before: Inventory, after: Inventory) -> InventoryChanges:
    names = DisplayNames(before, after)
    changes = InventoryChanges(added=[], removed=[], changed=[], unknown=[])
    compared_keys: set[str] = set()
    unread = [*before.unread, *after.unread]
    if any(map(_is_hidden_bindings, unread)) and not any(missing.part == "projects" for missing in unread):
        unread.append(_MAYBE_HIDDEN_PROJECTS)
    for list_name, kind in _KINDS_BY_LIST.items():
        changes.unknown.extend(dict.fromkeys(str(missing) for missing in unread if missing.part == list_name))
        old, new = _index_comparable(before, after, list_name, unread)
        if kind == "api_key":
            compared_keys = {*old, *new}
        elif kind == "role_binding":
            old, new = (_without_bindings_of(compared_keys, each) for each in (old, new))
        make = partial(_make_change, names, kind)
        changes.added.extend(make(new[id], after=new[id]) for id in new if id not in old)
        changes.removed.extend(make(old[id], before=old[id]) for id in old if id not in new)
        changes.changed.extend(
            make(new[id], field=field, before=values[0], after=values[1])
            for id in new
            if id in old
            for field, values in _compare_fields(old[id], new[id]).items()
        )
    return changes


def _make_change(
    names: DisplayNames,
    kind: ResourceKind,
    resource: Resource,
    *,
    field: str | None = None,
    before: object = None,
    after: object = None,
) -> InventoryChange:
    return InventoryChange(
        kind=kind,
        id=resource.id,
        name=_name_of(resource),
        description=names.describe(resource),
        field=field,
        before=before,
        after=after,
    )


def _name_of(resource: Resource) -> str:
    match resource:
        case User() | Invite():
            return resource.email
        case RoleBinding():
            return resource.role
        case _:
            return resource.name


def _without_bindings_of(key_ids: Collection[str], bindings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the bindings of keys that are compared themselves: they repeat the roles of the key."""
    return {
        id: each
        for id, each in bindings.items()
        if each.principal_type != "api_key" or each.principal_id not in key_ids
    }


def _index_comparable(
    before: Inventory, after: Inventory, list_name: str, unread: Sequence[Unread]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Index a list of both inventories by id, without what would look added or removed if one of them lacks it."""
    incomplete = {missing.part for missing in unread if missing.project_id is None}
    old, new = ({each.id: each for each in getattr(one, list_name)} for one in (before, after))
    if list_name in incomplete:
        common = old.keys() & new.keys()
        old, new = ({id: each for id, each in one.items() if id in common} for one in (old, new))
    if list_name == "api_keys":
        seen = [{project.id for project in one.projects} for one in (before, after)]
        compared = seen[0] & seen[1] if "projects" in incomplete else seen[0] | seen[1]
        compared -= {
            missing.project_id for missing in unread if missing.part == "api_keys" and missing.project_id is not None
        }
        old, new = ({id: each for id, each in one.items() if each.project_id in compared} for one in (old, new))
    return old, new


def _compare_fields(old: attrs.AttrsInstance, new: attrs.AttrsInstance) -> dict[str, tuple[object, object]]:
    """Return the fields that differ, with their values in both."""
    pairs = {
        each.name: (getattr(old, each.name), getattr(new, each.name)) for each in attrs.fields(type(new)) if each.eq
    }
    return {name: values for name, values in pairs.items() if values[0] != values[1]}


def _format_field(change: InventoryChange) -> str:
    return f"{change.field} is now {_format_value(change.after)}, was {_format_value(change.before)}"


def _format_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value))) or "nothing"
    return repr(value)
