"""Write an organization as a file has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from generated_client.models import APIKey, Project, RoleName, ServiceAccount
from pinecone_admin._http.lookup import normalize_email, normalize_name
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.models import literal_values
from pinecone_admin.workflows.desired_state import SETTINGS, DesiredItem, DesiredState, ItemKind, add_digest
from pinecone_admin.workflows.name_tags import original_name
from pinecone_admin.workflows.organization_index import has_lapsed
from pinecone_admin.workflows.plans import find_organization, require_full_view
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.retired_keys import expiry_of_temporary_key, separate_unfinished, waits_for_deletion
from pinecone_admin.workflows.roles import (
    bindings_by_principal,
    describe_roles_elsewhere,
    format_role,
    index_projects,
    is_on_known_place,
)

_N = TypeVar("_N", Project, APIKey, ServiceAccount)
_MOST_NAMED = 10


def export_inventory(inventory: Resources) -> DesiredState:
    """Return the desired state that an organization already has."""
    require_full_view(inventory, "an export would lack them", operation="to_desired_state")
    return _Exporter(inventory).export()


class _Exporter:
    """Describes the items of an inventory.

    Args:
        inventory: The organization.
    """

    def __init__(self, inventory: Resources) -> None:
        self._inventory = inventory
        self._notes: list[str] = []
        self._held = bindings_by_principal(inventory.role_bindings)
        self._places = index_projects((project.name, project.id) for project in inventory.projects)

    def export(self) -> DesiredState:
        """Return the whole organization."""
        inventory = self._inventory
        keys: dict[str, list[APIKey]] = {project.id: [] for project in inventory.projects}
        for key in inventory.api_keys:
            keys[key.project_id].append(key)
        accounts, unfinished = separate_unfinished(inventory.service_accounts, ())
        self._note_left_out(_name_all(unfinished), "service account", "of unfinished work")
        state = DesiredState(
            organization=find_organization(inventory.organizations, operation="to_desired_state").id,
            projects=_describe("project", inventory.projects, lambda each: self._describe_project(each, keys[each.id])),
            service_accounts=_describe(
                "service_account",
                accounts,
                lambda each: self._describe_roles(
                    "service_account", each.id, f"service account {quote_name(each.name)}"
                ),
            ),
            people=self._describe_people(),
            notes=self._notes,
        )
        return add_digest(state)

    def _describe_project(self, project: Project, keys: Sequence[APIKey]) -> dict[str, Any]:
        kept, unfinished = separate_unfinished(keys, ())
        waiting = [each for each in unfinished if waits_for_deletion(each, keys)]
        place = f"in project {quote_name(project.name)}"
        temporary = [each for each in waiting if expiry_of_temporary_key(each) is not None]
        old = [each for each in waiting if expiry_of_temporary_key(each) is None]
        waiting_ids = {each.id for each in waiting}
        others = [each for each in unfinished if each.id not in waiting_ids]
        self._note_left_out(_name_all(temporary), "temporary key", place)
        self._note_left_out(_name_all(old), "old key", f"of finished rotations {place}")
        self._note_left_out(_name_all(others), "key", f"of unfinished work {place}")
        named = [each for each in kept if each.roles and not _list_unknown(each.roles, "APIKeyRole")]
        named_ids = {each.id for each in named}
        left = _name_all(each for each in kept if each.id not in named_ids)
        self._note_left_out(left, "key", f"of project {quote_name(project.name)} without a role that a file can have")
        return {
            "settings": {name: getattr(project, name) for name in SETTINGS},
            "keys": _describe("api_key", named, lambda each: {"settings": {"roles": sorted(each.roles)}}),
        }

    def _describe_people(self) -> list[DesiredItem]:
        invites, users = self._inventory.invites, self._inventory.users
        pending = [invite for invite in invites if invite.status == "pending"]
        counts = Counter(normalize_email(each.email) for each in pending)
        several = [each.email for each in pending if counts[normalize_email(each.email)] > 1]
        self._note_left_out(several, "invite", "of an address with several")
        self._note_left_out(
            [each.email for each in filter(has_lapsed, invites)], "invite", "that cannot be accepted any more"
        )
        counts.update(normalize_email(user.email) for user in users)
        people: list[tuple[str, Any]] = [("user", user) for user in users]
        people += [("invite", each) for each in pending if counts[normalize_email(each.email)] == 1]
        items = [
            DesiredItem(kind="person", name=each.email, **self._describe_roles(kind, each.id, each.email))
            for kind, each in people
        ]
        return sorted(items, key=lambda each: each.key)

    def _describe_roles(self, kind: Any, principal_id: str, who: str) -> dict[str, Any]:
        """Return the roles of a principal; those that the API document does not list are left to it."""
        bindings = self._held.get((kind, principal_id), [])
        known = [binding for binding in bindings if is_on_known_place(binding)]
        unknown = _list_unknown([binding.role for binding in known], "RoleName")
        if left := [*unknown, *describe_roles_elsewhere(bindings)]:
            self._notes.append(f"{who} has {', '.join(left)}, which a file cannot have: keep_other_roles leaves it")
        roles = {format_role(binding, self._places) for binding in known if binding.role not in unknown}
        return {"roles": sorted(roles), "keep_other_roles": bool(left)}

    def _note_left_out(self, names: Sequence[str], noun: str, details: str) -> None:
        if names:
            what = f"{count_noun(len(names), noun)} {details}".rstrip()
            shown = list(dict.fromkeys(names))
            more = [f"and {len(shown) - _MOST_NAMED} more"] if len(shown) > _MOST_NAMED else []
            self._notes.append(f"left out: {what} ({', '.join([*map(quote_name, shown[:_MOST_NAMED]), *more])})")


def _name_all(found: Iterable[APIKey | ServiceAccount]) -> list[str]:
    return [original_name(each.name) for each in found]


def _describe(kind: ItemKind, found: Sequence[_N], read: Callable[[_N], dict[str, Any]]) -> list[DesiredItem]:
    """Return items with their other fields, sorted; those that share a name in any form have their ids."""
    counts = Counter(normalize_name(each.name) for each in found)
    items = [
        DesiredItem(
            kind=kind, name=each.name, id=each.id if counts[normalize_name(each.name)] > 1 else None, **read(each)
        )
        for each in found
    ]
    return sorted(items, key=lambda each: (each.key, each.id or ""))


def _list_unknown(roles: Iterable[RoleName], literal: str) -> list[str]:
    return sorted({str(each) for each in roles} - {*literal_values(literal)})
