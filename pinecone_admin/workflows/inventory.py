"""What an organization holds at one moment, how two moments differ, and how it is put together from parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import attrs
from attrs import field, frozen

from generated_client.models import (
    APIKey,
    Invite,
    Organization,
    Project,
    RoleBinding,
    ServiceAccount,
    User,
)
from pinecone_admin._http.codec import DecodeFailure, decode_value
from pinecone_admin.errors import PineconeError, PineconeTypeError, PineconeValueError
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.reports import Progress

if TYPE_CHECKING:
    from pinecone_admin.workflows.access import Access

LISTED_KINDS = ("organizations", "users", "invites", "service_accounts", "role_bindings")
"""What is listed beside the projects and their keys."""


@frozen(kw_only=True)
class Unread:
    """A part of the organization that could not be read.

    Attributes:
        part: Which one, such as ``"users"``.
        project_id: The project, where it is the keys of one.
        error: Why.
    """

    part: str
    project_id: str | None
    error: str

    def __str__(self) -> str:
        of = "" if self.project_id is None else f" of project {self.project_id}"
        return f"{self.part}{of}: {self.error}"


@frozen(kw_only=True)
class Changes:
    """What changed from one inventory to a later one, in words.

    Attributes:
        added: What is only in the later one.
        removed: What is only in the earlier one.
        changed: What is in both, and how it changed.
        unknown: What cannot be compared, since one of the two could not read it.
    """

    added: list[str]
    removed: list[str]
    changed: list[str]
    unknown: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        marks = (("+", self.added), ("-", self.removed), ("~", self.changed), ("?", self.unknown))
        return "\n".join(f"{mark} {each}" for mark, lines in marks for each in lines)


@frozen(kw_only=True)
class Inventory:
    """Everything in an organization that the Admin API shows.

    Attributes:
        taken_at: When the reading began.
        organizations: The organization of the caller.
        projects: Its projects.
        api_keys: The keys of all projects, in the order of these.
        users: Its members.
        invites: Pending and expired invites.
        service_accounts: Its service accounts.
        role_bindings: Who holds which role on what.
        unread: What could not be read.
    """

    taken_at: datetime
    organizations: list[Organization]
    projects: list[Project]
    api_keys: list[APIKey]
    users: list[User]
    invites: list[Invite]
    service_accounts: list[ServiceAccount]
    role_bindings: list[RoleBinding]
    unread: list[Unread] = field(factory=list[Unread])

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types, for ``from_dict``."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` gave.

        Args:
            data: An object as JSON has it.

        Raises:
            PineconeTypeError: It is no object.
            PineconeValueError: It does not fit; the error names the field.
        """
        if not isinstance(cast("object", data), Mapping):
            raise PineconeTypeError(f"data must be what to_dict gave, not {type(data).__name__}")
        read = decode_value(dict(data), cls)
        if isinstance(read, DecodeFailure):
            raise PineconeValueError(f"the inventory's {read.path or 'data'} {read.problem}")
        return read

    def diff(self, other: Inventory) -> Changes:
        """Tell in words what changed from this inventory to another, later one.

        Args:
            other: The later one; what only it holds is added.

        Raises:
            PineconeTypeError: It is no inventory.
        """
        if not isinstance(cast("object", other), Inventory):
            raise PineconeTypeError(f"other must be an Inventory, not {type(other).__name__}")
        return _compare_inventories(self, other)

    def access(self, *, max_owners: int = 3, pending_days: float = 3.0) -> Access:
        """Tell who can do what in which project, and what deserves a look.

        Args:
            max_owners: How many owners of the organization are no finding.
            pending_days: Days for which a pending invite is no finding.
        """
        from pinecone_admin.workflows.access import build_access  # noqa: PLC0415 - it builds on this module

        return build_access(self, max_owners=max_owners, pending_days=pending_days)


@frozen
class InventoryPart:
    """Something to list.

    Attributes:
        kind: The namespace that lists it.
        project_id: The project, for ``api_keys``.
    """

    kind: str
    project_id: str | None = None


class InventoryBuilder:
    """An inventory that is being read, part by part, in any order.

    Args:
        taken_at: When the reading began.
        progress: Is told of each part.
    """

    def __init__(self, taken_at: datetime, progress: Callable[[Progress], None] | None) -> None:
        self._taken_at = taken_at
        self._progress = progress
        self._read: dict[InventoryPart, Sequence[Any]] = {}
        self._failed: dict[InventoryPart, PineconeError] = {}
        self._total = 1

    def remaining_parts(self) -> list[InventoryPart]:
        """Give what is left to read once the projects are."""
        parts = [InventoryPart(kind) for kind in LISTED_KINDS]
        parts += [InventoryPart("api_keys", project.id) for project in self._read.get(InventoryPart("projects"), ())]
        self._total += len(parts)
        return parts

    def add_part(self, part: InventoryPart, result: Sequence[Any] | PineconeError) -> None:
        """Take what came of a part."""
        if isinstance(result, PineconeError):
            self._failed[part] = result
        else:
            self._read[part] = result
        if self._progress is not None:
            done = len(self._read) + len(self._failed)
            step = f"{part.kind} of project {part.project_id}" if part.project_id else part.kind
            self._progress(Progress(done=done, total=self._total, step=step))

    def inventory(self) -> Inventory:
        """Put the parts together.

        Raises:
            PineconeError: Nothing at all could be read.
        """
        if self._failed and not self._read:
            raise next(iter(self._failed.values()))
        lists: dict[str, list[Any]] = {
            kind: list(self._read.get(InventoryPart(kind), ())) for kind in ("projects", *LISTED_KINDS)
        }
        keys = [key for each in lists["projects"] for key in self._read.get(InventoryPart("api_keys", each.id), ())]
        unread = [
            Unread(part=part.kind, project_id=part.project_id, error=str(error))
            for part, error in sorted(self._failed.items(), key=lambda item: (item[0].kind, item[0].project_id or ""))
        ]
        return Inventory(taken_at=self._taken_at, api_keys=keys, unread=unread, **lists)


_COMPARED_KINDS = ("organizations", "projects", "api_keys", "users", "invites", "service_accounts", "role_bindings")


def _compare_inventories(before: Inventory, after: Inventory) -> Changes:
    names = DisplayNames(before, after)
    changes = Changes(added=[], removed=[], changed=[], unknown=[])
    for kind in _COMPARED_KINDS:
        doubtful = [each for each in (*before.unread, *after.unread) if each.part in {kind, "projects"}]
        changes.unknown.extend(dict.fromkeys(str(each) for each in doubtful if each.part == kind))
        old, new = (_index_comparable(getattr(each, kind), kind, doubtful) for each in (before, after))
        changes.added.extend(names.describe(new[id]) for id in new if id not in old)
        changes.removed.extend(names.describe(old[id]) for id in old if id not in new)
        changes.changed.extend(
            f"{names.describe(new[id])}: {', '.join(_describe_changes(old[id], new[id]))}"
            for id in new
            if id in old and old[id] != new[id]
        )
    return changes


def _index_comparable(things: Iterable[Any], kind: str, doubtful: Sequence[Unread]) -> dict[str, Any]:
    """Leave out what one of the two inventories could not read, so that it does not look added or removed."""
    if any(each.part == kind and each.project_id is None for each in doubtful):
        return {}
    if kind in {"projects", "api_keys"} and any(each.part == "projects" for each in doubtful):
        return {}
    projects = {each.project_id for each in doubtful if each.part == "api_keys"}
    return {each.id: each for each in things if kind != "api_keys" or each.project_id not in projects}


def _describe_changes(old: attrs.AttrsInstance, new: attrs.AttrsInstance) -> list[str]:
    return [
        f"{each.name} is now {_format_value(getattr(new, each.name))}, was {_format_value(getattr(old, each.name))}"
        for each in attrs.fields(type(new))
        if getattr(old, each.name) != getattr(new, each.name)
    ]


def _format_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value))) or "nothing"
    return repr(value)


Resource: TypeAlias = Organization | Project | APIKey | User | Invite | ServiceAccount | RoleBinding

_NOUNS: Mapping[type, str] = {
    Organization: "organization",
    Project: "project",
    ServiceAccount: "service account",
    APIKey: "API key",
}


class DisplayNames:
    """Names things as people know them.

    Args:
        inventories: Where the names are from; later ones win.
    """

    def __init__(self, *inventories: Inventory) -> None:
        self._projects = {each.id: each.name for one in inventories for each in one.projects}
        self._principals: dict[tuple[str, str], str] = {}
        for one in inventories:
            self._principals |= {("user", each.id): each.email for each in one.users}
            self._principals |= {("invite", each.id): each.email for each in one.invites}
            self._principals |= {("service_account", each.id): each.name for each in one.service_accounts}
            self._principals |= {("api_key", each.id): each.name for each in one.api_keys}

    def project(self, project_id: str) -> str:
        """Name a project, by its id where it is not known."""
        return self._projects.get(project_id, project_id)

    def principal(self, kind: str, principal_id: str) -> str:
        """Name a principal, by its id where it is not known."""
        return self._principals.get((kind, principal_id), principal_id)

    def describe(self, thing: Resource) -> str:
        """Name anything that an inventory holds."""
        match thing:
            case Organization() | Project() | ServiceAccount() | APIKey():
                names = f"{_NOUNS[type(thing)]} {thing.name!r} ({thing.id})"
                if isinstance(thing, APIKey):
                    names += f" of project {self.project(thing.project_id)!r}"
            case User() | Invite():
                names = f"{'user' if isinstance(thing, User) else 'invite for'} {thing.email} ({thing.id})"
            case RoleBinding():
                project = f"project {self.project(thing.resource_id)!r}"
                where = project if thing.resource_type == "project" else "the organization"
                who = f"{thing.principal_type} {self.principal(thing.principal_type, thing.principal_id)}"
                names = f"{thing.role} of {who} on {where}"
        return names
