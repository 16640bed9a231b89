"""Ensure that a key or an account exists; it gets its name only after its secret is stored."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from pinecone_admin._async.workflows.create_with_secret import (
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
from pinecone_admin._async.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._http.argument_checks import (
    async_check_function,
    copy_bindings,
    copy_to_list,
    set_operation_on_errors,
)
from pinecone_admin._http.lookup import require_single
from pinecone_admin._http.operation_checks import check_operation
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
from pinecone_admin.workflows.changes import Ref
from pinecone_admin.workflows.ending import refer_to_roles
from pinecone_admin.workflows.guard import check_client_id
from pinecone_admin.workflows.reports import Difference, Ensured, OnDifference, compare_settings
from pinecone_admin.workflows.retired_keys import find_holders, find_successors_to_rename


async def ensure_api_key(
    run: AsyncRun,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    store: Store[APIKeyWithSecret] | None = None,
    on_difference: OnDifference = "report",
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Ensure that a project has a key with this name."""
    policy, began = DifferencePolicy("ensure_api_key", on_difference), len(run.steps)
    with set_operation_on_errors("ensure_api_key"):
        async_check_function("store", store, optional=True)
        policy.check()
        roles = copy_to_list(roles)
        check_operation(create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=roles)))
        name_tags.check_untagged(name)
    keys = await run.admin.api_keys.list(project_id=project_id)
    differing: list[Difference] = []
    if held := find_holders(name, keys):
        key = require_single(held, f"API keys named {name!r}")
        final = find_successors_to_rename(keys).get(key.id, key)
        differing = compare_settings(roles=(set(final.roles), None if roles is None else set(roles)))
        policy.refuse(f"API key {key.id}", differing)
        key = await update_key(run, key, final)
        if differing and roles is not None and policy.updates:
            key = await update_key(run, key, evolve(key, roles=roles))
        return Ensured(value=key, created=False, differences=differing, steps=run.steps[began:])
    leftovers = [key for key in keys if name_tags.is_being_made(key.name, name)]
    if (stored := await find_stored_key(leftovers, name, store)) is not None:
        leftovers.remove(stored)
        # It is completed to what is wanted, whatever the policy: nobody has seen it under its name yet.
        final = evolve(stored, name=name, roles=stored.roles if roles is None else roles)
        key = await update_key(run, stored, final)
        await delete_leftovers(run, leftovers)
        return Ensured(value=key, created=False, steps=run.steps[began:])
    check_unused(store)
    wanted = Ref("api_key", name, project=Ref("project", run.project, project_id))
    made = await create_named_key(run, key=wanted, roles=roles, leftovers=leftovers, store=store)
    return Ensured(value=None if run.dry_run else made, created=True, steps=run.steps[began:])


async def ensure_service_account(
    run: AsyncRun,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
    client_id: str | None = None,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that a service account with this name exists."""
    policy = DifferencePolicy("ensure_service_account", on_difference, revoke_unlisted)
    wanted = None if role_bindings is None else copy_bindings(role_bindings)
    with set_operation_on_errors("ensure_service_account"):
        async_check_function("store", store, optional=True)
        policy.check()
        check_client_id(client_id)
        check_operation(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
        name_tags.check_untagged(name)
    accounts = await run.admin.service_accounts.list().to_list()
    named = [each for each in accounts if each.name == name]
    leftovers = [] if named else [each for each in accounts if name_tags.is_being_made(each.name, name)]
    existing = require_single(named, f"service accounts named {name!r}") if named else None
    if existing is None and (existing := await find_stored_account(leftovers, name, store)) is not None:
        leftovers.remove(existing)
    if existing is None:
        check_unused(store)
        made = await create_named_account(
            run, name=name, leftovers=leftovers, roles=refer_to_roles(wanted or ()), store=store
        )
        return Ensured(value=made, created=True, steps=run.steps)
    if existing.name != name:  # of an interrupted run: it is completed to exactly what is wanted
        policy = evolve(policy, on_difference="update", revoke_unlisted=True)
    differing: list[Difference] = []
    if wanted is not None:
        differing = await reconcile_bindings(run, existing, wanted=wanted, policy=policy, client_id=client_id)
    if existing.name != name:
        existing = await rename(run, existing, name)
        await delete_leftovers(run, leftovers)
    return Ensured(value=existing, created=False, differences=differing, steps=run.steps)
