"""What must hold before an operation does its work: existence, permission, plan and quota, conflict."""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil
from typing import TypeVar

from pinecone_admin.emulator.api.checks import GrantInput, Refusal, invalid, shown
from pinecone_admin.emulator.api.messages import Call
from pinecone_admin.emulator.model.roles import includes
from pinecone_admin.emulator.model.state import (
    PROJECT_CONTENTS,
    APIKey,
    BindingFilter,
    Grant,
    Invite,
    Organization,
    Principal,
    Project,
    RoleBinding,
    ServiceAccount,
    User,
)

# Pinecone's billing pages: a restricted organization can no longer create resources. Two states are worse.
BILLING_STATES_THAT_FORBID_CREATING = frozenset({"Restricted", "Suspended", "Deactivated"})

T = TypeVar("T")


# Existence


def found(kind: str, target: str | None, record: T | None) -> T:
    """Return the record of a kind that an id belongs to, which must be there."""
    if record is None:
        raise Refusal(404, "NOT_FOUND", f"there is no {kind} {shown(target)}")
    return record


def organization(call: Call) -> Organization:
    """Return the organization in the path."""
    own = call.state.organization
    return found("organization", call.target, own if call.target == own.id else None)


def project(call: Call) -> Project:
    """Return the project in the path."""
    return found("project", call.target, call.state.projects.get(call.target))


def api_key(call: Call) -> APIKey:
    """Return the key in the path."""
    return found("API key", call.target, call.state.api_keys.get(call.target))


def user(call: Call) -> User:
    """Return the user in the path."""
    return found("user", call.target, call.state.users.get(call.target))


def invite(call: Call) -> Invite:
    """Return the invite in the path."""
    return found("invite", call.target, call.state.invites.get(call.target))


def service_account(call: Call) -> ServiceAccount:
    """Return the service account in the path."""
    return found("service account", call.target, call.state.service_accounts.get(call.target))


def role_binding(call: Call) -> RoleBinding:
    """Return the role binding in the path."""
    return found("role binding", call.target, call.state.role_bindings.get(call.target))


def principal(call: Call, wanted: Principal) -> None:
    """Require that a principal exists."""
    found(wanted.type, wanted.id, call.state.principal(wanted))


def resource(call: Call, wanted: GrantInput) -> Grant:
    """Return the grant with the id of its resource, which must exist."""
    resource_id = wanted.resource_id
    if wanted.resource_type == "project":
        own = found("project", resource_id, call.state.projects.get(resource_id or "")).id
    else:
        own = call.state.organization.id
        found("organization", resource_id, own if resource_id in {None, own} else None)
    return Grant(wanted.role, wanted.resource_type, own)


def bindable(call: Call, wanted: Principal, grant: Grant) -> None:
    """Require that a key is bound on its own project only."""
    if wanted.type == "api_key" and call.state.api_keys[wanted.id].project_id != grant.resource_id:
        raise invalid(f"API key {wanted.id} does not belong to project {grant.resource_id}")


# Permission


def _denied(message: str) -> Refusal:
    return Refusal(403, "PERMISSION_DENIED", message)


def member(call: Call) -> None:
    """Require that the caller has a role in the organization."""
    held = call.state.role_bindings.held_by(call.caller)
    if not any(binding.grant.resource_type == "organization" for binding in held):
        raise _denied(f"service account {call.caller.id} has no role in the organization")


def member_for(call: Call, grant: Grant) -> None:
    """Require a role in the organization where the grant is one in the organization."""
    if grant.resource_type == "organization":
        member(call)


def held(call: Call, grants: Iterable[Grant]) -> None:
    """Require that the caller holds what it grants."""
    own = [binding.grant for binding in call.state.role_bindings.held_by(call.caller)]
    for grant in grants:
        if not any(_covers(each, grant) for each in own):
            raise _denied(
                f"service account {call.caller.id} cannot grant {grant.role} on {grant.resource_type} "
                f"{grant.resource_id}, for it does not hold it"
            )


def _covers(own: Grant, grant: Grant) -> bool:
    reached = own.role == "OrgOwner" or own.resource_id == grant.resource_id
    return reached and includes(own.role, grant.role)


# Plan and quota


def billing(call: Call) -> None:
    """Require a payment status under which things may be created."""
    status = call.state.organization.payment_status
    if status in BILLING_STATES_THAT_FORBID_CREATING:
        # UNKNOWN is a code of the API; the sources name none for this status.
        raise Refusal(402, "UNKNOWN", f"the organization's payment status {status} forbids creating")


def project_quota(call: Call) -> None:
    """Require room for another project."""
    quota, plan = call.state.project_quota, call.state.organization.plan
    if len(call.state.projects) >= quota:
        message = f"the organization has its {quota} projects already, on the plan {plan}"
        raise Refusal(403, "QUOTA_EXCEEDED", message)


def api_key_quota(call: Call, target: Project) -> None:
    """Require room for another key in a project."""
    quota, plan = call.state.api_key_quota, call.state.organization.plan
    if quota is not None and len(target.api_keys) >= quota:
        raise _denied(f"project {target.id} has its {quota} API keys already, on the plan {plan}")


def service_accounts(call: Call) -> None:
    """Require a plan with service accounts."""
    if not call.state.plan.service_accounts:
        raise Refusal(403, "FORBIDDEN", f"the plan {call.state.organization.plan} has no service accounts")


def in_plan(call: Call, grants: Iterable[Grant]) -> None:
    """Require a plan with every role granted."""
    for grant in grants:
        if grant.role not in call.state.plan.roles:
            raise _denied(f"the plan {call.state.organization.plan} does not include the role {grant.role}")


def mail(call: Call) -> None:
    """Require that another invite mail may be sent within this hour."""
    mails, hour = call.state.invite_mails, timedelta(hours=1)
    while mails and mails[0] <= call.now - hour:
        mails.popleft()
    limit = call.state.settings.invite_mails_per_hour
    if len(mails) >= limit:
        # Of those within this hour, all but the last ones under the limit have to grow old.
        room = mails[len(mails) - limit] if limit else call.now
        wait = ceil((room + hour - call.now).total_seconds())
        message = f"{len(mails)} invite mails were sent within an hour; the next may go in {wait} seconds"
        raise Refusal(429, "RESOURCE_EXHAUSTED", message, headers={"retry-after": str(wait)})


# Conflict


def _exists(message: str, **details: str) -> Refusal:
    return Refusal(409, "ALREADY_EXISTS", message, details=details)


def _aborted(message: str) -> Refusal:
    return Refusal(409, "ABORTED", message)


def _blocked(message: str) -> Refusal:
    return Refusal(412, "FAILED_PRECONDITION", message)


def dissolvable(call: Call, target: Organization) -> None:
    """Require an organization that is free, paid up and without projects."""
    if target.plan != "Free":
        raise _blocked(f"organization {target.id} is on the plan {target.plan}, not Free")
    if target.payment_status != "Active":
        raise _blocked(f"organization {target.id} is {target.payment_status}, not Active")
    if call.state.projects:
        raise _blocked(f"organization {target.id} still has {len(call.state.projects)} projects")


def empty(target: Project) -> None:
    """Require a project that holds nothing but keys."""
    for kind in PROJECT_CONTENTS:
        if contents := target.contents[kind]:
            raise _blocked(f"project {target.id} still holds {len(contents)} {kind}")


def encryption_kept(target: Project, wanted: bool | None) -> None:  # noqa: FBT001 — a field of the request
    """Require that encryption with a customer's key is not turned off."""
    if target.force_encryption_with_cmek and wanted is False:
        raise invalid(f"force_encryption_with_cmek cannot be false again for project {target.id}")


def unmanaged(call: Call, target: Principal) -> None:
    """Require that no identity provider manages the user."""
    if target.type == "user" and call.state.settings.identity_provider:
        raise _aborted(f"user {target.id} is managed by an identity provider")


def another_owner(call: Call, revoked: Iterable[RoleBinding]) -> None:
    """Require that an OrgOwner remains; an invite is none yet."""
    if not any(each.grant.role == "OrgOwner" and each.principal.type != "invite" for each in revoked):
        return
    owners = [BindingFilter(principal_type=type_, role="OrgOwner") for type_ in ("user", "service_account")]
    if sum(len(call.state.role_bindings.matching(wanted)) for wanted in owners) == 1:
        raise _aborted(f"organization {call.state.organization.id} would be left without an OrgOwner")


def another_organization_role(call: Call, revoked: RoleBinding) -> None:
    """Require that an invite, and a user who holds anything else, keeps a role in the organization."""
    target = revoked.principal
    others = [other for other in call.state.role_bindings.held_by(target) if other is not revoked]
    if any(other.grant.resource_type == "organization" for other in others):
        return
    if target.type == "invite" or (target.type == "user" and others):
        raise _aborted(f"role binding {revoked.id} is the last organization role of {target.type} {target.id}")


def free_address(call: Call, address: str) -> None:
    """Require an address that neither a pending invite nor a member has."""
    if pending := call.state.pending_invite_at(address, call.now):
        raise _exists(f"invite {pending.id} is pending for {shown(address)}", invite_id=pending.id)
    if owner := call.state.user_at(address):
        raise _exists(f"user {owner.id} has the address {shown(address)} already", user_id=owner.id)


def resendable(call: Call, target: Invite) -> None:
    """Require an invite that is not processed, and if expired, that nobody else has its address."""
    unprocessed(target)
    if target.status(call.now) == "expired":
        free_address(call, target.email)


def unprocessed(target: Invite) -> None:
    """Require an invite that can still take roles and mails."""
    if target.processed_at:
        raise _exists(f"invite {target.id} is processed; turn to the user who accepted it")


def withdrawable(target: Invite) -> None:
    """Require an invite that was not accepted."""
    if target.processed_at:
        raise _aborted(f"invite {target.id} is processed; remove the user who accepted it")


def distinct(grants: Iterable[Grant]) -> None:
    """Require that no two grants of one request are identical."""
    seen: set[Grant] = set()
    for index, grant in enumerate(grants):
        if grant in seen:
            raise _exists(f"role_bindings[{index}] repeats {grant.role} on {grant.resource_type}")
        seen.add(grant)


def unbound(call: Call, target: Principal, grant: Grant) -> None:
    """Require a principal that can take the role and does not hold it."""
    if target.type == "invite":
        unprocessed(call.state.invites[target.id])
    for binding in call.state.role_bindings.held_by(target):
        if binding.grant == grant:
            raise _exists(f"role binding {binding.id} is identical", role_binding_id=binding.id)
