"""Write an organization as a file has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generated_client.models import APIKey, Project, RoleBinding, RoleName
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import RefusedError
from pinecone_admin.models import literal_values
from pinecone_admin.workflows.desired_state import DesiredItem, DesiredState, add_digest
from pinecone_admin.workflows.plans import find_organization
from pinecone_admin.workflows.resources import Resources
from pinecone_admin.workflows.retired_keys import find_successors_to_rename, is_under_way
from pinecone_admin.workflows.roles import bindings_by_principal


def export_inventory(inventory: Resources) -> DesiredState:
    """Return the desired state that an organization already has."""
    if inventory.unread:
        parts = "; ".join(map(str, inventory.unread))
        raise RefusedError(f"not everything could be read: {parts}", operation="to_desired_state")
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
        shared = Counter(each.name for each in inventory.projects)
        self._places = {each.id: each.name if shared[each.name] == 1 else each.id for each in inventory.projects}

    def export(self) -> DesiredState:
        """Return the whole organization."""
        inventory = self._inventory
        keys: dict[str, list[APIKey]] = {}
        for key in inventory.api_keys:
            keys.setdefault(key.project_id, []).append(key)
        accounts = [each for each in inventory.service_accounts if not is_under_way(each, [], ())]
        self._note_left_out(len(inventory.service_accounts) - len(accounts), "service account", "of unfinished work")
        account_pins = _find_pins(accounts)
        pins = _find_pins(inventory.projects)
        state = DesiredState(
            organization=find_organization(inventory.organizations, operation="to_desired_state").id,
            projects=_sort(self._describe_project(each, pins, keys.get(each.id, [])) for each in inventory.projects),
            service_accounts=_sort(
                DesiredItem(
                    kind="service_account",
                    name=each.name,
                    id=account_pins.get(each.id),
                    **self._describe_roles("service_account", each.id, f"service account {each.name!r}"),
                )
                for each in accounts
            ),
            people=_sort(self._describe_people()),
            notes=self._notes,
        )
        return add_digest(state)

    def _describe_project(self, project: Project, pins: Mapping[str, str], keys: Sequence[APIKey]) -> DesiredItem:
        unnamed = find_successors_to_rename(keys)
        kept = [unnamed.get(key.id, key) for key in keys if key.id in unnamed or not is_under_way(key, keys, ())]
        self._note_left_out(len(keys) - len(kept), "key", f"of unfinished work in project {project.name!r}")
        named = [each for each in kept if each.roles and not self._unlisted(each.roles, "APIKeyRole")]
        self._note_left_out(
            len(kept) - len(named), "key", f"of project {project.name!r} without a role that a file can have"
        )
        key_pins = _find_pins(named)
        return DesiredItem(
            kind="project",
            name=project.name,
            id=pins.get(project.id),
            settings={
                "max_pods": project.max_pods,
                "force_encryption_with_cmek": project.force_encryption_with_cmek,
            },
            keys=_sort(
                DesiredItem(kind="api_key", name=each.name, id=key_pins.get(each.id), roles=frozenset(each.roles))
                for each in named
            ),
        )

    def _describe_people(self) -> Iterable[DesiredItem]:
        members = {normalize_email(each.email) for each in self._inventory.users}
        pending = [each for each in self._inventory.invites if each.status == "pending"]
        counts = Counter(normalize_email(each.email) for each in pending)
        invited = [
            each
            for each in pending
            if normalize_email(each.email) not in members and counts[normalize_email(each.email)] == 1
        ]
        self._note_left_out(
            sum(count for count in counts.values() if count > 1), "invite", "of an address with several"
        )
        self._note_left_out(sum(each.status == "expired" for each in self._inventory.invites), "expired invite", "")
        people = [("user", each.id, each.email) for each in self._inventory.users]
        people += [("invite", each.id, each.email) for each in invited]
        for kind, principal_id, email in people:
            yield DesiredItem(kind="person", name=email, **self._describe_roles(kind, principal_id, email))

    def _describe_roles(self, kind: Any, principal_id: str, who: str) -> dict[str, Any]:
        """Return the roles of a principal; those that the API document does not list are left to it."""
        bindings = self._held.get((kind, principal_id), [])
        unlisted = self._unlisted([each.role for each in bindings], "RoleName")
        if unlisted:
            self._notes.append(f"{who} has {', '.join(unlisted)}, which a file cannot have: keep_other_roles leaves it")
        listed = [each for each in bindings if each.role not in unlisted]
        return {"roles": frozenset(map(self._format_role, listed)), "keep_other_roles": bool(unlisted)}

    def _format_role(self, binding: RoleBinding) -> str:
        if binding.resource_type != "project":
            return binding.role
        return f"{self._places.get(binding.resource_id, binding.resource_id)}:{binding.role}"

    @staticmethod
    def _unlisted(roles: Iterable[RoleName], literal: str) -> list[str]:
        return sorted({str(each) for each in roles} - {*literal_values(literal)})

    def _note_left_out(self, count: int, noun: str, details: str) -> None:
        if count:
            self._notes.append(f"left out: {count_noun(count, noun)} {details}".rstrip())


def _find_pins(found: Sequence[Any]) -> dict[str, str]:
    """Return the ids of those that share a name."""
    counts = Counter(each.name for each in found)
    return {each.id: each.id for each in found if counts[each.name] > 1}


def _sort(items: Iterable[DesiredItem]) -> list[DesiredItem]:
    return sorted(items, key=lambda each: (each.key, each.id or ""))
