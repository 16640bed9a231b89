"""Carry out a plan of an organization's changes, and read nothing beyond one inventory unless something fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from typing import Any

from attrs import evolve

from pinecone_admin._async.workflows.client_state import find_caller, limit_parallel_requests
from pinecone_admin._async.workflows.create_with_secret import (
    Store,
    complete_or_create_account,
    complete_or_create_key,
)
from pinecone_admin._async.workflows.ensure_binding import grant_role
from pinecone_admin._async.workflows.ensure_invite import LAPSED, find_new_member, fits_invite, require_pending
from pinecone_admin._async.workflows.ensure_project import create_planned_project
from pinecone_admin._async.workflows.offboard import delete_person
from pinecone_admin._async.workflows.read_people import list_people, refuse_if_back
from pinecone_admin._async.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._async.workflows.take_inventory import take_inventory
from pinecone_admin._concurrency.parallel import async_run_in_parallel
from pinecone_admin._concurrency.waiting import COMPLETION_TIMEOUT
from pinecone_admin._http.argument_checks import (
    async_check_function,
    check_bool,
    check_integer,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.lookup import find_user
from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.version import __version__
from pinecone_admin.errors import ConflictError
from pinecone_admin.models import APIKey, Invite, RoleBinding, ServiceAccountWithSecret, User
from pinecone_admin.workflows.apply_report import ApplyReport
from pinecone_admin.workflows.change_operations import build_role_bindings
from pinecone_admin.workflows.change_plan import ChangePlan, order_changes, rank_change
from pinecone_admin.workflows.changes import PEOPLE, Change, CreatedResource, Step
from pinecone_admin.workflows.desired_state import DesiredState
from pinecone_admin.workflows.ending import Created, refer_to
from pinecone_admin.workflows.organization_index import OrganizationIndex, held_role
from pinecone_admin.workflows.plan_execution import (
    PlanExecution,
    describe_ended_users,
    name_secret_owner,
    review_plan,
    wrap_store,
)
from pinecone_admin.workflows.planner import plan_changes
from pinecone_admin.workflows.plans import check_plan
from pinecone_admin.workflows.readable_store import StoreByName


async def plan_organization(
    run: AsyncRun,
    desired: DesiredState,
    *,
    base: DesiredState | None,
    client_id: str | None,
    commit: str | None,
) -> ChangePlan:
    """Read the organization once, and plan."""
    inventory = await take_inventory(run)
    own = find_caller(run.admin, client_id, operation="plan").client_id  # known once there is a token
    if own is None:
        with set_operation_on_errors("plan"):
            raise value_error("client_id", "is needed, because an access token does not show its account")
    return plan_changes(inventory, desired, client_id=own, base=base, commit=commit)


async def apply_plan(
    run: AsyncRun,
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
        plan = evolve(plan, changes=order_changes("plan", check_plan(plan, ChangePlan).changes))
        async_check_function("store", store, optional=True)
        check_bool("drift", drift)
        check_bool("allow_own", allow_own)
        if allow_removals is not None:
            check_integer("allow_removals", allow_removals, least=0)
    inventory = await take_inventory(run)
    caller, index = find_caller(run.admin, client_id, operation="apply"), OrganizationIndex(inventory)
    compared = review_plan(
        plan, index, inventory, caller=caller, drift=drift, allow_removals=allow_removals, allow_own=allow_own
    )
    new_secrets = sum(each.change.makes_secret for each in compared if each.state == "ready")
    if store is None and new_secrets:
        with set_operation_on_errors("apply"):
            secrets = count_noun(new_secrets, "secret")
            raise value_error("store", f"is needed: {secrets} would be made; nothing was changed")
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
    execution = PlanExecution(report, compared)
    await _carry_out_all(run, execution, index, store, client_id=caller.client_id)
    return report


async def _carry_out_all(
    run: AsyncRun,
    execution: PlanExecution,
    index: OrganizationIndex,
    store: Store[Any] | None,
    *,
    client_id: str | None,
) -> None:
    """Carry out the changes in the order of their ranks.

    Those of one rank are carried out concurrently; but one secret at a time, so that a failure ends them.

    Args:
        run: The run.
        execution: The report so far.
        index: The organization.
        store: Stores the secrets; None if none is made.
        client_id: Client id of the caller; None if it is unknown.
    """

    async def attempt(number: int) -> None:
        """Carry out a change; one that fails does not stop those that do not depend on it.

        The run of the change ends first, so the recorded steps show what was undone.
        """
        change, steps = execution.begin(number), list[Step]()
        if change is None:
            return
        with ExitStack() as selected:  # until the step is in the report
            try:
                async with AsyncRun(run.admin, run.operation, dry_run=False) as part:
                    steps, selected_store = part.steps, store
                    if change.makes_secret and isinstance(store, StoreByName):
                        owner = name_secret_owner(change, execution.new_project_names)
                        selected_store = selected.enter_context(store.select(owner))
                    wrapped = None if selected_store is None else wrap_store(selected_store, execution)
                    created = await _carry_out(part, change, index, wrapped, client_id=client_id)
            except BaseException as error:
                if not execution.record_failure(number, change, steps, error):
                    raise
            else:
                execution.record(number, change, steps, created)

    try:
        for _, group in groupby(execution.ready, key=lambda number: rank_change(execution.changes[number])):
            ranked = list(group)
            secrets = [each for each in ranked if execution.changes[each].makes_secret]
            plain = [each for each in ranked if each not in {*secrets}]
            limit = limit_parallel_requests(run.admin)
            await async_run_in_parallel(
                attempt, plain, limit=limit, deliver=lambda _, done: done, interrupt_timeout=COMPLETION_TIMEOUT
            )
            for secret in secrets:
                await attempt(secret)
    finally:
        execution.finish()


async def _carry_out(
    run: AsyncRun, change: Change, index: OrganizationIndex, store: Store[Any] | None, *, client_id: str | None
) -> CreatedResource | None:
    """Carry out a change, and return what it created.

    Each case leaves at least one step in the run. What the change replaces is deleted before an invite is sent, but
    only after a secret is stored.

    Args:
        run: The run of the change.
        change: The change; everything that it names has an id.
        index: The organization.
        store: Stores the secret, if the change makes one.
        client_id: Client id of the caller; None if it is unknown.
    """
    target = change.target
    run.known.update(index.ids)
    leftovers: Any = [index.find(each.kind, each.id) for each in change.replaces]
    match change.action, target.kind:
        case "create", "project":
            return await create_planned_project(run, change, index.projects)
        case "create", "api_key":
            roles: Any = change.settings.roles
            key = await complete_or_create_key(run, key=target, roles=roles, leftovers=leftovers, store=store)
            return key if isinstance(key, APIKey) else key.key
        case "create", _:
            account = await complete_or_create_account(
                run,
                name=target.name or "",
                roles=change.roles,
                leftovers=leftovers,
                store=store,
                client_id=client_id,
            )
            return account.service_account if isinstance(account, ServiceAccountWithSecret) else account
        case "invite", _:
            for replaced in change.replaces:
                await delete_person(run, Change(action="delete", target=replaced, reason=LAPSED))
            return await _invite(run, change)
        case "grant", _:
            return await _grant_role(run, change)
        case "revoke", _:
            await run.do(change, binding_id=index.bindings[target.kind, target.id or "", held_role(change.roles[0])])
        case "delete", "user" | "invite":
            await delete_person(run, change)
        case _:
            await run.do(change)
    if target.kind in PEOPLE and run.steps[-1].state == "skipped":
        await refuse_if_back(run, run.steps[-1:], known=index.ids)
    return None


async def _invite(run: AsyncRun, change: Change) -> Invite | None:
    """Send an invite and return it; to a person who has joined since the plan was compared, grant the missing roles."""
    email = change.target.name or ""

    async def find() -> User | Invite | None:
        invites, users = await list_people(run.admin, email)
        return find_user(users, email, operation=run.operation) or require_pending(invites, email)

    fits = partial(fits_invite, run, change)
    created: Created[User | Invite] = await run.create(change, find, fits=fits, is_unique=True, can_undo=False)
    person = created.value
    if not (created.is_new and created.is_certain):
        policy = DifferencePolicy(run.operation, "update" if isinstance(person, User) else "raise")
        await reconcile_bindings(run, person, wanted=build_role_bindings(change.roles), policy=policy)
    return None if isinstance(person, User) else person


async def _grant_role(run: AsyncRun, change: Change) -> RoleBinding:
    """Grant a role; if its principal is an invite that was accepted after the plan was compared, to the member."""
    try:
        return (await grant_role(run, change)).value
    except ConflictError:
        person = change.target
        if person.kind != "invite" or (member := await find_new_member(run, person.name or "")) is None:
            raise
    return (await grant_role(run, evolve(change, target=refer_to(member)))).value
