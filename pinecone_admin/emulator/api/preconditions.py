"""Preconditions of the operations: existence, permission, plan and quota, conflict.

Each function returns what it finds, or raises the `Refusal` that the server would send.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from itertools import chain
from math import ceil
from operator import attrgetter
from typing import TypeVar, cast

from pinecone_admin.emulator.api.checks import GrantInput, role_misfit
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.permissions import PERMISSIONS
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
from pinecone_admin.emulator.model.counts import count_noun
from pinecone_admin.emulator.model.listing import Listing
from pinecone_admin.emulator.model.records import (
    PROJECT_CONTENTS,
    APIKeyRecord,
    BindingFilter,
    Grant,
    InviteRecord,
    OrganizationRecord,
    Principal,
    ProjectRecord,
    RoleBindingRecord,
    ServiceAccountRecord,
    UserRecord,
)
from pinecone_admin.emulator.model.roles import API_KEY_ROLES, ROLES_BY_RESOURCE
from pinecone_admin.emulator.model.state import State

# Pinecone's billing pages say that a restricted organization cannot create resources; the other two are stricter.
STATUSES_THAT_FORBID_CREATING = frozenset({"Restricted", "Suspended", "Deactivated"})

T = TypeVar("T")


# Existence


def require_record(kind: str, target: str | None, record: T | None) -> T:
    """Return a record; raise 404 if it does not exist."""
    if record is None:
        # In the form that the Terraform provider and the Go client's tests match on, "Project … not found".
        raise Refusal(404, "NOT_FOUND", f"{kind} {quoted(target)} not found")
    return record


def find_organization(context: OperationContext) -> OrganizationRecord:
    """Return the organization that the path names, if the caller may see it."""
    organization = context.state.organization
    visible = context.target == organization.id and PERMISSIONS["read-organization"].permits(context.authority)
    return require_record("Organization", context.target, organization if visible else None)


def find_project(context: OperationContext) -> ProjectRecord:
    """Return the project that the path names, if the caller may see it."""
    return _find_visible_project(context, context.target)


def _find_visible_project(context: OperationContext, project_id: str) -> ProjectRecord:
    visible = PERMISSIONS["read-projects"].permits(context.authority, resource_id=project_id)
    return require_record("Project", project_id, context.state.projects.get(project_id) if visible else None)


def list_visible_projects(context: OperationContext) -> list[ProjectRecord]:
    """Return the projects that the caller may see."""
    authority, permission = context.authority, PERMISSIONS["read-projects"]
    return [each for each in context.state.projects.values() if permission.permits(authority, resource_id=each.id)]


def find_api_key(context: OperationContext) -> APIKeyRecord:
    """Return the API key that the path names, if the caller may see its project."""
    return _find_visible_api_key(context, context.target)


def _find_visible_api_key(context: OperationContext, key_id: str) -> APIKeyRecord:
    key = context.state.find_api_key(key_id)
    visible = key and PERMISSIONS["read-projects"].permits(context.authority, resource_id=key.project_id)
    return require_record("API Key", key_id, key if visible else None)


def find_user(context: OperationContext) -> UserRecord:
    """Return the user that the path names, if the caller may see users."""
    return _require_visible_principal(context, "User", context.state.users.get(context.target))


def find_invite(context: OperationContext) -> InviteRecord:
    """Return the invite that the path names, if the caller may see invites."""
    return _require_visible_principal(context, "Invite", context.state.invites.get(context.target))


def find_service_account(context: OperationContext) -> ServiceAccountRecord:
    """Return the service account that the path names, if the caller may see service accounts."""
    account = context.state.service_accounts.get(context.target)
    return _require_visible_principal(context, "Service account", account)


def _require_visible_principal(context: OperationContext, kind: str, record: T | None) -> T:
    visible = PERMISSIONS["read-principals"].permits(context.authority)
    return require_record(kind, context.target, record if visible else None)


def find_role_binding(context: OperationContext) -> RoleBindingRecord:
    """Return the role binding that the path names, if the caller may see it."""
    binding = context.state.role_bindings.get(context.target)
    visible = binding and _is_visible_binding(context, binding)
    return require_record("Role binding", context.target, binding if visible else None)


FINDERS: Mapping[str, Callable[[OperationContext], object]] = {
    "/admin/organizations": find_organization,
    "/admin/projects": find_project,
    "/admin/api-keys": find_api_key,
    "/admin/users": find_user,
    "/admin/invites": find_invite,
    "/admin/service-accounts": find_service_account,
    "/admin/role-bindings": find_role_binding,
}
"""The finder of a record, by the path of its list."""


def list_visible_bindings(context: OperationContext, filters: BindingFilter) -> Listing[RoleBindingRecord]:
    """Return the role bindings that match a filter and that the caller may see."""
    bindings, authority = context.state.role_bindings, context.authority
    if PERMISSIONS["read-role-bindings"].permits(authority):
        return bindings.matching(filters)
    # Not a scan of all bindings: a page has to stay fast at 100,000 of them.
    projects = {each.resource_id for each in authority if each.resource_type == "project"}
    on_projects = [
        bindings.matching(BindingFilter(resource_type="project", resource_id=project)) for project in projects
    ]
    candidates = {each.id: each for each in chain(bindings.held_by(context.caller), *on_projects)}
    visible = [each for each in candidates.values() if filters.matches(each) and _is_visible_binding(context, each)]
    return Listing(sorted(visible, key=attrgetter("position")))


def _is_visible_binding(context: OperationContext, binding: RoleBindingRecord) -> bool:
    return PERMISSIONS["read-role-bindings"].permits(
        context.authority, resource_id=binding.grant.resource_id, oneself=binding.principal == context.caller
    )


def require_principal(context: OperationContext, principal: Principal) -> None:
    """Require that a principal exists."""
    if principal.type == "api_key":
        _find_visible_api_key(context, principal.id)
    # Not only visible users and accounts: a project's owner binds roles to members whom it cannot list.
    kind = principal.type.replace("_", " ").capitalize()
    require_record(kind, principal.id, context.state.find_principal(principal))


def resolve_grant(context: OperationContext, requested: GrantInput) -> Grant:
    """Return the requested grant with the id of its resource, which must exist and, if a project, be visible."""
    resource_id = requested.resource_id
    if requested.resource_type == "project":
        own = _find_visible_project(context, resource_id or "").id
    else:
        own = context.state.organization.id
        require_record("Organization", resource_id, own if resource_id in {None, own} else None)
    return Grant(requested.role, requested.resource_type, own)


def require_own_project(context: OperationContext, principal: Principal, grant: Grant) -> None:
    """Require that an API key gets roles on no other project than its own."""
    key = context.state.find_api_key(principal.id) if principal.type == "api_key" else None
    if key and grant.resource_type == "project" and key.project_id != grant.resource_id:
        raise invalid_argument(f"API key {principal.id} does not belong to project {grant.resource_id}")


# Permission


def _permission_denied(message: str) -> Refusal:
    return Refusal(403, "PERMISSION_DENIED", message)


def require_permission(context: OperationContext, permission: str, *, resource_id: str = "") -> None:
    """Require a permission of the matrix.

    Args:
        context: The call.
        permission: The name of the row.
        resource_id: The id of the project that the operation is on.
    """
    row = PERMISSIONS[permission]
    if not row.permits(context.authority, resource_id=resource_id):
        raise _permission_denied(f"service account {context.caller.id} may not {row.text}")


def find_service_account_to_rotate(context: OperationContext) -> ServiceAccountRecord:
    """Return the service account that the path names, if the caller may rotate its secret."""
    oneself = context.target == context.caller.id
    if PERMISSIONS["rotate-own-secret"].permits(context.authority, oneself=oneself):
        return context.state.service_accounts[context.target]
    account = find_service_account(context)
    require_permission(context, "manage-service-accounts")
    return account


def require_any_role(context: OperationContext) -> None:
    """Require a role, without which there is no project to list."""
    if not context.authority:
        raise _permission_denied(f"service account {context.caller.id} has no role")


def require_grantable(context: OperationContext, grants: Iterable[Grant]) -> None:
    """Require that the caller may bind every role that it grants, and holds it."""
    granted = list(grants)
    require_caller_holds(context, granted)
    for grant in granted:
        require_bindable(context, grant)


def require_fitting_role(principal: Principal, grant: Grant) -> None:
    """Require a role that fits the resource, and an API key if it is the principal."""
    if grant.role not in ROLES_BY_RESOURCE[grant.resource_type]:
        raise _permission_denied(role_misfit(grant.role, grant.resource_type))
    if principal.type == "api_key" and grant.role not in API_KEY_ROLES:
        raise _permission_denied(f"The {grant.role} role cannot be bound for principal_type=api_key")


def require_bindable(context: OperationContext, grant: Grant) -> None:
    """Require the permission to create or delete a binding."""
    require_permission(context, f"bind-on-{grant.resource_type}", resource_id=grant.resource_id)


def require_caller_holds(context: OperationContext, grants: Iterable[Grant]) -> None:
    """Require that the caller holds every role that it grants."""
    held = context.held_grants
    for grant in grants:
        if not any(_covers(each, grant) for each in held):
            raise _permission_denied(
                f"service account {context.caller.id} cannot grant {grant.role} on {grant.resource_type} "
                f"{grant.resource_id} because it does not hold that role"
            )


def grant_project_ownership(context: OperationContext, project: ProjectRecord) -> None:
    """Bind ProjectOwner to the creator of a project, unless it owns every project."""
    if not PERMISSIONS["manage-projects"].permits(context.authority, resource_id=project.id):
        context.state.bind(context.caller, [Grant("ProjectOwner", "project", project.id)], context.now)


def _covers(held: Grant, grant: Grant) -> bool:
    # An OrgOwner owns every project; no other organization role reaches into one.
    owns = held.role == "OrgOwner" or (held.role == "ProjectOwner" and held.resource_id == grant.resource_id)
    return owns or held == grant


# Plan and quota


def require_billing(context: OperationContext) -> None:
    """Require a payment status that allows creating."""
    status = context.state.organization.payment_status
    if status in STATUSES_THAT_FORBID_CREATING:
        # The published sources name no code for 402; UNKNOWN is one of the API's codes.
        raise Refusal(402, "UNKNOWN", f"the organization's payment status {status} forbids creating")


def _quota_exceeded(state: State, things: str, project: ProjectRecord | None = None) -> Refusal:
    """Return the error for a limit of the plan, in the words of the service for projects and pods."""
    place = f"organization {state.organization.name}"
    if project is not None:
        place = f"project {project.name} of {place}"
    message = f"You've reached the max {things} allowed in {place}. To add more {things}, upgrade your plan."
    return Refusal(403, "QUOTA_EXCEEDED", message)


def require_project_quota(context: OperationContext) -> None:
    """Require that the project quota is not exhausted."""
    if len(context.state.projects) >= context.state.plan.projects:
        raise _quota_exceeded(context.state, "projects")


def require_user_quota(context: OperationContext) -> None:
    """Require room for another user; an invite that is pending takes a place."""
    quota = context.state.plan.users
    pending = sum(invite.status(context.now) == "pending" for invite in context.state.open_invites)
    if quota is not None and len(context.state.users) + pending >= quota:
        raise _quota_exceeded(context.state, "users")


def require_content_quota(state: State, project: ProjectRecord, kind: str) -> None:
    """Require that the plan allows a project another resource of a kind."""
    quota = state.plan.contents.get(kind)
    if quota is not None and len(project.contents[kind]) >= quota:
        raise _quota_exceeded(state, kind, project)


def require_region(state: State, index: Mapping[str, object]) -> None:
    """Require that the plan allows a serverless index in its region."""
    regions, place = state.plan.regions, cast("dict[str, dict[str, str]]", index["spec"]).get("serverless")
    if regions is not None and place and (place["cloud"], place["region"]) not in regions:
        plan = state.organization.plan
        raise invalid_argument(f"the {plan} plan has no indexes in the region {place['region']} of {place['cloud']}")


def require_api_key_quota(context: OperationContext, target: ProjectRecord) -> None:
    """Require that the API key quota of a project is not exhausted."""
    quota, plan = context.state.plan.api_keys, context.state.organization.plan
    if quota is not None and len(target.api_keys) >= quota:
        raise _permission_denied(
            f"project {target.id} has {count_noun(quota, 'API key')} already, the limit on the {plan} plan"
        )


def require_service_accounts_in_plan(context: OperationContext) -> None:
    """Require a plan that includes service accounts."""
    if not context.state.plan.service_accounts:
        plan = context.state.organization.plan
        # The official tests pin how the message begins.
        raise Refusal(403, "FORBIDDEN", f"Service accounts require an Enterprise plan, and this one is {plan}")


def require_roles_in_plan(context: OperationContext, principal_type: str, grants: Iterable[Grant]) -> None:
    """Require a plan that includes every granted role, for this type of principal."""
    plan, name = context.state.plan, context.state.organization.plan
    included = plan.key_roles if principal_type == "api_key" else plan.roles
    for grant in grants:
        if grant.role not in included:
            raise _permission_denied(
                f"the {name} plan does not include the role {grant.role} for the principal type {principal_type}"
            )


def require_mail_quota(context: OperationContext) -> None:
    """Require that another invite mail may be sent in this hour."""
    mails, hour = context.state.invite_mails, timedelta(hours=1)
    while mails and mails[0] <= context.now - hour:
        mails.popleft()
    limit = context.state.settings.invite_mails_per_hour
    if len(mails) >= limit:
        # This is the last mail that must become an hour old before fewer than `limit` are younger.
        room = mails[len(mails) - limit] if limit else context.now
        wait = ceil((room + hour - context.now).total_seconds())
        sent = count_noun(len(mails), "invite mail")
        message = (
            f"the limit of invite mails within an hour is used up, with {sent}; retry in {count_noun(wait, 'second')}"
        )
        raise Refusal(429, "RESOURCE_EXHAUSTED", message, headers={"retry-after": str(wait)})


# Conflict


def _already_exists(message: str, **details: str) -> Refusal:
    return Refusal(409, "ALREADY_EXISTS", message, details=details)


def _aborted(message: str) -> Refusal:
    return Refusal(409, "ABORTED", message)


def _failed_precondition(message: str) -> Refusal:
    return Refusal(412, "FAILED_PRECONDITION", message)


def require_deletable_organization(context: OperationContext, target: OrganizationRecord) -> None:
    """Require an organization on the Free plan that is Active and has no projects."""
    if target.plan != "Free":
        raise _failed_precondition(f"organization {target.id} is on the plan {target.plan}, not Free")
    if target.payment_status != "Active":
        raise _failed_precondition(f"organization {target.id} is {target.payment_status}, not Active")
    if context.state.projects:
        projects = count_noun(len(context.state.projects), "project")
        raise _failed_precondition(f"organization {target.id} still has {projects}")


def require_empty_project(target: ProjectRecord) -> None:
    """Require a project that holds nothing but API keys."""
    for kind, contents in target.contents.items():
        if contents:
            held = count_noun(len(contents), PROJECT_CONTENTS[kind])
            raise _failed_precondition(f"project {target.id} still holds {held}")


def require_encryption_kept(target: ProjectRecord, requested: bool | None) -> None:  # noqa: FBT001 — a field of the request
    """Require that encryption with a customer-managed key is not turned off."""
    if target.force_encryption_with_cmek and requested is False:
        raise invalid_argument(f"force_encryption_with_cmek cannot be turned off for project {target.id}")


def require_unmanaged(context: OperationContext, email: str | None) -> None:
    """Require that no identity provider that refuses changes manages the person with an email, if there is one."""
    settings = context.state.settings
    if email is not None and settings.managed_changes == "refused" and settings.is_managed(email):
        raise _aborted(
            f"User and role management is controlled by your identity provider, which manages {quoted(email)}."
        )


def require_another_owner(context: OperationContext, revoked: Iterable[RoleBindingRecord]) -> None:
    """Require that a user remains OrgOwner; invites and service accounts do not count."""
    if not any(each.grant.role == "OrgOwner" and each.principal.type == "user" for each in revoked):
        return
    if len(context.state.role_bindings.matching(BindingFilter(principal_type="user", role="OrgOwner"))) == 1:
        raise _aborted("Cannot delete the last OrgOwner role binding for this organization.")


def require_another_organization_role(context: OperationContext, revoked: RoleBindingRecord) -> None:
    """Require that an invite, or a user who holds other roles, keeps an organization role."""
    target = revoked.principal
    # A user may lose its only role, which removes it; it may not keep project roles alone.
    others = [other for other in context.state.role_bindings.held_by(target) if other is not revoked]
    if any(other.grant.resource_type == "organization" for other in others):
        return
    last = "Cannot delete the last organization-membership role binding for"
    if target.type == "invite":
        raise _aborted(f"{last} a pending invite; delete the invite instead.")
    if target.type == "user" and others:
        raise _aborted(f"{last} this user.")


def require_free_email(context: OperationContext, address: str) -> None:
    """Require an email that neither an invite that can still be resent nor a user has."""
    if invites := context.state.find_open_invites(address):
        invite, status = invites[0], invites[0].status(context.now)
        article = "An" if status == "expired" else "A"
        message = f"{article} {status} invite already exists for this email; its ID is {invite.id}."
        raise _already_exists(message, invite_id=invite.id)
    _require_no_user(context, address)


def _require_no_user(context: OperationContext, address: str) -> None:
    if owner := context.state.users.find(address):
        raise _already_exists("This email already belongs to a member of the organization.", user_id=owner.id)


def require_resendable(context: OperationContext, target: InviteRecord) -> None:
    """Require an unprocessed invite; if it has expired, also that no user has its email now."""
    if target.processed_at:
        raise _already_exists("Invite has already been accepted and cannot be resent.")
    if target.status(context.now) == "expired":
        _require_no_user(context, target.email)


def require_deletable_invite(target: InviteRecord) -> None:
    """Require an invite that has not been accepted, to delete it."""
    if target.processed_at:
        raise _aborted("The invite has already been accepted; delete the resulting user instead.")


def require_distinct(grants: Iterable[Grant]) -> None:
    """Require that no two grants in a request are identical."""
    seen: set[Grant] = set()
    for index, grant in enumerate(grants):
        if grant in seen:
            raise _already_exists(f"role_bindings[{index}] repeats {grant.role} on {grant.resource_type}")
        seen.add(grant)


def require_unbound(context: OperationContext, target: Principal, grant: Grant) -> None:
    """Require a principal that does not hold the role and may receive it."""
    if target.type == "invite" and context.state.invites[target.id].processed_at:
        message = "The invite has already been accepted; manage role bindings on the resulting user instead."
        raise _already_exists(message)
    for binding in context.state.role_bindings.held_by(target):
        if binding.grant == grant:
            raise _already_exists("A role binding with these attributes already exists.", role_binding_id=binding.id)
