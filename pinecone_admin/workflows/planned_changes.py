"""Steps towards a desired state, with what carrying them out takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from attrs import field, frozen

from generated_client.models import Invite, RoleName
from pinecone_admin._http.lookup import normalize_email
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.desired_state import DesiredState
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.plan_facts import makes_secret
from pinecone_admin.workflows.planner import plan_changes, rank_step
from pinecone_admin.workflows.steps import Step


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
        who: The principal that it concerns.
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


def find_changes(
    inventory: Inventory,
    desired: DesiredState,
    *,
    client_id: str,
    base: DesiredState | None,
    commit: str | None,
) -> tuple[ChangePlan, list[PlannedChange]]:
    """Return a plan, and with each step what carrying it out takes."""
    plan = plan_changes(inventory, desired, client_id=client_id, base=base, commit=commit)
    bindings = {
        (each.principal_type, each.principal_id, each.role, each.resource_type == "project" and each.resource_id): each
        for each in inventory.role_bindings
    }
    changes: list[PlannedChange] = []
    made: list[Any] = [*inventory.api_keys, *inventory.service_accounts]
    for step in plan.steps:
        ids: Any = step.before.get("replaced_ids", ())
        is_person = step.kind in {"user", "invite"}
        held: Any = (step.kind, step.id, step.before.get("role"), step.project_id or False)
        changes.append(
            PlannedChange(
                step=step,
                rank=rank_step(step),
                who=f"person {normalize_email(step.name or '')}" if is_person else f"{step.kind} {step.name}",
                roles=_list_roles(step),
                project=ProjectRef(step.project or "", step.project_id) if step.kind == "api_key" else None,
                binding_id=bindings[held].id if step.action == "revoke" else None,
                replaced=[each for each in inventory.invites if each.id in ids] if ids else [],
                leftovers=[each for each in made if each.id in ids] if ids else [],
            )
        )
    return plan, changes


def _list_roles(step: Step) -> list[RoleOn]:
    if step.action in {"grant", "revoke"}:
        role = cast("RoleName", step.after.get("role", step.before.get("role")))
        return [RoleOn(role, None if step.project is None else ProjectRef(step.project, step.project_id))]
    if step.action not in {"create", "invite"} or step.kind == "api_key":
        return []
    texts = cast("list[str]", step.after.get("roles", []))
    ids = cast("Mapping[str, str]", step.after.get("project_ids", {}))
    return [
        RoleOn(cast("RoleName", role), ProjectRef(place, ids.get(place)) if colon else None)
        for place, colon, role in (each.rpartition(":") for each in texts)
    ]
