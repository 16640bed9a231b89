# Derived from pinecone_admin/_async/workflows/ensure_with_secret.py by scripts/unasync.py: change that, not this file.
"""Ensure that a key or an account exists; it gets its name only after its secret is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pinecone_admin._http.argument_checks import (
    check_function,
    copy_bindings,
    copy_to_list,
    set_operation_on_errors,
)
from pinecone_admin._http.lookup import require_single
from pinecone_admin._http.validation import check_operation
from pinecone_admin._sync.workflows.create_with_secret import (
    Store,
    create_stored_account,
    create_stored_key,
    delete_and_report,
    list_accounts_named,
    list_keys_named,
)
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
    from pinecone_admin._sync.client import Admin


def ensure_api_key(
    admin: Admin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    store: Store[APIKeyWithSecret] | None = None,
) -> Ensured[APIKeyWithSecret | APIKey]:
    """Ensure that a project has a key with this name."""
    with set_operation_on_errors("ensure_api_key"):
        check_function("store", store, optional=True)
        check_operation(
            create_api_key(project_id=project_id, body=CreateAPIKeyRequest(name=name, roles=copy_to_list(roles)))
        )
    named = list_keys_named(admin, project_id=project_id, name=name)
    if named:
        key = require_single(named, f"API keys named {name!r}")
        differing = compare_settings(roles=(set(key.roles), None if roles is None else set(roles)))
        return Ensured(value=key, created=False, differences=differing)
    made, _ = create_stored_key(
        admin, project_id=project_id, name=name_tags.tag_as_being_made(name), roles=roles, store=store
    )
    try:
        key = admin.api_keys.update(api_key_id=made.key.id, name=name)
    except PineconeError as error:
        if store is None:  # the value is lost with the error
            delete_and_report(error, f"API key {made.key.id}", admin.api_keys.delete, api_key_id=made.key.id)
        raise
    return Ensured(value=APIKeyWithSecret(key=key, value=made.value), created=True)


def ensure_service_account(
    admin: Admin,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
) -> Ensured[ServiceAccountWithSecret | ServiceAccount]:
    """Ensure that a service account with this name exists."""
    wanted = None if role_bindings is None else copy_bindings(role_bindings)
    with set_operation_on_errors("ensure_service_account"):
        check_function("store", store, optional=True)
        check_operation(create_service_account(body=CreateServiceAccountRequest(name=name, role_bindings=wanted)))
    named = list_accounts_named(admin, name)
    if named:
        account = require_single(named, f"service accounts named {name!r}")
        return Ensured(value=account, created=False, differences=_compare_roles(admin, account, wanted))
    made = create_stored_account(admin, name=name_tags.tag_as_being_made(name), role_bindings=wanted, store=store)
    account_id = made.service_account.id
    try:
        differing = _compare_roles(admin, made.service_account, wanted)
        # Named last: with the roles read after it, 7 of 300 random runs left a named account whose secret was lost.
        account = admin.service_accounts.update(service_account_id=account_id, name=name)
    except PineconeError as error:
        if store is None:  # the secret is lost with the error
            description = f"service account {account_id}"
            delete_and_report(error, description, admin.service_accounts.delete, service_account_id=account_id)
        raise
    value = ServiceAccountWithSecret(service_account=account, client_secret=made.client_secret)
    return Ensured(value=value, created=True, differences=differing)


def _compare_roles(
    admin: Admin, account: ServiceAccount, wanted: Sequence[RoleBindingInput] | None
) -> list[Difference]:
    if wanted is None:
        return []
    bindings = admin.role_bindings.list(principal_type="service_account", principal_id=account.id).to_list()
    return compare_settings(role_bindings=(describe_bindings(bindings), describe_wanted_bindings(wanted)))
