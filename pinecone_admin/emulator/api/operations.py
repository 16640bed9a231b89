"""The operations of the Admin API: one function for each, in the order of the API document.

Structure, statuses and limits are those of the Admin API document, version 2026-07. Refusals follow the reference pages
and the official SDK's tests. Every function checks in the server's order: validation, existence, permission, plan and
quota, conflict.

The matrix in `permissions` decides what a caller may do. A `find_` function returns only what the caller may see.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias
from urllib.parse import parse_qsl

from pinecone_admin.emulator.api import checks, control_plane, paging
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.preconditions import (
    find_api_key,
    find_invite,
    find_organization,
    find_project,
    find_role_binding,
    find_service_account,
    find_service_account_to_rotate,
    find_user,
    grant_project_ownership,
    list_visible_bindings,
    list_visible_projects,
    require_another_organization_role,
    require_another_owner,
    require_any_role,
    require_api_key_quota,
    require_billing,
    require_bindable,
    require_caller_holds,
    require_deletable_invite,
    require_deletable_organization,
    require_distinct,
    require_empty_project,
    require_encryption_kept,
    require_fitting_role,
    require_free_email,
    require_grantable,
    require_mail_quota,
    require_own_project,
    require_permission,
    require_principal,
    require_project_quota,
    require_resendable,
    require_roles_in_plan,
    require_service_accounts_in_plan,
    require_unbound,
    require_unmanaged,
    require_user_quota,
    resolve_grant,
)
from pinecone_admin.emulator.api.refusals import invalid_argument, quoted
from pinecone_admin.emulator.api.serialization import (
    Document,
    api_key_document,
    invite_document,
    organization_document,
    project_document,
    role_binding_document,
    service_account_document,
    service_account_with_secret_document,
    user_document,
)
from pinecone_admin.emulator.model.listing import Listing
from pinecone_admin.emulator.model.records import BindingFilter, Grant, Principal
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ROLES

OperationFunction: TypeAlias = Callable[[OperationContext], Document | None]

OPERATIONS: dict[str, OperationFunction] = {}
"""The functions by the ids of their operations. Their routes are in `operations.json`."""


def _operation(run: OperationFunction) -> OperationFunction:
    OPERATIONS[run.__name__] = run
    return run


# Organizations

_ORGANIZATION_NAME = checks.max_characters(512)


@_operation
def list_organizations(context: OperationContext) -> Document:
    """Return a list with the caller's organization."""
    require_permission(context, "read-organization")
    return {"data": [organization_document(context.state)]}


@_operation
def fetch_organization(context: OperationContext) -> Document:
    """Return the organization."""
    find_organization(context)
    return organization_document(context.state)


@_operation
def update_organization(context: OperationContext) -> Document:
    """Rename the organization."""
    name = context.fields.optional("name", _ORGANIZATION_NAME)
    organization = find_organization(context)
    require_permission(context, "update-organization")
    organization.name = name or organization.name
    return organization_document(context.state)


@_operation
def delete_organization(context: OperationContext) -> None:
    """Delete the organization and all its principals, including the caller."""
    organization = find_organization(context)
    require_permission(context, "delete-organization")
    require_deletable_organization(context, organization)
    context.state.delete_organization()


# Projects

_PROJECT_NAME = checks.without_nul(checks.max_characters(512))


@_operation
def list_projects(context: OperationContext) -> Document:
    """Return all visible projects, without paging."""
    require_any_role(context)
    return {"data": [project_document(context.state, project) for project in list_visible_projects(context)]}


@_operation
def create_project(context: OperationContext) -> Document:
    """Create an empty project."""
    fields = context.fields
    name = fields.required("name", _PROJECT_NAME)
    max_pods = _read_max_pods(context, fields)
    cmek = fields.optional("force_encryption_with_cmek", checks.boolean) or False
    require_permission(context, "create-project")
    require_billing(context)
    require_project_quota(context)
    if max_pods is None:
        max_pods = context.state.settings.default_max_pods if context.state.settings.pod_access else 0
    project = context.state.add_project(name, context.now, max_pods=max_pods, cmek=cmek)
    grant_project_ownership(context, project)
    return project_document(context.state, project)


@_operation
def fetch_project(context: OperationContext) -> Document:
    """Return a project."""
    return project_document(context.state, find_project(context))


@_operation
def update_project(context: OperationContext) -> Document:
    """Change a project's name, pod limit or encryption."""
    fields = context.fields
    name = fields.optional("name", _PROJECT_NAME)
    max_pods = _read_max_pods(context, fields)
    cmek = fields.optional("force_encryption_with_cmek", checks.boolean)
    project = find_project(context)
    require_permission(context, "manage-projects", resource_id=project.id)
    require_encryption_kept(project, cmek)
    project.name = name or project.name
    project.max_pods = project.max_pods if max_pods is None else max_pods
    project.force_encryption_with_cmek = cmek or project.force_encryption_with_cmek
    return project_document(context.state, project)


@_operation
def delete_project(context: OperationContext) -> None:
    """Delete an empty project and its API keys."""
    project = find_project(context)
    require_permission(context, "manage-projects", resource_id=project.id)
    control_plane.complete_deletions(project, context.now)
    require_empty_project(project)
    context.state.remove_project(project)


def _read_max_pods(context: OperationContext, fields: Fields) -> int | None:
    max_pods = fields.optional("max_pods", checks.non_negative_integer)
    if max_pods and not context.state.settings.pod_access:
        reason = "organizations that began on or after 2025-08-18 have no pod access"
        raise invalid_argument(f"max_pods must be 0, not {quoted(max_pods)}: {reason}")
    return max(max_pods, context.state.settings.max_pods_floor) if max_pods else max_pods


# API keys. Their roles are stored as role bindings on the project, so both namespaces return the same roles.

_API_KEY_NAME = checks.max_characters(80)
_API_KEY_ROLE_SET = checks.array(checks.one_of(API_KEY_ROLES))


@_operation
def list_project_api_keys(context: OperationContext) -> Document:
    """Return all API keys of a project, without paging."""
    project = find_project(context)
    require_permission(context, "read-api-keys", resource_id=project.id)
    return {"data": [api_key_document(context.state, key) for key in project.api_keys.values()]}


@_operation
def create_api_key(context: OperationContext) -> Document:
    """Create an API key and return its value, which no other operation returns."""
    fields = context.fields
    name = fields.required("name", _API_KEY_NAME)
    roles = fields.optional("roles", _API_KEY_ROLE_SET)
    project = find_project(context)
    require_permission(context, "manage-api-keys", resource_id=project.id)
    grants = _project_grants(project.id, ["ProjectEditor"] if roles is None else roles)
    require_caller_holds(context, grants)
    require_billing(context)
    require_roles_in_plan(context, "api_key", grants)
    require_api_key_quota(context, project)
    key = context.state.add_api_key(project, name, context.now)
    context.state.bind(Principal("api_key", key.id), grants, context.now)
    return {"key": api_key_document(context.state, key), "value": key.value}


@_operation
def fetch_api_key(context: OperationContext) -> Document:
    """Return an API key without its value."""
    key = find_api_key(context)
    require_permission(context, "read-api-keys", resource_id=key.project_id)
    return api_key_document(context.state, key)


@_operation
def update_api_key(context: OperationContext) -> Document:
    """Rename an API key or replace its roles."""
    fields = context.fields
    name = fields.optional("name", _API_KEY_NAME)
    roles = fields.optional("roles", _API_KEY_ROLE_SET)
    key = find_api_key(context)
    require_permission(context, "manage-api-keys", resource_id=key.project_id)
    grants = _project_grants(key.project_id, roles or [])
    require_caller_holds(context, grants)
    require_roles_in_plan(context, "api_key", grants)
    key.name = name or key.name
    if roles is not None:
        context.state.unbind_all(Principal("api_key", key.id))
        context.state.bind(Principal("api_key", key.id), grants, context.now)
    return api_key_document(context.state, key)


@_operation
def delete_api_key(context: OperationContext) -> None:
    """Delete an API key."""
    key = find_api_key(context)
    require_permission(context, "manage-api-keys", resource_id=key.project_id)
    context.state.remove_api_key(key)


def _project_grants(project_id: str, roles: Iterable[str]) -> list[Grant]:
    # The roles of a key are a set: a role that is sent twice is bound once.
    return [Grant(role, "project", project_id) for role in dict.fromkeys(roles)]


# Users


@_operation
def list_users(context: OperationContext) -> Document:
    """Return a page of the users, or the user with the given email."""
    address = context.query.optional("email", checks.email)
    page_request = paging.read_page_request(context, "users", address)
    require_permission(context, "read-principals")
    if address is None:
        return paging.page_document(context, page_request, context.state.users.listing, user_document)
    user = context.state.users.find(address)
    return paging.page_document(context, page_request, Listing([user] if user else []), user_document)


@_operation
def fetch_user(context: OperationContext) -> Document:
    """Return a user."""
    return user_document(find_user(context))


@_operation
def delete_user(context: OperationContext) -> None:
    """Remove a user from the organization."""
    user = find_user(context)
    require_permission(context, "manage-members")
    require_unmanaged(context, user.email)
    require_another_owner(context, context.state.role_bindings.held_by(Principal("user", user.id)))
    context.state.remember_person(user.email)
    context.state.remove_user(user)


# Invites

_INVITE_GRANTS = checks.array(checks.grant, 1, 100)


@_operation
def list_invites(context: OperationContext) -> Document:
    """Return a page of the pending and expired invites."""
    page_request = paging.read_page_request(context, "invites")
    require_permission(context, "read-principals")
    return paging.page_document(
        context, page_request, context.state.open_invites, lambda invite: invite_document(invite, context.now)
    )


@_operation
def create_invite(context: OperationContext) -> Document:
    """Create an invite with roles, and mail it."""
    fields = context.fields
    address = fields.required("email", checks.email)
    requested = fields.required("role_bindings", _INVITE_GRANTS)
    if all(grant.resource_type == "project" for grant in requested):
        raise invalid_argument("role_bindings must include an organization role")
    grants = [resolve_grant(context, grant) for grant in requested]
    require_permission(context, "manage-members")
    require_grantable(context, grants)
    require_roles_in_plan(context, "invite", grants)
    require_user_quota(context)
    require_mail_quota(context)
    require_unmanaged(context, address)
    require_free_email(context, address)
    require_distinct(grants)
    context.state.remember_person(address)
    invite = context.state.add_invite(address, context.now)
    context.state.bind(Principal("invite", invite.id), grants, context.now)
    return invite_document(invite, context.now)


@_operation
def fetch_invite(context: OperationContext) -> Document:
    """Return an invite, whatever its status."""
    return invite_document(find_invite(context), context.now)


@_operation
def delete_invite(context: OperationContext) -> None:
    """Delete an invite that has not been accepted."""
    invite = find_invite(context)
    require_permission(context, "manage-members")
    require_unmanaged(context, invite.email)
    require_deletable_invite(invite)
    context.state.remove_invite(invite)


@_operation
def resend_invite(context: OperationContext) -> Document:
    """Mail an invite again and renew its lifetime."""
    invite = find_invite(context)
    require_permission(context, "manage-members")
    if invite.status(context.now) == "expired":
        require_user_quota(context)
    require_mail_quota(context)
    require_unmanaged(context, invite.email)
    require_resendable(context, invite)
    context.state.mail_invite(invite, context.now)
    return invite_document(invite, context.now)


# Service accounts

_SERVICE_ACCOUNT_NAME = checks.max_bytes(80)
_SERVICE_ACCOUNT_GRANTS = checks.array(checks.grant, 0, 100)


@_operation
def list_service_accounts(context: OperationContext) -> Document:
    """Return a page of the service accounts."""
    page_request = paging.read_page_request(context, "service_accounts")
    require_permission(context, "read-principals")
    return paging.page_document(context, page_request, context.state.service_accounts.listing, service_account_document)


@_operation
def create_service_account(context: OperationContext) -> Document:
    """Create a service account and return its client secret."""
    fields = context.fields
    name = fields.required("name", _SERVICE_ACCOUNT_NAME)
    requested = fields.optional("role_bindings", _SERVICE_ACCOUNT_GRANTS) or []
    grants = [resolve_grant(context, grant) for grant in requested]
    require_permission(context, "manage-service-accounts")
    require_grantable(context, grants)
    require_service_accounts_in_plan(context)
    require_roles_in_plan(context, "service_account", grants)
    require_distinct(grants)
    account = context.state.add_service_account(name, context.now)
    context.state.bind(Principal("service_account", account.id), grants, context.now)
    return service_account_with_secret_document(account)


@_operation
def fetch_service_account(context: OperationContext) -> Document:
    """Return a service account."""
    return service_account_document(find_service_account(context))


@_operation
def update_service_account(context: OperationContext) -> Document:
    """Rename a service account; without a name, only `updated_at` changes."""
    name = context.fields.optional("name", _SERVICE_ACCOUNT_NAME)
    account = find_service_account(context)
    require_permission(context, "manage-service-accounts")
    require_service_accounts_in_plan(context)
    if name != account.name or context.state.settings.same_name_changes_updated_at:
        account.mark_updated(context.now)
    account.name = name or account.name
    return service_account_document(account)


@_operation
def delete_service_account(context: OperationContext) -> None:
    """Delete a service account, its role bindings and its access tokens."""
    account = find_service_account(context)
    require_permission(context, "manage-service-accounts")
    context.state.remove_service_account(account)


@_operation
def rotate_service_account_secret(context: OperationContext) -> Document:
    """Replace a client secret and return the new one."""
    account = find_service_account_to_rotate(context)
    require_service_accounts_in_plan(context)
    context.state.rotate_secret(account)
    if context.state.settings.rotation_changes_updated_at:
        account.mark_updated(context.now)
    return service_account_with_secret_document(account)


# Role bindings

_PRINCIPAL_TYPE = checks.one_of(checks.PRINCIPAL_TYPES)
_RESOURCE_TYPE = checks.one_of(checks.RESOURCE_TYPES)
_ROLE = checks.one_of(ROLES)


@_operation
def list_role_bindings(context: OperationContext) -> Document:
    """Return a page of the visible role bindings that match all given filters."""
    filters = _read_binding_filter(context)
    page_request = paging.read_page_request(context, "role_bindings", filters)
    return paging.page_document(context, page_request, list_visible_bindings(context, filters), role_binding_document)


@_operation
def create_role_binding(context: OperationContext) -> Document:
    """Grant a role to a principal."""
    principal, requested = _read_principal_and_grant(context.fields)
    require_principal(context, principal)
    grant = resolve_grant(context, requested)
    require_own_project(context, principal, grant)
    require_grantable(context, [grant])
    require_fitting_role(principal, grant)
    require_roles_in_plan(context, principal.type, [grant])
    email = context.state.find_email(principal)
    require_unmanaged(context, email)
    require_unbound(context, principal, grant)
    context.state.remember_person(email)
    (binding,) = context.state.bind(principal, [grant], context.now)
    return role_binding_document(binding)


@_operation
def fetch_role_binding(context: OperationContext) -> Document:
    """Return a role binding."""
    return role_binding_document(find_role_binding(context))


@_operation
def delete_role_binding(context: OperationContext) -> None:
    """Revoke a role; a user without any role is removed from the organization."""
    binding = find_role_binding(context)
    require_bindable(context, binding.grant)
    email = context.state.find_email(binding.principal)
    require_unmanaged(context, email)
    require_another_owner(context, [binding])
    require_another_organization_role(context, binding)
    context.state.remember_person(email)
    context.state.role_bindings.remove(binding)
    # Only users leave with their last role; service accounts and API keys stay without any.
    user = context.state.users.get(binding.principal.id)
    if user and not context.state.role_bindings.held_by(binding.principal):
        context.state.remove_user(user)


def _read_binding_filter(context: OperationContext) -> BindingFilter:
    # Without blank values: an empty filter counts as absent.
    query = Fields(dict(parse_qsl(context.request.query)))
    filters = BindingFilter(
        principal_type=query.optional("principal_type", _PRINCIPAL_TYPE),
        principal_id=query.optional("principal_id", checks.string),
        resource_type=query.optional("resource_type", _RESOURCE_TYPE),
        resource_id=query.optional("resource_id", checks.string),
        role=query.optional("role", _ROLE),
    )
    if filters.principal_id is not None and filters.principal_type is None:
        raise invalid_argument(f"principal_id {quoted(filters.principal_id)} requires principal_type")
    if filters.resource_id is not None and filters.resource_type is None:
        raise invalid_argument(f"resource_id {quoted(filters.resource_id)} requires resource_type")
    return filters


def _read_principal_and_grant(fields: Fields) -> tuple[Principal, checks.GrantInput]:
    principal = Principal(
        type=fields.required("principal_type", _PRINCIPAL_TYPE),
        id=fields.required("principal_id", checks.string),
    )
    return principal, checks.read_grant(fields)
