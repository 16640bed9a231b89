# Derived from pinecone_admin/_async/workflows/apply_plan.py by scripts/unasync.py: change that, not this file.
"""Carry out a plan of an organization's changes, and read nothing beyond one inventory unless something fails.

It stands on what ``ensure`` stands on, since ``ensure`` itself reads the lists again for each resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from attrs import evolve

from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_function,
    check_integer,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.headers import __version__
from pinecone_admin._sync.workflows.client_state import find_caller, runs_workflow
from pinecone_admin._sync.workflows.create_with_secret import (
    LEFTOVER,
    Store,
    check_unused,
    create_named_account,
    create_named_key,
    delete_leftovers,
    find_stored_account,
    find_stored_key,
    rename,
    update_key,
)
from pinecone_admin._sync.workflows.ensure import ensure_invite, ensure_project
from pinecone_admin._sync.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._sync.workflows.offboard import delete_person
from pinecone_admin._sync.workflows.run import Run, open_part
from pinecone_admin._sync.workflows.take_inventory import take_inventory
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import ClientClosedError, PineconeError, ReadOnlyError, RefusedError
from pinecone_admin.models import APIKey, Invite, RoleBinding, ServiceAccount
from pinecone_admin.workflows.apply_report import ApplyReport
from pinecone_admin.workflows.change_operations import build_role_bindings
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.changes import Change, Made, Ref, RoleAt
from pinecone_admin.workflows.desired_state import DesiredState
from pinecone_admin.workflows.organization_index import OrganizationIndex, held_role
from pinecone_admin.workflows.plan_execution import (
    STOPPED,
    NotTried,
    PlanExecution,
    Result,
    describe_ended_users,
    describe_failure,
    find_new_project_names,
    name_secret_owner,
    review_plan,
    wrap_store,
)
from pinecone_admin.workflows.planner import plan_changes, rank_change
from pinecone_admin.workflows.plans import check_plan
from pinecone_admin.workflows.readable_store import StoreByName
from pinecone_admin.workflows.sent_changes import SentChange, stating_what_is_left

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
    own = find_caller(admin, client_id, operation="plan").client_id  # known once there is a token
    if own is None:
        with set_operation_on_errors("plan"):
            raise value_error("client_id", "is needed: a token does not tell whose it is")
    return plan_changes(inventory, desired, client_id=own, base=base, commit=commit)


@runs_workflow
def apply_plan(
    admin: Admin,
    plan: ChangePlan,
    *,
    store: Store[Any] | None,
    drift: bool,
    allow_removals: int | None,
    allow_own: bool,
    client_id: str | None,
    begin: Callable[[ApplyReport], object] | None = None,
) -> ApplyReport:
    """Read again, refuse before the first change, and carry out what the plan has and is still needed.

    Before the first change, ``begin`` gets the report, which has every step at the end, also after an interruption.
    """
    with set_operation_on_errors("apply"):
        check_plan(plan, ChangePlan)
        check_function("store", store, optional=True)
        check_bool("drift", drift)
        check_bool("allow_own", allow_own)
        if allow_removals is not None:
            check_integer("allow_removals", allow_removals, least=0)
    inventory = take_inventory(admin, concurrency=_CONCURRENCY, progress=None)
    caller, index = find_caller(admin, client_id, operation="apply"), OrganizationIndex(inventory)
    compared = review_plan(
        plan, index, inventory, caller=caller, drift=drift, allow_removals=allow_removals, allow_own=allow_own
    )
    made = sum(each.change.makes_secret for each in compared if each.state == "ready")
    if store is None and made:
        with set_operation_on_errors("apply"):
            raise value_error("store", f"is needed: {count_noun(made, 'secret')} would be made; nothing was changed")
    report = ApplyReport(
        organization_id=plan.organization_id,
        client_id=caller.client_id,
        applied_at=inventory.taken_at,
        package_version=__version__,
        source=plan.source,
        digest=plan.digest,
        commit=plan.commit,
        stopped=plan.stopped,
        offboarded=describe_ended_users(compared, inventory),
    )
    if begin is not None:
        begin(report)
    _AsyncApplication(admin, store, index, PlanExecution(report, compared)).run()
    return report


class _AsyncApplication:
    """Carries out changes in the order of their ranks.

    Args:
        admin: The client.
        store: Stores the secrets; None if none is made.
        index: The organization.
        execution: What was done so far.
    """

    def __init__(
        self, admin: Admin, store: Store[Any] | None, index: OrganizationIndex, execution: PlanExecution
    ) -> None:
        self._admin = admin
        self._store = store
        self._index = index
        self._execution = execution
        self._new_names = find_new_project_names(execution.changes)

    def run(self) -> None:
        """Carry out the changes of one rank concurrently; but one secret at a time, so that a failure ends them."""
        limit, execution = min(_CONCURRENCY, self._admin.max_connections), self._execution
        try:
            for _, group in groupby(execution.ready, key=lambda number: rank_change(execution.changes[number])):
                ranked = list(group)
                secrets = [each for each in ranked if execution.changes[each].makes_secret]
                plain = [each for each in ranked if each not in {*secrets}]
                run_in_parallel(self._try, plain, limit=limit, deliver=execution.record)
                for each in secrets:
                    with ExitStack() as selected:  # until the step is in the report
                        execution.record(each, self._try(each, selected))
        finally:
            execution.finish()

    def _try(self, number: int, selected: ExitStack | None = None) -> Result:
        """Carry out a change; one that fails does not stop those that do not depend on it."""
        change = self._execution.resolve(number)
        if (obstacle := self._execution.find_obstacle(change)) is not None:
            return NotTried(obstacle)
        results = self._execution.results
        results[number] = STOPPED
        sent: Sequence[SentChange] = ()
        try:
            with stating_what_is_left() as sent:
                with open_part(self._admin, "apply", dry_run=False) as run:
                    results[number] = self._carry_out(run, number, change, selected or ExitStack())
        except BaseException as error:
            if not _is_of_change(error, change):
                self._execution.stop(number, error, sent)
                raise
            results[number] = describe_failure(error, sent)
        return results[number]

    def _carry_out(self, run: Run, number: int, change: Change, selected: ExitStack) -> Made | None:
        """Carry out a change, and return what it made.

        Args:
            run: The run of the change.
            number: The place of the change in the plan.
            change: The change; everything that it names has an id.
            selected: Gets the context of the store, if the change makes a secret.
        """
        target = change.target
        match change.action, target.kind:
            case "create", "project":
                settings: Any = change.settings.fields
                known = {*self._index.projects}
                return (ensure_project(run, name=target.name or "", **settings, known=known)).value
            case "create", "api_key":
                return self._create_key(run, number, change, self._select_store(change, selected))
            case "create", _:
                return self._create_account(run, number, change, self._select_store(change, selected))
            case "invite", _:
                return self._invite(run, number, change)
            case "grant", _:
                return _grant(run, target, change.roles[0])
            case "revoke", _:
                self._revoke(run, change)
            case "delete", "user" | "invite":
                delete_person(run, target)
            case _:
                run.do(change)
        return None

    def _invite(self, run: Run, number: int, change: Change) -> Invite:
        for each in change.replaces:
            delete_person(run, each)
            self._execution.record_deletion(number, each, "it has expired")
        bindings, email = build_role_bindings(change.roles), change.target.name or ""
        made = ensure_invite(run, email=email, role_bindings=bindings, is_missing=True)
        if made.differences:
            raise RefusedError(f"there is another invite to {email}: {made.differences[0]}", operation="apply")
        return made.value

    def _revoke(self, run: Run, change: Change) -> None:
        target, role = change.target, change.roles[0]
        run.do(change, binding_id=self._index.bindings[target.kind, target.id or "", held_role(role)])

    def _select_store(self, change: Change, selected: ExitStack) -> Store[Any] | None:
        store = self._store
        if isinstance(store, StoreByName):
            store = selected.enter_context(store.select(name_secret_owner(change, self._new_names)))
        return None if store is None else wrap_store(store, self._execution)

    def _create_key(self, run: Run, number: int, change: Change, store: Store[Any] | None) -> APIKey:
        target, roles = change.target, cast("Any", [*(change.settings.roles or ())])
        name, leftovers = target.name or "", cast("list[APIKey]", self._find_replaced(change))
        if (stored := find_stored_key(leftovers, name, store)) is not None:
            leftovers.remove(stored)
            key = update_key(run, stored, evolve(stored, name=name, roles=roles))
            delete_leftovers(run, leftovers)
        else:
            check_unused(store)
            key = (create_named_key(run, key=target, roles=roles, leftovers=leftovers, store=store)).key
        self._record_deletions(run, number, change)
        return key

    def _create_account(self, run: Run, number: int, change: Change, store: Store[Any] | None) -> ServiceAccount:
        name, leftovers = change.target.name or "", cast("list[ServiceAccount]", self._find_replaced(change))
        if (stored := find_stored_account(leftovers, name, store)) is not None:
            leftovers.remove(stored)
            self._complete_roles(run, stored, change.roles)
            account = rename(run, stored, name)
            delete_leftovers(run, leftovers)
        else:
            check_unused(store)
            made = create_named_account(run, name=name, leftovers=leftovers, roles=change.roles, store=store)
            assert made is not None  # noqa: S101 - this is no dry run
            account = made.service_account
        self._record_deletions(run, number, change)
        return account

    def _complete_roles(self, run: Run, stored: ServiceAccount, wanted: tuple[RoleAt, ...]) -> None:
        """Give an account that an interrupted run left exactly the roles that are wanted, before it gets its name."""
        target, held = self._index.refer_to(stored), self._index.roles_of(stored)
        for role in wanted:
            if role not in held:
                _grant(run, target, role)
        for role in held:
            if role not in wanted:
                self._revoke(run, Change(action="revoke", target=target, roles=(role,)))

    def _find_replaced(self, change: Change) -> list[APIKey | ServiceAccount]:
        found = [self._index.find(each.kind, each.id) for each in change.replaces]
        return [each for each in found if isinstance(each, APIKey | ServiceAccount)]

    def _record_deletions(self, run: Run, number: int, change: Change) -> None:
        deleted = {each.change.target.id for each in run.steps if each.change.action == "delete"}
        for each in change.replaces:
            if each.id in deleted:
                self._execution.record_deletion(number, each, LEFTOVER)


def _grant(run: Run, target: Ref, role: RoleAt) -> RoleBinding:
    [binding] = build_role_bindings((role,))
    made = ensure_role_binding(
        run,
        principal_type=cast("Any", target.kind),
        principal_id=target.id or "",
        resource_type=binding.resource_type,
        resource_id=binding.resource_id,
        role=binding.role,
        is_missing=True,
    )
    return made.value


def _is_of_change(error: BaseException, change: Change) -> TypeGuard[Exception]:
    """Return whether an error ends its change only; any error may be that of a store."""
    may_fail = Exception if change.makes_secret else PineconeError
    return isinstance(error, may_fail) and not isinstance(error, ClientClosedError | ReadOnlyError)
