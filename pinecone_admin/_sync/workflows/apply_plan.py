# Derived from pinecone_admin/_async/workflows/apply_plan.py by scripts/unasync.py: change that, not this file.
"""Carry out a plan of an organization's changes, and read nothing beyond one inventory unless something fails.

It stands on what ``ensure`` stands on, since ``ensure`` itself reads the lists again for each resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_function,
    check_integer,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.headers import __version__
from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin._sync.workflows.client_state import own_client_id, runs_workflow
from pinecone_admin._sync.workflows.create_with_secret import (
    Store,
    check_unused,
    create_named_account,
    create_named_key,
    delete_if_exists,
    delete_leftover_accounts,
    delete_leftover_keys,
    find_stored_account,
    find_stored_key,
)
from pinecone_admin._sync.workflows.ensure import ensure_invite, ensure_project
from pinecone_admin._sync.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._sync.workflows.offboard import delete_person
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.rollback import Rollback
from pinecone_admin._sync.workflows.take_inventory import take_inventory
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import ClientClosedError, PineconeError, ReadOnlyError, RefusedError
from pinecone_admin.models import RoleBindingInput
from pinecone_admin.workflows.apply_progress import ApplyProgress, NotTried, Result, wrap_store
from pinecone_admin.workflows.apply_report import ApplyReport
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.desired_state import DesiredState
from pinecone_admin.workflows.inventory import Inventory
from pinecone_admin.workflows.plan_facts import check_planned, find_skipped, list_granted, makes_secret
from pinecone_admin.workflows.planner import check_allowed, plan_changes, rank_step
from pinecone_admin.workflows.plans import check_organization, check_plan
from pinecone_admin.workflows.readable_store import SecretOwner, StoreByName
from pinecone_admin.workflows.sent_changes import SentChange, stating_what_is_left
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_CONCURRENCY = 16


@runs_workflow
def plan_organization(
    admin: Admin,
    desired: DesiredState,
    *,
    base: DesiredState | None,
    client_id: str | None,
    commit: str | None,
) -> ChangePlan:
    """Read the organization once, and plan."""
    inventory = take_inventory(admin, concurrency=_CONCURRENCY, progress=None)
    own = own_client_id(admin) or client_id  # known once there is a token
    with set_operation_on_errors("plan"):
        if own is None:
            raise value_error("client_id", "is needed: a token does not tell whose it is")
        if client_id not in {None, own}:
            raise value_error("client_id", f"is not that of this client, which is {own}")
    return plan_changes(inventory, desired, client_id=own, base=base, commit=commit)


@runs_workflow
def apply_plan(
    admin: Admin,
    plan: ChangePlan,
    *,
    store: Store[Any] | None,
    drift: bool,
    allow_removals: int | None,
    begin: Callable[[ApplyReport], object] | None = None,
) -> ApplyReport:
    """Read and plan again, refuse before the first change, and carry out what the plan has and is still needed.

    Before the first change, ``begin`` gets the report, which has every step at the end, also after an interruption.
    """
    _check_arguments(plan, store, drift=drift, allow_removals=allow_removals)
    inventory = take_inventory(admin, concurrency=_CONCURRENCY, progress=None)
    client_id = own_client_id(admin) or plan.client_id
    check_organization(plan.organization_id, inventory.organizations, operation="apply")
    desired = DesiredState.from_dict(plan.desired)
    base = None if plan.base is None else DesiredState.from_dict(plan.base)
    needed = plan_changes(inventory, desired, client_id=client_id, base=base).steps
    steps = [each for each in needed if drift or each.cause != "drift"]
    check_planned(plan, steps, inventory, drift=drift)
    check_allowed(steps, inventory, client_id, allow_removals=allow_removals)
    if store is None and (made := sum(map(makes_secret, steps))):
        with set_operation_on_errors("apply"):
            raise value_error("store", f"is needed: {count_noun(made, 'secret')} would be made; nothing was changed")
    report = ApplyReport(
        organization_id=plan.organization_id,
        client_id=client_id,
        applied_at=inventory.taken_at,
        package_version=__version__,
        source=plan.source,
        digest=plan.digest,
        commit=plan.commit,
        skipped=find_skipped(plan.steps, needed, steps),
    )
    if begin is not None:
        begin(report)
    _AsyncApplication(admin, store, inventory, ApplyProgress(report, steps)).run(steps)
    return report


def _check_arguments(plan: ChangePlan, store: object, *, drift: bool, allow_removals: int | None) -> None:
    with set_operation_on_errors("apply"):
        check_plan(plan, ChangePlan)
        check_function("store", store, optional=True)
        check_bool("drift", drift)
        if allow_removals is not None:
            check_integer("allow_removals", allow_removals, least=0)


class _AsyncApplication:
    """Carries out steps in the order of their ranks.

    Args:
        admin: The client.
        store: Stores the secrets; None if none is made.
        inventory: The organization.
        progress: What was done so far.
    """

    def __init__(self, admin: Admin, store: Store[Any] | None, inventory: Inventory, progress: ApplyProgress) -> None:
        self._admin = admin
        self._store = store
        self._progress = progress
        self._project_ids = {each.id for each in inventory.projects}
        self._keys = {each.id: each for each in inventory.api_keys}
        self._accounts = {each.id: each for each in inventory.service_accounts}
        self._bindings: dict[object, str] = {}
        for each in inventory.role_bindings:
            project_id = each.resource_id if each.resource_type == "project" else None
            self._bindings[each.principal_type, each.principal_id, project_id, each.role] = each.id

    def run(self, steps: Sequence[Step]) -> None:
        """Carry out the steps of one rank concurrently; but one secret at a time, so that a failure ends them."""
        limit = min(_CONCURRENCY, self._admin.max_connections)
        try:
            for _, group in groupby(steps, key=rank_step):
                ranked = list(group)
                plain = [each for each in ranked if not makes_secret(each)]
                run_in_parallel(self._try, plain, limit=limit, deliver=self._progress.record)
                for each in ranked:
                    if makes_secret(each):
                        with ExitStack() as selected:  # until the step is in the report
                            self._progress.record(each, self._try(each, selected))
        finally:
            self._progress.record_rest()

    def _try(self, step: Step, selected: ExitStack | None = None) -> Result:
        """Carry out a step; one that fails does not stop those that do not depend on it."""
        if (obstacle := self._progress.find_obstacle(step)) is not None:
            return NotTried(obstacle)
        results = self._progress.results
        self._progress.note_interruption(step)
        changes: Sequence[SentChange] = ()
        try:
            with stating_what_is_left() as changes:
                results[id(step)] = self._carry_out(step, selected or ExitStack())
        except BaseException as error:
            if not _is_of_step(error, step):
                self._progress.note_interruption(step, error, changes)
                raise
            results[id(step)] = error
        return results[id(step)]

    def _carry_out(self, step: Step, selected: ExitStack) -> str | None:
        """Carry out a step, and return the id of what it made.

        Args:
            step: The step.
            selected: Gets the context of the store, if the step makes a secret.
        """
        kinds: dict[str, Any] = {
            "project": self._admin.projects,
            "api_key": self._admin.api_keys,
            "service_account": self._admin.service_accounts,
        }
        match step.action, step.kind:
            case "create", "project":
                settings: Any = step.after
                made = ensure_project(self._admin, name=step.name or "", **settings, known=self._project_ids)
                return made.value.id
            case "create", "api_key":
                return self._create_key(step, self._select_store(step, selected))
            case "create", _:
                return self._create_account(step, self._select_store(step, selected))
            case "invite", _:
                return self._invite(step)
            case "grant", _:
                self._grant(step, self._progress.find_holder(step))
            case "revoke", _:
                held = step.kind, step.id, step.project_id, step.before["role"]
                delete_if_exists(self._admin.role_bindings.delete, role_binding_id=self._bindings[held])
            case "delete", "user" | "invite":
                delete_person(self._admin, step, operation="apply")
            case "delete", kind:
                delete_if_exists(kinds[kind].delete, **{f"{kind}_id": step.id})
            case _, kind:
                kinds[kind].update(**{f"{kind}_id": step.id}, **step.after)
        return None

    def _invite(self, step: Step) -> str:
        for each in _list_replaced(step):
            delete_if_exists(self._admin.invites.delete, invite_id=each)
        bindings = self._list_bindings(step)
        made = ensure_invite(self._admin, email=step.name or "", role_bindings=bindings, is_missing=True)
        if made.differences:
            raise RefusedError(f"there is another invite to {step.name}: {made.differences[0]}", operation="apply")
        return made.value.id

    def _grant(self, step: Step, principal_id: str | None) -> None:
        for role in self._list_bindings(step):
            ensure_role_binding(
                self._admin,
                principal_type=cast("Any", step.kind),
                principal_id=principal_id or "",
                resource_type=role.resource_type,
                resource_id=role.resource_id,
                role=role.role,
                is_missing=True,
            )

    def _list_bindings(self, step: Step) -> list[RoleBindingInput]:
        """Return the roles that a step gives, on projects by their ids."""
        return [
            RoleBindingInput(
                resource_type="organization" if each.project is None else "project",
                resource_id=None
                if each.project is None
                else self._progress.find_project(each.project, each.project_id),
                role=cast("Any", each.role),
            )
            for each in list_granted(step)
        ]

    def _select_store(self, step: Step, selected: ExitStack) -> Store[Any] | None:
        store = self._store
        if isinstance(store, StoreByName):
            store = selected.enter_context(store.select(SecretOwner(step.kind, step.project or "", step.name or "")))
        return None if store is None else wrap_store(store, self._progress)

    def _create_key(self, step: Step, store: Store[Any] | None) -> str:
        name, roles = step.name or "", cast("Any", step.after["roles"])
        leftovers = [self._keys[each] for each in _list_replaced(step)]
        if (stored := find_stored_key(leftovers, name, store)) is not None:
            leftovers.remove(stored)
            self._admin.api_keys.update(api_key_id=stored.id, name=name, roles=roles)
            delete_leftover_keys(self._admin, leftovers)
            return stored.id
        check_unused(store)
        with Rollback(self._admin) as rollback:
            made, _ = create_named_key(
                self._admin,
                project_id=self._progress.find_project(step.project, step.project_id) or "",
                name=name,
                roles=roles,
                leftovers=leftovers,
                store=store,
                rollback=rollback,
            )
        return made.key.id

    def _create_account(self, step: Step, store: Store[Any] | None) -> str:
        name = step.name or ""
        leftovers = [self._accounts[each] for each in _list_replaced(step)]
        if (stored := find_stored_account(leftovers, name, store)) is not None:
            leftovers.remove(stored)
            policy, changes = DifferencePolicy("apply", "update", revoke_unlisted=True), ChangeLog(dry_run=False)
            with Rollback(self._admin) as rollback:
                reconcile_bindings(
                    self._admin,
                    stored,
                    wanted=self._list_bindings(step),
                    policy=policy,
                    changes=changes,
                    rollback=rollback,
                )
            self._admin.service_accounts.update(service_account_id=stored.id, name=name)
            delete_leftover_accounts(self._admin, leftovers)
            return stored.id
        check_unused(store)
        with Rollback(self._admin) as rollback:
            made, _ = create_named_account(
                self._admin,
                name=name,
                leftovers=leftovers,
                role_bindings=self._list_bindings(step),
                store=store,
                rollback=rollback,
            )
        return made.service_account.id


def _is_of_step(error: BaseException, step: Step) -> TypeGuard[Exception]:
    """Return whether an error ends its step only; any error may be that of a store."""
    may_fail = Exception if makes_secret(step) else PineconeError
    return isinstance(error, may_fail) and not isinstance(error, ClientClosedError | ReadOnlyError)


def _list_replaced(step: Step) -> list[str]:
    return cast("list[str]", step.before.get("replaced_ids", []))
