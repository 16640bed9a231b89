# Derived from pinecone_admin/_async/workflows/ensure_with_secret.py by scripts/unasync.py: change that, not this file.
"""Ensure that a key or an account exists; it gets its name only after its secret is stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from pinecone_admin._http.argument_checks import (
    check_bool,
    check_function,
    copy_bindings,
    copy_to_list,
    set_operation_on_errors,
)
from pinecone_admin._http.lookup import require_single
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._sync.workflows.change_log import ChangeLog, update_key
from pinecone_admin._sync.workflows.client_state import runs_workflow
from pinecone_admin._sync.workflows.create_with_secret import (
    Store,
    check_unused,
    create_named_account,
    create_named_key,
    delete_leftover_accounts,
    delete_leftover_keys,
    describe_leftover_account,
    describe_leftover_key,
    find_stored_account,
    find_stored_key,
)
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.rollback import Rollback, join_rollback
from pinecone_admin.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    CreateAPIKeyRequest,
    CreateServiceAccountRequest,
    RoleBindingDict,
    RoleBindingInput,
    RoleBindingLike,
    ServiceAccount,
    ServiceAccountWithSecret,
)
from pinecone_admin.operations import create_api_key, create_service_account
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.reports import (
    Difference,
    Ensured,
    OnDifference,
    compare_settings,
    keys_of_wanted_bindings,
)
from pinecone_admin.workflows.retired_keys import find_holders, find_successors_to_rename
from pinecone_admin.workflows.steps import Step, describe_key_step, describe_new_secret

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


@runs_workflow
def ensure_api_key(
    admin: Admin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    store: Store[APIKeyWithSecret] | None = None,
    on_difference: OnDifference = "report",
    dry_run: bool = False,
    project: str | None = None,
    rollback: Rollback | None = None,
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Ensure that a project has a key with this name."""
    policy = DifferencePolicy("ensure_api_key", on_difference)
    with set_operation_on_errors("ensure_api_key"):
        check_function("store", store, optional=True)
        policy.check()
        check_bool("dry_run", dry_run)
        roles = copy_to_list(roles)
        check_operation(create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=roles)))
        name_tags.check_untagged(name)
    changes = ChangeLog(dry_run=dry_run, project=project)
    keys = admin.api_keys.list(project_id=project_id)
    held = find_holders(name, keys)
    if held:
        key = require_single(held, f"API keys named {name!r}")
        final = find_successors_to_rename(keys).get(key.id, key)
        return _reconcile_key(admin, key, final, roles=roles, policy=policy, changes=changes)
    leftovers = [key for key in keys if name_tags.is_being_made(key.name, name)]
    if (stored := find_stored_key(leftovers, name, store)) is not None:
        leftovers.remove(stored)
        # It is completed to what is wanted, whatever the policy: nobody has seen it under its name yet.
        final = evolve(stored, name=name, roles=stored.roles if roles is None else roles)
        ensured = Ensured(value=update_key(admin, stored, final, changes), created=False)
        deletions = map(describe_leftover_key, leftovers) if dry_run else delete_leftover_keys(admin, leftovers)
        changes.record(*deletions)
        return evolve(ensured, steps=changes.steps)
    check_unused(store)
    requested = {} if roles is None else {"roles": roles}
    step = Step(action="create", kind="api_key", name=name, project_id=project_id, after=requested)
    if dry_run:
        made_steps = describe_new_secret(step, is_stored=store is not None)
        changes.record(*made_steps, *map(describe_leftover_key, leftovers))
        return Ensured(value=None, created=True, steps=changes.steps)
    with join_rollback(admin, rollback) as joined:
        made, deleted = create_named_key(
            admin,
            project_id=project_id,
            name=name,
            roles=roles,
            leftovers=leftovers,
            store=store,
            rollback=joined,
        )
    changes.record(*describe_new_secret(evolve(step, id=made.key.id), is_stored=store is not None), *deleted)
    return Ensured(value=made, created=True, steps=changes.steps)


def _reconcile_key(
    admin: Admin,
    key: APIKey,
    final: APIKey,
    *,
    roles: Sequence[APIKeyRole] | None,
    policy: DifferencePolicy,
    changes: ChangeLog,
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Compare an existing key with the wanted one, once it has the name that an interrupted run has not given it."""
    differing = compare_settings(roles=(set(final.roles), None if roles is None else set(roles)))
    policy.refuse(f"API key {key.id}", differing)
    key = update_key(admin, key, final, changes)
    if differing and roles is not None and policy.updates:
        update = partial(admin.api_keys.update, api_key_id=key.id, roles=roles)
        step = describe_key_step("update", key, before={"roles": key.roles}, after={"roles": list(roles)})
        key = changes.apply(step, update, preview=evolve(key, roles=list(roles)))
    return Ensured(value=key, created=False, differences=differing, steps=changes.steps)


@runs_workflow
def ensure_service_account(
    admin: Admin,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
    dry_run: bool = False,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that a service account with this name exists."""
    policy = DifferencePolicy("ensure_service_account", on_difference, revoke_unlisted)
    wanted = None if role_bindings is None else copy_bindings(role_bindings)
    with set_operation_on_errors("ensure_service_account"):
        check_function("store", store, optional=True)
        policy.check()
        check_bool("dry_run", dry_run)
        check_operation(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
        name_tags.check_untagged(name)
    changes = ChangeLog(dry_run=dry_run)

    accounts = admin.service_accounts.list().to_list()
    named = [each for each in accounts if each.name == name]
    leftovers = [] if named else [each for each in accounts if name_tags.is_being_made(each.name, name)]
    existing = require_single(named, f"service accounts named {name!r}") if named else None
    if existing is None and (existing := find_stored_account(leftovers, name, store)) is not None:
        leftovers.remove(existing)
    if existing is None:
        check_unused(store)
    with Rollback(admin) as rollback:
        if existing is not None:
            differing: list[Difference] = []
            if existing.name != name:  # of an interrupted run: it is completed to exactly what is wanted
                policy = evolve(policy, on_difference="update", revoke_unlisted=True)
            if wanted is not None:
                differing = reconcile_bindings(
                    admin, existing, wanted=wanted, policy=policy, changes=changes, rollback=rollback
                )
            if existing.name != name:
                existing = _rename_account(admin, existing, name, changes)
                deletions = map(describe_leftover_account, leftovers)
                changes.record(*(deletions if dry_run else delete_leftover_accounts(admin, leftovers)))
            return Ensured(value=existing, created=False, differences=differing, steps=changes.steps)
        requested = {} if wanted is None else {"roles": [str(each) for each in keys_of_wanted_bindings(wanted)]}
        step = Step(action="create", kind="service_account", name=name, after=requested)
        if dry_run:
            made_steps = describe_new_secret(step, is_stored=store is not None)
            changes.record(*made_steps, *map(describe_leftover_account, leftovers))
            return Ensured(value=None, created=True, steps=changes.steps)
        made, deleted = create_named_account(
            admin, name=name, leftovers=leftovers, role_bindings=wanted, store=store, rollback=rollback
        )
    account_id = made.service_account.id
    changes.record(*describe_new_secret(evolve(step, id=account_id), is_stored=store is not None), *deleted)
    return Ensured(value=made, created=True, steps=changes.steps)


def _rename_account(admin: Admin, account: ServiceAccount, name: str, changes: ChangeLog) -> ServiceAccount:
    step = Step(
        action="rename",
        kind="service_account",
        name=account.name,
        id=account.id,
        before={"name": account.name},
        after={"name": name},
    )
    rename = partial(admin.service_accounts.update, service_account_id=account.id, name=name)
    return changes.apply(step, rename, preview=evolve(account, name=name))
