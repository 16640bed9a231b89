"""What each operation does: one function for each, in the API document's order.

Structure, statuses and limits are those of the Admin API document, version 2026-07; what is refused, and when, is what
the reference pages and the official SDK's tests pin. Every function checks in the server's order: validation,
existence, permission, plan and quota, conflict.

Of the permission matrix two rules are enforced: nobody grants what they do not hold, and who has no
organization role is refused whatever does not concern a single project.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from attrs import frozen

from pinecone_admin.emulator.api import checks, control_plane, paging, preconditions, serialization
from pinecone_admin.emulator.api.checks import Fields, invalid, shown
from pinecone_admin.emulator.api.messages import Call
from pinecone_admin.emulator.api.serialization import Document
from pinecone_admin.emulator.model.listing import Listing
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ROLES
from pinecone_admin.emulator.model.state import BindingFilter, Grant, Principal

Run: TypeAlias = Callable[[Call], Document | None]


@frozen
class Operation:
    """An operation of the API document, the status of its success, and the function that carries it out."""

    id: str
    method: str
    path: str
    status: int
    run: Run


OPERATIONS: list[Operation] = []


def _operation(method: str, path: str, *, status: int = 200) -> Callable[[Run], Run]:
    def register(run: Run) -> Run:
        OPERATIONS.append(Operation(run.__name__, method, path, status, run))
        return run

    return register


# Organizations

_ORGANIZATION_NAME = checks.characters(512)


@_operation("GET", "/admin/organizations")
def list_organizations(call: Call) -> Document:
    """List the organization that the credentials belong to."""
    preconditions.member(call)
    return {"data": [serialization.organization(call.state.organization)]}


@_operation("GET", "/admin/organizations/{organization_id}")
def fetch_organization(call: Call) -> Document:
    """Describe the organization."""
    organization = preconditions.organization(call)
    preconditions.member(call)
    return serialization.organization(organization)


@_operation("PATCH", "/admin/organizations/{organization_id}")
def update_organization(call: Call) -> Document:
    """Rename the organization."""
    name = call.fields.optional("name", _ORGANIZATION_NAME)
    organization = preconditions.organization(call)
    preconditions.member(call)
    organization.name = name or organization.name
    return serialization.organization(organization)


@_operation("DELETE", "/admin/organizations/{organization_id}", status=202)
def delete_organization(call: Call) -> None:
    """Delete the organization and everybody in it, the caller included."""
    organization = preconditions.organization(call)
    preconditions.member(call)
    preconditions.dissolvable(call, organization)
    call.state.dissolve()


# Projects

_PROJECT_NAME = checks.without_nul(checks.characters(512))


@_operation("GET", "/admin/projects")
def list_projects(call: Call) -> Document:
    """List all projects."""
    preconditions.member(call)
    return {"data": [serialization.project(project) for project in call.state.projects.values()]}


@_operation("POST", "/admin/projects")
def create_project(call: Call) -> Document:
    """Create an empty project."""
    fields = call.fields
    name = fields.required("name", _PROJECT_NAME)
    max_pods = _max_pods(call, fields) or 0
    cmek = fields.optional("force_encryption_with_cmek", checks.boolean) or False
    preconditions.member(call)
    preconditions.billing(call)
    preconditions.project_quota(call)
    return serialization.project(call.state.add_project(name, call.now, max_pods=max_pods, cmek=cmek))


@_operation("GET", "/admin/projects/{project_id}")
def fetch_project(call: Call) -> Document:
    """Describe a project."""
    return serialization.project(preconditions.project(call))


@_operation("PATCH", "/admin/projects/{project_id}")
def update_project(call: Call) -> Document:
    """Change a project's name, pod ceiling or encryption."""
    fields = call.fields
    name = fields.optional("name", _PROJECT_NAME)
    max_pods = _max_pods(call, fields)
    cmek = fields.optional("force_encryption_with_cmek", checks.boolean)
    project = preconditions.project(call)
    preconditions.encryption_kept(project, cmek)
    project.name = name or project.name
    project.max_pods = project.max_pods if max_pods is None else max_pods
    project.force_encryption_with_cmek = cmek or project.force_encryption_with_cmek
    return serialization.project(project)


@_operation("DELETE", "/admin/projects/{project_id}", status=202)
def delete_project(call: Call) -> None:
    """Delete an empty project with its keys."""
    project = preconditions.project(call)
    control_plane.settle(project, call.now)
    preconditions.empty(project)
    call.state.remove_project(project)


def _max_pods(call: Call, fields: Fields) -> int | None:
    max_pods = fields.optional("max_pods", checks.pod_count)
    if max_pods and not call.state.settings.pod_access:
        raise invalid(f"max_pods must be 0 without pod access, not {shown(max_pods)}")
    return max_pods


# API keys: their roles are role bindings on their project, so that both namespaces tell the same

_API_KEY_NAME = checks.characters(80)
_API_KEY_ROLE_SET = checks.array(checks.one_of(API_KEY_ROLES))


@_operation("GET", "/admin/projects/{project_id}/api-keys")
def list_project_api_keys(call: Call) -> Document:
    """List a project's keys."""
    return {"data": [serialization.api_key(call.state, key) for key in preconditions.project(call).api_keys.values()]}


@_operation("POST", "/admin/projects/{project_id}/api-keys", status=201)
def create_api_key(call: Call) -> Document:
    """Create a key and show its value, once."""
    fields = call.fields
    name = fields.required("name", _API_KEY_NAME)
    roles = fields.optional("roles", _API_KEY_ROLE_SET)
    project = preconditions.project(call)
    grants = _project_grants(project.id, ["ProjectEditor"] if roles is None else roles)
    preconditions.held(call, grants)
    preconditions.billing(call)
    preconditions.in_plan(call, grants)
    preconditions.api_key_quota(call, project)
    key = call.state.add_api_key(project, name)
    call.state.bind(Principal("api_key", key.id), grants, call.now)
    return {"key": serialization.api_key(call.state, key), "value": key.value}


@_operation("GET", "/admin/api-keys/{api_key_id}")
def fetch_api_key(call: Call) -> Document:
    """Describe a key, without its value."""
    return serialization.api_key(call.state, preconditions.api_key(call))


@_operation("PATCH", "/admin/api-keys/{api_key_id}")
def update_api_key(call: Call) -> Document:
    """Rename a key or replace its set of roles."""
    fields = call.fields
    name = fields.optional("name", _API_KEY_NAME)
    roles = fields.optional("roles", _API_KEY_ROLE_SET)
    key = preconditions.api_key(call)
    grants = _project_grants(key.project_id, roles or [])
    preconditions.held(call, grants)
    preconditions.in_plan(call, grants)
    key.name = name or key.name
    if roles is not None:
        call.state.unbind_all(Principal("api_key", key.id))
        call.state.bind(Principal("api_key", key.id), grants, call.now)
    return serialization.api_key(call.state, key)


@_operation("DELETE", "/admin/api-keys/{api_key_id}", status=202)
def delete_api_key(call: Call) -> None:
    """Delete a key."""
    call.state.remove_api_key(preconditions.api_key(call))


def _project_grants(project_id: str, roles: Iterable[str]) -> list[Grant]:
    return [Grant(role, "project", project_id) for role in dict.fromkeys(roles)]


# Users


@_operation("GET", "/admin/users")
def list_users(call: Call) -> Document:
    """List the members, or the one with an address."""
    address = call.query.optional("email", checks.email)
    window = paging.window(call, "users", address)
    preconditions.member(call)
    if address is None:
        return paging.page(call, window, call.state.users.listing, serialization.user)
    user = call.state.user_at(address)
    return paging.page(call, window, Listing([user] if user else []), serialization.user)


@_operation("GET", "/admin/users/{user_id}")
def fetch_user(call: Call) -> Document:
    """Describe a member."""
    user = preconditions.user(call)
    preconditions.member(call)
    return serialization.user(user)


@_operation("DELETE", "/admin/users/{user_id}", status=202)
def delete_user(call: Call) -> None:
    """Remove a member from the organization."""
    user = preconditions.user(call)
    principal = Principal("user", user.id)
    preconditions.member(call)
    preconditions.unmanaged(call, principal)
    preconditions.another_owner(call, call.state.role_bindings.held_by(principal))
    call.state.remove_user(user)


# Invites

_INVITE_GRANTS = checks.array(checks.grant, 1, 100)


@_operation("GET", "/admin/invites")
def list_invites(call: Call) -> Document:
    """List the pending and expired invites."""
    window = paging.window(call, "invites")
    preconditions.member(call)
    return paging.page(call, window, call.state.open_invites, lambda invite: serialization.invite(invite, call.now))


@_operation("POST", "/admin/invites")
def create_invite(call: Call) -> Document:
    """Mail an invitation that carries roles."""
    fields = call.fields
    address = fields.required("email", checks.email)
    wanted = fields.required("role_bindings", _INVITE_GRANTS)
    if all(grant.resource_type == "project" for grant in wanted):
        raise invalid("role_bindings must have an organization role among them, not only project roles")
    grants = [preconditions.resource(call, grant) for grant in wanted]
    preconditions.held(call, grants)
    preconditions.in_plan(call, grants)
    preconditions.mail(call)
    preconditions.free_address(call, address)
    preconditions.distinct(grants)
    invite = call.state.add_invite(address, call.now)
    call.state.bind(Principal("invite", invite.id), grants, call.now)
    return serialization.invite(invite, call.now)


@_operation("GET", "/admin/invites/{invite_id}")
def fetch_invite(call: Call) -> Document:
    """Describe an invite, whatever its status."""
    invite = preconditions.invite(call)
    preconditions.member(call)
    return serialization.invite(invite, call.now)


@_operation("DELETE", "/admin/invites/{invite_id}", status=202)
def delete_invite(call: Call) -> None:
    """Withdraw an invite that was not accepted."""
    invite = preconditions.invite(call)
    preconditions.member(call)
    preconditions.withdrawable(invite)
    call.state.remove_invite(invite)


@_operation("POST", "/admin/invites/{invite_id}/resend")
def resend_invite(call: Call) -> Document:
    """Mail an invitation again and let it live as long as a new one."""
    invite = preconditions.invite(call)
    preconditions.member(call)
    preconditions.mail(call)
    preconditions.resendable(call, invite)
    call.state.mail_invite(invite, call.now)
    return serialization.invite(invite, call.now)


# Service accounts

_SERVICE_ACCOUNT_NAME = checks.utf8_bytes(80)
_SERVICE_ACCOUNT_GRANTS = checks.array(checks.grant, 0, 100)


@_operation("GET", "/admin/service-accounts")
def list_service_accounts(call: Call) -> Document:
    """List the service accounts."""
    window = paging.window(call, "service_accounts")
    preconditions.member(call)
    return paging.page(call, window, call.state.service_accounts.listing, serialization.service_account)


@_operation("POST", "/admin/service-accounts", status=201)
def create_service_account(call: Call) -> Document:
    """Create a service account and show its secret, once."""
    fields = call.fields
    name = fields.required("name", _SERVICE_ACCOUNT_NAME)
    wanted = fields.optional("role_bindings", _SERVICE_ACCOUNT_GRANTS) or []
    grants = [preconditions.resource(call, grant) for grant in wanted]
    preconditions.member(call)
    preconditions.held(call, grants)
    preconditions.service_accounts(call)
    preconditions.in_plan(call, grants)
    preconditions.distinct(grants)
    account = call.state.add_service_account(name, call.now)
    call.state.bind(Principal("service_account", account.id), grants, call.now)
    return serialization.service_account_with_secret(account)


@_operation("GET", "/admin/service-accounts/{service_account_id}")
def fetch_service_account(call: Call) -> Document:
    """Describe a service account."""
    account = preconditions.service_account(call)
    preconditions.member(call)
    return serialization.service_account(account)


@_operation("PATCH", "/admin/service-accounts/{service_account_id}")
def update_service_account(call: Call) -> Document:
    """Rename a service account; without a name, only its time of update moves."""
    name = call.fields.optional("name", _SERVICE_ACCOUNT_NAME)
    account = preconditions.service_account(call)
    preconditions.member(call)
    preconditions.service_accounts(call)
    account.name = name or account.name
    account.touch(call.now)
    return serialization.service_account(account)


@_operation("DELETE", "/admin/service-accounts/{service_account_id}", status=202)
def delete_service_account(call: Call) -> None:
    """Delete a service account; its tokens and roles die with it."""
    account = preconditions.service_account(call)
    preconditions.member(call)
    call.state.remove_service_account(account)


@_operation("POST", "/admin/service-accounts/{service_account_id}/rotate-secret")
def rotate_service_account_secret(call: Call) -> Document:
    """Replace a secret and show the new one, once."""
    account = preconditions.service_account(call)
    preconditions.member(call)
    preconditions.service_accounts(call)
    call.state.rotate_secret(account)
    account.touch(call.now)
    return serialization.service_account_with_secret(account)


# Role bindings

_PRINCIPAL_TYPE = checks.one_of(checks.PRINCIPAL_TYPES)
_RESOURCE_TYPE = checks.one_of(checks.RESOURCE_TYPES)
_ROLE = checks.one_of(ROLES)


@_operation("GET", "/admin/role-bindings")
def list_role_bindings(call: Call) -> Document:
    """List the role bindings that every filter given matches."""
    wanted = _binding_filter(call.query)
    window = paging.window(call, "role_bindings", wanted)
    preconditions.member(call)
    return paging.page(call, window, call.state.role_bindings.matching(wanted), serialization.role_binding)


@_operation("POST", "/admin/role-bindings")
def create_role_binding(call: Call) -> Document:
    """Grant a role to a principal."""
    principal, wanted = _principal_and_grant(call.fields)
    preconditions.principal(call, principal)
    grant = preconditions.resource(call, wanted)
    preconditions.bindable(call, principal, grant)
    preconditions.held(call, [grant])
    preconditions.in_plan(call, [grant])
    preconditions.unbound(call, principal, grant)
    (binding,) = call.state.bind(principal, [grant], call.now)
    return serialization.role_binding(binding)


@_operation("GET", "/admin/role-bindings/{role_binding_id}")
def fetch_role_binding(call: Call) -> Document:
    """Describe a role binding."""
    binding = preconditions.role_binding(call)
    preconditions.member_for(call, binding.grant)
    return serialization.role_binding(binding)


@_operation("DELETE", "/admin/role-bindings/{role_binding_id}", status=202)
def delete_role_binding(call: Call) -> None:
    """Revoke a role; a user who loses the only one leaves the organization."""
    binding = preconditions.role_binding(call)
    preconditions.member_for(call, binding.grant)
    preconditions.unmanaged(call, binding.principal)
    preconditions.another_owner(call, [binding])
    preconditions.another_organization_role(call, binding)
    call.state.role_bindings.remove(binding)
    user = call.state.users.get(binding.principal.id)
    if user and not call.state.role_bindings.held_by(binding.principal):
        call.state.remove_user(user)


def _binding_filter(query: Fields) -> BindingFilter:
    wanted = BindingFilter(
        principal_type=query.optional("principal_type", _PRINCIPAL_TYPE),
        principal_id=query.optional("principal_id", checks.string),
        resource_type=query.optional("resource_type", _RESOURCE_TYPE),
        resource_id=query.optional("resource_id", checks.string),
        role=query.optional("role", _ROLE),
    )
    if wanted.principal_id is not None and wanted.principal_type is None:
        raise invalid(f"principal_id {shown(wanted.principal_id)} needs a principal_type")
    if wanted.resource_id is not None and wanted.resource_type is None:
        raise invalid(f"resource_id {shown(wanted.resource_id)} needs a resource_type")
    return wanted


def _principal_and_grant(fields: Fields) -> tuple[Principal, checks.GrantInput]:
    principal = Principal(
        type=fields.required("principal_type", _PRINCIPAL_TYPE),
        id=fields.required("principal_id", checks.string),
    )
    wanted = checks.grant_fields(fields)
    if principal.type == "api_key" and wanted.role not in API_KEY_ROLES:
        raise invalid(f"role {wanted.role} cannot be bound to an api_key")
    return principal, wanted
