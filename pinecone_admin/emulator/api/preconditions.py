"""Preconditions of the operations: existence, permission, plan and quota, conflict.

Each function returns what it finds, or raises the `Refusal` that the server would send.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil
from typing import TypeVar

from pinecone_admin.emulator.api.checks import GrantInput
from pinecone_admin.emulator.api.context import OperationContext
from pinecone_admin.emulator.api.refusals import Refusal, invalid_argument, quoted
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
from pinecone_admin.emulator.model.roles import role_includes

# Pinecone's billing pages say that a restricted organization cannot create resources; the other two are stricter.
STATUSES_THAT_FORBID_CREATING = frozenset({"Restricted", "Suspended", "Deactivated"})

T = TypeVar("T")


# Existence


def require_record(kind: str, target: str | None, record: T | None) -> T:
    """Return a record; raise 404 if it does not exist."""
    if record is None:
        raise Refusal(404, "NOT_FOUND", f"there is no {kind} {quoted(target)}")
    return record


def find_organization(context: OperationContext) -> OrganizationRecord:
    """Return the organization that the path names."""
    organization = context.state.organization
    matching = organization if context.target == organization.id else None
    return require_record("organization", context.target, matching)


def find_project(context: OperationContext) -> ProjectRecord:
    """Return the project that the path names."""
    return require_record("project", context.target, context.state.projects.get(context.target))


def find_api_key(context: OperationContext) -> APIKeyRecord:
    """Return the API key that the path names."""
    return require_record("API key", context.target, context.state.api_keys.get(context.target))


def find_user(context: OperationContext) -> UserRecord:
    """Return the user that the path names."""
    return require_record("user", context.target, context.state.users.get(context.target))


def find_invite(context: OperationContext) -> InviteRecord:
    """Return the invite that the path names."""
    return require_record("invite", context.target, context.state.invites.get(context.target))


def find_service_account(context: OperationContext) -> ServiceAccountRecord:
    """Return the service account that the path names."""
    return require_record("service account", context.target, context.state.service_accounts.get(context.target))


def find_role_binding(context: OperationContext) -> RoleBindingRecord:
    """Return the role binding that the path names."""
    return require_record("role binding", context.target, context.state.role_bindings.get(context.target))


def require_principal(context: OperationContext, principal: Principal) -> None:
    """Require that a principal exists."""
    require_record(principal.type, principal.id, context.state.find_principal(principal))


def resolve_grant(context: OperationContext, requested: GrantInput) -> Grant:
    """Return the requested grant with the id of its resource, which must exist."""
    resource_id = requested.resource_id
    if requested.resource_type == "project":
        own = require_record("project", resource_id, context.state.projects.get(resource_id or "")).id
    else:
        own = context.state.organization.id
        require_record("organization", resource_id, own if resource_id in {None, own} else None)
    return Grant(requested.role, requested.resource_type, own)


def require_own_project(context: OperationContext, principal: Principal, grant: Grant) -> None:
    """Require that an API key gets roles on its own project only."""
    if principal.type == "api_key" and context.state.api_keys[principal.id].project_id != grant.resource_id:
        raise invalid_argument(f"API key {principal.id} does not belong to project {grant.resource_id}")


# Permission


def _permission_denied(message: str) -> Refusal:
    return Refusal(403, "PERMISSION_DENIED", message)


def require_member(context: OperationContext) -> None:
    """Require that the caller has an organization role."""
    bindings = context.state.role_bindings.held_by(context.caller)
    if not any(binding.grant.resource_type == "organization" for binding in bindings):
        raise _permission_denied(f"service account {context.caller.id} has no organization role")


def require_member_for(context: OperationContext, grant: Grant) -> None:
    """Require that the caller has an organization role if the grant is on the organization."""
    if grant.resource_type == "organization":
        require_member(context)


def require_caller_holds(context: OperationContext, grants: Iterable[Grant]) -> None:
    """Require that the caller holds every role that it grants."""
    held = [binding.grant for binding in context.state.role_bindings.held_by(context.caller)]
    for grant in grants:
        if not any(_covers(each, grant) for each in held):
            raise _permission_denied(
                f"service account {context.caller.id} cannot grant {grant.role} on {grant.resource_type} "
                f"{grant.resource_id} because it does not hold that role"
            )


def _covers(held: Grant, grant: Grant) -> bool:
    # An OrgOwner owns every project; no other organization role reaches into one.
    reached = held.role == "OrgOwner" or held.resource_id == grant.resource_id
    return reached and role_includes(held.role, grant.role)


# Plan and quota


def require_billing(context: OperationContext) -> None:
    """Require a payment status that allows creating."""
    status = context.state.organization.payment_status
    if status in STATUSES_THAT_FORBID_CREATING:
        # The published sources name no code for 402; UNKNOWN is one of the API's codes.
        raise Refusal(402, "UNKNOWN", f"the organization's payment status {status} forbids creating")


def require_project_quota(context: OperationContext) -> None:
    """Require that the project quota is not exhausted."""
    quota, plan = context.state.project_quota, context.state.organization.plan
    if len(context.state.projects) >= quota:
        message = f"the organization has {quota} projects already, the limit on the {plan} plan"
        raise Refusal(403, "QUOTA_EXCEEDED", message)


def require_api_key_quota(context: OperationContext, target: ProjectRecord) -> None:
    """Require that the API key quota of a project is not exhausted."""
    quota, plan = context.state.api_key_quota, context.state.organization.plan
    if quota is not None and len(target.api_keys) >= quota:
        raise _permission_denied(f"project {target.id} has {quota} API keys already, the limit on the {plan} plan")


def require_service_accounts_in_plan(context: OperationContext) -> None:
    """Require a plan that includes service accounts."""
    if not context.state.plan.service_accounts:
        raise Refusal(403, "FORBIDDEN", f"the {context.state.organization.plan} plan has no service accounts")


def require_roles_in_plan(context: OperationContext, grants: Iterable[Grant]) -> None:
    """Require a plan that includes every granted role."""
    for grant in grants:
        if grant.role not in context.state.plan.roles:
            raise _permission_denied(
                f"the {context.state.organization.plan} plan does not include the role {grant.role}"
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
        message = f"{len(mails)} invite mails were sent within an hour; retry in {wait} seconds"
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
        raise _failed_precondition(f"organization {target.id} still has {len(context.state.projects)} projects")


def require_empty_project(target: ProjectRecord) -> None:
    """Require a project that holds nothing but API keys."""
    for kind in PROJECT_CONTENTS:
        if contents := target.contents[kind]:
            raise _failed_precondition(f"project {target.id} still holds {len(contents)} {kind}")


def require_encryption_kept(target: ProjectRecord, requested: bool | None) -> None:  # noqa: FBT001 — a field of the request
    """Require that encryption with a customer-managed key is not turned off."""
    if target.force_encryption_with_cmek and requested is False:
        raise invalid_argument(f"force_encryption_with_cmek cannot be turned off for project {target.id}")


def require_unmanaged(context: OperationContext, target: Principal) -> None:
    """Require that no identity provider manages the user."""
    if target.type == "user" and context.state.settings.identity_provider:
        raise _aborted(f"user {target.id} is managed by an identity provider")


def require_another_owner(context: OperationContext, revoked: Iterable[RoleBindingRecord]) -> None:
    """Require that an OrgOwner remains; a pending invite does not count."""
    if not any(each.grant.role == "OrgOwner" and each.principal.type != "invite" for each in revoked):
        return
    owners = [BindingFilter(principal_type=type_, role="OrgOwner") for type_ in ("user", "service_account")]
    if sum(len(context.state.role_bindings.matching(each)) for each in owners) == 1:
        raise _aborted(f"organization {context.state.organization.id} would be left without an OrgOwner")


def require_another_organization_role(context: OperationContext, revoked: RoleBindingRecord) -> None:
    """Require that an invite, or a user who holds other roles, keeps an organization role."""
    target = revoked.principal
    # A user may lose its only role, which removes it; it may not keep project roles alone.
    others = [other for other in context.state.role_bindings.held_by(target) if other is not revoked]
    if any(other.grant.resource_type == "organization" for other in others):
        return
    if target.type == "invite" or (target.type == "user" and others):
        raise _aborted(f"role binding {revoked.id} is the last organization role of {target.type} {target.id}")


def require_free_email(context: OperationContext, address: str) -> None:
    """Require an email that neither a pending invite nor a user has."""
    if pending := context.state.find_pending_invite(address, context.now):
        raise _already_exists(f"invite {pending.id} is pending for {quoted(address)}", invite_id=pending.id)
    if owner := context.state.find_user_by_email(address):
        raise _already_exists(f"user {owner.id} already has the email {quoted(address)}", user_id=owner.id)


def require_resendable(context: OperationContext, target: InviteRecord) -> None:
    """Require an unprocessed invite; if it has expired, also that nobody else has its email."""
    # While an invite was expired, its email may have been invited again or have become a user's.
    require_unprocessed(target)
    if target.status(context.now) == "expired":
        require_free_email(context, target.email)


def require_unprocessed(target: InviteRecord) -> None:
    """Require an invite that has not been accepted, to bind roles or send mails."""
    if target.processed_at:
        raise _already_exists(f"invite {target.id} is processed; change the user who accepted it instead")


def require_deletable_invite(target: InviteRecord) -> None:
    """Require an invite that has not been accepted, to delete it."""
    if target.processed_at:
        raise _aborted(f"invite {target.id} is processed; remove the user who accepted it instead")


def require_distinct(grants: Iterable[Grant]) -> None:
    """Require that no two grants in a request are identical."""
    seen: set[Grant] = set()
    for index, grant in enumerate(grants):
        if grant in seen:
            raise _already_exists(f"role_bindings[{index}] repeats {grant.role} on {grant.resource_type}")
        seen.add(grant)


def require_unbound(context: OperationContext, target: Principal, grant: Grant) -> None:
    """Require a principal that does not hold the role and may receive it."""
    if target.type == "invite":
        require_unprocessed(context.state.invites[target.id])
    for binding in context.state.role_bindings.held_by(target):
        if binding.grant == grant:
            raise _already_exists(f"role binding {binding.id} is identical", role_binding_id=binding.id)
