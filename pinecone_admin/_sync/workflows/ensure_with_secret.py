# Derived from pinecone_admin/_async/workflows/ensure_with_secret.py by scripts/unasync.py: change that, not this file.
"""Ensure that a key or an account exists; it gets its name only after its secret is stored.

These are the two workflows alone: they check arguments, find what has the name, and compare it. What creates a resource
with a secret is in ``create_with_secret``, which other workflows use, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from pinecone_admin._http.argument_checks import (
    as_plain_value,
    check_function,
    copy_bindings,
    copy_to_list,
    set_operation_on_errors,
)
from pinecone_admin._http.lookup import find_named, require_single
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._sync.workflows.client_state import find_caller
from pinecone_admin._sync.workflows.create_with_secret import (
    Store,
    complete_or_create_account,
    complete_or_create_key,
    update_key,
)
from pinecone_admin._sync.workflows.ensure_binding import check_organization_ids
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin._text.quoting import quote_name
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
from pinecone_admin.workflows.retired_keys import find_successors_to_rename


def ensure_api_key(
    run: Run,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    store: Store[APIKeyWithSecret] | None = None,
    on_difference: OnDifference = "report",
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Ensure that a project has a key with this name."""
    name = as_plain_value(name)
    policy, began = DifferencePolicy("ensure_api_key", on_difference), len(run.steps)
    with set_operation_on_errors("ensure_api_key"):
        check_function("store", store, optional=True)
        policy.check()
        roles = copy_to_list(roles)
        check_operation(create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=roles)))
        name_tags.check_untagged(name)
    keys = run.admin.api_keys.list(project_id=project_id)
    run.known.update(each.id for each in keys)
    differing: list[Difference] = []
    renamed = find_successors_to_rename(keys)
    if held := find_named([renamed.get(key.id, key) for key in keys], name):
        final = require_single(held, f"API keys named {quote_name(name)}")
        key = next(each for each in keys if each.id == final.id)
        differing = compare_settings(roles=(set(final.roles), None if roles is None else set(roles)))
        policy.refuse(f"API key {key.id}", differing)
        key = update_key(run, key, final)
        if differing and roles is not None and policy.updates:
            key = update_key(run, key, evolve(key, roles=roles))
        return Ensured(value=key, created=False, differences=differing, steps=run.steps[began:])
    found_or_created = complete_or_create_key(
        run,
        key=Ref("api_key", name, project=Ref("project", run.project, project_id)),
        roles=roles,
        leftovers=[key for key in keys if name_tags.is_temporary_name_of(key.name, name)],
        store=store,
    )
    created = isinstance(found_or_created, APIKeyWithSecret)
    value = None if created and run.dry_run else found_or_created
    return Ensured(value=value, created=created, steps=run.steps[began:])


def ensure_service_account(
    run: Run,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
    client_id: str | None = None,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that a service account with this name exists."""
    name = as_plain_value(name)
    policy = DifferencePolicy("ensure_service_account", on_difference, revoke_unlisted)
    wanted = None if role_bindings is None else copy_bindings(role_bindings)
    with set_operation_on_errors("ensure_service_account"):
        check_function("store", store, optional=True)
        policy.check()
        check_client_id(client_id)
        check_operation(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
        name_tags.check_untagged(name)
    check_organization_ids(run, wanted or (), "role_bindings")
    accounts = run.admin.service_accounts.list().to_list()
    run.known.update(each.id for each in accounts)
    find_caller(run.admin, client_id, operation="ensure_service_account")  # a wrong argument must not end it later
    if not (named := find_named(accounts, name)):
        created = complete_or_create_account(
            run,
            name=name,
            roles=None if wanted is None else refer_to_roles(wanted),
            leftovers=[account for account in accounts if name_tags.is_temporary_name_of(account.name, name)],
            store=store,
            client_id=client_id,
        )
        return Ensured(value=created, created=not isinstance(created, ServiceAccount), steps=run.steps)
    existing, differing = require_single(named, f"service accounts named {quote_name(name)}"), list[Difference]()
    if wanted is not None:
        differing = reconcile_bindings(run, existing, wanted=wanted, policy=policy, client_id=client_id)
    return Ensured(value=existing, created=False, differences=differing, steps=run.steps)
