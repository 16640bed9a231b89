"""Ensure what has a secret: it has its name only once the secret is stored, so that what exists wants nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.create_with_secret import (
    Store,
    accounts_named,
    keys_named,
    make_key,
    make_service_account,
    undo,
)
from pinecone_admin._http.arguments import as_bindings, as_list
from pinecone_admin._http.validation import check
from pinecone_admin._http.workflow_arguments import arguments_of, async_check_function
from pinecone_admin.errors import PineconeError
from pinecone_admin.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    CreateAPIKeyRequest,
    CreateServiceAccountRequest,
    RoleBindingDict,
    RoleBindingInput,
    ServiceAccount,
    ServiceAccountWithSecret,
)
from pinecone_admin.operations import create_api_key, create_service_account
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.reports import Difference, Ensured, differences, roles_found, roles_wanted, the_only

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
    """Ensure that a project has a key of this name."""
    with arguments_of("ensure_api_key"):
        async_check_function("store", store, optional=True)
        check(create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=as_list(roles))))
    named = await keys_named(admin, project_id=project_id, name=name)
    if named:
        key = the_only(named, f"API keys named {name!r}")
        differ = differences(roles=(set(key.roles), None if roles is None else set(roles)))
        return Ensured(value=key, created=False, differences=differ)
    made, _ = await make_key(admin, project_id=project_id, name=name_tags.makes(name), roles=roles, store=store)
    try:
        key = await admin.api_keys.update(api_key_id=made.key.id, name=name)
    except PineconeError as error:
        if store is None:  # its value goes with the error
            await undo(error, f"API key {made.key.id}", admin.api_keys.delete, api_key_id=made.key.id)
        raise
    return Ensured(value=APIKeyWithSecret(key=key, value=made.value), created=True)


async def ensure_service_account(
    admin: AsyncAdmin,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that there is a service account of this name."""
    wanted = None if role_bindings is None else as_bindings(role_bindings)
    with arguments_of("ensure_service_account"):
        async_check_function("store", store, optional=True)
        check(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
    named = await accounts_named(admin, name)
    if named:
        account = the_only(named, f"service accounts named {name!r}")
        return Ensured(value=account, created=False, differences=await _roles_differ(admin, account, wanted))
    made = await make_service_account(admin, name=name_tags.makes(name), role_bindings=wanted, store=store)
    account_id = made.service_account.id
    try:
        differ = await _roles_differ(admin, made.service_account, wanted)
        account = await admin.service_accounts.update(service_account_id=account_id, name=name)
    except PineconeError as error:
        if store is None:  # its secret goes with the error
            what = f"service account {account_id}"
            await undo(error, what, admin.service_accounts.delete, service_account_id=account_id)
        raise
    value = ServiceAccountWithSecret(service_account=account, client_secret=made.client_secret)
    return Ensured(value=value, created=True, differences=differ)


async def _roles_differ(
    admin: AsyncAdmin, account: ServiceAccount, wanted: Sequence[RoleBindingInput] | None
) -> list[Difference]:
    if wanted is None:
        return []
    bindings = await admin.role_bindings.list(principal_type="service_account", principal_id=account.id).to_list()
    return differences(role_bindings=(roles_found(bindings), roles_wanted(wanted)))
