"""The things of an organization by their ids and names, as plans refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from generated_client.models import APIKey, Invite, Project, RoleBinding, ServiceAccount, User
from pinecone_admin._http.lookup import normalize_email, normalize_name
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin.workflows.changes import PEOPLE, Ref, RoleAt, Settings, sort_roles
from pinecone_admin.workflows.ending import Thing, refer_to
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.retired_keys import find_successors_to_rename
from pinecone_admin.workflows.roles import (
    bindings_by_principal,
    date_keys_by_bindings,
    describe_roles_elsewhere,
    find_key_date,
    is_on_known_place,
)

HeldRole: TypeAlias = tuple[str, str | None]
"""A role, and the id of its project; None on the organization."""

KINDS: Mapping[type[Thing], str] = {
    Project: "project",
    APIKey: "api_key",
    ServiceAccount: "service_account",
    User: "user",
    Invite: "invite",
}
"""Kinds of what is in an inventory, as references and role bindings have them."""


def name_of(found: Thing) -> str:
    """Return the name of a thing, or the address of a person."""
    return found.email if isinstance(found, User | Invite) else found.name


def has_lapsed(found: Thing) -> bool:
    """Return whether it is an invite that cannot be accepted any more: expired, or with a status of later servers.

    A processed one has been accepted: there is a member in its place.
    """
    return isinstance(found, Invite) and found.status not in {"pending", "processed"}


class OrganizationIndex:
    """Looks up what an inventory has.

    Args:
        inventory: The organization.
    """

    def __init__(self, inventory: Resources) -> None:
        self.inventory = inventory
        self.people: list[User | Invite] = [
            *inventory.users,
            *(invite for invite in inventory.invites if invite.status != "processed"),
        ]
        self._roles: dict[tuple[str, str], tuple[RoleAt, ...]] = {}

    @cached_property
    def bindings(self) -> dict[tuple[str, str, HeldRole], str]:
        """Ids of the role bindings, by the kind and id of the principal and the role."""
        return {
            (binding.principal_type, binding.principal_id, _place(binding)): binding.id
            for binding in self.inventory.role_bindings
            if is_on_known_place(binding)
        }

    @cached_property
    def _key_dates(self) -> dict[str, datetime]:
        return date_keys_by_bindings(self.inventory.role_bindings)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all things and role bindings."""
        return frozenset([*(id for _, id in self._things), *(each.id for each in self.inventory.role_bindings)])

    def find(self, kind: str, id: str | None) -> Thing | None:
        """Return the thing of this kind and id, or None."""
        return None if id is None else self._things.get((kind, id))

    @cached_property
    def _things(self) -> dict[tuple[str, str], Thing]:
        inventory = self.inventory
        lists: Sequence[Sequence[Thing]] = (
            inventory.projects,
            inventory.api_keys,
            inventory.service_accounts,
            self.people,
        )
        return {(KINDS[type(each)], each.id): each for some in lists for each in some}

    def find_named(self, kind: str, name: str, project_id: str | None = None) -> list[Thing]:
        """Return the things of this name; of people, those of the address."""
        is_person = kind in PEOPLE
        return self._named.get((kind, project_id, normalize_email(name) if is_person else name), [])

    def find_alike(self, kind: str, name: str, project_id: str | None = None) -> list[Thing]:
        """Return the things of this name, or otherwise those that have another form of it, as ``lookup.find_named``."""
        return self.find_named(kind, name, project_id) or self._alike.get((kind, project_id, normalize_name(name)), [])

    @cached_property
    def _alike(self) -> dict[tuple[str, str | None, str], list[Thing]]:
        found: dict[tuple[str, str | None, str], list[Thing]] = {}
        for (kind, place, name), some in self._named.items():
            found.setdefault((kind, place, normalize_name(name)), []).extend(some)
        return found

    @cached_property
    def _named(self) -> dict[tuple[str, str | None, str], list[Thing]]:
        """Things by kind, project and name; a new key of a rotation counts as what it is to be."""
        found: dict[tuple[str, str | None, str], list[Thing]] = {}
        unnamed = {id: each for some in self.keys.values() for id, each in find_successors_to_rename(some).items()}
        for (kind, id), each in self._things.items():
            place = each.project_id if isinstance(each, APIKey) else None
            name = name_of(unnamed.get(id, each) if isinstance(each, APIKey) else each)
            is_person = isinstance(each, User | Invite)
            found.setdefault((kind, place, normalize_email(name) if is_person else name), []).append(each)
        return found

    @cached_property
    def keys(self) -> dict[str, list[APIKey]]:
        """The keys by the ids of their projects."""
        found: dict[str, list[APIKey]] = {}
        for key in self.inventory.api_keys:
            found.setdefault(key.project_id, []).append(key)
        return found

    def refer_to(self, found: Thing) -> Ref:
        """Return the reference to a thing."""
        place = self.projects.get(found.project_id) if isinstance(found, APIKey) else None
        return refer_to(found, project=None if place is None else place.name)

    @cached_property
    def projects(self) -> dict[str, Ref]:
        """The projects by their ids."""
        return {project.id: Ref("project", project.name, project.id) for project in self.inventory.projects}

    def roles_of(self, found: Thing) -> tuple[RoleAt, ...]:
        """Return the roles that a thing holds by role bindings; those of a key are its settings."""
        key = KINDS[type(found)], found.id
        if key not in self._roles:
            held = filter(is_on_known_place, self._held.get(key, ()))
            self._roles[key] = sort_roles(RoleAt(each.role, self._refer_to_place(each)) for each in held)
        return self._roles[key]

    def held_by(self, kind: str, id: str | None) -> frozenset[HeldRole]:
        """Return the roles of a principal for comparisons: a project by its id alone."""
        return read_held_roles(self._held.get((kind, id or ""), ()))

    @cached_property
    def _held(self) -> dict[tuple[str, str], list[RoleBinding]]:
        return {(kind, id): some for (kind, id), some in bindings_by_principal(self.inventory.role_bindings).items()}

    def roles_elsewhere(self, found: Thing) -> list[str]:
        """Return the roles that no file and no plan can express, because this package does not know their places."""
        return describe_roles_elsewhere(self._held.get((KINDS[type(found)], found.id), ()))

    def created_at(self, found: Thing) -> datetime | None:
        """Return when a thing was created; of a key without a date, when its oldest role binding was."""
        if isinstance(found, User):
            return None
        return find_key_date(found, self._key_dates) if isinstance(found, APIKey) else plausible_date(found.created_at)

    def _refer_to_place(self, binding: RoleBinding) -> Ref | None:
        if binding.resource_type != "project":
            return None
        return self.projects.get(binding.resource_id) or Ref("project", None, binding.resource_id)


def read_settings(found: Thing) -> Settings:
    """Return the settings of a thing."""
    match found:
        case Project():
            return Settings(
                name=found.name,
                max_pods=found.max_pods,
                force_encryption_with_cmek=found.force_encryption_with_cmek,
            )
        case APIKey():
            return Settings(name=found.name, roles=tuple(sorted(found.roles)))
        case ServiceAccount():
            return Settings(name=found.name)
        case _:
            return Settings()


def held_role(role: RoleAt) -> HeldRole:
    """Return a role with the id of its project alone."""
    return role.role, None if role.project is None else role.project.id


def read_held_roles(bindings: Iterable[RoleBinding]) -> frozenset[HeldRole]:
    """Return the roles of role bindings, each with the id of its project alone."""
    return frozenset(map(_place, filter(is_on_known_place, bindings)))


def _place(binding: RoleBinding) -> HeldRole:
    return binding.role, binding.resource_id if binding.resource_type == "project" else None
