# Derived from pinecone_admin/_async/workflows/apply_plan.py by scripts/unasync.py: change that, not this file.
"""Carry out a plan of an organization's changes, and read nothing beyond one inventory unless something fails.

It stands on what ``ensure`` stands on, since ``ensure`` itself reads the lists again for each resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, cast

from generated_client.types import Operation
from pinecone_admin._concurrency.parallel import run_in_parallel
from pinecone_admin._http.argument_checks import (
    check_bool,
    check_function,
    check_integer,
    set_operation_on_errors,
    value_error,
)
from pinecone_admin._http.headers import __version__
from pinecone_admin._http.lookup import is_same_email, require_single
from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin._sync.workflows.client_state import own_client_id
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
from pinecone_admin._sync.workflows.ensure_binding import ensure_role_binding
from pinecone_admin._sync.workflows.find_or_create import Ensurable
from pinecone_admin._sync.workflows.offboard import delete_person
from pinecone_admin._sync.workflows.rollback import Rollback
from pinecone_admin._sync.workflows.take_inventory import take_inventory
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import ClientClosedError, PineconeError, ReadOnlyError
from pinecone_admin.models import (
    CreateInviteRequest,
    CreateProjectRequest,
    Invite,
    PrincipalType,
    Project,
    RoleBindingInput,
)
from pinecone_admin.operations import create_invite, create_project
from pinecone_admin.workflows.apply_report import ApplyReport, NewSecret
from pinecone_admin.workflows.applying import (
    ApplyProgress,
    NotTried,
    RedactingStore,
    note_done,
    select_changes,
)
from pinecone_admin.workflows.change_plan import ChangePlan
from pinecone_admin.workflows.desired_state import DesiredState
from pinecone_admin.workflows.plan_facts import find_skipped
from pinecone_admin.workflows.planned_changes import PlannedChange, find_changes
from pinecone_admin.workflows.planner import plan_changes
from pinecone_admin.workflows.plans import check_organization, check_plan
from pinecone_admin.workflows.readable_store import ReadableStore, StoreByName
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin
_T = TypeVar("_T")

_CONCURRENCY = 16


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


def apply_plan(
    admin: Admin, plan: ChangePlan, *, store: Store[Any] | None, drift: bool, allow_removals: int | None
) -> ApplyReport:
    """Read and plan again, refuse before the first change, and carry out what the plan has and is still needed."""
    with set_operation_on_errors("apply"):
        check_plan(plan, ChangePlan)
        check_function("store", store, optional=True)
        check_bool("drift", drift)
        if allow_removals is not None:
            check_integer("allow_removals", allow_removals, least=0)
    inventory = take_inventory(admin, concurrency=_CONCURRENCY, progress=None)
    client_id = own_client_id(admin) or plan.client_id
    check_organization(plan.organization_id, inventory.organizations, operation="apply")
    _, changes = find_changes(
        inventory,
        DesiredState.from_dict(plan.desired),
        client_id=client_id,
        base=None if plan.base is None else DesiredState.from_dict(plan.base),
        commit=plan.commit,
    )
    selected = select_changes(plan, changes, inventory, client_id=client_id, drift=drift, allow_removals=allow_removals)
    if store is None and (made := sum(each.makes_secret for each in selected)):
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
        skipped=find_skipped(plan.steps, *([each.step for each in some] for some in (changes, selected))),
    )
    try:
        _AsyncApplication(admin, store, ApplyProgress(report)).run(selected)
    except BaseException as error:
        note_done(error, report.done)
        raise
    return report


class _AsyncApplication:
    """Carries out changes in the order of their ranks.

    Args:
        admin: The client.
        store: Stores the secrets; None if none is made.
        progress: What was done so far.
    """

    def __init__(self, admin: Admin, store: Store[Any] | None, progress: ApplyProgress) -> None:
        self._admin = admin
        self._store = store
        self._progress = progress

    def run(self, changes: Sequence[PlannedChange]) -> None:
        """Carry out the changes of one rank concurrently; but one secret at a time, so that a failure ends them."""
        limit = min(_CONCURRENCY, self._admin.max_connections)
        for _, group in groupby(changes, key=lambda each: each.rank):
            ranked = list(group)
            plain = [each for each in ranked if not each.makes_secret]
            run_in_parallel(self._try, plain, limit=limit, deliver=self._progress.record)
            for each in ranked:
                if each.makes_secret:
                    self._progress.record(each, self._try(each))

    def _try(self, change: PlannedChange) -> str | Exception | NotTried | None:
        """Carry out a change; one that fails does not stop those that do not depend on it."""
        if (obstacle := self._progress.find_obstacle(change)) is not None:
            return NotTried(obstacle)
        try:
            return self._carry_out(change)
        except (ClientClosedError, ReadOnlyError):
            raise
        except PineconeError as error:
            return error
        except Exception as error:
            if not change.makes_secret:
                raise
            return error

    def _carry_out(self, change: PlannedChange) -> str | None:
        """Carry out a change, and return the id of what it made."""
        # The planner gives every step but those that make something an id.
        step, id, name = change.step, change.step.id or "", change.step.name or ""
        match step.action:
            case "create" if step.kind == "project":
                return self._create_project(change, name)
            case "create" if step.kind == "service_account":
                return self._create_account(change, name)
            case "create":
                return self._create_key(change, name)
            case "invite":
                return self._invite(change, name)
            case "grant":
                self._grant(change)
            case "revoke":
                delete_if_exists(self._admin.role_bindings.delete, role_binding_id=change.binding_id)
            case "delete":
                self._delete(step, id)
            case _:
                self._update(change, id)
        return None

    def _delete(self, step: Step, id: str) -> None:
        if step.kind == "api_key":
            delete_if_exists(self._admin.api_keys.delete, api_key_id=id)
        elif step.kind == "service_account":
            delete_if_exists(self._admin.service_accounts.delete, service_account_id=id)
        else:
            delete_person(self._admin, step, operation="apply")

    def _update(self, change: PlannedChange, id: str) -> None:
        settings = self._settings(change.step)
        if change.step.kind == "project":
            self._admin.projects.update(project_id=id, **settings)
        elif change.step.kind == "service_account":
            self._admin.service_accounts.update(service_account_id=id, **settings)
        else:
            self._admin.api_keys.update(api_key_id=id, **settings)

    @staticmethod
    def _settings(step: Step) -> dict[str, Any]:
        return dict(step.after)

    def _create_project(self, change: PlannedChange, name: str) -> str:
        operation = create_project(body=CreateProjectRequest(name=name, **self._settings(change.step)))

        def find() -> Project | None:
            named = [each for each in self._admin.projects.list() if each.name == name]
            return require_single(named, f"projects named {name!r}") if named else None

        return (self._create(change, f"project {name!r}", find, operation)).id

    def _create(
        self,
        change: PlannedChange,
        description: str,
        find: Callable[[], _T | None],
        operation: Operation[_T],
    ) -> _T:
        """Create what the inventory does not have; if the response is lost, find it."""
        wanted = Ensurable(
            description=description,
            step=lambda _: change.step,
            find=find,
            create=partial(self._admin.send, operation),
            undo=None,
            is_unique=change.step.kind == "invite",
            is_missing=True,
        )
        with Rollback(self._admin) as rollback:
            made, _ = wanted.find_or_create(self._admin, ChangeLog(dry_run=False), rollback)
        assert made is not None  # noqa: S101 - only a dry run returns nothing
        return made

    def _invite(self, change: PlannedChange, email: str) -> str:
        for each in change.replaced:
            delete_if_exists(self._admin.invites.delete, invite_id=each.id)
        operation = create_invite(body=CreateInviteRequest(email=email, role_bindings=self._bindings(change)))

        def find() -> Invite | None:
            invites = [each for each in self._admin.invites.list() if is_same_email(each.email, email)]
            return next((each for each in invites if each.status == "pending"), None)

        return (self._create(change, f"invite for {email}", find, operation)).id

    def _grant(self, change: PlannedChange, principal_id: str | None = None) -> None:
        for role in self._bindings(change):
            ensure_role_binding(
                self._admin,
                principal_type=cast("PrincipalType", change.step.kind),
                principal_id=principal_id or self._progress.find_principal(change) or "",
                resource_type=role.resource_type,
                resource_id=role.resource_id,
                role=role.role,
                is_missing=principal_id is None,
            )

    def _bindings(self, change: PlannedChange) -> list[RoleBindingInput]:
        """Return the roles of a change, on projects by their ids."""
        return [
            RoleBindingInput(resource_type="organization", role=each.role)
            if each.project is None
            else RoleBindingInput(
                resource_type="project", resource_id=self._progress.find_project(each.project), role=each.role
            )
            for each in change.roles
        ]

    def _select_store(self, step: Step) -> Store[Any] | None:
        store = self._store
        if isinstance(store, StoreByName):
            return store.select(step.kind, step.project or "", step.name or "")
        if store is None:
            return None
        if isinstance(store, ReadableStore):
            return RedactingStore(store, self._progress)

        def store_known(made: NewSecret) -> object:
            self._progress.redact(made)
            return store(made)

        return store_known

    def _create_key(self, change: PlannedChange, name: str) -> str:
        assert change.project is not None  # noqa: S101 - every key has one
        project_id, roles = self._progress.find_project(change.project) or "", self._settings(change.step)["roles"]
        leftovers, store = [*change.leftovers], self._select_store(change.step)
        if (stored := find_stored_key(leftovers, store)) is not None:
            leftovers.remove(stored)
            self._admin.api_keys.update(api_key_id=stored.id, name=name, roles=roles)
            delete_leftover_keys(self._admin, leftovers)
            return stored.id
        check_unused(store)
        with Rollback(self._admin) as rollback:
            made, _ = create_named_key(
                self._admin,
                project_id=project_id,
                name=name,
                roles=roles,
                leftovers=leftovers,
                store=store,
                rollback=rollback,
            )
        return made.key.id

    def _create_account(self, change: PlannedChange, name: str) -> str:
        leftovers, store = [*change.leftovers], self._select_store(change.step)
        if (stored := find_stored_account(leftovers, store)) is not None:
            leftovers.remove(stored)
            self._grant(change, stored.id)
            self._admin.service_accounts.update(service_account_id=stored.id, name=name)
            delete_leftover_accounts(self._admin, leftovers)
            return stored.id
        check_unused(store)
        with Rollback(self._admin) as rollback:
            made, _ = create_named_account(
                self._admin,
                name=name,
                leftovers=leftovers,
                role_bindings=self._bindings(change),
                store=store,
                rollback=rollback,
            )
        return made.service_account.id
